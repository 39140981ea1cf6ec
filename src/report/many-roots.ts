import { basename, dirname } from "node:path";
import type { Change } from "../core/change.ts";
import { few } from "../lib/few.ts";
import { groupedBy } from "../lib/grouped.ts";
import { type Report, shownPath } from "./report.ts";

/** Up to this many roots, or findings of a kind, are shown one by one. */
const FEW = 3;

/**
 * Groups what is the same in many roots.
 *
 * @param keyOf undefined for an item that is never grouped.
 * @returns groups in the order of their first item. Small groups are split into single items.
 */
export function grouped<T>(items: readonly T[], keyOf: (item: T) => string | undefined): T[][] {
  const groups = groupedBy(items, (item) => keyOf(item) ?? item);
  return [...groups.values()].flatMap((group) =>
    group.length > FEW ? [group] : group.map((item) => [item]),
  );
}

/** The name of a changed file in a root's folder; undefined for any other change. */
export function nameInRoot(report: Report, change: Change): string | undefined {
  return change.file === undefined ? undefined : fileInRoot(report, change.file);
}

export function fileInRoot({ facts }: Report, path: string): string | undefined {
  const isRoots = facts.terraform.roots.some(({ config }) => config.dir === dirname(path));
  return isRoots ? basename(path) : undefined;
}

/** Folder names for a person, shortened if there are many. */
export function someOf(report: Report, folders: readonly string[]): string {
  const names = folders.map((folder) => shownPath(report, folder));
  return names.length <= FEW + 1 ? names.join(", ") : few(names, FEW);
}
