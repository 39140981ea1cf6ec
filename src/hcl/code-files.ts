import { isTerraformFile } from "../lib/paths.ts";

/** The two programs that read this language. */
export type ToolName = "terraform" | "tofu";

/**
 * Of the files in a folder, those that a tool reads as its configuration. Terraform knows no .tofu files; to OpenTofu
 * one stands in the place of the .tf file of its name, also in JSON and of overrides.
 *
 * @param names of all the files; a folder's name is none.
 */
export function codeFiles(names: readonly string[], tool: ToolName): string[] {
  // Neither reads names that begin with a dot (docs/contracts/terraform.md 3.7).
  const code = names.filter((name) => isTerraformFile(name) && !name.startsWith("."));
  if (tool === "terraform") return code.filter((name) => !isTofuFile(name));
  const all = new Set(code);
  return code.filter((name) => isTofuFile(name) || !all.has(twinOf(name)));
}

/** What git's pathspecs for them are, of both tools. */
export const CODE_PATTERNS: readonly string[] = ["*.tf", "*.tf.json", "*.tofu", "*.tofu.json"];

/** What such a file says counts more than what the others say, whatever its name begins with. */
export function isOverrideFile(name: string): boolean {
  return /(^|_)override\.(tf|tofu)(\.json)?$/.test(name);
}

/** True for a module's source that is a folder beside the code. */
export function isLocalSource(source: unknown): source is string {
  return typeof source === "string" && /^\.\.?(\/|$)/.test(source);
}

function isTofuFile(name: string): boolean {
  return /\.tofu(\.json)?$/.test(name);
}

function twinOf(name: string): string {
  return name.replace(/\.tf(\.json)?$/, ".tofu$1");
}

/** Of the files in a folder, those that only OpenTofu reads. */
export function tofuFiles(names: readonly string[]): string[] {
  return codeFiles(names, "tofu").filter(isTofuFile);
}
