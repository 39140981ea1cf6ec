import { basename, delimiter, dirname, isAbsolute, join } from "node:path";
import { toolEnvironment } from "../../core/tool-environment.ts";
import { AppError } from "../../errors/app-error.ts";
import { type Hint, hint, run } from "../../errors/hint.ts";
import type { Host, ToolCall, ToolResult } from "../../host/host.ts";
import { isInside, pathFrom } from "../../lib/paths.ts";

const TIME_LIMIT_MS = 20_000;
/** For what reads all of a repo: git inflates about 250 MB a second. */
export const LONG_MS = 30 * 60_000;
const MAX_ANSWER = 64 * 1024 * 1024;

// What a repo's own config could make git run.
const SAFE = [
  ...["-c", "core.fsmonitor=false"],
  ...["-c", "core.hooksPath=/dev/null"],
  ...["-c", "safe.bareRepository=explicit"],
  // Or hide: an object that another stands in for is still in every clone.
  "--no-replace-objects",
  "--no-pager",
];

export interface Git {
  /** The work tree's root, without symlinks. */
  readonly root: string;
  /** Executables named git that lie in the repo and were passed over. */
  readonly skipped: readonly string[];
  /** Resolves when git has confirmed the root; no other answer is given before that is sure. */
  readonly confirmed: Promise<void>;
  /** Asks git anything that only reads, below the root; where objects are missing, none are fetched. */
  ask(
    args: readonly string[],
    more?: Pick<ToolCall, "input" | "onStdout" | "idleMs" | "keptCharacters" | "timeoutMs">,
  ): Promise<ToolResult>;
  /** Those of the paths that a pattern makes git ignore, tracked or not, or that lie elsewhere; and whose it is. */
  ignored(paths: readonly string[]): Promise<ReadonlyMap<string, PatternOwner>>;
  /** Those of the paths that are in the index, as a file or as a folder with files. */
  tracked(paths: readonly string[]): Promise<ReadonlySet<string>>;
}

/**
 * Whose pattern decides: the repo's, in a .gitignore, which colleagues have as well; or the user's own, in
 * .git/info/exclude or the file that core.excludesFile names.
 */
export type PatternOwner = "repo" | "user";

/**
 * The git work tree around a folder, asked in a way that runs nothing of the repo
 * (docs/design.md rules 3 and 7).
 *
 * @param repo where no git may come from; else the repo itself.
 * @returns undefined outside git.
 * @throws AppError GIT_FAILED where there is a repo but git cannot be asked.
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
  // Every question is then about this work tree, or fails: it need not be confirmed first.
  const isPlain = seen !== undefined && (await isItsOwnTree(host.files, seen));
  const ceilings = [host.env["GIT_CEILING_DIRECTORIES"] ?? "", isPlain ? dirname(seen) : ""];
  const env = toolEnvironment(host.env, {
    LC_ALL: "C",
    GIT_OPTIONAL_LOCKS: "0",
    // A partial clone would fetch what it lacks, by programs of the repo's own config.
    GIT_ALLOW_PROTOCOL: "none",
    // Else git looks further up where it does not take this one for a repo.
    GIT_CEILING_DIRECTORIES: ceilings.filter(Boolean).join(delimiter) || undefined,
  });
  const git = (args: readonly string[], input?: string): Promise<ToolResult> =>
    host.run({
      file,
      args: [...SAFE, "-C", folder, ...args],
      env,
      timeoutMs: TIME_LIMIT_MS,
      // An answer that is cut short would make a tracked file an untracked one.
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
  // While git answers, the config can be read: almost always it confirms what can be seen.
  const root = seen ?? (await rootOf());
  let confirming: Promise<void> | undefined;
  const confirmed = () => (confirming ??= confirm());
  const known = isPlain ? undefined : confirmed();
  known?.catch(() => undefined);
  const folders = new Map<string, Promise<string>>();
  // git refuses to look beyond a linked folder.
  const nameInGit = async (path: string) => {
    const folder = dirname(path);
    const real = folders.get(folder) ?? host.files.realpath(folder);
    folders.set(folder, real);
    return join(await real, basename(path));
  };
  return {
    root,
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
      // Of what lies elsewhere git would say that, and nothing of the rest.
      const isElsewhere = (path: string) => !isInside(path, root);
      const inside = asked.filter((path) => !isElsewhere(path));
      const [result] = await Promise.all([git(WHICH_PATTERN, joined(inside)), known]);
      const owners = new Map(
        patternsIn(result).map(({ path, source }) => [path, ownerOf(source)] as const),
      );
      return new Map(
        paths.flatMap((path, i) => {
          const name = asked[i] ?? "";
          const owner = isElsewhere(name) ? "repo" : owners.get(name);
          return owner === undefined ? [] : [[path, owner] as const];
        }),
      );
    },
    async tracked(paths) {
      // Of a link both count: git has the link, or the file that it leads to.
      const asked = await Promise.all(
        paths.map(async (path) => [await nameInGit(path), await host.files.realpath(path)]),
      );
      const inside = [...new Set(asked.flat())].filter((path) => isInside(path, root));
      const literal = inside.map((path) => `:(literal,top)${pathFrom(root, path)}`);
      const [results] = await Promise.all([
        Promise.all(
          inPortions(literal).map((portion) =>
            git(["ls-files", "-z", "--full-name", "--cached", "--", ...portion]),
          ),
        ),
        known,
      ]);
      const broken = results.find(({ exitCode }) => exitCode !== 0);
      if (broken !== undefined) throw gitFailed(broken);
      const names = results.flatMap(({ stdout }) => split(stdout));
      const found = withFolders(names, new Set(inside.map((path) => pathFrom(root, path))));
      const has = (path: string) => found.has(path);
      return new Set(paths.filter((_, i) => asked[i]?.some((each) => has(pathFrom(root, each)))));
    },
  };

  async function confirm(): Promise<void> {
    if (!(await isOpen())) throw gitFailed(await asked());
    const told = await rootOf();
    // core.worktree in the repo's own config would make anybody's folder the repo's.
    if ((await host.files.realpath(told)) === (await host.files.realpath(root))) return;
    throw new AppError("GIT_FAILED", `${root} has its work tree in another folder: ${told}`, {
      hint: hint`Check ${run("git", "config", "core.worktree")}. To remove it: ${run("git", "config", "--unset", "core.worktree")}`,
    });
  }
}

/**
 * Whether a folder with a .git is the work tree of that repo, and of no other: nothing in the repo's config names
 * another one. A linked work tree or a submodule has a file there.
 */
async function isItsOwnTree(files: Pick<Host["files"], "look">, root: string): Promise<boolean> {
  const config = await files.look(join(root, ".git", "config"));
  return config.kind === "file" && !/worktree|include/i.test(config.bytes.toString("latin1"));
}

/**
 * All that git prints, of whatever length.
 *
 * @param lines its standard input.
 * @param fine exit statuses that are no failure.
 * @param denied gets what it could not read for want of rights, in its own words.
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

/** What git could not read for want of rights, in its own words. */
export function deniedIn({ stderr }: Pick<ToolResult, "stderr">): readonly string[] {
  const lines = stderr.split("\n").filter((line) => line.includes("Permission denied"));
  return lines.map((line) => line.replace(/^\w+: /, ""));
}

/** Of paths on standard input: which pattern makes git ignore each, tracked or not. */
export const WHICH_PATTERN: readonly string[] = [
  ...["check-ignore", "--verbose", "--no-index", "-z", "--stdin"],
];

/** A pattern that makes git ignore a path. */
interface IgnoringPattern {
  /** The file that it stands in: a .gitignore from the root, another as the configuration names it. */
  readonly source: string;
  readonly line: number;
  readonly path: string;
}

/**
 * What WHICH_PATTERN is answered with.
 *
 * @param stdout where it was taken down as it came.
 * @throws AppError GIT_FAILED
 */
export function patternsIn(result: ToolResult, stdout = result.stdout): IgnoringPattern[] {
  // 1: none of them is ignored.
  if (result.end !== "exited" || ![0, 1].includes(result.exitCode ?? -1)) throw gitFailed(result);
  const words = stdout.split("\0");
  const found: IgnoringPattern[] = [];
  for (let at = 0; at + 3 < words.length; at += 4) {
    const [source = "", line, pattern, path = ""] = words.slice(at, at + 4);
    // The last pattern that fits may be one that lets the path in.
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

/** What Windows takes on a command line is 32 kB; ls-files takes no list of paths another way. */
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

/** Those of the paths that are a name, or a folder of one: in an index a name may have any number of folders. */
function withFolders(names: readonly string[], paths: ReadonlySet<string>): ReadonlySet<string> {
  const longest = Math.max(0, ...Array.from(paths, ({ length }) => length));
  const known = new Set(names);
  for (const name of names) {
    for (
      let end = name.indexOf("/");
      end >= 0 && end <= longest;
      end = name.indexOf("/", end + 1)
    ) {
      if (paths.has(name.slice(0, end))) known.add(name.slice(0, end));
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

export function gitFailed({ end, stderr }: ToolResult): AppError {
  const reason = stderr.trim().split("\n")[0] || end;
  return new AppError("GIT_FAILED", `git failed: ${reason}`, {
    hint: hintFor(stderr),
  });
}

/** git is there, and no work tree. */
function isBare({ stderr }: Pick<ToolResult, "stderr">): boolean {
  return /cannot use bare repository|must be run in a work tree/.test(stderr);
}

function hintFor(stderr: string): Hint {
  if (isBare({ stderr })) {
    // Without a command: git would obey what a repo has there.
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
