import { structuredPatch } from "diff";
import type { Difference } from "../core/change.ts";
import { modeText } from "../lib/mode-text.ts";
import { shown } from "../secret/content.ts";

export interface DiffLine {
  readonly kind: "added" | "removed" | "kept";
  readonly text: string;
}

/** The lines that differ, without context, and with secrets as fingerprints. */
export function diffOf({ before, after, modes }: Difference): readonly DiffLine[] {
  const patch = structuredPatch("", "", shown(before), shown(after), "", "", {
    context: 0,
    maxEditLength: MOST_EDITS,
  });
  const lines = (
    patch?.hunks.flatMap(({ lines }) => lines) ?? rewritten(shown(before), shown(after))
  )
    .filter((line) => !line.startsWith("\\"))
    .map((line): DiffLine => ({ kind: KINDS[line[0] ?? " "] ?? "kept", text: line.slice(1) }));
  if (modes === undefined || modes[0] === modes[1]) return lines;
  const [removed, added] = modes.map((bits) => `mode ${modeText(bits)}`);
  return [{ kind: "removed", text: removed ?? "" }, { kind: "added", text: added ?? "" }, ...lines];
}

/** The time to find the shortest diff is quadratic in this. */
const MOST_EDITS = 1000;

/** All lines except the common ones at the beginning and end. */
function rewritten(before: string, after: string): string[] {
  const [old, now] = [before, after].map((text) => text.replace(/\n$/, "").split("\n"));
  if (old === undefined || now === undefined) return [];
  const shorter = Math.min(old.length, now.length);
  let start = 0;
  while (start < shorter && old[start] === now[start]) start++;
  let end = 0;
  while (end < shorter - start && old.at(-1 - end) === now.at(-1 - end)) end++;
  const changed = (lines: string[]) => lines.slice(start, lines.length - end);
  return [...changed(old).map((line) => `-${line}`), ...changed(now).map((line) => `+${line}`)];
}

const KINDS: Readonly<Record<string, DiffLine["kind"]>> = { "+": "added", "-": "removed" };
