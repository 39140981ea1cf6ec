import { basename } from "node:path";
import { deniedIn, type Git, gitFailed, outputOf } from "./git.ts";

/** Files that git has or would take and that a pattern names, from the root. @throws AppError GIT_FAILED */
export async function filesOf(git: Git, patterns: readonly string[]): Promise<readonly string[]> {
  const options = ["--cached", "--others", "--exclude-standard", "-z"];
  return names(await outputOf(git, ["ls-files", ...options, "--", ...patterns]));
}

/** A file that git has, or would take. */
export interface KnownFile {
  /** From the root. */
  readonly name: string;
  /** git has it, and this sparse checkout does not. */
  readonly isAbsent: boolean;
}

/** The same, with what a sparse checkout leaves out. @throws AppError GIT_FAILED */
export async function knownFiles(
  git: Git,
  patterns: readonly string[],
): Promise<readonly KnownFile[]> {
  const options = ["-t", "--cached", "--others", "--exclude-standard", "-z"];
  return named(await outputOf(git, ["ls-files", ...options, "--", ...patterns]));
}

/** All that is in the index. @throws AppError GIT_FAILED */
export async function indexed(git: Git): Promise<readonly KnownFile[]> {
  return named(await outputOf(git, ["ls-files", "-t", "--cached", "-z"]));
}

function named(text: string): readonly KnownFile[] {
  const lines = names(text);
  const all = lines.map((line): KnownFile => ({ name: line.slice(2), isAbsent: line[0] === "S" }));
  // Where a merge is under way, git has several of one name.
  return [...new Map(all.map((each) => [each.name, each])).values()];
}

/** The same of those that are in the index alone: no ignore file of the repo is read. @throws AppError GIT_FAILED */
export async function indexedFiles(
  git: Git,
  patterns: readonly string[],
): Promise<readonly string[]> {
  return names(await outputOf(git, ["ls-files", "--cached", "-z", "--", ...patterns]));
}

/**
 * Files that git has or would take and that match a regular expression, from the root. It is of Perl's
 * kind: the others are ten times slower, and serve where git was built without.
 *
 * @param denied gets what git could not read, in its own words.
 * @throws AppError GIT_FAILED
 */
export function filesMatching(
  git: Git,
  pattern: string,
  denied: Set<string>,
): Promise<readonly string[]> {
  return grepped(git, ["--untracked"], pattern, [], denied);
}

/** The same of all files in some folders, whatever git ignores. @throws AppError GIT_FAILED */
export async function filesMatchingIn(
  git: Git,
  folders: readonly string[],
  pattern: string,
): Promise<readonly string[]> {
  if (folders.length === 0) return [];
  const places = folders.map((folder) => `:(top,literal)${folder}`);
  return grepped(git, ["--untracked", "--no-exclude-standard"], pattern, places);
}

/** What a search has found by the end of its time. */
export interface TimedSearch {
  /** From the root. */
  readonly names: readonly string[];
  /** What git could not read, in its own words. */
  readonly denied: readonly string[];
  /** Why there may be more, in words. */
  readonly gap: string | undefined;
}

/**
 * The files that match a regular expression, as far as git can tell in a while.
 *
 * @param place the work tree: what git has or would take. The index: what the next commit takes.
 */
export async function filesMatchingWithin(
  git: Git,
  place: "work tree" | "index",
  pattern: string,
  timeoutMs: number,
): Promise<TimedSearch> {
  const which = place === "index" ? "--cached" : "--untracked";
  const search = async (kind: string) => {
    const chunks: Buffer[] = [];
    const result = await git.ask(["grep", which, ...GREP, kind, "-e", pattern], {
      onStdout: (chunk) => chunks.push(chunk),
      timeoutMs,
    });
    return { result, text: Buffer.concat(chunks).toString("utf8") };
  };
  const perl = await search("-P");
  const isRefused = perl.result.end === "exited" && ![0, 1].includes(perl.result.exitCode ?? -1);
  const { result, text } = isRefused ? await search("-E") : perl;
  const isLate = result.end === "timed-out";
  const gap = isLate
    ? `git took more than ${timeoutMs / 1000} s`
    : [0, 1].includes(result.exitCode ?? -1)
      ? undefined
      : gitFailed(result).message.replace(/\.$/, "");
  // The last name may be cut short.
  const complete = text.slice(0, text.lastIndexOf("\0") + 1);
  return { names: names(complete), denied: deniedIn(result), gap };
}

/** Names of files alone, each with a NUL behind it; what is in no text is searched, too. */
const GREP = ["--no-recurse-submodules", "--no-color", "-a", "-l", "-z"];

async function grepped(
  git: Git,
  which: readonly string[],
  pattern: string,
  places: readonly string[],
  denied?: Set<string>,
): Promise<readonly string[]> {
  const options = [...which, ...GREP];
  const grep = (kind: string) =>
    // 1: there is none.
    outputOf(git, ["grep", ...options, kind, "-e", pattern, "--", ...places], {
      fine: [0, 1],
      ...(denied && { denied }),
    });
  return names(await grep("-P").catch(() => grep("-E")));
}

/** What git ignores, from the root. */
export interface IgnoredPaths {
  /** One by one. */
  readonly files: readonly string[];
  /** As a whole, each with a slash at its end: git does not say what is in there. */
  readonly folders: readonly string[];
  /** What git could not read for want of rights, in its own words. */
  readonly denied: ReadonlySet<string>;
}

/**
 * What git ignores. Folders that it ignores as a whole (node_modules) are not entered, but for Terraform's:
 * the states of workspaces and the copy of the backend's settings are among the files.
 *
 * @throws AppError GIT_FAILED
 */
export async function ignoredPaths(git: Git): Promise<IgnoredPaths> {
  const options = ["--others", "--ignored", "--exclude-standard", "--directory", "-z"];
  const denied = new Set<string>();
  const all = names(await outputOf(git, ["ls-files", ...options], { denied }));
  const folders = all.filter((name) => name.endsWith("/"));
  const ofKind = (kind: string) => folders.filter((name) => basename(name) === kind);
  const states = ofKind("terraform.tfstate.d").map((folder) => `:(literal)${folder}`);
  const files = [
    ...all.filter((name) => !name.endsWith("/")),
    ...ofKind(".terraform").map((folder) => `${folder}terraform.tfstate`),
    ...(states.length === 0
      ? []
      : names(await outputOf(git, ["ls-files", "--others", "-z", "--", ...states]))),
  ];
  return { files, folders, denied };
}

function names(text: string): readonly string[] {
  return [...new Set(text.split("\0").filter(Boolean))];
}
