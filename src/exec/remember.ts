import { join } from "node:path";
import { keep } from "../host/keep.ts";
import { placeOf } from "../host/record.ts";
import type { ExecConfig } from "./exec-config.ts";
import { keyOf, type RecordContext } from "./record.ts";

/**
 * Leaves a record for the next run. It follows from the roots that were found for the project, too.
 *
 * @param from as in host/keep.ts.
 */
export function rememberConfig(
  context: RecordContext,
  config: ExecConfig,
  from: Parameters<typeof keep>[3],
): void {
  const roots = placeOf(context, { kind: "roots", path: config.base });
  const inputs = [...from.inputs, ...(roots === undefined ? [] : [join(roots.folder, roots.name)])];
  keep(context, keyOf(context), config, { ...from, inputs });
}
