import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { fakeDoctl } from "../fixtures/tools.ts";
import { type Workbench, workbench } from "../fixtures/workbench.ts";

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;
const needs = isRoot ? "" : " (needs root, to be another user)";

describe.skipIf(!isRoot)(`an unusable HOME${needs}`, () => {
  it.each<[name: string, home: (bench: Workbench) => string | undefined, says: RegExp]>([
    ["/", () => "/", /skipped: \/(?:\.config)? is not writable \(EACCES\)/],
    ["a system folder", () => "/dev", /skipped: \/dev is not writable \(EACCES\)/],
    ["a device", () => "/dev/null", /skipped: \/dev\/null\S* is not writable \(ENOTDIR\)/],
    [
      "read-only",
      ({ root }) => join(root, "closed"),
      /skipped: \S+closed is not writable \(EACCES\)/,
    ],
    [
      "missing",
      ({ root }) => join(root, "closed/x"),
      /skipped: \S+closed is not writable \(EACCES\)/,
    ],
    ["empty", () => "", /skipped: HOME is missing or not an absolute path/],
    ["relative", () => "home", /skipped: HOME is missing or not an absolute path/],
    ["not set", () => undefined, /skipped: HOME is missing or not an absolute path/],
  ])("%s: skips doctl's context, and does the rest", async (_, homeOf, says) => {
    const bench = await workbench();
    await fakeDoctl(bench.bin);
    const closed = join(bench.root, "closed");
    await execa("mkdir", ["-m", "555", closed]);
    await execa("chown", ["-R", `${NOBODY}:${NOBODY}`, bench.root]);
    await execa("chown", ["0:0", closed]);
    const run = (line: string) =>
      bench.run(line.split(" "), {
        input: bench.token,
        env: { HOME: homeOf(bench) },
        uid: NOBODY,
      });

    const set = await run("--token-stdin --yes");
    expect(set.status, set.stderr).toBe(0);
    expect(set.stderr.match(says), set.stderr).toHaveLength(1);
    expect(set.stderr).toMatch(/\[doctl\.no-config-folder\].*\n {2}→ Set HOME/);
    expect(await bench.read(".env")).toContain(bench.token);
    for (const line of ["check", "login", "scopes", "rotate --token-stdin", "logout --yes"]) {
      const { stdout, stderr } = await run(line);
      expect(stdout + stderr, line).not.toMatch(/UNEXPECTED|a bug in do-bootstrap/);
    }
    expect((await run("check")).status).not.toBe(1);
  });
});
