import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import type { ParseHcl } from "./host.ts";

/**
 * Loads the Terraform grammar (tree-sitter, WebAssembly), which takes some tens of ms: only where a
 * repo has .tf files that are not ours.
 *
 * @param packageFolder the build puts the two .wasm files into its dist folder.
 */
export async function loadHclParser(packageFolder: string): Promise<ParseHcl> {
  const { Language, Parser } = await import("web-tree-sitter");
  const at = (name: string) => join(packageFolder, "dist", name);
  // The optimising compiler takes 100 ms of CPU and 20 MB, and a process waits for it before it ends;
  // what it makes of the grammar parses hardly faster.
  setFlagsFromString("--no-wasm-tier-up");
  setFlagsFromString("--no-wasm-dynamic-tiering");
  await Parser.init({ locateFile: at });
  const parser = new Parser();
  parser.setLanguage(await Language.load(at("tree-sitter-terraform.wasm")));
  return (text, use) => {
    const tree = parser.parse(text);
    if (tree === null) throw new Error("the grammar gave no tree");
    try {
      return use(tree.rootNode);
    } finally {
      // Its memory is outside the reach of the garbage collector.
      tree.delete();
    }
  };
}
