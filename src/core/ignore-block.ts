import { sep } from "node:path";
import { spellingsOf } from "../lib/spelling.ts";
import { lineEndOf } from "../secret/content.ts";

const BEGIN = "# do-bootstrap: keep secrets and state out of ";
const END = "# do-bootstrap: end";
/** The current first line, and the one in repos that an older version prepared. */
const BEGINNINGS = [BEGIN, "# do-bootstrap: secrets and state stay out of "];

/**
 * The text of an ignore file with the patterns added to our marked block. Nothing else changes.
 *
 * @param outOf what the ignored files are kept out of.
 */
export function withPatterns(
  text: string,
  patterns: readonly string[],
  outOf: "git" | "the upload" = "git",
): string {
  const lineEnd = lineEndOf(text);
  const block = patterns.map((pattern) => pattern + lineEnd).join("");
  const end = text.split(/\r?\n/).includes(END) ? lineStart(text, END) : -1;
  if (end >= 0) return text.slice(0, end) + block + text.slice(end);
  const before = text === "" || /\n$/.test(text) ? text : text + lineEnd;
  const gap = before === "" ? "" : lineEnd;
  return before + gap + BEGIN + outOf + lineEnd + block + END + lineEnd;
}

/** The text without our block, and without the empty line that we put before it. */
export function withoutBlock(text: string): string {
  if (!hasBlock(text) || !text.split(/\r?\n/).includes(END)) return text;
  const from = lineStart(text, `(?:${BEGINNINGS.join("|")}).*`);
  const end = lineStart(text, END);
  if (end < from) return text;
  const next = text.indexOf("\n", end);
  const before = text.slice(0, from).replace(/(^|\n)\r?\n$/, "$1");
  return before + (next < 0 ? "" : text.slice(next + 1));
}

/** The first and last line of our block, counted from 1. */
export function blockLines(text: string): { from: number; to: number } | undefined {
  const lines = text.split(/\r?\n/);
  const [from, to] = [lines.findIndex(isBeginning), lines.indexOf(END)];
  return from < 0 || to < from ? undefined : { from: from + 1, to: to + 1 };
}

/** True if an ignore file has our block. */
export function hasBlock(text: string): boolean {
  return text.split(/\r?\n/).some(isBeginning);
}

function isBeginning(line: string): boolean {
  return BEGINNINGS.some((words) => line.startsWith(words));
}

/** The patterns among these, in each of their spellings, that an ignore file does not have. */
export function missingPatterns(text: string, patterns: readonly string[]): readonly string[] {
  const lines = new Set(text.split(/\r?\n/).map((line) => line.trim()));
  return [...new Set(patterns.flatMap(spellingsOf))].filter((each) => !lines.has(each));
}

/** A .gitignore pattern that matches only this path: special characters are escaped. */
export function patternOf(relativePath: string): string {
  return relativePath
    .split(sep)
    .join("/")
    .replace(/[*?[\]\\]/g, "\\$&")
    .replace(/^[#!]/, "\\$&")
    .replace(/(?<! ) +$/, (spaces) => spaces.replaceAll(" ", "\\ "));
}

function lineStart(text: string, line: string): number {
  return text.search(new RegExp(`^${line}\\r?$`, "m"));
}
