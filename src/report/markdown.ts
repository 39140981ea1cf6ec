import { safe } from "../secret/safe.ts";

/** Markdown for a pull request. A text of others is literal in it: no HTML, no link, no mention, no reference. */

/** A name: nothing is special between backticks, of which there are more than in it; not even in a table. */
export function code(name: string): string {
  // A backslash before a bar would take its escape for its own.
  const text = safe(name)
    .replace(/\\(?=\|)/g, "\\x5c")
    .replaceAll("|", "\\|");
  const longest = Math.max(0, ...Array.from(text.matchAll(/`+/g), ([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  const room = /^[` ]|[` ]$/.test(text) ? " " : "";
  return text === "" ? "` `" : `${fence}${room}${text}${room}${fence}`;
}

/** A sentence with names in it: a word that is more than letters, digits and the signs of a path is code. */
export function prose(sentence: string): string {
  return safe(sentence)
    .split(" ")
    .map((word) => (isPlain(word) ? word : code(word)))
    .join(" ");
}

const PLAIN = /^[("']*[\p{L}\p{N}](?:[\p{L}\p{N}\p{M}_.:/'-]*[\p{L}\p{N}\p{M}])?[)"'.,:;?]*$/u;
/** What becomes a link, or a reference, without any sign around it. */
const LINK = /:\/\/|:[\w-]+:|www\.|mailto:|xmpp:|\bgh-\d/i;

function isPlain(word: string): boolean {
  return word === "" || (PLAIN.test(word) && !LINK.test(word));
}
