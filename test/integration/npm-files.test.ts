import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { npmFilesIn } from "../../src/host/npm-files.ts";
import { cpuSeconds } from "../fixtures/cpu.ts";
import { hasPs, needsProc } from "../fixtures/proc.ts";

const PACKAGE = join(import.meta.dirname, "../..");
const NEVER = new AbortController().signal;

async function folderWith(files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "npm-"));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}

const manifest = (more: object = {}) => JSON.stringify({ name: "a", version: "1.0.0", ...more });
/** A pattern that keeps npm busy, and the file that it is matched against. */
const ENDLESS = { ".npmignore": `${"*a".repeat(40)}b\n`, ["a".repeat(200)]: "" };

describe("npm's own list of a folder", () => {
  it("has the files that npm would publish, for one folder after another", async () => {
    const npmFiles = npmFilesIn(PACKAGE, NEVER);
    const one = await folderWith({ "package.json": manifest(), ".npmignore": "b\n", a: "", b: "" });
    const other = await folderWith({ "package.json": manifest({ private: true }), a: "" });
    expect(await npmFiles(one)).toEqual(["a", "package.json"]);
    expect(await npmFiles(other)).toEqual([]);
  });

  it.each<[what: string, files: Record<string, string>]>([
    ["an invalid files list", { "package.json": manifest({ files: { a: 1 } }) }],
    ["braces in braces", { "package.json": manifest({ files: ["{a,b}".repeat(60)] }), a: "" }],
    ["a pattern of stars", { "package.json": manifest(), ...ENDLESS }],
  ])("is undefined for %s", async (_, files) => {
    const npmFiles = npmFilesIn(PACKAGE, NEVER, 500);
    expect(await npmFiles(await folderWith(files))).toBeUndefined();
  });

  it.skipIf(!hasPs).each([
    ["in place of a package's .npmignore", ".npmignore"],
    ["in place of a folder's .npmignore", "folder/.npmignore"],
    ["in place of package.json", "package.json"],
  ])(`does not read an endless device %s${hasPs ? "" : needsProc}`, async (_, link) => {
    const folder = await folderWith({ "package.json": manifest(), a: "" });
    await mkdir(join(folder, "folder"));
    await rm(join(folder, link), { force: true });
    await symlink("/dev/zero", join(folder, link));
    const before = process.memoryUsage.rss();
    const files = await npmFilesIn(PACKAGE, NEVER)(folder);
    expect(files ?? []).toEqual([]);
    expect(process.memoryUsage.rss() - before).toBeLessThan(200 * 1024 * 1024);
  });

  it("has one time limit for all folders", async () => {
    const npmFiles = npmFilesIn(PACKAGE, NEVER, 500);
    const hostile = await folderWith({ "package.json": manifest(), ...ENDLESS });
    expect(await npmFiles(hostile)).toBeUndefined();
    expect(await npmFiles(await folderWith({ "package.json": manifest() }))).toBeUndefined();
  });

  it("stops at a signal, even if npm is busy", async () => {
    const folder = await folderWith({ "package.json": manifest(), ...ENDLESS });
    const interrupted = new AbortController();
    const npmFiles = npmFilesIn(PACKAGE, interrupted.signal);
    setTimeout(() => interrupted.abort(), 500);
    // A thread that goes on would use CPU of this process.
    const seconds = await cpuSeconds(() =>
      expect(npmFiles(folder)).rejects.toMatchObject({ code: "INTERRUPTED" }),
    );
    expect(seconds).toBeLessThan(5);
  });
});
