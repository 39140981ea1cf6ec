import { mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { dir } from "tmp-promise";
import { describe, expect, it, onTestFinished } from "vitest";
import { loadConfig } from "../../../../src/concerns/config/load.ts";
import { AppError } from "../../../../src/errors/app-error.ts";
import { nodeFiles } from "../../../../src/host/files.ts";
import { cpuTimer } from "../../../fixtures/cpu.ts";
import { said } from "../../../fixtures/hint.ts";
import { NO_RECORDS, PERSONAL } from "../../samples.ts";

const host = { files: nodeFiles, records: NO_RECORDS };

/** A folder with these files, removed when the test ends. */
async function folderOf(files: Record<string, string>): Promise<string> {
  const { path, cleanup } = await dir({ prefix: "do-bootstrap-test-", unsafeCleanup: true });
  onTestFinished(() => cleanup());
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(path, name)), { recursive: true });
    await writeFile(join(path, name), text);
  }
  return path;
}

/** The config file that is used, relative to the top folder, and its project. */
async function winner(files: Record<string, string>, cwd = ".") {
  const top = await folderOf(files);
  const { file, written, base } = await loadConfig(host, join(top, cwd), top);
  const short = (path: string) => path.slice(top.length + 1);
  return { file: file && short(file), base: short(base), project: written.project };
}

async function refusalOf(files: Record<string, string>): Promise<AppError & { file: string }> {
  const top = await folderOf(files);
  const error: unknown = await loadConfig(host, top, top).catch((thrown: unknown) => thrown);
  if (!(error instanceof AppError)) throw new Error("the config was accepted", { cause: error });
  return Object.assign(error, { file: join(top, Object.keys(files)[0] ?? "") });
}

const YAML = "project: here\n";
const JSON_TEXT = '{ "project": "here" }';
const PACKAGE = '{ "name": "x", "do-bootstrap": { "project": "here" } }';

/** In search order. */
const PLACES: [string, string][] = [
  ["package.json", PACKAGE],
  [".do-bootstraprc", YAML],
  [".do-bootstraprc.json", JSON_TEXT],
  [".do-bootstraprc.yaml", YAML],
  [".do-bootstraprc.yml", YAML],
  [".config/do-bootstraprc", YAML],
  [".config/do-bootstraprc.json", JSON_TEXT],
  [".config/do-bootstraprc.yaml", YAML],
  [".config/do-bootstraprc.yml", YAML],
  ["do-bootstrap.config.json", JSON_TEXT],
  ["do-bootstrap.config.yaml", YAML],
  ["do-bootstrap.config.yml", YAML],
];

describe("config files", () => {
  it.each(PLACES)("reads %s", async (place, text) => {
    const base = place.startsWith(".config/") ? expect.stringMatching(/^(\.config)?$/) : "";
    expect(await winner({ [place]: text })).toEqual({ file: place, base, project: "here" });
  });

  it.each(PLACES.map(([place], i) => [place, i] as const))(
    "%s overrides the places after it",
    async (place, i) => {
      expect((await winner(Object.fromEntries(PLACES.slice(i)))).file).toBe(place);
    },
  );

  it("reads JSON in .do-bootstraprc", async () => {
    expect((await winner({ ".do-bootstraprc": JSON_TEXT })).project).toBe("here");
  });

  it.each([
    ".do-bootstraprc.js",
    ".do-bootstraprc.toml",
    "do-bootstrap.config.js",
    "do-bootstrap.config.ts",
    "package.yaml",
    ".config/do-bootstrap.yaml",
    "do-bootstraprc",
  ])("does not read %s", async (place) => {
    expect(await winner({ [place]: YAML })).toEqual({
      file: undefined,
      base: "",
      project: undefined,
    });
  });
});

describe("a config whose name differs by case only is refused on every disk", () => {
  it.each([
    ["Do-Bootstrap.config.yaml", "do-bootstrap.config.yaml"],
    [".DO-BOOTSTRAPRC", ".do-bootstraprc"],
    [".config/do-bootstraprc.YML", ".config/do-bootstraprc.yml"],
  ])("%s", async (name, right) => {
    const { code, message, hint, file } = await refusalOf({ [name]: YAML });
    expect(code).toBe("CONFIG_UNREADABLE");
    expect(message).toBe(`${file} is not read: its name has to be ${right}.`);
    expect(said(hint ?? [])).toBe(`mv ${file} ${join(dirname(file), right.replace(/^.*\//, ""))}`);
  });

  it("beside the right one, too", async () => {
    const both = { "DO-bootstrap.config.yml": YAML, "do-bootstrap.config.yml": YAML };
    expect((await refusalOf(both)).code).toBe("CONFIG_UNREADABLE");
  });

  it.each(["Package.json", "README.md", "DO-BOOTSTRAP.md"])("%s is not a config", async (name) => {
    expect((await winner({ [name]: PACKAGE })).file).toBeUndefined();
  });
});

describe("which of several configs is used", () => {
  it.each<[string, Record<string, string>, string, string | undefined]>([
    [
      "the nearest",
      { ".do-bootstraprc": YAML, "a/b/.do-bootstraprc": YAML },
      "a/b",
      "a/b/.do-bootstraprc",
    ],
    ["one in a parent folder", { ".do-bootstraprc": YAML, "a/b/x": "" }, "a/b", ".do-bootstraprc"],
    [
      "one between the folder and the top",
      { ".do-bootstraprc": YAML, "a/.do-bootstraprc.json": JSON_TEXT, "a/b/x": "" },
      "a/b",
      "a/.do-bootstraprc.json",
    ],
    [
      "none in a sibling or child folder",
      { "a/x": "", "b/.do-bootstraprc": YAML, "a/c/.do-bootstraprc": YAML },
      "a",
      undefined,
    ],
    [
      "not a package.json without our key",
      { "a/package.json": "{}", ".do-bootstraprc": YAML },
      "a",
      ".do-bootstraprc",
    ],
    [
      "the next file after a package.json without our key",
      { "package.json": '{ "name": "x" }', ".do-bootstraprc": YAML },
      ".",
      ".do-bootstraprc",
    ],
    [
      "the nearest, even if empty",
      { ".do-bootstraprc": YAML, "a/.do-bootstraprc": "" },
      "a",
      "a/.do-bootstraprc",
    ],
  ])("%s", async (_, files, cwd, file) => {
    expect((await winner(files, cwd)).file).toBe(file);
  });

  it("none above the top folder", async () => {
    const folder = await folderOf({ ".do-bootstraprc": YAML, "repo/a/x": "" });
    const loaded = await loadConfig(host, join(folder, "repo", "a"), join(folder, "repo"));
    expect(loaded).toMatchObject({ file: undefined, base: join(folder, "repo", "a"), written: {} });
  });

  it("its paths are relative to its folder", async () => {
    expect((await winner({ "a/.do-bootstraprc": YAML, "a/b/x": "" }, "a/b")).base).toBe("a");
  });
});

describe("an empty config uses the defaults", () => {
  it.each([
    [".do-bootstraprc", ""],
    [".do-bootstraprc", "\n\n"],
    [".do-bootstraprc.yaml", "# nothing\n"],
    [".do-bootstraprc.yaml", "---\n"],
    [".do-bootstraprc.json", "{}"],
    [".do-bootstraprc.json", ""],
    ["package.json", '{ "do-bootstrap": {} }'],
  ])("%s: %j", async (file, text) => {
    expect(await winner({ [file]: text })).toEqual({ file, base: "", project: undefined });
  });
});

describe("invalid JSON is reported with line and column", () => {
  it.each([
    ['{ "a": 1', 1, 9],
    ['{\n  "a": 1,\n}', 3, 1],
    ['{\r\n  "a": 1 // b\r\n}', 2, 10],
    ['{ "a": tru }', 1, 8],
    ["hello", 1, 1],
    ["\ufeff{}", 1, 1],
    [`{\n  "token": "${PERSONAL}\n}`, 2, 12],
    [`{\n  "token": "${PERSONAL}" "a"\n}`, 2, 86],
    [`{\n  "token": ${PERSONAL}\n}`, 2, 12],
  ])("%j", async (text, line, column) => {
    const { message } = await refusalOf({ ".do-bootstraprc.json": text });
    expect(message).toMatch(
      new RegExp(`\\.json: not valid JSON at line ${line}, column ${column}$`),
    );
  });
});

describe("an unreadable config", () => {
  it.each([
    [".do-bootstraprc", "a: [1"],
    [".do-bootstraprc", "a: 1\n\tb: 2"],
    [".do-bootstraprc.yaml", "a: b: c"],
    [".do-bootstraprc.yml", "a: *x"],
    [".do-bootstraprc.yaml", "a: 1\na: 2"],
    [".do-bootstraprc.yaml", "a: 1\n---\nb: 2"],
    [".do-bootstraprc.json", "{ a: 1 }"],
    [".do-bootstraprc.json", '{ "a": 1'],
    ["do-bootstrap.config.json", "hello"],
    ["package.json", "{"],
  ])("is refused with its name: %s: %j", async (name, text) => {
    const { code, status, message, hint, file } = await refusalOf({ [name]: text });
    expect({ code, status }).toEqual({ code: "CONFIG_UNREADABLE", status: 2 });
    expect(message.startsWith(`${file}: `)).toBe(true);
    expect(message).not.toContain("\n");
    expect(said(hint)).toMatch(/\w/);
  });

  it.each([
    [".do-bootstraprc", `token: ${PERSONAL} x: [`],
    [".do-bootstraprc.json", `{ "token": ${PERSONAL} }`],
    [".do-bootstraprc.json", PERSONAL],
    ["package.json", `{ "token": "${PERSONAL}", }`],
  ])("is refused without showing its token: %s, case %#", async (name, text) => {
    const { message, hint } = await refusalOf({ [name]: text });
    expect(message + said(hint)).not.toMatch(/[0-9a-f]{12}/);
  });

  it.each<[what: string, make: (path: string) => Promise<unknown>, says: string]>([
    ["a device", (path) => symlink("/dev/zero", path), "is a device."],
    ["a FIFO", (path) => execa("mkfifo", [path]), "is a FIFO."],
    ["a directory", (path) => mkdir(path), "is a directory."],
    ["a link to itself", (path) => symlink(".do-bootstraprc", path), "is not readable (ELOOP)."],
    [
      "a file of 5 MB",
      (path) => writeFile(path, "- x\n".repeat(1_250_000)),
      "is larger than 0.0625 MB.",
    ],
  ])("%s is refused quickly", async (_, make, says) => {
    const top = await folderOf({});
    const file = join(top, ".do-bootstraprc");
    await make(file);
    const seconds = cpuTimer();
    await expect(loadConfig(host, top, top)).rejects.toMatchObject({
      code: "CONFIG_UNREADABLE",
      message: `${file} ${says}`,
    });
    expect(seconds()).toBeLessThan(1);
  });

  it.each<[what: string, text: string]>([
    ["nested lists", "[".repeat(60_000)],
    ["nested maps", "{a: ".repeat(15_000)],
    ["nested items", "- ".repeat(30_000)],
    ["nested keys", "? ".repeat(30_000)],
    ["nested values", "a: ".repeat(20_000)],
    ["anchors", "&a ".repeat(20_000)],
    ["keys", Array.from({ length: 6000 }, (_, i) => `k${i}: 1\n`).join("")],
  ])("60 kB of %s are refused within seconds", async (_, text) => {
    const seconds = cpuTimer();
    expect((await refusalOf({ ".do-bootstraprc": text })).status).toBe(2);
    expect(seconds()).toBeLessThan(15);
  });

  it("an unknown YAML tag emits no process warning", async () => {
    const warnings: Error[] = [];
    const hear = (warning: Error) => void warnings.push(warning);
    process.on("warning", hear);
    onTestFinished(() => void process.off("warning", hear));
    expect(await winner({ ".do-bootstraprc": "project: !!js/function x # \u001b[31m\n" })).toEqual({
      file: ".do-bootstraprc",
      base: "",
      project: "x",
    });
    await new Promise(setImmediate);
    expect(warnings).toEqual([]);
  });
});
