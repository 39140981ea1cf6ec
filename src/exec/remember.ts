import { keep } from "../host/keep.ts";
import type { ExecConfig } from "./exec-config.ts";
import { keyOf, type RecordContext } from "./record.ts";

/**
 * Leaves a record for the next run.
 *
 * @param from as in host/keep.ts.
 */
export function rememberConfig(
  context: RecordContext,
  config: ExecConfig,
  from: Parameters<typeof keep>[3],
): void {
  keep(context, keyOf(context), config, from);
}
