import { basename, delimiter, dirname, isAbsolute, join } from "node:path";
import { toolEnvironment } from "../../core/tool-environment.ts";
import { AppError } from "../../errors/app-error.ts";
import { type Hint, hint, run } from "../../errors/hint.ts";
import type { Host, ToolCall, ToolResult } from "../../host/host.ts";
import { isInside, pathFrom } from "../../lib/paths.ts";
import { hasAccents, plainSpelling, spellingsOf } from "../../lib/spelling.ts";

const TIME_LIMIT_MS = 20_000;
/** For commands that read a whole repo: git inflates about 250 MB per second. */
export const LONG_MS = 30 * 60_000;
const MAX_ANSWER = 64 * 1024 * 1024;

// Turns off what a repo's own config could make git run.
const SAFE = [
  ...["-c", "core.fsmonitor=false"],
  ...["-c", "core.hooksPath=/dev/null"],
  ...["-c", "safe.bareRepository=explicit"],
  // Replace refs can hide objects that every clone still contains.
  "--no-replace-objects",
  "--no-pager",
];

export interface Git {
  /** The root of the work tree, without symlinks. */
  readonly root: string;
  /** git's own folder, if that is certain without asking git. */
  readonly folder?: string;
  /** Executables named git inside the repo, which were skipped. */
  readonly skipped: readonly string[];
  /** Resolves when git has confirmed the root. No other answer is returned before. */
  readonly confirmed: Promise<void>;
  /** Runs a read-only git command at the root. Missing objects are not fetched. */
  ask(
    args: readonly string[],
    more?: Pick<ToolCall, "input" | "onStdout" | "idleMs" | "keptCharacters" | "timeoutMs">,
  ): Promise<ToolResult>;
  /**
   * The paths that git ignores because of a pattern, tracked or not, and paths outside the repo; with the pattern's
   * owner. A path counts only if git ignores it in each of its spellings: the git of a colleague may read another one.
   */
  ignored(paths: readonly string[]): Promise<ReadonlyMap<string, PatternOwner>>;
  /**
   * The paths that are in the index in any of their spellings, as a file or as a folder with files; each with its path
   * as the index spells it, which is the only one that `git rm` finds. For a link, that may be its target.
   */
  tracked(paths: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** A name from git, relative to the root, as the disk spells it. */
  spell(name: string): Promise<string>;
}

/**
 * Who owns the pattern: the repo (a .gitignore, which colleagues get, too) or the user (.git/info/exclude, or the file
 * in core.excludesFile).
 */
export type PatternOwner = "repo" | "user";

/**
 * Opens the git work tree around a folder. Runs nothing from the repo (docs/design.md rules 3 and 7).
 *
 * @param repo git executables inside it are not used. Default: the repo itself.
 * @returns undefined outside git.
 * @throws AppError GIT_FAILED if there is a repo but git cannot be run on it.
 */
export async function openGit(
  host: Pick<Host, "env" | "run" | "which" | "files">,
  folder: string,
  repo?: string,
): Promise<Git | undefined> {
  const marked = await findGitFolder(host, folder);
  const { path: file, skipped } = await host.which("git", repo ?? marked ?? folder);
  if (file === undefined) {
    if (marked === undefined) return undefined;
    throw new AppError("GIT_FAILED", `${marked} is a git repo, but git is not on PATH.`, {
      hint: hint`Install git. do-bootstrap asks git which files it ignores.`,
    });
  }
  const seen = marked && (await host.files.realpath(marked));
  // Then each git command uses this work tree or fails, so the root needs no confirmation first.
  const isPlain = seen !== undefined && (await isItsOwnTree(host.files, seen));
  const ceilings = [host.env["GIT_CEILING_DIRECTORIES"] ?? "", isPlain ? dirname(seen) : ""];
  const env = toolEnvironment(host.env, {
    LC_ALL: "C",
    GIT_OPTIONAL_LOCKS: "0",
    // In a partial clone, git would fetch missing objects with programs from the repo's config.
    GIT_ALLOW_PROTOCOL: "none",
    // Otherwise git searches parent folders if it does not accept this one as a repo.
    GIT_CEILING_DIRECTORIES: ceilings.filter(Boolean).join(delimiter) || undefined,
  });
  const git = (args: readonly string[], input?: string, at = folder): Promise<ToolResult> =>
    host.run({
      file,
      args: [...SAFE, "-C", at, ...args],
      env,
      timeoutMs: TIME_LIMIT_MS,
      // A truncated answer would make a tracked file look untracked.
      keptCharacters: MAX_ANSWER,
      ...(input === undefined ? {} : { input }),
    });

  let toplevel: Promise<ToolResult> | undefined;
  const asked = () => (toplevel ??= git(["rev-parse", "--show-toplevel"]));
  const isOpen = async () => (await asked()).end === "exited" && (await asked()).exitCode === 0;
  if (seen === undefined && !(await isOpen())) {
    if (isBare(await asked())) throw gitFailed(await asked());
    return undefined;
  }
  const rootOf = async () => (await asked()).stdout.replace(/\r?\n$/, "");
  // Continue with the visible root while git answers: git almost always confirms it.
  const root = seen ?? (await rootOf());
  let confirming: Promise<void> | undefined;
  const confirmed = () => (confirming ??= confirm());
  const known = isPlain ? undefined : confirmed();
  known?.catch(() => undefined);
  const folders = new Map<string, Promise<string>>();
  // git does not follow a linked folder.
  const nameInGit = async (path: string) => {
    const folder = dirname(path);
    const real = folders.get(folder) ?? host.files.realpath(folder);
    folders.set(folder, real);
    return join(await real, basename(path));
  };
  let looking: Promise<boolean> | undefined;
  const ignoresCase = () => (looking ??= hasName(host.files, join(root, ".GIT")));
  return {
    root,
    ...(isPlain && { folder: join(seen, ".git") }),
    skipped,
    get confirmed() {
      return confirmed();
    },
    async ask(args, more) {
      const [result] = await Promise.all([
        host.run({
          file,
          args: [...SAFE, "-C", root, ...args],
          env,
          timeoutMs: TIME_LIMIT_MS,
          ...more,
        }),
        known,
      ]);
      return result;
    },
    async ignored(paths) {
      const asked = await Promise.all(paths.map(nameInGit));
      // For a path outside the repo, git would only report that and skip the other paths.
      const isElsewhere = (path: string) => !isInside(path, root);
      const inside = asked.filter((path) => !isElsewhere(path)).flatMap(spellingsOf);
      const names = [...new Set(inside)].map((path) => nameAt(root, path));
      const [result] = await Promise.all([git(WHICH_PATTERN, joined(names), root), known]);
      const owners = new Map(
        patternsIn(result).map(({ path, source }) => [path, ownerOf(source)] as const),
      );
      const ownerFor = (path: string): PatternOwner | undefined => {
        const all = spellingsOf(path).map((each) => owners.get(nameAt(root, each)));
        return all.every(Boolean) ? (all.find((owner) => owner === "user") ?? "repo") : undefined;
      };
      return new Map(
        paths.flatMap((path, i) => {
          const name = asked[i] ?? "";
          const owner = isElsewhere(name) ? "repo" : ownerFor(name);
          return owner === undefined ? [] : [[path, owner] as const];
        }),
      );
    },
    async tracked(paths) {
      // For a link, check both: git tracks the link itself or its target.
      const asked = await Promise.all(
        paths.map(async (path) => [await nameInGit(path), await host.files.realpath(path)]),
      );
      const isAnyCase = await ignoresCase();
      const keyOf = (path: string) => plainSpelling(pathFrom(root, path), isAnyCase);
      const inside = [...new Set(asked.flat())].filter((path) => isInside(path, root));
      const [results] = await Promise.all([indexedAt(inside, isAnyCase), known]);
      const broken = results.find(({ exitCode }) => exitCode !== 0);
      if (broken !== undefined) throw gitFailed(broken);
      const names = results.flatMap(({ stdout }) => split(stdout));
      const found = withFolders(names, new Set(inside.map(keyOf)), (name) =>
        plainSpelling(name, isAnyCase),
      );
      return new Map(
        paths.flatMap((path, i) => {
          const [own = path, target = own] = asked[i] ?? [];
          const name = found.get(keyOf(own)) ?? found.get(keyOf(target));
          if (name === undefined) return [];
          return [[path, join(root, name) === own ? path : join(root, name)] as const];
        }),
      );
    },
    async spell(name) {
      const isAnyCase = await ignoresCase();
      if (!isAnyCase && !hasAccents(name)) return name;
      const end = name.endsWith("/") ? "/" : "";
      const real = pathFrom(root, await host.files.realpath(join(root, name))) + end;
      // A link leads to another file.
      const isSame = plainSpelling(real, isAnyCase) === plainSpelling(name, isAnyCase);
      return isSame ? real : name;
    },
  };

  /** The names in the index that may be one of the paths. */
  function indexedAt(paths: readonly string[], isAnyCase: boolean): Promise<ToolResult[]> {
    const list = ["ls-files", "-z", "--full-name", "--cached"];
    // A Mac's git changes the spelling of its arguments, and then finds no other one in its index.
    if (paths.some((path) => hasAccents(pathFrom(root, path)))) {
      return Promise.all([git([...list], undefined, root)]);
    }
    const magic = isAnyCase ? "literal,icase,top" : "literal,top";
    const asked = paths.map((path) => `:(${magic})${pathFrom(root, path)}`);
    return Promise.all(inPortions(asked).map((portion) => git([...list, "--", ...portion])));
  }

  async function confirm(): Promise<void> {
    if (!(await isOpen())) throw gitFailed(await asked());
    const told = await rootOf();
    // core.worktree in the repo's config could make any folder the work tree.
    const places = await Promise.all([told, root].map((each) => host.files.realpath(each)));
    const [there, here] = places.map((each) => plainSpelling(each, false));
    if (there === here) return;
    throw new AppError("GIT_FAILED", `${root} has its work tree in another folder: ${told}`, {
      hint: hint`Check ${run("git", "config", "core.worktree")}. To remove it: ${run("git", "config", "--unset", "core.worktree")}`,
    });
  }
}

/** Whether there is anything of this name. */
async function hasName(files: Pick<Host["files"], "look">, path: string): Promise<boolean> {
  return (await files.look(path)).kind !== "absent";
}

/**
 * A path as git is asked about it at the root. In an absolute path, git on a Mac would not find its root again if that
 * has two spellings.
 */
export function nameAt(root: string, path: string): string {
  return `./${pathFrom(root, path)}`;
}

/**
 * Whether a folder with a .git is that repo's own work tree: no setting in the repo's config names another one. In a
 * linked work tree or a submodule, .git is a file.
 */
async function isItsOwnTree(files: Pick<Host["files"], "look">, root: string): Promise<boolean> {
  const config = await files.look(join(root, ".git", "config"));
  return config.kind === "file" && !/worktree|include/i.test(config.bytes.toString("latin1"));
}

/**
 * Returns git's whole output, of any length.
 *
 * @param lines its standard input.
 * @param fine exit statuses that are not errors.
 * @param denied receives git's messages about files that it had no permission to read.
 * @throws AppError GIT_FAILED
 */
export async function outputOf(
  git: Git,
  args: readonly string[],
  {
    lines = [],
    fine = [0],
    denied,
  }: { lines?: readonly string[]; fine?: readonly number[]; denied?: Set<string> } = {},
): Promise<string> {
  const chunks: Buffer[] = [];
  const result = await git.ask(args, {
    ...(lines.length === 0 ? {} : { input: lines.map((line) => `${line}\n`).join("") }),
    onStdout: (chunk) => chunks.push(chunk),
    timeoutMs: LONG_MS,
  });
  if (!fine.includes(result.exitCode ?? -1)) throw gitFailed(result);
  for (const line of deniedIn(result)) denied?.add(line);
  return Buffer.concat(chunks).toString("utf8");
}

/** git's messages about files that it had no permission to read. */
export function deniedIn({ stderr }: Pick<ToolResult, "stderr">): readonly string[] {
  const lines = stderr.split("\n").filter((line) => line.includes("Permission denied"));
  return lines.map((line) => line.replace(/^\w+: /, ""));
}

/** Reads paths from standard input and prints the pattern that makes git ignore each, tracked or not. */
export const WHICH_PATTERN: readonly string[] = [
  ...["check-ignore", "--verbose", "--no-index", "-z", "--stdin"],
];

/** A pattern that makes git ignore a path. */
interface IgnoringPattern {
  /** The file with the pattern: a .gitignore relative to the root, any other file as named in the configuration. */
  readonly source: string;
  readonly line: number;
  readonly path: string;
}

/**
 * Parses the answer to WHICH_PATTERN.
 *
 * @param stdout the output, if it was collected separately.
 * @throws AppError GIT_FAILED
 */
export function patternsIn(result: ToolResult, stdout = result.stdout): IgnoringPattern[] {
  // 1: none of them is ignored.
  if (result.end !== "exited" || ![0, 1].includes(result.exitCode ?? -1)) throw gitFailed(result);
  const words = stdout.split("\0");
  const found: IgnoringPattern[] = [];
  for (let at = 0; at + 3 < words.length; at += 4) {
    const [source = "", line, pattern, path = ""] = words.slice(at, at + 4);
    // The last matching pattern may be a negated one.
    if (!pattern?.startsWith("!")) found.push({ source, line: Number(line), path });
  }
  return found;
}

function ownerOf(source: string): PatternOwner {
  return !isAbsolute(source) && basename(source) === ".gitignore" ? "repo" : "user";
}

export async function findGitFolder(
  { files }: Pick<Host, "files">,
  folder: string,
): Promise<string | undefined> {
  if ((await files.list(folder)).includes(".git")) return folder;
  return folder === dirname(folder) ? undefined : findGitFolder({ files }, dirname(folder));
}

/** Windows allows 32 kB per command line, and ls-files accepts paths only there. */
const PORTION = 24_000;

function inPortions(words: readonly string[]): string[][] {
  const portions: string[][] = [];
  let size = PORTION;
  for (const word of words) {
    if (size + word.length > PORTION) {
      portions.push([]);
      size = 0;
    }
    portions.at(-1)?.push(word);
    size += word.length + 1;
  }
  return portions;
}

/**
 * The paths that are a name in the index or one of its parent folders. A name may have any number of them.
 *
 * @param keyOf makes the spellings of a name equal. It keeps the slashes.
 * @returns the name or folder in the index, by key.
 */
function withFolders(
  names: readonly string[],
  keys: ReadonlySet<string>,
  keyOf: (name: string) => string,
): ReadonlyMap<string, string> {
  const longest = Math.max(0, ...Array.from(keys, ({ length }) => length));
  const known = new Map<string, string>();
  for (const name of names) {
    const key = keyOf(name);
    if (keys.has(key)) known.set(key, name);
    for (let end = key.indexOf("/"), depth = 1; end >= 0 && end <= longest; depth++) {
      if (keys.has(key.slice(0, end))) {
        known.set(key.slice(0, end), name.split("/").slice(0, depth).join("/"));
      }
      end = key.indexOf("/", end + 1);
    }
  }
  return known;
}

function joined(paths: readonly string[]): string {
  return paths.map((path) => `${path}\0`).join("");
}

function split(text: string): string[] {
  return text.split("\0").filter(Boolean);
}

export function gitFailed(result: ToolResult): AppError {
  const reason = result.stderr.trim().split("\n")[0] || endOf(result);
  return new AppError("GIT_FAILED", `git failed: ${reason}`, {
    hint: hintFor(result.stderr),
  });
}

/** How git ended, if it printed no reason. */
function endOf({ end, exitCode, code }: ToolResult): string {
  switch (end) {
    case "not-started":
      return code === undefined ? "it could not be started" : `it could not be started (${code})`;
    case "exited":
      return `exit status ${exitCode}`;
    case "signalled":
      return "it was ended by a signal";
    default:
      return "it took too long";
  }
}

/** git has a repo here, but no work tree. */
function isBare({ stderr }: Pick<ToolResult, "stderr">): boolean {
  return /cannot use bare repository|must be run in a work tree/.test(stderr);
}

function hintFor(stderr: string): Hint {
  if (isBare({ stderr })) {
    // No command here: git would run settings from the repo.
    return hint`This folder belongs to git itself. Go to the checkout.`;
  }
  const [, folder] = /dubious ownership in repository at '(.+)'/.exec(stderr) ?? [];
  if (folder !== undefined) {
    const trust = run("git", "config", "--global", "--add", "safe.directory", folder);
    return hint`The repo belongs to another user. If you trust it: ${trust}`;
  }
  if (/corrupt|unable to (stream|read|unpack)|bad object/.test(stderr)) {
    return hint`${run("git", "fsck")} shows what is broken.`;
  }
  return hint`Run ${run("git", "status")} in this folder and fix what it reports.`;
}
