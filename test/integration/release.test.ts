import { readdirSync, readFileSync } from "node:fs";
import { mkdir, readFile, rename, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { dir } from "tmp-promise";
import { describe, expect, it, onTestFinished } from "vitest";
import { parse } from "yaml";
import { onPath } from "../fixtures/on-path.ts";
import { needsProc } from "../fixtures/proc.ts";
import { type Contexts, runnerIn } from "../fixtures/runner.ts";
import { stepsOf, type Workflow } from "../fixtures/workflow.ts";

const { jobs } = parse(readFileSync(".github/workflows/release.yml", "utf8")) as Workflow;
const OTHERS = ["linux-arm64", "darwin-arm64", "darwin-x64", "win32-x64.exe"];
const missing = ["bash", "git", "npm", "sha256sum", "sed"].filter((name) => !onPath(name));
const isHere = `${process.platform}-${process.arch}` === "linux-x64";
// The compiler is a Go program, which looks for itself in /proc.
const needs =
  missing.length > 0 || !isHere
    ? ` (needs Linux on x64 and ${missing.join(", ") || "all"})`
    : needsProc;

describe.skipIf(needs)(`a release, rehearsed in a clone with a tag${needs}`, () => {
  it("packs, builds, sums and describes exactly the files that it publishes", {
    timeout: 180_000,
  }, async () => {
    const { clone, runner, version, contexts, calls } = await taggedClone();
    const run = async (job: string, ...wanted: RegExp[]) => {
      for (const each of wanted) {
        const step = stepsOf(jobs[job] ?? {}).find((one) => each.test(one.run ?? ""));
        expect(step, `${job}: ${each}`).toBeDefined();
        // These two jobs start in a folder that has only what was signed.
        const where = ["publish", "notes"].includes(job) ? { "working-directory": "release" } : {};
        const { status, log } = await runner.run({ ...step, ...where }, contexts);
        expect(status, log).toBe(0);
      }
    };
    const release = join(clone, "release");
    const packed = join(clone, "packed");
    // The gate itself (.ci/run) is this suite.
    await run("pack", /The tag is/, /npm pack/);
    // Each binary is built on a machine of its own.
    await rename(release, packed);
    await run("binaries", /^npm run binary$/, /--version/);
    // Where it is, depends on how Node was installed.
    await writeFile(join(release, "NODE-LICENSE.txt"), "");
    for (const each of OTHERS) await writeFile(join(release, `do-bootstrap-${each}`), each);
    for (const name of readdirSync(packed)) await rename(join(packed, name), join(release, name));
    await run("sign", /sha256sum -- /);
    const files = [
      "NODE-LICENSE.txt",
      "SHA256SUMS",
      "THIRD-PARTY-NOTICES.txt",
      `do-bootstrap-${version}.tgz`,
      ...["linux-x64", ...OTHERS].map((each) => `do-bootstrap-${each}`),
      "install.sh",
    ].sort();
    expect(readdirSync(release).sort()).toEqual(files);
    const sums = await readFile(join(release, "SHA256SUMS"), "utf8");
    const summed = sums.match(/(?<= {2}).+$/gm) ?? [];
    expect([...summed, "SHA256SUMS"].sort()).toEqual(files);
    const install = await readFile(join(release, "install.sh"), "utf8");
    expect(install).toContain(
      `\nrelease=https://github.com/acme/do-bootstrap/releases/download/v${version}\n`,
    );
    await run("publish", /^sha256sum --check/, /^npm publish/);
    await run("notes", /gh release create/);
    expect(await calls()).toEqual([
      `npm publish ./do-bootstrap-${version}.tgz --provenance --access public --ignore-scripts`,
      `gh release create v${version} --verify-tag --title v${version} --notes See CHANGELOG.md ${files
        .map((name) => `./${name}`)
        .join(" ")}`,
    ]);
  });

  it.each([
    ["another version", "v9.9.9", "acme/do-bootstrap", /The tag is v9\.9\.9, package\.json says/],
    ["another repo", undefined, "eve/do-bootstrap", /npm takes no provenance/],
  ])("stops at a tag of %s", async (_, tag, repository, said) => {
    const { runner, contexts } = await taggedClone();
    const [check] = stepsOf(jobs["pack"] ?? {}).filter(({ run = "" }) => /The tag is/.test(run));
    const { status, log } = await runner.run(check ?? {}, {
      ...contexts,
      ...{
        "github.ref_name": tag ?? contexts["github.ref_name"] ?? "",
        "github.repository": repository,
      },
    });
    expect(log).toMatch(said);
    expect(status).not.toBe(0);
  });
});

/** A clone of this repo's files with a tag, and npm and gh that only log what would publish. */
async function taggedClone() {
  const { path, cleanup } = await dir({ prefix: "do-bootstrap-", unsafeCleanup: true });
  onTestFinished(() => cleanup());
  const clone = join(path, "clone");
  const bin = join(path, "bin");
  const log = join(path, "calls");
  await Promise.all([clone, bin].map((folder) => mkdir(folder)));
  await writeFile(log, "");
  const { stdout } = await execa("git", [
    "ls-files",
    "-z",
    "--cached",
    "--others",
    "--exclude-standard",
  ]);
  await execa("tar", ["-c", "--null", "-T", "-", "-f", join(path, "files.tar")], { input: stdout });
  await execa("tar", ["-xf", join(path, "files.tar"), "-C", clone]);
  await symlink(join(process.cwd(), "node_modules"), join(clone, "node_modules"));
  const about = JSON.parse(await readFile(join(clone, "package.json"), "utf8"));
  const repository = "acme/do-bootstrap";
  // What the first release has to add.
  const added = { ...about, repository: `github:${repository}` };
  await writeFile(join(clone, "package.json"), JSON.stringify(added));
  const env = {
    PATH: `${bin}:${process.env["PATH"]}`,
    HOME: path,
    LC_ALL: "C",
    ...Object.fromEntries(
      ["AUTHOR", "COMMITTER"].flatMap((who) => [
        [`GIT_${who}_NAME`, "a"],
        [`GIT_${who}_EMAIL`, "a@example.com"],
      ]),
    ),
  };
  const git = (...args: string[]) => execa("git", args, { cwd: clone, env });
  await git("init", "--quiet");
  await git("add", "--all");
  await git("commit", "--quiet", "--message=Release");
  await git("tag", `v${about.version}`);
  const fake = (name: string, which: string) =>
    writeFile(
      join(bin, name),
      `#!/bin/sh\ncase "$1" in ${which}) echo ${name} "$@" >> '${log}' ;; *) exec '${onPath(name) ?? "false"}' "$@" ;; esac\n`,
      { mode: 0o755 },
    );
  await fake("npm", "publish");
  await fake("gh", "release");
  const contexts: Contexts = {
    "github.ref_name": `v${about.version}`,
    "github.repository": repository,
    "github.server_url": "https://github.com",
    "github.token": "unused",
  };
  const runner = await runnerIn(join(path, "runner"), { cwd: clone, env });
  const calls = async () => (await readFile(log, "utf8")).trim().split("\n");
  return { clone, runner, contexts, calls, version: about.version as string };
}
