import { whyTooOld } from "./asked-release.ts";
import { EPHEMERAL_SINCE } from "./names.ts";
import { providerOf } from "./provider.ts";
import type { TerraformRoot } from "./root.ts";

/** How a root module gets its token, and which declarations it lacks for that. */
export interface RootNeeds {
  /**
   * tfvars: a variable, with its value in a secret file. env: the provider reads the environment.
   * own: the repo has a way of its own (a data source, a local), which is none of our business.
   */
  readonly credentials: "tfvars" | "env" | "own";
  /** The token's variable: the repo's own name where it has one. */
  readonly variable: string;
  readonly lacksRequiredProviders: boolean;
  readonly lacksProvider: boolean;
  readonly lacksTokenVariable: boolean;
  /** Names in `terraform.variables` that no file declares. */
  readonly undeclared: readonly string[];
}

/**
 * Follows from config and repo alone, never from the machine (docs/design.md §6). What only a file
 * of ours declares counts as lacking: that file is where it goes.
 */
export function needsOf(root: TerraformRoot): RootNeeds {
  const { config, module } = root;
  const { block: provider } = providerOf(root);
  const variable = provider?.variable ?? config.variable;
  const credentials = credentialsOf();
  return {
    credentials,
    variable,
    lacksRequiredProviders: module.requiredProviders === undefined,
    lacksProvider: provider === undefined,
    lacksTokenVariable: credentials === "tfvars" && !module.variables.has(variable),
    undeclared: Object.keys(config.variables).filter((name) => !module.variables.has(name)),
  };

  function credentialsOf(): RootNeeds["credentials"] {
    if (config.credentials === "env") return "env";
    // HCP Terraform uploads the folder: a secret file would go along.
    if (module.cloud !== undefined) return "env";
    if (provider?.variable !== undefined) return "tfvars";
    if (provider !== undefined) return provider.hasToken ? "own" : "env";
    if (config.credentials === "tfvars") return "tfvars";
    return whyTooOld(root, EPHEMERAL_SINCE[root.tool]) === undefined ? "tfvars" : "env";
  }
}
