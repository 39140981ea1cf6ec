import { promises } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { basename, dirname, join } from "node:path";
import { nodeFiles } from "../../src/host/files.ts";
import type { FileSnapshot, LockWait } from "../../src/host/host.ts";
import { locked } from "../../src/host/lock.ts";
import { ourselves } from "../../src/host/owner.ts";
import { fileTree } from "../fixtures/tree.ts";

/**
 * Runs as its own process. For each n, replaces a folder right before the n-th call with a path, as
 * another user with write access could. Prints the results as JSON.
 *
 * argv: a way to replace, a folder to work in, "proc" or "portable" (without /proc; a comparison and
 * the call after it are one step), the first n, and the step to the next n.
 */
const [way = "", base = "", system = "", first = "1", step = "1"] = process.argv.slice(2);

const CALLS = ["open", "mkdir", "lstat", "stat", "readdir", "readlink", "realpath"] as const;
const CHANGES = ["unlink", "rmdir", "rm", "rename", "writeFile", "readFile", "symlink"] as const;
const NEW = "TOKEN=new\n";
const DEAD = 2 ** 22 + 1;
const LOCK = ".lock";

let isRunning = false;
let calls = 0;
let armed = 0;
let exchange: (call: string, path: string) => Promise<boolean> = async () => false;
let hits = 0;

const real = { ...promises };
for (const name of [...CALLS, ...CHANGES]) {
  const original = promises[name] as (...args: unknown[]) => Promise<unknown>;
  Object.assign(promises, {
    async [name](...args: unknown[]) {
      const isProc = String(args[0]).startsWith("/proc/self/fd/");
      if (system === "portable" && isProc) throw Object.assign(new Error(), { code: "ENOENT" });
      const isMoment = system === "proc" || name === "lstat";
      if (isRunning && isMoment && ++calls === armed) {
        isRunning = false;
        if (await exchange(name, String(args[0]))) hits++;
        isRunning = true;
      }
      return original(...args);
    },
  });
}
syncBuiltinESMExports();

interface Stage {
  readonly shared: string;
  readonly docs: string;
  readonly conf: string;
}

async function stage(): Promise<Stage> {
  const shared = await mkdtemp(join(base, "shared-"));
  await real.chmod(shared, 0o777);
  const [docs, conf] = [join(shared, "docs"), join(shared, "conf")];
  await mkdir(join(docs, "thesis"), { recursive: true });
  await mkdir(join(docs, "notes", "empty"), { recursive: true });
  await writeFile(join(docs, "thesis", ".env"), "PAGES=300\n");
  for (const name of [".env", ".gitignore", "config.yaml", LOCK]) {
    await writeFile(join(docs, name), `mine: ${name}\n`);
  }
  await mkdir(conf);
  await writeFile(join(conf, ".env"), "TOKEN=old\n", { mode: 0o600 });
  return { shared, docs, conf };
}

/** The operations; the folder is replaced while they run. */
const SCENES: Readonly<Record<string, (at: Stage) => Promise<() => Promise<unknown>>>> = {
  async replace({ conf }) {
    const before = await nodeFiles.look(join(conf, ".env"));
    return () => nodeFiles.replace(before, Buffer.from(NEW), 0o600);
  },
  async create({ conf }) {
    await rm(join(conf, ".env"));
    const before = await nodeFiles.look(join(conf, ".env"));
    return () => nodeFiles.replace(before, Buffer.from(NEW), 0o600);
  },
  async undo({ conf }) {
    const before = await nodeFiles.look(join(conf, ".env"));
    return nodeFiles.replace(before, Buffer.from(NEW), 0o600);
  },
  async "undo of a creation"({ conf }) {
    await rm(join(conf, ".env"));
    const before = await nodeFiles.look(join(conf, ".env"));
    return nodeFiles.replace(before, Buffer.from(NEW), 0o600);
  },
  async remove({ conf }) {
    const before = await nodeFiles.look(join(conf, ".env"));
    if (before.kind !== "file") throw new Error("no file");
    return () => nodeFiles.remove(before);
  },
  async "undo of a link's removal"({ conf }) {
    await symlink("elsewhere", join(conf, "link"));
    await writeFile(join(conf, "elsewhere"), "A=1\n");
    const before = await nodeFiles.look(join(conf, "link"));
    if (before.kind !== "file") throw new Error("no file");
    return nodeFiles.remove(before);
  },
  // The user's folder also has an empty folder with this name.
  async "undo of folders"({ conf }) {
    return nodeFiles.makeDirectory(join(conf, "notes", "empty"), 0o700);
  },
  async "removal with its folders"({ conf }) {
    const before = await inFolders(conf);
    return () => nodeFiles.remove(before, conf);
  },
  async "undo of a removal with its folders"({ conf }) {
    return nodeFiles.remove(await inFolders(conf), conf);
  },
  async lock({ conf }) {
    return () => locked(join(conf, LOCK), WAIT, async () => undefined);
  },
  async "lock of a dead run"({ conf }) {
    const holder = { ...ourselves(), pid: DEAD, host: "here", id: "dead" };
    await writeFile(join(conf, LOCK), JSON.stringify(holder));
    return () => locked(join(conf, LOCK), WAIT, async () => undefined);
  },
  async sweep({ conf }) {
    const name = `.env.do-bootstrap-${ourselves().machine}-${DEAD}-abcdef.local`;
    await mkdir(join(conf, name), { mode: 0o700 });
    await writeFile(join(conf, name, name), NEW, { mode: 0o600 });
    await writeFile(join(conf, name, ".gitignore"), `# ${name}\n*\n`);
    await utimes(join(conf, name), 0, 0);
    return () => nodeFiles.sweep(conf);
  },
};

const WAIT: LockWait = {
  clock: { now: () => 0, sleep: () => Promise.reject(new Error("held")) },
  waitingFor: () => undefined,
};

async function inFolders(conf: string): Promise<FileSnapshot> {
  await mkdir(join(conf, "notes", "empty"), { recursive: true });
  await writeFile(join(conf, "notes", "empty", "file"), "A=1\n");
  return (await nodeFiles.look(join(conf, "notes", "empty", "file"))) as FileSnapshot;
}

/** @returns false if there is nothing to replace yet. */
const WAYS: Readonly<Record<string, (at: Stage, call: string, path: string) => Promise<boolean>>> =
  {
    async "our name, by another of the user's"({ docs }, call, path) {
      if (call !== "mkdir") return false;
      await rename(docs, path);
      return true;
    },
    "our folder, by a link": ({ conf, docs }) => exchangedOurs(conf, (at) => symlink(docs, at)),
    "our folder, by another of the user's": ({ conf, docs }) =>
      exchangedOurs(conf, (at) => rename(docs, at)),
    async "the file's folder, by a link"({ conf, docs }) {
      await rename(conf, `${conf}.away`);
      await symlink(docs, conf);
      return true;
    },
    async "the file's folder, by another of the user's"({ conf, docs }) {
      await rename(conf, `${conf}.away`);
      await rename(docs, conf);
      return true;
    },
  };

async function exchangedOurs(
  conf: string,
  put: (path: string) => Promise<unknown>,
): Promise<boolean> {
  const names = await readdir(conf);
  const ours = names.find((name) => name.startsWith(".env.do-bootstrap-"));
  if (ours === undefined) return false;
  await rename(join(conf, ours), join(conf, "away"));
  await put(join(conf, ours));
  return true;
}

/** The user's files in their current place. */
async function treeOf(folder: string): Promise<string> {
  const tree = Object.entries(await fileTree(folder));
  return JSON.stringify(tree.map(([path, what]) => [path.slice(folder.length), what]));
}

async function placeOfDocs({ shared }: Stage): Promise<string | undefined> {
  const all = await readdir(shared, { recursive: true });
  const thesis = all.find((path) => basename(path) === "thesis");
  return thesis && join(shared, dirname(thesis));
}

const harmed: string[] = [];
let runs = 0;
for (const [scene, begin] of Object.entries(SCENES)) {
  armed = Number(first);
  while (await isHit(scene, begin)) armed += Number(step);
}
process.stdout.write(JSON.stringify({ runs, hits, harmed }));

/** @returns false if the operation has fewer calls. */
async function isHit(scene: string, begin: (typeof SCENES)[string]): Promise<boolean> {
  const at = await stage();
  const before = await treeOf(at.docs);
  const act = await begin(at);
  calls = 0;
  exchange = async (call, path) => (await WAYS[way]?.(at, call, path)) === true;
  isRunning = true;
  const error = await act().then(
    () => undefined,
    (thrown: Error) => thrown.message,
  );
  isRunning = false;
  runs++;
  const docs = await placeOfDocs(at);
  const after = docs === undefined ? "gone" : await treeOf(docs);
  if (after !== before) harmed.push(`${scene}, ${armed}: ${error}: ${after}`);
  // Nobody else may read the secret, wherever it is now.
  for (const [path, what] of Object.entries(await fileTree(at.shared))) {
    if (what.includes(NEW) && !what.startsWith("600 "))
      harmed.push(`${scene}, ${armed}: open: ${path}`);
  }
  await rm(at.shared, { recursive: true });
  return calls >= armed;
}
