import { type Git, gitFailed, LONG_MS, outputOf } from "./git.ts";

export interface GitObject {
  /** The object's full name. */
  readonly oid: string;
  readonly type: "blob" | "tree" | "commit" | "tag";
  /** In bytes. */
  readonly size: number;
}

/** Where a commit brought an object in, or let it go. */
export interface ObjectPlace {
  readonly commit: string;
  /** From the root of the work tree. */
  readonly path: string;
}

/** Each takes a new start of git; a repo with more of them is not read to its end. */
const MOST_BROKEN = 100;

/**
 * Streams every object that the repo has: of each branch, tag and stash, of the index, and those that
 * nothing leads to any more. Nothing is held in memory, and nothing of the repo's config is run.
 *
 * @param onChunk gets what git prints, before the parts of objects that are in it.
 * @param onPart gets each object in one or more parts; an empty object in none. Where one is broken, objects
 *   may come again.
 * @returns the names of those that are broken; they may have come in part.
 * @throws AppError GIT_FAILED
 */
export async function readAllObjects(
  git: Git,
  onChunk: (chunk: Buffer) => void,
  onPart: (object: GitObject, part: Buffer, isLast: boolean) => void,
): Promise<readonly string[]> {
  const broken: string[] = [];
  let next = await read(["--batch-all-objects", "--unordered"]);
  if (next === undefined) return broken;
  // git stops at what it cannot read; the rest is then asked for by name.
  const check = ["cat-file", "--batch-all-objects", "--batch-check"];
  let left = (await outputOf(git, check)).split("\n").map((line) => line.split(" ")[0] ?? "");
  while (next !== undefined) {
    broken.push(next);
    if (broken.length === MOST_BROKEN) return broken;
    const isFirst = broken.length === 1;
    left = isFirst ? left.filter((oid) => oid !== next) : left.slice(left.indexOf(next) + 1);
    next = await read([], left);
  }
  return broken;

  /** @returns what it stopped at, one of those that it was asked for. */
  async function read(options: string[], oids?: readonly string[]): Promise<string | undefined> {
    const split = partsOf(onPart);
    const result = await git.ask(["cat-file", "--batch", "--buffer", ...options], {
      ...(oids === undefined ? {} : { input: oids.map((oid) => `${oid}\n`).join("") }),
      onStdout(chunk) {
        onChunk(chunk);
        split(chunk);
      },
      timeoutMs: LONG_MS,
    });
    if (result.exitCode === 0) return undefined;
    const named = /^fatal: .*?\b([0-9a-f]{40,64})\b/m.exec(result.stderr)?.[1];
    if (named === undefined || oids?.includes(named) === false) throw gitFailed(result);
    return named;
  }
}

/**
 * Reads some objects whole, one after the other.
 *
 * @param limits.maxBytes a larger object comes without its bytes.
 * @throws AppError GIT_FAILED
 */
export async function readObjects(
  git: Git,
  oids: Iterable<string>,
  onObject: (object: GitObject, bytes: Buffer) => void,
  { maxBytes = Number.POSITIVE_INFINITY, timeoutMs = LONG_MS } = {},
): Promise<void> {
  let parts: Buffer[] = [];
  const onStdout = partsOf((object, part, isLast) => {
    if (object.size <= maxBytes) parts.push(part);
    if (!isLast) return;
    onObject(object, Buffer.concat(parts));
    parts = [];
  });
  const input = Array.from(oids, (oid) => `${oid}\n`).join("");
  const result = await git.ask(["cat-file", "--batch", "--buffer"], {
    input,
    onStdout,
    timeoutMs,
  });
  if (result.exitCode !== 0) throw gitFailed(result);
}

export interface Places {
  /** By the blob's name. */
  readonly ofBlobs: ReadonlyMap<string, readonly ObjectPlace[]>;
  /** Where files with a wanted name came in. */
  readonly ofNames: readonly ObjectPlace[];
  /** false: git could not read a commit that leads somewhere, so that places may be missing. */
  readonly isWhole: boolean;
  /** There is more than is looked through, so that places are missing: a few trees can stand for any number. */
  readonly isTooMuch: boolean;
}

/** In bytes of what git prints: some 20 million changes, for which it takes half a minute. */
const MOST_CHANGES = 2 * 1024 * 1024 * 1024;
const MOST_PLACES = 20_000;
/** Git unfolds one commit in memory before it prints any of it: a million files in some 2 s, with 150 MB. */
const UNFOLDING_MS = 5000;

/**
 * Where the given commits have each of some blobs, and files of some names: in what they changed, also
 * against a merge's second parent. git is not asked for the blobs by name, as it would then fetch those that
 * a partial clone lacks.
 */
export async function placesIn(
  git: Git,
  commits: readonly string[],
  { blobs, isName }: { blobs: readonly string[]; isName?: ((path: string) => boolean) | undefined },
): Promise<Places> {
  const wanted = new Set(blobs);
  const ofBlobs = new Map<string, ObjectPlace[]>();
  const seen = new Set<string>();
  const ofNames: ObjectPlace[] = [];
  let isTooMuch = false;
  if (wanted.size === 0 && isName === undefined) {
    return { ofBlobs, ofNames, isWhole: true, isTooMuch };
  }
  // What nothing leads to may be broken; the rest is then asked for alone.
  const isWhole = (await readChanges(commits)) || (await readChanges(await reachable()));
  return { ofBlobs, ofNames, isWhole, isTooMuch };

  async function readChanges(from: readonly string[]): Promise<boolean> {
    const asked = [
      ...["diff-tree", "--stdin", "-m", "-r", "--root", "--raw", "--no-abbrev", "-z"],
      ...["--no-renames", "--no-textconv", "--no-ext-diff", "--ignore-submodules=all"],
    ];
    const input = from.map((oid) => `${oid}\n`).join("");
    const read = changesOf((oid, place, isNew) => {
      if (isNew && isName?.(place.path)) ofNames.push(place);
      if (!wanted.has(oid)) return;
      const key = `${oid} ${place.commit} ${place.path}`;
      if (seen.has(key)) return;
      seen.add(key);
      const known = ofBlobs.get(oid);
      if (known === undefined) ofBlobs.set(oid, [place]);
      else known.push(place);
    });
    let bytes = 0;
    const onStdout = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MOST_CHANGES || seen.size + ofNames.length > MOST_PLACES) return "stop";
      return read(chunk);
    };
    const { end, exitCode } = await git.ask(asked, {
      ...{ input, onStdout, idleMs: UNFOLDING_MS, timeoutMs: LONG_MS },
    });
    isTooMuch ||= end === "stopped";
    return exitCode === 0 || isTooMuch;
  }

  async function reachable(): Promise<readonly string[]> {
    return (await outputOf(git, ["rev-list", "--all", "--reflog"])).split("\n").filter(Boolean);
  }
}

/** Which path each object has in the index. @throws AppError GIT_FAILED */
export async function stagedPaths(git: Git): Promise<ReadonlyMap<string, string>> {
  return new Map((await stagedEntries(git)).map(({ oid, path }) => [oid, path]));
}

/** Where other repos stand in this one, from the root. @throws AppError GIT_FAILED */
export async function submodulesOf(git: Git): Promise<readonly string[]> {
  const entries = await stagedEntries(git);
  return entries.flatMap(({ mode, path }) => (mode === "160000" ? path : []));
}

/** What is in the index. */
export interface StagedEntry {
  /** "160000": a submodule. */
  readonly mode: string;
  readonly oid: string;
  /** From the root. Where a merge is under way, several have one. */
  readonly path: string;
}

/** @throws AppError GIT_FAILED */
export async function stagedEntries(git: Git): Promise<readonly StagedEntry[]> {
  const text = await outputOf(git, ["ls-files", "--stage", "-z"]);
  return text.split("\0").flatMap((entry) => {
    const [, mode = "", oid = "", path] = /^(\d+) ([0-9a-f]+) \d\t(.*)$/s.exec(entry) ?? [];
    return path === undefined ? [] : { mode, oid, path };
  });
}

/**
 * What this clone does not have of the history, in words.
 *
 * @throws AppError GIT_FAILED
 */
export async function missingFrom(git: Git): Promise<"older commits" | "objects" | undefined> {
  const isShallow = await outputOf(git, ["rev-parse", "--is-shallow-repository"]);
  if (isShallow.trim() === "true") return "older commits";
  const partial = [
    "config",
    "--get-regexp",
    "^(remote\\..*\\.promisor|extensions\\.partialclone)$",
  ];
  // 1: there is none.
  if ((await outputOf(git, partial, { fine: [0, 1] })) === "") return undefined;
  const objects = ["rev-list", "--objects", "--all", "--missing=print", "--no-object-names"];
  const listed = await outputOf(git, objects, { fine: [0, 128] });
  return /^\?/m.test(listed) ? "objects" : undefined;
}

/** When each commit was made, in seconds since the epoch. @throws AppError GIT_FAILED */
export async function commitTimes(
  git: Git,
  commits: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const times = new Map<string, number>();
  if (commits.length === 0) return times;
  await readObjects(git, new Set(commits), ({ oid }, bytes) => {
    const seconds = /^committer .*> (\d+) /m.exec(bytes.toString("latin1"))?.[1];
    if (seconds !== undefined) times.set(oid, Number(seconds));
  });
  return times;
}

/** In which order commits came about, as far as branches, tags, stashes and reflogs lead to them. */
export interface Lineage {
  /** By commit: a parent has the smaller number. */
  readonly position: ReadonlyMap<string, number>;
  /** What only a reflog leads to, such as a commit before it was amended. */
  readonly forgotten: ReadonlySet<string>;
  /** When each was made, in seconds since the epoch. */
  readonly times: ReadonlyMap<string, number>;
  /** What git calls the commits of which each stash consists. */
  readonly stashed: ReadonlyMap<string, string>;
}

/** @throws AppError GIT_FAILED */
export async function lineage(git: Git): Promise<Lineage> {
  const list = async (...args: string[]) =>
    (await outputOf(git, ["rev-list", ...args])).split("\n").filter(Boolean);
  // It fails where there is none.
  const stashes = await list("--walk-reflogs", "refs/stash").catch(() => []);
  const [inOrder, forgotten, parents] = await Promise.all([
    list("--timestamp", "--topo-order", "--reverse", "--all", "--reflog"),
    list("--reflog", "--not", "--all", ...stashes),
    stashes.length === 0 ? [] : list("--no-walk=unsorted", "--parents", ...stashes),
  ]);
  const position = new Map<string, number>();
  const times = new Map<string, number>();
  for (const line of inOrder) {
    const [time, commit = ""] = line.split(" ");
    position.set(commit, position.size);
    times.set(commit, Number(time));
  }
  const stashed = new Map<string, string>();
  for (const [n, line] of parents.entries()) {
    // Its first parent is where the branch stood.
    const [stash = "", , ...more] = line.split(" ");
    stashed.set(stash, `stash@{${n}}`);
    for (const [i, commit] of more.entries()) stashed.set(commit, `stash@{${n}}^${i + 2}`);
  }
  return {
    position,
    times,
    forgotten: new Set(forgotten),
    stashed,
  };
}

/** Every branch, tag and other ref by its full name, with the object that it stands for. @throws AppError GIT_FAILED */
export async function refsOf(git: Git): Promise<ReadonlyMap<string, string>> {
  const text = await outputOf(git, ["for-each-ref", "--format=%(objectname) %(refname)"]);
  return new Map(
    text.split("\n").flatMap((line): [string, string][] => {
      const [, oid, name] = /^(\w+) (.+)$/.exec(line) ?? [];
      return oid === undefined || name === undefined ? [] : [[name, oid]];
    }),
  );
}

/**
 * What each commit is called from a branch, tag or the newest stash, such as "main~3"; absent where none leads to it.
 *
 * @throws AppError GIT_FAILED
 */
export async function namesFromRefs(
  git: Git,
  commits: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const names = new Map<string, string>();
  for (const some of inGroups(commits)) {
    const text = await outputOf(git, ["name-rev", ...some]);
    for (const [, commit = "", name = ""] of text.matchAll(/^([0-9a-f]+) (?!undefined$)(.+)$/gm)) {
      names.set(commit, name);
    }
  }
  return names;
}

/** So many have room on a command line. */
function* inGroups(oids: readonly string[]): Generator<readonly string[]> {
  for (let from = 0; from < oids.length; from += 500) yield oids.slice(from, from + 500);
}

/** Reads what `diff-tree --stdin --raw -z` prints, in chunks that end anywhere: which blob a commit put where. */
function changesOf(
  onChange: (oid: string, place: ObjectPlace, isNew: boolean) => void,
): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  let commit = "";
  let change: string | undefined;
  return (chunk) => {
    const bytes = Buffer.concat([rest, chunk]);
    const end = bytes.lastIndexOf(0) + 1;
    rest = bytes.subarray(end);
    for (const word of bytes.toString("utf8", 0, end).split("\0").slice(0, -1)) {
      if (change !== undefined) {
        const [, , , after = "", status] = change.split(" ");
        onChange(after, { commit, path: word }, status === "A");
        change = undefined;
      } else if (word.startsWith(":")) change = word;
      else commit = word;
    }
  };
}

/** Reads what `cat-file --batch` prints, in chunks that end anywhere. */
function partsOf(
  onPart: (object: GitObject, part: Buffer, isLast: boolean) => void,
): (chunk: Buffer) => void {
  let header = "";
  let object: GitObject | undefined;
  let left = 0;
  return (chunk) => {
    let at = 0;
    while (at < chunk.length) {
      if (object === undefined) {
        const end = chunk.indexOf(10, at);
        header += chunk.toString("latin1", at, end < 0 ? chunk.length : end);
        if (end < 0) return;
        at = end + 1;
        object = readHeader(header);
        left = object?.size ?? 0;
        header = "";
      } else if (left > 0) {
        const part = chunk.subarray(at, at + left);
        at += part.length;
        left -= part.length;
        onPart(object, part, left === 0);
      } else {
        // The line end behind an object.
        at++;
        object = undefined;
      }
    }
  };
}

/** @returns undefined for an object that is not there ("<oid> missing"), which has no body. */
function readHeader(line: string): GitObject | undefined {
  const [oid = "", type, size] = line.split(" ");
  if (type !== "blob" && type !== "tree" && type !== "commit" && type !== "tag") return undefined;
  return { oid, type, size: Number(size) };
}
