// Makes the standalone binary of this program: Node with our files inside (Node's single executable applications).
// npm run binary -- [--node FILE] [--to FILE]
import { execFile } from "node:child_process";
import {
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { parseArgs, promisify } from "node:util";
import { build } from "esbuild";
import { inject } from "postject";

const run = promisify(execFile);
const { platform, arch } = process;
const { values } = parseArgs({
  options: {
    // Of the same release as the Node that runs this, also for another system.
    node: { type: "string", default: process.execPath },
    to: {
      type: "string",
      default: `release/do-bootstrap-${platform}-${arch}${platform === "win32" ? ".exe" : ""}`,
    },
  },
});
/** The library and texts that no command reads. */
const LEFT_OUT = /^dist\/(index\.|THIRD-PARTY-NOTICES)/;
/** What Node's own build has at the place of the flag that postject sets. */
const FUSE = "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2";

const folder = await mkdtemp(join(tmpdir(), "do-bootstrap-binary-"));
try {
  await makeBinary(values.to);
} finally {
  await rm(folder, { recursive: true });
}

async function makeBinary(to) {
  await mkdir(dirname(to), { recursive: true });
  await rm(to, { force: true });
  await copyFile(values.node, to);
  await chmod(to, 0o755);
  const onMac = platform === "darwin";
  // A signature of Node's would no longer be valid, and macOS starts only what is signed.
  if (onMac) await run("codesign", ["--remove-signature", to]);
  await inject(to, "NODE_SEA_BLOB", await blob(), {
    sentinelFuse: FUSE,
    machoSegmentName: "NODE_SEA",
  });
  if (onMac) await run("codesign", ["--sign", "-", to]);
}

/** Our files, as Node reads them at its start. */
async function blob() {
  await build({
    ...{
      entryPoints: ["src/host/binary.ts"],
      outfile: join(folder, "main.cjs"),
      bundle: true,
      minify: true,
    },
    ...{ platform: "node", format: "cjs", target: "node20.19" },
  });
  const names = (await Promise.all(["dist", "templates"].map(filesIn))).flat();
  const assets = Object.fromEntries(
    names.filter((name) => !LEFT_OUT.test(name)).map((name) => [name, resolve(name)]),
  );
  // Neither a snapshot nor compiled code: they fit only the system that made them.
  const settings = { assets, disableExperimentalSEAWarning: true };
  // The path of the first file becomes part of the binary, so it is the same on every machine.
  const files = { main: "main.cjs", output: "blob" };
  await writeFile(join(folder, "sea.json"), JSON.stringify({ ...files, ...settings }));
  await run(process.execPath, ["--experimental-sea-config", "sea.json"], { cwd: folder });
  return readFile(join(folder, "blob"));
}

async function filesIn(top) {
  const entries = await readdir(top, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).replaceAll("\\", "/"));
}
