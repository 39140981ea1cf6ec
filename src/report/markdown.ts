import { safe } from "../secret/safe.ts";

/** Markdown for a pull request. Untrusted text is literal in it: no HTML, links, mentions or references. */

/**
 * A name as code. Nothing is special between backticks, if there are more of them than in the name. Also works in
 * tables.
 */
export function code(name: string): string {
  // A backslash before a bar would be combined with the bar's escape.
  const text = safe(name)
    .replace(/\\(?=\|)/g, "\\x5c")
    .replaceAll("|", "\\|");
  const longest = Math.max(0, ...Array.from(text.matchAll(/`+/g), ([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  const room = /^[` ]|[` ]$/.test(text) ? " " : "";
  return text === "" ? "` `" : `${fence}${room}${text}${room}${fence}`;
}

/**
 * A sentence that may contain names. A word with other characters than letters, digits and those of a path becomes
 * code.
 */
export function prose(sentence: string): string {
  return safe(sentence)
    .split(" ")
    .map((word) => (isPlain(word) ? word : code(word)))
    .join(" ");
}

const PLAIN = /^[("']*[\p{L}\p{N}](?:[\p{L}\p{N}\p{M}_.:/'-]*[\p{L}\p{N}\p{M}])?[)"'.,:;?]*$/u;
/** Texts that become a link or a reference even without any markup. */
const LINK = /:\/\/|:[\w-]+:|www\.|mailto:|xmpp:|\bgh-\d/i;

function isPlain(word: string): boolean {
  return word === "" || (PLAIN.test(word) && !LINK.test(word));
}
