import { structuredPatch } from "diff";
import { shown } from "../secret/content.ts";
import type { WriteFile } from "./types.ts";

export interface DiffLine {
  readonly kind: "added" | "removed" | "kept";
  readonly text: string;
}

/** The lines that a write changes, secrets as fingerprints, without the lines around them. */
export function diffOf({ before, after, shownBefore, mode }: WriteFile): readonly DiffLine[] {
  const { hunks } = structuredPatch("", "", shown(shownBefore), shown(after), "", "", {
    context: 0,
  });
  const lines = hunks
    .flatMap(({ lines }) => lines)
    .filter((line) => !line.startsWith("\\"))
    .map((line): DiffLine => ({ kind: KINDS[line[0] ?? " "] ?? "kept", text: line.slice(1) }));
  if (before.kind !== "file" || before.mode === mode) return lines;
  const bits = (value: number) => `mode ${value.toString(8).padStart(4, "0")}`;
  return [
    { kind: "removed", text: bits(before.mode) },
    { kind: "added", text: bits(mode) },
    ...lines,
  ];
}

const KINDS: Readonly<Record<string, DiffLine["kind"]>> = { "+": "added", "-": "removed" };
