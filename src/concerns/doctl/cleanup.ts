import { basename, dirname, join } from "node:path";
import type { Host, StateKey } from "../../host/host.ts";

/** Stands beside doctl's config while one of our runs edits it. */
export const LOCK = ".do-bootstrap.lock";

/**
 * Takes away what killed runs left beside doctl's config, a lock among it.
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

/** A dead run's is taken over, and given back; a living one's is none of our business. */
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
 * Where the lock of a context's logins is.
 *
 * @param target doctl's config with its symlinks resolved.
 * @returns undefined without a folder for it.
 */
export async function loginLock(
  { files, state }: LockHost,
  target: string,
  context: string,
): Promise<string | undefined> {
  const path = state.fileFor(lockKey(target, context), LOGIN_LOCK);
  return path && join(await files.realpath(dirname(path)), basename(path));
}

/** Takes away the lock of a run that was killed when all else was done. */
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
