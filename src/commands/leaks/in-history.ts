import type { Git } from "../../concerns/git/git.ts";
import {
  commitTimes,
  type GitObject,
  type Lineage,
  lineage,
  listObjects,
  namesFromRefs,
  type ObjectPlace,
  placesIn,
  readAllObjects,
  readObjects,
  refsOf,
  stagedPaths,
} from "../../concerns/git/objects.ts";
import type { Unpacking } from "../../concerns/terraform/root/saved-plan.ts";
import type { Host } from "../../host/host.ts";
import { groupedBy } from "../../lib/grouped.ts";
import { IdSet } from "../../lib/id-set.ts";
import { isCi } from "../../lib/is-ci.ts";
import type { Secret } from "../../secret/secret.ts";
import { type ObjectMatch, searchObjects } from "./object-search.ts";
import { keepSearched, recallSearched } from "./searched-before.ts";
import { holdsToken, searchFile, type TokenMatch, tokenMatchesIn } from "./token-match.ts";

/** A token in git's objects. The same token in one path is one leak, whatever the number of versions. */
export interface HistoryLeak extends TokenMatch {
  /** blob: a file; commit and tag: the message; tree: a file's name; ref: the name of a branch or tag. */
  readonly type: GitObject["type"] | "ref";
  readonly oid: string;
  /** The path of a file from the root. Absent if neither a commit nor the index has it. */
  readonly path: string | undefined;
  /** The commits that added a version with it, the first one first; none: it is only in the index. */
  readonly commits: readonly string[];
  /** The date of the first of them, in seconds since the epoch. */
  readonly when: number | undefined;
  /**
   * git's name for the first of them, or for the tag, relative to a branch, tag or stash. Absent if it is unreachable;
   * null: unknown.
   */
  readonly from: string | null | undefined;
}

type HistoryHost = Pick<Host, "env" | "records" | "clock">;

/**
 * The tokens in everything that git stores: every branch, tag and stash, merges, messages, names, the index, and
 * unreachable objects.
 *
 * @throws AppError GIT_FAILED
 */
export async function leaksInHistory(
  host: HistoryHost,
  git: Git,
  { own, unpacking }: { own: Secret | undefined; unpacking: Unpacking },
): Promise<{
  leaks: readonly HistoryLeak[];
  /** false: git could not read everything. */
  isWhole: boolean;
  /** There are more places than can be searched. */
  isTooMuch: boolean;
  gaps: readonly ObjectGap[];
}> {
  const [{ suspects, commits, large, packed, isRead, remember }, refs] = await Promise.all([
    searchNew(host, git, own),
    refsOf(git),
  ]);
  const named = leaksInNames(refs, own);
  const gaps: ObjectGap[] = packed.map((oid) => ({
    oid,
    why: "it is a saved plan that is too large",
  }));
  if (suspects.length + large.length === 0) {
    remember([]);
    return { leaks: named, isWhole: isRead, isTooMuch: false, gaps };
  }
  // If the path to a commit is broken, the commit has no name.
  const underWay = lineage(git).catch(() => undefined);
  const read = await readSuspects(git, { own, unpacking }, suspects);
  gaps.push(...read.gaps);
  const seen = [...read.seen, ...large];
  remember([...seen, ...read.gaps]);
  const ofType = (wanted: GitObject["type"]) => seen.filter(({ type }) => type === wanted);
  const isName = (path: string) => holdsToken(Buffer.from(path), own);
  const [places, staged, order] = await Promise.all([
    placesIn(git, commits(), {
      blobs: ofType("blob").map(({ oid }) => oid),
      isName: ofType("tree").length === 0 ? undefined : isName,
    }),
    stagedPaths(git),
    underWay,
  ]);

  const byName = placesByToken(places.ofNames, own);
  const found = new Map<string, Found>();
  for (const match of seen) {
    const { type, oid, token, line } = match;
    for (const { commit, path } of placesOf(match)) {
      // A match without a path is identified by its object.
      const key = `${token.fingerprint} ${type} ${path ?? oid}`;
      const leak = found.get(key) ?? { match, path, versions: new Map() };
      if (commit !== undefined && !leak.versions.has(commit)) {
        leak.versions.set(commit, { commit, line });
      }
      found.set(key, leak);
    }
  }
  const leaks = await ordered(git, [...found.values()], order);
  const tags = new Map(Array.from(refs, ([name, oid]) => [oid, shortName(name)]));
  return {
    leaks: [
      ...leaks.map((leak) => (leak.type === "tag" ? { ...leak, from: tags.get(leak.oid) } : leak)),
      ...named,
    ],
    isWhole: places.isWhole && isRead,
    isTooMuch: places.isTooMuch,
    gaps,
  };

  function placesOf({
    type,
    oid,
    token,
  }: ObjectMatch): readonly { commit: string | undefined; path: string | undefined }[] {
    if (type === "commit") return [{ commit: oid, path: undefined }];
    const known =
      type === "tree" ? (byName.get(token.fingerprint) ?? []) : (places.ofBlobs.get(oid) ?? []);
    return known.length > 0 ? known : [{ commit: undefined, path: staged.get(oid) }];
  }
}

/** An object that could not be searched completely. */
export interface ObjectGap {
  readonly oid: string;
  /** In words: "it is …". */
  readonly why: string;
}

/** Grouped by the fingerprint of a token in their name. */
function placesByToken(places: readonly ObjectPlace[], own: Secret | undefined) {
  const named = places.flatMap((place) =>
    tokenMatchesIn(Buffer.from(place.path), own, place.path).map(({ token }) => ({
      ...place,
      fingerprint: token.fingerprint,
    })),
  );
  return groupedBy(named, ({ fingerprint }) => fingerprint);
}

/** A commit that added a version of a file, and the line of the token in it. */
interface Version {
  readonly commit: string;
  readonly line: number | undefined;
}

interface Found {
  readonly match: ObjectMatch;
  readonly path: string | undefined;
  /** By commit. */
  readonly versions: Map<string, Version>;
}

/** Adds the commits in historical order, reachable ones first, and the name of the first one. */
async function ordered(
  git: Git,
  found: readonly Found[],
  order: Lineage | undefined,
): Promise<readonly HistoryLeak[]> {
  const all = found.flatMap(({ versions }) => [...versions.keys()]);
  const others = await commitTimes(
    git,
    all.filter((commit) => order?.times.has(commit) !== true),
  );
  const leaks = found.map(({ match, path, versions }) => {
    const inOrder = [...versions.values()].sort(
      (a, b) =>
        Number(isLost(a)) - Number(isLost(b)) ||
        positionOf(a) - positionOf(b) ||
        (timeOf(a) ?? 0) - (timeOf(b) ?? 0),
    );
    const [first] = inOrder;
    return {
      ...match,
      path,
      line: first === undefined ? match.line : first.line,
      commits: inOrder.map(({ commit }) => commit),
      when: first && timeOf(first),
    };
  });
  const names = await namesOf(
    git,
    leaks.flatMap(({ commits }) => commits.slice(0, 1)),
    order,
  );
  return leaks.map((leak) => ({
    ...leak,
    from: names === undefined ? null : names.get(leak.commits[0] ?? ""),
  }));

  function isLost({ commit }: Version): boolean {
    return order !== undefined && !isKept(order, commit);
  }

  function positionOf({ commit }: Version): number {
    return order?.position.get(commit) ?? 0;
  }

  function timeOf({ commit }: Version): number | undefined {
    return order?.times.get(commit) ?? others.get(commit);
  }
}

/** Whether a commit is reachable from a branch, tag or stash. */
function isKept({ position, forgotten }: Lineage, commit: string): boolean {
  return position.has(commit) && !forgotten.has(commit);
}

/** The name of each commit; undefined: git cannot tell. */
async function namesOf(
  git: Git,
  commits: readonly string[],
  order: Lineage | undefined,
): Promise<ReadonlyMap<string, string> | undefined> {
  if (order === undefined) return undefined;
  try {
    const names = new Map([...order.stashed, ...(await namesFromRefs(git, commits))]);
    const unnamed = commits.filter((commit) => isKept(order, commit) && !names.has(commit));
    if (unnamed.length === 0) return names;
    // git searches back only to a day before the oldest commit it is asked about. That is not enough if a clock was
    // wrong.
    const [oldest] = [...order.times].reduce((a, b) => (b[1] < a[1] ? b : a));
    return new Map([...names, ...(await namesFromRefs(git, [...unnamed, oldest]))]);
  } catch {
    return undefined;
  }
}

/** The name of a branch or tag may contain a token. */
function leaksInNames(
  refs: ReadonlyMap<string, string>,
  own: Secret | undefined,
): readonly HistoryLeak[] {
  return Array.from(refs).flatMap(([name, oid]) =>
    tokenMatchesIn(Buffer.from(name), own, name).map(({ kind, token }) => ({
      ...{ kind, token, oid, line: undefined, type: "ref" as const },
      ...{ path: undefined, commits: [], when: undefined, from: name },
    })),
  );
}

function shortName(ref: string): string {
  return ref.replace(/^refs\/(heads|tags)\//, "");
}

/** Searches the objects that no earlier run has found free of tokens. */
async function searchNew(host: HistoryHost, git: Git, own: Secret | undefined) {
  const ids = await listObjects(git);
  const { width } = ids;
  // The search for a token of mere digits finds what no other search does. In CI, others may fill a pipeline's cache.
  const isKept = (own === undefined || own.hasPrefix) && !isCi(host.env);
  const none = { commits: new IdSet(width), others: new IdSet(width) };
  const before = isKept ? recallSearched(host.records, git.root, width) : none;
  const isNew = (bytes: Buffer, at: number) =>
    !before.commits.has(bytes, at) && !before.others.has(bytes, at);
  const search = searchObjects(own);
  const unread = await readAllObjects(git, { ids, isWanted: isNew }, search.newReader);
  const read = IdSet.fromHex(search.commits, width);
  const isCommit = (bytes: Buffer, at: number) =>
    before.commits.has(bytes, at) || read.has(bytes, at);
  const broken = new Set(unread);
  return {
    suspects: inOrder(
      ids,
      [...search.suspects.values()].filter(({ oid }) => !broken.has(oid)),
    ),
    large: inOrder(ids, search.large),
    packed: [...search.packed],
    isRead: unread.length === 0,
    commits: () => ids.toHex(isCommit),

    /** @param found the objects that are to be searched again by the next run. */
    remember(found: readonly { readonly oid: string }[]): void {
      const again = [...unread, ...search.packed, ...found.map(({ oid }) => oid)];
      const left = IdSet.fromHex(again, width);
      const isClean = (bytes: Buffer, at: number) => !left.has(bytes, at);
      const isKnown = before.commits.size + before.others.size === ids.size - left.size;
      if (
        !isKept ||
        (isKnown && ids.toHex((bytes, at) => isClean(bytes, at) && isNew(bytes, at)).length === 0)
      )
        return;
      keepSearched(host, git.root, {
        commits: ids.select((bytes, at) => isCommit(bytes, at) && isClean(bytes, at)),
        others: ids.select((bytes, at) => !isCommit(bytes, at) && isClean(bytes, at)),
      });
    },
  };
}

/** The processes that read them end in any order. */
function inOrder<Each extends { readonly oid: string }>(
  ids: IdSet,
  found: readonly Each[],
): readonly Each[] {
  const positions = new Map(
    found.map(({ oid }) => [oid, ids.indexOf(Buffer.from(oid, "hex"))] as const),
  );
  return found.toSorted((a, b) => (positions.get(a.oid) ?? 0) - (positions.get(b.oid) ?? 0));
}

async function readSuspects(
  git: Git,
  { own, unpacking }: { own: Secret | undefined; unpacking: Unpacking },
  suspects: readonly GitObject[],
): Promise<{ readonly seen: readonly ObjectMatch[]; readonly gaps: readonly ObjectGap[] }> {
  const seen: ObjectMatch[] = [];
  const gaps: ObjectGap[] = [];
  const oids = suspects.map(({ oid }) => oid);
  await readObjects(git, oids, ({ oid, type }, bytes) => {
    const { matches, gap } = searchFile(bytes, own, oid, unpacking);
    for (const match of matches) seen.push({ ...match, oid, type });
    if (gap !== undefined) gaps.push({ oid, why: gap });
  });
  return { seen, gaps };
}
