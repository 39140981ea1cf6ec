import { DEFAULT_DIRS, type FindRoots } from "../../config/find-config.ts";
import type { RepoLayout } from "./layout.ts";

/** What the user or a script wants: all roots that are found, a new one, or these. */
export type WantedRoots = "all" | "new" | readonly string[];

/** The roots of a run if the config names none, and why. Folders are relative to the config's folder. */
export type RootsChoice =
  /** The config names them. `absent`: folders that don't exist; `unnamed`: roots that the config does not name. */
  | {
      readonly kind: "config";
      readonly dirs: readonly string[];
      readonly absent: readonly string[];
      readonly unnamed: readonly string[];
    }
  /** One root is used. The others count only if the config names them. */
  | { readonly kind: "found"; readonly dirs: readonly string[]; readonly others: readonly string[] }
  /** The usual folder, with or without code: outside git, or if no code uses DigitalOcean yet. */
  | { readonly kind: "usual"; readonly dirs: readonly string[] }
  /** The user has chosen them, and the config should list them. */
  | { readonly kind: "chosen"; readonly dirs: readonly string[] }
  /** There are several, and nobody has chosen. */
  | { readonly kind: "several"; readonly dirs: readonly string[] }
  /** All roots belong to environments, and this run is for none. */
  | { readonly kind: "claimed"; readonly dirs: readonly [] }
  /** There is no root, and nobody has asked for one. */
  | { readonly kind: "none"; readonly dirs: readonly [] };

/**
 * @param usual the usual folder with Terraform code, if any.
 * @param isNew the repo is still empty.
 */
export function chooseRoots(
  layout: RepoLayout,
  { usual, isNew }: { readonly usual: string | undefined; readonly isNew: boolean },
  { isWanted, claimed, hasConfig }: Omit<Parameters<FindRoots>[1], "base">,
  wanted: WantedRoots | undefined,
): RootsChoice {
  const roots = layout.roots.filter((dir) => !claimed.has(dir));
  if (wanted !== undefined && wanted !== "all" && wanted !== "new") {
    return { kind: "chosen", dirs: wanted };
  }
  const [first, ...more] = roots;
  if (first !== undefined && more.length === 0) return { kind: "found", dirs: roots, others: [] };
  if (first !== undefined) {
    if (wanted === "all") return { kind: "chosen", dirs: roots };
    const [known, another] = roots.filter((dir) => DEFAULT_DIRS.includes(dir));
    if (known === undefined || another !== undefined) return { kind: "several", dirs: roots };
    return { kind: "found", dirs: [known], others: roots.filter((dir) => dir !== known) };
  }
  const isOfOthers = layout.ofOtherTools.length > 0 && wanted !== "new";
  if (usual !== undefined && !claimed.has(usual) && !isOfOthers) {
    return { kind: "usual", dirs: [usual] };
  }
  if (isWanted || wanted === "new") return { kind: "usual", dirs: ["."] };
  if (claimed.size > 0) return { kind: "claimed", dirs: [] };
  if (hasOthersCode(layout)) return { kind: "none", dirs: [] };
  const isEmpty = hasConfig || (isNew && layout.aside.length === 0);
  return isEmpty ? { kind: "usual", dirs: ["."] } : { kind: "none", dirs: [] };
}

/** Code that another tool turns into roots, or that is elsewhere. */
export function hasOthersCode({ units, stacks, notCheckedOut, beside }: RepoLayout): boolean {
  return units.length + stacks.length + notCheckedOut.length + beside.length > 0;
}
