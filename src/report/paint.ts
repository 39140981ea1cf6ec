import { styleText } from "node:util";
import type { Environment } from "../host/host.ts";
import { printable } from "../lib/printable.ts";
import { redact } from "../secret/redact.ts";
import type { HintEdge } from "./hint-text.ts";

type Style = Parameters<typeof styleText>[0];

/** Where a report is printed. */
export interface Page {
  readonly paint: Paint;
  /** Characters in a line; infinite where a line may be as long as it likes, as in a pipe. */
  readonly columns: number;
  readonly edge: HintEdge;
}

/** Colours a text, or leaves it; what comes from files, servers and tools goes through `safe`. */
export type Paint = (style: Style, text: string) => string;

/** @param flag --color or --no-color, where given. */
export function pageOn(
  stream: { readonly isTTY?: boolean; readonly columns?: number },
  env: Environment,
  flag: boolean | undefined,
  edge: HintEdge,
): Page {
  const color = wantsColor(stream, env, flag);
  return {
    // The decision is ours: styleText's own look at the stream would repeat it.
    paint: (style, text) => (color ? styleText(style, text, { validateStream: false }) : text),
    columns: stream.isTTY ? stream.columns || 80 : Number.POSITIVE_INFINITY,
    edge,
  };
}

/** docs/design.md §5: colour on a terminal only, unless the user says otherwise. */
function wantsColor(
  stream: { readonly isTTY?: boolean },
  env: Environment,
  flag: boolean | undefined,
): boolean {
  if (flag !== undefined) return flag;
  if (env["NO_COLOR"]) return false;
  if (env["FORCE_COLOR"]) return env["FORCE_COLOR"] !== "0";
  return stream.isTTY === true && env["TERM"] !== "dumb";
}

/** A text of others, harmless on a terminal. */
export function safe(text: string): string {
  return redact(printable(text));
}
