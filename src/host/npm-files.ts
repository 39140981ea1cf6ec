import { readFile } from "node:fs/promises";
import { join } from "node:path";
import packlist from "npm-packlist";

/**
 * The files that `npm publish` would take of a folder, relative to it, as npm itself finds them; no
 * script is run and no .npmrc is read.
 *
 * @returns empty where nothing would be published; undefined where npm might, but the list cannot be had.
 */
export async function npmFiles(folder: string): Promise<readonly string[] | undefined> {
  const manifest = await readManifest(folder);
  if (typeof manifest?.name !== "string" || manifest.private === true) return [];
  const { files = [] } = manifest;
  // It would end the program.
  if (!Array.isArray(files) || files.some((each) => typeof each !== "string")) return undefined;
  try {
    return await packlist({
      path: folder,
      // They lie in node_modules, which is not searched; and `true` would end the program.
      package: { ...manifest, bundleDependencies: [] },
      isProjectRoot: true,
      edgesOut: new Map<string, never>(),
    });
  } catch {
    return undefined;
  }
}

interface Manifest {
  readonly name?: unknown;
  readonly private?: unknown;
  readonly files?: unknown;
}

async function readManifest(folder: string): Promise<Manifest | null | undefined> {
  try {
    const text = await readFile(join(folder, "package.json"), "utf8");
    return JSON.parse(text.replace(/^\ufeff/, ""));
  } catch {
    // What npm cannot read it does not publish either.
    return undefined;
  }
}
