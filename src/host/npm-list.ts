import fs, { constants } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { parentPort } from "node:worker_threads";
import packlist from "npm-packlist";

/** In bytes. The patterns of a package take some hundred. */
const LARGEST = 1024 * 1024;

// npm reads its pattern files with this function. One may be a link to a device, which is endless.
Object.assign(fs, {
  readFile(path: string, _: unknown, done: (error: unknown, text?: string) => void) {
    textOf(path).then((text) => done(null, text), done);
  },
});

// A separate thread: see npm-files.ts. An error here ends it.
parentPort?.on("message", async (folder: string) => {
  parentPort?.postMessage(await filesIn(folder));
});

async function filesIn(folder: string): Promise<readonly string[]> {
  const manifest = await readManifest(folder);
  if (typeof manifest?.name !== "string" || manifest.private === true) return [];
  return packlist({
    path: folder,
    // These are in node_modules, which is not searched.
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
    const text = await textOf(join(folder, "package.json"));
    return JSON.parse(text.replace(/^\ufeff/, ""));
  } catch {
    // npm does not publish what it cannot read.
    return undefined;
  }
}

/** @throws Error for anything but a file, and for one that is too large. */
async function textOf(path: string): Promise<string> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!(await handle.stat()).isFile()) throw new Error("no file");
    const bytes = Buffer.alloc(LARGEST + 1);
    for (let size = 0; size < bytes.length; ) {
      const { bytesRead } = await handle.read(bytes, size, bytes.length - size);
      if (bytesRead === 0) return bytes.toString("utf8", 0, size);
      size += bytesRead;
    }
    throw new Error("too large");
  } finally {
    await handle.close();
  }
}
