import { constants, type Stats } from "node:fs";
import * as fs from "node:fs/promises";
import { basename, join } from "node:path";
import { AppError } from "../errors/app-error.ts";
import { hint } from "../errors/hint.ts";
import { rmdir } from "./held.ts";

/**
 * A directory that is held open: its paths lead into that very directory, even after another user has put a link or
 * another directory in its place.
 */
export interface Folder {
  /** Where it was when it was opened, without links. */
  readonly path: string;
  readonly stats: Stats;
  /**
   * The path of a name in it, for one call.
   *
   * @throws AppError CHANGED_MEANWHILE where another directory has taken its place.
   */
  at(name: string): Promise<string>;
  /** @throws Error where it cannot be listed. */
  list(): Promise<readonly string[]>;
  /** Flushes its entries to the disk, if the system can. */
  sync(): Promise<void>;
}

/** Directories that cannot be opened, such as all on Windows, are compared before each call instead. */
const AS_FOLDER = constants.O_RDONLY | (constants.O_DIRECTORY ?? 0) | (constants.O_NOFOLLOW ?? 0);

/**
 * Holds a directory open while `use` runs.
 *
 * @param path without links. A link is refused.
 * @param parent the open directory that contains it. Without one, the path is trusted this once.
 * @throws AppError CHANGED_MEANWHILE; Error of the file system.
 */
export async function inFolder<T>(
  path: string,
  use: (folder: Folder) => Promise<T>,
  parent?: Folder,
): Promise<T> {
  const place = async () => (parent === undefined ? path : parent.at(basename(path)));
  const opened = process.platform === "win32" ? undefined : await open(await place());
  try {
    const stats = await (opened?.stat() ?? fs.lstat(await place()));
    if (!stats.isDirectory()) throw exchanged(path);
    const through = opened && (await throughProc(opened, stats));
    return await use({
      path,
      stats,
      async at(name) {
        if (through !== undefined) return join(through, name);
        // Without /proc there is a short gap between this check and the call.
        if (!isSame(await fs.lstat(await place()), stats)) throw exchanged(path);
        return join(path, name);
      },
      async list() {
        return fs.readdir(await this.at("."));
      },
      async sync() {
        // Some network file systems can't. The rename is atomic anyway.
        await opened?.sync().catch(() => undefined);
      },
    });
  } finally {
    await opened?.close();
  }
}

/** @returns undefined for a directory that may be written to but not listed. */
async function open(path: string): Promise<fs.FileHandle | undefined> {
  return fs.open(path, AS_FOLDER).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "EACCES") return undefined;
    throw error;
  });
}

/** On Linux, this path leads into the open directory, even after it was moved. */
async function throughProc(opened: fs.FileHandle, stats: Stats): Promise<string | undefined> {
  const path = `/proc/self/fd/${opened.fd}`;
  const seen = await fs.stat(path).catch(() => undefined);
  return seen && isSame(seen, stats) ? path : undefined;
}

/** Identifies a folder, even if another one takes its place. */
export type Place = Pick<Folder, "path" | "stats">;

/** Removes a folder, if it is still the same one and empty. @returns false if it was not removed. */
export async function isRemoved(parent: Folder, folder: Place): Promise<boolean> {
  try {
    const at = () => parent.at(basename(folder.path));
    if (!isSame(await fs.lstat(await at()), folder.stats)) return false;
    await rmdir(at);
    return true;
  } catch {
    return false;
  }
}

/** The same file or directory. */
export function isSame(one: Pick<Stats, "dev" | "ino">, other: Pick<Stats, "dev" | "ino">) {
  return one.dev === other.dev && one.ino === other.ino;
}

export function exchanged(path: string): AppError {
  return new AppError(
    "CHANGED_MEANWHILE",
    `${path} was replaced by another process during this run.`,
    {
      hint: hint`Nothing was changed. Run the same command again.`,
    },
  );
}
