import { rm } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { fakeTerraform } from "../fixtures/tools.ts";
import { type Workbench, workbench } from "../fixtures/workbench.ts";

const WORKSPACE = "terraform: { workspace: prod }\n";
const ENVIRONMENTS = "environments: { prod: { terraform: { workspace: prod } }, dev: {} }\n";
const NOT_RUN = "terraform.not-run";
type Spoil = (bench: Workbench, clone: string) => Promise<unknown>;

const fine: Spoil = async () => undefined;
const without =
  (name: string): Spoil =>
  (_, clone) =>
    rm(join(clone, name));

/** A prepared repo in a fresh clone, as in a pipeline; nothing has run there. */
async function clone(config: string, spoil: Spoil) {
  const bench = await workbench();
  await bench.write(".do-bootstraprc.yaml", config);
  const environment = config === ENVIRONMENTS ? ["--env", "prod"] : [];
  const { status, stderr } = await bench.run(["--token-stdin", ...environment], {
    input: bench.token,
  });
  expect(status, stderr).toBe(0);
  await fakeTerraform(bench.bin);
  await bench.git("add", "-A");
  await bench.git("commit", "-m", "Prepare");
  const folder = join(bench.root, "clone");
  await execa("git", ["clone", "-q", bench.repo, folder]);
  await spoil(bench, folder);
  const check = async (line: string, env: Record<string, string>) => {
    const { status, stdout } = await bench.run([...line.split(" "), "--json"], {
      cwd: "../clone",
      env: { DIGITALOCEAN_TOKEN: bench.token, ...env },
    });
    const { findings, pending } = JSON.parse(stdout);
    const ids = (findings as { id: string }[]).map(({ id }) => id);
    return { status, notRun: ids.filter((id) => id === NOT_RUN).length, pending: pending.length };
  };
  return { bench, check };
}

describe("check in a pipeline checks the repo, not the checkout", () => {
  it.each<
    [
      string,
      string,
      Spoil,
      ci: string,
      line: string,
      status: number,
      notRun: number,
      pending: number,
    ]
  >([
    ["init has not run", "", fine, "true", "check", 0, 1, 0],
    ["with --strict", "", fine, "1", "check --strict", 0, 1, 0],
    ["with --all", "", fine, "true", "check --all", 0, 1, 0],
    ["workspace select has not run either", WORKSPACE, fine, "true", "check", 0, 2, 0],
    ["every environment", ENVIRONMENTS, fine, "true", "check --all --strict", 0, 3, 0],
    ["one environment", ENVIRONMENTS, fine, "true", "check --env prod", 0, 2, 0],
    ["a file of the repo is missing", "", without(".env.example"), "true", "check", 3, 1, 1],
    ["Terraform code is missing", "", without("provider.tf"), "true", "check --all", 3, 1, 1],
    ["on a developer's machine", "", fine, "", "check", 3, 0, 1],
    ["CI=false", WORKSPACE, fine, "false", "check --all", 3, 0, 2],
  ])("%s", async (_, config, spoil, CI, line, status, notRun, pending) => {
    const { check } = await clone(config, spoil);
    expect(await check(line, { CI })).toEqual({ status, notRun, pending });
  });

  it("names the command to run", async () => {
    const { bench } = await clone("", fine);
    const env = { DIGITALOCEAN_TOKEN: bench.token, CI: "true" };
    const { status, stdout } = await bench.run(["check"], { cwd: "../clone", env });
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /· terraform init has not run in this checkout\. .*\[terraform\.not-run\]\n {2}→ .*: terraform init\n/,
    );
  });

  it("init runs terraform init anyway", async () => {
    const { bench } = await clone("", fine);
    const env = { DIGITALOCEAN_TOKEN: bench.token, CI: "true" };
    const { stderr } = await bench.run([], { cwd: "../clone", env });
    expect(stderr).toContain("terraform init");
    expect(stderr).not.toContain(NOT_RUN);
  });
});
