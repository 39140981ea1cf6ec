import { join, resolve } from "node:path";
import { textIn } from "../../core/file-text.ts";
import type { Files } from "../../host/host.ts";
import { indexed } from "./files.ts";
import type { Git } from "./git.ts";

/**
 * Files that are in git's index but not in this sparse checkout.
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

/** Only a sparse checkout has this file, so other repos need no git call. */
async function isSparse(files: Pick<Files, "look">, { root }: Git): Promise<boolean> {
  const marked = join(root, ".git");
  // In a linked work tree, .git is a file that names the git folder.
  const [, named] = /^gitdir: (.+)/.exec(textIn(await files.look(marked))) ?? [];
  const folder = named === undefined ? marked : resolve(root, named.trim());
  return (await files.look(join(folder, "info", "sparse-checkout"))).kind !== "absent";
}
