import { dirname, join } from "node:path";
import { filesOf } from "../../concerns/git/files.ts";
import type { Git } from "../../concerns/git/git.ts";
import type { CodeNeeds } from "../../concerns/token/needed-scopes.ts";

/**
 * Folders of the repo with Terraform code that was not read: another root may use the same token.
 *
 * @returns from the repo's root.
 * @throws AppError GIT_FAILED
 */
export async function codeElsewhere(
  git: Git | undefined,
  { trees }: Pick<CodeNeeds, "trees">,
): Promise<readonly string[]> {
  if (git === undefined) return [];
  const read = new Set(trees.flatMap(({ folders }) => folders));
  const files = await filesOf(git, ["*.tf", "*.tf.json", "*.tofu", "*.tofu.json"]);
  const folders = new Set(files.map((file) => dirname(file)));
  return [...folders].filter((folder) => !read.has(join(git.root, folder)));
}
