import { randomUUID } from "node:crypto";
import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { AppError } from "../errors.ts";
import { codeOf, writeFailed } from "./files.ts";
import type { Clock } from "./host.ts";

const WAIT_MS = 60_000;
const RETRY_MS = 50;

interface Owner {
  readonly pid: number;
  readonly host: string;
  readonly id: string;
}

/**
 * Runs `action` while this process alone holds `path`, a small file that names its owner. A lock
 * whose owner died on this machine is taken over.
 *
 * @throws AppError DOCTL_CONFIG_BUSY after 60 s, naming the owner.
 */
export async function locked<T>(path: string, clock: Clock, action: () => Promise<T>): Promise<T> {
  const me: Owner = { pid: process.pid, host: hostname(), id: randomUUID() };
  const deadline = clock.now() + WAIT_MS;
  while (!(await acquire(path, me))) {
    const owner = await readOwner(path);
    if (owner !== undefined && isDead(owner)) await takeAway(path, owner);
    else if (clock.now() > deadline) throw busy(path, owner);
    else await clock.sleep(RETRY_MS);
  }
  try {
    return await action();
  } finally {
    if ((await readOwner(path))?.id === me.id) await rm(path, { force: true });
  }
}

/** Linked into place, so that a lock is never seen without its owner's name. */
async function acquire(path: string, me: Owner): Promise<boolean> {
  const own = `${path}.${me.id}`;
  try {
    await writeFile(own, JSON.stringify(me), { flag: "wx", mode: 0o600 });
    await link(own, path);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw writeFailed(`${path} could not be created`, error);
  } finally {
    await rm(own, { force: true });
  }
}

async function readOwner(path: string): Promise<Owner | undefined> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as Owner;
  } catch {
    return undefined;
  }
}

function isDead(owner: Owner): boolean {
  if (owner.host !== hostname()) return false;
  try {
    process.kill(owner.pid, 0);
    return false;
  } catch (error) {
    return codeOf(error) === "ESRCH";
  }
}

/** Moved aside first, so that of several waiting runs only one removes it, and only the dead one. */
async function takeAway(path: string, dead: Owner): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch {
    return;
  }
  if ((await readOwner(aside))?.id === dead.id) await rm(aside, { force: true });
  else await rename(aside, path);
}

function busy(path: string, owner: Owner | undefined): AppError {
  const who = owner === undefined ? "another run" : `process ${owner.pid} on ${owner.host}`;
  return new AppError("DOCTL_CONFIG_BUSY", `${who} has held ${path} for ${WAIT_MS / 1000} s.`, {
    hint: `If it is no longer running: rm ${path}`,
  });
}
