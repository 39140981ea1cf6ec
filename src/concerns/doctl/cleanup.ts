import { join } from "node:path";
import type { Host } from "../../host/host.ts";

/** Stands beside doctl's config while one of our runs edits it. */
export const LOCK = ".do-bootstrap.lock";

/**
 * Takes away what killed runs left beside doctl's config, a lock among it.
 *
 * @param folder with its symlinks resolved.
 */
export async function cleanUpDoctlFolder(
  { files, clock, locked }: Pick<Host, "files" | "clock" | "locked">,
  folder: string,
): Promise<void> {
  const names = await files.sweep(folder);
  if (!names.some((name) => name.startsWith(LOCK))) return;
  // A dead run's is taken over, and given back; a living one's is none of our business.
  const giveUp = () => Promise.reject(new Error("held"));
  const wait = { clock: { now: clock.now, sleep: giveUp }, waitingFor: () => undefined };
  await locked(join(folder, LOCK), wait, async () => undefined).catch(() => undefined);
}
