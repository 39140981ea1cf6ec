import { basename, join } from "node:path";
import { isForSecrets, isStateOrPlan } from "../../concerns/config/protected-paths.ts";
import { filesMatching, filesMatchingIn, ignoredPaths } from "../../concerns/git/files.ts";
import type { Git } from "../../concerns/git/git.ts";
import type { Unpacking } from "../../concerns/terraform/root/saved-plan.ts";
import type { Host } from "../../host/host.ts";
import type { Secret } from "../../secret/secret.ts";
import { NEEDLE_PATTERN } from "../../secret/token-search.ts";
import { searchFile, type TokenMatch } from "./token-match.ts";

/** States and plans of large setups have some MB. */
const LARGEST = { maxBytes: 256 * 1024 * 1024 };

/** A token in a file on the disk. */
export interface FileLeak extends TokenMatch {
  /** Absolute. */
  readonly path: string;
  /** "taken": git tracks it or does not ignore it; "meant": a file for the token; "kept": git ignores it. */
  readonly git: "taken" | "meant" | "kept";
  /** A Terraform state or plan. */
  readonly isState: boolean;
}

/** A file that could not be searched completely. */
export interface Gap {
  /** Absolute. */
  readonly path: string;
  /** In words: "it is …". */
  readonly why: string;
}

/**
 * The tokens in the work tree's files: those that git tracks or does not ignore, and those that it ignores by name.
 * Folders that it ignores completely (node_modules) are not searched, except for Terraform's copy of the backend.
 *
 * @returns notEntered: those folders, relative to the root.
 * @throws AppError GIT_FAILED
 */
export async function leaksInFiles(
  { files }: Pick<Host, "files">,
  git: Git,
  { own, meant, unpacking }: FileSearch,
): Promise<{
  leaks: readonly FileLeak[];
  gaps: readonly Gap[];
  /** What git could not read, in its own words. */
  denied: readonly string[];
  notEntered: readonly string[];
}> {
  const denied = new Set<string>();
  const [taken, ignored] = await Promise.all([candidates(git, own, denied), ignoredPaths(git)]);
  const leaks: FileLeak[] = [];
  const gaps: Gap[] = [];
  for (const [names, isTaken] of [
    [taken, true],
    [ignored.files, false],
  ] as const) {
    for (const name of names) {
      const path = join(git.root, name);
      const snapshot = await files.look(path, LARGEST);
      // For a link out of the repo, git only has the text of the link.
      if (snapshot.kind === "unusable" && snapshot.link === undefined) {
        gaps.push({ path, why: `it is ${snapshot.why}` });
      }
      if (snapshot.kind !== "file") continue;
      const isMeant = meant.has(path) || isForSecrets(basename(path));
      const { matches, gap } = searchFile(snapshot.bytes, own, path, unpacking);
      if (gap !== undefined) gaps.push({ path, why: gap });
      for (const match of matches) {
        leaks.push({
          ...match,
          path,
          git: isTaken ? "taken" : isMeant ? "meant" : "kept",
          isState: isStateOrPlan(path) || match.line === undefined,
        });
      }
    }
  }
  return {
    leaks,
    gaps,
    denied: [...denied, ...ignored.denied],
    notEntered: ignored.folders,
  };
}

export interface FileSearch {
  readonly own: Secret | undefined;
  /** Absolute paths of the files that may contain the token. */
  readonly meant: ReadonlySet<string>;
  readonly unpacking: Unpacking;
}

/** Files that git tracks or does not ignore and that may contain something with the form of a token. */
function candidates(
  git: Git,
  own: Secret | undefined,
  denied: Set<string>,
): Promise<readonly string[]> {
  return matchingAny(own, (pattern) => filesMatching(git, pattern, denied));
}

/**
 * The files with a token in folders that git ignores completely.
 *
 * @param folders relative to the root.
 * @returns absolute paths.
 * @throws AppError GIT_FAILED
 */
export async function holdersIn(
  { files }: Pick<Host, "files">,
  git: Git,
  folders: readonly string[],
  { own, unpacking }: Pick<FileSearch, "own" | "unpacking">,
): Promise<{ readonly holders: readonly string[]; readonly gaps: readonly Gap[] }> {
  const names = await matchingAny(own, (pattern) => filesMatchingIn(git, folders, pattern));
  const holders: string[] = [];
  const gaps: Gap[] = [];
  for (const path of names.map((name) => join(git.root, name))) {
    const snapshot = await files.look(path, LARGEST);
    if (snapshot.kind === "unusable") gaps.push({ path, why: `it is ${snapshot.why}` });
    if (snapshot.kind !== "file") continue;
    const { matches, gap } = searchFile(snapshot.bytes, own, path, unpacking);
    if (gap !== undefined) gaps.push({ path, why: gap });
    if (matches.length > 0) holders.push(path);
  }
  return { holders, gaps };
}

async function matchingAny(
  own: Secret | undefined,
  matching: (pattern: string) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  // A saved plan is compressed, so it contains no needle.
  const found = await matching(String.raw`${NEEDLE_PATTERN}|^PK\x03\x04`);
  if (own === undefined || own.hasPrefix) return found;
  // The base64 of digits, in lines. The value itself is never on a command line.
  const digits = await matching("[A-Za-z0-9+/_-]{42}");
  return [...new Set([...found, ...digits])];
}
