import type { Word } from "../../../errors/hint.ts";
import type { TerraformRootConfig } from "../../config/resolved.ts";
import type { TerraformTool } from "./tool.ts";

/**
 * A command of Terraform's as a person would type it: with -chdir, unless it is typed in that very folder.
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

/** The tool that a person would type: the installed one, else the one that config names. */
export function toolOf(
  installed: TerraformTool | undefined,
  { tool }: Pick<TerraformRootConfig, "tool">,
): string {
  return installed?.name ?? tool ?? "terraform";
}
