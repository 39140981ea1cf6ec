import { chmod, cp, mkdir, readdir, readFile, rm, symlink } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { describe, expect, it } from "vitest";
import { ASKS, guided, needsScript, start, words } from "../fixtures/terminal.ts";
import { fileTree } from "../fixtures/tree.ts";
import {
  type RunOptions,
  type Workbench,
  withoutProgress,
  workbench,
} from "../fixtures/workbench.ts";

const TRUSTED = ".local/state/do-bootstrap/trusted";

/** A repo whose config gets the token from a password manager, which logs each call. */
async function repo(script?: string, command = "[vault, read, token]"): Promise<Workbench> {
  const bench = await workbench();
  await manager(bench, script);
  await bench.write(".do-bootstraprc", `token: { command: ${command} }\n`);
  return bench;
}

async function manager(bench: Workbench, script = `echo ${bench.token}`): Promise<void> {
  const text = `#!/bin/sh\necho "$@" >>"$HOME/../asked"\necho 'unlock your vault' >&2\n${script}\n`;
  await bench.write("../bin/vault", text, 0o755);
}

const asked = async (bench: Workbench): Promise<string[]> =>
  (await readFile(join(bench.root, "asked"), "utf8").catch(() => "")).split("\n").filter(Boolean);

async function linked(path: string, to: string): Promise<void> {
  await rm(path, { recursive: true });
  await symlink(to, path);
}

const trust = (bench: Workbench, options: RunOptions = {}) =>
  bench.run(["init", "--trust", "--yes"], options);

describe("token.command", () => {
  it.each([
    ["check"],
    ["init", "--yes"],
    ["exec", "--", "true"],
    ["env"],
    ["scopes"],
    ["init", "--dry-run"],
  ])("%s does not run an untrusted command", async (...args) => {
    const bench = await repo();
    const { status, stdout, stderr } = await bench.run(args);
    expect(status).toBe(args[0] === "exec" ? 125 : 4);
    expect(stdout + stderr).toContain("[token.command-untrusted]");
    expect(stdout + stderr).toContain("--trust");
    expect(await asked(bench)).toEqual([]);
  });

  it("is trusted once on a machine, and then provides the token to every command", async () => {
    const bench = await repo();
    expect((await trust(bench)).status).toBe(0);
    const [file = ""] = await readdir(join(bench.home, TRUSTED));
    const kept = JSON.parse(await readFile(join(bench.home, TRUSTED, file), "utf8"));
    expect(kept).toEqual({ folder: bench.repo, command: ["vault", "read", "token"], scripts: {} });
    const show = ["exec", "--", process.execPath, "-p", "process.env.DIGITALOCEAN_TOKEN"];
    expect((await bench.run(show)).stdout).toBe(`${bench.token}\n`);
    expect((await bench.run(["env"])).stdout).toContain(bench.token);
    const { status, stdout } = await bench.run(["check"]);
    expect({ status, stdout }).toMatchObject({ status: 0 });
  });

  it("shows the command's stderr, and never its output", async () => {
    const bench = await repo();
    const { stdout, stderr } = await trust(bench, { process: true });
    expect(withoutProgress(stderr)).toContain("unlock your vault\n");
    expect(stderr).toContain("from vault (token.command)");
    for (const text of [stdout, stderr, (await bench.run(["check", "--debug"])).stderr]) {
      expect(text).not.toContain(bench.token);
    }
  });

  it("writes the token to the repo only with --save", async () => {
    const bench = await repo();
    await trust(bench);
    const texts = Object.values(await fileTree(bench.repo)).map(String);
    expect(texts.join()).not.toContain(bench.token);
    await bench.run(["init", "--yes", "--save"]);
    expect(await bench.read(".env")).toBe(`DIGITALOCEAN_TOKEN=${bench.token}\n`);
  });

  it("runs once per run", async () => {
    const bench = await repo();
    await trust(bench);
    expect(await asked(bench)).toEqual(["read token"]);
  });

  it.each(["the environment", "the env file"])(
    "does not run when %s has a token",
    async (where) => {
      const bench = await repo();
      const env = where === "the environment" ? { DIGITALOCEAN_TOKEN: bench.token } : {};
      if (where === "the env file") {
        await bench.write(".env", `DIGITALOCEAN_TOKEN=${bench.token}\n`, 0o600);
      }
      expect((await bench.run(["env"], { env })).status).toBe(0);
      expect(await asked(bench)).toEqual([]);
    },
  );

  it.each<[what: string, change: (bench: Workbench) => Promise<void>]>([
    [
      "other arguments",
      (bench) => bench.write(".do-bootstraprc", "token: { command: [vault, read, other] }\n"),
    ],
    [
      "the same config in another folder",
      async (bench) => {
        await bench.write("sub/.do-bootstraprc", "token: { command: [vault, read, token] }\n");
        await bench.write(".do-bootstraprc", "{}\n");
      },
    ],
  ])("needs trust again with %s", async (what, change) => {
    const bench = await repo();
    await trust(bench);
    await change(bench);
    const cwd = what.includes("folder") ? "sub" : ".";
    const { stdout } = await bench.run(["check"], { cwd });
    expect(stdout).toContain("[token.command-untrusted]");
  });

  it("a script in the repo needs trust again after a change", async () => {
    const bench = await repo(undefined, "[sh, scripts/token.sh]");
    await bench.write("scripts/token.sh", `echo ${bench.token}\n`);
    const env = { PATH: `${bench.bin}:/bin:/usr/bin` };
    expect((await bench.run(["init", "--trust", "--yes"], { env })).status).toBe(0);
    expect((await bench.run(["check"], { env })).stdout).not.toContain("[token.");
    await bench.write("scripts/token.sh", `echo ${bench.token} # changed\n`);
    expect((await bench.run(["check"], { env })).stdout).toContain("[token.command-untrusted]");
  });

  it("a script in an sh -c line needs trust again after a change", async () => {
    const bench = await repo(undefined, '[sh, -c, "./token.sh read"]');
    await bench.write("token.sh", `#!/bin/sh\necho ${bench.token}\n`, 0o755);
    const env = { PATH: `${bench.bin}:/bin:/usr/bin` };
    expect((await bench.run(["init", "--trust", "--yes"], { env })).status).toBe(0);
    await bench.write("token.sh", `#!/bin/sh\necho ${bench.token} # changed\n`, 0o755);
    expect((await bench.run(["check"], { env })).stdout).toContain("[token.command-untrusted]");
  });

  it.each<[what: string, link: string, to: string]>([
    ["a link", "scripts/token.sh", "../../acme/token.sh"],
    ["a linked folder", "scripts", "../acme"],
  ])("a script outside the repo through %s is neither read nor run", async (_, link, to) => {
    const bench = await repo(undefined, "[sh, scripts/token.sh]");
    await bench.write("../acme/token.sh", `echo ${bench.token}\n`);
    await bench.write("scripts/x", "");
    await rm(join(bench.repo, link), { recursive: true, force: true });
    await symlink(to, join(bench.repo, link));
    const env = { PATH: `${bench.bin}:/bin:/usr/bin` };
    const { status, stderr } = await bench.run(["init", "--trust", "--yes"], { env });
    expect(stderr).toMatch(/scripts\/token\.sh resolves outside the repo: \S*acme\/token\.sh\./);
    expect(status).toBe(4);
    expect(await readdir(join(bench.home, TRUSTED)).catch(() => [])).toEqual([]);
  });

  it.each<[what: string, script: string, says: RegExp]>([
    ["a failure", "exit 3", /exit status 3/],
    ["no output", "true", /it printed nothing/],
    ["a signal", "kill -9 $$", /it was killed by a signal/],
  ])("reports %s, with the command", async (_, script, says) => {
    const bench = await repo(script);
    const { status, stderr } = await trust(bench);
    expect(status).toBe(4);
    expect(stderr).toMatch(says);
    expect(stderr).toContain("(vault read token)");
    expect(stderr).toContain("[token.command-failed]");
  });

  it("reports a value that is not a token by its source, and does not print it", async () => {
    const bench = await repo("echo hunter2-secret");
    const { status, stderr } = await trust(bench);
    expect(status).toBe(4);
    expect(stderr).toContain("from vault (token.command) is not a DigitalOcean token");
    expect(stderr).not.toContain("hunter2");
  });

  it("a program name is never looked up inside the repo", async () => {
    const bench = await repo(undefined, "[thief]");
    await bench.write("bin/thief", "#!/bin/sh\ntouch stolen\n", 0o755);
    const env = { PATH: `${join(bench.repo, "bin")}${delimiter}${bench.bin}` };
    const { status, stderr } = await bench.run(["init", "--trust", "--yes"], { env });
    expect(status).toBe(4);
    expect(stderr).toContain("thief is not on PATH");
    expect(await readdir(bench.repo)).not.toContain("stolen");
  });

  it("an environment does not use the top-level command", async () => {
    const bench = await repo();
    await trust(bench);
    await bench.write(
      ".do-bootstraprc",
      "token: { command: [vault, read, token] }\nenvironments: { prod: { token: { envFile: .env.prod } } }\n",
    );
    const { status, stdout } = await bench.run(["check", "--env", "prod"]);
    expect(status).toBe(4);
    expect(stdout).toContain("[token.missing]");
  });

  it("an environment's own command overrides the token of the shared env file", async () => {
    const bench = await repo();
    await bench.write(".env", `DIGITALOCEAN_TOKEN=${"dop_v1_".padEnd(71, "0")}\n`, 0o600);
    await bench.write(
      ".do-bootstraprc",
      "environments: { prod: { token: { command: [vault, read, prod] } } }\n",
    );
    const show = ["--", process.execPath, "-p", "process.env.DIGITALOCEAN_TOKEN"];
    const { stdout } = await bench.run(["exec", "--env", "prod", "--trust", ...show]);
    expect(stdout).toBe(`${bench.token}\n`);
    expect(await asked(bench)).toEqual(["read prod"]);
  });

  it("exec --explain does not run the command again", async () => {
    const bench = await repo();
    const script = "echo 'GET https://api.digitalocean.com/v2/account: 403 no' >&2; exit 1";
    const env = { PATH: `${bench.bin}:/bin:/usr/bin` };
    const args = ["exec", "--trust", "--explain", "--", "sh", "-c", script];
    expect((await bench.run(args, { env })).stderr).toContain("This repo's token has the scope");
    expect(await asked(bench)).toEqual(["read token"]);
  });

  it("the repo can't bring its own trust", async () => {
    const bench = await repo();
    const state = join(bench.repo, "state");
    await mkdir(state);
    const env = { XDG_STATE_HOME: state };
    const made = await bench.run(["init", "--trust", "--yes"], { env });
    expect(made.status).toBe(1);
    expect(made.stderr).toContain("No folder available to store trusted commands.");
    expect(await readdir(state)).toEqual([]);
  });

  // What another user can do if the user's state folder is in a place that others can write to.
  it.each<[what: string, change: (state: string, inRepo: string) => Promise<unknown>]>([
    ["is a link into the repo", (state, inRepo) => linked(state, inRepo)],
    [
      "contains a link as our folder",
      (state, inRepo) => linked(`${state}/do-bootstrap`, `${inRepo}/do-bootstrap`),
    ],
    [
      "contains a link as our trust folder",
      (state, inRepo) => linked(`${state}/do-bootstrap/trusted`, `${inRepo}/do-bootstrap/trusted`),
    ],
    ["contains our folder, writable by all", (state) => chmod(`${state}/do-bootstrap`, 0o777)],
    [
      "contains our trust folder, writable by a group",
      (state) => chmod(`${state}/do-bootstrap/trusted`, 0o770),
    ],
  ])("ignores the trust in a state folder that %s", async (_, change) => {
    const bench = await repo();
    const state = join(bench.root, "shared");
    const env = { XDG_STATE_HOME: state };
    expect((await bench.run(["init", "--trust", "--yes"], { env })).status).toBe(0);
    expect((await bench.run(["check"], { env })).status).toBe(0);
    await cp(state, join(bench.repo, "state"), { recursive: true });
    await change(state, join(bench.repo, "state"));
    const before = await fileTree(bench.root);
    const { status, stdout } = await bench.run(["check"], { env });
    expect(stdout).toContain("[token.command-untrusted]");
    expect(status).toBe(4);
    const { stderr } = await bench.run(["init", "--trust", "--yes"], { env });
    expect(stderr).toContain("No folder available to store trusted commands.");
    expect(await fileTree(bench.root)).toEqual(before);
  });

  it("--trust on check and exec is only for that run", async () => {
    const bench = await repo();
    const env = { PATH: `${bench.bin}:/bin:/usr/bin` };
    expect((await bench.run(["exec", "--trust", "--", "true"], { env })).status).toBe(0);
    const { stdout } = await bench.run(["check", "--trust"]);
    expect(stdout).toContain("from vault (token.command)");
    expect((await bench.run(["check"])).stdout).toContain("[token.command-untrusted]");
  });
});

describe.skipIf(needsScript !== "")(`on a terminal${needsScript}`, () => {
  const startInit = (context: Parameters<typeof guided>[0]) =>
    guided(context, [], {}, async (bench) => {
      await manager(bench);
      await bench.write(".do-bootstraprc", "token: { command: [vault, read, token] }\n");
      return undefined;
    });

  it("asks once, and remembers a yes", async (context) => {
    const { bench, terminal } = await startInit(context);
    const question = await terminal.until(/Allow it on this machine\?/);
    expect(question).toContain("vault read token");
    terminal.type("y");
    await terminal.waitFor(/Make th(is|ese)/);
    terminal.type("y");
    expect(await terminal.exit, terminal.screen()).toBe(0);
    expect(await readdir(join(bench.home, TRUSTED))).toHaveLength(1);
  });

  it("exec asks each time about a command that it can't pin, and shows all of it", async (context) => {
    const bench = await repo();
    await bench.write(
      ".do-bootstraprc",
      '{"token":{"command":["sh","-c","cd . && vault \\u001b"]}}',
    );
    const env = { PATH: `${bench.bin}:/bin:/usr/bin` };
    for (const [key, status] of [
      ["y", 0],
      ["y", 0],
      ["n", 125],
    ] as const) {
      const terminal = start(context, bench, ["exec", "--", "true"], { env });
      const question = words(await terminal.until(/Allow it this time\?/));
      expect(question).toContain("sh -c 'cd . && vault \\x1b'");
      expect(question).toContain("asked each time, because sh -c runs more than one plain");
      terminal.type(key);
      expect(await terminal.exit, terminal.screen()).toBe(status);
    }
    expect(await asked(bench)).toHaveLength(2);
    expect(await readdir(bench.home)).not.toContain(".local");
  });

  it("the question shows invisible characters and the limits of words", async (context) => {
    const { terminal } = await guided(context, [], {}, async (bench) => {
      await manager(bench);
      const words = JSON.stringify(["vault", "read token\u202e\u200b", "a\n##[group]"]);
      await bench.write(".do-bootstraprc", `{"token": {"command": ${words}}}`);
      return undefined;
    });
    const question = await terminal.until(/Allow it on this machine\?/);
    for (const word of [
      String.raw`vault 'read token\x202e\x200b'`,
      String.raw`'a\x0a#\x23[group]'`,
    ]) {
      expect(question).toContain(word);
    }
    terminal.type("\x03");
    expect(await terminal.exit).toBe(130);
  });

  it("answering no runs nothing, and then asks for a token", async (context) => {
    const { bench, terminal } = await startInit(context);
    await terminal.until(/Allow it on this machine\?/);
    terminal.type("n");
    await terminal.waitFor(ASKS);
    terminal.type("\x03");
    expect(await terminal.exit).toBe(130);
    expect(await asked(bench)).toEqual([]);
  });
});

describe("--min-ttl", () => {
  it.each<[ttl: string, args: string[], status: number]>([
    ["7d", [], 6],
    ["5d", [], 0],
    ["never", [], 2],
    ["1d", ["minTtl: 30d"], 0],
  ])("%s with %j in the config: %i", async (ttl, config, status) => {
    const bench = await workbench();
    bench.sandbox.accept(bench.token, { expiresInSeconds: 6 * 86_400 });
    await bench.write(".do-bootstraprc", `token: { ${config.join()} }\n`);
    await bench.run(["--token-stdin"], { input: bench.token });
    await bench.run(["--token-stdin", "--min-ttl", "1s"], { input: bench.token });
    expect((await bench.run(["check", "--min-ttl", ttl])).status).toBe(status);
  });
});
