import type { Word } from "../../../errors/hint.ts";
import type { TerraformRoot } from "./root.ts";
import type { TerraformTool } from "./tool.ts";

/**
 * A Terraform command as the user would type it: with -chdir, unless the current folder is the root.
 *
 * @param dir the root module's folder, absolute.
 */
export function terraformWords(
  dir: string,
  tool: string,
  words: readonly string[],
): readonly Word[] {
  return [tool, { path: dir, before: "-chdir=" }, ...words];
}

/**
 * The tool that the user would type: the installed one, else the one that the root is for.
 *
 * @param tools the installed ones, by root module.
 */
export function toolOf(
  tools: ReadonlyMap<string, TerraformTool>,
  { config, tool }: Pick<TerraformRoot, "config" | "tool">,
): string {
  return tools.get(config.dir)?.name ?? tool;
}
