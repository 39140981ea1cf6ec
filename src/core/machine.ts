import type { Environment } from "../host/host.ts";

/** The facts of the machine that a plan follows from. */
export interface Machine {
  readonly env: Environment;
  readonly platform: NodeJS.Platform;
  /** A pipeline: nobody can be asked, and no secret belongs on the disk. */
  readonly isCi: boolean;
}
