import type { Environment } from "../host/host.ts";
import { recall } from "../host/record.ts";
import { isSameDoctl } from "./doctl.ts";
import type { ExecConfig } from "./exec-config.ts";

/** What the config of `exec` and `env` depends on, besides files. */
export interface RecordContext {
  readonly cwd: string;
  readonly environment: string | undefined;
  readonly env: Environment;
  readonly platform: NodeJS.Platform;
}

/** The config that was found here before, if all that it follows from is the same. */
export function recallConfig(context: RecordContext): ExecConfig | undefined {
  const known = recall(context, keyOf(context)) as ExecConfig | undefined;
  // HOME is no project's folder, and what was found before does not know where it is.
  if (known === undefined || known.base === context.env["HOME"]) return undefined;
  if (known.doctl !== undefined && !isSameDoctl(known.doctl, context)) return undefined;
  // JSON has no undefined.
  return { ...known, environment: context.environment };
}

/** What a record is about. */
export function keyOf({ cwd, environment }: RecordContext) {
  return { kind: "exec", path: cwd, environment } as const;
}
