import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { START } from "../fixtures/program.ts";
import { type Workbench, workbench } from "../fixtures/workbench.ts";

/** Runs the program at the end of a shell line, as "$@". */
async function inShell(bench: Workbench, line: string, args: readonly string[], input = "") {
  const words = [...START, ...args];
  const { exitCode, stdout, stderr } = await execa("/bin/sh", ["-c", line, "sh", ...words], {
    cwd: bench.repo,
    env: { ...bench.env, PATH: `${bench.bin}:/usr/bin:/bin` },
    extendEnv: false,
    reject: false,
    input,
  });
  bench.guard.said(args, { stdout, stderr });
  return { status: exitCode, stdout, stderr };
}

const needsFull = existsSync("/dev/full") ? "" : " (needs /dev/full)";
describe.skipIf(needsFull !== "")(`standard output is full${needsFull}`, () => {
  it.each<[args: string[]]>([
    [["check"]],
    [["check", "--json"]],
    [["init", "--dry-run"]],
    [["--help"]],
    [["--version"]],
    [["scopes"]],
    [["env"]],
    [["env", "--all", "--yes"]],
  ])("%j: prints one line and exits with 1", async (args) => {
    const bench = await workbench();
    await bench.write(".env", `DIGITALOCEAN_TOKEN=${bench.token}\n`, 0o600);
    const { status, stderr } = await inShell(bench, '"$@" >/dev/full', args);
    expect(stderr.replace(/^Asking .*\n/gm, "")).toMatch(/^do-bootstrap: .*ENOSPC.*$/);
    expect(status).toBe(1);
  });

  it("standard error is full too: exits with 1", async () => {
    const bench = await workbench();
    const { status } = await inShell(bench, '"$@" >/dev/full 2>&1', ["check"]);
    expect(status).toBe(1);
  });
});

it.each([[["version", "--json"]], [["--version", "--json"]], [["--json", "-V"]]])(
  "%j is one line of JSON",
  async (args) => {
    const bench = await workbench();
    const { status, stdout, stderr } = await bench.run(args);
    const { stdout: version } = await bench.run(["version"]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toBe(`{"version":"${version.trim()}"}\n`);
  },
);

describe("a low limit of open files", () => {
  it("is reported with a fix, without a stack trace or a tool's arguments", async () => {
    const bench = await workbench({ git: true });
    await bench.write(".env", `DIGITALOCEAN_TOKEN=${bench.token}\n`, 0o600);
    const under = (limit: number, ...args: string[]) =>
      inShell(bench, `ulimit -n ${limit}; exec "$@"`, args);
    // With a lower limit, Node itself does not start.
    let least = 12;
    while ((await under(least, "--version")).status !== 0) least++;
    const limits = Array.from({ length: 14 }, (_, more) => least + more);
    const runs = limits.map((limit) => under(limit, "check"));
    const results = [
      ...(await Promise.all(runs)),
      await under(least, "exec", "--mask", "--", "ls"),
    ];
    for (const { stdout, stderr } of results) {
      expect(stdout + stderr).not.toMatch(/^ {4}at |spawnargs|rev-parse|--no-pager/m);
      expect(stderr.includes("EMFILE")).toBe(stderr.includes("ulimit -n 4096"));
    }
    expect(results.filter(({ stderr }) => stderr.includes("EMFILE")).length).toBeGreaterThan(3);
  });
});

describe("the current folder was deleted", () => {
  it.each([
    [["check"], 2],
    [["env"], 2],
    [["exec", "--", "true"], 125],
  ])("%j: exits with %d and a message", async (args, expected) => {
    const bench = await workbench();
    const line = 'mkdir gone && cd gone && rmdir ../gone && exec "$@"';
    const { status, stderr } = await inShell(bench, line, args);
    expect(stderr).toMatch(/^✗ The current folder no longer exists\. \[USAGE\]\n {2}→ /);
    expect(status).toBe(expected);
  });
});

it("a umask of 777 does not block our own files and folders", async () => {
  const bench = await workbench();
  await bench.write("do-bootstrap.config.yaml", "terraform: { dir: infra }\n");
  const args = ["--token-stdin", "--doctl-config"];
  const { status, stderr } = await inShell(bench, 'umask 777; exec "$@"', args, bench.token);
  expect(status, stderr).toBe(0);
  bench.mayHold("infra/do-bootstrap.secret.auto.tfvars.json");
  const modeOf = async (path: string) => (await stat(join(bench.root, path))).mode & 0o777;
  expect(await modeOf("acme-web/infra")).toBe(0o700);
  expect(await modeOf("home/.config/doctl")).toBe(0o700);
});
