import type { Templates } from "../../../core/generated.ts";
import type { Environment, Snapshot } from "../../../host/host.ts";
import type { TerraformRoot } from "./root.ts";
import type { TokenSource } from "./token-source.ts";
import type { TerraformTool } from "./tool.ts";

export interface TerraformFacts {
  readonly roots: readonly TerraformRoot[];
  /** The token source of each of these roots. */
  readonly sources: readonly TokenSource[];
  /** By root module: files from the repo that Terraform would start or obey; absolute paths. */
  readonly repoCode: ReadonlyMap<string, readonly string[]>;
  /** The environment without anything that points into the repo. */
  readonly env: Environment;
  /** The installed tool of each root, by its folder. */
  readonly tools: ReadonlyMap<string, TerraformTool>;
  /** The .terraformignore for an upload of the config's folder to HCP Terraform. */
  readonly uploadIgnore: Snapshot;
  readonly templates: Templates;
}
