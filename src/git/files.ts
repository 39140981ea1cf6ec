import { basename } from "node:path";
import { type Git, outputOf } from "./git.ts";

/** Files that git has or would take and that a pattern names, from the root. @throws AppError GIT_FAILED */
export async function filesOf(git: Git, patterns: readonly string[]): Promise<readonly string[]> {
  const options = ["--cached", "--others", "--exclude-standard", "-z"];
  return names(await outputOf(git, ["ls-files", ...options, "--", ...patterns]));
}

/** Files that git has or would take and that hold one of some texts, from the root. @throws AppError GIT_FAILED */
export function filesWith(git: Git, texts: readonly string[]): Promise<readonly string[]> {
  return grep(git, ["-F", ...texts.flatMap((text) => ["-e", text])]);
}

/** The same for a regular expression of Perl's kind: the others are ten times slower. */
export function filesMatching(git: Git, pattern: string): Promise<readonly string[]> {
  return grep(git, ["-P", "-e", pattern]);
}

async function grep(git: Git, pattern: readonly string[]): Promise<readonly string[]> {
  const options = ["--untracked", "--no-recurse-submodules", "--no-color", "-a", "-l", "-z"];
  // 1: there is none.
  return names(await outputOf(git, ["grep", ...options, ...pattern], { fine: [0, 1] }));
}

/**
 * Files that git ignores one by one, from the root, and in Terraform's folders the copy of the backend's
 * settings. Other folders that it ignores as a whole (node_modules) are not entered.
 *
 * @throws AppError GIT_FAILED
 */
export async function ignoredFiles(git: Git): Promise<readonly string[]> {
  const options = ["--others", "--ignored", "--exclude-standard", "--directory", "-z"];
  return names(await outputOf(git, ["ls-files", ...options])).flatMap((name) => {
    if (!name.endsWith("/")) return [name];
    return basename(name) === ".terraform" ? [`${name}terraform.tfstate`] : [];
  });
}

function names(text: string): readonly string[] {
  return [...new Set(text.split("\0").filter(Boolean))];
}
