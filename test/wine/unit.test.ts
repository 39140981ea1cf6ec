import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { build, type Plugin } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NEEDS_POSIX } from "../fixtures/needs-posix.ts";
import { needsWine, onDriveZ, type WindowsMachine, windowsMachine } from "./windows.ts";

const TOP = resolve(import.meta.dirname, "../..");
const TESTS = join(TOP, "test/unit");

const FILES = readdirSync(TESTS, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".test.ts") && !(`test/unit/${name}` in NEEDS_POSIX))
  .sort();

describe.skipIf(needsWine !== "")(`the unit tests, run by Windows' Node${needsWine}`, () => {
  let machine: WindowsMachine;
  let folder: string;
  let results: Readonly<Record<string, { readonly passed: number; readonly failures: unknown }>>;
  beforeAll(async () => {
    machine = await windowsMachine();
    folder = await mkdtemp(join(tmpdir(), "windows-"));
    await bundle(folder);
    const answer = join(folder, "results.json");
    const call = { cwd: onDriveZ(TOP), env: { RESULTS: onDriveZ(answer) } };
    const ended = await machine.start(machine.node, [onDriveZ(join(folder, "stdin.mjs"))], call);
    expect(ended).toMatchObject({ status: 0 });
    results = JSON.parse(await readFile(answer, "utf8"));
  }, 900_000);
  afterAll(async () => {
    await machine.close();
    await rm(folder, { recursive: true, force: true });
  });

  it.each(FILES)("%s", (name) => {
    expect(results[name]?.failures).toEqual([]);
    expect(results[name]?.passed).toBeGreaterThan(0);
  });
});

/** Bundles the tests with unit-tests.mjs in place of vitest. Each file's own place stays what it is. */
async function bundle(outdir: string): Promise<void> {
  const imports = FILES.map(
    (name) => `${JSON.stringify(name)}: () => import(${JSON.stringify(join(TESTS, name))}),`,
  );
  const contents = `
    import { writeFileSync } from "node:fs";
    import { run } from "vitest";
    writeFileSync(process.env.RESULTS, JSON.stringify(await run({ ${imports.join("\n")} })));
    process.exit();`;
  const inPlace: Plugin = {
    name: "in-place",
    setup({ onLoad, onResolve }) {
      onResolve({ filter: /^vitest$/ }, () => ({
        path: join(import.meta.dirname, "unit-tests.mjs"),
      }));
      onLoad({ filter: /[\\/](src|test)[\\/].*\.ts$/ }, ({ path }) => ({
        loader: "ts",
        contents: readFileSync(path, "utf8")
          .replaceAll("import.meta.dirname", JSON.stringify(onDriveZ(dirname(path))))
          .replaceAll("import.meta.url", JSON.stringify(`file:///Z:${path}`)),
      }));
    },
  };
  await build({
    ...{ bundle: true, splitting: true, format: "esm", platform: "node", target: "node20.19" },
    stdin: { contents, resolveDir: TOP },
    outdir,
    outExtension: { ".js": ".mjs" },
    define: { __VERSION__: '"0.0.0-test"' },
    external: ["typescript", "esbuild"],
    alias: { "jsonc-parser": "jsonc-parser/lib/esm/main.js" },
    banner: {
      js: 'import { createRequire as of } from "node:module"; const require = of(import.meta.url);',
    },
    plugins: [inPlace],
    logLevel: "error",
  });
}
