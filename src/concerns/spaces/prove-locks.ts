import type { Host } from "../../host/host.ts";
import type { SpacesBackend } from "../config/resolved.ts";
import type { LockTest, LockVerdict } from "./lock-test.ts";

/** What was found of the locks that were tried, by the state's place. */
export type LockVerdicts = ReadonlyMap<string, LockVerdict>;

export function placeOf({ region, bucket, key }: SpacesBackend): string {
  return `${region}/${bucket}/${key}`;
}

/**
 * Tries the locks that a plan is about to write, before anything is written: one that does not work is a
 * fact about its root, and the plan is made again with it.
 *
 * @throws AppError INTERRUPTED.
 */
export async function proveLocks(
  host: Pick<Host, "http">,
  tests: readonly LockTest[],
  progress: (what: string) => void,
): Promise<LockVerdicts> {
  const verdicts = new Map<string, LockVerdict>();
  if (tests.length === 0) return verdicts;
  const { tryLock } = await import("./lock-test.ts");
  for (const test of tests) {
    progress(`Testing the lock of ${test.backend.bucket}`);
    verdicts.set(placeOf(test.backend), await tryLock(host, test));
  }
  return verdicts;
}
