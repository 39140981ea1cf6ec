import { relative } from "node:path";
import { writeText } from "../../core/changes/write-file.ts";
import type { Consent } from "../../core/consent.ts";
import { textAt } from "../../core/file-text.ts";
import { generate, recognise } from "../../core/generated.ts";
import { type Bounds, obstacles } from "../../core/obstacles.ts";
import { NOTHING, type PlanPart } from "../../core/plan.ts";
import { hint, own } from "../../errors/hint.ts";
import { shellWord } from "../../lib/shell-word.ts";
import type { ResolvedConfig } from "../config/resolved.ts";
import type { EnvFileFacts } from "./facts.ts";
import { finding } from "./findings.ts";

/** The facts that these follow from. */
interface Known {
  readonly config: ResolvedConfig;
  readonly repo: Bounds;
  readonly envFile: EnvFileFacts;
}

/**
 * `--envrc`: direnv's file, which is committed and holds no secret. One of ours is kept up by later runs for
 * the environment that it loads; anybody else's is left alone.
 */
export function planEnvrc(known: Known, consent: Consent): PlanPart {
  const {
    envFile: {
      envrc,
      templates: { envrc: envrcTemplate },
    },
    config,
  } = known;
  const text = textAt(envrc)?.text;
  const kind = text === undefined ? "foreign" : recognise(text);
  const isOurs = kind === "generated" && environmentIn(text) === config.environment;
  if (!consent.envrc && !isOurs) return NOTHING;
  const findings = obstacles(known.repo, envrc);
  if (findings.length > 0) return { findings };
  if (envrc.kind !== "absent" && kind !== "generated") return isLoading(text) ? NOTHING : left();
  const after = generate(envrcTemplate, {
    envFile: shellWord(relative(config.base, config.token.envFile)),
    // A slug: it needs no quotes.
    environment: config.environment === undefined ? "" : ` --env ${config.environment}`,
  });
  if (text?.replaceAll("\r\n", "\n") === after) return NOTHING;
  const why = envrc.kind === "absent" ? "for direnv; no secret in it" : "generated anew";
  return { changes: [writeText(envrc, after, why)] };

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
  const lines = (text ?? "").split(/[\r\n]/);
  return lines.some((line) => /^[^#]*\bdo-bootstrap env\b/.test(line));
}
