import { chown, lstat, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it, onTestFinished } from "vitest";
import { tryToMount } from "../fixtures/mount.ts";
import { fakeDoctl } from "../fixtures/tools.ts";
import { fileTree } from "../fixtures/tree.ts";
import { type RunResult, randomToken, type Workbench, workbench } from "../fixtures/workbench.ts";
import { COUNT, figures, random, SEED } from "./figures.ts";

/**
 * Makes one step of a write fail like a faulty disk: the n-th of a kind, and with "on" every later one
 * of that kind too. Logs it to a file, so that the run itself does not see it.
 */
const HOOK = `
const fs = require("node:fs");
const { promises } = fs;
const { basename } = require("node:path");
const [kind, at, code, lasting] = process.env.FAULT.split(":");
let left = Number(at);
async function fail(what, path) {
  // A run does without the lock of the repo.
  if (basename(path).startsWith("do-bootstrap.lock")) return;
  if (what !== kind || --left > 0 || (left < 0 && lasting !== "on")) return;
  fs.appendFileSync(process.env.FAULT_LOG, what + "\\n");
  if (code === "directory") return;
  throw Object.assign(new Error(code + ": " + what), { code, syscall: what });
}
const { open, rename, unlink } = promises;
promises.open = async (path, flags, ...more) => {
  if (flags === "wx") await fail("open", path);
  const handle = await open(path, flags, ...more);
  if (flags !== "wx") return handle;
  const { writeFile, sync } = handle;
  handle.writeFile = async (bytes) => {
    // Half of it is on the disk when there is no more room.
    await fail("write", path).catch(async (error) => {
      await writeFile.call(handle, bytes.subarray(0, bytes.length / 2));
      throw error;
    });
    return writeFile.call(handle, bytes);
  };
  handle.sync = async () => { await fail("fsync", path); return sync.call(handle); };
  return handle;
};
promises.rename = async (...paths) => { await fail("rename", paths[1]); return rename(...paths); };
// Not for locks and temporary files.
promises.unlink = async (path) => { if (/tfvars\\.json$/.test(path)) await fail("unlink", path); return unlink(path); };
require("node:module").syncBuiltinESMExports();
`;

const STEPS = ["open", "write", "fsync", "rename"] as const;
/** Error codes of disks, quotas and network folders. */
const CODES: Readonly<Record<string, readonly string[]>> = {
  open: ["ENOSPC", "EROFS", "EACCES", "EDQUOT", "EMFILE"],
  write: ["ENOSPC", "EDQUOT", "EFBIG", "EIO"],
  // A network folder may not support fsync.
  fsync: ["EINVAL", "ENOTSUP", "ENOSPC", "EIO"],
  rename: ["ENOSPC", "EPERM", "EBUSY", "EXDEV", "ENOTEMPTY"],
  unlink: ["EPERM", "EROFS", "EBUSY"],
};

interface Scene {
  readonly bench: Workbench;
  /** Runs the command again from the same state. */
  readonly run: (env?: Readonly<Record<string, string>>) => Promise<RunResult>;
  readonly steps: readonly string[];
}

const OTHER = randomToken();

/** A repo with its own .env, and another team's login in doctl's config. */
async function fresh(): Promise<Workbench> {
  const bench = await workbench();
  await fakeDoctl(bench.bin, { writeDelayMs: 0 });
  bench.sandbox.accept(OTHER, { team: { uuid: "x", name: "Other" } });
  await bench.write(".env", "PORT=80\n", 0o644);
  await bench.write(".gitignore", "*.log\n");
  await mkdir(join(bench.home, ".config/doctl"), { recursive: true });
  await bench.write("../home/.config/doctl/config.yaml", `access-token: ${OTHER}\n`, 0o600);
  return bench;
}

async function finished(): Promise<Workbench> {
  const bench = await fresh();
  const { status, stderr } = await bench.run(["--token-stdin"], { input: bench.token });
  expect(status, stderr).toBe(0);
  return bench;
}

const SCENES: Readonly<Record<string, () => Promise<Scene>>> = {
  async init() {
    const bench = await fresh();
    const run: Scene["run"] = (env = {}) =>
      bench.run(["init", "--token-stdin"], { input: bench.token, env });
    return { bench, run, steps: STEPS };
  },
  async rotate() {
    const bench = await finished();
    const next = randomToken();
    bench.sandbox.accept(next);
    const run: Scene["run"] = (env = {}) =>
      bench.run(["rotate", "--token-stdin"], { input: next, env });
    return { bench, run, steps: STEPS };
  },
  async logout() {
    const bench = await finished();
    const run: Scene["run"] = (env = {}) => bench.run(["logout", "--yes"], { env });
    return { bench, run, steps: [...STEPS, "unlink"] };
  },
};

function scene(command: string): Promise<Scene> {
  const make = SCENES[command];
  if (make === undefined) throw new Error(`no scene for ${command}`);
  return make();
}

describe.each(Object.keys(SCENES))("%s, on a disk that fails", (command) => {
  const times = 4 * COUNT;
  it(
    `${times} times at a random step (seed ${SEED}): a clear error, and nothing is changed`,
    async () => {
      const { bench, run, steps } = await scene(command);
      const hook = join(bench.root, "fault.cjs");
      const log = join(bench.root, "fault.log");
      await writeFile(hook, HOOK);
      const chance = random(`${SEED} ${command}`);
      const among = <T>(all: readonly T[]): T => all[Math.floor(chance() * all.length)] as T;
      const before = await userFiles(bench);
      let faults = 0;
      for (let i = 0; i < times; i++) {
        const step = among(steps);
        const last = { init: 8, rotate: 3, logout: step === "unlink" ? 1 : 2 }[command] ?? 1;
        const at = 1 + Math.floor(chance() * last);
        const fault = `${step}:${at}:${among(CODES[step] ?? [])}`;
        await writeFile(log, "");
        const env = { NODE_OPTIONS: `--require ${hook}`, FAULT: fault, FAULT_LOG: log };
        const { status, stdout, stderr } = await run(env);
        expect(await readFile(log, "utf8"), `${fault} did not come`).not.toBe("");
        faults++;
        expect(stderr, fault).toMatch(
          /✗ \S+ could not be (written|created|removed) \(E[A-Z]+\)\. \[WRITE_FAILED\]\n {2}→ Nothing was changed\. (?:Fix the disk|Raise the limit: ulimit -n|Close other programs)/,
        );
        expect({ fault, status, stdout }).toEqual({ fault, status: 1, stdout: "" });
        expect(await userFiles(bench), fault).toEqual(before);
      }
      const { status, stderr } = await run();
      expect(status, stderr).toBe(0);
      const leftOver = await temporaryIn(bench);
      figures(`disk: ${command}`, { runs: times, faults, lost: 0, halfWritten: 0, leftOver });
      expect(leftOver).toBe(0);
    },
    60_000 * COUNT,
  );
});

describe("a disk that fails permanently in the middle of rotate", () => {
  it("the next run continues after a failed undo: no place keeps the old token", async () => {
    const { bench, run } = await scene("rotate");
    const [hook, log] = ["fault.cjs", "fault.log"].map((name) => join(bench.root, name)) as [
      string,
      string,
    ];
    await writeFile(hook, HOOK);
    const env = { NODE_OPTIONS: `--require ${hook}`, FAULT: "rename:3:EIO:on", FAULT_LOG: log };
    const failed = await run(env);
    expect(failed.stderr).toMatch(/Also, one change could not be undone\. \[WRITE_FAILED\]/);
    const texts = async () => Object.values(await userFiles(bench)).join();
    expect(await texts()).toContain(bench.token);
    const { status, stderr } = await run();
    expect(status, stderr).toBe(0);
    expect(await texts()).not.toContain(bench.token);
  });
});

describe("a shell limit on file size (EFBIG)", () => {
  it("is a clear error, and nothing is changed", async () => {
    const bench = await fresh();
    const before = await userFiles(bench);
    // Without the trap, the signal XFSZ would end the process.
    const limited = `trap '' XFSZ; ulimit -f 0; exec "$0" "$@"`;
    const program = join(import.meta.dirname, "../../dist/bin.cjs");
    const { exitCode, stderr } = await execa(
      "sh",
      ["-c", limited, process.execPath, program, "--token-stdin"],
      {
        cwd: bench.repo,
        env: { ...bench.env, PATH: `${bench.bin}:/usr/bin:/bin` },
        extendEnv: false,
        input: bench.token,
        reject: false,
      },
    );
    expect(stderr).toMatch(/could not be written \(EFBIG\)\. \[WRITE_FAILED\]\n {2}→ /);
    expect(exitCode).toBe(1);
    expect(await userFiles(bench)).toEqual(before);
    expect(await temporaryIn(bench)).toBe(0);
  });
});

describe("a file that becomes a directory between read and write", () => {
  const SWAP = `
const fs = require("node:fs");
const { open } = fs.promises;
let isDone = false;
fs.promises.open = async (path, flags, ...more) => {
  if (flags === "wx" && !isDone) {
    isDone = true;
    fs.rmSync(process.env.SWAP);
    fs.mkdirSync(process.env.SWAP);
  }
  return open(path, flags, ...more);
};
require("node:module").syncBuiltinESMExports();
`;
  it.each([
    ["init", ".env"],
    ["init", ".gitignore"],
    ["init", "../home/.config/doctl/config.yaml"],
    ["rotate", ".env"],
    ["logout", ".env"],
  ])("%s: the directory %s stays, and nothing else is changed", async (command, path) => {
    const { bench, run } = await scene(command);
    const hook = join(bench.root, "swap.cjs");
    await writeFile(hook, SWAP);
    const swapped = join(bench.repo, path);
    const { [swapped]: _, ...before } = await userFiles(bench);
    const { status, stderr } = await run({ NODE_OPTIONS: `--require ${hook}`, SWAP: swapped });
    const { [swapped]: now, ...after } = await userFiles(bench);
    expect(stderr).toMatch(/✗ \S.*\n {2}→ /);
    expect(stderr).not.toContain("UNEXPECTED");
    expect(status).toBe(1);
    expect((await lstat(swapped)).isDirectory(), now).toBe(true);
    expect(after).toEqual(before);
    expect(await temporaryIn(bench)).toBe(0);
  });
});

const IS_ROOT = process.getuid?.() === 0;
const NOBODY = 65_534;
const needsRoot = IS_ROOT ? "" : " (needs root)";

describe.skipIf(!IS_ROOT)(`permissions, as a user who is not root${needsRoot}`, () => {
  it.each([
    ["rotate", "the repo", (bench: Workbench) => bench.repo, 3, "file.not-writable"],
    ["logout", "the repo", (bench: Workbench) => bench.repo, 3, "file.not-writable"],
    ["rotate", "doctl's", (bench: Workbench) => doctlFolder(bench), 1, "WRITE_FAILED"],
    ["logout", "doctl's", (bench: Workbench) => doctlFolder(bench), 1, "WRITE_FAILED"],
  ] as const)("%s: %s folder is read-only", async (command, _, place, status, id) => {
    const bench = await finished();
    const next = randomToken();
    bench.sandbox.accept(next);
    await giveAll(bench.root, NOBODY);
    await execa("chmod", ["0555", place(bench)]);
    onTestFinished(async () => void (await execa("chmod", ["0755", place(bench)])));
    const before = await userFiles(bench);
    const args = command === "rotate" ? ["rotate", "--token-stdin"] : ["logout", "--yes"];
    const result = await bench.run(args, { input: next, uid: NOBODY });
    expect(result.stderr).toMatch(/(EACCES|not writable)/);
    expect(result.stderr).toContain(`[${id}]`);
    expect(result.stderr).toMatch(/\n {2}→ /);
    expect(result.status).toBe(status);
    expect(await userFiles(bench)).toEqual(before);
    expect(await temporaryIn(bench)).toBe(0);
  });

  it.each(["init", "rotate", "logout"])(
    "%s: the env file is another user's and not readable",
    async (command) => {
      const bench = command === "init" ? await fresh() : await finished();
      const next = randomToken();
      bench.sandbox.accept(next);
      await giveAll(bench.root, NOBODY);
      await execa("chmod", ["0600", join(bench.repo, ".env")]);
      await chown(join(bench.repo, ".env"), 0, 0);
      const before = await userFiles(bench);
      const args = command === "logout" ? ["logout", "--yes"] : [command, "--token-stdin"];
      const { status, stderr } = await bench.run(args, { input: next, uid: NOBODY });
      expect(stderr).toMatch(
        /(Can't read \S*\.env: it|\.env) is not readable \(EACCES\)|\[token\.missing\]/,
      );
      expect(stderr).toMatch(/\n {2}→ /);
      expect(status).toBeGreaterThan(0);
      expect(await userFiles(bench)).toEqual(before);
    },
  );
});

describe.skipIf(!IS_ROOT)(`another user's file in the user's own folder${needsRoot}`, () => {
  it.each(["init", "rotate", "logout"])("%s: does not change its owner", async (command) => {
    const bench = command === "init" ? await fresh() : await finished();
    const next = randomToken();
    bench.sandbox.accept(next);
    await giveAll(bench.root, NOBODY);
    await execa("chmod", ["0666", join(bench.repo, ".env")]);
    await chown(join(bench.repo, ".env"), 65_533, 65_533);
    const before = await userFiles(bench);
    const args = command === "logout" ? ["logout", "--yes"] : [command, "--token-stdin"];
    const { status, stderr } = await bench.run(args, { input: next, uid: NOBODY });
    expect(stderr).toMatch(/\.env belongs to another user \(65533\)\. \[WRITE_FAILED\]\n {2}→ /);
    expect(status).toBe(1);
    expect(await userFiles(bench)).toEqual(before);
  });

  it("keeps its owner when root runs init", async () => {
    const bench = await fresh();
    await chown(join(bench.repo, ".env"), NOBODY, NOBODY);
    expect((await bench.run(["--token-stdin"], { input: bench.token })).status).toBe(0);
    const owner = { uid: NOBODY, gid: NOBODY };
    expect(await lstat(join(bench.repo, ".env"))).toMatchObject(owner);
  });
});

const [MOUNT, UMOUNT] = ["mount", "umount"] as const;
const canMount = IS_ROOT && process.platform === "linux" && (await tryToMount());
const needsMount = canMount ? "" : " (needs a mount, for which mount and umount read /proc)";

describe.skipIf(!canMount)(`a disk that is full${needsMount}`, () => {
  it.each([
    ["rotate", "the repo's", 0],
    ["rotate", "the repo's", 1],
    ["rotate", "doctl's", 0],
    ["logout", "the repo's", 0],
    ["logout", "doctl's", 0],
  ] as const)("%s: %s, with %i free pages", async (command, which, pages) => {
    const bench = await workbench();
    await fakeDoctl(bench.bin, { writeDelayMs: 0 });
    const folder = which === "doctl's" ? doctlFolder(bench) : bench.repo;
    await mkdir(folder, { recursive: true });
    await execa(MOUNT, ["-t", "tmpfs", "-o", "size=256k", "tmpfs", folder]);
    onTestFinished(async () => void (await execa(UMOUNT, ["-l", folder], { reject: false })));
    if (folder === bench.repo) await bench.git("init", "--quiet");
    const set = await bench.run(["--token-stdin"], { input: bench.token });
    expect(set.status, set.stderr).toBe(0);
    // The file has more than a page, so it does not fit into a free one.
    const large = `#${"x".repeat(9000)}\n`;
    if (folder === bench.repo) {
      await bench.write(".env", `${large}DIGITALOCEAN_TOKEN=${bench.token}\n`, 0o600);
    } else {
      const config = join(folder, "config.yaml");
      await writeFile(config, large + (await readFile(config, "utf8")));
    }
    await fillUp(folder, pages);
    const next = randomToken();
    bench.sandbox.accept(next);
    const before = await userFiles(bench);
    const args = command === "rotate" ? ["rotate", "--token-stdin"] : ["logout", "--yes"];
    const { status, stderr } = await bench.run(args, { input: next });
    expect(stderr).toMatch(/could not be (written|created) \(ENOSPC\)\. \[WRITE_FAILED\]\n {2}→ /);
    expect(status).toBe(1);
    expect(await userFiles(bench)).toEqual(before);
    expect(await temporaryIn(bench)).toBe(0);
  });
});

function doctlFolder({ home }: Workbench): string {
  return join(home, ".config/doctl");
}

/** The files that a failed run must not change: all but our own cache and state. */
async function userFiles({ repo, home }: Workbench): Promise<Record<string, string>> {
  const files = { ...(await fileTree(repo)), ...(await fileTree(home)) };
  const own = /\/home\/\.(cache|local)(\/|$)/;
  return Object.fromEntries(Object.entries(files).filter(([path]) => !own.test(path)));
}

async function temporaryIn({ root }: Workbench): Promise<number> {
  const names = await readdir(root, { recursive: true });
  return names.filter((name) => /\.do-bootstrap-[^/]*$|\.do-bootstrap\.lock/.test(name)).length;
}

async function giveAll(root: string, uid: number): Promise<void> {
  for (const name of ["", ...(await readdir(root, { recursive: true }))]) {
    const path = join(root, name);
    if (!(await lstat(path)).isSymbolicLink()) await chown(path, uid, uid);
  }
}

/** Fills a small disk except for some pages. */
async function fillUp(folder: string, pages: number): Promise<void> {
  const page = Buffer.alloc(4096);
  const name = (i: number) => join(folder, `full.${i}`);
  let count = 0;
  const isWritten = () =>
    writeFile(name(count), page).then(
      () => true,
      () => false,
    );
  while (await isWritten()) count++;
  await execa("rm", ["-f", name(count)]);
  for (let i = 0; i < pages; i++) await execa("rm", [name(--count)]);
}
