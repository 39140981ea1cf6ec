import { structuredPatch } from "diff";
import type { Difference } from "../core/change.ts";
import { shown } from "../secret/content.ts";

export interface DiffLine {
  readonly kind: "added" | "removed" | "kept";
  readonly text: string;
}

/** The lines that differ, secrets as fingerprints, without the lines around them. */
export function diffOf({ before, after, modes }: Difference): readonly DiffLine[] {
  const { hunks } = structuredPatch("", "", shown(before), shown(after), "", "", { context: 0 });
  const lines = hunks
    .flatMap(({ lines }) => lines)
    .filter((line) => !line.startsWith("\\"))
    .map((line): DiffLine => ({ kind: KINDS[line[0] ?? " "] ?? "kept", text: line.slice(1) }));
  if (modes === undefined || modes[0] === modes[1]) return lines;
  const [removed, added] = modes.map((bits) => `mode ${bits.toString(8).padStart(4, "0")}`);
  return [{ kind: "removed", text: removed ?? "" }, { kind: "added", text: added ?? "" }, ...lines];
}

const KINDS: Readonly<Record<string, DiffLine["kind"]>> = { "+": "added", "-": "removed" };
