import {
  lstatSync,
  readdirSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
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

/** Beyond that, somebody makes a folder for each run. */
const MAX_RECORDS = 500;

/**
 * Keeps a value for the next run. Where that is not possible, the next run is slow again.
 *
 * @param from.inputs paths of all that it follows from; a folder's ends with a slash.
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
    // A home without room or leave to write.
  }
}

/** A record says what it is about, and so what its name has to be: no other file does. */
function dropRecord(machine: Machine, folder: string, name: string): void {
  const path = join(folder, name);
  try {
    if (!lstatSync(path).isFile()) return;
    const kept = JSON.parse(readFileSync(path, "utf8")) as Kept;
    if (placeOf(machine, kept)?.name === name) dropOwn(path);
  } catch {
    // A temporary file, or none of ours.
  }
}

/**
 * Writes a file in a folder of ours: whole or not at all. What writes that were killed have left there goes.
 *
 * @throws Error of the file system.
 */
export function writeOwn({ folder, name }: RecordFile, text: string | Uint8Array): void {
  sweepOwn(folder);
  const temporary = join(folder, `${name}.${newTag()}`);
  try {
    writeFileSync(temporary, text, { mode: 0o600, flag: "wx", flush: true });
    renameSync(temporary, join(folder, name));
  } catch (error) {
    // What stood there already is not ours.
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") dropOwn(temporary);
    throw error;
  }
}

/** Takes away what writes that were killed have left. */
export function sweepOwn(folder: string): void {
  for (const name of readdirSync(folder)) {
    const [, tag = ""] = /\.(?:json|code)\.([^.]+)$/.exec(name) ?? [];
    const maker = makerOf(tag);
    if (maker && isDead(maker)) dropOwn(join(folder, name));
  }
}

/** Of a link, what it leads to stays; a folder does, too. */
export function dropOwn(path: string): void {
  try {
    if (isOwn(lstatSync(path))) unlinkSync(path);
  } catch {
    // It is gone.
  }
}

/** A file's time is that of the last tick of the kernel's clock. */
const CLOCK_TICK_MS = 10;

/** What was changed while it was read may have been read before the change. */
function newestOf(stamps: readonly string[]): number {
  const times = stamps
    .flatMap((stamp) => stamp.split(","))
    .flatMap((each) => each.split(":").slice(-2));
  return Math.max(0, ...times.map(Number).filter(Number.isFinite));
}
