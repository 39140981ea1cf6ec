import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parentPort } from "node:worker_threads";
import packlist from "npm-packlist";

// A thread of its own: see npm-files.ts. What throws here ends it.
parentPort?.on("message", async (folder: string) => {
  parentPort?.postMessage(await filesIn(folder));
});

async function filesIn(folder: string): Promise<readonly string[]> {
  const manifest = await readManifest(folder);
  if (typeof manifest?.name !== "string" || manifest.private === true) return [];
  return packlist({
    path: folder,
    // They lie in node_modules, which is not searched.
    package: { ...manifest, bundleDependencies: [] },
    isProjectRoot: true,
    edgesOut: new Map<string, never>(),
  });
}

interface Manifest {
  readonly name?: unknown;
  readonly private?: unknown;
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
