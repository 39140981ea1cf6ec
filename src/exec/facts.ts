import type { Environment } from "../host/host.ts";
import type { ExecConfig } from "./exec-config.ts";
import type { TokenState } from "./token-sources.ts";

/** Everything that the answer to a line depends on. Nothing else is read. */
export interface Facts {
  readonly config: ExecConfig;
  readonly env: Environment;
  readonly cwd: string;
  /** The state of the token, if it was already found. Absent if it follows from these facts. */
  readonly known?: TokenState;
  /** A warning about the token, shown before a command gets it. */
  readonly warning?: string | undefined;
  /** The variables of the env file. */
  readonly envFile: ReadonlyMap<string, string>;
  /** The text of one of Terraform's secret files, or of a selectionFile; "" if it does not exist. */
  readonly textAt: (path: string) => string;
}
