import { readFile, symlink } from "node:fs/promises";
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

/** A terraform that converts a plan as the real one does, and fails on anything else. */
async function fakeTerraform(bench: Workbench, show = `echo '${CREATE_KEY}'`): Promise<void> {
  const text = `#!/bin/sh
case "$*" in
  "version -json") echo '{"terraform_version":"1.11.4"}' ;;
  "show -json -no-color "*) { pwd; set; } >"$HOME/seen"; ${show} ;;
  *) echo "unexpected: $*" >&2; exit 99 ;;
esac
`;
  await bench.write("../bin/terraform", text, 0o755);
}

/** As a saved plan begins. */
/** The beginning of a zip whose first member is `tfplan`. */
const SAVED = Buffer.from(`PK\u0003\u0004${"\u0000".repeat(26)}tfplan and more`);

describe("scopes --plan", () => {
  it("takes the JSON of a plan from a file, with the places of the code beside it", async () => {
    const bench = await repo();
    await bench.write("infra/plan.json", CREATE_KEY);
    const { status, stdout, stderr } = await bench.run(["scopes", "--plan", "infra/plan.json"]);
    expect({ status, said: withoutProgress(stderr) }).toEqual({ status: 0, said: "" });
    expect(CREATES_KEY.exec(stdout)?.[1]).toBe("infra/plan.json");
    expect(stdout).toContain("main.tf:1");
  });

  it("and from standard input", async () => {
    const { status, stdout } = await (await repo()).run(["scopes", "--plan", "-"], {
      input: CREATE_KEY,
    });
    expect(status).toBe(0);
    expect(CREATES_KEY.exec(stdout)?.[1]).toBe("of this plan");
  });

  it("lets the tool convert a saved plan, in its root and without the token", async () => {
    const bench = await repo();
    await fakeTerraform(bench);
    await bench.write("infra/tfplan", SAVED);
    const env = {
      DIGITALOCEAN_TOKEN: bench.token,
      TF_VAR_do_token: bench.token,
      TF_ENCRYPTION: "e",
    };
    const { status, stdout } = await bench.run(["scopes", "--plan", "infra/tfplan"], { env });
    expect(status).toBe(0);
    expect(CREATES_KEY.exec(stdout)?.[1]).toBe("infra/tfplan");
    const seen = await readFile(join(bench.home, "seen"), "utf8");
    expect(seen.split("\n")[0]).toBe(join(bench.repo, "infra"));
    expect(seen).toContain("TF_ENCRYPTION='e'");
    expect(seen).not.toContain(bench.token);
  });

  it("is held against the token like the code", async () => {
    const bench = await repo();
    bench.sandbox.accept(bench.token, { scopes: ["ssh_key:read"] });
    await bench.write(".env", `DIGITALOCEAN_TOKEN=${bench.token}\n`, 0o600);
    const { status, stdout } = await bench.run(["scopes", "--plan", "-"], { input: CREATE_KEY });
    expect(status).toBe(5);
    expect(stdout).toContain("lacks a scope: ssh_key:create");
  });

  it.each<[what: string, make: (bench: Workbench) => Promise<void>, says: RegExp]>([
    ["no such file", async () => undefined, /There is no plan infra\/tfplan\./],
    ["a folder", (bench) => bench.write("infra/tfplan/x", ""), /infra\/tfplan is a directory/],
    ["no plan", (bench) => bench.write("infra/tfplan", "{}"), /no JSON of terraform show -json/],
    [
      "a saved plan, and no tool",
      (bench) => bench.write("infra/tfplan", SAVED),
      /neither terraform nor tofu is on PATH/,
    ],
    [
      "a tool that cannot",
      async (bench) => {
        await fakeTerraform(bench, "echo 'Error: run\\ninit' >&2; exit 1");
        await bench.write("infra/tfplan", SAVED);
      },
      /terraform show -json: Error: run init/,
    ],
    [
      "a tool that says something else",
      async (bench) => {
        await fakeTerraform(bench, "echo hello");
        await bench.write("infra/tfplan", SAVED);
      },
      /no JSON of terraform show -json/,
    ],
    [
      "programs that come with the repo",
      async (bench) => {
        await fakeTerraform(bench);
        await bench.write("infra/tfplan", SAVED);
        await bench.write("infra/.terraform/providers/x", "");
        await bench.git("add", "-f", "infra/.terraform");
      },
      /git tracks infra\/\.terraform, whose programs it would start/,
    ],
  ])("%s is said", async (_, make, says) => {
    const bench = await repo();
    await make(bench);
    const { status, stdout, stderr } = await bench.run(["scopes", "--plan", "infra/tfplan"]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(says);
  });

  it("of two roots takes the one that the plan stands in, or asks", async () => {
    const bench = await repo();
    await bench.write(".do-bootstraprc", "terraform: [{ dir: infra }, { dir: dns }]\n");
    for (const path of ["infra/plan.json", "plan.json"]) await bench.write(path, CREATE_KEY);
    expect((await bench.run(["scopes", "--plan", "infra/plan.json"])).status).toBe(0);
    const { status, stderr } = await bench.run(["scopes", "--plan", "plan.json"]);
    expect(status).toBe(2);
    expect(stderr).toContain("do-bootstrap scopes --plan plan.json DIR");
    expect((await bench.run(["scopes", "--plan", "plan.json", "infra"])).status).toBe(0);
  });

  it("names a type that nobody knows", async () => {
    const input = CREATE_KEY.replaceAll("ssh_key", "moon");
    const { stdout } = await (await repo()).run(["scopes", "--plan", "-"], { input });
    expect(stdout).toContain("[terraform.unknown-type]");
  });

  it("of a subfolder is converted there", async () => {
    const bench = await repo();
    await fakeTerraform(bench);
    await bench.write("envs/prod/main.tf", "");
    await bench.write("envs/prod/tfplan", SAVED);
    await bench.run(["scopes", "--plan", "envs/prod/tfplan"]);
    const seen = await readFile(join(bench.home, "seen"), "utf8");
    expect(seen.split("\n")[0]).toBe(join(bench.repo, "envs/prod"));
  });

  it("and --for are two answers to one question", async () => {
    const { status, stderr } = await (await repo()).run("scopes --plan - --for plan".split(" "));
    expect(status).toBe(2);
    expect(stderr).toContain("--plan says what is done");
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
    const { status, stdout } = await bench.run(["scopes", "--plan", "tfplan"]);
    expect({ status, stdout }).toEqual({ status: 0, stdout: "terraform apply tfplan: 0 scopes\n" });
  });

  it.skipIf(needsMirror)(`of the real provider${needsMirror}`, async () => {
    const bench = await workbench();
    await symlink(TERRAFORM ?? "", join(bench.bin, "terraform"));
    await bench.write("versions.tf", PROVIDER);
    await bench.write("main.tf", `${WEB}  image = "debian-13-x64"\n  size = "s-1vcpu-1gb"\n}\n`);
    const env = { DIGITALOCEAN_TOKEN: bench.token };
    for (const args of [["init"], ["plan", "-out=tfplan"]]) await terraform(bench, args, { env });
    const { stdout } = await bench.run(["scopes", "--plan", "tfplan", "--json"]);
    const own = JSON.parse(stdout).own.map(({ scope }: { scope: string }) => scope);
    // Not vpc:read, tag:read or block_storage:read: those values are the API's to fill in.
    expect(own).toEqual(["droplet:create", "droplet:read", "image:read"]);
  });
});

const WEB = 'resource "digitalocean_droplet" "web" {\n  name = "web"\n';
const PROVIDER =
  'terraform {\n  required_providers {\n    digitalocean = {\n      source = "digitalocean/digitalocean"\n    }\n  }\n}\n';
