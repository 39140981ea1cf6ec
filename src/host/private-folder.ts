import type { Stats } from "node:fs";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../errors/app-error.ts";
import { hint } from "../errors/hint.ts";
import { exchanged, type Folder, inFolder, isRemoved, isSame } from "./folder.ts";
import { rename, rmdir, unlink } from "./held.ts";
import { HAS_MODES, isExchangeable, isOpenToOthers, isOwn } from "./ours.ts";
import { ageOf, isDead, makerOf, newTag, type Owner } from "./owner.ts";

/**
 * A folder of ours next to a user's files, for one file. Its name has a unique tag, and the file in it has the same
 * name. Even if the folder is replaced, a file of that name in it is ours.
 */
interface Kind {
  readonly start: string;
  readonly end: string;
  /** The ending of the file in it. */
  readonly ending: string;
  /** The age in ms from which it is a leftover. Only its own machine knows whether its maker has ended. */
  readonly afterMs: number;
  /** How often to retry the removal, since another process may still be writing. */
  readonly retries: number;
}

export const KINDS = {
  /** For a write, which takes some ms. */
  write: { start: ".env.do-bootstrap-", end: ".local", ending: "", afterMs: 60_000, retries: 0 },
  /** For a doctl run, which may take 120 s. */
  doctl: { start: ".do-bootstrap-", end: "", ending: ".yaml", afterMs: 180_000, retries: 3 },
} as const satisfies Readonly<Record<string, Kind>>;

export interface PrivateFile {
  /** Its path, valid for one call. */
  readonly at: () => Promise<string>;
  /** Its path for another process, without links. */
  readonly path: string;
  /** Hides it from git, whatever the repo's patterns. */
  readonly hide: () => Promise<void>;
}

/** One of these folders, by name. */
interface Made {
  readonly name: string;
  readonly kind: Kind;
  /** The folder that contains it. */
  readonly parent: Folder;
}

/**
 * Makes a private folder (0700) for one file. It is removed when `use` ends.
 *
 * @throws AppError CHANGED_MEANWHILE; Error of the file system.
 */
export async function withPrivateFile<T>(
  parent: Folder,
  kind: Kind,
  use: (file: PrivateFile) => Promise<T>,
): Promise<T> {
  const made: Made = { name: `${kind.start}${newTag()}${kind.end}`, kind, parent };
  const path = join(parent.path, made.name);
  await fs.mkdir(await parent.at(made.name), 0o700);
  try {
    return await inFolder(path, (folder) => useIn(folder, made, use), parent);
  } catch (error) {
    // A folder that could not be opened is empty.
    await rmdir(() => parent.at(made.name)).catch(() => undefined);
    throw error;
  }
}

async function useIn<T>(
  folder: Folder,
  made: Made,
  use: (file: PrivateFile) => Promise<T>,
): Promise<T> {
  // On a file system without owners, everything has the same one.
  const isMine = isOwn(folder.stats) || folder.stats.uid === made.parent.stats.uid;
  if (!isMine || (await folder.list()).length > 0) throw exchanged(folder.path);
  const hidden = hiding(made);
  try {
    return await use({
      path: join(folder.path, fileIn(made)),
      at: () => folder.at(fileIn(made)),
      async hide() {
        // Renamed into place when complete: an empty one might be anybody's.
        await fs.writeFile(await folder.at(fileIn(made)), hidden, { flag: "wx", mode: 0o600 });
        await rename(async () => [await folder.at(fileIn(made)), await folder.at(IGNORE_FILE)]);
      },
    });
  } finally {
    for (let left = made.kind.retries; !(await isDropped(folder, made, true)) && left > 0; left--) {
      await new Promise((wake) => setTimeout(wake, 50));
    }
  }
}

function fileIn({ name, kind }: Made): string {
  return name + kind.ending;
}

const IGNORE_FILE = ".gitignore";

/** git prefers the patterns closest to a file, so the repo's own patterns cannot override this one. */
function hiding({ name }: Made): string {
  return `# ${name}\n*\n`;
}

/**
 * Removes what we put there, by name. The ignore file is removed last, and a folder with other files stays. A failure
 * does not matter: the next run removes the rest.
 *
 * @param isOurs true if the folder is known to be ours, even if no file in it proves that.
 * @returns false if the folder still exists.
 */
async function isDropped(folder: Folder, made: Made, isOurs: boolean): Promise<boolean> {
  try {
    const hasOurs = await unlink(() => folder.at(fileIn(made))).then(
      () => true,
      () => false,
    );
    const rest = await folder.list();
    if (rest.some((name) => name !== IGNORE_FILE)) return false;
    if (rest.length > 0) {
      const text = await fs.readFile(await folder.at(IGNORE_FILE), "latin1");
      if (text !== hiding(made)) return false;
      await unlink(() => folder.at(IGNORE_FILE));
    }
    if (!isOurs && !hasOurs && rest.length === 0) return false;
    return isRemoved(made.parent, folder);
  } catch {
    return false;
  }
}

/** The kind of folder, from its name. */
function kindOf(name: string): { readonly kind: Kind; readonly maker: Owner } | undefined {
  for (const kind of Object.values(KINDS)) {
    const isIt = name.startsWith(kind.start) && name.endsWith(kind.end);
    const maker = isIt && makerOf(name.slice(kind.start.length, name.length - kind.end.length));
    if (maker) return { kind, maker };
  }
  return undefined;
}

/** True for the name of something that a run may leave behind. */
export function isOfOurs(name: string): boolean {
  return kindOf(name) !== undefined;
}

/**
 * Removes what a killed run left under this name, if we can tell that we made it. Another user's files stay, and so
 * does everything in a directory whose entries another user may replace, unless it is our own.
 */
export async function dropLeftOver(parent: Folder, name: string): Promise<void> {
  const found = kindOf(name);
  if (found === undefined || (!isOwn(parent.stats) && isOpenToOthers(parent.stats))) return;
  const stats = await fs.lstat(await parent.at(name));
  const isOver = isDead(found.maker) || ageOf(stats) > found.kind.afterMs;
  if (!isOver || !isOwn(stats) || !stats.isDirectory()) return;
  const made: Made = { name, kind: found.kind, parent };
  const drop = async (folder: Folder) => {
    if (isOwn(folder.stats)) await isDropped(folder, made, isPrivate(folder.stats));
  };
  await inFolder(join(parent.path, name), drop, parent);
}

/**
 * True for a folder with the mode of ours. Others could rename one of the user's folders to our name only if they may
 * write to it.
 */
function isPrivate(stats: Stats): boolean {
  return isOwn(stats) && stats.isDirectory() && (!HAS_MODES || (stats.mode & 0o777) === 0o700);
}

const OWN = "do-bootstrap-";

/**
 * A folder that is removed with its content. Only this user can enter or replace it. Also removes what killed runs left
 * next to it.
 *
 * @throws AppError WRITE_FAILED where others can replace what is in `parent`.
 */
export async function withOwnFolder<T>(
  parent: string,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  const base = await fs.realpath(parent);
  if (isExchangeable(base)) {
    throw new AppError("WRITE_FAILED", `Other users can replace files in ${base}.`, {
      hint: hint`Set TMPDIR or XDG_STATE_HOME to a folder that only you can write to.`,
    });
  }
  for (const name of await fs.readdir(base)) {
    const maker = name.startsWith(OWN) ? makerOf(name.slice(OWN.length)) : undefined;
    const isOver = ({ mtimeMs }: Stats) =>
      maker !== undefined && isDead({ ...maker, since: mtimeMs });
    if (maker !== undefined) {
      await dropAll(join(base, name), (stats) => isPrivate(stats) && isOver(stats));
    }
  }
  const { default: temporary } = await import("tmp-promise");
  const { path } = await temporary.dir({ tmpdir: base, name: OWN + newTag(), mode: 0o700 });
  const made = await fs.lstat(path);
  try {
    return await use(path);
  } finally {
    await dropAll(path, (now) => isSame(now, made));
  }
}

/** Nobody else can replace what is in its parent, so there is no race after the check. */
async function dropAll(folder: string, isOurs: (stats: Stats) => boolean): Promise<void> {
  const stats = await fs.lstat(folder).catch(() => undefined);
  if (stats === undefined || !isOurs(stats)) return;
  // The next run removes what is left.
  await fs
    .rm(folder, { recursive: true, force: true, maxRetries: 3, retryDelay: 50 })
    .catch(() => undefined);
}
