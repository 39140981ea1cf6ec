import { existsSync, readFileSync } from "node:fs";
import { cp, mkdir, readdir, readFile, realpath, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { dir } from "tmp-promise";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { onPath } from "../fixtures/on-path.ts";
import { BINARY } from "../fixtures/program.ts";
import { type Workbench, workbench } from "../fixtures/workbench.ts";

const NODE = readFileSync(process.execPath, "latin1");
const needsOwnNode = /NODE_SEA_FUSE_\w+:0/.test(NODE) ? "" : " (needs a Node of nodejs.org)";
const [UNSHARE = "", LDD = ""] = ["unshare", "ldd"].map((name) => onPath(name) ?? "");
const isRoot = process.getuid?.() === 0 && UNSHARE && LDD;
const needsRoot = needsOwnNode || (isRoot ? "" : " (needs root, unshare and ldd)");

/** Where the binary is in the other root. */
const AT = "/usr/local/bin/do-bootstrap";

describe.skipIf(needsOwnNode)(`the standalone binary${needsOwnNode}`, () => {
  let binary = BINARY ?? "";
  const cleanups: (() => Promise<unknown>)[] = [];
  beforeAll(async () => {
    if (BINARY) return;
    const { path, cleanup } = await dir({ prefix: "do-bootstrap-", unsafeCleanup: true });
    cleanups.push(cleanup);
    binary = join(path, "do-bootstrap");
    await execa(process.execPath, ["scripts/binary.mjs", "--to", binary]);
  });
  afterAll(async () => {
    for (const cleanup of cleanups) await cleanup();
  });

  it("contains every file of dist and templates, except those of the library", async () => {
    const bytes = await readFile(binary, "latin1");
    const names = await Promise.all(
      ["dist", "templates"].map(async (folder) => {
        const entries = await readdir(folder, { recursive: true, withFileTypes: true });
        return entries
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name));
      }),
    );
    const missing = names.flat().filter((name) => !bytes.includes(name));
    expect(missing.sort()).toEqual([
      "dist/THIRD-PARTY-NOTICES.txt",
      "dist/index.cjs",
      "dist/index.d.cts",
    ]);
  });

  it("has no place of the machine that built it, except Node's own", async () => {
    const bytes = await readFile(binary, "latin1");
    expect(bytes.slice(NODE.length - 1_000_000)).not.toContain(process.cwd());
  });

  it("reads no file of the current folder at its start, and gives Node's options to nobody", async () => {
    const { repo, env, write } = await workbench();
    const spy = 'require("node:fs").writeFileSync("ran", "");';
    for (const name of ["main.cjs", "bin.cjs", "dist/bin.cjs", "node_modules/fs/index.js"]) {
      await write(name, spy);
    }
    const { stdout } = await execa(binary, ["--version"], { cwd: repo, env, extendEnv: false });
    expect(stdout).toMatch(/^\d+\.\d+\.\d+$/);
    const options = ["--require=./main.cjs", "--eval=0", "--inspect"];
    for (const option of options) {
      const run = execa(binary, [option], { cwd: repo, env, extendEnv: false, reject: false });
      expect((await run).exitCode).toBe(2);
    }
    expect(existsSync(join(repo, "ran"))).toBe(false);
  });

  it("takes options of Node from NODE_OPTIONS alone, as Node does", async () => {
    const { env } = await workbench();
    const call = { env: { ...env, NODE_OPTIONS: "--no-such-option" }, extendEnv: false } as const;
    const { exitCode, stderr } = await execa(binary, ["--version"], { ...call, reject: false });
    expect(exitCode).toBe(9);
    expect(stderr).toContain("--no-such-option is not allowed in NODE_OPTIONS");
  });

  describe.skipIf(needsRoot)(`in a root that has no Node${needsRoot}`, () => {
    const tools = ["git", "sh", "tr", "awk", "env"];
    const able = tools.every((name) => onPath(name)) ? "" : " (needs git and awk)";

    it("and no git, shell or other program: prepares a folder, checks it and lists scopes", async () => {
      const room = await emptyRoot([]);
      await mkdir(join(room.root, "repo"));
      await writeFile(join(room.root, "repo/main.tf"), 'resource "digitalocean_vpc" "a" {}\n');
      const { token } = room.bench;
      const init = await room.run(["--token-stdin", "--yes"], token);
      expect(init.said).toContain(".env");
      expect([init.status, init.said]).toEqual([0, expect.any(String)]);
      expect(await readdir(join(room.root, "repo"))).toContain("do-bootstrap.tf");
      const check = await room.run(["check", "--json"]);
      expect(JSON.parse(check.stdout)).toMatchObject({ status: 0 });
      const scopes = await room.run(["scopes", "--json"]);
      expect(JSON.parse(scopes.stdout)).toMatchObject({ command: "scopes" });
      expect(scopes.stdout).toContain("vpc:create");
      expect((await room.run(["demo"])).status).toBe(0);
    });

    it.skipIf(able)(`with git and a shell: every kind of command works${able}`, async () => {
      const room = await emptyRoot(tools);
      const repo = join(room.root, "repo");
      await mkdir(repo);
      await writeFile(join(repo, "main.tf"), 'resource "digitalocean_vpc" "a" {}\n');
      // What npm would publish is listed in a thread.
      await writeFile(join(repo, "package.json"), '{ "name": "a", "version": "1.0.0" }\n');
      const git = (...args: string[]) => room.run(args, "", "/usr/bin/git");
      await git("init", "--quiet");
      await git("add", "--all");
      const { token } = room.bench;
      for (const [args, input] of [
        [["--token-stdin", "--yes"], token],
        [["check"]],
        [["check", "--history"]],
        [["hook", "install", "--yes"]],
        [["completion", "bash"]],
        [["help", "--all"]],
        [["demo"]],
      ] as [string[], string?][]) {
        const { status, said } = await room.run(args, input);
        expect(status, `${args.join(" ")}: ${said}`).toBe(0);
      }
      const env = await room.run(["env", "--format", "json"]);
      expect(JSON.parse(env.stdout)).toMatchObject({ DIGITALOCEAN_TOKEN: token });
      const exec = await room.run(["exec", "--", "env"]);
      expect(exec.stdout).toContain(`DIGITALOCEAN_TOKEN=${token}`);
      // The binary starts itself by its name.
      const nested = await room.run(["exec", "--", "do-bootstrap", "--version"]);
      expect(nested.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
      await writeFile(join(repo, "leak.txt"), token);
      await git("add", "--force", "leak.txt");
      const commit = await git("commit", "--quiet", "--message=x");
      expect(commit.said).toContain("blocked this commit");
    });

    /** A folder as root, with these programs and their libraries, and the binary. */
    async function emptyRoot(names: readonly string[]) {
      const bench = await workbench({ git: false });
      const root = join(bench.root, "root");
      for (const folder of ["tmp", "home", "dev", "usr/bin", dirname(AT)]) {
        await mkdir(join(root, folder), { recursive: true });
      }
      await cp(binary, join(root, AT));
      await execa("mknod", [join(root, "dev/null"), "c", "1", "3"]);
      await execa("mknod", [join(root, "dev/urandom"), "c", "1", "9"]);
      const files = await Promise.all(names.map(async (name) => realpath(onPath(name) ?? "")));
      for (const [at, file] of files.entries())
        await cp(file, join(root, "usr/bin", names[at] ?? ""));
      for (const library of await librariesOf([binary, ...files])) {
        await mkdir(join(root, dirname(library)), { recursive: true });
        await cp(library, join(root, library), { dereference: true });
      }
      // Scripts name it so.
      if (names.includes("sh")) {
        await mkdir(join(root, "bin"));
        await cp(join(root, "usr/bin/sh"), join(root, "bin/sh"));
      }
      const holders = [".env", "do-bootstrap.secret.auto.tfvars.json", "leak.txt"];
      bench.mayHold(...holders.map((name) => `../root/repo/${name}`));
      return { bench, root, run: runIn(bench, root) };
    }
  });
});

function runIn({ env, guard }: Workbench, root: string) {
  return async (args: readonly string[], input = "", file = AT) => {
    const { exitCode, stdout, stderr } = await execa(
      UNSHARE,
      [`--root=${root}`, "--wd=/repo", file, ...args],
      {
        cwd: root,
        env: {
          ...env,
          ...{ PATH: `/usr/bin:${dirname(AT)}`, HOME: "/home", TMPDIR: "/tmp" },
        },
        ...{ extendEnv: false, input, reject: false, stripFinalNewline: false },
      },
    );
    guard.said(args, { stdout: "", stderr });
    return { status: exitCode, stdout, said: stdout + stderr };
  };
}

/** The libraries of programs, and what loads them. */
async function librariesOf(files: readonly string[]): Promise<Set<string>> {
  const texts = await Promise.all(
    files.map(async (file) => (await execa(LDD, [file], { reject: false })).stdout),
  );
  const paths = texts.flatMap((text) => text.match(/\/\S+(?= \(0x)/g) ?? []);
  expect(paths.length).toBeGreaterThan(3);
  await Promise.all(paths.map((path) => stat(path)));
  return new Set(paths);
}
