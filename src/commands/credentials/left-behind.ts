import { isStateOrPlan } from "../../concerns/config/protected-paths.ts";
import { isSavedPlan, membersOf } from "../../concerns/terraform/root/saved-plan.ts";
import { TOKEN_LIST } from "../../concerns/token/hosts.ts";
import type { Change } from "../../core/change.ts";
import { RemoveFile } from "../../core/changes/remove-file.ts";
import { WriteFile } from "../../core/changes/write-file.ts";
import type { Finding } from "../../core/finding.ts";
import { type Hint, hint } from "../../errors/hint.ts";
import type { Host } from "../../host/host.ts";
import { isInside } from "../../lib/paths.ts";
import { encode } from "../../secret/content.ts";
import type { Secret } from "../../secret/secret.ts";
import { tokensIn } from "../../secret/token-search.ts";
import type { Facts } from "../init/observe.ts";
import { eachFileIn, type TreeSearch } from "../leaks/in-tree.ts";
import { placesOfSecret, type SecretPlaces } from "../leaks/token-match.ts";
import { finding } from "./findings.ts";
import type { TokenPlace } from "./token-places.ts";

/** What is searched for. */
export interface Wanted {
  /** The tokens that are to go. */
  readonly olds: readonly Secret[];
  /** What else nobody may see. */
  readonly values: readonly Secret[];
}

/** What a search of the repo's files has found: each file with a secret, by its absolute path. */
export interface SearchedTree extends TreeSearch {
  readonly top: string;
  readonly files: ReadonlyMap<string, readonly Found[]>;
}

/** A token that is to go, or, without one, any other secret. */
interface Found extends Pick<SecretPlaces, "lines"> {
  readonly old?: Secret;
}

/**
 * Searches all files of the repo, tracked, ignored or new.
 *
 * @param wanted undefined: nobody asks, and nothing is read.
 */
export async function searchTree(
  host: Pick<Host, "files" | "steadyClock" | "home">,
  { repo: { top }, config: { base } }: Pick<Facts, "repo" | "config">,
  wanted: Wanted | undefined,
): Promise<SearchedTree> {
  const files = new Map<string, readonly Found[]>();
  if (wanted === undefined) return { unread: [], passedOver: [], stopped: undefined, top, files };
  // Who keeps all of HOME in git has more in there than a project.
  const isHome = host.home !== undefined && isInside(host.home, top);
  const folder = await host.files.realpath(isHome ? base : top);
  const broken: TreeSearch["unread"][number][] = [];
  const unpacking = { left: MOST_UNPACKED };
  const search = await eachFileIn(host, folder, ({ path, bytes }) => {
    const isPacked = isSavedPlan(bytes);
    const { members, isWhole } = isPacked ? membersOf(bytes, unpacking) : PLAIN;
    const found = secretsIn(isPacked ? Buffer.concat(members) : bytes, path, wanted);
    // No line of a plan can be shown.
    if (found.length > 0)
      files.set(path, isPacked ? found.map((each) => ({ ...each, lines: [] })) : found);
    else if (isPacked) files.set(path, [{ lines: [] }]);
    if (!isWhole || members.some(isSavedPlan))
      broken.push({ path, why: "a saved plan that cannot be unpacked" });
  });
  return { ...search, unread: [...search.unread, ...broken], top: folder, files };
}

/** Bytes, for all saved plans of a search. */
const MOST_UNPACKED = 512 * 1024 * 1024;
const PLAIN = { members: [], isWhole: true } as const;

/** The same, once these changes are made. */
export function treeAfter(
  tree: SearchedTree,
  changes: readonly Change[],
  wanted: Wanted,
): SearchedTree {
  const files = new Map(tree.files);
  for (const change of changes) {
    if (change instanceof RemoveFile) files.delete(change.before.target);
    if (!(change instanceof WriteFile)) continue;
    const path = change.before.target;
    files.delete(path);
    const found = secretsIn(encode(change.after), path, wanted);
    if (found.length > 0) files.set(path, found);
  }
  return { ...tree, files };
}

function secretsIn(bytes: Buffer, path: string, { olds, values }: Wanted): readonly Found[] {
  const found = olds.flatMap((old) => {
    const { isThere, lines } = placesOfSecret(bytes, old);
    return isThere ? [{ old, lines }] : [];
  });
  const isOther =
    isStateOrPlan(path) ||
    tokensIn(bytes).length > 0 ||
    values.some((value) => placesOfSecret(bytes, value).isThere);
  return found.length === 0 && isOther ? [{ lines: [] }] : found;
}

/** The files with a token that is to go. */
export function holdersIn({ files }: SearchedTree): string[] {
  return [...files].flatMap(([path, found]) => (found.some(({ old }) => old) ? path : []));
}

/** So many places are named one by one. */
const MOST_NAMED = 20;

/**
 * Names every place in the repo where a token stays, and what could not be searched for it.
 *
 * @param what the token is called: "The old token".
 * @param places what has a finding of its own where it cannot be read.
 */
export function leftBehind(
  tree: SearchedTree,
  places: readonly TokenPlace[],
  { what, todo }: { what: string; todo: Hint },
): Finding[] {
  const left = [...tree.files].flatMap(([path, found]) =>
    found.flatMap(({ old, lines }) => (old === undefined ? [] : { path, old, lines })),
  );
  const isSaid = (path: string) =>
    places.some((place) => "snapshot" in place && place.snapshot.target === path);
  const unread = tree.unread.filter(({ path }) => !isSaid(path));
  return [
    ...left.slice(0, MOST_NAMED).map(({ path, old, lines }) => {
      const where = lines.length === 0 ? path : `${path}:${lines.slice(0, MOST_NAMED).join(",")}`;
      return finding(
        "token.left-behind",
        `${what} (${old.fingerprint}) still stands in ${where}.`,
        {
          where: lines[0] === undefined ? path : `${path}:${lines[0]}`,
          fix: isStateOrPlan(path)
            ? hint`A state or a plan is not edited by hand: delete the token, then it opens nothing. ${TOKEN_LIST}`
            : todo,
        },
      );
    }),
    ...(left.length > MOST_NAMED
      ? [finding("token.left-behind", `${what} stands in ${left.length - MOST_NAMED} more files.`)]
      : []),
    ...unread.slice(0, MOST_NAMED).map(({ path, why }) =>
      finding("token.not-searched", `${path} was not searched for the token: it is ${why}.`, {
        where: path,
        fix: hint`Look yourself whether the token is in it.`,
      }),
    ),
    ...(unread.length > MOST_NAMED
      ? [finding("token.not-searched", `${unread.length - MOST_NAMED} more were not searched.`)]
      : []),
    ...(tree.stopped === undefined ? [] : [notWhole(tree.top, tree.stopped)]),
  ];
}

function notWhole(top: string, why: string): Finding {
  return finding(
    "token.not-searched",
    `The search of ${top} for the token ended early: ${why}. What came after was not searched.`,
    { where: top, fix: hint`Look yourself whether the token is in the rest.` },
  );
}
