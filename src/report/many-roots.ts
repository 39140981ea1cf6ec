import { basename, dirname } from "node:path";
import type { Change } from "../core/change.ts";
import { few } from "../lib/few.ts";
import { type Report, shownPath } from "./report.ts";

/** So many roots, or findings of a kind, are shown one by one. */
const FEW = 3;

/**
 * Brings together what is the same of many roots.
 *
 * @param keyOf undefined for what stands alone.
 * @returns groups in the order of their first; what is the same of a few only stays apart.
 */
export function grouped<T>(items: readonly T[], keyOf: (item: T) => string | undefined): T[][] {
  const groups = new Map<string | T, T[]>();
  for (const item of items) {
    const key = keyOf(item) ?? item;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return [...groups.values()].flatMap((group) =>
    group.length > FEW ? [group] : group.map((item) => [item]),
  );
}

/** A file in a root's folder by its name; undefined for any other change. */
export function nameInRoot(report: Report, change: Change): string | undefined {
  return change.file === undefined ? undefined : fileInRoot(report, change.file);
}

export function fileInRoot({ facts }: Report, path: string): string | undefined {
  const isRoots = facts.terraform.roots.some(({ config }) => config.dir === dirname(path));
  return isRoots ? basename(path) : undefined;
}

/** Folders as a person reads them: the first of many. */
export function someOf(report: Report, folders: readonly string[]): string {
  const names = folders.map((folder) => shownPath(report, folder));
  return names.length <= FEW + 1 ? names.join(", ") : few(names, FEW);
}
