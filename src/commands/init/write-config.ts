import { join, relative } from "node:path";
import { writeText } from "../../core/changes/write-file.ts";
import type { Consent } from "../../core/consent.ts";
import { fill } from "../../core/generated.ts";
import { obstacles } from "../../core/obstacles.ts";
import { NOTHING, type PlanPart } from "../../core/plan.ts";
import { finding } from "./findings.ts";
import { CONFIG_FILE, type Facts } from "./observe.ts";

/** `--write-config`: a commented config of what was chosen, where there is none. */
export function planConfig(facts: Facts, consent: Consent): PlanPart {
  const {
    config,
    newConfig: { at: configAt, template: configTemplate },
    token: { inspection },
    doctl,
    terraform: { roots },
  } = facts;
  if (!consent.writeConfig) return NOTHING;
  if (config.file !== undefined) {
    if (config.file === join(config.base, CONFIG_FILE)) return NOTHING;
    const message = `${config.file} is the config already: none is written beside it.`;
    return { findings: [finding("config.exists", message, { where: config.file })] };
  }
  const findings = obstacles(facts.repo, configAt);
  if (findings.length > 0) return { findings };
  const inBase = (path: string) => text(relative(config.base, path) || ".");
  const team = inspection?.team;
  const context = doctl?.target?.context;
  const after = fill(configTemplate, {
    project: text(config.project),
    plainProject: config.project,
    name: config.token.name,
    envFile: inBase(config.token.envFile),
    team:
      team === undefined
        ? "# account: { team: <uuid> } # refuse a token of any other team"
        : `account:\n  team: ${text(team.uuid)} # refuse a token of any other team`,
    // `default` may be another login on a colleague's machine.
    context:
      context === undefined || context === "default"
        ? `# doctl: { context: ${text(config.project)} }`
        : `doctl:\n  context: ${text(context)}`,
    dir: inBase(roots[0]?.config.dir ?? config.base),
  });
  const why = "what was chosen; commit it";
  return { changes: [writeText(configAt, after, why)] };
}

/** Plain where every YAML reader takes a plain word for that word: never a number, null or yes. */
function text(value: string): string {
  const isWord = /^\.?[a-z][a-z0-9_./-]*$/i.test(value) || value === ".";
  const isSpecial = /^(true|false|null|yes|no|on|off|y|n|\.inf|\.nan)$/i.test(value);
  return isWord && !isSpecial ? value : JSON.stringify(value);
}
