import { isTerraformFile } from "../lib/paths.ts";

/** The two programs that read the Terraform language. */
export type ToolName = "terraform" | "tofu";

/**
 * The files of a folder that a tool reads as configuration. Terraform ignores .tofu files. For OpenTofu, a .tofu file
 * replaces the .tf file of the same name; this includes JSON and override files.
 *
 * @param names of all files, without folders.
 */
export function codeFiles(names: readonly string[], tool: ToolName): string[] {
  // Neither tool reads names that begin with a dot (docs/contracts/terraform.md 3.7).
  const code = names.filter((name) => isTerraformFile(name) && !name.startsWith("."));
  if (tool === "terraform") return code.filter((name) => !isTofuFile(name));
  const all = new Set(code);
  return code.filter((name) => isTofuFile(name) || !all.has(twinOf(name)));
}

/** git pathspecs for the code files of both tools. */
export const CODE_PATTERNS: readonly string[] = ["*.tf", "*.tf.json", "*.tofu", "*.tofu.json"];

/** An override file: it takes precedence over other files, whatever its prefix. */
export function isOverrideFile(name: string): boolean {
  return /(^|_)override\.(tf|tofu)(\.json)?$/.test(name);
}

/** True for a module source that is a local folder. */
export function isLocalSource(source: unknown): source is string {
  return typeof source === "string" && /^\.\.?(\/|$)/.test(source);
}

function isTofuFile(name: string): boolean {
  return /\.tofu(\.json)?$/.test(name);
}

function twinOf(name: string): string {
  return name.replace(/\.tf(\.json)?$/, ".tofu$1");
}

/** The files of a folder that only OpenTofu reads. */
export function tofuFiles(names: readonly string[]): string[] {
  return codeFiles(names, "tofu").filter(isTofuFile);
}
