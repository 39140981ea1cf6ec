import type { Host } from "../../host/host.ts";
import type { SpacesBackend } from "../config/resolved.ts";
import type { LockTest, LockVerdict } from "./lock-test.ts";

/** The results of the lock tests, by the state's location. */
export type LockVerdicts = ReadonlyMap<string, LockVerdict>;

export function placeOf({ region, bucket, key }: SpacesBackend): string {
  return `${region}/${bucket}/${key}`;
}

/**
 * Tests the locks that a plan will write, before anything is written. A lock that does not work becomes a fact about
 * its root, and the plan is made again.
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
