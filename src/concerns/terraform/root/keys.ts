import { textIn } from "../../../core/file-text.ts";
import type { KeyVariables } from "../../../exec/exec-config.ts";
import { onceEach } from "../../../lib/grouped.ts";
import { BUCKET_NAME } from "../../config/bucket-name.ts";
import { SECRET_TFVARS } from "../../config/protected-paths.ts";
import type { Bucket } from "../../spaces/s3.ts";
import { isOnSpaces } from "./backend.ts";
import type { KeyArgument, ProviderBlock } from "./module.ts";
import { PUBLIC_TFVARS } from "./names.ts";
import type { TerraformRoot } from "./root.ts";
import { namesIn, readsByItself } from "./values.ts";

/** The code keeps the state on Spaces: in its own backend block, or in a backend.tf left over from an earlier config. */
export function hasSpacesBackend({ module, own }: Pick<TerraformRoot, "module" | "own">): boolean {
  const all = [module.backend, ...[...own.values()].map(({ backend }) => backend)];
  return all.some((each) => each !== undefined && isOnSpaces(each));
}

/** The code names Spaces for its state. Other settings may prevent it from getting the keys. */
export function isForSpaces({ module, own }: Pick<TerraformRoot, "module" | "own">): boolean {
  const { type, endpoint = "" } = module.backend ?? {};
  const isNamed = type === "s3" && SPACES_HOST.test(endpoint);
  return isNamed || hasSpacesBackend({ module, own });
}

/** The buckets on Spaces with a state: of the config, and of blocks in the code that name their bucket. */
export function bucketsOf(
  roots: readonly Pick<TerraformRoot, "config" | "module">[],
): readonly Bucket[] {
  const all = roots.flatMap(({ config: { backend }, module }): Bucket[] => {
    if (backend !== undefined) return [{ bucket: backend.bucket, region: backend.region }];
    const { bucket, endpoint = "" } = module.backend ?? {};
    const [, region] = SPACES_HOST.exec(endpoint) ?? [];
    const isSure = module.backend !== undefined && isOnSpaces(module.backend);
    return isSure && region !== undefined && isBucketName(bucket) ? [{ bucket, region }] : [];
  });
  return onceEach(all, ({ bucket, region }) => `${region}/${bucket}`);
}

/** The config's rule for a bucket. */
function isBucketName(name: string | undefined): name is string {
  return name !== undefined && BUCKET_NAME.test(name);
}

const SPACES_HOST = /^([a-z]{3}\d)\.digitaloceanspaces\.com$/;

/** The provider that gets a root's Spaces keys: the default one if it has key arguments, otherwise the first with them. */
export function keysProviderOf({
  module: { providers },
}: Pick<TerraformRoot, "module">): ProviderBlock | undefined {
  const naming = providers.filter(({ keys }) => keys.length > 0);
  return naming.find(({ alias }) => alias === undefined) ?? naming[0];
}

/** The variables that get a key through TF_VAR_: the root declares them, and no file sets them. */
export function keyVariablesOf(root: TerraformRoot): KeyVariables[] {
  const { keys = [] } = keysProviderOf(root) ?? {};
  const given = valuesInFiles(root);
  const names = (["id", "secret"] as const).flatMap((is) => {
    const name = variableOf(keys.find((each) => each.is === is));
    return name === undefined || !root.module.variables.has(name) ? [] : [[is, name] as const];
  });
  if (names.length === 0 || names.some(([, name]) => given.has(name))) return [];
  return [Object.fromEntries(names)];
}

/** The single variable that an argument's value comes from. */
export function variableOf(argument: KeyArgument | undefined): string | undefined {
  return argument?.origin.kind === "variable" ? argument.origin.name : undefined;
}

/**
 * The tfvars files that Terraform reads automatically. Each overrides TF_VAR_ (docs/contracts/terraform.md 2.1). Files
 * with the standard names are included even if they do not exist yet.
 */
export function filesOfValues({ tfvars }: Pick<TerraformRoot, "tfvars">): readonly string[] {
  const usual = ["terraform.tfvars", "terraform.tfvars.json", PUBLIC_TFVARS, SECRET_TFVARS];
  return [...new Set([...usual, ...tfvars.filter(readsByItself)])];
}

/** The variables that these files set, or will set. */
export function valuesInFiles(
  root: Pick<TerraformRoot, "tfvars" | "at" | "config">,
): ReadonlySet<string> {
  const written = filesOfValues(root).flatMap((name) => namesIn(name, textIn(root.at(name))));
  return new Set([...Object.keys(root.config.variables), ...written]);
}
