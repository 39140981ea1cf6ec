import { basename, dirname, join } from "node:path";
import type { Host, StateKey } from "../../host/host.ts";

/** The lock file next to doctl's config while one of our runs edits it. */
export const LOCK = ".do-bootstrap.lock";

/**
 * Removes what killed runs left next to doctl's config, including a lock.
 *
 * @param folder with its symlinks resolved.
 */
export async function cleanUpDoctlFolder(
  host: Pick<Host, "files" | "clock" | "locked">,
  folder: string,
): Promise<void> {
  const names = await host.files.sweep(folder);
  if (names.some((name) => name.startsWith(LOCK))) await dropDeadLock(host, join(folder, LOCK));
}

/** Takes over and releases the lock of a process that has ended. Leaves the lock of a running process alone. */
async function dropDeadLock(
  { clock, locked }: Pick<Host, "clock" | "locked">,
  path: string,
): Promise<void> {
  const giveUp = () => Promise.reject(new Error("held"));
  const wait = { clock: { now: clock.now, sleep: giveUp }, waitingFor: () => undefined };
  await locked(path, wait, async () => undefined).catch(() => undefined);
}

type LockHost = Pick<Host, "files" | "state">;

/**
 * Returns the path of the lock for a context's logins.
 *
 * @param target doctl's config with its symlinks resolved.
 * @returns undefined if there is no private folder for it.
 */
export async function loginLock(
  { files, state }: LockHost,
  target: string,
  context: string,
): Promise<string | undefined> {
  const path = state.fileFor(lockKey(target, context), LOGIN_LOCK);
  return path && join(await files.realpath(dirname(path)), basename(path));
}

/** Removes the lock of a run that was killed after it had finished everything else. */
export async function cleanUpLoginLock(
  host: LockHost & Pick<Host, "clock" | "locked">,
  target: string,
  context: string,
): Promise<void> {
  if (!host.state.hasFile(lockKey(target, context), LOGIN_LOCK)) return;
  const path = await loginLock(host, target, context);
  if (path !== undefined) await dropDeadLock(host, path);
}

const LOGIN_LOCK = `context${LOCK}`;

function lockKey(target: string, context: string): StateKey {
  return { kind: "login", folder: target, name: context };
}
