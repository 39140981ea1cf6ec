import { unicodeEscapes } from "./unicode-escapes.ts";

/**
 * Characters that are invisible or change how text is displayed: controls, line separators, marks that reorder a line,
 * characters without a width, tags, and lone surrogates.
 */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/gu;

/** Untrusted text (from files, servers, tools) on one line, with invisible characters shown as escapes. */
export function printable(text: string): string {
  return text.replace(UNSEEN, shown);
}

/** The escape sequences that `styleText` writes for the styles of a page. */
const OURS = String.raw`\u001b\[(?:[12]|22|3\d)m|\n`;
const UNSEEN_BUT_OURS = new RegExp(`(${OURS})|${UNSEEN.source}`, "gu");

/** Like `printable`, for our own text: line ends and colours are kept. */
export function printableLines(text: string): string {
  return text.replace(UNSEEN_BUT_OURS, (found, ours?: string) => ours ?? shown(found));
}

function shown(char: string): string {
  return `\\x${(char.codePointAt(0) ?? 0).toString(16).padStart(2, "0")}`;
}

/** An equivalent JSON text with invisible characters escaped. Line ends are kept. */
export function printableJson(json: string): string {
  return json.replace(UNSEEN, (char) => (char === "\n" ? char : unicodeEscapes(char)));
}
