import type { Bounds } from "../../core/obstacles.ts";
import type { Snapshot } from "../../host/host.ts";
import type { Git } from "./git.ts";

export interface RepoFacts extends Bounds {
  /** Tools inside this folder are not run: the repo, unless HOME itself is in git. */
  readonly toolsNotIn: string;
  /** undefined outside git. */
  readonly git: GitFacts | undefined;
  readonly gitignore: Snapshot;
}

/** What git says about the files that a plan may involve. */
export interface GitFacts {
  readonly git: Git;
  /** Ignored by any rule. */
  readonly ignored: ReadonlySet<string>;
  /** Ignored only by the user's own rules, which colleagues don't have. */
  readonly ignoredHere: ReadonlySet<string>;
  /** Each with its path as the index spells it. */
  readonly tracked: ReadonlyMap<string, string>;
  /** Files in a nested repo, with its root and their path in it. The outer repo's rules don't apply to them. */
  readonly nested: ReadonlyMap<string, { readonly root: string; readonly name: string }>;
}

/** A tracked path for `git rm`, which finds only the index's own spelling. */
export function pathInIndex(git: GitFacts | undefined, path: string): string {
  return git?.tracked.get(path) ?? path;
}
