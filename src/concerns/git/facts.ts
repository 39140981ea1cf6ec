import type { Bounds } from "../../core/obstacles.ts";
import type { Snapshot } from "../../host/host.ts";
import type { Git } from "./git.ts";

export interface RepoFacts extends Bounds {
  /** No tool in it is run: the repo, but where HOME is in git. */
  readonly toolsNotIn: string;
  /** Absent outside git. */
  readonly git: GitFacts | undefined;
  readonly gitignore: Snapshot;
}

/** What git says of the files that a plan may be about. */
export interface GitFacts {
  readonly git: Git;
  /** By any rule. */
  readonly ignored: ReadonlySet<string>;
  /** Those of them that the user's own rules alone ignore: colleagues lack such a rule. */
  readonly ignoredHere: ReadonlySet<string>;
  readonly tracked: ReadonlySet<string>;
  /** Files in a repo inside this one, with its root and their name in there: ours does not decide about them. */
  readonly nested: ReadonlyMap<string, { readonly root: string; readonly name: string }>;
}
