import { randomUUID } from "node:crypto";
import { constants, type Stats } from "node:fs";
import * as fs from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { AppError, type ErrorCode } from "../errors/app-error.ts";
import { hint } from "../errors/hint.ts";
import { safe } from "../secret/safe.ts";
import { codeOf, nameOf, writeFailed } from "./files.ts";
import { type Folder, inFolder } from "./folder.ts";
import { link, rename, unlink } from "./held.ts";
import type { LockWait } from "./host.ts";
import { isOwn } from "./ours.ts";
import { ageOf, isDead, makerOf, newTag, type Owner, ourselves } from "./owner.ts";

const WAIT_MS = 60_000;
const RETRY_MS = 50;
/** The progress message appears 300 ms later, so after 1 s in total. */
const SAY_MS = 700;
/** The file of a waiting run may be as old as the longest wait. */
const LEFT_OVER_MS = 3 * WAIT_MS;

/** The content of the lock file. */
interface Holder extends Owner {
  readonly host: string;
  readonly id: string;
}

/** The names of the lock file, and of the file that this process creates to link it there. */
interface LockFile {
  readonly folder: Folder;
  readonly name: string;
  readonly own: string;
  readonly busy: ErrorCode;
}

/**
 * Runs `action` while only this process holds `path`, a small file that names its holder. If the holder was a process
 * of this machine that has ended, the lock is taken over immediately.
 *
 * @param path the links of its folder are resolved.
 * @throws AppError `wait.busy` after 60 s, naming the holder; immediately for a path that is not a lock file.
 */
export async function locked<T>(
  path: string,
  wait: LockWait,
  action: () => Promise<T>,
): Promise<T> {
  let isTaken = false;
  const take = async (folder: Folder) => {
    const me: Holder = { ...ourselves(), host: hostname(), id: randomUUID() };
    const name = basename(path);
    const { busy = "DOCTL_CONFIG_BUSY" } = wait;
    const place: LockFile = { folder, name, own: `${name}.${newTag()}`, busy };
    await makeOwn(place, JSON.stringify(me));
    await takeTurn(place, wait).finally(() => removed(folder, place.own));
    isTaken = true;
    try {
      await sweepAround(place);
      return await action();
    } finally {
      const holder = await readHolder(place, name).catch(() => undefined);
      if (holder?.id === me.id) await removed(folder, name);
    }
  };
  return inFolder(dirname(path), take).catch((error: unknown) => {
    if (isTaken || error instanceof AppError) throw error;
    if (wait.ifPossible) return action();
    throw writeFailed(`${path} could not be created`, error);
  });
}

/** An existing file of that name is not ours, and stays. */
async function makeOwn({ folder, own }: LockFile, text: string): Promise<void> {
  const handle = await fs.open(await folder.at(own), "wx", 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } catch (error) {
    await removed(folder, own);
    throw error;
  } finally {
    await handle.close();
  }
}

/** Removes a link but not its target. */
async function removed(folder: Folder, name: string): Promise<void> {
  await unlink(() => folder.at(name)).catch(() => undefined);
}

async function takeTurn(place: LockFile, { clock, waitingFor }: LockWait): Promise<void> {
  const { name } = place;
  const since = clock.now();
  let isSaid = false;
  // Linked into place, so that a lock never exists without its holder's name.
  while (!(await linked(place, name))) {
    const holder = await readHolder(place, name);
    if (holder !== undefined && isDead(holder) && (await inherited(place, holder))) return;
    const waited = clock.now() - since;
    if (waited > WAIT_MS) throw busy(place, holder);
    if (waited > SAY_MS && !isSaid) {
      waitingFor(runOf(holder));
      isSaid = true;
    }
    await clock.sleep(RETRY_MS);
  }
}

/** False if the name already exists. */
async function linked({ folder, own }: LockFile, name: string): Promise<boolean> {
  try {
    await link(async () => [await folder.at(own), await folder.at(name)]);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
}

/**
 * Replaces the lock of an ended process with ours. Of all processes that find the holder ended, only one gets the
 * ticket with the holder's id. If that process (the heir) ended too, the next ticket has the heir's id.
 *
 * @param dead the holder, or its last heir.
 * @param before the holder and the heirs between, all ended.
 */
async function inherited(
  place: LockFile,
  dead: Holder,
  before: readonly Holder[] = [],
): Promise<boolean> {
  const { folder, name, own } = place;
  const gone = [...before, dead];
  const ticket = `${name}.after-${dead.id}`;
  if (!(await linked(place, ticket))) {
    const heir = await readHolder(place, ticket);
    return heir !== undefined && isDead(heir) && (await inherited(place, heir, gone));
  }
  // Our information may be outdated: another heir may have held and released the lock, and removed its ticket.
  const now = await readHolder(place, name);
  const isTheirs = gone.some(({ id }) => id === now?.id);
  if (isTheirs) await rename(async () => [await folder.at(own), await folder.at(name)]);
  else await removed(folder, ticket);
  return isTheirs;
}

const TICKET = /^after-[\w-]{1,64}$/;

/** While we hold the lock, no ticket is needed. The other files are from killed runs. */
async function sweepAround({ folder, name }: LockFile): Promise<void> {
  const start = `${name}.`;
  for (const each of await folder.list().catch(() => [])) {
    if (!each.startsWith(start)) continue;
    const maker = makerOf(each.slice(start.length));
    const isTicket = TICKET.test(each.slice(start.length));
    if (!isTicket && maker === undefined) continue;
    const stats = await statsOf(folder, each);
    if (!stats?.isFile() || !isOwn(stats)) continue;
    const isOver = isTicket || (maker && isDead(maker)) || ageOf(stats) > LEFT_OVER_MS;
    if (isOver) await removed(folder, each);
  }
}

async function statsOf(folder: Folder, name: string): Promise<Stats | undefined> {
  const path = await folder.at(name);
  return fs.lstat(path).catch(() => undefined);
}

const HOLDER_BYTES = 4096;
const TO_READ = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0);

/**
 * @returns undefined if there is no file, or no holder in it.
 * @throws AppError `busy` for something that no run of ours created, such as a link.
 */
async function readHolder(place: LockFile, name: string): Promise<Holder | undefined> {
  const { folder } = place;
  const stats = await statsOf(folder, name);
  if (stats !== undefined && !stats.isFile()) throw noLock(place, name, stats);
  try {
    const handle = await fs.open(await folder.at(name), TO_READ);
    const { buffer, bytesRead } = await handle
      .read(Buffer.alloc(HOLDER_BYTES), 0, HOLDER_BYTES, 0)
      .finally(() => handle.close());
    const text = buffer.toString("utf8", 0, bytesRead);
    const { pid, machine, host, id, started } = JSON.parse(text);
    const since = stats?.mtimeMs;
    if (typeof pid !== "number" || typeof id !== "string" || !TICKET.test(`after-${id}`)) {
      return undefined;
    }
    return {
      ...{ pid, id, machine: `${machine}`, host: `${host}` },
      ...(started && { started }),
      ...(since && { since }),
    };
  } catch {
    return undefined;
  }
}

function runOf(holder: Holder | undefined): string {
  // Anybody who can write the lock can choose this name.
  return holder === undefined ? "another run" : `process ${holder.pid} on ${safe(holder.host)}`;
}

function busy({ folder, name, busy }: LockFile, holder: Holder | undefined): AppError {
  const path = join(folder.path, name);
  const what = `${runOf(holder)} still holds ${path} after ${WAIT_MS / 1000} s.`;
  return new AppError(busy, what, {
    hint: hint`If it is no longer running: ${{ remove: { path } }}`,
  });
}

function noLock({ folder, busy }: LockFile, name: string, stats: Stats): AppError {
  const path = join(folder.path, name);
  return new AppError(busy, `${path} is ${nameOf(stats)}, not a lock file of do-bootstrap.`, {
    hint: hint`Check what it is. To remove it: ${{ remove: { path } }}`,
  });
}
