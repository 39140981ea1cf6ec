import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { foldersUp, isInside, isTerraformFile } from "../lib/paths.ts";
import type { Environment, RecordKind } from "./host.ts";
import { HAS_MODES, isExchangeable, isOwn } from "./ours.ts";
import { ownPlace } from "./places.ts";

/** What a record is about. Two different questions never share a record. */
export interface RecordKey {
  readonly kind: RecordKind | "exec";
  /** A folder or a file, absolute. */
  readonly path: string;
  /** The environment of the config, if it makes a difference. */
  readonly environment?: string | undefined;
}

export interface Machine {
  readonly env: Environment;
  readonly platform: NodeJS.Platform;
}

/** What was worked out once, and the stamps of everything that it depends on. Contains no secret. */
export interface Kept extends RecordKey {
  readonly version: string;
  /** Of files and folders, by path. For a folder, whose path ends with a slash: of its Terraform files. */
  readonly stamps: Readonly<Record<string, string>>;
  readonly value: unknown;
}

/**
 * The kept value, if nothing that it depends on has changed. Synchronous, since this is all that `exec` does before it
 * starts the command.
 *
 * @returns undefined if there is no value, or it is outdated.
 */
export function recall(machine: Machine, key: RecordKey): unknown {
  try {
    const place = placeOf(machine, key);
    if (place === undefined || !isOwnFolder(place)) return undefined;
    const path = join(place.folder, place.name);
    if (!isOwn(lstatSync(path))) return undefined;
    const kept = JSON.parse(readFileSync(path, "utf8")) as Kept;
    if (kept.version !== __VERSION__ || !isAbout(kept, key)) return undefined;
    for (const [each, stamp] of Object.entries(kept.stamps)) {
      // A dangling link exists, too.
      if (stamp === "" ? isThere(each) : stampOf(each) !== stamp) return undefined;
    }
    return kept.value;
  } catch {
    // No record, or not ours: continue without it.
    return undefined;
  }
}

/** A file of ours. It is trusted only if nobody else can write to its folder. */
export interface RecordFile {
  /** The user's own cache or state folder, from the environment. */
  readonly base: string;
  /** Our folder in it. */
  readonly folder: string;
  readonly name: string;
  /** The folder that the file is about. */
  readonly about: string;
}

export function placeIn(
  base: string,
  kind: string,
  at: Pick<RecordFile, "name" | "about">,
): RecordFile {
  return { ...at, base, folder: join(base, OURS, kind) };
}

const OURS = "do-bootstrap";

/**
 * True for a folder that nobody else can write to or replace, and that no checkout can contain.
 *
 * @throws Error where it doesn't exist.
 */
export function isOwnFolder(place: RecordFile): boolean {
  const { folder } = place;
  return isUsersAlone(place) && isOurs(dirname(folder)) && isOurs(folder);
}

/** @returns false for a folder that isOwnFolder does not trust. */
export function makeOwnFolder(place: RecordFile): boolean {
  const { base, folder } = place;
  // Checked before the first folder is made, and again when the path with its links is final.
  if (!isUsersAlone(place)) return false;
  mkdirSync(base, { recursive: true, mode: 0o700 });
  if (!isUsersAlone(place)) return false;
  return [dirname(folder), folder].every((each) => {
    mkdirSync(each, { recursive: true, mode: 0o700 });
    return isOurs(each);
  });
}

/**
 * False for a folder that a repo may contain: in any checkout, also by its path alone, or in the folder that the file
 * is about. HOME itself may be a checkout. Also false if another user can replace our folder with one of the user's,
 * such as a checkout.
 */
export function isUsersAlone({ base, about }: Pick<RecordFile, "base" | "about">): boolean {
  const places = new Set([base, realpathOf(base)]);
  return ![...places].some(
    (place) => isInside(place, about) || foldersUp(place).some(isCheckout) || isExchangeable(place),
  );
}

/** The path with every link resolved. The part that doesn't exist yet is kept unchanged. */
function realpathOf(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    const above = dirname(path);
    return above === path ? path : join(realpathOf(above), basename(path));
  }
}

function isCheckout(folder: string): boolean {
  return CHECKOUT_MARKS.some((mark) => existsSync(join(folder, mark)));
}

const CHECKOUT_MARKS = [
  ...[".git", ".hg", ".jj", ".sl", ".svn", ".bzr", "_darcs", ".pijul", ".fslckout", "_FOSSIL_"],
];

function isOurs(folder: string): boolean {
  const stats = lstatSync(folder);
  return stats.isDirectory() && isOwn(stats) && (!HAS_MODES || (stats.mode & 0o022) === 0);
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function isAbout(kept: Kept, { kind, path, environment }: RecordKey): boolean {
  return kept.kind === kind && kept.path === path && kept.environment === environment;
}

/** Readable, so that a person can find it. Two paths with the same file name overwrite each other. */
export function placeOf(
  machine: Machine,
  { kind, path, environment }: RecordKey,
): RecordFile | undefined {
  const base = cacheFolder(machine);
  if (base === undefined) return undefined;
  const about = kind === "config" ? dirname(path) : path;
  const name = path.replace(/[^A-Za-z0-9.-]+/g, "_").slice(-150);
  const suffix = environment === undefined ? "" : `@${environment}`;
  return placeIn(base, kind, { name: `${name}${suffix}.json`, about });
}

/** The git root around a folder, or the folder itself. */
export function repoAround(folder: string): string {
  return foldersUp(folder).find((here) => existsSync(join(here, ".git"))) ?? folder;
}

export function cacheFolder(machine: Machine): string | undefined {
  return ownPlace(CACHE, machine);
}

const CACHE = { xdg: "XDG_CACHE_HOME", darwin: "Library/Caches", other: ".cache" };

const FOLDER = "folder";

/** Changes when the file changes, or the Terraform code in the folder. */
export function stampOf(path: string): string {
  if (!path.endsWith("/")) {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return "";
    // git changes the time of its folder constantly, so a folder's time does not count.
    return stats.isDirectory() ? FOLDER : `${stats.size}:${stats.mtimeMs}:${stats.ctimeMs}`;
  }
  let names: string[];
  try {
    names = readdirSync(path);
  } catch {
    return "";
  }
  const code = names.filter(isTerraformFile).sort();
  return [FOLDER, ...code.map((name) => `${name}:${stampOf(path + name)}`)].join();
}
