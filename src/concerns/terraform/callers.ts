import { dirname, join, resolve } from "node:path";
import { textIn } from "../../core/file-text.ts";
import { CODE_PATTERNS } from "../../hcl/code-files.ts";
import { readTerraform } from "../../hcl/read.ts";
import type { Host } from "../../host/host.ts";
import { batches } from "../../lib/batches.ts";
import { filesOf } from "../git/files.ts";
import type { Git } from "../git/git.ts";
import { needsOf } from "./root/needs.ts";
import type { TerraformRoot } from "./root/root.ts";
import { calledFolder } from "./search/search.ts";

/** More than the folders that call one module have. */
const MOST_FILES = 5000;
const LOCAL_SOURCE = /source"?\s*[=:]\s*"\.\.?[/"]/;

/**
 * Adds the folders of the repo that call a root as a module, such as examples/basic. Checks only unprepared roots that
 * would get our blocks; for others it makes no difference.
 */
export async function withCallers(
  host: Pick<Host, "files">,
  git: Git,
  roots: readonly TerraformRoot[],
): Promise<readonly TerraformRoot[]> {
  const asked = roots.filter(wouldGetBlocks);
  if (asked.length === 0) return roots;
  const folders = new Map(asked.map(({ real }) => [real, [] as string[]]));
  const names = await filesOf(git, CODE_PATTERNS);
  const paths = names
    .map((name) => join(git.root, name))
    .filter((path) => !folders.has(dirname(path)));
  for (const batch of batches(paths.slice(0, MOST_FILES))) {
    await Promise.all(batch.map(readCalls));
  }
  return roots.map((root) => {
    const calledBy = folders.get(root.real) ?? [];
    return calledBy.length === 0 ? root : { ...root, calledBy: calledBy.sort() };
  });

  async function readCalls(path: string): Promise<void> {
    const text = textIn(await host.files.look(path));
    if (!LOCAL_SOURCE.test(text)) return;
    const { blocks } = await readTerraform(text, path);
    for (const block of blocks) {
      const called = calledFolder(block);
      if (called === undefined) continue;
      folders.get(resolve(dirname(path), called))?.push(`${path}:${block.place.line}`);
    }
  }
}

function wouldGetBlocks(root: TerraformRoot): boolean {
  if (root.foreign.length === 0 || root.own.size > 0) return false;
  const needs = needsOf(root);
  return (
    needs.lacksProvider ||
    needs.lacksRequiredProviders ||
    needs.lacksTokenVariable ||
    needs.undeclared.length > 0
  );
}
