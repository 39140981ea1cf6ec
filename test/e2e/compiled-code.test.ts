import { chmod, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Script } from "node:vm";
import { describe, it } from "vitest";
import { type RunOptions, type Workbench, workbench } from "../fixtures/workbench.ts";

const DIST = join(import.meta.dirname, "../../dist");
const KEPT = ".cache/do-bootstrap/code";

describe.concurrent("V8's compiled code is kept for the next run", () => {
  const check = (bench: Workbench, options: RunOptions = {}) =>
    bench.run(["check", "--json"], { ...options, process: true });
  const kept = async (home: string) => {
    const folder = join(home, KEPT);
    const names = await readdir(folder).catch(() => []);
    return Promise.all(names.map(async (name) => [name, (await stat(join(folder, name))).ino]));
  };

  it("from the second run on, for each command, with the same output", async (context) => {
    const { expect } = context;
    const bench = await workbench(context);
    await bench.write("do-bootstrap.config.yaml", "project: acme\n");
    await bench.run(["--token-stdin"], { input: bench.token, process: true });
    expect(await kept(bench.home)).toEqual([]);
    const first = await check(bench);
    const written = await kept(bench.home);
    expect(written).toEqual([[`check-${process.versions.v8}.code`, expect.any(Number)]]);
    expect(await check(bench)).toEqual(first);
    expect(await kept(bench.home)).toEqual(written);
    await bench.run(["completion", "bash"], { process: true });
    expect(await kept(bench.home)).toHaveLength(2);
  });

  it.for<[what: string, bytes: (whole: Buffer) => Buffer]>([
    ["is truncated", (whole) => whole.subarray(0, 5000)],
    ["is empty", () => Buffer.alloc(0)],
    ["is from another V8", (whole) => Buffer.from(whole).fill(7, whole.readUInt32LE(0) + 4)],
    ["has other contents", () => Buffer.from("#!/bin/sh\nexit 1\n")],
  ])("rewrites a file that %s", async ([, bytes], context) => {
    const { expect } = context;
    const { bench, file } = await withKept(context);
    const first = await check(bench);
    const whole = await readFile(file);
    await writeFile(file, bytes(whole));
    expect(await check(bench)).toEqual(first);
    expect((await readFile(file)).length).toBeGreaterThan(100_000);
  });

  it.for<
    [
      what: string,
      env: Record<string, string>,
      arrange: (bench: Workbench) => unknown,
      runs: boolean,
    ]
  >([
    ["in the user's own folder", {}, () => undefined, true],
    ["in a pipeline", { CI: "true" }, () => undefined, false],
    [
      "in a folder that everybody can write to",
      {},
      ({ home }) => chmod(join(home, KEPT), 0o777),
      false,
    ],
    ["in a git repo", {}, ({ home }) => mkdir(join(home, ".git")), false],
  ])("kept code %s: used or not", async ([, env, arrange, runs], context) => {
    const { expect } = context;
    const { bench, file } = await withKept(context);
    const mark = join(bench.root, "mark");
    await writeFile(file, planted(await readFile(file), mark));
    await arrange(bench);
    await check(bench, { env });
    expect(await readFile(mark, "utf8").catch(() => "")).toBe(runs ? "ran" : "");
  });

  async function withKept(context: Parameters<typeof workbench>[0]) {
    const bench = await workbench(context);
    await bench.write("do-bootstrap.config.yaml", "project: acme\n");
    await bench.run(["--token-stdin"], { input: bench.token });
    await check(bench);
    return { bench, file: join(bench.home, KEPT, `check-${process.versions.v8}.code`) };
  }

  /** Other code in place of each file; V8 accepts it, because it has the same length. */
  function planted(whole: Buffer, mark: string): Buffer {
    const names: [string, number][] = JSON.parse(
      whole.toString("utf8", 4, 4 + whole.readUInt32LE(0)),
    );
    const evil = `process.getBuiltinModule("fs").writeFileSync(${JSON.stringify(mark)},"ran");process.exit(0)`;
    const parts = names.map(([name]) => {
      const { length } = process.getBuiltinModule("fs").readFileSync(join(DIST, name), "utf8");
      const text = `(function(exports,require,module,__filename,__dirname){${evil.padEnd(length)}\n})`;
      const script = new Script(text);
      // V8 keeps the code that was run.
      script.runInThisContext();
      return [name, script.createCachedData()] as const;
    });
    const head = JSON.stringify(parts.map(([name, { length }]) => [name, length]));
    const size = Buffer.alloc(4);
    size.writeUInt32LE(Buffer.byteLength(head));
    return Buffer.concat([size, Buffer.from(head), ...parts.map(([, bytes]) => bytes)]);
  }
});
