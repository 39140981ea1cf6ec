import { once } from "node:events";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { build } from "esbuild";
import { execa } from "execa";
import { dir } from "tmp-promise";
import { beforeAll, describe, expect, it } from "vitest";
import { hasProc } from "../fixtures/proc.ts";
import { aged, fileTree } from "../fixtures/tree.ts";
import { randomToken, workbench } from "../fixtures/workbench.ts";
import { COUNT, figures, SEED } from "./figures.ts";

const bundle = await dir({ prefix: "other-user-", unsafeCleanup: true });
const SCRIPT = join(bundle.path, "exchange.mjs");

beforeAll(async () => {
  await build({
    entryPoints: [join(import.meta.dirname, "exchange.ts")],
    outfile: SCRIPT,
    bundle: true,
    platform: "node",
    format: "esm",
  });
  return () => bundle.cleanup();
});

const WAYS = [
  "our folder, by a link",
  "our folder, by another of the user's",
  "the file's folder, by a link",
  "the file's folder, by another of the user's",
];

it("the user's folder with the name of our new folder stays", async () => {
  const way = "our name, by another of the user's";
  const { stdout } = await execa(process.execPath, [SCRIPT, way, bundle.path, "proc"]);
  expect(JSON.parse(stdout)).toMatchObject({ harmed: [], hits: 6 });
});

describe.each(hasProc ? ["proc", "portable"] : ["portable"])(
  "a folder that another user replaces (%s)",
  (system) => {
    it.each(WAYS)(
      "%s, before a call: the user's files stay unchanged",
      async (way) => {
        const step = COUNT === 1 ? 3 : 1;
        const moments = [`${1 + (SEED % step)}`, `${step}`];
        const { stdout } = await execa(process.execPath, [
          ...[SCRIPT, way, bundle.path, system],
          ...moments,
        ]);
        const { runs, hits, harmed } = JSON.parse(stdout);
        const row = { runs, faults: hits, lost: harmed.length, halfWritten: 0, leftOver: 0 };
        figures(`${way} (${system})`, row);
        expect(harmed).toEqual([]);
        expect(hits).toBeGreaterThan(10);
      },
      60_000,
    );
  },
);

/** Replaces each folder that a run makes with a link to the user's documents. */
const SWAPPER = `
const { readdirSync, renameSync, symlinkSync } = require("node:fs");
const [folder, docs] = process.argv.slice(1);
const swapped = new Set();
process.on("SIGTERM", () => { console.log(swapped.size); process.exit(); });
process.stdout.write("ready\\n");
(function turn() {
  for (let i = 0; i < 200; i++) {
    for (const name of readdirSync(folder)) {
      if (!/^\\.(env\\.)?do-bootstrap-.*[0-9a-f]{6}(\\.local)?$/.test(name) || swapped.has(name)) continue;
      try {
        renameSync(folder + "/" + name, folder + "/away" + name);
        symlinkSync(docs, folder + "/" + name);
        swapped.add(name);
      } catch {}
    }
  }
  setImmediate(turn);
})();
`;

const needsRoot = process.getuid?.() === 0 ? "" : " (needs root)";
describe.skipIf(needsRoot)(`a second user who replaces folders during a run${needsRoot}`, () => {
  it(
    "init in a repo that they can write to does not change the user's documents",
    async (context) => {
      const bench = await workbench(context);
      const docs = join(bench.home, "docs");
      await mkdir(join(docs, "thesis"), { recursive: true });
      for (const name of [".env", ".gitignore", "thesis/1.txt"]) {
        await writeFile(join(docs, name), "mine\n");
      }
      await chmod(bench.root, 0o755);
      await chmod(bench.repo, 0o777);
      const before = await aged(docs);
      const swapper = execa(process.execPath, ["-e", SWAPPER, bench.repo, docs], {
        uid: 65_534,
        gid: 65_534,
      });
      await once(swapper.stdout as Readable, "data");
      const runs = 4 * COUNT;
      for (let i = 0; i < runs; i++) {
        // A new token each time, so that each run has something to write.
        const token = randomToken();
        bench.sandbox.accept(token);
        const { stderr } = await bench.run(["--token-stdin"], { input: token });
        expect(stderr).not.toContain("UNEXPECTED");
      }
      swapper.kill();
      const swaps = Number((await swapper).stdout.split("\n").at(-1));
      const after = await fileTree(docs);
      const lost = Object.keys(before).filter((path) => after[path] !== before[path]).length;
      figures("raced by another user", { runs, faults: swaps, lost, halfWritten: 0, leftOver: 0 });
      expect(after).toEqual(before);
      expect(swaps).toBeGreaterThan(0);
    },
    60_000 * COUNT,
  );
});
