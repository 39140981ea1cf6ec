import { printable, printableJson, printableLines } from "../lib/printable.ts";
import { redact } from "./redact.ts";

/** Untrusted text on one line: harmless to a terminal and a CI log, and without secrets. */
export function safe(text: string): string {
  return withoutCommands(redact(printable(text)));
}

/**
 * For every text that is printed for a person. Keeps line ends and our colours, and makes everything else safe, like
 * `safe`.
 */
export function safeLines(text: string): string {
  return withoutCommands(redact(printableLines(text)));
}

/** For every document: equivalent JSON, but with secrets redacted. */
export function safeJson(document: object): string {
  const json = JSON.stringify(
    document,
    (_, value: unknown) => (typeof value === "string" ? redact(value) : value),
    2,
  );
  // A CI runner obeys such a mark even in the middle of a line.
  return printableJson(json).replace(MARKS, "#\\u0023");
}

/** A CI runner's command at the beginning of a line, such as `::add-path::` or `::error file=x::`. */
const COMMANDS = /^((?:[^\S\n]|\u001b\[\d+m)*):(?=:[\w-]+[^\n]*::)/gm;
/** Older commands, and those of other runners, anywhere in a line: `##[group]`, `##vso[task.setvariable]`. */
const MARKS = /##(?=\w*\[)/g;

function withoutCommands(text: string): string {
  return text.replace(COMMANDS, "$1\\x3a").replace(MARKS, "#\\x23");
}
