import type { Templates } from "../../../core/generated.ts";
import type { Environment, Snapshot } from "../../../host/host.ts";
import type { TerraformRoot } from "./root.ts";
import type { TokenSource } from "./token-source.ts";
import type { TerraformTool } from "./tool.ts";

export interface TerraformFacts {
  readonly roots: readonly TerraformRoot[];
  /** Where each of these roots takes its token from. */
  readonly sources: readonly TokenSource[];
  /** By root module: what the repo brings it that Terraform would start or obey; absolute paths. */
  readonly repoCode: ReadonlyMap<string, readonly string[]>;
  /** The environment without what leads into the repo. */
  readonly env: Environment;
  /** The installed tool of each root, by its folder. */
  readonly tools: ReadonlyMap<string, TerraformTool>;
  /** What HCP Terraform leaves out where it uploads the config's folder. */
  readonly uploadIgnore: Snapshot;
  readonly templates: Templates;
}
