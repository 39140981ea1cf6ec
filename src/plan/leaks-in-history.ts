import type { Git } from "../git/git.ts";
import {
  commitTimes,
  type GitObject,
  namesFromRefs,
  placesOfBlobs,
  readAllObjects,
  readObjects,
  stagedPaths,
} from "../git/objects.ts";
import { isSavedPlan } from "../leaks/saved-plan.ts";
import { holdsToken, type Sighting, sightingsIn } from "../leaks/sighting.ts";
import { OVERLAP, worthSearching } from "../leaks/token-search.ts";
import type { Secret } from "../token/secret.ts";

/** A larger object is not read whole: its line is not known. */
const MAX_READ_BYTES = 256 * 1024 * 1024;

/** A token in what git keeps: one in one path is one leak, in however many versions. */
export interface HistoryLeak extends Sighting {
  /** blob: a file; commit and tag: its message; tree: a file's name. */
  readonly type: GitObject["type"];
  readonly oid: string;
  /** Of a blob, from the root; absent where neither a commit nor the index has it. */
  readonly path: string | undefined;
  /** Those that brought in a version that has it, the oldest first; none: it is only in the index. */
  readonly commits: readonly string[];
  /** When the first of them was made, in seconds since the epoch. */
  readonly when: number | undefined;
  /** The first as git calls it from a branch, tag or stash; absent where none leads to it; null: not known. */
  readonly from: string | null | undefined;
}

/**
 * The tokens in everything that git keeps: every branch, tag and stash, merges, messages, the index, and
 * what nothing leads to any more.
 *
 * @throws AppError GIT_FAILED
 */
export async function leaksInHistory(
  git: Git,
  own: Secret | undefined,
): Promise<{ leaks: readonly HistoryLeak[]; isWhole: boolean }> {
  const { suspects, commits, large } = await findSuspects(git, own);
  const seen = [...(await readSuspects(git, own, suspects)), ...large];
  if (seen.length === 0) return { leaks: [], isWhole: true };
  const blobs = seen.flatMap(({ type, oid }) => (type === "blob" ? [oid] : []));
  const [{ places, isWhole }, staged] = await Promise.all([
    placesOfBlobs(git, commits, blobs),
    stagedPaths(git),
  ]);

  const found = new Map<
    string,
    { sighting: Seen; path: string | undefined; versions: Version[] }
  >();
  for (const sighting of seen) {
    const { type, oid, token, line } = sighting;
    for (const { commit, path } of placesOf(type, oid)) {
      // What has no path is told apart by itself.
      const key = `${token.fingerprint} ${path ?? oid}`;
      const leak = found.get(key) ?? { sighting, path, versions: [] };
      const isKnown = leak.versions.some((version) => version.commit === commit);
      if (commit !== undefined && !isKnown) leak.versions.push({ commit, line });
      found.set(key, leak);
    }
  }
  return { leaks: await ordered(git, [...found.values()]), isWhole };

  function placesOf(type: GitObject["type"], oid: string) {
    if (type === "commit") return [{ commit: oid, path: undefined }];
    return places.get(oid) ?? [{ commit: undefined, path: staged.get(oid) }];
  }
}

type Seen = Sighting & Pick<HistoryLeak, "type" | "oid">;

/** A commit that brought in a version of a file, and where the token stands in it. */
interface Version {
  readonly commit: string;
  readonly line: number | undefined;
}

/** With the commits in the order of time, and the first one's name. */
async function ordered(
  git: Git,
  found: readonly { sighting: Seen; path: string | undefined; versions: readonly Version[] }[],
): Promise<readonly HistoryLeak[]> {
  const times = await commitTimes(
    git,
    found.flatMap(({ versions }) => versions.map(({ commit }) => commit)),
  );
  const timeOf = ({ commit }: Version) => times.get(commit) ?? 0;
  const leaks = found.map(({ sighting, path, versions }) => {
    const inOrder = versions.toSorted((a, b) => timeOf(a) - timeOf(b));
    const [first] = inOrder;
    return {
      ...sighting,
      path,
      line: first === undefined ? sighting.line : first.line,
      commits: inOrder.map(({ commit }) => commit),
      when: first && times.get(first.commit),
    };
  });
  const firsts = leaks.flatMap(({ commits }) => commits.slice(0, 1));
  // Where the way to a commit is broken, it stays without a name.
  const names = await namesFromRefs(git, firsts).catch(() => undefined);
  return leaks.map((leak) => ({
    ...leak,
    from: names === undefined ? null : names.get(leak.commits[0] ?? ""),
  }));
}

/** The objects that hold a token, what is in those that are too large to be read whole, and all commits. */
async function findSuspects(git: Git, own: Secret | undefined) {
  const suspects = new Map<string, GitObject>();
  const large: Seen[] = [];
  const commits: string[] = [];
  // Mere digits have nothing by which a chunk could be passed over.
  const isWorth = own === undefined || own.tellsItself ? worthSearching() : () => true;
  let isSearched = true;
  let open: GitObject | undefined;
  let kept: Buffer = Buffer.alloc(0);
  await readAllObjects(
    git,
    (chunk) => {
      isSearched = isWorth(chunk);
    },
    (object, part, isLast) => {
      if (object !== open && object.type === "commit") commits.push(object.oid);
      const bytes = kept.length === 0 ? part : Buffer.concat([kept, part]);
      const isStart = object !== open || kept.length < OVERLAP;
      open = object;
      kept = isLast ? kept.subarray(0, 0) : bytes.subarray(-OVERLAP);
      const isSuspect = (isSearched && holdsToken(bytes, own)) || (isStart && isSavedPlan(bytes));
      if (!isSuspect) return;
      const { oid, type, size } = object;
      if (size <= MAX_READ_BYTES) suspects.set(oid, object);
      else
        for (const { kind, token } of sightingsIn(bytes, own, oid))
          addLarge({ kind, token, oid, type });
    },
  );
  return { suspects: [...suspects.values()], commits, large };

  /** What stands where two parts overlap is seen twice. */
  function addLarge(found: Omit<Seen, "line">): void {
    const isKnown = large.some(({ oid, token }) => oid === found.oid && token.equals(found.token));
    if (!isKnown) large.push({ ...found, line: undefined });
  }
}

async function readSuspects(
  git: Git,
  own: Secret | undefined,
  suspects: readonly GitObject[],
): Promise<readonly Seen[]> {
  const seen: Seen[] = [];
  if (suspects.length === 0) return seen;
  const oids = suspects.map(({ oid }) => oid);
  await readObjects(git, oids, ({ oid, type }, bytes) => {
    for (const sighting of sightingsIn(bytes, own, oid)) seen.push({ ...sighting, oid, type });
  });
  return seen;
}
