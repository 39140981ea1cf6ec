import { dirname, join } from "node:path";
import { textIn } from "../../core/file-text.ts";
import { blockLines } from "../../core/ignore-block.ts";
import type { Host, Snapshot } from "../../host/host.ts";
import { findGitFolder, type Git, gitFailed, LONG_MS } from "./git.ts";

/**
 * Those of some paths that git ignores because of our lines in an ignore file. Another line may hide them,
 * too: git names the last one that fits.
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
  // A repo inside ours has rules of its own; git refuses to look into a submodule.
  const asked = paths.filter((_, at) => repos[at] === git.root);
  if (asked.length === 0) return [];
  const chunks: Buffer[] = [];
  const answer = await git.ask(["check-ignore", "-v", "-z", "--no-index", "--stdin"], {
    input: asked.map((path) => `${path}\0`).join(""),
    onStdout: (chunk) => chunks.push(chunk),
    timeoutMs: LONG_MS,
  });
  // 1: none of them is ignored.
  if (answer.end !== "exited" || ![0, 1].includes(answer.exitCode ?? -1)) throw gitFailed(answer);
  const words = Buffer.concat(chunks).toString("utf8").split("\0");
  const hidden: string[] = [];
  for (let at = 0; at + 3 < words.length; at += 4) {
    const [source = "", line = "", , path = ""] = words.slice(at, at + 4);
    const isThere = [ignoreFile.path, ignoreFile.target].includes(join(git.root, source));
    if (isThere && Number(line) > block.from && Number(line) < block.to) hidden.push(path);
  }
  return hidden;
}
