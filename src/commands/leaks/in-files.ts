import { basename, join } from "node:path";
import { isForSecrets, isStateOrPlan } from "../../concerns/config/protected-paths.ts";
import { filesMatching, filesMatchingIn, ignoredPaths } from "../../concerns/git/files.ts";
import type { Git } from "../../concerns/git/git.ts";
import type { Host, Snapshot } from "../../host/host.ts";
import type { Secret } from "../../secret/secret.ts";
import { NEEDLE_PATTERN } from "../../secret/token-search.ts";
import { type TokenMatch, tokenMatchesIn } from "./token-match.ts";

/** States and plans of large set-ups are some MB. */
const LARGEST = { maxBytes: 256 * 1024 * 1024, waitForFifo: false };

/** A token in a file on the disk. */
export interface FileLeak extends TokenMatch {
  /** Absolute. */
  readonly path: string;
  /** "taken": git would take it; "meant": it is there to hold one; "kept": git ignores it. */
  readonly git: "taken" | "meant" | "kept";
  /** A state or a plan of Terraform. */
  readonly isState: boolean;
}

/** What could not be searched, and why not. */
type UnreadFile = Snapshot & { readonly kind: "unusable" };

/**
 * The tokens in the work tree's files: what git has or would take, and what it ignores by name. Folders
 * that it ignores as a whole (node_modules) are not entered, but for Terraform's copy of the backend.
 *
 * @param meant absolute paths of the files that may hold the token.
 * @returns notEntered: those folders, from the root.
 * @throws AppError GIT_FAILED
 */
export async function leaksInFiles(
  { files }: Pick<Host, "files">,
  git: Git,
  { own, meant }: { own: Secret | undefined; meant: ReadonlySet<string> },
): Promise<{
  leaks: readonly FileLeak[];
  unread: readonly UnreadFile[];
  notEntered: readonly string[];
}> {
  const [taken, ignored] = await Promise.all([candidates(git, own), ignoredPaths(git)]);
  const leaks: FileLeak[] = [];
  const unread: UnreadFile[] = [];
  for (const [names, isTaken] of [
    [taken, true],
    [ignored.files, false],
  ] as const) {
    for (const name of names) {
      const path = join(git.root, name);
      const snapshot = await files.look(path, LARGEST);
      if (snapshot.kind === "unusable") unread.push(snapshot);
      if (snapshot.kind !== "file") continue;
      const isMeant = meant.has(path) || isForSecrets(basename(path));
      for (const match of tokenMatchesIn(snapshot.bytes, own, path)) {
        leaks.push({
          ...match,
          path,
          git: isTaken ? "taken" : isMeant ? "meant" : "kept",
          isState: isStateOrPlan(path) || match.line === undefined,
        });
      }
    }
  }
  return { leaks, unread, notEntered: ignored.folders };
}

/** Files that git has or would take, in which something of a token's form may stand. */
function candidates(git: Git, own: Secret | undefined): Promise<readonly string[]> {
  return matchingAny(own, (pattern) => filesMatching(git, pattern));
}

/**
 * The files with a token in folders that git ignores as a whole.
 *
 * @param folders from the root.
 * @returns absolute paths.
 * @throws AppError GIT_FAILED
 */
export async function holdersIn(
  { files }: Pick<Host, "files">,
  git: Git,
  folders: readonly string[],
  own: Secret | undefined,
): Promise<readonly string[]> {
  const names = await matchingAny(own, (pattern) => filesMatchingIn(git, folders, pattern));
  const holders: string[] = [];
  for (const path of names.map((name) => join(git.root, name))) {
    const snapshot = await files.look(path, LARGEST);
    if (snapshot.kind === "file" && tokenMatchesIn(snapshot.bytes, own, path).length > 0) {
      holders.push(path);
    }
  }
  return holders;
}

async function matchingAny(
  own: Secret | undefined,
  matching: (pattern: string) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const found = await matching(NEEDLE_PATTERN);
  if (own === undefined || own.hasPrefix) return found;
  // Base64 of mere digits in lines; the value itself is never on a command line.
  const digits = await matching("[A-Za-z0-9+/_-]{42}");
  return [...new Set([...found, ...digits])];
}
