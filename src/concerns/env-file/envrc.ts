import { relative } from "node:path";
import type { Observation } from "../../commands/init/observe.ts";
import { obstacles, plainWrite } from "../../core/existing.ts";
import { textAt } from "../../core/file-text.ts";
import { generate, recognise } from "../../core/generated.ts";
import { type Consent, NOTHING, type PlanPart } from "../../core/types.ts";
import { hint, own } from "../../errors/hint.ts";
import { shellWord } from "../../lib/shell-word.ts";
import { content } from "../../secret/content.ts";
import { finding } from "./findings.ts";

/**
 * `--envrc`: direnv's file, which is committed and holds no secret. One of ours is kept up by later runs for
 * the environment that it loads; anybody else's is left alone.
 */
export function planEnvrc(observation: Observation, consent: Consent): PlanPart {
  const { envrc, envrcTemplate, config } = observation;
  const text = textAt(envrc)?.text;
  const kind = text === undefined ? "foreign" : recognise(text);
  const isOurs = kind === "generated" && environmentIn(text) === config.environment;
  if (!consent.envrc && !isOurs) return NOTHING;
  const findings = obstacles(observation, envrc, consent);
  if (findings.length > 0) return { findings };
  if (envrc.kind !== "absent" && kind !== "generated") return isLoading(text) ? NOTHING : left();
  const after = generate(envrcTemplate, {
    envFile: shellWord(relative(config.base, config.token.envFile)),
    // A slug: it needs no quotes.
    environment: config.environment === undefined ? "" : ` --env ${config.environment}`,
  });
  if (text?.replaceAll("\r\n", "\n") === after) return NOTHING;
  const why = envrc.kind === "absent" ? "for direnv; no secret in it" : "generated anew";
  return { changes: [plainWrite(envrc, content(after), why)] };

  function left(): PlanPart {
    const message = `${envrc.path} is somebody's own: it is left as it is.`;
    const fix = hint`Add to it: eval "$(${own("env")})"`;
    return { findings: [finding("file.not-ours", message, { where: envrc.path, fix })] };
  }
}

function environmentIn(text: string | undefined): string | undefined {
  return /do-bootstrap env --env ([a-z0-9_-]+)/.exec(text ?? "")?.[1];
}

function isLoading(text: string | undefined): boolean {
  return /^[^#\n]*\bdo-bootstrap env\b/m.test(text ?? "");
}
