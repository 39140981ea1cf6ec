import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { HARD_CODED, REPOS, SECRET, type Texts } from "../fixtures/repos/index.ts";
import {
  bootstrapped,
  cleanUp,
  configure,
  declaredIn,
  entry,
  fixed,
  generatedIn,
  HEADER,
  idsOf,
  init,
  mapped,
  planOf,
  prepare,
  report,
  sharedBench,
} from "../fixtures/repos/run.ts";
import { TERRAFORM, TF_MIRROR, terraform } from "../fixtures/terraform.ts";
import { fileTree } from "../fixtures/tree.ts";
import { randomToken, type Workbench } from "../fixtures/workbench.ts";

afterAll(cleanUp);

describe("a repo with Terraform code", () => {
  it.concurrent.each(Object.keys(REPOS))("%s", async (name) => {
    const repo = entry(REPOS, name);
    const { bench, dry, status, again } = await bootstrapped(name);
    expect(planOf(bench, dry)).toEqual([...repo.plan].sort());
    expect(idsOf(dry)).toEqual([...(repo.findings ?? [])].sort());
    const found = dry.terraform.map(({ credentials, variable }) => `${credentials} ${variable}`);
    expect(found.join(", ")).toBe(repo.credentials);
    expect(status).toBe(repo.status ?? 0);

    const ours = await generatedIn(bench);
    expect(mapped(ours, declaredIn)).toEqual(repo.declares);
    for (const [path, text] of Object.entries(repo.texts ?? {})) {
      expect(ours[path]?.replace(HEADER, "")).toBe(text);
    }
    expect(again.applied).toEqual([]);
    expect(planOf(bench, again)).toEqual(repo.status === undefined ? [] : [...repo.plan].sort());
  });
});

describe("a token in the code", () => {
  it.concurrent.each(Object.keys(HARD_CODED))(
    "%s: an error, and nothing is written",
    async (name) => {
      const bench = await sharedBench();
      const { files, found } = await prepare(bench, HARD_CODED, name);
      const before = await fileTree(bench.repo);
      const result = await init(bench);
      const { status, stdout } = result;
      expect(status).toBe(3);
      const places = report(result)
        .findings.filter(({ id }) => id === "terraform.hard-coded-token")
        .map(({ where = "" }) => where.slice(bench.repo.length + 1));
      expect(places.sort()).toEqual(found);
      expect(stdout).not.toContain(bench.token);
      expect(await fileTree(bench.repo)).toEqual(before);
      expect(Object.values(files).join()).toContain("TOKEN");
    },
  );

  it.concurrent.each(Object.keys(HARD_CODED))("%s: --fix moves it", async (name) => {
    const { files, put, plan, left, declares, variable } = entry(HARD_CODED, name);
    const { bench, diff, status, plan: done, again } = await fixed(name);
    expect(done).toEqual([...plan].sort());
    expect(diff).not.toContain(bench.token.slice(0, 20));
    for (const line of plan) expect(diff).toContain(line.split("/").at(-1)?.split(" ").at(-1));
    expect(status).toBe(0);

    for (const [path, text] of Object.entries(files)) {
      expect(await bench.read(path)).toBe(text.replaceAll('"TOKEN"', put));
    }
    expect(mapped(await generatedIn(bench), declaredIn)).toEqual(declares);
    expect(await bench.read(".env")).toContain(`DIGITALOCEAN_TOKEN=${bench.token}\n`);
    const dir = plan.some((line) => line.includes("infra/")) ? "infra" : ".";
    const secret = await bench.read(join(dir, SECRET)).catch(() => undefined);
    const expected = variable && `{\n  "${variable}": "${bench.token}"\n}\n`;
    expect(secret).toBe(expected);
    expect(idsOf(again)).toEqual(left ?? []);
    expect(planOf(bench, again)).toEqual([]);
  });

  it.concurrent("two different tokens: --fix can't replace both with one", async () => {
    const bench = await sharedBench();
    const provider = (alias: string, token: string) =>
      `provider "digitalocean" {\n  alias = "${alias}"\n  token = "${token}"\n}\n`;
    await bench.write("main.tf", provider("a", bench.token) + provider("b", randomToken()));
    const before = await fileTree(bench.repo);
    expect((await bench.run(["init", "--fix", "--yes"])).status).toBe(3);
    expect(await fileTree(bench.repo)).toEqual(before);
  });
});

const needsTerraform = TERRAFORM === undefined ? " (needs terraform)" : "";
describe.skipIf(needsTerraform)(`the real terraform${needsTerraform}`, () => {
  it("finds our files formatted, in every repo", async () => {
    const all = await sharedBench();
    const names = [...Object.keys(REPOS), ...Object.keys(HARD_CODED)];
    for (const [i, name] of names.entries()) {
      const { bench } = await (name in REPOS ? bootstrapped(name) : fixed(name));
      for (const [path, text] of Object.entries(await generatedIn(bench))) {
        await all.write(join(String(i), path), text);
      }
    }
    const { status, stdout } = await terraform(all, ["fmt", "-check", "-recursive", "-diff"]);
    expect(stdout).toBe("");
    expect(status).toBe(0);
  });
});

const needsMirror = needsTerraform || (TF_MIRROR ? "" : " (needs TF_MIRROR)");
describe.skipIf(needsMirror)(`the real provider accepts it${needsMirror}`, () => {
  const tried = Object.entries(REPOS).filter(([, { notTried }]) => notTried === undefined);

  it.concurrent.each(tried)("%s", async (name, { roots = ["."] }) => {
    const { bench } = await bootstrapped(name);
    for (const cwd of roots) await expectValid(bench, cwd);
  });

  it.concurrent.each(Object.keys(HARD_CODED))("%s, fixed", async (name) => {
    const { bench } = await fixed(name);
    await expectValid(bench, name.includes("infra/") ? "infra" : ".");
  });

  async function expectValid(bench: Workbench, cwd: string): Promise<void> {
    for (const args of [["init", "-backend=false"], ["validate"]]) {
      const options = { cwd, env: { TF_DATA_DIR: join(bench.root, "data", cwd) } };
      const { status, stdout, stderr } = await terraform(bench, [...args, "-no-color"], options);
      expect(status, stdout + stderr).toBe(0);
      // Above all, no value for an undeclared variable.
      if (args[0] === "validate") expect(stdout).not.toMatch(/undeclared/i);
    }
  }
});

describe("terraform init and workspace", () => {
  const INIT = "init -input=false -no-color";
  const SELECT = "workspace select -or-create prod -no-color";
  const GIVEN = [
    "TF_WORKSPACE",
    "TF_VAR_do_token",
    "DIGITALOCEAN_TOKEN",
    "DIGITALOCEAN_ACCESS_TOKEN",
  ];

  it.concurrent("run once, in the root, and get no token", async () => {
    const bench = await sharedBench();
    const calls = await fakeTerraform(bench);
    await configure(bench, { dir: "infra", workspace: "prod" });
    const env = Object.fromEntries(GIVEN.map((name) => [name, bench.token]));
    expect((await initWith(bench, { ...env, KEPT: "1" })).status).toBe(0);
    const made = await calls();
    expect(made.map(({ args }) => args)).toEqual([INIT, SELECT]);
    for (const { cwd, env } of made) {
      expect(cwd).toBe(join(bench.repo, "infra"));
      expect(env).toContain("KEPT");
      expect(env.filter((name) => GIVEN.includes(name) || /^DIGITALOCEAN_/.test(name))).toEqual([]);
    }
    expect(planOf(bench, report(await initWith(bench, {})))).toEqual([]);
    expect(await calls()).toHaveLength(2);
  });

  it.concurrent("do not get the value of a provider's variable", async () => {
    const bench = await sharedBench();
    const calls = await fakeTerraform(bench);
    await prepare(bench, REPOS, "two aliases, two variables");
    const own = ["TF_VAR_prod_token", "TF_VAR_staging_token"];
    await initWith(bench, Object.fromEntries(own.map((name) => [name, bench.token])));
    const [call] = await calls();
    expect(call?.args).toBe(INIT);
    expect(call?.env.filter((name) => own.includes(name))).toEqual([]);
  });

  it.concurrent.each<[string, unknown, string[], string[]]>([
    ["a plain root", {}, [], [INIT]],
    ["credentials: env", { credentials: "env" }, [], [INIT]],
    ["init: false", { init: false, workspace: "prod" }, [], [SELECT]],
    ["installed providers", {}, [".terraform/providers/x"], [INIT]],
    ["a selected workspace", { workspace: "prod" }, [".terraform/environment"], [INIT]],
    ["terraform: false", false, [], []],
  ])("%s", async (_, config, present, expected) => {
    const bench = await sharedBench();
    const calls = await fakeTerraform(bench);
    await configure(bench, config);
    for (const path of present) await bench.write(path, "prod");
    const dry = await init(bench, "--dry-run");
    expect(report(dry).pending.filter(({ kind }) => kind === "run")).toHaveLength(expected.length);
    expect(await calls()).toEqual([]);
    await initWith(bench, {});
    expect((await calls()).map(({ args }) => args)).toEqual(expected);
  });

  it.concurrent.each([
    [
      "nothing is missing and providers are installed",
      "infra/",
      ["infra/.terraform/providers/x", "infra/.terraform.lock.hcl"],
      [],
    ],
    ["an init failed halfway", "infra/", ["infra/.terraform/providers/x"], [INIT]],
    ["nothing is missing and no providers are installed", "infra/", [], [INIT]],
    ["a file has a syntax error", "one broken file of many", [], []],
  ])("an existing repo where %s", async (_, name, present, expected) => {
    const bench = await sharedBench();
    const calls = await fakeTerraform(bench);
    await prepare(bench, REPOS, name);
    for (const path of present) await bench.write(path, "");
    await initWith(bench, {});
    expect((await calls()).map(({ args }) => args)).toEqual(expected);
  });

  it.concurrent("a failure is a warning, skips the root's other commands, and is retried", async () => {
    const bench = await sharedBench();
    const calls = await fakeTerraform(bench, "init");
    await configure(bench, { workspace: "prod" });
    for (const count of [1, 2]) {
      const result = await initWith(bench, {});
      expect(result.status).toBe(0);
      expect(idsOf(report(result))).toEqual(["terraform.failed"]);
      expect((await calls()).map(({ args }) => args)).toEqual(Array(count).fill(INIT));
    }
    expect(await bench.read("provider.tf")).toContain("var.do_token");
    const { status, stderr } = await bench.run(["init", "--yes"]);
    expect(stderr).toContain("no such provider");
    expect(status).toBe(0);
    expect((await initWith(bench, {}, "--strict")).status).toBe(3);
  });

  it.concurrent.each([
    ["TF_WORKSPACE", "staging", true],
    ["TF_WORKSPACE", "prod", false],
    ["TF_DATA_DIR", "data", true],
    ["TF_CLI_ARGS", "-no-color", true],
    ["TF_CLI_ARGS_plan", "-lock=false", true],
    ["TF_CLI_ARGS_plan", "", false],
    ["TF_VAR_do_token", "x", true],
    ["TF_VAR_region", "nyc3", false],
    ["TF_LOG", "", false],
  ])("%s=%s: reported is %s", async (name, value, isNamed) => {
    const bench = await sharedBench();
    await fakeTerraform(bench);
    await configure(bench, { workspace: "prod" });
    const result = await initWith(bench, { [name]: value });
    expect(result.status).toBe(0);
    const { findings } = report(result);
    const about = findings.filter(({ id }) => id === "terraform.environment");
    expect(about.map(({ message }) => message.split(" ")[0])).toEqual(isNamed ? [name] : []);
  });

  function initWith(bench: Workbench, env: Texts, ...args: string[]) {
    const options = { input: bench.token, env };
    return bench.run(["init", "--json", "--token-stdin", ...args], options);
  }

  /** A terraform that logs each call, and writes what the next run checks. */
  async function fakeTerraform(bench: Workbench, failing = "") {
    const log = join(bench.root, "terraform.log");
    await bench.write("../terraform.log", "");
    // A shell script starts ten times as fast as Node.
    const script = `#!/bin/sh
PATH=/usr/bin:/bin
if [ "$1" = version ]; then echo '{"terraform_version":"1.11.4"}'; exit; fi
{ echo "$*"; pwd -P; env | sed -n 's/^\\([A-Za-z_][A-Za-z0-9_]*\\)=.*/\\1/p' | tr '\\n' ' '; echo; } >>'${log}'
if [ "$1" = '${failing}' ]; then echo 'no such provider' >&2; exit 1; fi
data=\${TF_DATA_DIR:-.terraform}
mkdir -p "$data/providers"; : > .terraform.lock.hcl
if [ "$1" = workspace ]; then printf %s "$4" >"$data/environment"; fi
`;
    await bench.write("../bin/terraform", script, 0o755);
    return async (): Promise<{ args: string; cwd: string; env: string[] }[]> => {
      const calls = (await readFile(log, "utf8")).matchAll(/(.*)\n(.*)\n(.*)\n/g);
      return Array.from(calls, ([, args = "", cwd = "", names = ""]) => ({
        ...{ args, cwd },
        env: names.trimEnd().split(" "),
      }));
    };
  }
});
