import type { Environment } from "../host/host.ts";
import type { ExecConfig } from "./exec-config.ts";
import type { TokenState } from "./token-sources.ts";

/** What a line is answered from; nothing else is looked at. */
export interface Facts {
  readonly config: ExecConfig;
  readonly env: Environment;
  readonly cwd: string;
  /** What was found out about the token before; absent where these facts say it all. */
  readonly known?: TokenState;
  /** What is to be said of the token before a command gets it. */
  readonly warning?: string | undefined;
  /** The variables of the env file. */
  readonly envFile: ReadonlyMap<string, string>;
  /** The text of a secret file of Terraform's, or of a selectionFile; "" where there is none. */
  readonly textAt: (path: string) => string;
}
