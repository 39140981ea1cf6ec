import { isStateOrPlan } from "../../concerns/config/protected-paths.ts";
import { isSavedPlan, membersOf } from "../../concerns/terraform/root/saved-plan.ts";
import { TOKEN_LIST } from "../../concerns/token/hosts.ts";
import type { Change } from "../../core/change.ts";
import { RemoveFile } from "../../core/changes/remove-file.ts";
import { WriteFile } from "../../core/changes/write-file.ts";
import { textIn } from "../../core/file-text.ts";
import type { Finding } from "../../core/finding.ts";
import { type Hint, hint, own, unset } from "../../errors/hint.ts";
import type { Host } from "../../host/host.ts";
import { capped } from "../../lib/few.ts";
import { isInside } from "../../lib/paths.ts";
import { encode } from "../../secret/content.ts";
import { describeOrigin, type Secret } from "../../secret/secret.ts";
import type { Facts } from "../init/observe.ts";
import { eachFileIn, type TreeSearch } from "../leaks/in-tree.ts";
import { placesOfSecret, type SecretPlaces } from "../leaks/token-match.ts";
import { finding } from "./findings.ts";
import type { TokenPlace } from "./token-places.ts";

/** The result of a search of the repo's files. */
export interface SearchedTree extends TreeSearch {
  readonly top: string;
  /** Each file that is not empty, by absolute path, with the tokens in it that should be removed. */
  readonly files: ReadonlyMap<string, readonly Found[]>;
}

interface Found extends Pick<SecretPlaces, "lines"> {
  readonly old: Secret;
}

/**
 * Searches all files of the repo: tracked, ignored or new.
 *
 * @param olds the tokens that should be removed; undefined: not needed, so nothing is read.
 */
export async function searchTree(
  host: Pick<Host, "files" | "steadyClock" | "home">,
  { repo: { top }, config: { base } }: Pick<Facts, "repo" | "config">,
  olds: readonly Secret[] | undefined,
): Promise<SearchedTree> {
  const files = new Map<string, readonly Found[]>();
  if (olds === undefined) return { unread: [], passedOver: [], stopped: undefined, top, files };
  // If all of HOME is a git repo, it contains more than a project.
  const isHome = host.home !== undefined && isInside(host.home, top);
  const folder = await host.files.realpath(isHome ? base : top);
  const broken: TreeSearch["unread"][number][] = [];
  const unpacking = { left: MOST_UNPACKED };
  const search = await eachFileIn(host, folder, ({ path, bytes }) => {
    const isPacked = isSavedPlan(bytes);
    const { members, isWhole } = isPacked ? membersOf(bytes, unpacking) : PLAIN;
    const found = tokensOf(isPacked ? Buffer.concat(members) : bytes, olds);
    // Lines of a plan cannot be shown.
    const shown = isPacked ? found.map((each) => ({ ...each, lines: [] })) : found;
    if (!isBlank(bytes)) files.set(path, shown);
    if (!isWhole || members.some(isSavedPlan))
      broken.push({ path, why: "a saved plan that cannot be unpacked" });
  });
  return { ...search, unread: [...search.unread, ...broken], top: folder, files };
}

/** In bytes, for all saved plans of a search. */
const MOST_UNPACKED = 512 * 1024 * 1024;
const PLAIN = { members: [], isWhole: true } as const;

/** The result after these changes. */
export function treeAfter(
  tree: SearchedTree,
  changes: readonly Change[],
  olds: readonly Secret[],
): SearchedTree {
  const files = new Map(tree.files);
  for (const change of changes) {
    if (change instanceof RemoveFile) files.delete(change.before.target);
    if (!(change instanceof WriteFile)) continue;
    const path = change.before.target;
    const bytes = encode(change.after);
    if (isBlank(bytes)) files.delete(path);
    else files.set(path, tokensOf(bytes, olds));
  }
  return { ...tree, files };
}

function tokensOf(bytes: Buffer, olds: readonly Secret[]): readonly Found[] {
  return olds.flatMap((old) => {
    const { isThere, lines } = placesOfSecret(bytes, old);
    return isThere ? [{ old, lines }] : [];
  });
}

/** Only white space. */
function isBlank(bytes: Buffer): boolean {
  return !bytes.some((byte) => byte > 32);
}

/** The files with a token that should be removed. */
export function holdersIn({ files }: SearchedTree): string[] {
  return [...files].flatMap(([path, found]) => (found.length > 0 ? path : []));
}

/** How many places are listed one by one. */
const MOST_NAMED = 20;

/**
 * Reports every place in the repo where a token is left, and what could not be searched.
 *
 * @param places places that have their own finding if they cannot be read.
 */
export function leftBehind(
  tree: SearchedTree,
  places: readonly TokenPlace[],
  { what, todo }: Words,
): Finding[] {
  const left = [...tree.files].flatMap(([path, found]) =>
    found.map(({ old, lines }) => ({ path, old, lines })),
  );
  const isSaid = (path: string) =>
    places.some(
      (place) => "snapshot" in place && [place.snapshot.path, place.snapshot.target].includes(path),
    );
  const unread = tree.unread.filter(({ path }) => !isSaid(path));
  const found = left.map(({ path, old, lines }) => {
    const where = lines.length === 0 ? path : `${path}:${lines.slice(0, MOST_NAMED).join(",")}`;
    return finding("token.left-behind", `${what} (${old.fingerprint}) is still in ${where}.`, {
      where: lines[0] === undefined ? path : `${path}:${lines[0]}`,
      fix: isStateOrPlan(path)
        ? hint`Don't edit a state or plan by hand. Delete the token, so that it no longer works: ${TOKEN_LIST}`
        : todo,
    });
  });
  const unsearched = unread.map(({ path, why }) =>
    finding("token.not-searched", `Could not search ${path} for the token: it is ${why}.`, {
      where: path,
      fix: hint`Check yourself whether the file contains the token.`,
    }),
  );
  return [
    ...capped(found, MOST_NAMED, (more) =>
      finding("token.left-behind", `${what} is in ${more} more files.`),
    ),
    ...capped(unsearched, MOST_NAMED, (more) =>
      finding("token.not-searched", `${more} more files were not searched.`),
    ),
    ...(tree.stopped === undefined ? [] : [notWhole(tree.top, tree.stopped)]),
  ];
}

interface Words {
  /** The name for the token: "The old token". */
  readonly what: string;
  readonly todo: Hint;
}

/**
 * Reports where the token is left outside the repo's files: in this shell, in the output of a command, and in doctl's
 * config outside the contexts.
 */
export function leftOutside(
  { machine: { env }, token: { state }, doctl }: Pick<Facts, "machine" | "token" | "doctl">,
  olds: readonly Secret[],
  { what, todo }: Words,
): Finding[] {
  const config = doctl?.config;
  const known = config?.state.kind === "known" ? config.state : undefined;
  const text = known === undefined ? "" : textIn(known.snapshot);
  const contexts = [...(known?.config.contexts.values() ?? [])];
  return olds.flatMap((old) => {
    const names = Object.keys(env).filter((name) => old.holds(env[name] ?? ""));
    const places: [string, Hint][] = names.map((name) => [
      `${name} in this shell`,
      hint`${unset(name)}`,
    ]);
    if (state.kind === "found" && state.token.equals(old) && old.origin.kind === "command") {
      places.push([`the output of ${describeOrigin(old.origin)}`, todo]);
    }
    const others = old.piecesOf(text).length - 1 - contexts.filter((it) => old.equals(it)).length;
    if (config !== undefined && others > 0)
      places.push([`${config.path}, outside its contexts`, todo]);
    return places.map(([where, fix]) =>
      finding("token.left-behind", `${what} (${old.fingerprint}) is still in ${where}.`, { fix }),
    );
  });
}

/** The places that are not searched at all. */
export function unreached({ doctl }: Pick<Facts, "doctl">, todo: Hint): Finding {
  const places = [
    ...(doctl === undefined ? ["doctl's config"] : []),
    "git history",
    "other git worktrees",
    "other CI secrets",
    "other machines and clones",
  ];
  return finding("token.unreached", `Places that do-bootstrap can't reach: ${places.join(", ")}.`, {
    fix: hint`${todo} To search git history: ${own("check", "--history")}`,
  });
}

function notWhole(top: string, why: string): Finding {
  return finding(
    "token.not-searched",
    `The search of ${top} for the token stopped early: ${why}. The rest was not searched.`,
    { where: top, fix: hint`Check the remaining files yourself.` },
  );
}
