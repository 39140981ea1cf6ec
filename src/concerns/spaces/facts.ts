import type { FoundKeys } from "../../exec/spaces-keys.ts";
import type { LockVerdicts } from "./prove-locks.ts";

export interface SpacesFacts {
  readonly keys: FoundKeys;
  /** The results of this run's lock tests. */
  readonly locks: LockVerdicts;
}
