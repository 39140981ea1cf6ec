import type { ResolvedConfig } from "../../concerns/config/resolved.ts";
import type { DoctlFacts } from "../../concerns/doctl/observe.ts";
import type { EnvFileFacts } from "../../concerns/env-file/facts.ts";
import type { RepoFacts } from "../../concerns/git/facts.ts";
import type { SpacesFacts } from "../../concerns/spaces/facts.ts";
import type { TerraformFacts } from "../../concerns/terraform/root/facts.ts";
import type { TokenFacts } from "../../concerns/token/facts.ts";
import type { Machine } from "../../core/machine.ts";
import type { Snapshot } from "../../host/host.ts";

/** What was found of a repo and its machine: each concern has facts of its own, and a planner names those that it uses. */
export interface Facts {
  readonly config: ResolvedConfig;
  readonly machine: Machine;
  readonly repo: RepoFacts;
  readonly token: TokenFacts;
  readonly envFile: EnvFileFacts;
  readonly spaces: SpacesFacts;
  readonly terraform: TerraformFacts;
  /** Absent with `doctl: false`. */
  readonly doctl: DoctlFacts | undefined;
  /** The config that --write-config writes. */
  readonly newConfig: { readonly at: Snapshot; readonly template: string };
  /** Executables inside the repo that were ignored. */
  readonly ignoredTools: readonly string[];
}
