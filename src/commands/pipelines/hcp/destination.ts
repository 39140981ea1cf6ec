import type { CloudBlock } from "../../../concerns/terraform/root/cloud-block.ts";
import { providerOf } from "../../../concerns/terraform/root/provider.ts";
import type { TerraformRoot } from "../../../concerns/terraform/root/root.ts";
import { type Hint, hint, own } from "../../../errors/hint.ts";
import type { Environment } from "../../../host/host.ts";

/** The variable of a workspace that gets a token, as the code says. */
export interface Destination {
  /** HOST/ORGANIZATION. */
  readonly repo: string;
  readonly workspace: string;
  /** The name of the variable. */
  readonly name: string;
  readonly category: "env" | "terraform";
}

/** Terraform's default host for a cloud block. */
const STANDARD = "app.terraform.io";

type Root = Pick<TerraformRoot, "module" | "own" | "config">;

/**
 * Where a root's runs get their token. What the block leaves out comes from Terraform's own variables in the environment
 * (https://developer.hashicorp.com/terraform/cli/cloud/settings).
 *
 * @returns undefined for a root without HCP Terraform; `why` if the place is not clear.
 */
export function destinationOf(
  root: Root,
  env: Environment,
): Destination | { readonly why: string; readonly fix: Hint } | undefined {
  const { module, own: files, config } = root;
  if (module.cloud === undefined) return undefined;
  const { workspaces } = module.cloud;
  const [host, organization] = organizationOf(module.cloud, env);
  const selected = config.workspace ?? env["TF_WORKSPACE"] ?? "";
  const where = `${config.dir}: the block of HCP Terraform`;
  if (!/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?$/.test(host)) {
    return { why: `${where} names no valid host.`, fix: hint`Correct hostname in it.` };
  }
  if (!/^[\w-]+$/.test(organization)) {
    const fix = hint`Add organization to it, or set TF_CLOUD_ORGANIZATION for this command.`;
    return { why: `${where} names no organization.`, fix };
  }
  if (workspaces.kind !== "name" && selected === "") {
    const fix = hint`Set workspace in the config, or TF_WORKSPACE for this command, once for each: ${own("ci", "hcp", "--apply")}`;
    return { why: `${where} is for several workspaces, and none is chosen.`, fix };
  }
  const prefix = workspaces.kind === "prefix" ? workspaces.prefix : "";
  const workspace = workspaces.kind === "name" ? workspaces.name : `${prefix}${selected}`;
  if (!/^[\w-]+$/.test(workspace)) {
    return { why: `${where} names no valid workspace.`, fix: hint`Correct workspaces in it.` };
  }
  return { repo: `${host}/${organization}`, workspace, ...variableOf({ module, own: files }) };
}

/** Terraform's own variable if the provider block names one; else that of the environment, which the provider reads. */
export function variableOf({
  module,
  own: files,
}: Pick<Root, "module" | "own">): Pick<Destination, "name" | "category"> {
  const { variable } = providerOf({ module, own: files }).block ?? {};
  return variable === undefined
    ? { name: "DIGITALOCEAN_TOKEN", category: "env" }
    : { name: variable, category: "terraform" };
}

/** Whether the code is for this workspace, which need not be the chosen one. */
export function isFor(
  { module: { cloud } }: Pick<Root, "module">,
  env: Environment,
  { repo, workspace }: Pick<Destination, "repo" | "workspace">,
): boolean {
  if (cloud === undefined || organizationOf(cloud, env).join("/") !== repo) return false;
  const { workspaces } = cloud;
  if (workspaces.kind === "name") return workspaces.name === workspace;
  return workspaces.kind === "any" || workspace.startsWith(workspaces.prefix);
}

function organizationOf({ hostname, organization }: CloudBlock, env: Environment) {
  const host = (hostname ?? env["TF_CLOUD_HOSTNAME"] ?? STANDARD).toLowerCase();
  return [host, organization ?? env["TF_CLOUD_ORGANIZATION"] ?? ""] as const;
}
