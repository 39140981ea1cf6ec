import { readFile } from "node:fs/promises";
import { join } from "node:path";
import packlist from "npm-packlist";

/**
 * The files that `npm publish` would take of a folder, relative to it, as npm itself finds them; no
 * script is run and no .npmrc is read.
 *
 * @returns empty where nothing would be published.
 */
export async function npmFiles(folder: string): Promise<readonly string[]> {
  try {
    const text = await readFile(join(folder, "package.json"), "utf8");
    const manifest = JSON.parse(text) as { name?: unknown; private?: unknown } | null;
    if (typeof manifest?.name !== "string" || manifest.private === true) return [];
    return await packlist({
      path: folder,
      package: manifest,
      isProjectRoot: true,
      edgesOut: new Map<string, never>(),
    });
  } catch {
    // What npm cannot read it does not publish either.
    return [];
  }
}
