import { mkdir, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { unguardedToken } from "../fixtures/workbench.ts";
import { type Ended, needsGit, PREFIX, type WindowsMachine, windowsMachine } from "./windows.ts";

/** One after the other, as a person works: each check needs the state that the ones before it left. */
describe.skipIf(needsGit !== "")(`a repo on Windows${needsGit}`, () => {
  let machine: WindowsMachine;
  let token: string;
  beforeAll(async () => {
    machine = await windowsMachine();
    token = machine.token;
    await machine.git("init", "--quiet", "--initial-branch=main");
  });
  afterAll(() => machine.close());

  const FROM_SHELL = () => ({ env: { DIGITALOCEAN_TOKEN: token } });
  const STORED = [
    "Users/sammy/AppData/Roaming/doctl/config.yaml",
    "acme-web/.env",
    "acme-web/do-bootstrap.secret.auto.tfvars.json",
  ];
  const json = ({ stdout }: Ended) => JSON.parse(stdout);
  const exec = (words: readonly string[], call = {}) => machine.run(["exec", "--", ...words], call);
  const print = (expression: string) => ["node", "-p", expression];
  const OK = { status: 0, stderr: "" };

  it("init --dry-run writes nothing", async () => {
    const { status, stdout } = await machine.run(["--dry-run"], FROM_SHELL());
    expect(status).toBe(0);
    expect(stdout).toContain("+ versions.tf");
    expect(machine.exists("versions.tf")).toBe(false);
    expect(await machine.filesWith(token)).toEqual([]);
  });

  it("init prepares the repo and doctl", async () => {
    const { status, stderr } = await machine.run(["--yes"], FROM_SHELL());
    expect(stderr).toContain("Works now: doctl (as sammy@example.com)");
    expect(status).toBe(0);
    expect(await machine.filesWith(token)).toEqual(STORED.slice(0, 1));
  });

  it("a second init changes nothing", async () => {
    const { status, stderr } = await machine.run(["--yes"], FROM_SHELL());
    expect(status).toBe(0);
    expect(stderr).toMatch(/nothing to change/i);
  });

  it("--save stores the token, and only where it belongs", async () => {
    const { status } = await machine.run(["--save", "--yes"], FROM_SHELL());
    expect(status).toBe(0);
    expect(await machine.filesWith(token)).toEqual(STORED);
  });

  it("git ignores the files with the token", async () => {
    await machine.git("add", ".");
    await machine.git("commit", "--quiet", "-m", "Prepare for DigitalOcean");
    const tracked = await machine.git("ls-files");
    expect(tracked.split("\n")).toContain("versions.tf");
    expect(tracked).not.toMatch(/^\.env$|secret/m);
  });

  it("leaves no temporary file and no lock", async () => {
    expect(await machine.files("acme-web", "Users")).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/\.lock|do-bootstrap-[0-9a-f]{8}|\.local$/)]),
    );
  });

  it("check finds the token in each place, with a home folder as ~", async () => {
    const { status, stdout } = await machine.run(["check"]);
    expect(status).toBe(0);
    expect(stdout).toContain("~\\AppData\\Roaming\\doctl\\config.yaml (default)");
    expect(stdout).toMatch(/^ {2}\.env +git no {3}Docker no {3}npm no$/m);
  });

  it("check claims no permission bits", async () => {
    const result = await machine.run(["check", "--json"]);
    const modes = json(result).places.map(({ mode }: { mode: unknown }) => mode);
    expect(modes).toEqual([null, null, null]);
  });

  it("neither does the plan of a change", async () => {
    await rm(machine.here(".env.example"));
    const { pending } = json(await machine.run(["check", "--json"]));
    expect(pending).toEqual([expect.objectContaining({ kind: "create", mode: null })]);
    await machine.git("checkout", "--", ".env.example");
  });

  it("a drive letter in lower case is the same repo", async () => {
    const cwd = machine.repo.toLowerCase();
    const { stderr, status } = await machine.run(["--yes"], { cwd });
    expect(stderr).toMatch(/nothing to change/i);
    expect(status).toBe(0);
  });

  it("a config above the repo is not read from a path in another case", async () => {
    await machine.write("../do-bootstrap.config.json", '{ "project": "hostile" }');
    const result = await machine.run(["check", "--json"], { cwd: machine.repo.toLowerCase() });
    expect(json(result)).toMatchObject({ project: "acme-web", configFile: null });
    await rm(machine.here("../do-bootstrap.config.json"));
  });

  it("a drive for the repo's folder is the same repo", async () => {
    const drive = join(PREFIX, "dosdevices/r:");
    await rm(drive, { force: true });
    await symlink(machine.here(".."), drive);
    const { stderr, status } = await machine.run(["--yes"], { cwd: "r:\\acme-web" });
    // As long as it is there, Wine prefers it in the path of each folder in it.
    await rm(drive);
    expect(stderr).toMatch(/nothing to change/i);
    expect(status).toBe(0);
  });

  it("a repo may be the root of a drive", async () => {
    const drive = join(PREFIX, "dosdevices/s:");
    await mkdir(machine.here("../top"));
    await rm(drive, { force: true });
    await symlink(machine.here("../top"), drive);
    const at = { cwd: "s:\\" };
    await machine.start(`${machine.bin}\\git.exe`, ["init", "--quiet"], at);
    const first = await machine.run(["--yes"], { ...at, ...FROM_SHELL() });
    const again = await machine.run(["--yes"], { ...at, ...FROM_SHELL() });
    // The programs of a drive are not all beside its root.
    await machine.write("../top/tools/guarded.cmd", `@echo [%${NO_CURRENT}%]\r\n`);
    const env = { ...FROM_SHELL().env, PATH: `s:\\tools;${machine.bin}` };
    const { stdout } = await exec([".\\tools\\guarded.cmd"], { ...at, env });
    await rm(drive);
    expect([first.status, again.status]).toEqual([0, 0]);
    expect(again.stderr).toMatch(/nothing to change/i);
    expect(stdout.trim()).toBe("[1]");
  });

  it("the user's folders in lower case are the same", async () => {
    const [roaming, local] = ["Roaming", "Local"].map(
      (each) => `${machine.home}\\AppData\\${each}`,
    );
    const folders = { USERPROFILE: machine.home, APPDATA: roaming, LOCALAPPDATA: local };
    const lower = Object.entries(folders).map(([name, path]) => [name, path?.toLowerCase()]);
    const env = { ...FROM_SHELL().env, ...Object.fromEntries(lower) };
    const { stderr } = await machine.run(["--yes"], { env });
    expect(stderr).toMatch(/nothing to change/i);
    expect((await machine.run(["check"], { env })).stdout).toContain("~\\appdata\\roaming\\doctl");
  });

  it.each([undefined, "Users"])("the APPDATA %s is missing", async (folder) => {
    const env = { ...FROM_SHELL().env, APPDATA: folder };
    const { status, stdout } = await machine.run(["--dry-run"], { env });
    expect(status).toBe(0);
    expect(stdout).toContain("APPDATA is missing or not an absolute path");
  });

  it("exec gives an .exe the token", async () => {
    const result = await exec(print("process.env.DIGITALOCEAN_TOKEN"));
    expect(result).toEqual({ ...OK, stdout: `${token}\n` });
  });

  it("exec starts it from the record of the run before, in any spelling of the folder", async () => {
    const records = async () =>
      (await machine.files("Users")).filter((name) => /exec.*acme/.test(name));
    const before = await records();
    const cwd = machine.repo.toLowerCase();
    const result = await exec(print("process.env.DO_BOOTSTRAP_EXEC"), { cwd });
    expect(result).toEqual({ ...OK, stdout: `:${machine.repo}\n` });
    expect(before).toHaveLength(1);
    expect(await records()).toEqual(before);
  });

  it("exec gives a .cmd file its words unchanged", async () => {
    await machine.write("../bin/words.cmd", WORDS);
    const words = ["a b", "x&echo y", 'say "hi"&echo y', "end\\", "^", "!a!", "(b)", "<c>|", ""];
    const result = await exec(["words", ...words]);
    expect(result).toMatchObject(OK);
    expect(JSON.parse(result.stdout)).toEqual(words);
  });

  it("exec sets a variable once, however its name is written", async () => {
    const code = `variable "api_token" {}\nprovider "digitalocean" {\n  token = var.api_token\n}\n`;
    await machine.write("../own/main.tf", code);
    const env = { ...FROM_SHELL().env, TF_VAR_API_TOKEN: "old" };
    const all = "Object.entries(process.env).filter(([name]) => /^TF_VAR/i.test(name)).join()";
    const { stdout } = await exec(print(all), { cwd: "..\\own", env });
    expect(stdout).toBe(`TF_VAR_api_token,${token}\n`);
  });

  it("exec passes the status on", async () => {
    await machine.write("../bin/fail.cmd", "@exit /b 7\r\n");
    expect((await exec(["node", "-e", "process.exit(5)"])).status).toBe(5);
    expect((await exec(["fail"])).status).toBe(7);
  });

  it("exec starts no program of the current folder", async () => {
    await machine.write("terraform.cmd", "@echo hostile %DIGITALOCEAN_TOKEN%\r\n");
    await machine.copyProgram("tofu.exe");
    for (const name of ["terraform", "tofu", "terraform.cmd", "tofu.exe"]) {
      const said = `do-bootstrap: ${name}: command not found\n`;
      expect(await exec([name])).toEqual({ status: 127, stdout: "", stderr: said });
    }
  });

  it("exec starts no program of the repo that PATH has, absolute or not", async () => {
    const before = `.;${machine.repo};`;
    const env = { PATH: `${before}${machine.bin}` };
    const found = `${machine.repo}\\terraform.cmd`;
    const said = `found only in the repo (${found}). To run that, write its path`;
    expect(await exec(["terraform"], { env })).toEqual({
      ...{ status: 127, stdout: "", stderr: `do-bootstrap: terraform: ${said}\n` },
    });
  });

  it("exec starts it by its path", async () => {
    const { stdout } = await exec([".\\terraform.cmd"]);
    expect(stdout.trim()).toBe(`hostile ${token}`);
    await rm(machine.here("terraform.cmd"));
  });

  it("a .cmd file on PATH is told to start no program of the current folder", async () => {
    // Wine's cmd.exe does not know this variable, so what it does cannot be shown here.
    await machine.write("../bin/caller.cmd", `@echo [%${NO_CURRENT}%]\r\n`);
    await machine.write("own.cmd", `@echo [%${NO_CURRENT}%]\r\n`);
    expect((await exec(["caller"])).stdout.trim()).toBe("[1]");
    expect((await exec([".\\own.cmd"])).stdout.trim()).toBe("[]");
    await rm(machine.here("own.cmd"));
  });

  it("exec finds a program in a folder of PATH in quotes", async () => {
    await machine.write("../Program Files/tool.cmd", "@echo found\r\n");
    const env = { PATH: `"${machine.root}\\Program Files";${machine.bin}` };
    expect((await exec(["tool"], { env })).stdout.trim()).toBe("found");
  });

  it("exec says what Windows does not start", async () => {
    await machine.write("plan.sh", "#!/bin/sh\n");
    const { status, stderr } = await exec([".\\plan.sh"]);
    expect(status).toBe(126);
    expect(stderr).toContain("Windows starts only .exe, .com, .cmd and .bat files");
    await rm(machine.here("plan.sh"));
  });

  it.each(["SIGINT", "SIGBREAK", "SIGHUP"])("%s leaves the command to clean up", async (signal) => {
    // The console would send it to both. Here, only do-bootstrap gets it, when the command runs.
    await machine.write("../sent.cjs", sentTo(signal));
    await machine.write("../slow.cjs", SLOW);
    const env = { NODE_OPTIONS: `--require ${machine.root.replaceAll("\\", "/")}/sent.cjs` };
    const { status, stdout } = await exec(["node", "..\\slow.cjs"], { env });
    expect({ status, stdout }).toEqual({ status: 3, stdout: "cleaned up\n" });
  });

  it("env prints for PowerShell", async () => {
    const { status, stdout } = await machine.run(["env", "--format", "powershell"]);
    expect(status).toBe(0);
    expect(stdout).toContain(`\${Env:DIGITALOCEAN_TOKEN} = "${token}"`);
  });

  it("env prints JSON", async () => {
    const result = await machine.run(["env", "--format", "json"]);
    expect(json(result)).toMatchObject({ DIGITALOCEAN_TOKEN: token });
  });

  it("the committed .envrc has slashes", async () => {
    const config = '{ "token": { "envFile": "config/.env" } }';
    await machine.write("do-bootstrap.config.json", config);
    const { status } = await machine.run(["--envrc", "--save", "--yes"], FROM_SHELL());
    expect(status).toBe(0);
    expect(await machine.read(".envrc")).toContain("config/.env");
    expect(await machine.read(".envrc")).not.toContain("\\");
    for (const name of [".envrc", "config/.env", "do-bootstrap.config.json"]) {
      await rm(machine.here(name));
    }
  });

  it.each(["nul", "aux/.env", ".env:stream", ".env.", "x/com1.txt", "LPT9 .env", "SECRET~1.ENV"])(
    "%s is no env file",
    async (path) => {
      const config = JSON.stringify({ token: { envFile: path } });
      await machine.write("do-bootstrap.config.json", config);
      const { status, stderr } = await machine.run(["--save", "--yes"], FROM_SHELL());
      expect(status).toBe(2);
      expect(stderr).toContain("use names that mean the same on Windows");
      await rm(machine.here("do-bootstrap.config.json"));
    },
  );

  it("hook install is done once", async () => {
    const first = await machine.run(["hook", "install"]);
    const again = await machine.run(["hook", "install"]);
    expect([first.status, again.status]).toEqual([0, 0]);
    expect(machine.exists(".git/hooks/pre-commit")).toBe(true);
    expect(again.stdout + again.stderr).toContain("Nothing to do");
  });

  it("hook adds its guard to a hook, which is executable without permission bits", async () => {
    await machine.write(".git/hooks/post-commit", "#!/bin/sh\necho mine\n");
    await machine.run(["hook", "remove"]);
    expect(machine.exists(".git/hooks/pre-commit")).toBe(false);
    await machine.write(".git/hooks/pre-commit", "#!/bin/sh\necho mine\n");
    expect((await machine.run(["hook", "install"])).status).toBe(0);
    expect(await machine.read(".git/hooks/pre-commit")).toMatch(/do-bootstrap[\s\S]*echo mine/);
    expect((await machine.run(["hook", "remove"])).status).toBe(0);
    expect(await machine.read(".git/hooks/pre-commit")).toBe("#!/bin/sh\necho mine\n");
  });

  it("8 runs at once store 8 contexts in one config of doctl", async () => {
    const names = Array.from({ length: 8 }, (_, at) => `crowd-${at}`);
    const tokens = names.map(() => unguardedToken());
    const runs = names.map(async (name, at) => {
      const own = tokens[at] ?? "";
      machine.sandbox.accept(own);
      const config = JSON.stringify({ doctl: { context: name }, terraform: false });
      await machine.write(`../${name}/do-bootstrap.config.json`, config);
      const cwd = `${machine.root}\\${name}`;
      return machine.run(["--yes"], { cwd, env: { DIGITALOCEAN_TOKEN: own } });
    });
    const results = await Promise.all(runs);
    expect(results.filter(({ status }) => status !== 0)).toEqual([]);
    const stored = await machine.read(`${machine.home}\\AppData\\Roaming\\doctl\\config.yaml`);
    expect(parse(stored)).toMatchObject({
      "access-token": token,
      "auth-contexts": Object.fromEntries(names.map((name, at) => [name, tokens[at]])),
    });
  });

  it("no token goes into a file that git has under a name in another case", async () => {
    await machine.write("do-bootstrap.config.json", '{ "token": { "envFile": "secrets.env" } }');
    await machine.write("SECRETS.env", "A=1\n");
    await machine.git("add", "--force", "SECRETS.env");
    await rm(machine.here("SECRETS.env"));
    const { status, stderr } = await machine.run(["--save", "--yes"], FROM_SHELL());
    expect(status).toBe(3);
    expect(stderr).toContain("secrets.env");
    expect(machine.exists("secrets.env")).toBe(false);
    await machine.git("rm", "--cached", "--quiet", "SECRETS.env");
    await rm(machine.here("do-bootstrap.config.json"));
  });

  it("rotate replaces the token everywhere, while another program has the files open", async () => {
    const reader = machine.start(machine.node, ["-e", READER, ...STORED]);
    const old = token;
    token = unguardedToken();
    machine.sandbox.accept(token);
    // As Windows PowerShell writes it.
    const input = wide(`\uFEFF${token}\r\n`);
    const { status, stderr } = await machine.run(["rotate", "--token-stdin", "--yes"], { input });
    await machine.write("../stop", "");
    expect(await reader).toEqual({ ...OK, stdout: "" });
    expect(stderr).not.toContain("✗");
    expect(status).toBe(0);
    expect(await machine.filesWith(token)).toEqual(STORED);
    expect(await machine.filesWith(old)).toEqual([]);
  });

  it.each<[how: string, says: string, edit: (text: string) => Buffer]>([
    ["with >", "a text in UTF-16", (text) => wide(`\uFEFF${text}`)],
    ["without a mark", "a text in UTF-16", wide],
    ["with >>", "partly in UTF-16", (text) => Buffer.concat([Buffer.from(text), wide("B=2\r\n")])],
  ])("an env file in UTF-16, written %s, is named, and stays", async (_, says, edit) => {
    const before = await machine.read(".env");
    await machine.write(".env", edit(before));
    const { status, stderr } = await machine.run(["--save", "--yes"], FROM_SHELL());
    expect(status).toBe(3);
    expect(stderr).toContain(`.env is ${says}`);
    await machine.write(".env", before);
  });

  it("logout takes the token away", async () => {
    await machine.run(["--envrc", "--yes"], FROM_SHELL());
    const { status } = await machine.run(["logout", "--yes"]);
    expect(status).toBe(0);
    expect(await machine.filesWith(token)).toEqual([]);
  });

  it("uninstall removes what init made, also with the line ends of a checkout", async () => {
    // It may hold other values, so it stays, and so would the lines that make git ignore it.
    await rm(machine.here(".env"));
    await machine.run(["hook", "install"]);
    const hooks = ["commit-msg", "pre-push"].map((name) => `.git/hooks/${name}`);
    const code = ["versions.tf", "provider.tf", "variables.tf"];
    const made = [...code, ".env.example", ".envrc", ".gitignore", ...hooks];
    for (const name of made) {
      const text = await machine.read(name);
      await machine.write(name, text.replaceAll(/\r?\n/g, "\r\n"));
    }
    const { status, stderr } = await machine.run(["uninstall", "--yes"]);
    expect(status, stderr).toBe(0);
    expect(made.filter((name) => machine.exists(name))).toEqual([]);
  });

  it("leaves nothing behind", async () => {
    const left = await machine.files("acme-web");
    expect(left.filter((name) => !name.startsWith("acme-web/.git/"))).toEqual([
      "acme-web/tofu.exe",
    ]);
  });
});

const NO_CURRENT = "NoDefaultCurrentDirectoryInExePath";

/** As npm's .cmd files do, in its last line. */
const WORDS = `@echo off\r\nnode -e "console.log(JSON.stringify(process.argv.slice(1)))" -- %*\r\n`;

/** As Windows PowerShell writes a text. */
function wide(text: string): Buffer {
  return Buffer.from(text, "utf16le");
}

/** Sends a signal to do-bootstrap, as soon as its command has said that it runs. */
function sentTo(signal: string): string {
  return `
    const { existsSync, rmSync } = require("node:fs");
    if (/bin\\.cjs$/.test(process.argv[1])) {
      const timer = setInterval(() => {
        if (!existsSync("../runs")) return;
        clearInterval(timer);
        rmSync("../runs");
        process.emit("${signal}", "${signal}");
      }, 20);
      timer.unref();
    }`;
}

/** Says that it runs, and takes half a second to clean up. */
const SLOW = `
  require("node:fs").writeFileSync("../runs", "");
  setTimeout(() => { console.log("cleaned up"); process.exit(3); }, 500);`;

/** Has these files open most of the time. */
const READER = `
  const fs = require("node:fs");
  const pause = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  while (!fs.existsSync("../stop")) {
    const open = process.argv.slice(1).flatMap((path) => {
      try { return fs.openSync("../" + path); } catch { return []; }
    });
    pause(40);
    for (const each of open) fs.closeSync(each);
    pause(10);
  }`;
