import { basename, dirname, join } from "node:path";
import type { Host } from "../../host/host.ts";
import { isInside, pathFrom } from "../../lib/paths.ts";
import type { GitFacts } from "./facts.ts";
import type { Git } from "./git.ts";
import { askRepos } from "./repos.ts";

/** git's answer for a path. */
export function verdictOn(path: string, { ignored, tracked }: GitFacts) {
  return { isIgnored: ignored.has(path), isTracked: tracked.has(path) };
}

/**
 * Asks git about paths, each in the repo that contains it.
 *
 * @param paths absolute.
 * @throws AppError GIT_FAILED
 */
export async function observeGit(
  host: Pick<Host, "env" | "run" | "which" | "files">,
  git: Git,
  paths: readonly string[],
): Promise<GitFacts> {
  const all = [...new Set(paths)];
  const folders = [...new Set(all.map(dirname))];
  const realFolders = await Promise.all(folders.map((folder) => host.files.realpath(folder)));
  const realOf = new Map(folders.map((folder, at) => [folder, realFolders[at] ?? folder]));
  const real = new Map(
    all.map((path) => [path, join(realOf.get(dirname(path)) ?? "", basename(path))]),
  );
  const inRepo = all.filter((path) => isInside(real.get(path) ?? path, git.root));
  const verdicts = await askRepos(host, git, inRepo);
  // A linked folder outside the repo is only read (rule 4).
  const ignored = all.filter((path) => verdicts.get(path)?.isIgnored !== false);
  const ignoredHere = all.filter((path) => verdicts.get(path)?.ignoredBy === "user");
  const tracked = all.flatMap((path) => {
    const name = verdicts.get(path)?.trackedAs;
    return name === undefined ? [] : [[path, name] as const];
  });
  const nested = [...verdicts].flatMap(([path, { root }]) =>
    root === git.root
      ? []
      : [[path, { root, name: pathFrom(root, real.get(path) ?? path) }] as const],
  );
  return {
    git,
    ignored: new Set(ignored),
    ignoredHere: new Set(ignoredHere),
    tracked: new Map(tracked),
    nested: new Map(nested),
  };
}
