import { styleText } from "node:util";
import type { Environment } from "../host/host.ts";
import { safe } from "../secret/safe.ts";
import type { HintEdge } from "./hint-text.ts";

/** Colours that are readable on light and dark backgrounds: yellow is not on white, and blue is not on black. */
type Style = "bold" | "dim" | "red" | "green" | "magenta" | "cyan";

/** Where a report is printed. */
export interface Page {
  readonly paint: Paint;
  /** Characters in a line; infinite if lines are not wrapped, as in a pipe. */
  readonly columns: number;
  readonly edge: HintEdge;
}

/** Makes one line of text safe, and colours it if wanted. */
export type Paint = (style: Style, text: string) => string;

/** @param flag --color or --no-color, if given. */
export function pageOn(
  stream: { readonly isTTY?: boolean; readonly columns?: number },
  env: Environment,
  flag: boolean | undefined,
  edge: HintEdge,
): Page {
  const color = wantsColor(stream, env, flag);
  return {
    paint(style, text) {
      const line = safe(text);
      // We have already decided, so styleText need not check the stream again.
      return color ? styleText(style, line, { validateStream: false }) : line;
    },
    columns: stream.isTTY ? stream.columns || 80 : Number.POSITIVE_INFINITY,
    edge,
  };
}

/** docs/design.md §5: colour only on a terminal, unless the user decides otherwise. */
export function wantsColor(
  stream: { readonly isTTY?: boolean },
  env: Environment,
  flag: boolean | undefined,
): boolean {
  if (flag !== undefined) return flag;
  if (env["NO_COLOR"]) return false;
  if (env["FORCE_COLOR"]) return env["FORCE_COLOR"] !== "0";
  return stream.isTTY === true && env["TERM"] !== "dumb";
}
