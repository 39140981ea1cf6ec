import type { Environment } from "../host/host.ts";
import { homeOf } from "../host/places.ts";
import { recall } from "../host/record.ts";
import { isSameDoctl } from "./doctl.ts";
import type { ExecConfig } from "./exec-config.ts";

/** What the config of `exec` and `env` depends on, in addition to files. */
export interface RecordContext {
  readonly cwd: string;
  readonly environment: string | undefined;
  readonly env: Environment;
  readonly platform: NodeJS.Platform;
}

/** The config that was found here before, if everything that it depends on is unchanged. */
export function recallConfig(context: RecordContext): ExecConfig | undefined {
  const known = recall(context, keyOf(context)) as ExecConfig | undefined;
  // HOME is not a project folder, and the record was made without knowing where HOME is.
  if (known === undefined || known.base === homeOf(context.env, context.platform)) return undefined;
  if (known.doctl !== undefined && !isSameDoctl(known.doctl, context)) return undefined;
  // JSON cannot represent undefined.
  return { ...known, environment: context.environment };
}

/** What a record is about. */
export function keyOf({ cwd, environment }: RecordContext) {
  return { kind: "exec", path: cwd, environment } as const;
}
