import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { generate } from "../../src/core/generated.ts";
import { onPath } from "../fixtures/on-path.ts";
import { START_LINE } from "../fixtures/program.ts";
import { treeHash, type Workbench, workbench } from "../fixtures/workbench.ts";

const DIRENV = onPath("direnv");
const needsDirenv = DIRENV === undefined ? " (needs direnv)" : "";
const BASH = onPath("bash") ?? "";

describe("init --envrc", () => {
  it("writes a file for direnv, not ignored by git; a second run changes nothing", async () => {
    const bench = await prepared();
    const { status, stderr } = await init(bench, "--envrc");
    expect(status, stderr).toBe(0);
    expect(stderr).toMatch(/^\+ \.envrc +for direnv; contains no secret$/m);
    expect(stderr).toMatch(/^ {2}Commit: .*\.envrc/m);
    expect((await bench.read(".envrc")).split("\n").slice(4)).toEqual([
      "watch_file .env",
      'eval "$(do-bootstrap env)"',
      "",
    ]);
    expect(await bench.read(".envrc")).not.toContain(bench.token.slice(7, 23));
    expect(await bench.git("status", "--porcelain")).toContain("?? .envrc");
    const before = await treeHash(bench.repo);
    for (const args of [[], ["--envrc"]]) expect((await init(bench, ...args)).status).toBe(0);
    expect(await treeHash(bench.repo)).toBe(before);
  });

  it("writes no file without --envrc", async () => {
    const bench = await prepared();
    await init(bench);
    await expect(bench.read(".envrc")).rejects.toThrow("ENOENT");
  });

  it("works with --write-config in the same run", async () => {
    const bench = await prepared();
    expect((await init(bench, "--envrc", "--write-config")).status).toBe(0);
    expect((await bench.run(["check"])).status).toBe(0);
  });

  it.each([
    ["an environment", "prod", ".env.prod", "watch_file .env.prod\n", "env --env prod)"],
    [
      "a file name with shell syntax",
      undefined,
      "a $(touch pwned) 'b'.env",
      "watch_file 'a $(",
      "env)",
    ],
  ])("%s: the shell gets its token", async (_, environment, envFile, watched, loaded) => {
    const bench = await prepared();
    const token = { envFile };
    bench.mayHold(envFile);
    const config = environment === undefined ? { token } : { environments: { prod: { token } } };
    await bench.write(".do-bootstraprc.json", JSON.stringify(config));
    const of = environment === undefined ? [] : ["--env", environment];
    expect((await init(bench, "--envrc", ...of)).status).toBe(0);
    const text = await bench.read(".envrc");
    expect(text).toContain(watched);
    expect(text).toContain(loaded);
    // The function of direnv that it uses.
    const script = 'watch_file() { printf "%s\\n" "$@"; }; . ./.envrc; echo "$DIGITALOCEAN_TOKEN"';
    const { stdout } = await inShell(bench, BASH, ["-c", script]);
    expect(stdout).toBe(`${envFile}\n${bench.token}`);
    await expect(bench.read("pwned")).rejects.toThrow("ENOENT");
  });

  it("keeps the file of another environment, except with --envrc", async () => {
    const bench = await prepared();
    const environments = { dev: {}, prod: { token: { envFile: ".env.prod" } } };
    await bench.write(".do-bootstraprc.json", JSON.stringify({ environments }));
    await init(bench, "--envrc", "--env", "dev");
    const before = await bench.read(".envrc");
    await init(bench, "--env", "prod");
    expect(await bench.read(".envrc")).toBe(before);
    await init(bench, "--env", "prod", "--envrc");
    expect(await bench.read(".envrc")).toContain("env --env prod)");
  });

  it("follows the template and the config, unless it was edited", async () => {
    const bench = await prepared();
    await bench.write(".envrc", generate('# template: 0\neval "$(do-bootstrap env)"\n', {}));
    bench.mayHold("secrets.env");
    await bench.write(".do-bootstraprc.json", '{ "token": { "envFile": "secrets.env" } }');
    expect((await init(bench)).stderr).toMatch(/^~ \.envrc +regenerated$/m);
    expect(await bench.read(".envrc")).toContain("watch_file secrets.env\n");
    const edited = `${await bench.read(".envrc")}export MINE=1\n`;
    await bench.write(".envrc", edited);
    expect((await init(bench, "--envrc")).stderr).not.toContain("envrc");
    expect(await bench.read(".envrc")).toBe(edited);
  });

  it.each([
    [
      "the user's own file",
      (bench: Workbench) => bench.write(".envrc", "use nix\n"),
      0,
      "file.not-ours",
    ],
    ["a folder", (bench: Workbench) => mkdir(join(bench.repo, ".envrc")), 3, "file.unusable"],
  ])("does not change %s", async (_, make, expected, id) => {
    const bench = await prepared();
    await make(bench);
    expect((await init(bench)).stderr).not.toContain("envrc");
    const { status, stderr } = await init(bench, "--envrc");
    expect(status).toBe(expected);
    expect(stderr).toContain(`[${id}]`);
    if (id === "file.not-ours") {
      expect(stderr).toContain('→ Add this line: eval "$(do-bootstrap env)"');
      expect(await bench.read(".envrc")).toBe("use nix\n");
    }
  });

  it("accepts a file that already loads the variables", async () => {
    const bench = await prepared();
    await bench.write(".envrc", 'use nix\neval "$(do-bootstrap env)"\n');
    expect((await init(bench, "--envrc")).stderr).not.toContain("envrc");
  });

  it("uninstall removes it, unless it was edited", async () => {
    const bench = await prepared();
    await init(bench, "--envrc");
    const text = await bench.read(".envrc");
    expect((await bench.run(["uninstall", "--yes"])).status).toBe(0);
    await expect(bench.read(".envrc")).rejects.toThrow("ENOENT");
    await bench.write(".envrc", `${text}# mine\n`);
    await bench.run(["uninstall", "--yes"]);
    expect(await bench.read(".envrc")).toBe(`${text}# mine\n`);
  });

  it.skipIf(needsDirenv)(`direnv loads it${needsDirenv}`, async () => {
    const bench = await prepared();
    await init(bench, "--envrc");
    await inShell(bench, DIRENV ?? "", ["allow"]);
    const { stdout } = await inShell(bench, DIRENV ?? "", [
      "exec",
      ".",
      "printenv",
      "DIGITALOCEAN_TOKEN",
    ]);
    expect(stdout).toBe(bench.token);
  });
});

/** do-bootstrap is on PATH. */
async function prepared(): Promise<Workbench> {
  const bench = await workbench();
  const script = `#!/bin/sh\nexec ${START_LINE} "$@"\n`;
  await bench.write("../bin/do-bootstrap", script, 0o755);
  return bench;
}

function init(bench: Workbench, ...args: string[]) {
  return bench.run(["--token-stdin", ...args], { input: bench.token });
}

function inShell({ repo, env, bin }: Workbench, file: string, args: readonly string[]) {
  const path = needsDirenv === "" ? `${bin}:/usr/bin:/bin` : bin;
  return execa(file, args, { cwd: repo, env: { ...env, PATH: path }, extendEnv: false });
}
