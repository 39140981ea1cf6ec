import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { filesOf } from "../../src/concerns/git/files.ts";
import { openGit } from "../../src/concerns/git/git.ts";
import { hiddenByOurs } from "../../src/concerns/git/hidden.ts";
import type { Files } from "../../src/host/host.ts";
import { nodeHost, ownProcess } from "../../src/host/node.ts";
import { onPath, putScript } from "../fixtures/on-path.ts";
import { addToIndex, type Workbench, workbench } from "../fixtures/workbench.ts";

/** The folder "café", as a Mac's git spells it, and as its disk may have it. */
const NFC = "caf\u00e9";
const NFD = "cafe\u0301";

describe("a path with several spellings is tracked if the index has any of them", () => {
  it.each<[string, asked: string, indexed: string, isTracked: boolean]>([
    ["NFD on the disk, NFC in the index", `${NFD}/.env`, `${NFC}/.env`, true],
    ["NFC on the disk, NFD in the index", `${NFC}/.env`, `${NFD}/.env`, true],
    ["the same in the name of the file", `.env.${NFD}`, `.env.${NFC}`, true],
    ["two accents on one letter", "\u1ec7/.env", "e\u0302\u0323/.env", true],
    ["the folder of a tracked file", `${NFD}`, `${NFC}/a/b`, true],
    ["another file in it", `${NFD}/.env`, `${NFC}/.env.local`, false],
    ["another folder", `${NFD}/.env`, "cafe/.env", false],
  ])("%s: %s", async (_, asked, indexed, isTracked) => {
    const bench = await workbench();
    await addToIndex(bench, [indexed, "other"]);
    const path = join(bench.repo, asked);
    const git = await opened(bench);
    const names = [...((await git?.tracked([path])) ?? [])];
    const folder = asked === NFD ? NFC : indexed;
    expect(names).toEqual(isTracked ? [[path, join(bench.repo, folder)]] : []);
  });

  it.each<[string, disk: "any case" | "exact", indexed: string, isTracked: boolean]>([
    ["upper case on a disk that ignores case", "any case", ".ENV", true],
    ["a folder in upper case", "any case", "INFRA/.env", true],
    ["accents and upper case", "any case", `${NFD.toUpperCase()}/.env`, true],
    ["upper case on a disk with exact names", "exact", ".ENV", false],
  ])("%s", async (_, disk, indexed, isTracked) => {
    const bench = await workbench();
    await addToIndex(bench, [indexed]);
    const path = join(bench.repo, indexed.normalize("NFC").toLowerCase());
    const git = await opened(bench, disk === "any case" ? ignoringCase : exactly);
    const name = (await git?.tracked([path]))?.get(path);
    expect(name).toBe(isTracked ? join(bench.repo, indexed) : undefined);
  });
});

it.each<[what: string, tracked: string, indexed: string]>([
  ["the target of a link", "shared/dev.env", "shared/dev.env"],
  ["the link itself", ".env", ".env"],
])("git rm finds %s by the path in the index", async (_, tracked, indexed) => {
  const bench = await workbench();
  await bench.write("shared/dev.env", "A=1\n");
  await symlink("shared/dev.env", join(bench.repo, ".env"));
  const run = (...args: string[]) => execa("git", args, { cwd: bench.repo, env: bench.env });
  await run("add", "--force", tracked);
  const path = join(bench.repo, ".env");
  const name = (await (await opened(bench))?.tracked([path]))?.get(path) ?? "";
  expect(name).toBe(join(bench.repo, indexed));
  await run("rm", "--cached", name);
  expect((await run("ls-files")).stdout).toBe("");
});

it.each<[string, patterns: string, owner: "repo" | undefined]>([
  ["each of its spellings", `/${NFC}/.env\n/${NFD}/.env\n`, "repo"],
  ["any name", ".env\n", "repo"],
  ["that of the disk only", `/${NFD}/.env\n`, undefined],
  ["that of a Mac's git only", `/${NFC}/.env\n`, undefined],
])("a pattern with %s ignores a path in NFD: %j %s", async (_, patterns, owner) => {
  const bench = await workbench();
  await bench.write(".gitignore", patterns);
  const path = join(bench.repo, NFD, ".env");
  const git = await opened(bench);
  expect((await git?.ignored([path]))?.get(path)).toBe(owner);
});

it("the lines of ours that hide a path are found in any spelling", async () => {
  const bench = await workbench();
  const { files } = nodeHost(bench.root, PROCESS);
  await bench.write(
    ".gitignore",
    `# do-bootstrap: keep secrets and state out of git\n/${NFC}/.env\n# do-bootstrap: end\n`,
  );
  const git = await opened(bench);
  const paths = [join(bench.repo, NFD, ".env"), join(bench.repo, ".env")];
  const ignoreFile = await files.look(join(bench.repo, ".gitignore"));
  expect(git && (await hiddenByOurs({ files }, git, ignoreFile, paths))).toEqual([paths[0]]);
});

it("names from git get the spelling of the disk, and two of one file are one", async () => {
  const bench = await workbench();
  await addToIndex(bench, [`${NFD}/main.tf`, `${NFC}/main.tf`, "a/main.tf", "B.tf", "link.tf"]);
  const mac = (files: Files): Files => ({
    ...ignoringCase(files),
    async realpath(path) {
      if (path.endsWith("link.tf")) return join(bench.repo, "a/main.tf");
      return path.replace(NFC, NFD).replace("B.tf", "b.tf");
    },
  });
  const git = await opened(bench, mac);
  const names = git && (await filesOf(git, ["*.tf"]));
  expect(names?.toSorted()).toEqual(["a/main.tf", "b.tf", `${NFD}/main.tf`, "link.tf"].toSorted());
});

it("the root of a repo in a folder with two spellings is confirmed", async () => {
  const bench = await workbench();
  const repo = join(bench.repo, NFD);
  await mkdir(repo);
  await execa("git", ["init", "--quiet", repo], { env: bench.env });
  await macGit(bench);
  await execa("git", ["config", "include.path", "x"], { cwd: repo, env: bench.env });
  const git = await opened(bench, undefined, repo);
  await expect(git?.confirmed).resolves.toBeUndefined();
  expect(git?.root).toBe(repo);
});

/** A git that prints names in NFC, like a Mac's (core.precomposeunicode). */
async function macGit(bench: Workbench): Promise<void> {
  const real = onPath("git") ?? "";
  const text = `#!
const { status, stdout } = require("node:child_process").spawnSync(${JSON.stringify(real)}, process.argv.slice(2), {
  stdio: ["inherit", "pipe", "inherit"], encoding: "utf8" });
process.stdout.write(stdout.normalize("NFC"));
process.exitCode = status;
`;
  await execa("rm", [join(bench.bin, "git")]);
  putScript(bench.bin, "git", text);
}

const PROCESS = ownProcess();

/** Files on a disk with exact names. */
function exactly(files: Files): Files {
  const look: Files["look"] = async (path) =>
    path.endsWith(".GIT") ? { kind: "absent", path, target: path } : files.look(path);
  return { ...files, look };
}

/** Files on a disk that ignores case. */
function ignoringCase(files: Files): Files {
  const look = (path: string) => files.look(path.replace(/\.GIT$/, ".git"));
  return { ...files, look };
}

async function opened(
  bench: Workbench,
  on: (files: Files) => Files = (files) => files,
  folder = bench.repo,
) {
  const host = nodeHost(bench.root, { ...PROCESS, env: bench.env });
  return openGit({ ...host, files: on(host.files) }, folder);
}
