import { whyTooOld } from "./asked-release.ts";
import { EPHEMERAL_SINCE } from "./names.ts";
import { providerOf } from "./provider.ts";
import type { TerraformRoot } from "./root.ts";

/** How a root module gets its token, and which declarations are missing for that. */
export interface RootNeeds {
  /**
   * tfvars: a variable, with its value in a secret file. env: the provider reads the environment. own: the repo has its
   * own way (a data source, a local), which we leave alone.
   */
  readonly credentials: "tfvars" | "env" | "own";
  /** The local name of our provider in this root. */
  readonly localName: string;
  /** The token's variable: the repo's own name if it has one. */
  readonly variable: string;
  readonly lacksRequiredProviders: boolean;
  readonly lacksProvider: boolean;
  readonly lacksTokenVariable: boolean;
  /** Every use of the token's variable allows an ephemeral value. */
  readonly mayBeEphemeral: boolean;
  /** Names in `terraform.variables` that no file declares. */
  readonly undeclared: readonly string[];
}

/**
 * Depends only on config and repo, never on the machine (docs/design.md §6). A declaration that is only in a file of
 * ours counts as missing, so that it stays in that file.
 */
export function needsOf(root: TerraformRoot): RootNeeds {
  const { config, module, calledBy } = root;
  const { block: provider } = providerOf(root);
  const variable = provider?.variable ?? config.variable;
  const [localName = "digitalocean"] = module.localNames;
  // A module gets its provider from its callers. With its own provider block, they could not use count, for_each or
  // depends_on.
  const isModule = calledBy.length > 0;
  // The usual name belongs to another provider, which would get the token if we added a block.
  const isAnothers = module.localNames.length === 0;
  const credentials = credentialsOf();
  return {
    credentials,
    localName,
    variable,
    lacksRequiredProviders: module.requiredProviders === undefined && !isModule,
    lacksProvider: provider === undefined && !isAnothers && !isModule,
    lacksTokenVariable: credentials === "tfvars" && !module.variables.has(variable) && !isModule,
    mayBeEphemeral: !module.uses.has(variable),
    undeclared: isModule
      ? []
      : Object.keys(config.variables).filter((name) => !module.variables.has(name)),
  };

  function credentialsOf(): RootNeeds["credentials"] {
    if (config.credentials === "env") return "env";
    // HCP Terraform uploads the folder, including a secret file.
    if (module.cloud !== undefined) return "env";
    if (isAnothers || (isModule && provider === undefined)) return "own";
    if (provider?.variable !== undefined) return "tfvars";
    if (provider !== undefined) return provider.hasToken ? "own" : "env";
    if (config.credentials === "tfvars") return "tfvars";
    return whyTooOld(root, EPHEMERAL_SINCE[root.tool]) === undefined ? "tfvars" : "env";
  }
}
