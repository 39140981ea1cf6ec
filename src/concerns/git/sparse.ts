import { join, resolve } from "node:path";
import { textIn } from "../../core/file-text.ts";
import type { Files } from "../../host/host.ts";
import { indexed } from "./files.ts";
import type { Git } from "./git.ts";

/**
 * Files that git has in its index and that a sparse checkout leaves out.
 *
 * @returns absolute paths, without symlinks.
 * @throws AppError GIT_FAILED
 */
export async function filesNotHere(
  { files }: { readonly files: Pick<Files, "look"> },
  git: Git | undefined,
): Promise<ReadonlySet<string>> {
  if (git === undefined || !(await isSparse(files, git))) return new Set();
  const left = (await indexed(git)).filter(({ isAbsent }) => isAbsent);
  return new Set(left.map(({ name }) => join(git.root, name)));
}

/** Only a sparse checkout has this file, so that git is not asked in the others. */
async function isSparse(files: Pick<Files, "look">, { root }: Git): Promise<boolean> {
  const marked = join(root, ".git");
  // A worktree has a file there that names its folder.
  const [, named] = /^gitdir: (.+)/.exec(textIn(await files.look(marked))) ?? [];
  const folder = named === undefined ? marked : resolve(root, named.trim());
  return (await files.look(join(folder, "info", "sparse-checkout"))).kind !== "absent";
}
