import { printable, printableJson, printableLines } from "../lib/printable.ts";
import { redact } from "./redact.ts";

/** A text of others in one line: harmless to a terminal and to a pipeline's log, and without a secret. */
export function safe(text: string): string {
  return withoutCommands(redact(printable(text)));
}

/**
 * The gate of every text that is printed for a person: its line ends and our colours stay, everything else is
 * as `safe` gives it, wherever it came from.
 */
export function safeLines(text: string): string {
  return withoutCommands(redact(printableLines(text)));
}

/** The gate of every document: JSON that reads the same, but for its secrets. */
export function safeJson(document: object): string {
  const json = JSON.stringify(
    document,
    (_, value: unknown) => (typeof value === "string" ? redact(value) : value),
    2,
  );
  // A runner obeys such a mark in the middle of a line, too.
  return printableJson(json).replace(MARKS, "#\\u0023");
}

/** A runner's command at the beginning of a line: `::add-path::`, `::error file=x::`. */
const COMMANDS = /^((?:[^\S\n]|\u001b\[\d+m)*):(?=:[\w-]+[^\n]*::)/gm;
/** Older ones, and those of other runners, anywhere: `##[group]`, `##vso[task.setvariable]`. */
const MARKS = /##(?=\w*\[)/g;

function withoutCommands(text: string): string {
  return text.replace(COMMANDS, "$1\\x3a").replace(MARKS, "#\\x23");
}
