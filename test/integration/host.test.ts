import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmod,
  chown,
  lchown,
  link,
  mkdir,
  readdir,
  readFile,
  rm,
  rmdir,
  stat,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { createServer as createPlain, type RequestListener, type Server } from "node:http";
import { createServer as createTls } from "node:https";
import { type AddressInfo, connect } from "node:net";
import { basename, delimiter, dirname, join, relative } from "node:path";
import { build } from "esbuild";
import { execa } from "execa";
import { dir } from "tmp-promise";
import { describe, expect, it, onTestFinished } from "vitest";
import { filesOf, nodeFiles } from "../../src/host/files.ts";
import type { Clock, FileSnapshot, ToolCall } from "../../src/host/host.ts";
import { send } from "../../src/host/http.ts";
import { locked } from "../../src/host/lock.ts";
import { isDead, makerOf, type Owner, ourselves } from "../../src/host/owner.ts";
import { withOwnFolder } from "../../src/host/private-folder.ts";
import { fromPs, processFacts } from "../../src/host/processes.ts";
import { run } from "../../src/host/run.ts";
import { which } from "../../src/host/which.ts";
import { wholeEnvironment } from "../../src/secret/child-environment.ts";
import { aged, fileTree } from "../fixtures/tree.ts";
import { randomToken, workbench } from "../fixtures/workbench.ts";

const clock: Clock = {
  now: () => Date.now(),
  sleep: (ms) => new Promise((wake) => setTimeout(wake, ms)),
};

const IS_ROOT = process.getuid?.() === 0;
const needsRoot = IS_ROOT ? "" : " (needs root)";
const [USER, OTHER] = [65_533, 65_534] as const;

describe("which", () => {
  it.each([
    ["the first on PATH", ["a", "b"], "a/tool", []],
    ["a tool inside the repo is skipped", ["repo/bin", "b"], "b/tool", ["repo/bin/tool"]],
    ["a link into the repo is skipped", ["into", "b"], "b/tool", ["into/tool"]],
    ["a link to the repo's folder is skipped", ["linked", "b"], "b/tool", ["linked/tool"]],
    [
      "a link in the repo to a tool outside is skipped",
      ["repo/out", "b"],
      "b/tool",
      ["repo/out/tool"],
    ],
    ["relative and empty entries are ignored", [".", "", "../a", "b"], "b/tool", []],
    [
      "files that are not executable and folders are ignored",
      ["plain", "folder", "b"],
      "b/tool",
      [],
    ],
    ["no tool", ["none"], undefined, []],
  ])("%s", async (_, entries, expected, skipped) => {
    const root = await tempDir();
    const at = (path: string) => join(root, path);
    for (const folder of ["a", "b", "repo/bin", "repo/out", "into", "plain", "folder/tool"]) {
      await mkdir(at(folder), { recursive: true });
    }
    for (const file of ["a/tool", "b/tool", "repo/bin/tool"])
      await writeFile(at(file), "", { mode: 0o755 });
    await writeFile(at("plain/tool"), "", { mode: 0o644 });
    await symlink(at("repo/bin/tool"), at("into/tool"));
    await symlink(at("repo/bin"), at("linked"));
    await symlink(at("a/tool"), at("repo/out/tool"));
    const PATH = entries
      .map((entry) => (/^[.]|^$/.test(entry) ? entry : at(entry)))
      .join(delimiter);
    expect(which("tool", at("repo"), { env: { PATH }, platform: "linux" })).toMatchObject({
      path: expected && at(expected),
      skipped: skipped.map(at),
    });
  });

  it.each<[what: string, leadsTo: string, bytes: string, program: string | undefined]>([
    ["a binary", "", "\x7fELF\x02", "bin/tool"],
    ["a macOS binary", "", "\xcf\xfa\xed\xfe", "bin/tool"],
    ["a Windows binary", "", "MZ\x90\x00", "bin/tool"],
    ["a link to a binary of the same name", "cellar/1.11/tool", "\x7fELF", "cellar/1.11/tool"],
    ["a script, like tfenv's", "", "#!/bin/sh\n", undefined],
    ["a link to a script, like asdf's", "shims/tool", "#!/bin/sh\n", undefined],
    ["a link to mise", "mise", "\x7fELF", undefined],
    ["a copy of mise among its shims", "shims/tool", "\x7fELF", undefined],
    ["a link to snap", "snap", "\x7fELF", undefined],
    ["an empty file", "", "", undefined],
  ])("finds the tool's own binary: %s", async (_, leadsTo, bytes, program) => {
    const root = await tempDir();
    const at = (path: string) => join(root, path);
    const file = at(leadsTo || "bin/tool");
    for (const folder of [at("bin"), join(file, "..")]) await mkdir(folder, { recursive: true });
    await writeFile(file, Buffer.from(bytes, "latin1"), { mode: 0o755 });
    if (leadsTo !== "") await symlink(file, at("bin/tool"));
    const found = which("tool", at("repo"), { env: { PATH: at("bin") }, platform: "linux" });
    expect(found).toEqual({ path: at("bin/tool"), skipped: [], program: program && at(program) });
  });
});

it.each([
  ["terraform", true],
  ["tofu", true],
  ["doctl", false],
])("%s beside tenv is a proxy of tenv: %s", async (name, isTenvs) => {
  const root = await tempDir();
  for (const each of [name, "tenv"]) await writeFile(join(root, each), "\x7fELF", { mode: 0o755 });
  const found = which(name, join(root, "repo"), { env: { PATH: root }, platform: "linux" });
  expect(found.program).toBe(isTenvs ? undefined : join(root, name));
});

describe("locked", () => {
  const waitingFor = () => undefined;

  it("runs one at a time in this process, also after a failure", async () => {
    const path = join(await tempDir(), "lock");
    const events: string[] = [];
    const job = (name: string) =>
      locked(path, { clock, waitingFor }, async () => {
        events.push(`${name} in`);
        await clock.sleep(60);
        events.push(`${name} out`);
        if (name === "b") throw new Error("b failed");
      });
    const results = await Promise.allSettled(["a", "b", "c"].map(job));
    expect(results.filter(({ status }) => status === "rejected")).toHaveLength(1);
    const pairs = [0, 2, 4].map((i) => [events[i], events[i + 1]]);
    expect(pairs.sort()).toEqual(["a", "b", "c"].map((name) => [`${name} in`, `${name} out`]));
    expect(await readdir(join(path, ".."))).toEqual([]);
  });

  it("runs one at a time across processes", async () => {
    const root = await tempDir();
    const [lock, counter] = [join(root, "lock"), join(root, "counter")];
    await writeFile(counter, "0");
    const file = await bundled(
      root,
      `import { readFile, writeFile } from "node:fs/promises";
       import { locked } from "./src/host/lock.ts";
       const sleep = (ms) => new Promise((wake) => setTimeout(wake, ms));
       for (let i = 0; i < 5; i++) {
         await locked(${JSON.stringify(lock)}, { clock: { now: Date.now, sleep: (ms) => sleep(ms / 10) } }, async () => {
           const count = Number(await readFile(${JSON.stringify(counter)}, "utf8"));
           await sleep(5);
           await writeFile(${JSON.stringify(counter)}, String(count + 1));
         });
       }`,
    );
    await Promise.all([1, 2, 3].map(() => execa(process.execPath, [file])));
    expect(await readFile(counter, "utf8")).toBe("15");
  });

  it("one of several waiting runs takes over a dead owner's lock", async () => {
    const path = join(await tempDir(), "lock");
    const child = spawn(process.execPath, ["-e", ""]);
    await once(child, "exit");
    await writeFile(path, JSON.stringify({ ...ourselves(), pid: child.pid, id: "dead" }));
    let inside = 0;
    const job = () =>
      locked(path, { clock, waitingFor }, async () => {
        expect(++inside).toBe(1);
        await clock.sleep(20);
        inside--;
      });
    await Promise.all([job(), job(), job(), job()]);
    expect(await readdir(join(path, ".."))).toEqual([]);
  });

  it.each<[what: string, make: (path: string) => Promise<unknown>]>([
    ["a link", (path) => symlink("/dev/zero", path)],
    ["a link", (path) => symlink("nowhere", path)],
    ["a directory", (path) => mkdir(path)],
    ["a FIFO", (path) => execa("mkfifo", [path])],
  ])("reports %s in place of the lock at once and keeps it", async (what, make) => {
    const path = join(await tempDir(), "lock");
    await make(path);
    const before = await fileTree(dirname(path));
    const waiting = locked(path, { clock, waitingFor }, async () => "done");
    await expect(waiting).rejects.toThrow(`${path} is ${what}, not a lock file of do-bootstrap.`);
    expect(await fileTree(dirname(path))).toEqual(before);
  });

  it("keeps files and folders with names like our own lock files", async () => {
    const path = join(await tempDir(), "lock");
    const dead = `${ourselves().machine}-${2 ** 22 + 1}-abcdef`;
    await mkdir(`${path}.after-1/photos`, { recursive: true });
    await mkdir(`${path}.${dead}`);
    await symlink("after", `${path}.after-2`);
    await writeFile(`${path}.after-1 of mine`, "");
    await writeFile(`${path}.after-3`, "");
    await locked(path, { clock, waitingFor }, async () => undefined);
    const names = ["after-1", "after-1 of mine", "after-2", dead].map((each) => `lock.${each}`);
    expect(await readdir(dirname(path))).toEqual(names.sort());
  });

  it("takes over if the next owners died too", async () => {
    const path = join(await tempDir(), "lock");
    const dead = (id: string) => JSON.stringify({ ...ourselves(), pid: 2 ** 22 + 1, id });
    await writeFile(path, dead("owner"));
    await writeFile(`${path}.after-owner`, dead("heir"));
    await writeFile(`${path}.after-heir`, dead("its-heir"));
    expect(await locked(path, { clock, waitingFor }, async () => "done")).toBe("done");
    expect(await readdir(join(path, ".."))).toEqual([]);
  });

  it("never runs two at once, even if every owner is killed", async () => {
    const root = await tempDir();
    const [lock, log] = [join(root, "lock"), join(root, "log")];
    const file = await bundled(
      root,
      `import { appendFileSync } from "node:fs";
       import { locked } from "./src/host/lock.ts";
       const sleep = (ms) => new Promise((wake) => setTimeout(wake, ms));
       await locked(${JSON.stringify(lock)}, { clock: { now: Date.now, sleep: () => sleep(3) } }, async () => {
         appendFileSync(${JSON.stringify(log)}, "in\\n");
         await sleep(5);
         appendFileSync(${JSON.stringify(log)}, "out\\n");
         process.kill(process.pid, "SIGKILL");
       });`,
    );
    await Promise.all([1, 2, 3, 4].map(() => execa(process.execPath, [file], { reject: false })));
    expect(await readFile(log, "utf8")).toBe("in\nout\n".repeat(4));
  });

  it("runs without a lock that cannot be created, if that is allowed", async () => {
    const path = join(await tempDir(), "missing", "lock");
    const wait = { clock, waitingFor };
    await expect(locked(path, wait, async () => "done")).rejects.toThrow("could not be created");
    const ifPossible = { ...wait, ifPossible: true } as const;
    expect(await locked(path, ifPossible, async () => "done")).toBe("done");
    const failing = locked(path, ifPossible, () => Promise.reject(new Error("theirs")));
    await expect(failing).rejects.toThrow("theirs");
  });

  const REPO = { busy: "REPO_BUSY" } as const;

  it.each<[what: string, owner: object | undefined, said: string, busy?: typeof REPO]>([
    ["a running process", { pid: process.pid }, `process ${process.pid} on web-1`],
    ["a running process in the same repo", {}, `process ${process.pid} on web-1`, REPO],
    ["a process on another machine", { machine: "0", pid: 1 }, "process 1 on web-1"],
    ["a host name with escape codes", { host: "\x1b[2J" }, "on \\x1b[2J"],
    ["an unknown owner", undefined, "another run"],
  ])(
    "waits for the lock of %s and names it after a second and at the end",
    async (_, owner, said, busy) => {
      const code = busy?.busy ?? "DOCTL_CONFIG_BUSY";
      const path = join(await tempDir(), "lock");
      const text = { ...ourselves(), host: "web-1", id: "x", ...owner };
      await writeFile(path, owner === undefined ? "" : JSON.stringify(text));
      let now = 0;
      const heard: [at: number, holder: string][] = [];
      const fast: Clock = { now: () => now, sleep };
      async function sleep(ms: number): Promise<void> {
        now += ms;
      }
      const wait = { clock: fast, waitingFor: (holder: string) => void heard.push([now, holder]) };
      const waiting = locked(path, { ...wait, ...busy }, () => Promise.resolve());
      await expect(waiting).rejects.toMatchObject({ code });
      await expect(waiting).rejects.toThrow(said);
      expect(heard).toEqual([[750, expect.stringContaining(said)]]);
      expect(now).toBeGreaterThanOrEqual(60_000);
      expect(await readdir(join(path, ".."))).toEqual(["lock"]);
    },
  );
});

describe("owner", () => {
  const gone = 2 ** 22 + 1;
  const minutesAgo = (minutes: number) => Date.now() - minutes * 60_000;
  const unknown = { pid: 1, started: undefined as never };
  const another = { machine: "00000000" };
  const knowsStarts = processFacts(process.pid) !== undefined;
  it.each<[what: string, owner: Partial<Owner>, expected: boolean]>([
    ["this process", {}, false],
    ["a process id that does not exist", { pid: gone }, true],
    ["a process id of another machine", { pid: gone, machine: "00000000" }, false],
    ["this process, noted long ago", { since: minutesAgo(600) }, !knowsStarts],
    ["a process that reuses a dead one's id", { started: "an hour ago" }, knowsStarts],
    ["the first process", { pid: 1, started: undefined as never }, false],
    ["a process of unknown start", { ...unknown, since: minutesAgo(50) }, false],
    ["a process of unknown start, noted long ago", { ...unknown, since: minutesAgo(70) }, true],
    ["the same on another machine", { ...unknown, ...another, since: minutesAgo(70) }, false],
  ])("%s", (_, owner, expected) => {
    expect(isDead({ ...ourselves(), ...owner })).toBe(expected);
  });

  it("a lock of unknown start is taken over when it is older than every run", async () => {
    const path = join(await tempDir(), "lock");
    const holder = { ...ourselves(), pid: 1, id: "x", started: undefined };
    await writeFile(path, JSON.stringify(holder));
    await utimes(path, new Date(), new Date(minutesAgo(70)));
    const waitingFor = () => expect.unreachable();
    expect(await locked(path, { clock, waitingFor }, async () => "done")).toBe("done");
  });

  it("what a run of unknown start left is removed when it is older than every run", async () => {
    const folder = await tempDir();
    const left = (machine: string) => `do-bootstrap-${machine}-1-abcdef`;
    for (const machine of [ourselves().machine, "00000000"]) {
      await mkdir(join(folder, left(machine)), 0o700);
      await utimes(join(folder, left(machine)), new Date(), new Date(minutesAgo(70)));
    }
    await withOwnFolder(folder, async () => undefined);
    expect(await readdir(folder)).toEqual([left("00000000")]);
  });

  it.each<[line: string, expected: ReturnType<typeof fromPs>]>([
    [
      "Ss+  Mon Nov 30 22:36:02 2026    \n",
      { isOver: false, isForeground: true, started: "Mon Nov 30 22:36:02 2026" },
    ],
    [
      "Z    Tue Dec  1 02:36:02 2026",
      { isOver: true, isForeground: false, started: expect.any(String) },
    ],
    ["", undefined],
    ["Ss", undefined],
  ])("ps says %j", (line, expected) => {
    expect(fromPs(line)).toEqual(expected);
  });

  it.skipIf(!knowsStarts)("a zombie is dead (needs /proc or ps)", async () => {
    // exec replaces the shell with sleep, which never waits for the child.
    const shell = spawn("sh", ["-c", "sleep 0.1 & echo $!; exec sleep 20"]);
    onTestFinished(() => void shell.kill());
    const [pid] = await once(shell.stdout, "data");
    const { machine } = ourselves();
    await expect.poll(() => isDead({ machine, pid: Number(pid) })).toBe(true);
    expect(() => process.kill(Number(pid), 0)).not.toThrow();
  });

  it.each(["", "0123456789ab", "0123456x-1-abcdef", "01234567--abcdef", "01234567-1-abcdef.local"])(
    "%j is not a valid tag",
    (tag) => {
      expect(makerOf(tag)).toBeUndefined();
    },
  );
});

describe("run", () => {
  const never = new AbortController().signal;
  const sh = (script: string) =>
    run(
      {
        file: "/bin/sh",
        args: ["-c", script],
        env: wholeEnvironment(process.env),
        timeoutMs: 1500,
      },
      never,
    );

  it.each([
    ["works", "echo hi; sleep 60 &", { end: "exited", exitCode: 0, stdout: "hi\n" }],
    ["fails", "echo hi; sleep 60 & exit 3", { end: "exited", exitCode: 3, stdout: "hi\n" }],
    ["hangs", "echo hi; sleep 60 & sleep 60", { end: "timed-out", stdout: "hi\n" }],
  ])("a tool that %s while its background process keeps the streams open", async (...row) => {
    const [, script, expected] = row;
    expect(await sh(script)).toMatchObject(expected);
  });

  const call = {
    ...{ file: "/bin/sh", args: [], timeoutMs: 10_000 },
    env: wholeEnvironment(process.env),
  };
  const large = "x".repeat(300_000);

  it.each<[name: string, call: Partial<ToolCall>, code: string]>([
    ["the file is missing", { file: "/no/such/tool" }, "ENOENT"],
    ["it is not executable", { file: "/etc/passwd" }, "EACCES"],
    ["its path goes through a file", { file: "/etc/passwd/tool" }, "ENOTDIR"],
    ["its working folder is missing", { cwd: "/no/such/folder" }, "ENOENT"],
    ["its arguments are too large", { args: [large, large] }, "E2BIG"],
  ])("a tool that cannot be started: %s", async (_, difference, code) => {
    expect(await run({ ...call, ...difference }, never)).toEqual({
      ...{ end: "not-started", exitCode: undefined, code, stdout: "", stderr: "" },
    });
  });

  it("a tool may ignore or read its input, be stopped early or die by a signal", async () => {
    const input = large;
    expect(await run({ ...call, args: ["-c", "exit 4"], input }, never)).toMatchObject({
      exitCode: 4,
    });
    expect((await run({ ...call, args: ["-c", "wc -c"], input }, never)).stdout.trim()).toBe(
      String(large.length),
    );
    const stopWhen = (text: string) => text.includes("2");
    const script = "echo 1; echo 2; exec sleep 7";
    expect(await run({ ...call, args: ["-c", script], stopWhen }, never)).toMatchObject({
      ...{ end: "stopped", stdout: "1\n2\n" },
    });
    expect(await run({ ...call, args: ["-c", "kill -9 $$"] }, never)).toMatchObject({
      ...{ end: "signalled", exitCode: undefined },
    });
  });

  it.each<[what: string, script: string, more: Partial<ToolCall>]>([
    ["asks to stop", "yes", { onStdout: () => "stop" }],
    ["gets no output for too long", "echo 1; exec sleep 7", { onStdout: () => 0, idleMs: 100 }],
  ])("a tool is stopped when the reader %s", async (_, script, more) => {
    const called = run({ ...call, args: ["-c", script], ...more }, never);
    expect(await called).toMatchObject({ end: "stopped", exitCode: undefined });
  });

  it("Ctrl-C that ends the tool first is an interruption, unless the tool can't get it", async () => {
    const args = ["-c", "kill -INT $$"];
    await expect(run({ ...call, args }, never)).rejects.toMatchObject({ code: "INTERRUPTED" });
    expect(await run({ ...call, args, isSteady: true }, never)).toMatchObject({ end: "signalled" });
  });

  it.each([0, 50])("an interruption after %i ms ends it", async (ms) => {
    const controller = new AbortController();
    if (ms === 0) controller.abort();
    else setTimeout(() => controller.abort(), ms);
    const running = run({ ...call, args: ["-c", "exec sleep 7"] }, controller.signal);
    await expect(running).rejects.toMatchObject({ code: "INTERRUPTED" });
  });
});

it("an interruption stops between two folders, also of a tree that is read synchronously", async () => {
  const controller = new AbortController();
  const files = filesOf(undefined, controller.signal);
  setImmediate(() => controller.abort());
  const folders = Array.from({ length: 3 }, () => import.meta.dirname);
  const read: string[] = [];
  const walk = async () => {
    for (const folder of folders) {
      await files.entries(folder);
      read.push(folder);
    }
  };
  await expect(walk()).rejects.toMatchObject({ code: "INTERRUPTED" });
  expect(read.length).toBeLessThan(folders.length);
});

describe("http", () => {
  const never = new AbortController().signal;
  const ask = async (answer: RequestListener, signal = never) => {
    const url = new URL(await listen(createPlain(answer), "http"));
    return send(
      { url, headers: { "X-Test": "1" }, timeoutMs: 300 },
      { env: {}, interrupted: signal },
    );
  };

  it.each<[string, RequestListener, object]>([
    ["no answer", () => {}, { why: "timeout" }],
    ["a partial answer", (_, response) => response.write("x"), { why: "timeout" }],
    [
      "more than 1 MB",
      (_, response) => response.end("x".repeat(1024 * 1024 + 1)),
      { why: "too-large" },
    ],
    [
      "endless interim answers",
      (_, response) => void setInterval(() => response.writeProcessing(), 1).unref(),
      { why: "timeout" },
    ],
    [
      "an endless answer",
      (_, response) => void setInterval(() => response.write("x".repeat(1e6)), 5).unref(),
      { why: "too-large" },
    ],
    ["a closed connection", (request) => request.socket.destroy(), { why: "closed" }],
    [
      "a truncated answer",
      (_, response) =>
        void response.writeHead(200, { "content-length": 9 }).write("x", () => response.destroy()),
      { why: "closed" },
    ],
    [
      "a protocol switch that was not requested",
      ({ socket }) =>
        void socket.write(
          "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
        ),
      { why: "closed" },
    ],
    ["1 MB", (_, response) => response.end("x".repeat(1024 * 1024)), { status: 200 }],
    [
      "a redirect, which is returned",
      (_, response) => response.writeHead(302, { location: "http://127.0.0.1:1/" }).end(),
      { status: 302, body: "" },
    ],
    [
      "request headers, which are sent",
      (request, response) => response.end(request.headers["x-test"]),
      { body: "1" },
    ],
  ])("%s", async (_, answer, expected) => {
    expect(await ask(answer)).toMatchObject(expected);
  });

  it("connection refused and an unknown host name", async () => {
    const to = (url: string) =>
      send({ url: new URL(url), headers: {}, timeoutMs: 2000 }, { env: {}, interrupted: never });
    expect(await to("http://127.0.0.1:1")).toMatchObject({ why: "refused" });
    expect(await to("https://nowhere.invalid")).toMatchObject({ why: "dns" });
  });

  it("an interruption ends the wait", async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 50);
    await expect(ask(() => {}, controller.signal)).rejects.toMatchObject({ code: "INTERRUPTED" });
  });
});

const openssl = (await execa("openssl", ["version"], { reject: false })).exitCode === 0;
const needs = openssl ? "" : " (needs openssl)";
describe.skipIf(needs)(`https, with and without a proxy${needs}`, () => {
  it.each([
    ["no proxy", {}, "alive", 0, false],
    ["HTTPS_PROXY", { HTTPS_PROXY: "PROXY" }, "alive", 2, true],
    ["https_proxy", { https_proxy: "PROXY" }, "alive", 2, true],
    ["NO_PROXY", { HTTPS_PROXY: "PROXY", NO_PROXY: "a.example,localhost" }, "alive", 0, false],
    ["no_proxy=*", { HTTPS_PROXY: "PROXY", no_proxy: "*" }, "alive", 0, false],
    ["a proxy only for http", { HTTP_PROXY: "PROXY" }, "alive", 0, false],
    [
      "a proxy that refuses the connection",
      { HTTPS_PROXY: "http://127.0.0.1:1" },
      /HTTPS_PROXY/,
      0,
      true,
    ],
    ["a proxy that refuses with 401", { HTTPS_PROXY: "401" }, /HTTPS_PROXY/, 2, true],
    ["a proxy that refuses with 403", { HTTPS_PROXY: "403" }, /HTTPS_PROXY/, 2, true],
    ["a proxy that requires a login", { HTTPS_PROXY: "407" }, /HTTPS_PROXY/, 2, true],
    ["a proxy without a scheme", { HTTPS_PROXY: "BARE" }, "alive", 2, true],
    ["only ALL_PROXY", { ALL_PROXY: "PROXY" }, "alive", 2, true],
    ["a password with a #", { HTTPS_PROXY: "me:p#ss@" }, "alive", 2, true],
    ["a password with a %", { HTTPS_PROXY: "me:p%ss@" }, "alive", 2, true],
    ["a password with an @", { HTTPS_PROXY: "me:p@ss@" }, "alive", 2, true],
    [
      "a password, and a proxy that refuses the connection",
      { ALL_PROXY: "http://me:p%ss@127.0.0.1:1" },
      /ALL_PROXY/,
      0,
      true,
    ],
    ["an invalid port", { HTTPS_PROXY: "http://127.0.0.1:99999" }, /HTTPS_PROXY/, 0, false],
    ["only a scheme", { HTTPS_PROXY: "http://" }, /HTTPS_PROXY/, 0, false],
    ["a proxy of another kind", { HTTPS_PROXY: "socks5://127.0.0.1:1" }, /HTTPS_PROXY/, 0, false],
    ["an unknown certificate", { NODE_EXTRA_CA_CERTS: "" }, /NODE_EXTRA_CA_CERTS/, 0, false],
  ])("%s", async (_, given, outcome, connects, isAgentLoaded) => {
    const bench = await workbench({ git: false });
    const { url, certificate } = await tlsApi(bench.root);
    const proxy = await connectProxy();
    const coverage = join(bench.root, "coverage");
    const filled = Object.entries(given).map(([key, value = ""]) => [
      key,
      placed(value, proxy.url),
    ]);
    const env = {
      DIGITALOCEAN_TOKEN: randomToken(),
      DIGITALOCEAN_API_URL: url,
      DO_BOOTSTRAP_OAUTH_URL: url,
      NODE_EXTRA_CA_CERTS: certificate,
      NODE_V8_COVERAGE: coverage,
      ...Object.fromEntries(filled),
    };
    const { stdout } = await bench.run(["check", "--json"], { env });
    const { status, token, findings } = JSON.parse(stdout);
    if (typeof outcome === "string") expect(token.state, stdout).toBe(outcome);
    else {
      expect({ status, state: token.state }).toEqual({ status: 7, state: "unknown" });
      expect(findings[0].message).toMatch(outcome);
    }
    expect(proxy.connects).toHaveLength(connects);
    expect((await loadedCode(coverage)).includes("Proxy-Authorization")).toBe(isAgentLoaded);
  });

  /** "403" is replaced by a proxy that answers with that status; its user name asks for it. */
  function placed(value: string, proxy: string): string {
    if (/^\d+$/.test(value)) return proxy.replace("//", `//${value}@`);
    if (value.endsWith("@")) return proxy.replace("//", `//${value}`);
    if (value === "BARE") return proxy.replace("http://", "");
    return value === "PROXY" ? proxy : value;
  }

  async function tlsApi(folder: string) {
    const [key, certificate] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
    const form = [
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:prime256v1",
      "-nodes",
      "-days",
      "1",
    ];
    await execa("openssl", [
      "req",
      "-x509",
      ...form,
      "-keyout",
      key,
      "-out",
      certificate,
      ...subject,
    ]);
    const options = { key: await readFile(key), cert: await readFile(certificate) };
    const server = createTls(options, ({ url }, response) => {
      const body = url === "/v2/account" ? { account: {} } : { scopes: ["read"] };
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
    });
    return { url: (await listen(server, "https")).replace("127.0.0.1", "localhost"), certificate };
  }

  async function connectProxy() {
    const connects: string[] = [];
    const server = createPlain();
    server.on("connect", (request, client) => {
      const [, port = "0"] = /:(\d+)$/.exec(request.url ?? "") ?? [];
      connects.push(port);
      const login = request.headers["proxy-authorization"]?.replace("Basic ", "");
      const [status, password] = Buffer.from(login ?? "", "base64")
        .toString()
        .split(":");
      if (login !== undefined && !/^p[#%@]ss$/.test(password ?? "")) {
        const json = "Content-Type: application/json\r\nContent-Length: 16";
        return client.end(`HTTP/1.1 ${status} No\r\n${json}\r\n\r\n{"message":"no"}`);
      }
      const upstream = connect(Number(port), "127.0.0.1", () => {
        client.write("HTTP/1.1 200 OK\r\n\r\n");
        upstream.pipe(client).pipe(upstream);
      });
      for (const socket of [upstream, client]) socket.on("error", () => client.destroy());
      return client;
    });
    return { url: await listen(server, "http"), connects };
  }

  /** The text of every module that a run loaded, from V8's coverage. */
  async function loadedCode(coverage: string): Promise<string> {
    const texts: string[] = [];
    for (const name of await readdir(coverage)) {
      const { result } = JSON.parse(await readFile(join(coverage, name), "utf8"));
      for (const { url } of result as { url: string }[]) {
        if (url.includes("/dist/")) texts.push(await readFile(new URL(url), "utf8"));
      }
    }
    expect(texts.length).toBeGreaterThan(2);
    return texts.join("\n");
  }
});

describe("files", () => {
  it("look: the kinds of entries at a path", async () => {
    const root = await tempDir();
    const at = (name: string) => join(root, name);
    await writeFile(at("file"), "x", { mode: 0o640 });
    await writeFile(at("big"), Buffer.alloc(4 * 1024 * 1024 + 1));
    await symlink("file", at("link"));
    await symlink("gone/deep", at("dangling"));
    await symlink("loop", at("loop"));
    await execa("mkfifo", [at("fifo")]);
    const look = async (name: string) => ({ ...(await nodeFiles.look(at(name))), path: name });
    expect(await look("file")).toMatchObject({
      kind: "file",
      target: at("file"),
      mode: 0o640,
      bytes: Buffer.from("x"),
    });
    expect(await look("link")).toMatchObject({ kind: "file", target: at("file") });
    expect(await look("missing/deep")).toEqual({
      kind: "absent",
      path: "missing/deep",
      target: at("missing/deep"),
    });
    expect(await look("file/below")).toMatchObject({ kind: "absent" });
    expect(await look("dangling")).toEqual({
      kind: "absent",
      path: "dangling",
      target: at("gone/deep"),
    });
    expect(await look(".")).toMatchObject({ kind: "unusable", why: "a directory" });
    expect(await look("big")).toMatchObject({ kind: "unusable", why: "larger than 4 MB" });
    expect(await look("loop")).toMatchObject({
      kind: "unusable",
      why: expect.stringContaining("ELOOP"),
    });
    // A signal ends the wait for a FIFO's writer and every later read.
    const interrupted = new AbortController();
    const files = filesOf(undefined, interrupted.signal);
    await execa("mkfifo", [at("silent")]);
    const waiting = files.look(at("silent"), { waitForFifo: true });
    interrupted.abort();
    await expect(waiting).rejects.toMatchObject({ code: "INTERRUPTED" });
    await expect(files.look(at("silent"), { waitForFifo: true })).rejects.toMatchObject({
      code: "INTERRUPTED",
    });
    await expect(files.list(root)).rejects.toMatchObject({ code: "INTERRUPTED" });
    // Links through a missing folder that lead back to themselves.
    await symlink("nowhere/../self", at("self"));
    await symlink("nowhere/../two", at("one"));
    await symlink("nowhere/../one", at("two"));
    for (const name of ["self", "one"]) {
      expect(await nodeFiles.look(at(name))).toMatchObject({ kind: "absent" });
    }
    expect(await nodeFiles.look("/dev/null")).toMatchObject({ kind: "unusable", why: "a device" });

    const writer = execa("sh", ["-c", 'printf "a=1\\n" > "$1"', "sh", at("fifo")]);
    expect(await look("fifo")).toMatchObject({ kind: "unusable", why: "a FIFO" });
    expect(await nodeFiles.look(at("fifo"), { waitForFifo: true })).toMatchObject({
      kind: "fifo",
      bytes: Buffer.from("a=1\n"),
    });
    await writer;
  });

  it.each([
    ["a file", 0o640, "file"],
    ["a file under a strict umask", 0o666, "file"],
    ["a link", 0o600, "link"],
    ["a dangling link", undefined, "link"],
    ["nothing", undefined, "file"],
  ])("replace %s, and undo", async (_, mode, name) => {
    const root = await tempDir();
    const file = join(root, "file");
    await symlink("file", join(root, "link"));
    if (mode !== undefined) {
      await writeFile(file, "old");
      await chmod(file, mode);
      await link(file, join(root, "hard"));
    }
    const before = await aged(root);
    const snapshot = await nodeFiles.look(join(root, name));
    const undo = await nodeFiles.replace(snapshot, Buffer.from("new"), mode ?? 0o600);
    const after = await fileTree(root);
    expect(after[file]).toMatch(new RegExp(`^${(mode ?? 0o600).toString(8)} \\d+ new$`));
    expect(Object.keys(after)).toEqual([...new Set([...Object.keys(before), file])].sort());
    expect(after[join(root, "link")]).toBe("-> file");
    await undo();
    expect(await fileTree(root)).toEqual(before);
  });

  describe.skipIf(!IS_ROOT)(`the owner of a file${needsRoot}`, () => {
    it.each([
      ["another user", USER, USER, 0o600],
      ["another group with write access", 0, OTHER, 0o660],
      ["another user and group", USER, OTHER, 0o640],
    ])("%s: is kept, also after an undo", async (_, uid, gid, mode) => {
      const path = join(await tempDir(), "file");
      await theirFile(path, { uid, gid, mode });
      const before = await nodeFiles.look(path);
      const undo = await nodeFiles.replace(before, Buffer.from("new"), mode);
      expect(await shown(path)).toEqual([uid, gid, mode, "new"]);
      await undo();
      expect(await shown(path)).toEqual([uid, gid, mode, "old"]);
      await (await nodeFiles.remove(before as FileSnapshot))();
      expect(await shown(path)).toEqual([uid, gid, mode, "old"]);
    });

    it("a new owner or group counts as a change by somebody else", async () => {
      const path = join(await tempDir(), "file");
      await theirFile(path, { uid: 0, gid: 0, mode: 0o600 });
      const before = await nodeFiles.look(path);
      for (const [uid, gid] of [[USER, 0] as const, [0, USER] as const]) {
        await chown(path, uid, gid);
        const writing = nodeFiles.replace(before, Buffer.from("new"), 0o600);
        await expect(writing).rejects.toMatchObject({ code: "CHANGED_MEANWHILE" });
        expect(await shown(path)).toEqual([uid, gid, 0o600, "old"]);
      }
    });

    // As a user who is not root and only in their own group.
    it.each<[what: string, uid: number, mode: number, replaced: string, thenRemoved: number[]]>([
      ["a group without rights", USER, 0o600, "new", [USER, USER, 0o600]],
      ["a group with the same rights as others", USER, 0o644, "new", [USER, USER, 0o644]],
      [
        "a group with more rights than others",
        USER,
        0o664,
        `a group that you are not in (${OTHER})`,
        [USER, USER, 0o644],
      ],
      [
        "a group with fewer rights than others",
        USER,
        0o604,
        `a group that you are not in (${OTHER})`,
        [USER, USER, 0o600],
      ],
      ["another user", OTHER, 0o664, `another user (${OTHER})`, [USER, USER, 0o644]],
    ])(
      "%s: nobody gets more rights, also after an undo",
      async (...[, uid, mode, replaced, removed]) => {
        const root = await tempDir();
        await chmod(root, 0o755);
        const program = await bundled(
          root,
          `import { nodeFiles } from "./src/host/files.ts";
         const [path, action] = process.argv.slice(2);
         const before = await nodeFiles.look(path);
         if (action === "remove") await (await nodeFiles.remove(before))();
         else await nodeFiles.replace(before, Buffer.from("new"), before.mode);`,
        );
        const folder = join(root, "folder");
        await mkdir(folder);
        await chown(folder, USER, USER);
        const path = join(folder, "file");
        const does = (action: string) =>
          execa(process.execPath, [program, path, action], { uid: USER, gid: USER, reject: false });

        await theirFile(path, { uid, gid: OTHER, mode });
        const { stderr } = await does("replace");
        if (replaced === "new")
          expect(await shown(path), stderr).toEqual([USER, USER, mode, "new"]);
        else {
          expect(stderr).toContain(`belongs to ${replaced}`);
          expect(await shown(path)).toEqual([uid, OTHER, mode, "old"]);
        }

        await theirFile(path, { uid, gid: OTHER, mode });
        await does("remove");
        expect(await shown(path)).toEqual([...removed, "old"]);
        expect(await readdir(folder)).toEqual(["file"]);
      },
    );

    it.each<[what: string, link: number, file: number, kind: string]>([
      ["our link to another user's file", 0, USER, "file"],
      ["another user's link to their own file", USER, USER, "file"],
      ["another user's link to our file", USER, 0, "unusable"],
      ["another user's link to a third user's file", USER, OTHER, "unusable"],
      ["another user's link to a missing file in our folder", USER, -1, "unusable"],
    ])("look, through a link: %s", async (_, link, file, kind) => {
      const root = await tempDir();
      await mkdir(join(root, "docs"));
      await symlink("docs", join(root, "link"));
      if (file >= 0) await writeFile(join(root, "docs", "file"), "x");
      if (file > 0) await chown(join(root, "docs", "file"), file, file);
      await lchown(join(root, "link"), link, link);
      const path = join(root, "link", "file");
      expect((await nodeFiles.look(path)).kind).toBe(kind);
      expect((await filesOf(root).look(path)).kind).toBe(file < 0 ? "absent" : "file");
    });

    it("sweep: another user's folder stays", async () => {
      const root = await tempDir();
      const names = ["1", "2"].map((pid) => `.env.do-bootstrap-deadbeef-${pid}-abcdef.local`);
      for (const name of names) {
        await mkdir(join(root, name));
        await writeFile(join(root, name, name), "x");
        await utimes(join(root, name), 0, 0);
      }
      const [theirs = "", ours = ""] = names;
      await chown(join(root, theirs), USER, USER);
      expect(await nodeFiles.sweep(root)).toEqual([theirs, ours]);
      expect(await readdir(root, { recursive: true })).toEqual([theirs, join(theirs, theirs)]);
    });

    async function theirFile(
      path: string,
      { uid, gid, mode }: Pick<FileSnapshot, "uid" | "gid"> & { mode: number },
    ): Promise<void> {
      await rm(path, { force: true });
      await writeFile(path, "old");
      await chmod(path, mode);
      await chown(path, uid, gid);
    }

    async function shown(path: string): Promise<unknown[]> {
      const { uid, gid, mode } = await stat(path);
      return [uid, gid, mode & 0o777, await readFile(path, "utf8")];
    }
  });

  it.each(["file", "link"])("remove a %s, and undo", async (name) => {
    const root = await tempDir();
    await writeFile(join(root, "file"), "old");
    await symlink("file", join(root, "link"));
    const before = await aged(root);
    const path = join(root, name);
    const undo = await nodeFiles.remove((await nodeFiles.look(path)) as FileSnapshot);
    const { [path]: removed, ...rest } = before;
    expect(await fileTree(root)).toEqual(rest);
    await undo();
    expect(await fileTree(root)).toEqual(before);
  });

  it("remove a file with folders that become empty, and undo", async () => {
    const root = await tempDir();
    await mkdir(join(root, "a/b/c"), { recursive: true });
    for (const name of ["a/theirs", "a/b/c/file"]) await writeFile(join(root, name), "x");
    const before = await fileTree(root);
    const file = (await nodeFiles.look(join(root, "a/b/c/file"))) as FileSnapshot;
    const undo = await nodeFiles.remove(file, root);
    expect(await readdir(root, { recursive: true })).toEqual(["a", "a/theirs"]);
    // Takes the inode of a removed folder, so that undo makes a new one.
    await mkdir(join(root, "other"));
    await undo();
    await rmdir(join(root, "other"));
    expect(Object.keys(await fileTree(root))).toEqual(Object.keys(before));
  });

  it("makeDirectory: undo removes the folders it made if they are empty", async () => {
    const root = await tempDir();
    const undo = await nodeFiles.makeDirectory(join(root, "a/b/c"), 0o700);
    expect((await stat(join(root, "a"))).mode & 0o777).toBe(0o700);
    await writeFile(join(root, "a/theirs"), "");
    await undo();
    expect(await readdir(join(root, "a"))).toEqual(["theirs"]);
    await (await nodeFiles.makeDirectory(root, 0o700))();
    expect(await readdir(root)).toEqual(["a"]);
  });

  it("sweep: removes a dead run's files at once, another machine's by age", async () => {
    const root = await tempDir();
    const { machine, pid } = ourselves();
    const tags = {
      dead: `${machine}-${2 ** 22 + 1}-abcdef`,
      ours: `${machine}-${pid}-abcdef`,
      old: `00000000-1-abcdef`,
      young: `00000000-2-abcdef`,
      // The clock was set back.
      ahead: `00000000-3-abcdef`,
    };
    for (const [name, tag] of Object.entries(tags)) {
      const file = join(root, `.env.do-bootstrap-${tag}.local`);
      const folder = join(root, `.do-bootstrap-${tag}`);
      await mkdir(file);
      await writeFile(join(file, `.env.do-bootstrap-${tag}.local`), "x");
      await mkdir(folder);
      await writeFile(join(folder, `.do-bootstrap-${tag}.yaml`), "x");
      const time = { old: 0, ahead: Date.now() / 1000 + 3600 }[name];
      if (time !== undefined) for (const path of [file, folder]) await utimes(path, time, time);
    }
    const foreign = [".env.local", ".env.do-bootstrap-mine.local", ".do-bootstraprc"];
    for (const name of foreign) await writeFile(join(root, name), "x");
    await nodeFiles.sweep(root);
    const kept = [tags.ours, tags.young];
    const left = kept.flatMap((tag) => [`.env.do-bootstrap-${tag}.local`, `.do-bootstrap-${tag}`]);
    expect(await readdir(root)).toEqual([...foreign, ...left].sort());
  });

  const LEFT = `.env.do-bootstrap-${ourselves().machine}-${2 ** 22 + 1}-abcdef.local`;
  it.each<[what: string, files: Record<string, string>, kept: Record<string, string>]>([
    ["a folder that a run left", { [LEFT]: "T", ".gitignore": `# ${LEFT}\n*\n` }, {}],
    ["a folder of a run that was killed early", { [LEFT]: `# ${LEFT}\n*\n` }, {}],
    ["a folder with an empty .gitignore", { ".gitignore": "" }, { ".gitignore": "" }],
    [
      "a small repo",
      { ".env": "A=1", ".gitignore": ".env\n" },
      { ".env": "A=1", ".gitignore": ".env\n" },
    ],
    ["a doctl folder", { "config.yaml": "a: 1" }, { "config.yaml": "a: 1" }],
    ["a cache folder", { ".gitignore": "*\n" }, { ".gitignore": "*\n" }],
    ["a folder in a folder", { [`${LEFT}/a`]: "1" }, { [`${LEFT}/a`]: "1" }],
    // Only our secret is removed; the .gitignore that hides the rest stays.
    [
      "our folder with other files",
      { [LEFT]: "T", ".gitignore": "", a: "1" },
      { ".gitignore": "", a: "1" },
    ],
  ])("sweep, a folder with our name: %s", async (_, files, kept) => {
    const root = await tempDir();
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(root, LEFT, name)), { recursive: true });
      await writeFile(join(root, LEFT, name), text);
    }
    await nodeFiles.sweep(root);
    const left = Object.entries(await fileTree(root)).flatMap(([path, what]) =>
      / \d+ /.test(what) ? [[relative(join(root, LEFT), path), what.replace(/^\d+ \d+ /, "")]] : [],
    );
    expect(Object.fromEntries(left)).toEqual(kept);
    expect(await readdir(root)).toEqual(Object.keys(kept).length === 0 ? [] : [LEFT]);
  });

  // No run creates these. To move a folder, other users need write access to it.
  it.each<[what: string, isLeft: boolean, make: (path: string) => Promise<unknown>]>([
    ["a link", true, (path) => symlink("mine", path)],
    ["a plain file", true, (path) => writeFile(path, "x")],
    ["an empty folder that others can read", true, (path) => mkdir(path, 0o755)],
    ["an empty folder with our mode", false, (path) => mkdir(path, 0o700)],
  ])("sweep, other entries with our name: %s", async (_, isLeft, make) => {
    const root = await tempDir();
    await mkdir(join(root, "mine"));
    await writeFile(join(root, "mine", "file"), "x");
    await make(join(root, LEFT));
    const before = await fileTree(root);
    await nodeFiles.sweep(root);
    const { [join(root, LEFT)]: left, ...rest } = before;
    expect(await fileTree(root)).toEqual(isLeft ? before : rest);
    expect(left).toBeDefined();
  });

  it.each([
    ["with our mode", 0o700, false],
    ["that others can read", 0o755, true],
    ["that a group can write to", 0o2770, true],
  ])("a folder %s with the name of a dead run's folder", async (_, mode, isLeft) => {
    const root = await tempDir();
    const path = join(root, `do-bootstrap-${ourselves().machine}-${2 ** 22 + 1}-abcdef`);
    await mkdir(path);
    await writeFile(join(path, "file"), "x");
    await chmod(path, mode);
    await withOwnFolder(root, async () => undefined);
    expect(await readdir(root)).toEqual(isLeft ? [basename(path)] : []);
  });

  describe.skipIf(!IS_ROOT)(`folders that others may write to${needsRoot}`, () => {
    it.each<[what: string, uid: number, mode: number, isSafe: boolean]>([
      ["only ours", 0, 0o755, true],
      ["ours, writable for our group", 0, 0o775, true],
      ["writable for all with the sticky bit", 0, 0o1777, true],
      ["writable for all", 0, 0o777, false],
      ["another user's", USER, 0o755, false],
      ["another user's, with the sticky bit", USER, 0o1777, false],
    ])(
      "%s: doctl and recursive removal only if others can't replace the folder",
      async (...row) => {
        const [, uid, mode, isSafe] = row;
        const root = await tempDir();
        await chmod(root, 0o755);
        const parent = join(root, "parent");
        const folder = join(parent, "folder");
        await mkdir(folder, { recursive: true });
        await chmod(parent, mode);
        await chown(parent, uid, uid);
        expect(await nodeFiles.withDoctlFile(folder, async () => "ran")).toBe(
          isSafe ? "ran" : undefined,
        );
        const made = withOwnFolder(folder, async () => "made");
        if (isSafe) expect(await made).toBe("made");
        else await expect(made).rejects.toThrow(`Other users can replace files in ${folder}.`);
        expect(await readdir(folder)).toEqual([]);
      },
    );

    it("a folder inside a private folder is safe", async () => {
      const folder = join(await tempDir(), "for-all");
      await mkdir(folder);
      await chmod(folder, 0o777);
      expect(await nodeFiles.withDoctlFile(folder, async () => "ran")).toBe("ran");
    });

    it.each<[what: string, uid: number, mode: number, left: string[]]>([
      ["ours", 0, 0o777, []],
      ["another user's and writable for all", USER, 0o777, [LEFT]],
      ["another user's", USER, 0o755, [LEFT]],
    ])("sweep in a folder that is %s", async (_, uid, mode, left) => {
      const folder = join(await tempDir(), "folder");
      await mkdir(join(folder, LEFT), { recursive: true });
      await writeFile(join(folder, LEFT, LEFT), "T");
      await chmod(folder, mode);
      await chown(folder, uid, uid);
      await nodeFiles.sweep(folder);
      expect(await readdir(folder)).toEqual(left);
    });
  });

  it("git ignores a private folder and its files", async () => {
    const root = await tempDir();
    await execa("git", ["init", "--quiet", root]);
    const untracked = () =>
      execa("git", ["-C", root, "ls-files", "--others", "--exclude-standard"]);
    await nodeFiles.withDoctlFile(root, async (path) => {
      await writeFile(path, "x");
      expect((await untracked()).stdout).toBe("");
    });
    expect(await readdir(root)).toEqual([".git"]);
  });

  it("undo keeps what somebody else wrote meanwhile", async () => {
    const root = await tempDir();
    const path = join(root, "file");
    for (const before of ["absent", "file", "removed"]) {
      if (before !== "absent") await writeFile(path, "old");
      const snapshot = await nodeFiles.look(path);
      const undo =
        before === "removed" && snapshot.kind === "file"
          ? await nodeFiles.remove(snapshot)
          : await nodeFiles.replace(snapshot, Buffer.from("ours"), 0o600);
      await writeFile(path, "theirs");
      await undo();
      expect(await readFile(path, "utf8"), before).toBe("theirs");
      await rm(path);
    }
  });
});

async function tempDir(): Promise<string> {
  const { path, cleanup } = await dir({ prefix: "do-bootstrap-host-", unsafeCleanup: true });
  onTestFinished(() => cleanup());
  return path;
}

async function listen(server: Server, scheme: string): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A script for a child process, which cannot load TypeScript on Node 20. */
async function bundled(folder: string, contents: string): Promise<string> {
  const outfile = join(folder, "child.mjs");
  const resolveDir = join(import.meta.dirname, "../..");
  await build({
    stdin: { contents, resolveDir },
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
  });
  return outfile;
}
