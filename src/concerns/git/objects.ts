import { IdSet, type IsWanted } from "../../lib/id-set.ts";
import { type Git, gitFailed, LONG_MS, outputOf } from "./git.ts";

export interface GitObject {
  /** The object's full hash. */
  readonly oid: string;
  readonly type: "blob" | "tree" | "commit" | "tag";
  /** In bytes. */
  readonly size: number;
}

/** Where a commit added, changed or removed an object. */
export interface ObjectPlace {
  readonly commit: string;
  /** Relative to the root of the work tree. */
  readonly path: string;
}

/** Each broken object needs a new git process. Reading stops after this many. */
const MOST_BROKEN = 100;

/**
 * The hashes of every object of the repo: of all branches, tags and stashes, of the index, and unreachable ones, in the
 * order in which git stores them.
 *
 * @throws AppError GIT_FAILED
 */
export async function listObjects(git: Git): Promise<IdSet> {
  const asked = ["cat-file", "--batch-all-objects", "--unordered", "--batch-check=%(objectname)"];
  let ids: IdSet | undefined;
  let digits = "";
  const result = await git.ask(asked, {
    onStdout(chunk) {
      const lines = (digits + chunk.toString("latin1")).split("\n");
      digits = lines.pop() ?? "";
      const width = (lines[0]?.length ?? 0) / 2;
      if (lines.length === 0) return;
      ids ??= new IdSet(width);
      const bytes = Buffer.from(lines.join(""), "hex");
      for (let at = 0; at < bytes.length; at += width) ids.add(bytes, at);
    },
    timeoutMs: LONG_MS,
  });
  if (result.exitCode !== 0) throw gitFailed(result);
  return ids ?? new IdSet(20);
}

/** What reads the output of one git process. */
export interface ObjectReader {
  /** Receives git's output, before the parts of the objects in it. */
  onChunk(chunk: Buffer): void;
  /** Receives each object in one or more parts; no part for an empty object. A broken object may end before its last. */
  onPart(object: GitObject, part: Buffer, isLast: boolean): void;
}

/** git inflates on one core. More processes would wait for this one, which reads their output on one core, too. */
const READERS = 2;
/** Starting another process takes as long as reading this many objects. */
const WORTH_A_READER = 1000;
/** Packs have commits before trees and files, so each process gets many pieces: then all have as much to do. */
const PIECES = 16;
/** The hashes that are written out at once. */
const MOST_AT_ONCE = 400_000;

/**
 * Streams objects, in several processes. Keeps nothing in memory, and runs nothing from the repo's config.
 *
 * @param from.ids in the order in which git stores them.
 * @param newReader called once for each process.
 * @returns the hashes of the objects that could not be read; some of their parts may have been passed to onPart.
 * @throws AppError GIT_FAILED
 */
export async function readAllObjects(
  git: Git,
  from: { ids: IdSet; isWanted: IsWanted },
  newReader: () => ObjectReader,
): Promise<readonly string[]> {
  const unread: string[] = [];
  let broken = 0;
  const { ids, isWanted } = from;
  for (let at = 0; at < ids.size; at += MOST_AT_ONCE) {
    const oids = ids.toHex(isWanted, at, Math.min(ids.size, at + MOST_AT_ONCE));
    if (oids.length === 0) continue;
    const count = oids.length < READERS * WORTH_A_READER ? 1 : READERS;
    await Promise.all(dealt(oids, count).map((some) => readAll(some)));
  }
  return unread;

  /** git stops at an object that it cannot read. The remaining ones are then requested from another process. */
  async function readAll(oids: readonly string[]): Promise<void> {
    let left = oids;
    while (left.length > 0) {
      const stopped = await read(left);
      if (stopped === undefined) return;
      left = left.slice(left.indexOf(stopped) + 1);
      unread.push(stopped);
      if (++broken < MOST_BROKEN) continue;
      for (const oid of left) unread.push(oid);
      return;
    }
  }

  /** @returns the object that git stopped at. */
  async function read(oids: readonly string[]): Promise<string | undefined> {
    const reader = newReader();
    let seen = 0;
    let open: string | undefined;
    const split = partsOf(
      (object, part, isLast) => {
        open = isLast ? undefined : object.oid;
        reader.onPart(object, part, isLast);
      },
      (oid, object) => {
        seen++;
        open = (object?.size ?? 0) === 0 ? undefined : oid;
        if (object === undefined) unread.push(oid);
      },
    );
    const result = await git.ask(["cat-file", "--batch", "--buffer"], {
      input: `${oids.join("\n")}\n`,
      onStdout(chunk) {
        reader.onChunk(chunk);
        split(chunk);
      },
      timeoutMs: LONG_MS,
    });
    if (result.exitCode === 0) return undefined;
    const named = /^fatal: .*?\b([0-9a-f]{40,64})\b/m.exec(result.stderr)?.[1];
    // git may name the object that this one is stored as a change of.
    const stopped = named !== undefined && oids.includes(named) ? named : (open ?? oids[seen]);
    if (named === undefined || stopped === undefined) throw gitFailed(result);
    return stopped;
  }
}

/** Deals a list out, piece by piece. Neighbours stay together, since git stores one as the change of another. */
function dealt<Each>(all: readonly Each[], hands: number): readonly (readonly Each[])[] {
  const size = Math.ceil(all.length / (hands * PIECES));
  const pieces = Array.from({ length: hands * PIECES }, (_, i) =>
    all.slice(i * size, (i + 1) * size),
  );
  return Array.from({ length: hands }, (_, hand) =>
    pieces.filter((_, i) => i % hands === hand).flat(),
  );
}

/**
 * Reads whole objects, one after the other.
 *
 * @param limits.maxBytes a larger object is passed without its content.
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
  /** By blob hash. */
  readonly ofBlobs: ReadonlyMap<string, readonly ObjectPlace[]>;
  /** Where files with a wanted name were added. */
  readonly ofNames: readonly ObjectPlace[];
  /** false: git could not read a reachable commit, so places may be missing. */
  readonly isWhole: boolean;
  /** The history exceeds the limits, so places are missing: a few trees can expand to any number of changes. */
  readonly isTooMuch: boolean;
}

/** In bytes of git's output: some 20 million changes, which take git half a minute. */
const MOST_CHANGES = 2 * 1024 * 1024 * 1024;
const MOST_PLACES = 20_000;
/** git expands a commit in memory before it prints any of it: a million files take about 2 s and 150 MB. */
const UNFOLDING_MS = 5000;

/**
 * Finds where the given commits changed some blobs, or added files with some names; merges are compared with each
 * parent. Does not pass the blobs' hashes to git, because a partial clone would then fetch missing ones.
 */
export async function placesIn(
  git: Git,
  commits: readonly string[],
  { blobs, isName }: { blobs: readonly string[]; isName?: ((path: string) => boolean) | undefined },
): Promise<Places> {
  const wanted = new Set(blobs);
  if (wanted.size === 0 && isName === undefined) {
    return { ofBlobs: new Map(), ofNames: [], isWhole: true, isTooMuch: false };
  }
  let bytes = 0;
  let places = 0;
  let isTooMuch = false;
  // Unreachable commits may be broken. On failure, only the reachable ones are read, too.
  const first = await readHalves(commits);
  const all = first.isWhole ? [first] : [first, await readHalves(await reachable())];
  const found = all.flatMap(({ changes }) => changes);
  return {
    ofBlobs: placesByBlob(found.filter(({ isNamed }) => !isNamed)),
    ofNames: found.flatMap(({ isNamed, place }) => (isNamed ? place : [])),
    isWhole: all.some(({ isWhole }) => isWhole),
    isTooMuch,
  };

  /** git compares trees on one core. */
  async function readHalves(from: readonly string[]) {
    const middle = from.length < READERS * WORTH_A_READER ? from.length : from.length >> 1;
    const halves = [from.slice(0, middle), from.slice(middle)];
    const read = await Promise.all(
      halves.filter(({ length }) => length > 0).map((half) => readChanges(half)),
    );
    return {
      changes: read.flatMap(({ changes }) => changes),
      isWhole: read.every(({ isWhole }) => isWhole),
    };
  }

  async function readChanges(from: readonly string[]) {
    const asked = [
      ...["diff-tree", "--stdin", "-m", "-r", "--root", "--raw", "--no-abbrev", "-z"],
      ...["--no-renames", "--no-textconv", "--no-ext-diff", "--ignore-submodules=all"],
    ];
    const input = from.map((oid) => `${oid}\n`).join("");
    const changes: WantedChange[] = [];
    const seen = new Set<string>();
    const read = changesOf((oid, place, isNew) => {
      if (isNew && isName?.(place.path)) add({ oid, place, isNamed: true });
      if (!wanted.has(oid)) return;
      const key = `${oid} ${place.commit} ${place.path}`;
      if (!seen.has(key)) add({ oid, place, isNamed: false });
      seen.add(key);
    });
    const onStdout = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MOST_CHANGES || places > MOST_PLACES) return "stop";
      return read(chunk);
    };
    const { end, exitCode } = await git.ask(asked, {
      ...{ input, onStdout, idleMs: UNFOLDING_MS, timeoutMs: LONG_MS },
    });
    isTooMuch ||= end === "stopped";
    return { changes, isWhole: exitCode === 0 || isTooMuch };

    function add(change: WantedChange): void {
      places++;
      changes.push(change);
    }
  }

  async function reachable(): Promise<readonly string[]> {
    return (await outputOf(git, ["rev-list", "--all", "--reflog"])).split("\n").filter(Boolean);
  }
}

interface WantedChange {
  readonly oid: string;
  readonly place: ObjectPlace;
  /** It was found by the name of the file, not by its content. */
  readonly isNamed: boolean;
}

/** A commit that was read twice counts once. */
function placesByBlob(changes: readonly WantedChange[]): Places["ofBlobs"] {
  const ofBlobs = new Map<string, Map<string, ObjectPlace>>();
  for (const { oid, place } of changes) {
    const known = ofBlobs.get(oid) ?? new Map<string, ObjectPlace>();
    known.set(`${place.commit} ${place.path}`, place);
    ofBlobs.set(oid, known);
  }
  return new Map(Array.from(ofBlobs, ([oid, places]) => [oid, [...places.values()]]));
}

/** The path of each object in the index. @throws AppError GIT_FAILED */
export async function stagedPaths(git: Git): Promise<ReadonlyMap<string, string>> {
  return new Map((await stagedEntries(git)).map(({ oid, path }) => [oid, path]));
}

/** The paths of submodules, relative to the root. @throws AppError GIT_FAILED */
export async function submodulesOf(git: Git): Promise<readonly string[]> {
  return submodulesIn(await stagedEntries(git));
}

export function submodulesIn(entries: readonly StagedEntry[]): readonly string[] {
  return entries.flatMap(({ mode, path }) => (mode === "160000" ? path : []));
}

/** An entry of the index. */
export interface StagedEntry {
  /** "160000": a submodule. */
  readonly mode: string;
  readonly oid: string;
  /** Relative to the root. During a merge, several entries may have the same path. */
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
 * What part of the history this clone lacks.
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
  // 1: no such setting.
  if ((await outputOf(git, partial, { fine: [0, 1] })) === "") return undefined;
  const objects = ["rev-list", "--objects", "--all", "--missing=print", "--no-object-names"];
  const listed = await outputOf(git, objects, { fine: [0, 128] });
  return /^\?/m.test(listed) ? "objects" : undefined;
}

/** The committer date of each commit, in seconds since the epoch. @throws AppError GIT_FAILED */
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

/** The order of the commits that branches, tags, stashes and reflogs reach. */
export interface Lineage {
  /** By commit: a parent has a smaller number than its children. */
  readonly position: ReadonlyMap<string, number>;
  /** Commits that only a reflog reaches, such as one that was amended. */
  readonly forgotten: ReadonlySet<string>;
  /** The committer dates, in seconds since the epoch. */
  readonly times: ReadonlyMap<string, number>;
  /** git's names for the commits that make up each stash. */
  readonly stashed: ReadonlyMap<string, string>;
}

/** @throws AppError GIT_FAILED */
export async function lineage(git: Git): Promise<Lineage> {
  const list = async (...args: string[]) =>
    (await outputOf(git, ["rev-list", ...args])).split("\n").filter(Boolean);
  // Fails if there is no stash.
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
    // The first parent is the branch's commit, which is not part of the stash.
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

/** The full name of every branch, tag and other ref, with the object that it points to. @throws AppError GIT_FAILED */
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
 * Names each commit relative to a branch, a tag or the newest stash, such as "main~3". Commits that no ref reaches are
 * missing from the result.
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

/** 500 hashes fit on a command line. */
function* inGroups(oids: readonly string[]): Generator<readonly string[]> {
  for (let from = 0; from < oids.length; from += 500) yield oids.slice(from, from + 500);
}

/** Parses the output of `diff-tree --stdin --raw -z`. Chunks may end anywhere. */
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

/**
 * Parses the output of `cat-file --batch`. Chunks may end anywhere.
 *
 * @param onHeader receives each hash, with the object unless that is missing.
 */
function partsOf(
  onPart: (object: GitObject, part: Buffer, isLast: boolean) => void,
  onHeader: (oid: string, object: GitObject | undefined) => void = () => undefined,
): (chunk: Buffer) => void {
  let header = "";
  let object: GitObject | undefined;
  let left = 0;
  return (chunk) => {
    let at = 0;
    while (at < chunk.length) {
      if (object === undefined) {
        const end = chunk.indexOf(10, at);
        const line = header + chunk.toString("latin1", at, end < 0 ? chunk.length : end);
        header = end < 0 ? line : "";
        if (end < 0) return;
        at = end + 1;
        object = readHeader(line);
        left = object?.size ?? 0;
        onHeader(object?.oid ?? line.slice(0, line.indexOf(" ")), object);
      } else if (left > 0) {
        const part = chunk.subarray(at, at + left);
        at += part.length;
        left -= part.length;
        onPart(object, part, left === 0);
      } else {
        // Skips the line end after an object.
        at++;
        object = undefined;
      }
    }
  };
}

/** @returns undefined for a missing object ("<oid> missing"), which has no body. */
function readHeader(line: string): GitObject | undefined {
  const first = line.indexOf(" ");
  const second = line.indexOf(" ", first + 1);
  const type = line.slice(first + 1, second);
  if (type !== "blob" && type !== "tree" && type !== "commit" && type !== "tag") return undefined;
  return { oid: line.slice(0, first), type, size: Number(line.slice(second + 1)) };
}
