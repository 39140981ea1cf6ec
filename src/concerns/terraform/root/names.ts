import { MISSING_TF, PUBLIC_TFVARS } from "../../config/find-config.ts";

export { MISSING_TF, PUBLIC_TFVARS };
/** The file of ours that says where the state is. */
export const BACKEND_TF = "backend.tf";
/** Where `terraform init` notes which providers it took. */
export const LOCK_FILE = ".terraform.lock.hcl";
/** What HCP Terraform's upload leaves out. */
export const UPLOAD_IGNORE = ".terraformignore";

/** The oldest release of each tool that knows `ephemeral` (docs/contracts/terraform.md 3.2). */
export const EPHEMERAL_SINCE = { terraform: "1.10", tofu: "1.11" } as const;

/** The .tf files that we write into a root module. */
export const CODE_FILES: readonly string[] = [
  "versions.tf",
  "provider.tf",
  "variables.tf",
  MISSING_TF,
  BACKEND_TF,
];

/** What `source` of our provider may be. */
export const PROVIDER_SOURCE =
  /^(registry\.(terraform\.io|opentofu\.org)\/)?digitalocean\/digitalocean$/i;
