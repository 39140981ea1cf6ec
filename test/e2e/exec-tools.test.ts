import { symlink } from "node:fs/promises";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { TERRAFORM, TF_MIRROR } from "../fixtures/terraform.ts";
import { fakeDoctl } from "../fixtures/tools.ts";
import { randomToken, type Workbench, workbench } from "../fixtures/workbench.ts";

const DOCTL_BIN = process.env["DOCTL_BIN"];
const DOCTL_CONFIG = ".config/doctl/config.yaml";
const bearer = (token: string) => `Bearer ${token}`;

describe.each<[name: string, install: (bench: Workbench) => Promise<unknown>]>([
  ["fake", (bench) => fakeDoctl(bench.bin)],
  ["real", (bench) => symlink(resolve(DOCTL_BIN ?? ""), join(bench.bin, "doctl"))],
])("a %s doctl with exec", (name, install) => {
  const needs = name === "real" && !DOCTL_BIN ? " (needs DOCTL_BIN)" : "";

  it.skipIf(needs !== "").each<[what: string, config: string, env: Record<string, string>]>([
    ["without a config", "", {}],
    ["with another login as default", "access-token: T\n", {}],
    ["with another context selected", 'context: prod\nauth-contexts:\n  prod: "T"\n', {}],
    [
      "with another context in the environment",
      'auth-contexts:\n  prod: "T"\n',
      { DIGITALOCEAN_CONTEXT: "prod" },
    ],
  ])(`uses this token %s${needs}`, async (_, config, env) => {
    const bench = await repo();
    await install(bench);
    const other = randomToken();
    bench.sandbox.accept(other);
    const stored = config.replace("T", other);
    if (config !== "") await bench.write(join("..", "home", DOCTL_CONFIG), stored, 0o600);
    const { status, stderr } = await bench.run(["exec", "--", "doctl", "account", "get"], { env });
    expect(status, stderr).toBe(0);
    expect(bench.sandbox.requests.map(({ headers }) => headers.authorization)).toEqual([
      bearer(bench.token),
    ]);
    if (config !== "") expect(await bench.read(join("..", "home", DOCTL_CONFIG))).toBe(stored);
  });

  it.skipIf(needs !== "")(`runs with the context that holds this token${needs}`, async () => {
    const bench = await repo();
    await install(bench);
    const stored = `access-token: ${randomToken()}\nauth-contexts:\n  web: ${bench.token}\n`;
    await bench.write("../doctl.yaml", stored, 0o600);
    const env = { DIGITALOCEAN_CONFIG: join(bench.root, "doctl.yaml") };
    const line = 'doctl account get >/dev/null && echo "$DIGITALOCEAN_CONTEXT"';
    // First by the whole program, then from its record.
    for (const _ of ["slow", "quick"]) {
      const { stdout, stderr } = await bench.run(["exec", "--", "/bin/sh", "-c", line], { env });
      expect(stdout, stderr).toBe("web\n");
    }
    expect(bench.sandbox.requests.map(({ headers }) => headers.authorization)).toEqual([
      bearer(bench.token),
      bearer(bench.token),
    ]);
  });
});

const needsMirror = TERRAFORM && TF_MIRROR ? "" : " (needs TF_MIRROR)";
describe.skipIf(needsMirror)(`the real provider with exec${needsMirror}`, () => {
  const PROVIDERS =
    'terraform {\n required_providers {\n  digitalocean = { source = "digitalocean/digitalocean" }\n }\n}\n';
  const ACCOUNT = 'data "digitalocean_account" "me" {}\noutput "o" { value = "x" }\n';

  it.each<[what: string, provider: string]>([
    ["the environment", 'provider "digitalocean" {}\n'],
    [
      "the repo's own variable",
      'variable "do_key" {\n sensitive = true\n}\nprovider "digitalocean" {\n token = var.do_key\n}\n',
    ],
  ])(
    "plans and applies with the token from %s, with Terraform's exit status",
    async (_, provider) => {
      const bench = await repo();
      await symlink(TERRAFORM ?? "", join(bench.bin, "terraform"));
      const mirror = `filesystem_mirror {\n path = ${JSON.stringify(resolve(TF_MIRROR ?? ""))}\n }`;
      await bench.write("../terraformrc", `provider_installation {\n ${mirror}\n}\n`);
      await bench.write("main.tf", PROVIDERS + provider + ACCOUNT);
      const env = { TF_CLI_CONFIG_FILE: join(bench.root, "terraformrc"), CHECKPOINT_DISABLE: "1" };
      const terraform = (...args: string[]) =>
        bench.run(["exec", "--", "terraform", ...args], { env });

      expect((await terraform("init", "-input=false")).status).toBe(0);
      const plan = await terraform("plan", "-input=false", "-detailed-exitcode", "-out=p.tfplan");
      expect(plan.status, plan.stderr).toBe(2);
      expect((await terraform("apply", "-input=false", "p.tfplan")).status).toBe(0);
      expect((await terraform("plan", "-input=false", "-detailed-exitcode")).status).toBe(0);
      const tokens = bench.sandbox.requests.map(({ headers }) => headers.authorization);
      expect([...new Set(tokens)]).toEqual([bearer(bench.token)]);
    },
  );
});

/** A repo whose env file holds the token. */
async function repo(): Promise<Workbench> {
  const bench = await workbench();
  await bench.write(".env", `DIGITALOCEAN_TOKEN=${bench.token}\n`, 0o600);
  return bench;
}
