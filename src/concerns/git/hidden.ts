import { dirname, join } from "node:path";
import { textIn } from "../../core/file-text.ts";
import { blockLines } from "../../core/ignore-block.ts";
import type { Host, Snapshot } from "../../host/host.ts";
import { spellingsOf } from "../../lib/spelling.ts";
import { findGitFolder, type Git, LONG_MS, nameAt, patternsIn, WHICH_PATTERN } from "./git.ts";

/**
 * The paths that git ignores because of our lines in an ignore file. Another line may match them, too: git names only
 * the last match.
 *
 * @param paths absolute, without links.
 * @throws AppError GIT_FAILED
 */
export async function hiddenByOurs(
  { files }: Pick<Host, "files">,
  git: Git,
  ignoreFile: Snapshot,
  paths: readonly string[],
): Promise<readonly string[]> {
  const block = blockLines(textIn(ignoreFile));
  if (block === undefined) return [];
  const folders = new Map<string, Promise<string | undefined>>();
  const repoOf = (folder: string) => {
    const known = folders.get(folder) ?? findGitFolder({ files }, folder);
    folders.set(folder, known);
    return known;
  };
  const repos = await Promise.all(paths.map((path) => repoOf(dirname(path))));
  // A nested repo has its own rules, and git does not look into a submodule.
  const asked = paths
    .filter((_, at) => repos[at] === git.root)
    .flatMap((path) => spellingsOf(path).map((each) => [nameAt(git.root, each), path] as const));
  if (asked.length === 0) return [];
  const pathOf = new Map(asked);
  const chunks: Buffer[] = [];
  const answer = await git.ask(WHICH_PATTERN, {
    input: asked.map(([name]) => `${name}\0`).join(""),
    onStdout: (chunk) => chunks.push(chunk),
    timeoutMs: LONG_MS,
  });
  const patterns = patternsIn(answer, Buffer.concat(chunks).toString("utf8"));
  const found = patterns.flatMap(({ source, line, path }) => {
    const isThere = [ignoreFile.path, ignoreFile.target].includes(join(git.root, source));
    return isThere && line > block.from && line < block.to ? (pathOf.get(path) ?? []) : [];
  });
  return [...new Set(found)];
}
