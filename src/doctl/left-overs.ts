import { dirname, join } from "node:path";
import type { Host } from "../host/host.ts";

/** Stands beside doctl's config while one of our runs edits it. */
export const LOCK = ".do-bootstrap.lock";

/** Takes away what killed runs left beside doctl's config, a lock among it. */
export async function tidyDoctlFolder(
  { files, clock, locked }: Pick<Host, "files" | "clock" | "locked">,
  path: string,
): Promise<void> {
  const folder = dirname(await files.realpath(path));
  await files.sweep(folder);
  if (!(await files.list(folder)).some((name) => name.startsWith(LOCK))) return;
  // A dead run's is taken over, and given back; a living one's is none of our business.
  const giveUp = () => Promise.reject(new Error("held"));
  const wait = { clock: { now: clock.now, sleep: giveUp }, waitingFor: () => undefined };
  await locked(join(folder, LOCK), wait, async () => undefined).catch(() => undefined);
}
