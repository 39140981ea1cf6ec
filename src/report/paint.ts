import { styleText } from "node:util";
import { printable, redact } from "../errors.ts";

type Style = Parameters<typeof styleText>[0];

/** Colours a text, or leaves it; what comes from files, servers and tools goes through `safe`. */
export type Paint = (style: Style, text: string) => string;

export function paintFor(color: boolean): Paint {
  // The decision is ours: styleText's own look at the stream would repeat it.
  return (style, text) => (color ? styleText(style, text, { validateStream: false }) : text);
}

/** DESIGN §5: colour on a terminal only, unless the user says otherwise. */
export function wantsColor(
  stream: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
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
