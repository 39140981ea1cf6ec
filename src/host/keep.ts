import { lstatSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { renameNow, unlinkNow } from "./held.ts";
import { isOwn } from "./ours.ts";
import { isDead, makerOf, newTag } from "./owner.ts";
import {
  type Kept,
  type Machine,
  makeOwnFolder,
  placeOf,
  type RecordFile,
  type RecordKey,
  stampOf,
} from "./record.ts";

/** More records than this mean that each run uses a new folder. */
const MAX_RECORDS = 500;

/**
 * Keeps a value for the next run. If that fails, the next run is just slower.
 *
 * @param from.inputs paths of everything that the value depends on. A folder's path ends with a slash.
 * @param from.since when reading them began, in milliseconds since the epoch.
 */
export function keep(
  machine: Machine,
  key: RecordKey,
  value: unknown,
  from: { readonly inputs: readonly string[]; readonly since: number },
): void {
  const place = placeOf(machine, key);
  if (place === undefined) return;
  try {
    const stamps = Object.fromEntries(from.inputs.map((input) => [input, stampOf(input)]));
    if (newestOf(Object.values(stamps)) > from.since - CLOCK_TICK_MS) return;
    if (!makeOwnFolder(place)) return;
    const names = readdirSync(place.folder);
    if (names.length >= MAX_RECORDS) {
      for (const each of names) dropRecord(machine, place.folder, each);
    }
    const kept: Kept = { version: __VERSION__, ...key, stamps, value };
    writeOwn(place, JSON.stringify(kept));
  } catch {
    // No space in the home folder, or no permission to write.
  }
}

/** A record says what it is about, which determines its file name. No other file does. */
function dropRecord(machine: Machine, folder: string, name: string): void {
  const path = join(folder, name);
  try {
    if (!lstatSync(path).isFile()) return;
    const kept = JSON.parse(readFileSync(path, "utf8")) as Kept;
    if (placeOf(machine, kept)?.name === name) dropOwn(path);
  } catch {
    // A temporary file, or not ours.
  }
}

/**
 * Writes a file in our folder, completely or not at all. Removes what killed writes left there.
 *
 * @throws Error of the file system.
 */
export function writeOwn({ folder, name }: RecordFile, text: string | Uint8Array): void {
  sweepOwn(folder);
  const temporary = join(folder, `${name}.${newTag()}`);
  try {
    writeFileSync(temporary, text, { mode: 0o600, flag: "wx", flush: true });
    renameNow(temporary, join(folder, name));
  } catch (error) {
    // A file that already existed is not ours.
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") dropOwn(temporary);
    throw error;
  }
}

/** Removes what killed writes left behind. */
export function sweepOwn(folder: string): void {
  for (const name of readdirSync(folder)) {
    const [, tag = ""] = /\.(?:json|code)\.([^.]+)$/.exec(name) ?? [];
    const maker = makerOf(tag);
    const path = join(folder, name);
    const stats = maker && lstatSync(path, { throwIfNoEntry: false });
    if (stats && isDead({ ...maker, since: stats.mtimeMs })) dropOwn(path);
  }
}

/** Removes a link but not its target. Does not remove folders. */
export function dropOwn(path: string): void {
  try {
    if (isOwn(lstatSync(path))) unlinkNow(path);
  } catch {
    // It no longer exists.
  }
}

/** A file's time is the last tick of the kernel's clock, so it may be this much too early. */
const CLOCK_TICK_MS = 10;

/** The newest time in the stamps. A file that changed during the read may have been read before the change. */
function newestOf(stamps: readonly string[]): number {
  const times = stamps
    .flatMap((stamp) => stamp.split(","))
    .flatMap((each) => each.split(":").slice(-2));
  return Math.max(0, ...times.map(Number).filter(Number.isFinite));
}
