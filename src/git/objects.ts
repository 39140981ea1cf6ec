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

/**
 * Streams every object that the repo has: of each branch, tag and stash, of the index, and those that
 * nothing leads to any more. Nothing is held in memory, and nothing of the repo's config is run.
 *
 * @param onChunk gets what git prints, before the parts of objects that are in it.
 * @param onPart gets each object in one or more parts; an empty object in none.
 * @throws AppError GIT_FAILED
 */
export async function readAllObjects(
  git: Git,
  onChunk: (chunk: Buffer) => void,
  onPart: (object: GitObject, part: Buffer, isLast: boolean) => void,
): Promise<void> {
  const all = ["cat-file", "--batch-all-objects", "--batch", "--buffer", "--unordered"];
  const split = partsOf(onPart);
  const onStdout = (chunk: Buffer) => {
    onChunk(chunk);
    split(chunk);
  };
  const result = await git.ask(all, { onStdout, timeoutMs: LONG_MS });
  if (result.exitCode !== 0) throw gitFailed(result);
}

/**
 * Reads some objects whole, one after the other.
 *
 * @throws AppError GIT_FAILED
 */
export async function readObjects(
  git: Git,
  oids: Iterable<string>,
  onObject: (object: GitObject, bytes: Buffer) => void,
): Promise<void> {
  let parts: Buffer[] = [];
  const onStdout = partsOf((object, part, isLast) => {
    parts.push(part);
    if (!isLast) return;
    onObject(object, Buffer.concat(parts));
    parts = [];
  });
  const input = Array.from(oids, (oid) => `${oid}\n`).join("");
  const result = await git.ask(["cat-file", "--batch", "--buffer"], {
    input,
    onStdout,
    timeoutMs: LONG_MS,
  });
  if (result.exitCode !== 0) throw gitFailed(result);
}

/**
 * Where the given commits have each of some blobs: in what they changed, also against a merge's second
 * parent.
 *
 * @throws AppError GIT_FAILED
 */
export async function placesOfBlobs(
  git: Git,
  commits: readonly string[],
  blobs: readonly string[],
): Promise<ReadonlyMap<string, readonly ObjectPlace[]>> {
  const places = new Map<string, ObjectPlace[]>();
  for (const some of inGroups(blobs)) {
    const wanted = some.map((oid) => `--find-object=${oid}`);
    const asked = [
      ...["diff-tree", "--stdin", "-m", "-r", "--root", "--raw", "--no-abbrev", "-z"],
      ...["--no-renames", "--no-textconv", "--no-ext-diff", "--ignore-submodules=all", ...wanted],
    ];
    for (const [oid, place] of readRawDiff(await outputOf(git, asked, { lines: commits }))) {
      const known = places.get(oid) ?? [];
      const isKnown = known.some(
        ({ commit, path }) => commit === place.commit && path === place.path,
      );
      if (!isKnown) places.set(oid, [...known, place]);
    }
  }
  return places;
}

/** Which path each object has in the index. @throws AppError GIT_FAILED */
export async function stagedPaths(git: Git): Promise<ReadonlyMap<string, string>> {
  const text = await outputOf(git, ["ls-files", "--stage", "-z"]);
  return new Map(
    text.split("\0").flatMap((entry): [string, string][] => {
      const [, oid, path] = /^\d+ ([0-9a-f]+) \d\t(.*)$/s.exec(entry) ?? [];
      return oid === undefined || path === undefined ? [] : [[oid, path]];
    }),
  );
}

/** When each commit was made, in seconds since the epoch. @throws AppError GIT_FAILED */
export async function commitTimes(
  git: Git,
  commits: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const times = new Map<string, number>();
  await readObjects(git, new Set(commits), ({ oid }, bytes) => {
    const seconds = /^committer .*> (\d+) /m.exec(bytes.toString("latin1"))?.[1];
    if (seconds !== undefined) times.set(oid, Number(seconds));
  });
  return times;
}

/** What each commit is called from a branch, tag or stash, such as "main~3"; absent where none leads to it. */
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

/** The lines of `diff-tree --stdin --raw -z`: which blob a commit put where. */
function* readRawDiff(text: string): Generator<[oid: string, place: ObjectPlace]> {
  const words = text.split("\0");
  let commit = "";
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? "";
    if (!word.startsWith(":")) {
      commit = word;
      continue;
    }
    const after = word.split(" ")[3];
    i++;
    if (after !== undefined) yield [after, { commit, path: words[i] ?? "" }];
  }
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
