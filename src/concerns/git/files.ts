import { basename } from "node:path";
import { deniedIn, type Git, gitFailed, outputOf } from "./git.ts";

/** Tracked or untracked, not ignored files that match a pathspec, relative to the root. @throws AppError GIT_FAILED */
export async function filesOf(git: Git, patterns: readonly string[]): Promise<readonly string[]> {
  const options = ["--cached", "--others", "--exclude-standard", "-z"];
  return names(git, await outputOf(git, ["ls-files", ...options, "--", ...patterns]));
}

/** A file that git tracks or would add. */
export interface KnownFile {
  /** Relative to the root. */
  readonly name: string;
  /** In the index, but not in this sparse checkout. */
  readonly isAbsent: boolean;
}

/** Like filesOf, and marks files that a sparse checkout leaves out. @throws AppError GIT_FAILED */
export async function knownFiles(
  git: Git,
  patterns: readonly string[],
): Promise<readonly KnownFile[]> {
  const options = ["-t", "--cached", "--others", "--exclude-standard", "-z"];
  return named(git, await outputOf(git, ["ls-files", ...options, "--", ...patterns]));
}

/** All files in the index. @throws AppError GIT_FAILED */
export async function indexed(git: Git): Promise<readonly KnownFile[]> {
  return named(git, await outputOf(git, ["ls-files", "-t", "--cached", "-z"]));
}

async function named(git: Git, text: string): Promise<readonly KnownFile[]> {
  const lines = await Promise.all(
    split(text).map(async (line): Promise<KnownFile> => {
      return { name: await git.spell(line.slice(2)), isAbsent: line[0] === "S" };
    }),
  );
  // During a merge, git lists a conflicting file several times.
  return [...new Map(lines.map((each) => [each.name, each])).values()];
}

/** Like filesOf, but only files in the index: git reads no ignore file of the repo. @throws AppError GIT_FAILED */
export async function indexedFiles(
  git: Git,
  patterns: readonly string[],
): Promise<readonly string[]> {
  return names(git, await outputOf(git, ["ls-files", "--cached", "-z", "--", ...patterns]));
}

/**
 * Tracked or untracked, not ignored files whose content matches a regular expression, relative to the root. Uses Perl
 * syntax; POSIX syntax is ten times slower and is the fallback for a git built without PCRE.
 *
 * @param denied receives git's messages about files that it could not read.
 * @throws AppError GIT_FAILED
 */
export function filesMatching(
  git: Git,
  pattern: string,
  denied: Set<string>,
): Promise<readonly string[]> {
  return grepped(git, ["--untracked"], pattern, [], denied);
}

/** Like filesMatching, for all files in some folders, ignored or not. @throws AppError GIT_FAILED */
export async function filesMatchingIn(
  git: Git,
  folders: readonly string[],
  pattern: string,
): Promise<readonly string[]> {
  if (folders.length === 0) return [];
  const places = folders.map((folder) => `:(top,literal)${folder}`);
  return grepped(git, ["--untracked", "--no-exclude-standard"], pattern, places);
}

/** The result of a search with a time limit. */
export interface TimedSearch {
  /** Relative to the root. */
  readonly names: readonly string[];
  /** git's messages about files that it could not read. */
  readonly denied: readonly string[];
  /** Why the result may be incomplete, as text. */
  readonly gap: string | undefined;
}

/**
 * Files whose content matches a regular expression, as far as git finds them within the time limit.
 *
 * @param place work tree: files that git tracks or would add. index: the content of the next commit.
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
  // The last name may be incomplete.
  const complete = text.slice(0, text.lastIndexOf("\0") + 1);
  return { names: await names(git, complete), denied: deniedIn(result), gap };
}

/** Prints only file names, each followed by NUL. `-a` searches binary files, too. */
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
    // 1: no match.
    outputOf(git, ["grep", ...options, kind, "-e", pattern, "--", ...places], {
      fine: [0, 1],
      ...(denied && { denied }),
    });
  return names(git, await grep("-P").catch(() => grep("-E")));
}

/** The paths that git ignores, relative to the root. */
export interface IgnoredPaths {
  /** Files listed one by one. */
  readonly files: readonly string[];
  /** Folders ignored as a whole, each with a trailing slash. git does not list their content. */
  readonly folders: readonly string[];
  /** git's messages about paths that it had no permission to read. */
  readonly denied: ReadonlySet<string>;
}

/**
 * Lists what git ignores. Does not enter folders that are ignored as a whole (node_modules), except Terraform's: the
 * result includes workspace states and the local copy of the backend settings.
 *
 * @throws AppError GIT_FAILED
 */
export async function ignoredPaths(git: Git): Promise<IgnoredPaths> {
  const options = ["--others", "--ignored", "--exclude-standard", "--directory", "-z"];
  const denied = new Set<string>();
  const all = await names(git, await outputOf(git, ["ls-files", ...options], { denied }));
  const folders = all.filter((name) => name.endsWith("/"));
  const ofKind = (kind: string) => folders.filter((name) => basename(name) === kind);
  const states = ofKind("terraform.tfstate.d").map((folder) => `:(literal)${folder}`);
  const files = [
    ...all.filter((name) => !name.endsWith("/")),
    ...ofKind(".terraform").map((folder) => `${folder}terraform.tfstate`),
    ...(states.length === 0
      ? []
      : await names(git, await outputOf(git, ["ls-files", "--others", "-z", "--", ...states]))),
  ];
  return { files, folders, denied };
}

async function names(git: Git, text: string): Promise<readonly string[]> {
  return [...new Set(await Promise.all(split(text).map(git.spell)))];
}

function split(text: string): readonly string[] {
  return text.split("\0").filter(Boolean);
}
