import type { FoundKeys } from "../../exec/spaces-keys.ts";
import type { Begun } from "./journal.ts";
import type { LockVerdicts } from "./prove-locks.ts";
import type { MadeKeys } from "./provision.ts";
import type { Bucket } from "./s3.ts";

export interface SpacesFacts {
  readonly keys: FoundKeys;
  /** The buckets with a state: of the config, and of backends in the code that name theirs. */
  readonly buckets: readonly Bucket[];
  /** The results of this run's lock tests. */
  readonly locks: LockVerdicts;
  /** This run should make a key pair, and with `create` the buckets of these names. */
  readonly wanted: WantedKeys | undefined;
  /** The pair that this run has made. */
  readonly made: MadeKeys | undefined;
  /** What runs that were killed may have left at DigitalOcean. */
  readonly unfinished: readonly Begun[];
}

export interface WantedKeys {
  readonly create: readonly string[];
}

/** There is a pair, or this run makes one. */
export function willHaveKeys({ keys, wanted }: Pick<SpacesFacts, "keys" | "wanted">): boolean {
  return keys.kind === "keys" || (keys.kind === "none" && wanted !== undefined);
}
