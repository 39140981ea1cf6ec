/** What a project has on disk that nobody else may have: the one list of it. */

/** Terraform reads it by itself; git ignores it; mode 0600. */
export const SECRET_TFVARS = "do-bootstrap.secret.auto.tfvars.json";

/** Of a root module. */
export const PROTECTED_IN_ROOTS: readonly {
  /** A file that the patterns are there for. */
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

/** A state or a saved plan by its name. They hold whatever a provider returns. */
export function isStateOrPlan(path: string): boolean {
  return /\.tfstate\b|tfplan|\.plan$/.test(path);
}

/** A file of values for Terraform's variables. */
export function isTfvars(name: string): boolean {
  return /\.tfvars(\.json)?$/.test(name);
}

/** An env file, of whichever environment or machine. A temporary file of a run is none: it goes by itself. */
export function isEnvFile(name: string): boolean {
  return isLikeEnv(name) && !name.startsWith(".env.do-bootstrap-");
}

/** A file that a run is writing, or that a killed one has left: its folder hides it from git, and goes by itself. */
export function isTemporary(path: string): boolean {
  return /(^|[\\/])\.env\.do-bootstrap-[0-9a-f]{8}-\d+-[0-9A-Za-z]{6}\.local[\\/]/.test(path);
}

/** A file that is there to hold a person's secrets. */
export function isForSecrets(name: string): boolean {
  return isLikeEnv(name) || isTfvars(name) || name === ".envrc";
}

function isLikeEnv(name: string): boolean {
  return /^\.env(\.|$)/.test(name) && !/\.(example|sample|template|dist)$/.test(name);
}
