import { join, relative, sep } from "node:path";
import { textIn } from "../../core/file-text.ts";
import type { Host } from "../../host/host.ts";
import { isTerraformFile } from "../../lib/paths.ts";
import type { ModuleTree } from "../../scopes/module-tree.ts";
import type { TerraformRoot } from "./root/root.ts";
import { tokensElsewhere } from "./root/written-tokens.ts";

/** Only the text is searched: the blocks were parsed for another purpose. */
const TEXT_ALONE = { blocks: [], references: [], problem: { file: "", line: 1 } };
const INSTALLED = `${sep}.terraform${sep}`;

/**
 * Adds to each root the tokens in the code of the local modules that it calls. The scan for needed scopes has already
 * found their folders.
 */
export function withModuleTokens(
  { files }: Pick<Host, "files">,
  roots: readonly TerraformRoot[],
  trees: readonly Pick<ModuleTree, "folders">[],
): Promise<readonly TerraformRoot[]> {
  return Promise.all(
    roots.map(async (root) => {
      const [, ...folders] = trees.find(({ folders }) => folders[0] === root.real)?.folders ?? [];
      const own = folders.filter((folder) => !`${folder}${sep}`.includes(INSTALLED));
      const found = (await Promise.all(own.map((folder) => tokensOf(root, folder)))).flat();
      if (found.length === 0) return root;
      const hardCoded = [...root.module.hardCoded, ...found];
      return { ...root, module: { ...root.module, hardCoded } };
    }),
  );

  async function tokensOf({ real }: TerraformRoot, folder: string) {
    const names = (await files.list(folder)).filter(isTerraformFile);
    const texts = names.map(async (name) => {
      const path = join(folder, name);
      return [relative(real, path), textIn(await files.look(path))] as const;
    });
    return (await Promise.all(texts)).flatMap(([name, text]) =>
      tokensElsewhere(text, name, TEXT_ALONE, []),
    );
  }
}
