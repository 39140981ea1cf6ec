import { mkdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { nodeFiles } from "../../src/host/files.ts";
import { ourselves } from "../../src/host/owner.ts";
import { fakeDoctl } from "../fixtures/tools.ts";
import { aged, fileTree } from "../fixtures/tree.ts";
import { randomToken, type Workbench, workbench } from "../fixtures/workbench.ts";

/** A repo and a HOME in which a run changes files of every kind. */
async function arrange(settings: Parameters<typeof fakeDoctl>[1] = {}) {
  const bench = await workbench();
  const doctl = await fakeDoctl(bench.bin, settings);
  const other = randomToken();
  bench.sandbox.accept(other, { team: { uuid: "other", name: "Other" } });
  const config = "../home/.config/doctl/config.yaml";
  await bench.write(".do-bootstraprc", "terraform: { dir: infra/web, variables: { a: 1 } }\n");
  await bench.write(".env", "PORT=80\r\n", 0o644);
  await bench.write(".gitignore", "dist/", 0o664);
  await bench.write(".env.example", "PORT=\n");
  await bench.write("infra/web/do-bootstrap.auto.tfvars.json", '{"a":0}');
  await bench.write(config, `access-token: ${other}\n`, 0o640);
  const before = await look(bench);
  return { bench, doctl, config, before };
}

/** The user's files, without the log of the fake doctl. */
async function look({ repo, home, tmp }: Workbench, tree = aged) {
  return { repo: await tree(repo), home: await tree(home), tmp: await tree(tmp) };
}

describe("a failure during the run changes nothing", () => {
  it.each([
    [
      "git does not ignore the Terraform secret",
      (bench: Workbench) => bench.write("infra/web/.gitignore", "!*.json\n"),
      { status: 3, code: "NOT_IGNORED" },
    ],
    [
      "doctl's server refuses the token",
      async ({ sandbox }: Workbench) =>
        sandbox.answer("GET /v1/oauth/token/info", { status: 401, body: "{}" }),
      { status: 4, code: "DOCTL_REFUSED_TOKEN" },
    ],
    [
      "a directory in place of a file",
      async ({ repo }: Workbench) => {
        const path = join(repo, "infra/web/do-bootstrap.auto.tfvars.json");
        await rm(path);
        await mkdir(path);
      },
      { status: 3, code: "file.unusable" },
    ],
  ])("%s", async (_, spoil, { status, code }) => {
    const { bench } = await arrange();
    await spoil(bench);
    const before = await look(bench);
    const result = await bench.run(["--token-stdin"], { input: bench.token });
    expect(result.stderr).toContain(`[${code}]`);
    expect(result.status).toBe(status);
    expect(await look(bench, fileTree)).toEqual(before);
  });

  it.each([
    ["the env file", "repo/.env", "PORT=81\n"],
    [".gitignore", "repo/.gitignore", "build/\n"],
    ["the doctl context", "config", undefined],
  ])("a change to %s while doctl runs: only that change stays", async (_, what, text) => {
    const { bench, doctl, config, before } = await arrange({ validateDelayMs: 800 });
    const run = bench.run(["--token-stdin"], { input: bench.token });
    await asked(doctl);
    const path = join(bench.repo, what === "config" ? config : what.replace("repo/", ""));
    const old = await readFile(path, "utf8");
    const changed = text ?? `${old}auth-contexts:\n  acme-web: ${randomToken()}\n`;
    await writeFile(path, changed);
    const { status, stderr } = await run;
    expect(stderr).toContain("[CHANGED_MEANWHILE]");
    expect(status).toBe(1);
    expect(await readFile(path, "utf8")).toBe(changed);
    const now = await look(bench, fileTree);
    for (const tree of [now.repo, now.home, before.repo, before.home]) delete tree[path];
    expect(now).toEqual(before);
  });

  it.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)("%s while doctl runs", async (signal) => {
    const { bench, doctl, before } = await arrange({ validateDelayMs: 60_000 });
    const child = bench.start(["--token-stdin"]);
    child.stdin?.end(bench.token);
    await asked(doctl);
    child.kill(signal);
    expect(await new Promise((done) => child.on("close", done))).toBe(130);
    expect(await look(bench, fileTree)).toEqual(before);
  });

  it("SIGINT in an empty HOME: leaves no folder", async () => {
    const bench = await workbench();
    const doctl = await fakeDoctl(bench.bin, { mode: "hang" });
    const child = bench.start(["--token-stdin"]);
    child.stdin?.end(bench.token);
    await asked(doctl);
    child.kill("SIGINT");
    expect(await new Promise((done) => child.on("close", done))).toBe(130);
    expect(await fileTree(bench.home)).toEqual({});
    expect(await fileTree(bench.tmp)).toEqual({});
  });

  it("SIGKILL: every file is either old or new", async () => {
    const { bench, config } = await arrange({ writeDelayMs: 0 });
    const after = await arrange({ writeDelayMs: 0 });
    const { status } = await after.bench.run(["--token-stdin"], { input: after.bench.token });
    expect(status).toBe(0);
    const paths = [".env", ".gitignore", ".env.example", config];
    const texts = (b: Workbench) =>
      Promise.all(paths.map(async (path) => (await b.read(path)).replaceAll(/dop_v1_\w+/g, "T")));
    const [old, updated] = [await texts(bench), await texts(after.bench)];
    for (const delay of [120, 150, 180, 210]) {
      const child = bench.start(["--token-stdin"]);
      child.stdin?.end(bench.token);
      setTimeout(() => child.kill("SIGKILL"), delay);
      await new Promise((done) => child.on("close", done));
      for (const [i, text] of (await texts(bench)).entries()) {
        expect([old[i], updated[i]]).toContain(text);
      }
    }
    const last = await bench.run(["--token-stdin"], { input: bench.token });
    expect(last.status, last.stderr).toBe(0);
    expect(await texts(bench)).toEqual(updated);
  });
});

describe("files of a killed run", () => {
  it("removes temporary folders older than a minute, and keeps others", async () => {
    const { bench, config } = await arrange();
    const stray = (id: string) => `.env.do-bootstrap-${id}.local`;
    const [old, young, foreign] = ["01234567-1-abcdef", "01234567-2-abcdef", "mine"].map(stray) as [
      string,
      string,
      string,
    ];
    const minutesAgo = new Date(Date.now() - 61_000);
    for (const folder of [".", "infra/web", join(config, "..")]) {
      for (const name of [old, young, foreign]) await bench.write(join(folder, name, name), "x");
      for (const name of [old, foreign]) {
        await utimes(join(bench.repo, folder, name), minutesAgo, minutesAgo);
      }
    }
    const { status, stderr } = await bench.run(["--token-stdin"], { input: bench.token });
    expect(status, stderr).toBe(0);
    const { repo, home } = await look(bench, fileTree);
    const left = Object.keys({ ...repo, ...home }).filter((path) => /do-bootstrap-/.test(path));
    expect(left.filter((path) => path.endsWith(old))).toEqual([]);
    expect(left.filter((path) => path.endsWith(join(young, young)))).toHaveLength(3);
    expect(left.filter((path) => path.endsWith(join(foreign, foreign)))).toHaveLength(3);
  });

  it("takes over the lock of a process that has ended", async () => {
    const { bench, config } = await arrange();
    const owner = { ...ourselves(), pid: 2 ** 22 + 1, host: "here", id: "dead" };
    await bench.write(join(config, "..", ".do-bootstrap.lock"), JSON.stringify(owner));
    const { status, stderr } = await bench.run(["--token-stdin"], { input: bench.token });
    expect(status, stderr).toBe(0);
    expect(await bench.read(config)).toContain(`acme-web: "${bench.token}"`);
  });
});

describe("a file that changed before it was written", () => {
  it.each([
    ["other bytes", (path: string) => writeFile(path, "new\n")],
    ["deleted", (path: string) => rm(path)],
    ["a directory", (path: string) => rm(path).then(() => mkdir(path))],
  ])("%s: CHANGED_MEANWHILE, and the change stays", async (_, change) => {
    const bench = await workbench();
    await bench.write("file", "old\n");
    const path = join(bench.repo, "file");
    const stale = await nodeFiles.look(path);
    await change(path);
    const before = await fileTree(bench.repo);
    const replacing = nodeFiles.replace(stale, Buffer.from("ours\n"), 0o600);
    await expect(replacing).rejects.toMatchObject({ code: "CHANGED_MEANWHILE" });
    expect(await fileTree(bench.repo)).toEqual(before);
  });

  it("created before the write", async () => {
    const bench = await workbench();
    const path = join(bench.repo, "file");
    const stale = await nodeFiles.look(path);
    await writeFile(path, "theirs\n");
    const replacing = nodeFiles.replace(stale, Buffer.from("ours\n"), 0o600);
    await expect(replacing).rejects.toMatchObject({ code: "CHANGED_MEANWHILE" });
    expect(await readFile(path, "utf8")).toBe("theirs\n");
  });
});

/** Waits until `auth init` runs. */
async function asked(doctl: Awaited<ReturnType<typeof fakeDoctl>>): Promise<void> {
  await expect
    .poll(async () => (await doctl.calls()).some(({ argv }) => argv[1] === "init"))
    .toBe(true);
}
