import { Ajv } from "ajv";
import { describe, expect, it } from "vitest";
import { rotationKey } from "../../src/commands/credentials/rotation.ts";
import { stateOf } from "../../src/host/state.ts";
import type { ReportDocument } from "../../src/report/documents.ts";
import { reportSchema } from "../../src/report/json-schema.ts";
import { ASKS, CONFIRMS, guided, needsScript, words } from "../fixtures/terminal.ts";
import { fileTree } from "../fixtures/tree.ts";
import { randomToken, type Workbench, workbench } from "../fixtures/workbench.ts";
import { secret } from "../unit/samples.ts";

const validate = new Ajv({ strict: true, allowUnionTypes: true }).compile(reportSchema());
const ENV = (token: string) => `DIGITALOCEAN_TOKEN=${token}\n`;
const print = (token: string) => secret(token).fingerprint;
const TEAM = { uuid: "x", name: "Production" };

/** dev, staging and prod, each with its own env file. */
const CONFIG = JSON.stringify({
  project: "shop",
  terraform: false,
  environments: Object.fromEntries(
    ["dev", "staging", "prod"].map((name) => [name, { token: { envFile: `.env.${name}` } }]),
  ),
});

/** @param files the token for each suffix of ".env": "", ".dev" and so on. */
async function shop(
  files: (token: string, other: string) => Readonly<Record<string, string>>,
  bench?: Workbench,
) {
  const made = bench ?? (await workbench());
  const other = randomToken();
  made.sandbox.accept(other, { team: TEAM });
  await made.write("do-bootstrap.config.json", CONFIG);
  await made.write(".gitignore", ".env*\n");
  for (const [name, token] of Object.entries(files(made.token, other))) {
    await made.write(`.env${name}`, ENV(token), 0o600);
  }
  return { bench: made, other };
}

function documentOf({ stdout }: { stdout: string }): ReportDocument {
  const document = JSON.parse(stdout);
  validate(document);
  expect(validate.errors).toBeNull();
  return document;
}

async function fresh(bench: Workbench): Promise<string> {
  const token = randomToken();
  bench.sandbox.accept(token);
  return token;
}

describe("check --all", () => {
  it("one document with every environment, one exit status, one request per token", async () => {
    const { bench, other } = await shop((token, other) => ({
      "": other,
      ".dev": token,
      ".staging": token,
    }));
    const run = await bench.run(["check", "--all", "--json"]);
    const { environments = [], findings, ...document } = documentOf(run);
    expect(document).toMatchObject({ environment: null, token: null, terraform: [], uses: [] });
    expect(
      environments.map(({ environment, status, token }) => [
        environment,
        status,
        token?.fingerprint,
        token?.team?.name,
      ]),
    ).toEqual([
      [null, 3, print(other), "Production"],
      ["dev", 3, print(bench.token), "Sandbox Team"],
      ["staging", 3, print(bench.token), "Sandbox Team"],
      ["prod", 4, undefined, undefined],
    ]);
    expect([run.status, document.status]).toEqual([4, 4]);
    const missing = findings.filter(({ id }) => id === "token.missing");
    expect(missing.map(({ environment }) => environment)).toEqual(["prod"]);
    expect(missing[0]?.fix).toContain("… | do-bootstrap --env prod --token-stdin");
    const asked = bench.sandbox.requests.filter(({ path }) => path === "/v2/account");
    expect(asked).toHaveLength(2);
  });

  it("prints findings under their environment, and common findings once", async () => {
    const { bench } = await shop((token) => ({ ".dev": token, ".staging": token }));
    const { status, stdout } = await bench.run(["check", "--all"]);
    expect(status).toBe(4);
    expect(stdout).toMatch(/^Environment +dev\nToken .+\.env\.dev/m);
    expect(stdout).toContain("Remaining (run do-bootstrap --env staging):");
    expect(stdout).not.toContain("Remaining (run do-bootstrap --env prod):");
    expect(stdout).toMatch(/\n\nprod:\n✗ No DigitalOcean token/);
    expect(stdout.match(/\[git\.example-ignored\]/g)).toHaveLength(1);
    expect(stdout).toMatch(/\nevery environment:\n(.+\n)*· .*\[git\.example-ignored\]/);
  });

  it("exits with 0 when every environment is fine", async () => {
    const { bench } = await shop((token) => ({ ".dev": token, ".staging": token, ".prod": token }));
    await bench.write(".gitignore", "");
    for (const name of ["dev", "staging", "prod"]) await bench.run(["--env", name, "--yes"]);
    const run = await bench.run(["check", "--all", "--json"]);
    expect([run.status, documentOf(run).environments?.map(({ status }) => status)]).toEqual([
      0,
      [0, 0, 0],
    ]);
    expect((await bench.run(["check", "--all"])).stdout).toContain("✓ Nothing to do");
  });

  it("warns where one token of the shell stands for environments without a token", async () => {
    const { bench } = await shop((token) => ({ ".prod": token }));
    const run = (env: Record<string, string>) => bench.run(["check", "--all", "--json"], { env });
    const { findings } = documentOf(await run({ DIGITALOCEAN_TOKEN: bench.token }));
    expect(findings.filter(({ id }) => id === "environment.one-token")).toMatchObject([
      {
        message:
          "DIGITALOCEAN_TOKEN of this shell stands for dev and staging, whose env files hold no token.",
        fix: "unset DIGITALOCEAN_TOKEN",
      },
    ]);
    const inCi = documentOf(await run({ DIGITALOCEAN_TOKEN: bench.token, CI: "true" }));
    expect(inCi.findings.map(({ id }) => id)).not.toContain("environment.one-token");
  });

  it("searches the history once", async () => {
    const { bench } = await shop((token) => ({ ".dev": token, ".prod": token }));
    await bench.write("notes.txt", randomToken());
    await bench.git("add", "notes.txt");
    await bench.git("commit", "-qm", "a");
    const { findings } = documentOf(await bench.run(["check", "--all", "--history", "--json"]));
    const leaks = findings.filter(({ id }) => id.startsWith("leak."));
    expect(leaks.map(({ environment }) => environment)).toEqual([undefined]);
  });

  it("--all and --env can't be combined, in any command", async () => {
    const { bench } = await shop((token) => ({ ".dev": token }));
    const before = await fileTree(bench.repo);
    for (const command of ["check", "logout", "uninstall", "rotate"]) {
      const { status, stderr } = await bench.run([command, "--all", "--env", "dev"]);
      expect([status, stderr]).toEqual([2, expect.stringContaining("Omit one of them.")]);
    }
    expect(await fileTree(bench.repo)).toEqual(before);
  });
});

describe("logout", () => {
  const files = (token: string, other: string) => ({ "": token, ".dev": token, ".prod": other });

  it("without --env, names the environments that still have tokens, and exits with 3", async () => {
    const { bench, other } = await shop(files);
    const { status, stderr } = await bench.run(["logout"]);
    expect(status).toBe(3);
    expect([await bench.read(".env"), await bench.read(".env.dev")]).toEqual(["", ""]);
    expect(await bench.read(".env.prod")).toBe(ENV(other));
    expect(words(stderr)).toContain(
      `✗ Environment prod still has its own token: ${print(other)} in .env.prod. [environment.token-left] → do-bootstrap logout --env prod;`,
    );
    expect(stderr).not.toContain("made and checked");
    const again = await bench.run(["logout"]);
    expect([again.status, again.stderr]).toEqual([3, expect.not.stringContaining("Nothing to do")]);
    expect((await bench.run(["logout", "--dry-run"])).status).toBe(3);
  });

  it("--all removes the token of each environment, and lists the environments", async () => {
    const { bench, other } = await shop(files);
    const run = await bench.run(["logout", "--all", "--json"]);
    const { environments, applied, findings } = documentOf(run);
    expect(run.status).toBe(0);
    expect(environments?.map(({ environment }) => environment)).toEqual([
      null,
      "dev",
      "staging",
      "prod",
    ]);
    expect(applied).toHaveLength(3);
    for (const name of ["", ".dev", ".prod"]) expect(await bench.read(`.env${name}`)).toBe("");
    const still = findings.filter(({ id }) => id === "token.still-valid");
    expect(still.map(({ message }) => /\((\w+)\)/.exec(message)?.[1]).sort()).toEqual(
      [bench.token, other].map(print).sort(),
    );
    expect((await bench.run(["logout", "--all"])).stderr).toContain("Nothing to do");
  });

  it("--all includes doctl when only one environment uses it", async () => {
    const { bench, other } = await shop(files);
    const { environments } = JSON.parse(CONFIG);
    environments.dev.doctl = false;
    environments.prod.doctl = { context: "shop-prod" };
    const config = JSON.stringify({ doctl: false, terraform: false, environments });
    await bench.write("do-bootstrap.config.json", config);
    const doctl = "../home/.config/doctl/config.yaml";
    const mine = randomToken();
    await bench.write(doctl, `auth-contexts:\n  mine: ${mine}\n  shop-prod: ${other}\n`, 0o600);
    const { status, stderr } = await bench.run(["logout", "--all"]);
    expect(status, stderr).toBe(0);
    expect(await bench.read(doctl)).toContain(`mine: ${mine}`);
    expect(await bench.read(doctl)).not.toContain(other);
  });

  it("--all changes nothing when one file can't be changed", async () => {
    const { bench } = await shop(files);
    // Without its line, this text would mean something else.
    await bench.write(".env.prod", `A:\r\n${bench.token}#`, 0o600);
    const before = await fileTree(bench.repo);
    const { status, stderr } = await bench.run(["logout", "--all"]);
    expect([status, stderr]).toEqual([3, expect.stringContaining("Nothing was changed.")]);
    expect(await fileTree(bench.repo)).toEqual(before);
  });

  it("uninstall --all also removes generated files", async () => {
    const { bench } = await shop(files);
    await bench.write(".gitignore", "");
    for (const name of ["dev", "prod"]) await bench.run(["--env", name, "--yes"]);
    const { status, stderr } = await bench.run(["uninstall", "--all"]);
    expect(status, stderr).toBe(0);
    for (const name of ["", ".dev", ".prod"]) expect(await bench.read(`.env${name}`)).toBe("");
    await expect(bench.read(".env.example")).rejects.toThrow("ENOENT");
  });
});

describe("rotate", () => {
  it("without --env, names the environments that it skipped, and exits with 3", async () => {
    const { bench, other } = await shop((token, other) => ({
      "": token,
      ".dev": token,
      ".prod": other,
    }));
    const token = await fresh(bench);
    const { status, stderr } = await bench.run(["rotate", "--token-stdin"], { input: token });
    expect(status).toBe(3);
    for (const name of ["", ".dev"]) expect(await bench.read(`.env${name}`)).toBe(ENV(token));
    expect(await bench.read(".env.prod")).toBe(ENV(other));
    expect(words(stderr)).toContain(
      "→ do-bootstrap rotate --env prod; for all environments: do-bootstrap rotate --all",
    );
    expect(stderr).not.toContain("made and checked");
  });

  it("--all writes one new token to every environment with the same old one", async () => {
    const { bench } = await shop((token) => ({ "": token, ".dev": token, ".prod": token }));
    const token = await fresh(bench);
    const run = await bench.run(["rotate", "--all", "--token-stdin", "--json"], { input: token });
    const { findings, environments } = documentOf(run);
    expect(run.status).toBe(0);
    for (const name of ["", ".dev", ".prod"])
      expect(await bench.read(`.env${name}`)).toBe(ENV(token));
    expect(environments?.map(({ token }) => token?.fingerprint)).toEqual([
      print(token),
      print(token),
      undefined,
      print(token),
    ]);
    const none = findings.filter(({ id }) => id === "environment.no-token");
    expect(none.map(({ environment }) => environment)).toEqual(["staging"]);
  });

  it("--all does not replace different old tokens with one, and lists them", async () => {
    const { bench, other } = await shop((token, other) => ({
      ".dev": token,
      ".staging": token,
      ".prod": other,
    }));
    const before = await fileTree(bench.root);
    const input = await fresh(bench);
    for (const args of [["--token-stdin"], []]) {
      const { status, stderr } = await bench.run(["rotate", "--all", ...args], { input });
      expect(status).toBe(2);
      expect(words(stderr)).toContain(
        `dev and staging hold ${print(bench.token)}; prod holds ${print(other)}. [USAGE] → Rotate them one by one: … | do-bootstrap rotate --env dev --token-stdin; … | do-bootstrap rotate --env prod --token-stdin.`,
      );
    }
    expect(await fileTree(bench.root)).toEqual(before);
  });

  it("--all changes nothing when one environment refuses the new token", async () => {
    const { bench } = await shop((token) => ({ ".dev": token, ".prod": token }));
    const prod = { token: { envFile: ".env.prod", minTtl: "7d" } };
    const config = JSON.parse(CONFIG);
    await bench.write(
      "do-bootstrap.config.json",
      JSON.stringify({ ...config, environments: { ...config.environments, prod } }),
    );
    const token = randomToken();
    bench.sandbox.accept(token, { expiresInSeconds: 86_400 });
    const before = await fileTree(bench.repo);
    const run = await bench.run(["rotate", "--all", "--token-stdin", "--force"], { input: token });
    expect(run.status).toBe(6);
    expect(run.stderr).toMatch(/\nprod:\n✗ .*\[token\.expires-soon\]/);
    expect(await fileTree(bench.repo)).toEqual(before);
  });

  it("--all changes nothing when one environment's file can't be written", async () => {
    const { bench } = await shop((token, other) => ({
      ".dev": token,
      ".staging": token,
      "": other,
    }));
    await bench.write("do-bootstrap.config.json", CONFIG.replace('".env.staging"', '"conf/.env"'));
    await bench.write("conf/.env", ENV(bench.token), 0o600);
    // This file is written last.
    await bench.git("add", "--force", "conf/.env");
    await bench.write(".env", "", 0o600);
    const token = await fresh(bench);
    const before = await fileTree(bench.repo);
    const { status, stderr } = await bench.run(["rotate", "--all", "--token-stdin"], {
      input: token,
    });
    expect([status, stderr]).toEqual([3, expect.stringContaining("[NOT_IGNORED]")]);
    expect(await fileTree(bench.repo)).toEqual(before);
  });

  it.each([
    ["every environment", ["--all"]],
    ["one remaining environment", ["--env", "staging"]],
  ])("finishes a killed rotate --all for %s", async (_, args) => {
    const bench = await workbench();
    const [old, token] = [bench.token, await fresh(bench)];
    await shop(() => ({ ".dev": token, ".staging": old }), bench);
    const state = stateOf({ env: bench.env, platform: process.platform });
    const keys = ["dev", "staging"].map((name) => rotationKey(bench.repo, name));
    const record = JSON.stringify({ old: [print(old)], new: print(token), revoke: false });
    for (const key of keys) state.write(key, record);
    const { status, stderr } = await bench.run(["rotate", ...args]);
    expect(status, stderr).toBe(0);
    for (const name of [".dev", ".staging"])
      expect(await bench.read(`.env${name}`)).toBe(ENV(token));
    expect(keys.map((key) => state.read(key))).toEqual([undefined, undefined]);
  });

  it("--all skips an environment whose command gives no token, and says so", async () => {
    const { bench } = await shop((token) => ({ ".dev": token }));
    const prod = { token: { command: ["./get.sh"] } };
    const environments = { dev: { token: { envFile: ".env.dev" } }, prod };
    await bench.write(
      "do-bootstrap.config.json",
      JSON.stringify({ terraform: false, environments }),
    );
    const token = await fresh(bench);
    const { status, stderr } = await bench.run(["rotate", "--all", "--token-stdin"], {
      input: token,
    });
    expect(status, stderr).toBe(0);
    expect(await bench.read(".env.dev")).toBe(ENV(token));
    expect(stderr).toMatch(/\nprod:\n! token\.command .*\[environment\.skipped\]/);
    expect(stderr).not.toContain("made and checked");
  });

  it("--all --revoke revokes the shared old token once", async () => {
    const { bench } = await shop((token) => ({ ".dev": token, ".prod": token }));
    const token = await fresh(bench);
    const args = ["rotate", "--all", "--token-stdin", "--revoke"];
    const { status, stderr } = await bench.run(args, { input: token });
    expect(status, stderr).toBe(0);
    const revoked = bench.sandbox.requests.filter(({ path }) => path === "/v1/oauth/revoke");
    expect(revoked).toHaveLength(1);
  });
});

describe.skipIf(needsScript !== "")(`rotate --all on a terminal${needsScript}`, () => {
  it("asks for a token for each old one, and confirms once", async (context) => {
    let other = "";
    const { bench, terminal } = await guided(context, ["rotate", "--all"], {}, async (bench) => {
      const files = (token: string, prod: string) => ({
        ".dev": token,
        ".staging": token,
        ".prod": prod,
      });
      ({ other } = await shop(files, bench));
      const environments = Object.fromEntries(
        Object.entries(JSON.parse(CONFIG).environments).map(([name, its]) => [
          name,
          { ...(its as object), terraform: { dir: name } },
        ]),
      );
      const config = JSON.stringify({ project: "shop", environments });
      await bench.write("do-bootstrap.config.json", config);
      await bench.write("dev/main.tf", 'resource "digitalocean_tag" "a" {\n  name = "a"\n}\n');
      await bench.write("staging/main.tf", 'resource "digitalocean_vpc" "a" {\n  name = "a"\n}\n');
      return undefined;
    });
    const [first, second] = [await fresh(bench), randomToken()];
    bench.sandbox.accept(second, { team: TEAM });
    const one = words(await terminal.until(ASKS));
    context
      .expect(one)
      .toContain(`For dev and staging, team Sandbox Team: it replaces ${print(bench.token)}.`);
    // One token has to work for the code of both.
    for (const about of ["tag", "vpc"]) context.expect(one).toContain(` ${about} create, read, `);
    terminal.type(`${first}\r`);
    const two = words(await terminal.until(ASKS));
    context.expect(two).toContain(`For prod, team Production: it replaces ${print(other)}.`);
    terminal.type(`${second}\r`);
    await terminal.until(CONFIRMS);
    terminal.type("y");
    context.expect(await terminal.exit, terminal.screen()).toBe(0);
    for (const name of [".dev", ".staging"])
      context.expect(await bench.read(`.env${name}`)).toBe(ENV(first));
    context.expect(await bench.read(".env.prod")).toBe(ENV(second));
  });

  it("without --env and with tokens only in environments, asks for no token", async (context) => {
    const { terminal } = await guided(context, ["rotate"], {}, async (bench) => {
      await shop((token) => ({ ".dev": token }), bench);
      return undefined;
    });
    context.expect(await terminal.exit).toBe(4);
    context.expect(words(terminal.screen())).toContain("do-bootstrap rotate --all");
    context.expect(terminal.screen()).not.toMatch(ASKS);
  });
});
