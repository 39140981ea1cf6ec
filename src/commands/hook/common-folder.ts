import { dirname, join, resolve } from "node:path";
import { type Git, outputOf } from "../../concerns/git/git.ts";
import type { Host } from "../../host/host.ts";
import { isInside } from "../../lib/paths.ts";

/** The git folder that all work trees of a repo share. It contains the hooks. */
export interface CommonFolder {
  readonly path: string;
  /** False if it belongs to another repo: anybody can write its path into a .git file. */
  readonly isOurs: boolean;
}

/**
 * Finds git's common folder. One outside the work tree is ours if it refers to the work tree: as an added work tree, or
 * as a submodule.
 *
 * @throws AppError GIT_FAILED
 */
export async function commonFolder(
  { files }: Pick<Host, "files">,
  git: Git,
): Promise<CommonFolder> {
  const asked = ["rev-parse", "--git-common-dir", "--git-dir"];
  const [common = "", own = ""] = (await outputOf(git, asked))
    .split("\n")
    .map((path) => resolve(git.root, path));
  const isIn = isInside(await files.realpath(common), git.root);
  return { path: common, isOurs: isIn || (await workTreeOf()) === git.root };

  async function workTreeOf(): Promise<string | undefined> {
    if (common !== own) {
      const link = await files.look(join(own, "gitdir"));
      const text = link.kind === "file" ? link.bytes.toString("utf8").trim() : "";
      return text === "" ? undefined : files.realpath(dirname(resolve(own, text)));
    }
    const config = ["config", "--file", join(own, "config"), "--get", "core.worktree"];
    const text = (await outputOf(git, config, { fine: [0, 1] })).trim();
    return text === "" ? undefined : files.realpath(resolve(own, text));
  }
}
