import { join, relative } from "node:path";
import { withLogin } from "../../concerns/config/write-login.ts";
import {
  environmentsAmong,
  type ProposedEnvironment,
} from "../../concerns/terraform/search/layout.ts";
import { editText, writeText } from "../../core/changes/write-file.ts";
import type { Consent } from "../../core/consent.ts";
import { textAt } from "../../core/file-text.ts";
import { fill } from "../../core/generated.ts";
import { obstacles } from "../../core/obstacles.ts";
import { NOTHING, type PlanPart } from "../../core/plan.ts";
import { hint, own } from "../../errors/hint.ts";
import { finding } from "./findings.ts";
import { CONFIG_FILE, type Facts } from "./observe.ts";

/** `--write-config`: writes a commented config with what was chosen, if there is none. */
export function planConfig(facts: Facts, consent: Consent): PlanPart {
  const {
    config,
    newConfig: { at: configAt, template: configTemplate },
    token: { inspection },
    doctl,
    terraform: { roots },
  } = facts;
  const { kind } = facts.search?.choice ?? {};
  if (facts.newLogin !== undefined && config.file !== undefined) return nameLogin(facts);
  if (kind === "chosen" && config.file !== undefined) return NOTHING;
  const isAsked = consent.writeConfig || facts.newLogin !== undefined;
  if (!isAsked && kind !== "chosen") return NOTHING;
  if (config.file !== undefined) {
    if (config.file === join(config.base, CONFIG_FILE)) return NOTHING;
    const message = `A config already exists: ${config.file}. No other config is written.`;
    return { findings: [finding("config.exists", message, { where: config.file })] };
  }
  const findings = obstacles(facts.repo, configAt);
  if (findings.length > 0) return { findings };
  const inBase = (path: string) => text(relative(config.base, path) || ".");
  const team = inspection?.team;
  const context = doctl?.target?.context;
  // If nobody has chosen roots, each may be a separate environment.
  const environments = kind === "several" ? environmentsAmong(facts.search?.choice.dirs ?? []) : [];
  const after = fill(configTemplate, {
    project: text(config.project),
    name: config.token.name,
    envFile: inBase(config.token.envFile),
    login:
      facts.newLogin === undefined
        ? `# doctl: ${text(config.project)} # instead: a doctl browser login; no token in the repo`
        : `doctl: ${text(facts.newLogin)} # use the login of this doctl context; doctl renews it`,
    team:
      team === undefined
        ? "# account: { team: <uuid> } # reject tokens of any other team"
        : `account:\n  team: ${text(team.uuid)} # reject tokens of any other team`,
    // `default` may be another login on a colleague's machine.
    context:
      context === undefined || context === "default" || facts.newLogin !== undefined
        ? `# doctl: { context: ${text(config.project)} }`
        : `doctl:\n  context: ${text(context)}`,
    terraform:
      environments.length > 0
        ? "# terraform: # settings shared by all environments"
        : rootsPart(roots.map(({ config: { dir } }) => inBase(dir))),
    environments: environmentsPart(config.project, environments),
  });
  const why = "your choices; commit it";
  return { changes: [writeText(configAt, after, why)] };
}

/** Adds the key `token.doctl` to an existing config. */
function nameLogin({ config, newConfig: { at }, newLogin = "", repo }: Facts): PlanPart {
  const findings = obstacles(repo, at);
  if (findings.length > 0) return { findings };
  const login = { environment: config.environment, context: newLogin };
  const edit = (now: string) => withLogin(at.path, now, login) ?? now;
  const now = textAt(at)?.text ?? "";
  if (edit(now) !== now) {
    return { changes: [editText(at, edit, "names the login; commit it")] };
  }
  const { environment } = config;
  const section = environment === undefined ? "" : `environments.${environment}.`;
  const message = `Could not add the login to ${at.path} automatically.`;
  const fix = hint`Set ${section}token.doctl: ${newLogin} in the config`;
  return { findings: [finding("config.no-login", message, { where: at.path, fix })] };
}

/** The finding after a config with roots that nobody has chosen; undefined: it is not such a config. */
export function proposedConfig({ config, search }: Pick<Facts, "config" | "search">) {
  if (search?.choice.kind !== "several" || config.file !== undefined) return undefined;
  const [first] = environmentsAmong(search.choice.dirs);
  const what = first === undefined ? "root modules" : "environments";
  const message = `${CONFIG_FILE} lists the ${what} found in this repo. Nothing else is written.`;
  const next = first === undefined ? own() : own("--env", first.name);
  const fix = hint`Review the config, then run ${next}`;
  return finding("config.proposed", message, { where: join(config.base, CONFIG_FILE), fix });
}

/** Without quotes only if every YAML reader takes the word as a string, and not as a number, null or yes. */
function text(value: string): string {
  const isWord = /^\.?[a-z][a-z0-9_./-]*$/i.test(value) || value === ".";
  const isSpecial = /^(true|false|null|yes|no|on|off|y|n|\.inf|\.nan)$/i.test(value);
  return isWord && !isSpecial ? value : JSON.stringify(value);
}

/** The key `terraform`, for one or more roots. */
function rootsPart(dirs: readonly string[]): string {
  const [only = ".", ...more] = dirs;
  const keys = more.length === 0 ? [`  dir: ${only}`] : dirs.map((dir) => `  - dir: ${dir}`);
  return ["terraform:", ...keys].join("\n");
}

/** The key `environments`: those that were found, or an example. */
function environmentsPart(project: string, found: readonly ProposedEnvironment[]): string {
  const lines = (name: string, more = "") => [
    `  ${text(name)}:`,
    `    token: { envFile: ${text(`.env.${name}`)} }`,
    `    doctl: { context: ${text(`${project}-${name}`)} }`,
    ...(more === "" ? [] : [`    terraform: { dir: ${more} }`]),
  ];
  const all = found.flatMap(({ name, dir }) => lines(name, text(dir)));
  const example = ["environments: # chosen with --env", ...lines("prod")];
  return found.length > 0
    ? ["environments: # chosen with --env", ...all].join("\n")
    : example.map((line) => `# ${line}`).join("\n");
}
