/** The one list of project files that must stay private. */

/** Terraform loads it automatically; git ignores it; mode 0600. */
export const SECRET_TFVARS = "do-bootstrap.secret.auto.tfvars.json";

/** Private files in a root module. */
export const PROTECTED_IN_ROOTS: readonly {
  /** A file that the patterns must cover. */
  readonly name: string;
  /** In .gitignore. */
  readonly git: string;
  /** In .terraformignore. */
  readonly upload: string;
}[] = [
  { name: SECRET_TFVARS, ...inBoth("*.secret.auto.tfvars.json") },
  { name: "terraform.tfstate", git: "*.tfstate*", upload: "*.tfstate" },
  { name: "terraform.tfstate.backup", git: "*.tfstate*", upload: "*.tfstate.*" },
  { name: "plan.tfplan", ...inBoth("*.tfplan") },
  { name: "tfplan", ...inBoth("tfplan") },
];

function inBoth(pattern: string): { git: string; upload: string } {
  return { git: pattern, upload: pattern };
}

/** Recognizes a state or a saved plan by its name. Both contain whatever a provider returns. */
export function isStateOrPlan(path: string): boolean {
  return /\.tfstate\b|tfplan|\.plan$/.test(path);
}

/** A file of values for Terraform's variables. */
export function isTfvars(name: string): boolean {
  return /\.tfvars(\.json)?$/.test(name);
}

/** An env file of any environment or machine. Temporary files of a run don't count: they are deleted automatically. */
export function isEnvFile(name: string): boolean {
  return isLikeEnv(name) && !name.startsWith(".env.do-bootstrap-");
}

/**
 * A file that a run is writing or that a killed run left behind. Its folder hides it from git and is deleted
 * automatically.
 */
export function isTemporary(path: string): boolean {
  return /(^|[\\/])\.env\.do-bootstrap-[0-9a-f]{8}-\d+-[0-9A-Za-z]{6}\.local[\\/]/.test(path);
}

/** A file meant for a person's secrets. */
export function isForSecrets(name: string): boolean {
  return isLikeEnv(name) || isTfvars(name) || name === ".envrc";
}

function isLikeEnv(name: string): boolean {
  return /^\.env(\.|$)/.test(name) && !/\.(example|sample|template|dist)$/.test(name);
}
