import { unicodeEscapes } from "./unicode-escapes.ts";

/**
 * What is not seen, or moves what is seen: controls, line separators, marks that reorder a line, characters
 * without a width, tags, and halves of characters.
 */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/gu;

/** Text of others (files, servers, tools) in one line, with what is not seen shown instead of obeyed. */
export function printable(text: string): string {
  return text.replace(UNSEEN, shown);
}

/** What `styleText` writes for the styles that a page has. */
const OURS = String.raw`\u001b\[(?:[12]|22|3\d)m|\n`;
const UNSEEN_BUT_OURS = new RegExp(`(${OURS})|${UNSEEN.source}`, "gu");

/** The same for a text of ours, whose line ends and colours stay. */
export function printableLines(text: string): string {
  return text.replace(UNSEEN_BUT_OURS, (found, ours?: string) => ours ?? shown(found));
}

function shown(char: string): string {
  return `\\x${(char.codePointAt(0) ?? 0).toString(16).padStart(2, "0")}`;
}

/** A JSON text that says the same with escapes in place of what is not seen. Its line ends stay. */
export function printableJson(json: string): string {
  return json.replace(UNSEEN, (char) => (char === "\n" ? char : unicodeEscapes(char)));
}
