import { join } from "node:path";
import { keep } from "../host/keep.ts";
import { placeOf } from "../host/record.ts";
import type { ExecConfig } from "./exec-config.ts";
import { keyOf, type RecordContext } from "./record.ts";

/**
 * Keeps a record for the next run. It also depends on the roots that were found for the project, and on what doctl said
 * about itself (core/told.ts).
 *
 * @param from as in host/keep.ts.
 */
export function rememberConfig(
  context: RecordContext,
  config: ExecConfig,
  from: Parameters<typeof keep>[3],
): void {
  const program = config.doctl?.program;
  const records = [
    placeOf(context, { kind: "roots", path: config.base }),
    program === undefined ? undefined : placeOf(context, { kind: "config", path: program }),
  ].filter((place) => place !== undefined);
  const inputs = [...from.inputs, ...records.map(({ folder, name }) => join(folder, name))];
  keep(context, keyOf(context), config, { ...from, inputs });
}
