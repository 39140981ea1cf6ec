import { renameSync, unlinkSync } from "node:fs";
import * as fs from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";

/**
 * Renames a file. On Windows, a file that another process has open can't be replaced or removed: a run that reads it, an
 * editor, or a virus scanner, usually for some milliseconds. All functions here try again for 5 s.
 *
 * @param paths from and to. Called before each try, since other processes go on in between.
 * @throws Error of the file system; that of `paths`.
 */
export function rename(paths: () => Promise<readonly [from: string, to: string]>): Promise<void> {
  return whenFree(async () => fs.rename(...(await paths())));
}

/** Gives a file a second name. @param paths called before each try. */
export function link(paths: () => Promise<readonly [from: string, to: string]>): Promise<void> {
  return whenFree(async () => fs.link(...(await paths())));
}

/** @param path called before each try. */
export function unlink(path: () => Promise<string>): Promise<void> {
  return whenFree(async () => fs.unlink(await path()));
}

/** Removes an empty folder. @param path called before each try. */
export function rmdir(path: () => Promise<string>): Promise<void> {
  return whenFree(async () => fs.rmdir(await path()));
}

/** Renames a file, synchronously. */
export function renameNow(from: string, to: string): void {
  whenFreeNow(() => renameSync(from, to));
}

/** Removes a file, synchronously. */
export function unlinkNow(path: string): void {
  whenFreeNow(() => unlinkSync(path));
}

/** After each of these times in ms: 5 s together. */
export const PAUSES: readonly number[] = [5, 10, 20, 40, 75, 100, ...Array(19).fill(250)];

interface Waiting {
  readonly isWindows: boolean;
  readonly sleep: (ms: number) => unknown;
}

/** @throws what `act` throws at last, or an error that waiting does not help. */
export async function whenFree<T>(
  act: () => Promise<T>,
  { isWindows, sleep }: Waiting = { isWindows: process.platform === "win32", sleep: wait },
): Promise<T> {
  for (const pause of isWindows ? PAUSES : []) {
    try {
      return await act();
    } catch (error) {
      if (!isHeld(error)) throw error;
    }
    await sleep(pause);
  }
  return act();
}

function whenFreeNow<T>(act: () => T): T {
  for (const pause of process.platform === "win32" ? PAUSES : []) {
    try {
      return act();
    } catch (error) {
      if (!isHeld(error)) throw error;
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pause);
  }
  return act();
}

/** True for the codes of a file in use. A file that may not be changed has the same ones. */
function isHeld(error: unknown): boolean {
  return ["EPERM", "EACCES", "EBUSY"].includes((error as NodeJS.ErrnoException).code ?? "");
}
