import type { FoundKeys } from "../../exec/spaces-keys.ts";
import type { LockVerdicts } from "./prove-locks.ts";

export interface SpacesFacts {
  readonly keys: FoundKeys;
  /** Of the locks that this run has tried. */
  readonly locks: LockVerdicts;
}
