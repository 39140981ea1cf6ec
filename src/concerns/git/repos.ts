import { dirname, join } from "node:path";
import type { RepoGuard } from "../../core/apply.ts";
import type { Host } from "../../host/host.ts";
import { findGitFolder, type Git, openGit, outputOf, type PatternOwner } from "./git.ts";

/** What the repo around a file says about it. */
export interface Verdict {
  /** The work tree's root, without symlinks. */
  readonly root: string;
  readonly isIgnored: boolean;
  /** Who owns the pattern that ignores it, if any. */
  readonly ignoredBy: PatternOwner | undefined;
  readonly isTracked: boolean;
  /** Its path as the index spells it, if it is tracked. */
  readonly trackedAs: string | undefined;
}

/**
 * Asks about each file in the repo that contains it: a repo may be nested in another, and doctl's config may be in one.
 * The outer repo does not know what the inner one would add.
 *
 * @param git the repo that we work in; tools inside it are not used.
 * @returns by path; a file outside any repo has no verdict.
 * @throws AppError GIT_FAILED
 */
export async function askRepos(
  host: Pick<Host, "env" | "run" | "which" | "files">,
  git: Git | undefined,
  paths: readonly string[],
): Promise<ReadonlyMap<string, Verdict>> {
  const { files } = host;
  const opened = new Map<string, Promise<Git | undefined>>();
  const open = async (folder: string) => {
    const marked = await findGitFolder(host, await files.realpath(folder));
    if (marked === undefined) return undefined;
    if (marked === git?.root) return git;
    const repo = opened.get(marked) ?? openGit(host, marked, git?.root);
    opened.set(marked, repo);
    return repo;
  };
  const folders = new Map([...new Set(paths.map(dirname))].map((each) => [each, open(each)]));
  const byRepo = new Map<Git, string[]>();
  for (const path of paths) {
    const repo = await folders.get(dirname(path));
    if (repo !== undefined) byRepo.set(repo, [...(byRepo.get(repo) ?? []), path]);
  }
  const verdicts = [...byRepo].map(async ([repo, own]) => {
    const [ignored, tracked] = await Promise.all([repo.ignored(own), repo.tracked(own)]);
    return own.map((path): [string, Verdict] => {
      const [ignoredBy, trackedAs] = [ignored.get(path), tracked.get(path)];
      const isIgnored = ignoredBy !== undefined;
      const isTracked = trackedAs !== undefined;
      return [path, { root: repo.root, isIgnored, ignoredBy, isTracked, trackedAs }];
    });
  });
  return new Map((await Promise.all(verdicts)).flat());
}

/** True if the file must not contain a secret. */
export function wouldTake({ isIgnored, isTracked }: Verdict): boolean {
  return !isIgnored || isTracked;
}

/** @param git the repo that we work in. */
export function guardOf(
  host: Pick<Host, "env" | "run" | "which" | "files">,
  git: Git | undefined,
): RepoGuard {
  return {
    whoTakes: (paths) => takerIn(host, git, paths),
    // In git's own folder, which is never committed and is on the disk that all users of the repo share.
    lock: async () => git && join(await gitFolder(git), "do-bootstrap.lock"),
  };
}

async function gitFolder(git: Git): Promise<string> {
  return (
    git.folder ?? (await outputOf(git, ["rev-parse", "--absolute-git-dir"])).replace(/\r?\n$/, "")
  );
}

/** See RepoGuard. Also works without a repo. @throws AppError GIT_FAILED */
export async function takerIn(
  host: Pick<Host, "env" | "run" | "which" | "files">,
  git: Git | undefined,
  paths: readonly string[],
): Promise<{ readonly path: string; readonly repo: string | undefined } | undefined> {
  const verdicts = [...(await askRepos(host, git, paths))];
  const [path, verdict] = verdicts.find(([, each]) => wouldTake(each)) ?? [];
  if (path === undefined || verdict === undefined) return undefined;
  return { path, repo: verdict.root === git?.root ? undefined : verdict.root };
}
