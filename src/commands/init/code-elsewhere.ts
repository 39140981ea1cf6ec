import { dirname, join } from "node:path";
import { indexedFiles } from "../../concerns/git/files.ts";
import type { Git } from "../../concerns/git/git.ts";
import { submodulesOf } from "../../concerns/git/objects.ts";
import type { CodeNeeds, Elsewhere } from "../../concerns/token/needed-scopes.ts";
import { CODE_PATTERNS } from "../../hcl/code-files.ts";
import type { Host } from "../../host/host.ts";
import { isTerraformFile, pathFrom } from "../../lib/paths.ts";

/** What can be searched in some seconds. */
const LIMITS = { entries: 100_000, forMs: 5000 };
/** Downloads of tools, and git's own folder. */
const PASSED_OVER = [".git", ".terraform", "node_modules"];

/**
 * Folders with Terraform code that was not read: another root may use the same token. Includes folders that git
 * ignores, that are separate repos, or that this clone does not have on the disk.
 *
 * @param top the repo's root; outside git, the project's folder.
 * @throws AppError GIT_FAILED
 */
export async function codeElsewhere(
  { files, steadyClock }: Pick<Host, "files" | "steadyClock">,
  { git, top }: { readonly git: Git | undefined; readonly top: string },
  { trees }: Pick<CodeNeeds, "trees">,
  limits = LIMITS,
): Promise<Elsewhere> {
  const root = await files.realpath(top);
  const read = new Set(trees.flatMap(({ folders }) => folders));
  const found = new Set(await inGit());
  const isWhole = await look();
  const names = Array.from(found, (folder) => pathFrom(root, folder) || ".");
  return { folders: names.sort(), isWhole };

  async function inGit(): Promise<readonly string[]> {
    if (git === undefined) return [];
    const [code, submodules] = await Promise.all([
      indexedFiles(git, CODE_PATTERNS),
      submodulesOf(git),
    ]);
    const folders = code.map(dirname).filter((folder) => !isPassedOver(folder));
    const all = folders.map((folder) => join(git.root, folder));
    const missing = await Promise.all(
      submodules.map(async (name) => {
        const folder = join(git.root, name);
        return (await files.list(folder)).length === 0 ? [folder] : [];
      }),
    );
    return [...all, ...missing.flat()].filter((folder) => !read.has(folder));
  }

  /** @returns whether everything was searched. */
  async function look(): Promise<boolean> {
    const until = steadyClock.now() + limits.forMs;
    const folders = [root];
    let count = 0;
    // The loop also visits the folders that are added during it.
    for (const folder of folders) {
      const entries = await files.entries(folder);
      if (typeof entries === "string") found.add(folder);
      else {
        count += entries.length;
        for (const { name, kind } of entries) {
          if (kind !== "directory") {
            if (isCode(name) && !read.has(folder)) found.add(folder);
          } else if (!PASSED_OVER.includes(name)) folders.push(join(folder, name));
        }
      }
      if (count > limits.entries || steadyClock.now() > until) return false;
    }
    return true;
  }
}

function isPassedOver(folder: string): boolean {
  return folder.split("/").some((name) => PASSED_OVER.includes(name));
}

function isCode(name: string): boolean {
  return isTerraformFile(name) && !name.startsWith(".");
}
