import type { Environment } from "../host/host.ts";

/** The facts about the machine that a plan depends on. */
export interface Machine {
  readonly env: Environment;
  readonly platform: NodeJS.Platform;
  /** In CI nobody can be asked, and no secret should be on the disk. */
  readonly isCi: boolean;
}
