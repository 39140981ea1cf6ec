import { styleText } from "node:util";
import type { Environment } from "../host/host.ts";
import { safe } from "../secret/safe.ts";
import type { HintEdge } from "./hint-text.ts";

/** Those that can be read on a light and on a dark background: yellow cannot on white, blue not on black. */
type Style = "bold" | "dim" | "red" | "green" | "magenta" | "cyan";

/** Where a report is printed. */
export interface Page {
  readonly paint: Paint;
  /** Characters in a line; infinite where a line may be as long as it likes, as in a pipe. */
  readonly columns: number;
  readonly edge: HintEdge;
}

/** Makes a text of one line safe, and colours it or not. */
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
    paint(style, text) {
      const line = safe(text);
      // The decision is ours: styleText's own look at the stream would repeat it.
      return color ? styleText(style, line, { validateStream: false }) : line;
    },
    columns: stream.isTTY ? stream.columns || 80 : Number.POSITIVE_INFINITY,
    edge,
  };
}

/** docs/design.md §5: colour on a terminal only, unless the user says otherwise. */
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
