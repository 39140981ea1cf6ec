import { MISSING_TF, PUBLIC_TFVARS } from "../../config/find-config.ts";

export { MISSING_TF, PUBLIC_TFVARS };
/** Our file with the backend block. */
export const BACKEND_TF = "backend.tf";
/** The file in which `terraform init` records the selected providers. */
export const LOCK_FILE = ".terraform.lock.hcl";
/** The patterns that HCP Terraform's upload leaves out. */
export const UPLOAD_IGNORE = ".terraformignore";

/** The oldest release of each tool that supports `ephemeral` (docs/contracts/terraform.md 3.2). */
export const EPHEMERAL_SINCE = { terraform: "1.10", tofu: "1.11" } as const;

/** The .tf files that we write into a root module. */
export const CODE_FILES: readonly string[] = [
  "versions.tf",
  "provider.tf",
  "variables.tf",
  MISSING_TF,
  BACKEND_TF,
];
