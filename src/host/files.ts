import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  realpathSync,
  type Stats,
  statSync,
} from "node:fs";
import * as fs from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { AppError, asAppError } from "../errors/app-error.ts";
import { hint, run } from "../errors/hint.ts";
import { isExhausted, systemHint } from "../errors/system-error.ts";
import { foldersUp, isInside, withoutLongPrefix } from "../lib/paths.ts";
import { type Folder, inFolder, isRemoved, isSame, type Place } from "./folder.ts";
import { rename, unlink } from "./held.ts";
import type { Entry, FileSnapshot, Files, LookOptions, Snapshot, Undo } from "./host.ts";
import { HAS_MODES, isExchangeable, isOwn } from "./ours.ts";
import { dropLeftOver, isOfOurs, KINDS, withOwnFolder, withPrivateFile } from "./private-folder.ts";

/** Enough for the files of a repo that we need. Larger ones are not read. */
const MAX_BYTES = 4 * 1024 * 1024;
/** The writer of a FIFO (1Password) may first ask for approval. */
const FIFO_WAIT_MS = 10_000;

/**
 * The files that one run sees.
 *
 * @param repo the root of its repo. A path that a link puts outside the repo is not read (docs/design.md rule 4).
 * @param interrupted once it fires, nothing more is read. A write in progress is completed or undone.
 */
export function filesOf(repo?: string, interrupted?: AbortSignal): Files {
  const real = repo === undefined ? undefined : realpath(repo);
  const linkOut = (path: string, target: string) =>
    repo !== undefined && isBelow(path, repo) && !isInside(target, real ?? repo)
      ? firstLinkOut(path, repo, real ?? repo)
      : undefined;
  // In a repo, only links within the repo are followed, whoever made them.
  const linkOfOther = (path: string, target: string) =>
    repo !== undefined && isBelow(path, repo) ? undefined : linkOfAnother(path, target);
  return {
    get steady() {
      return filesOf(repo);
    },
    look: (path, options) => look(path, { ...options, interrupted }, linkOut, linkOfOther),
    async list(directory) {
      refuseIf(interrupted);
      return list(directory);
    },
    async entries(directory) {
      // What reads and parses a tree does so synchronously: signals are handled between two folders.
      await nextTurn();
      refuseIf(interrupted);
      return entries(directory);
    },
    realpath: async (path) => realpath(path),
    async leftOvers(directory) {
      refuseIf(interrupted);
      const folders = list(directory)
        .filter(isOfOurs)
        .map((name) => join(directory, name));
      const paths = folders.flatMap((folder) => list(folder).map((name) => join(folder, name)));
      return paths.filter((path) => basename(path) !== ".gitignore");
    },
    async sweep(directory) {
      const isOut = linkOut(resolve(directory), realpath(directory)) !== undefined;
      return isOut ? list(directory) : sweep(directory);
    },
    ...{
      whyNotWritable,
      replace,
      remove,
      makeDirectory,
      withDoctlFile,
      withOwnFolder,
    },
  };
}

export const nodeFiles: Files = filesOf();

function refuseIf(interrupted: AbortSignal | undefined): void {
  if (interrupted?.aborted) throw new AppError("INTERRUPTED", "Interrupted.");
}

type LinkOut = (path: string, target: string) => string | undefined;

/** Below the repo's root by path. git's own folder doesn't count: a clone brings nothing in it. */
function isBelow(path: string, repo: string): boolean {
  return isInside(path, repo) && !isInside(path, join(repo, ".git"));
}

function firstLinkOut(path: string, repo: string, real: string): string {
  const above = foldersUp(path, repo).slice(0, -1).reverse();
  for (const each of above) if (!isInside(realpath(each), real)) return each;
  return path;
}

async function look(
  path: string,
  {
    maxBytes = MAX_BYTES,
    maxLines,
    waitForFifo = false,
    interrupted,
  }: LookOptions & { readonly interrupted?: AbortSignal | undefined } = {},
  linkOut?: LinkOut,
  linkOfOther?: LinkOut,
): Promise<Snapshot> {
  refuseIf(interrupted);
  const target = realpath(path);
  const link = linkOut?.(resolve(path), target);
  try {
    const planted = linkOfOther?.(resolve(path), target);
    if (planted !== undefined) {
      return {
        kind: "unusable",
        path,
        target,
        why: `behind ${planted}, a link owned by another user`,
      };
    }
    const stats = statSync(target);
    const isReadable = stats.isFIFO() || stats.isFile();
    if (link !== undefined && isReadable) {
      const why = `outside the repo: ${link} resolves to ${target}`;
      return { kind: "unusable", path, target, why, link };
    }
    if (stats.isFIFO() && waitForFifo)
      return await lookAtFifo(path, target, { maxBytes, interrupted });
    if (!stats.isFile()) return { kind: "unusable", path, target, why: nameOf(stats) };
    const tooLarge = largerThan(maxBytes);
    if (stats.size > maxBytes) return { kind: "unusable", path, target, why: tooLarge };
    const found = lookAtFile(path, target, maxBytes);
    if (found === undefined) return { kind: "unusable", path, target, why: tooLarge };
    if (maxLines === undefined || linesIn(found.bytes, maxLines) <= maxLines) return found;
    return { kind: "unusable", path, target, why: `longer than ${maxLines} lines` };
  } catch (error) {
    if (error instanceof AppError) throw error;
    const code = codeOf(error);
    if (code === "ENOENT" || code === "ENOTDIR") {
      return { kind: "absent", path, target, ...(link && { link }) };
    }
    if (isExhausted(error)) throw asAppError(error);
    return { kind: "unusable", path, target, why: `not readable (${code})` };
  }
}

/**
 * The first link in a path that belongs to another user, and whose target does not belong to that user. Links of root
 * are followed. So are links in a colleague's checkout to other files in it.
 */
function linkOfAnother(path: string, target: string): string | undefined {
  if (path === target) return undefined;
  const statsOf = (each: string) => lstatSync(each, { throwIfNoEntry: false });
  const end = foldersUp(target).map(statsOf).find(Boolean);
  return foldersUp(path)
    .reverse()
    .find((each) => {
      const stats = statsOf(each);
      if (!stats?.isSymbolicLink()) return false;
      return !isOwn(stats) && stats.uid !== 0 && stats.uid !== end?.uid;
    });
}

/** @returns the number of lines, or some number above `most`. */
function linesIn(bytes: Buffer, most: number): number {
  let lines = 1;
  for (let at = bytes.indexOf(10); at >= 0 && lines <= most; at = bytes.indexOf(10, at + 1))
    lines++;
  return lines;
}

function largerThan(bytes: number): string {
  return `larger than ${bytes / 1024 / 1024} MB`;
}

/** O_NOFOLLOW: the path has no links, so a link there now was put there since. */
const TO_READ = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0);

// Synchronous: promises take ten times as long, and a run reads a hundred files.
function lookAtFile(
  path: string,
  target: string,
  maxBytes: number,
  at = target,
): FileSnapshot | undefined {
  const fd = openSync(at, TO_READ);
  try {
    const bytes = readUpTo(fd, maxBytes);
    if (bytes === undefined) return undefined;
    const { mode: bits, uid, gid, mtimeMs, atimeMs } = fstatSync(fd);
    const mode = HAS_MODES ? bits & 0o777 : undefined;
    return { kind: "file", path, target, bytes, mode, uid, gid, mtimeMs, atimeMs };
  } finally {
    closeSync(fd);
  }
}

const CHUNK_BYTES = 64 * 1024;

/** A file in /proc has size 0 and may be endless, so the size is not trusted. @returns undefined above `maxBytes`. */
function readUpTo(fd: number, maxBytes: number): Buffer | undefined {
  const chunks: Buffer[] = [];
  for (let size = 0; size <= maxBytes; ) {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    const bytesRead = readSync(fd, chunk, 0, CHUNK_BYTES, null);
    if (bytesRead === 0) return Buffer.concat(chunks);
    chunks.push(chunk.subarray(0, bytesRead));
    size += bytesRead;
  }
  return undefined;
}

/** Opened without blocking, since an open that waits for a writer cannot be cancelled. */
async function lookAtFifo(
  path: string,
  target: string,
  { maxBytes, interrupted }: { maxBytes: number; interrupted: AbortSignal | undefined },
): Promise<Snapshot> {
  const handle = await fs.open(target, TO_READ);
  const deadline = performance.now() + FIFO_WAIT_MS;
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    while (performance.now() < deadline) {
      refuseIf(interrupted);
      const { bytesRead, buffer } = await handle
        .read(Buffer.alloc(64 * 1024), 0, 64 * 1024, null)
        .catch((error: unknown) => {
          if (codeOf(error) === "EAGAIN") return { bytesRead: -1, buffer: Buffer.alloc(0) };
          throw error;
        });
      if (bytesRead > 0) chunks.push(buffer.subarray(0, bytesRead));
      size += Math.max(0, bytesRead);
      if (size > maxBytes) return { kind: "unusable", path, target, why: largerThan(maxBytes) };
      if (bytesRead > 0) continue;
      if (bytesRead === 0 && chunks.length > 0) {
        return { kind: "fifo", path, target, bytes: Buffer.concat(chunks) };
      } else await new Promise((wake) => setTimeout(wake, 10));
    }
  } finally {
    await handle.close();
  }
  return {
    kind: "unusable",
    path,
    target,
    why: `a FIFO that received no data for ${FIFO_WAIT_MS / 1000} s`,
  };
}

function list(directory: string): readonly string[] {
  try {
    return readdirSync(directory).sort();
  } catch (error) {
    if (isExhausted(error)) throw asAppError(error);
    return [];
  }
}

function entries(directory: string): readonly Entry[] | string {
  try {
    const found = readdirSync(directory, { withFileTypes: true });
    const all = found.map((entry) => ({ name: entry.name, kind: kindOf(entry) }));
    return all.sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    const code = codeOf(error);
    return code === "ENOENT" ? [] : `not readable (${code})`;
  }
}

function kindOf(entry: Pick<Stats, "isFile" | "isDirectory" | "isSymbolicLink">): Entry["kind"] {
  if (entry.isSymbolicLink()) return "link";
  if (entry.isDirectory()) return "directory";
  return entry.isFile() ? "file" : "other";
}

/** The limit of Linux. A link through a missing folder may form a loop. */
const MOST_LINKS = 40;

function realpath(path: string, links = 0): string {
  const absolute = resolve(path);
  try {
    return realpathSync.native(absolute);
  } catch (error) {
    if (isExhausted(error)) throw asAppError(error);
    if (codeOf(error) !== "ENOENT" || absolute === dirname(absolute)) return absolute;
    const link = linkAt(absolute);
    const parent = realpath(dirname(absolute), links);
    if (link === undefined || links === MOST_LINKS) return join(parent, basename(absolute));
    return realpath(resolve(parent, link), links + 1);
  }
}

function linkAt(path: string): string | undefined {
  try {
    return linkText(readlinkSync(path));
  } catch {
    return undefined;
  }
}

/** A link's target. */
function linkText(target: string): string {
  return process.platform === "win32" ? withoutLongPrefix(target) : target;
}

async function whyNotWritable(directory: string): Promise<string | undefined> {
  try {
    await fs.access(directory, constants.W_OK | constants.X_OK);
    const stats = await fs.stat(directory);
    return stats.isDirectory() ? undefined : `${directory} is ${nameOf(stats)}`;
  } catch (error) {
    const code = codeOf(error);
    if (code !== "ENOENT" || directory === dirname(directory)) {
      return `${directory} is not writable (${code})`;
    }
    return whyNotWritable(dirname(directory));
  }
}

async function replace(before: Snapshot, bytes: Uint8Array, mode: number): Promise<Undo> {
  const { target } = before;
  const write = async (folder: Folder): Promise<Undo> => {
    await put(folder, basename(target), bytes, {
      async dress(handle) {
        await handle.chmod(mode);
        if (before.kind === "file") await keepOwner(handle, before, mode);
      },
      last: () => assertUnchanged(before, folder),
    });
    return () => inSame(folder, (now) => restoreIn(now, before, bytes));
  };
  return changed(before, "written", () => inFolder(dirname(target), write));
}

async function changed<T>(
  { path }: Snapshot,
  how: "written" | "removed",
  change: () => Promise<T>,
): Promise<T> {
  try {
    return await change();
  } catch (error) {
    throw error instanceof AppError ? error : writeFailed(`${path} could not be ${how}`, error);
  }
}

interface Put {
  /** Gives the empty file its mode and owner, whatever the umask. */
  readonly dress: (handle: fs.FileHandle) => Promise<void>;
  /** Called when everything is written, before the file is closed. */
  readonly finish?: (handle: fs.FileHandle) => Promise<void>;
  /** Called just before each try to replace the target. */
  readonly last?: () => Promise<void>;
  /** There may be no space for the file that hides it from git. */
  readonly unhidden?: true;
}

async function put(
  folder: Folder,
  name: string,
  bytes: Uint8Array,
  { dress, finish, last, unhidden }: Put,
): Promise<void> {
  await withPrivateFile(folder, KINDS.write, async (file) => {
    if (!unhidden) await file.hide();
    const handle = await fs.open(await file.at(), "wx", 0o600);
    try {
      await dress(handle);
      await handle.writeFile(bytes);
      await finish?.(handle);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(async () => {
      await last?.();
      return [await file.at(), await folder.at(name)];
    });
  });
  await folder.sync();
}

/** The new file would belong to us. The owner of the old file could no longer use it, and our group could. */
async function keepOwner(
  handle: fs.FileHandle,
  { path, uid, gid }: FileSnapshot,
  mode: number,
): Promise<void> {
  const made = await handle.stat();
  if (made.uid === uid && made.gid === gid) return;
  try {
    await handle.chown(uid, gid);
  } catch (error) {
    const isMine = made.uid === uid;
    if (isMine && mode === forAnyGroup(mode)) return;
    // EINVAL: a user or group that this container does not know.
    if (!["EPERM", "EINVAL"].includes(codeOf(error))) throw error;
    const whose = isMine ? `a group that you are not in (${gid})` : `another user (${uid})`;
    const fix = isMine
      ? hint`Run the same command as root, or remove the group's permissions: ${run("chmod", "g=o", { path })}`
      : hint`Run the same command as the owner of the file, or change the owner with chown.`;
    throw new AppError("WRITE_FAILED", `${path} belongs to ${whose}.`, {
      hint: hint`Nothing was changed. ${fix}`,
      cause: error,
    });
  }
}

/** The permission bits that are safe whichever group the file has. */
function forAnyGroup(mode: number): number {
  const both = (mode >> 3) & mode & 0o7;
  return (mode & 0o700) | (both << 3) | both;
}

async function remove(before: FileSnapshot, emptyBelow?: string): Promise<Undo> {
  const name = basename(before.path);
  return changed(before, "removed", async () => {
    const path = realpath(dirname(before.path));
    const top = emptyBelow === undefined ? path : realpath(emptyBelow);
    return inFolder(path, async (folder): Promise<Undo> => {
      // Only the link is removed, not its target.
      const link = await fs.readlink(await folder.at(name)).then(linkText, () => undefined);
      await assertUnchanged(before, link === undefined ? folder : undefined);
      await unlink(() => folder.at(name));
      await folder.sync();
      const putBack = (now: Folder) =>
        link === undefined
          ? restoreIn(now, before, undefined)
          : now.at(name).then((at) => fs.symlink(link, at));
      const { gone, left } = await dropEmpty(folder, top);
      const again: Making = { mode: 0o777, made: [], last: putBack };
      return () => inSame(left, (now) => makeIn(now, gone, again));
    });
  });
}

/** @param folder the folder that the file is in: its path may lead elsewhere by now. */
async function assertUnchanged(before: Snapshot, folder?: Folder): Promise<void> {
  const seen = [await look(before.path)];
  if (folder !== undefined) seen.push(await lookIn(folder, basename(before.target)));
  if (seen.every((now) => isAsBefore(now, before))) return;
  throw new AppError(
    "CHANGED_MEANWHILE",
    `${before.path} was changed by another process during this run.`,
    {
      hint: hint`Nothing was changed. Run the same command again.`,
    },
  );
}

function isAsBefore(now: Snapshot, before: Snapshot): boolean {
  if (now.kind !== before.kind || now.target !== before.target) return false;
  if (now.kind !== "file" || before.kind !== "file") return true;
  const isSameOwner = now.uid === before.uid && now.gid === before.gid;
  return now.mode === before.mode && isSameOwner && now.bytes.equals(before.bytes);
}

/** What a name in a folder is. Links are not followed. */
async function lookIn(folder: Folder, name: string): Promise<Snapshot> {
  const path = join(folder.path, name);
  const at = await folder.at(name);
  try {
    const stats = await fs.lstat(at);
    const file = stats.isFile() ? lookAtFile(path, path, MAX_BYTES, at) : undefined;
    return file ?? { kind: "unusable", path, target: path, why: nameOf(stats) };
  } catch (error) {
    if (codeOf(error) === "ENOENT") return { kind: "absent", path, target: path };
    throw error;
  }
}

/** @param ours what we left there. If somebody else has written since, their version stays. */
async function restoreIn(
  folder: Folder,
  before: Snapshot,
  ours: Uint8Array | undefined,
): Promise<void> {
  const name = basename(before.target);
  const now = await lookIn(folder, name);
  const isOurs =
    now.kind === "file" ? ours && now.bytes.equals(ours) : now.kind === "absent" && !ours;
  if (!isOurs) return;
  if (before.kind === "absent") return unlink(() => folder.at(name));
  if (before.kind !== "file") return;
  const back: Put = {
    async dress(handle) {
      const { mode = 0o600 } = before;
      await handle.chmod(mode);
      // If another user's file was removed, it is better to restore it as ours than not at all.
      await keepOwner(handle, before, mode).catch(() => handle.chmod(forAnyGroup(mode)));
    },
    finish: (handle) => handle.utimes(secondsOf(before.atimeMs), secondsOf(before.mtimeMs)),
  };
  const again = () => put(folder, name, before.bytes, { ...back, unhidden: true });
  await put(folder, name, before.bytes, back).catch(again);
}

/** Node truncates to microseconds, even a number that is only slightly too small because of rounding. */
function secondsOf(ms: number): number {
  return (Math.floor(ms * 1000 + 0.1) + 0.5) / 1e6;
}

async function makeDirectory(path: string, mode: number): Promise<Undo> {
  const made: MadeFolder[] = [];
  const undo = async () => {
    // Only empty folders are removed: others may have put files there since.
    for (const { folder, parent } of made.toReversed()) {
      await inSame(parent, (now) => isRemoved(now, folder)).catch(() => undefined);
    }
  };
  try {
    const above = foldersUp(resolve(path));
    const isThere = await Promise.all(
      above.map((each) => fs.lstat(each).then(Boolean, () => false)),
    );
    const missing = above.slice(0, isThere.indexOf(true)).reverse();
    const top = realpath(above[missing.length] ?? path);
    await inFolder(top, (folder) =>
      makeIn(
        folder,
        missing.map((each) => basename(each)),
        { mode, made },
      ),
    );
    return undo;
  } catch (error) {
    await undo();
    throw error instanceof AppError ? error : writeFailed(`${path} could not be created`, error);
  }
}

interface MadeFolder {
  readonly folder: Place;
  readonly parent: Place;
}

/** Makes folders, each inside the previous one, which is held open. */
async function makeIn(
  parent: Folder,
  [name, ...rest]: readonly string[],
  { mode, made, last }: Making,
): Promise<void> {
  if (name === undefined) return last?.(parent);
  const isOurs = await fs.mkdir(await parent.at(name), mode).then(
    () => true,
    (error: unknown) => {
      if (codeOf(error) === "EEXIST") return false;
      throw error;
    },
  );
  // What is restored goes only into a folder that we made.
  if (!isOurs && last !== undefined) return;
  const goOn = async (folder: Folder) => {
    if (isOurs) made.push({ folder, parent });
    await makeIn(folder, rest, { mode, made, last });
  };
  await inFolder(join(parent.path, name), goOn, parent);
}

interface Making {
  readonly mode: number;
  /** Collects the folders that were created. */
  readonly made: MadeFolder[];
  /** Called with the last folder. */
  readonly last?: ((folder: Folder) => Promise<void>) | undefined;
}

/**
 * Removes a folder and its parents below `top`, as long as they are empty.
 *
 * @returns the names of the removed folders, and the folder that contained them.
 */
async function dropEmpty(folder: Place, top: string): Promise<{ gone: string[]; left: Place }> {
  if (folder.path === top || !isInside(folder.path, top)) return { gone: [], left: folder };
  const drop = async (parent: Folder) => {
    if (!(await isRemoved(parent, folder))) return { gone: [], left: folder };
    const { gone, left } = await dropEmpty(parent, top);
    return { gone: [...gone, basename(folder.path)], left };
  };
  return inFolder(dirname(folder.path), drop).catch(() => ({ gone: [], left: folder }));
}

/** Does nothing if another folder has taken its place: nothing in that one is ours. */
async function inSame(place: Place, use: (folder: Folder) => Promise<unknown>): Promise<void> {
  await inFolder(place.path, async (folder) => {
    if (isSame(folder.stats, place.stats)) await use(folder);
  });
}

async function sweep(directory: string): Promise<readonly string[]> {
  const names = await list(directory);
  const known = names.filter(isOfOurs);
  if (known.length === 0) return names;
  const dropAll = async (folder: Folder) => {
    for (const name of known) await dropLeftOver(folder, name).catch(() => undefined);
  };
  await inFolder(realpath(directory), dropAll).catch(() => undefined);
  return names;
}

async function withDoctlFile<T>(
  parent: string,
  use: (path: string) => Promise<T>,
): Promise<T | undefined> {
  const path = realpath(parent);
  try {
    if (isExchangeable(path)) return undefined;
    return await inFolder(path, (folder) =>
      withPrivateFile(folder, KINDS.doctl, async (file) => {
        await file.hide().catch((error: unknown) => {
          throw writeFailed(`A file in ${parent} could not be written`, error);
        });
        return use(file.path);
      }),
    );
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw writeFailed(`A folder in ${parent} could not be created`, error);
  }
}

/** The kind of file, in words. */
export function nameOf(stats: Stats): string {
  if (stats.isSymbolicLink()) return "a link";
  if (stats.isDirectory()) return "a directory";
  if (stats.isFIFO()) return "a FIFO";
  if (stats.isSocket()) return "a socket";
  return stats.isFile() ? "a file" : "a device";
}

/** @param what such as "/a/b could not be written". */
export function writeFailed(what: string, cause: unknown): AppError {
  const fix = isExhausted(cause) ? systemHint(codeOf(cause)) : undefined;
  return new AppError("WRITE_FAILED", `${what} (${codeOf(cause)}).`, {
    hint: hint`Nothing was changed. ${fix ?? "Fix the disk or the permissions and run the same command again."}`,
    cause,
  });
}

export function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException)?.code ?? String(error);
}
