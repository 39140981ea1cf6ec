import type { Environment } from "../host/host.ts";
import type { Result } from "../plan/bootstrap.ts";

/** What a command found or did; how it looks is decided at the edge. */
export interface Report extends Result {
  readonly command: "init" | "check";
  readonly dryRun: boolean;
  readonly env: Environment;
  readonly cwd: string;
  readonly home: string | undefined;
}
