import { DEFAULT_DIRS, type FindRoots } from "../../config/find-config.ts";
import type { RepoLayout } from "./layout.ts";

/** What a person or a script said of the roots: all that are found, a new one, or these. */
export type WantedRoots = "all" | "new" | readonly string[];

/** Which roots a run works on where the config names none, and why. Folders are named from the config's. */
export type RootsChoice =
  /** The config names them. `absent`: those of its folders that are not there; `unnamed`: roots that it does not name. */
  | {
      readonly kind: "config";
      readonly dirs: readonly string[];
      readonly absent: readonly string[];
      readonly unnamed: readonly string[];
    }
  /** One is used; the others count only where the config names them. */
  | { readonly kind: "found"; readonly dirs: readonly string[]; readonly others: readonly string[] }
  /** The usual folder, with or without code: outside git, or where no code uses DigitalOcean yet. */
  | { readonly kind: "usual"; readonly dirs: readonly string[] }
  /** Somebody has chosen them: the config is to say so. */
  | { readonly kind: "chosen"; readonly dirs: readonly string[] }
  /** There are several, and nobody has chosen. */
  | { readonly kind: "several"; readonly dirs: readonly string[] }
  /** Environments have all of them, and this run is for none. */
  | { readonly kind: "claimed"; readonly dirs: readonly [] }
  /** There is none, and nobody has asked for one. */
  | { readonly kind: "none"; readonly dirs: readonly [] };

/**
 * @param usual the usual folder that has Terraform code, if there is one.
 * @param isNew the repo is one that has nothing in it yet.
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

/** Code that another tool makes roots of, or that is elsewhere. */
export function hasOthersCode({ units, stacks, notCheckedOut, beside }: RepoLayout): boolean {
  return units.length + stacks.length + notCheckedOut.length + beside.length > 0;
}
