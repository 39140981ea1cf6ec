import { mkdir, readdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { dir } from "tmp-promise";
import { describe, expect, it, onTestFinished } from "vitest";
import { loadConfig } from "../../../../src/concerns/config/load.ts";
import { nodeFiles } from "../../../../src/host/files.ts";
import { cpuTimer } from "../../../fixtures/cpu.ts";
import { NO_RECORDS } from "../../samples.ts";

const host = { files: nodeFiles, records: NO_RECORDS };

const MARKER = "was-run";

/** A module that writes a marker file when it runs. */
const leavesMark = (folder: string) =>
  `require("node:fs").writeFileSync(${JSON.stringify(join(folder, MARKER))}, ""); module.exports = {};`;

async function trap(files: (folder: string) => Record<string, string>): Promise<string> {
  const { path, cleanup } = await dir({ prefix: "do-bootstrap-test-", unsafeCleanup: true });
  onTestFinished(() => cleanup());
  for (const [name, text] of Object.entries(files(path))) {
    await mkdir(dirname(join(path, name)), { recursive: true });
    await writeFile(join(path, name), text);
  }
  return path;
}

/** The program loads a config from inside the folder. vitest's threads cannot chdir, so cwd() is replaced. */
async function loadIn(folder: string) {
  const { cwd } = process;
  process.cwd = () => folder;
  onTestFinished(() => {
    process.cwd = cwd;
  });
  return loadConfig(host, folder, folder);
}

describe("loading a repo's config runs no code (rule 7)", () => {
  const mark = leavesMark;
  it.each<[string, (folder: string) => Record<string, string>]>([
    [
      ".config/config.js",
      (it) => ({ ".config/config.js": mark(it), ".config/package.json": "{}" }),
    ],
    [".config/config.cjs", (it) => ({ ".config/config.cjs": mark(it) })],
    [".config/config.mjs", (it) => ({ ".config/config.mjs": `import "node:module";${mark(it)}` })],
    [".config/config.ts", (it) => ({ ".config/config.ts": mark(it) })],
    [
      "a cosmiconfig key in package.json",
      (it) => ({
        "package.json":
          '{ "cosmiconfig": { "loaders": { "noExt": "./evil.cjs" }, "searchPlaces": ["evil.cjs"] } }',
        "evil.cjs": mark(it),
      }),
    ],
    [
      ".config/config.json",
      (it) => ({
        ".config/config.json": '{ "cosmiconfig": { "searchPlaces": ["evil.cjs"] } }',
        "evil.cjs": mark(it),
      }),
    ],
    [
      ".config/config.yaml",
      (it) => ({
        ".config/config.yaml": "cosmiconfig: { searchPlaces: [evil.cjs] }",
        "evil.cjs": mark(it),
      }),
    ],
    [
      ".do-bootstraprc.js",
      (it) => ({ ".do-bootstraprc.js": mark(it), ".do-bootstraprc.cjs": mark(it) }),
    ],
    [
      "do-bootstrap.config.js",
      (it) => ({ "do-bootstrap.config.js": mark(it), "do-bootstrap.config.ts": mark(it) }),
    ],
  ])("does not run code from %s", async (_, files) => {
    const folder = await trap((it) => ({ ...files(it), ".do-bootstraprc": "project: here" }));
    expect((await loadIn(folder)).written).toEqual({ project: "here" });
    expect(await readdir(folder)).not.toContain(MARKER);
  });

  it("the test's module does write the marker file when imported", async () => {
    const folder = await trap((it) => ({ "evil.cjs": leavesMark(it) }));
    await import(join(folder, "evil.cjs"));
    expect(await readdir(folder)).toContain(MARKER);
  });
});

describe("$import is refused", () => {
  it.each<[string, Record<string, string>]>([
    ["in YAML", { ".do-bootstraprc": '$import: "./other.yaml"' }],
    ["in JSON", { ".do-bootstraprc.json": '{ "$import": "/etc/passwd" }' }],
    ["as a list", { "do-bootstrap.config.yml": "$import: [a, b]" }],
    [
      "under our key in package.json",
      { "package.json": '{ "do-bootstrap": { "$import": "./other.yaml" } }' },
    ],
    ["in a section", { ".do-bootstraprc": "token: { $import: ./other.yaml }" }],
  ])("%s", async (_, files) => {
    const folder = await trap(() => ({ ...files, "other.yaml": "name: stolen" }));
    const refusal = { code: "CONFIG_INVALID", message: expect.stringContaining("$import") };
    await expect(loadIn(folder)).rejects.toMatchObject(refusal);
  });

  it("is ignored outside our key in package.json", async () => {
    const files = {
      "package.json": '{ "$import": "./other.json", "do-bootstrap": { "project": "a" } }',
    };
    const folder = await trap(() => ({
      ...files,
      "other.json": '{ "do-bootstrap": { "project": "b" } }',
    }));
    expect((await loadIn(folder)).written).toEqual({ project: "a" });
  });
});

describe("YAML that expands to gigabytes is refused quickly", () => {
  const nines = Array.from(
    { length: 9 },
    (_, i) => `l${i + 1}: &l${i + 1} [${Array(9).fill(`*l${i}`).join(", ")}]`,
  );
  const bomb = [`l0: &l0 [${Array(9).fill("lol").join(", ")}]`, ...nines].join("\n");

  it.each([
    ["at the top level", bomb],
    [
      "in variables, which allow any value",
      `terraform:\n  variables:\n    ${bomb.replaceAll("\n", "\n    ")}`,
    ],
    ["in an alias to itself", "a: &a [*a]"],
    ["in a map with an alias to itself", "terraform: { variables: { a: &a { b: *a } } }"],
  ])("%s", async (_, text) => {
    const folder = await trap(() => ({ ".do-bootstraprc": text }));
    const seconds = cpuTimer();
    await expect(loadIn(folder)).rejects.toMatchObject({ status: 2 });
    expect(seconds()).toBeLessThan(2);
  });

  it("a few aliases are accepted", async () => {
    const text = "terraform: { variables: { a: &a { b: 1 }, c: *a } }";
    const folder = await trap(() => ({ ".do-bootstraprc": text }));
    const variables = { a: { b: 1 }, c: { b: 1 } };
    expect((await loadIn(folder)).written).toEqual({ terraform: { variables } });
  });
});
