import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { copyFile, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { dirname, join, relative, resolve, win32 } from "node:path";
import { createInterface } from "node:readline";
import { execa } from "execa";
import { type Sandbox, startSandbox } from "../../src/commands/demo/sandbox.ts";
import { FOR_GIT, unguardedToken } from "../fixtures/workbench.ts";

const PACKAGE = resolve(import.meta.dirname, "../..");

/** The executables that these tests need. The first is Wine's, the others are for Windows. */
const TOOLS = {
  WINE64: process.env["WINE64"] ?? "/usr/lib/wine/wine64",
  NODE_WIN: process.env["NODE_WIN"] ?? "",
  GIT_WIN: process.env["GIT_WIN"] ?? "",
};
/** The skip reason for the name of a suite; "" if its tools are here. */
export const [needsWine, needsGit] = [
  missingOf(["WINE64", "NODE_WIN"]),
  missingOf(["WINE64", "NODE_WIN", "GIT_WIN"]),
];

function missingOf(names: readonly (keyof typeof TOOLS)[]): string {
  const missing = names.filter((name) => !existsSync(TOOLS[name]));
  return missing.length > 0 ? ` (needs ${missing.join(", ")})` : "";
}

/** The folder of Wine's Windows. Made once, and kept for later runs. */
export const PREFIX = process.env["WINEPREFIX"] ?? join(PACKAGE, "node_modules/.cache/wine");
const WINE_ENV = {
  ...{ ...process.env, WINEPREFIX: PREFIX, WINEDEBUG: "-all", DISPLAY: "" },
  // Else Wine writes a start menu into HOME.
  WINEDLLOVERRIDES: "winemenubuilder.exe=d",
};

export interface Call {
  /** Relative to the repo, or a Windows path. */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly input?: string | Buffer;
}

export interface Ended {
  readonly status: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

/** A user's Windows machine: a profile, a repo, a PATH with node, git and doctl, and the sandbox API. */
export interface WindowsMachine {
  /** Windows paths. */
  readonly root: string;
  readonly repo: string;
  readonly home: string;
  readonly bin: string;
  readonly node: string;
  readonly program: string;
  readonly sandbox: Sandbox;
  readonly token: string;
  /** Runs do-bootstrap. */
  run(args: readonly string[], call?: Call): Promise<Ended>;
  /** Starts any program. */
  start(file: string, args: readonly string[], call?: Call): Promise<Ended>;
  git(...args: string[]): Promise<string>;
  /** The path on this system for a Windows path, or for one relative to the repo. */
  here(path: string): string;
  read(path: string): Promise<string>;
  write(path: string, text: string | Buffer): Promise<void>;
  exists(path: string): boolean;
  /** Puts some program for Windows into the repo. */
  copyProgram(path: string): Promise<void>;
  /** All files of the root's folders, with slashes. */
  files(...folders: string[]): Promise<string[]>;
  /** The files that hold a text, relative to the root, with slashes. */
  filesWith(text: string): Promise<string[]>;
  close(): Promise<void>;
}

/** @returns a machine for one suite, which closes it. Without GIT_WIN, it has no git. */
export async function windowsMachine(): Promise<WindowsMachine> {
  await boot();
  const folder = await mkdtemp(join(PREFIX, "drive_c", "w-"));
  const root = `C:\\${win32.basename(folder)}`;
  const [repo, home, bin] = ["acme-web", "Users\\sammy", "bin"].map((name) =>
    win32.join(root, name),
  ) as [string, string, string];
  const here = (path: string) => {
    const full = win32.resolve(repo, path);
    return join(PREFIX, "drive_c", ...full.slice(3).split("\\").filter(Boolean));
  };
  const [roaming, local, temporary] = ["Roaming", "Local", "Local\\Temp"].map((name) =>
    win32.join(home, "AppData", name),
  ) as [string, string, string];
  for (const each of [repo, home, bin, roaming, local, temporary]) {
    await mkdir(here(each), { recursive: true });
  }
  const node = win32.join(bin, "node.exe");
  await copyFile(TOOLS.NODE_WIN, here(node));
  // With the libraries that were built beside it.
  for (const name of needsGit === "" ? await readdir(dirname(TOOLS.GIT_WIN)) : []) {
    if (/\.(exe|dll)$/.test(name)) {
      await copyFile(join(dirname(TOOLS.GIT_WIN), name), here(win32.join(bin, name)));
    }
  }
  await fakeDoctl(here(bin));
  const sandbox = await startSandbox();
  const token = unguardedToken();
  sandbox.accept(token);
  const env = {
    PATH: bin,
    USERPROFILE: home,
    APPDATA: roaming,
    LOCALAPPDATA: local,
    TEMP: temporary,
    TMP: temporary,
    ...FOR_GIT,
    DIGITALOCEAN_API_URL: sandbox.url,
    DO_BOOTSTRAP_OAUTH_URL: sandbox.url,
  };
  const files = async (...folders: string[]) => {
    const found = folders.map(async (each) => {
      const top = join(folder, each);
      const entries = await readdir(top, { recursive: true, withFileTypes: true });
      return entries.flatMap((entry) =>
        entry.isFile() ? relative(folder, join(entry.parentPath, entry.name)) : [],
      );
    });
    return (await Promise.all(found)).flat().sort();
  };
  const launcher = await launch();
  const program = onDriveZ(join(PACKAGE, "dist/bin.cjs"));
  const start: WindowsMachine["start"] = (file, args, call = {}) => {
    const { cwd = ".", env: more, input = "" } = call;
    return launcher.ask({
      ...{ file, args, cwd: win32.isAbsolute(cwd) ? cwd : win32.join(repo, cwd) },
      env: { ...env, ...more },
      input: Buffer.from(input).toString("base64"),
    });
  };
  return {
    ...{ root, repo, home, bin, node, program, sandbox, token, start, here },
    run: (args, call) => start(node, [program, ...args], call),
    async git(...args) {
      const { status, stdout, stderr } = await start(win32.join(bin, "git.exe"), args);
      if (status !== 0) throw new Error(`git ${args.join(" ")}: ${status} ${stderr}`);
      return stdout.trimEnd();
    },
    read: (path) => readFile(here(path), "utf8"),
    async write(path, text) {
      await mkdir(dirname(here(path)), { recursive: true });
      await writeFile(here(path), text);
    },
    exists: (path) => existsSync(here(path)),
    copyProgram: (path) => copyFile(here("C:\\windows\\system32\\whoami.exe"), here(path)),
    files,
    async filesWith(text) {
      const names = (await files(".")).filter((name) => !/\.(exe|dll)$/.test(name));
      const texts = await Promise.all(names.map((name) => readFile(join(folder, name), "latin1")));
      return names.filter((_, at) => texts[at]?.includes(text));
    },
    async close() {
      await sandbox.close();
      await launcher.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Wine shows the whole file system as drive Z:. */
export function onDriveZ(path: string): string {
  return `Z:${path.replaceAll("/", "\\")}`;
}

async function boot(): Promise<void> {
  if (existsSync(join(PREFIX, "system.reg"))) return;
  await mkdir(PREFIX, { recursive: true });
  const wine = (...args: string[]) => execa(TOOLS.WINE64, args, { env: WINE_ENV });
  await wine("wineboot", "-i");
  // Node refuses to start on Windows 7.
  await wine("reg", "add", "HKCU\\Software\\Wine", "/v", "Version", "/d", "win10", "/f");
}

/** doctl as a .cmd file, as package managers install tools. */
async function fakeDoctl(bin: string): Promise<void> {
  const fakes = join(PACKAGE, "test/fixtures/bin");
  await copyFile(join(fakes, "doctl"), join(bin, "doctl.cjs"));
  await cp(join(fakes, "doctl-parts"), join(bin, "doctl-parts"), { recursive: true });
  await writeFile(join(bin, "doctl.cmd"), '@"%~dp0node.exe" "%~dp0doctl.cjs" %*\r\n');
  await writeFile(join(bin, "doctl.settings.json"), JSON.stringify({ writeDelayMs: 20 }));
}

/** Starts the launcher, which starts everything else. */
async function launch() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const script = onDriveZ(join(import.meta.dirname, "launcher.cjs"));
  const child = spawn(TOOLS.WINE64, [TOOLS.NODE_WIN, script, `${port}`], {
    ...{ env: WINE_ENV, stdio: "ignore" },
  });
  const gone = once(child, "exit").then(([status]) => {
    throw new Error(`The launcher ended with ${status}.`);
  });
  gone.catch(() => undefined);
  const [socket] = (await Promise.race([once(server, "connection"), gone])) as [Socket];
  server.close();
  const waiting = new Map<number, (ended: Ended) => void>();
  createInterface({ input: socket }).on("line", (line) => {
    const { id, ...ended } = JSON.parse(line);
    waiting.get(id)?.(ended);
    waiting.delete(id);
  });
  let calls = 0;
  return {
    ask(call: object): Promise<Ended> {
      const id = calls++;
      const ended = new Promise<Ended>((resolve) => waiting.set(id, resolve));
      socket.write(`${JSON.stringify({ id, ...call })}\n`);
      return Promise.race([ended, gone]);
    },
    async close(): Promise<void> {
      socket.end();
      await gone.catch(() => undefined);
    },
  };
}
