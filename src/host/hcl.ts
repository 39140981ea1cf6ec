import { join } from "node:path";
import type { HclNode, ParseHcl } from "./host.ts";

/**
 * Loads the Terraform grammar (tree-sitter, WebAssembly), which takes some tens of ms: only where a
 * repo has .tf files that are not ours.
 *
 * @param packageFolder the build puts the two .wasm files into its dist folder.
 */
export async function loadHclParser(packageFolder: string): Promise<ParseHcl> {
  const { Language, Parser } = await import("web-tree-sitter");
  const at = (name: string) => join(packageFolder, "dist", name);
  await Parser.init({ locateFile: at });
  const parser = new Parser();
  parser.setLanguage(await Language.load(at("tree-sitter-terraform.wasm")));
  return (text, use) => {
    const tree = parser.parse(text);
    if (tree === null) throw new Error("the grammar gave no tree");
    try {
      return use(view(tree.rootNode));
    } finally {
      // Its memory is outside the reach of the garbage collector.
      tree.delete();
    }
  };
}

type TreeNode = import("web-tree-sitter").Node;

/** Children are made when asked for: most of a tree is never looked at. */
function view(node: TreeNode): HclNode {
  return {
    type: node.type,
    hasError: node.hasError,
    isMissing: node.isMissing,
    startIndex: node.startIndex,
    endIndex: node.endIndex,
    line: node.startPosition.row + 1,
    get text() {
      return node.text;
    },
    get children() {
      return node.namedChildren.filter((child) => child !== null).map(view);
    },
  };
}
