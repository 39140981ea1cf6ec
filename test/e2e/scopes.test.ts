import { rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Workbench, withoutProgress, workbench } from "../fixtures/workbench.ts";

const KEY =
  'resource "digitalocean_ssh_key" "me" {\n  name       = "me"\n  public_key = "ssh-ed25519 AAAA"\n}\n';
const NEEDED = ["ssh_key:create", "ssh_key:read", "ssh_key:update", "ssh_key:delete"];

/** A repo with one SSH key, and a token with these scopes. */
async function repo(scopes?: readonly string[]): Promise<Workbench> {
  const bench = await workbench();
  await bench.write("infra/main.tf", KEY);
  if (scopes !== undefined) {
    bench.sandbox.accept(bench.token, { scopes: [...scopes] });
    await bench.write(".env", `DIGITALOCEAN_TOKEN=${bench.token}\n`, 0o600);
  }
  return bench;
}

const documentOf = async (bench: Workbench, ...args: string[]) => {
  const { status, stdout, stderr } = await bench.run(["scopes", "--json", ...args]);
  expect(withoutProgress(stderr)).toBe("");
  const document = JSON.parse(stdout);
  expect(document).toMatchObject({ schemaVersion: 1, command: "scopes", status });
  return document;
};

describe("scopes that the code needs", () => {
  it("are printed without a token", async () => {
    const bench = await repo();
    const { status, stdout, stderr } = await bench.run(["scopes"]);
    expect({ status, said: withoutProgress(stderr) }).toEqual({ status: 0, said: "" });
    expect(stdout).toBe(`terraform apply in infra: 4 scopes

  ssh_key:create  first apply  digitalocean_ssh_key.me, main.tf:1
  ssh_key:read    first apply  digitalocean_ssh_key.me, main.tf:1
  ssh_key:update  changes      digitalocean_ssh_key.me, main.tf:1
  ssh_key:delete  deletions    digitalocean_ssh_key.me, main.tf:1
`);
    expect(bench.sandbox.requests).toEqual([]);
  });

  it.each([
    [["--for", "plan"], ["ssh_key:read"]],
    [
      ["--for", "create"],
      ["ssh_key:create", "ssh_key:read"],
    ],
    [
      ["--for", "destroy"],
      ["ssh_key:read", "ssh_key:delete"],
    ],
    [["infra"], NEEDED],
    [["--for=apply", "infra"], NEEDED],
  ])("%j", async (args, scopes) => {
    expect((await documentOf(await repo(), ...args)).scopes).toEqual(scopes);
  });

  it("say what is for the first apply, for changes and for deletions", async () => {
    const bench = await repo();
    const { phases } = await documentOf(bench);
    expect(phases).toEqual({
      create: ["ssh_key:create", "ssh_key:read"],
      change: ["ssh_key:update"],
      destroy: ["ssh_key:delete"],
    });
    expect((await documentOf(bench, "--for", "create")).phases).toBeUndefined();
    const { stdout } = await bench.run(["scopes", "--for", "create"]);
    expect(stdout).toBe(`The first terraform apply in infra: 2 scopes

  ssh_key:create  digitalocean_ssh_key.me, main.tf:1
  ssh_key:read    digitalocean_ssh_key.me, main.tf:1
`);
  });

  it("are printed as Markdown for a pull request", async () => {
    const { stdout } = await (await repo(["ssh_key:read"])).run([
      ..."scopes --for apply --format markdown".split(" "),
    ]);
    expect(stdout).toMatch(
      /^### terraform apply in infra: 4 scopes\n\n\| Scope \| From \| Why \|\n\| --- \| --- \| --- \|\n/,
    );
    expect(stdout).toContain(
      "| `ssh_key:create` **(missing)** | first apply | digitalocean_ssh_key.me, main.tf:1 |",
    );
  });

  it("names from the repo are escaped in Markdown, JSON and text", async () => {
    const bench = await repo();
    const name = "m|`@octocat` <img src=x>\u202e\u009b\n\n# ##[group]x";
    const block = { resource: { digitalocean_ssh_key: { [name]: { name: "me" } } } };
    await bench.write("infra/a.tf.json", JSON.stringify(block));
    const { stdout: markdown } = await bench.run(["scopes", "--format", "markdown"]);
    // Outside code there are only plain words.
    const outside = markdown.replace(/(`+)(?!`).*?[^`]\1(?!`)/g, "");
    expect(markdown).toContain("<img");
    expect(outside).not.toMatch(/[<>@#[\]`](?<!^#+)/m);
    expect(markdown.split("\n").filter((line) => line.startsWith("#"))).toHaveLength(1);
    for (const line of markdown.split("\n").filter((each) => each.startsWith("| "))) {
      expect(line.replaceAll("\\|", "").match(/\|/g), line).toHaveLength(4);
    }
    const { stdout: json } = await bench.run(["scopes", "--json"]);
    expect(json).toMatch(/^[\n\x20-\x7e]+$/);
    expect(json).not.toContain("##[");
    expect(
      JSON.parse(json).own[0].reasons.map(({ address }: { address: string }) => address),
    ).toContain(`digitalocean_ssh_key.${name}`);
    const { stdout: text } = await bench.run(["scopes"]);
    expect(`${markdown}${text}`).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]|##\[/);
    expect(text.split("\n")).toHaveLength(7);
  });

  it("account.team in the config also needs account:read", async () => {
    const bench = await repo();
    await bench.write(".do-bootstraprc", "account: { team: x }\n");
    expect((await documentOf(bench)).scopes).toEqual(["account:read", ...NEEDED]);
  });

  it("several roots at once", async () => {
    const bench = await repo();
    await bench.write("dns/main.tf", 'data "digitalocean_domain" "d" {\n  name = "x.example"\n}\n');
    expect((await documentOf(bench, "infra", "dns")).scopes).toEqual(["domain:read", ...NEEDED]);
  });

  it.each<[string, string, string]>([
    [
      "a module that is not installed",
      'module "m" {\n  source = "a/b/c"\n}\n',
      "terraform.unseen-module",
    ],
    ["an unknown type", 'resource "digitalocean_moon" "m" {}\n', "terraform.unknown-type"],
    ["a file with a syntax error", 'resource "digitalocean_ssh_key" "b" {\n', "terraform.broken"],
  ])("%s is reported", async (_, text, id) => {
    const bench = await repo();
    await bench.write("infra/more.tf", text);
    const { findings, status } = await documentOf(bench);
    expect(findings.map((finding: { id: string }) => finding.id)).toEqual([id]);
    expect(status).toBe(0);
    expect((await bench.run(["scopes"])).stdout).not.toContain("has them all");
    expect((await documentOf(bench, "--strict")).status).toBe(3);
  });
});

/** A module that needs domain:read, as init installs it; the code may ask for another release. */
async function broughtByInit(bench: Workbench, source: string, ref: string): Promise<void> {
  const asked = source.replace(/\?.*/, ref);
  const entry = { Key: "m", Source: source, Dir: ".terraform/modules/m" };
  await bench.write("infra/m.tf", `module "m" {\n  source = "${asked}"\n}\n`);
  await bench.write("infra/.terraform/modules/m/main.tf", 'data "digitalocean_domain" "d" {}\n');
  await bench.write("infra/.terraform/modules/modules.json", JSON.stringify({ Modules: [entry] }));
}

describe("compared with the token", () => {
  it.each<[scopes: string[], status: number, ids: string[]]>([
    [NEEDED, 0, []],
    [["read", "write"], 0, ["token.more-than-needed"]],
    [["read"], 5, ["token.lacks-scopes", "token.more-than-needed"]],
    [NEEDED.slice(1), 5, ["token.lacks-scopes"]],
    [[...NEEDED, "droplet:delete"], 0, ["token.more-than-needed"]],
  ])("%j: %i", async (scopes, status, ids) => {
    const bench = await repo(scopes);
    const document = await documentOf(bench);
    expect(document.status).toBe(status);
    expect(document.findings.map((finding: { id: string }) => finding.id)).toEqual(ids);
    const { stdout } = await bench.run(["scopes"]);
    expect(stdout).not.toContain(bench.token);
    if (status === 0) expect(stdout).toContain("has them all.");
  });

  it("without Terraform code, does not call any scope unneeded", async () => {
    const bench = await repo(["read", "write"]);
    await bench.write("infra/main.tf", "");
    const { stdout } = await bench.run(["scopes"]);
    expect(stdout).toContain("other uses of the token (no Terraform code found)");
    expect(stdout).not.toMatch(/delete this one|has them all/i);
  });

  it.each<[what: string, prepare: (bench: Workbench) => Promise<unknown>, gap: string]>([
    [
      "a module that is not installed",
      (bench) => bench.write("infra/m.tf", 'module "m" {\n  source = "a/b/c"\n}\n'),
      "modules that are not installed (module.m (a/b/c))",
    ],
    [
      "a module in another version than the installed one",
      (bench) => broughtByInit(bench, "git::https://example.com/m.git?ref=v1", "?ref=v2"),
      "modules that are not installed (module.m (git::https://example.com/m.git?ref=v2))",
    ],
    [
      "a module with a computed source",
      (bench) => bench.write("infra/m.tf", 'module "m" {\n  source = var.from\n}\n'),
      "modules that are not installed (module.m (var.from))",
    ],
    [
      "files that only OpenTofu reads",
      (bench) => bench.write("infra/more.tofu", 'resource "digitalocean_domain" "d" {}\n'),
      "files that only OpenTofu reads, because the config names no tool (more.tofu)",
    ],
    [
      "a file with a syntax error",
      (bench) => bench.write("infra/b.tf", 'resource "digitalocean_ssh_key" "b" {\n'),
      "files that could not be read in full (b.tf)",
    ],
    [
      "an unknown type",
      (bench) => bench.write("infra/t.tf", 'resource "digitalocean_moon" "m" {}\n'),
      "unknown resource types (digitalocean_moon.m)",
    ],
    [
      "another root",
      async (bench) => {
        await bench.write("dns/main.tf", 'resource "digitalocean_domain" "d" {}\n');
        await bench.write("do-bootstrap.config.yaml", "terraform: { dir: infra }\n");
      },
      "Terraform code in other folders (dns)",
    ],
    [
      "another root that git ignores, and one in a nested repo",
      async (bench) => {
        await bench.write(".gitignore", ".env\n/own/\n");
        await bench.write("own/main.tf", 'resource "digitalocean_domain" "d" {}\n');
        await bench.write("n/main.tf", 'resource "digitalocean_domain" "d" {}\n');
        await bench.git("init", "--quiet", "n");
      },
      "Terraform code in other folders (n, own)",
    ],
    [
      "a submodule and a root that are not on disk",
      async (bench) => {
        await bench.write("gone/main.tf", 'resource "digitalocean_domain" "d" {}\n');
        await bench.git("add", "gone");
        await rm(join(bench.repo, "gone"), { recursive: true });
        const entry = `160000,${"1".repeat(40)},sub`;
        await bench.git("update-index", "--add", "--cacheinfo", entry);
      },
      "Terraform code in other folders (gone, sub)",
    ],
    [
      "a module whose folder contains no code",
      async (bench) => {
        await bench.write("infra/m.tf", 'module "m" {\n  source = "./m"\n}\n');
        await bench.write("infra/m/README.md", "");
      },
      "modules that are not installed (module.m (./m))",
    ],
  ])(
    "with %s: says what was not checked, and does not advise to delete the token",
    async (_, prepare, gap) => {
      const bench = await repo(["read", "write"]);
      await prepare(bench);
      for (const command of ["scopes", "check"]) {
        const { stdout } = await bench.run([command]);
        const text = stdout.replace(/\s+/g, " ");
        expect(text).toContain(`than the checked code needs (full access). Not checked: ${gap}`);
        expect(text).not.toMatch(/delete this one/i);
      }
    },
  );

  it("counts an installed module, and advises to delete a token with more scopes", async () => {
    const bench = await repo(["read", "write"]);
    await broughtByInit(bench, "git::https://example.com/m.git?ref=v1", "?ref=v1");
    const { scopes, unseen, own } = await documentOf(bench);
    expect({ scopes, unseen }).toEqual({ scopes: ["domain:read", ...NEEDED], unseen: [] });
    expect(own[0].reasons[0]).toMatchObject({
      address: "module.m.data.digitalocean_domain.d",
      place: { file: ".terraform/modules/m/main.tf", line: 1 },
    });
    for (const command of ["scopes", "check"]) {
      const { stdout } = await bench.run([command]);
      expect(stdout.replace(/\s+/g, " ")).toContain("Delete this one if nothing else uses it");
    }
  });

  it("--strict makes unneeded scopes an error", async () => {
    const bench = await repo([...NEEDED, "droplet:delete"]);
    expect((await bench.run(["scopes", "--strict"])).status).toBe(3);
  });

  it("a revoked token is not compared", async () => {
    const bench = await repo(NEEDED);
    bench.sandbox.revoke(bench.token);
    const { status, stdout } = await bench.run(["scopes"]);
    expect(status).toBe(4);
    expect(stdout).toContain("[token.refused]");
    expect(stdout).toContain("ssh_key:create");
  });
});

describe("init and check give the same answer", () => {
  const idsOf = (text: string): string[] =>
    Array.from(text.matchAll(/\[(token\.[a-z-]+)\]/g), ([, id = ""]) => id);

  it.each<[scopes: string[], status: number, ids: string[]]>([
    [NEEDED, 0, []],
    [[...NEEDED, "account:read"], 0, []],
    [["read", "write"], 0, ["token.more-than-needed"]],
    [["read"], 5, ["token.lacks-scopes", "token.more-than-needed"]],
  ])("%j: %i", async (scopes, status, ids) => {
    const bench = await repo(scopes);
    const made = await bench.run(["init", "--yes"]);
    expect({ status: made.status, ids: idsOf(made.stderr) }).toEqual({ status, ids });
    const written = await bench.read("infra/do-bootstrap.tf").catch(() => undefined);
    expect(written === undefined).toBe(status !== 0);
    const { status: seen, stdout } = await bench.run(["check"]);
    expect({ status: seen, ids: idsOf(stdout) }).toEqual({ status, ids });
    if (status === 0) {
      const strict = await bench.run(["check", "--strict"]);
      expect(strict.status).toBe(ids.length > 0 ? 3 : 0);
    }
  });

  it("a token is not compared with code that needs no scope", async () => {
    const bench = await repo(["droplet:read"]);
    await bench.write("infra/main.tf", "");
    const { status, stderr } = await bench.run(["init", "--yes"]);
    expect({ status, ids: idsOf(stderr) }).toEqual({ status: 0, ids: [] });
  });

  it("scopes that DigitalOcean does not return cause no finding", async () => {
    const bench = await repo(["droplet:read"]);
    bench.sandbox.answer("GET /v1/oauth/token/info", { status: 404, body: "{}" });
    const { status, stdout } = await bench.run(["check", "--json"]);
    expect(status).toBe(3);
    expect(idsOf(stdout)).toEqual([]);
    expect(stdout).not.toContain("scopes.");
  });
});

it.each([
  [["nowhere"], /nowhere is not a folder, or is empty/],
  [["nowhere", "--env", "prod"], /: do-bootstrap scopes --env prod infra\n/],
  [["--for", "lunch"], /--for lunch: invalid value/],
  [["--format", "pdf"], /--format pdf: invalid value/],
])("scopes %j is a usage error", async (args, says) => {
  const bench = await repo();
  await bench.write(".do-bootstraprc", "environments: { prod: {} }\n");
  const { status, stderr } = await bench.run(["scopes", ...args]);
  expect(status).toBe(2);
  expect(stderr).toMatch(says);
});
