import { readdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { TERRAFORM, TF_MIRROR, terraform } from "../fixtures/terraform.ts";
import { type Workbench, withoutProgress, workbench } from "../fixtures/workbench.ts";

const CREATE_KEY = JSON.stringify({
  format_version: "1.2",
  resource_changes: [
    {
      address: "digitalocean_ssh_key.me",
      mode: "managed",
      type: "digitalocean_ssh_key",
      name: "me",
      change: { actions: ["create"], before: null, after: { name: "me" }, after_unknown: {} },
    },
  ],
});
const CREATES_KEY = /^terraform apply (.*): 2 scopes\n\n[ ✓] ssh_key:create .*\n[ ✓] ssh_key:read /;

/** A repo with a root module in infra. */
async function repo(): Promise<Workbench> {
  const bench = await workbench();
  await bench.write("infra/main.tf", 'resource "digitalocean_ssh_key" "me" {\n  name = "me"\n}\n');
  return bench;
}

/** The start of a zip whose first member is `tfplan`. */
const SAVED = Buffer.from(`PK\u0003\u0004${"\u0000".repeat(26)}tfplan and more`);

describe("scopes --plan", () => {
  it("reads the JSON of a plan from a file, and names places in the code next to it", async () => {
    const bench = await repo();
    await bench.write("infra/plan.json", CREATE_KEY);
    const { status, stdout, stderr } = await bench.run(["scopes", "--plan", "infra/plan.json"]);
    expect({ status, said: withoutProgress(stderr) }).toEqual({ status: 0, said: "" });
    expect(CREATES_KEY.exec(stdout)?.[1]).toBe("infra/plan.json");
    expect(stdout).toContain("main.tf:1");
  });

  it("reads it from standard input", async () => {
    const { status, stdout } = await (await repo()).run(["scopes", "--plan", "-"], {
      input: CREATE_KEY,
    });
    expect(status).toBe(0);
    expect(CREATES_KEY.exec(stdout)?.[1]).toBe("of this plan");
  });

  // Terraform would start the providers that are installed there, whoever installed them.
  it.each<[plan: string, cwd: string, typed: string]>([
    [
      "infra/tfplan",
      ".",
      "terraform -chdir=infra show -json tfplan | do-bootstrap scopes --plan - infra",
    ],
    ["tfplan", "infra", "terraform show -json tfplan | do-bootstrap scopes --plan -"],
    [
      "plans/a b.tfplan infra",
      ".",
      "terraform -chdir=infra show -json '../plans/a b.tfplan' | do-bootstrap scopes --plan - infra",
    ],
  ])(
    "does not convert a saved plan, %s in %s, but prints the command",
    async (plan, cwd, typed) => {
      const bench = await repo();
      await bench.write("../bin/terraform", '#!/bin/sh\ntouch "$HOME/started"\n', 0o755);
      for (const path of ["infra/tfplan", "plans/a b.tfplan"]) await bench.write(path, SAVED);
      const [file = "", ...dirs] = plan.split(/ (?=infra$)/);
      const { status, stdout, stderr } = await bench.run(["scopes", "--plan", file, ...dirs], {
        cwd,
      });
      expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
      expect(stderr).toContain(`${file} is a saved plan`);
      expect(stderr).toContain(typed);
      expect(await readdir(bench.home)).not.toContain("started");
    },
  );

  it("compares the plan with the token's scopes", async () => {
    const bench = await repo();
    bench.sandbox.accept(bench.token, { scopes: ["ssh_key:read"] });
    await bench.write(".env", `DIGITALOCEAN_TOKEN=${bench.token}\n`, 0o600);
    const { status, stdout } = await bench.run(["scopes", "--plan", "-"], { input: CREATE_KEY });
    expect(status).toBe(5);
    expect(stdout).toContain("lacks a scope: ssh_key:create");
  });

  it.each<[what: string, make: (bench: Workbench) => Promise<void>, says: RegExp]>([
    ["a missing file", async () => undefined, /Plan infra\/tfplan not found./],
    ["a folder", (bench) => bench.write("infra/tfplan/x", ""), /infra\/tfplan is a directory/],
    [
      "JSON that is not a plan",
      (bench) => bench.write("infra/tfplan", "{}"),
      /not the output of terraform show -json/,
    ],
  ])("reports %s", async (_, make, says) => {
    const bench = await repo();
    await make(bench);
    const { status, stdout, stderr } = await bench.run(["scopes", "--plan", "infra/tfplan"]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(says);
  });

  it("with two roots, uses the root that contains the plan, or asks for one", async () => {
    const bench = await repo();
    await bench.write(".do-bootstraprc", "terraform: [{ dir: infra }, { dir: dns }]\n");
    for (const path of ["infra/plan.json", "plan.json"]) await bench.write(path, CREATE_KEY);
    expect((await bench.run(["scopes", "--plan", "infra/plan.json"])).status).toBe(0);
    const { status, stderr } = await bench.run(["scopes", "--plan", "plan.json"]);
    expect(status).toBe(2);
    expect(stderr).toContain("do-bootstrap scopes --plan plan.json DIR");
    expect((await bench.run(["scopes", "--plan", "plan.json", "infra"])).status).toBe(0);
  });

  it("reports an unknown resource type", async () => {
    const input = CREATE_KEY.replaceAll("ssh_key", "moon");
    const { stdout } = await (await repo()).run(["scopes", "--plan", "-"], { input });
    expect(stdout).toContain("[terraform.unknown-type]");
  });

  it("can't be combined with --for", async () => {
    const { status, stderr } = await (await repo()).run("scopes --plan - --for plan".split(" "));
    expect(status).toBe(2);
    expect(stderr).toContain("--plan and --for cannot be combined");
  });
});

const needsTerraform = TERRAFORM === undefined ? " (needs terraform)" : "";
const needsMirror = needsTerraform || (TF_MIRROR ? "" : " (needs TF_MIRROR)");

describe.skipIf(needsTerraform)(`a plan that terraform saved${needsTerraform}`, () => {
  it("without DigitalOcean in it", async () => {
    const bench = await workbench();
    await symlink(TERRAFORM ?? "", join(bench.bin, "terraform"));
    await bench.write("main.tf", 'resource "terraform_data" "x" {\n  input = 1\n}\n');
    for (const args of [["init"], ["plan", "-out=tfplan"]]) await terraform(bench, args);
    const { stdout: input } = await terraform(bench, ["show", "-json", "tfplan"]);
    const { status, stdout } = await bench.run(["scopes", "--plan", "-"], { input });
    expect({ status, stdout }).toEqual({
      status: 0,
      stdout: "terraform apply of this plan: 0 scopes\n",
    });
  });

  it.skipIf(needsMirror)(`with the real provider${needsMirror}`, async () => {
    const bench = await workbench();
    await symlink(TERRAFORM ?? "", join(bench.bin, "terraform"));
    await bench.write("versions.tf", PROVIDER);
    await bench.write("main.tf", `${WEB}  image = "debian-13-x64"\n  size = "s-1vcpu-1gb"\n}\n`);
    const env = { DIGITALOCEAN_TOKEN: bench.token };
    for (const args of [["init"], ["plan", "-out=tfplan"]]) await terraform(bench, args, { env });
    const { stdout: input } = await terraform(bench, ["show", "-json", "tfplan"], { env });
    const { stdout } = await bench.run(["scopes", "--plan", "-", "--json"], { input });
    const own = JSON.parse(stdout).own.map(({ scope }: { scope: string }) => scope);
    // Not vpc:read, tag:read or block_storage:read: the API fills in those values.
    expect(own).toEqual(["droplet:create", "droplet:read", "image:read"]);
  });
});

const WEB = 'resource "digitalocean_droplet" "web" {\n  name = "web"\n';
const PROVIDER =
  'terraform {\n  required_providers {\n    digitalocean = {\n      source = "digitalocean/digitalocean"\n    }\n  }\n}\n';
