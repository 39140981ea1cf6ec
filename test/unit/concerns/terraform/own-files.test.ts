import { describe, expect, it } from "vitest";
import { planCommands } from "../../../../src/concerns/terraform/commands.ts";
import { observeRoot } from "../../../../src/concerns/terraform/observe.ts";
import { planTerraform } from "../../../../src/concerns/terraform/plan.ts";
import { generate } from "../../../../src/core/generated.ts";
import { joined } from "../../../../src/core/plan.ts";
import {
  afterwards,
  consent,
  facts,
  filesOf,
  type Given,
  planned,
} from "../../../fixtures/facts.ts";
import { older } from "../../../fixtures/generated.ts";
import { PERSONAL } from "../../samples.ts";

async function plan(given: Given) {
  const known = await facts(given);
  const [root] = known.terraform.roots;
  if (root === undefined) throw new Error("There is no root.");
  const files = joined([planTerraform(known, root, consent())]);
  return { root, files, commands: planCommands(known, root, files) };
}

const CONFIG = "terraform: {}";
const ON_SPACES = "terraform: { backend: { bucket: acme, region: nyc3, key: web.tfstate } }";
const KEYS = { SPACES_ACCESS_KEY_ID: "id", SPACES_SECRET_ACCESS_KEY: "s3cr3t" };

/** A finished root. */
async function done(given: Given): Promise<Given> {
  const ready = {
    ...given,
    files: { "infra/.terraform/providers/x": "", "infra/.terraform.lock.hcl": "", ...given.files },
  };
  return afterwards(ready, (await plan(ready)).files);
}

const DONE = await done({ config: CONFIG });
const ENV = await done({ config: "terraform: { credentials: env, variables: { region: nyc3 } }" });
const BACKEND = await done({ config: ON_SPACES, env: KEYS });
const MISSING = await done({ config: CONFIG, files: { "infra/main.tf": "" } });

const textOf = ({ files = {} }: Given, name: string) => {
  const entry = files[`infra/${name}`];
  return typeof entry === "object" && "text" in entry ? String(entry.text) : String(entry);
};
/** A text under our header, with a matching hash. */
const forged = (text: string) => generate(`# template: 1\n${text}\n`, {});
const provider = (body: string) => `provider "digitalocean" {\n${body}\n}`;

describe("a file under our header with a matching hash is still checked", () => {
  const HARD = ["error terraform.hard-coded-token", "info terraform.edited"];
  it.each<[what: string, name: string, text: string, expected: readonly string[]]>([
    ["a token in the provider", "provider.tf", provider(`token = "${PERSONAL}"`), HARD],
    [
      "a token with an escape",
      "provider.tf",
      provider(`token = "\\u0064${PERSONAL.slice(1)}"`),
      HARD,
    ],
    [
      "a token as a default",
      "variables.tf",
      `variable "do_token" {\n  ephemeral = true\n  default = "${PERSONAL}"\n}`,
      HARD,
    ],
    [
      "a token in a file with a name that we do not use",
      "x.tf",
      provider(`token = "${PERSONAL}"`),
      HARD.slice(0, 1),
    ],
    [
      "another API host",
      "provider.tf",
      provider('token = var.do_token\napi_endpoint = "https://evil.example"'),
      ["info terraform.edited"],
    ],
    [
      "another provider",
      "versions.tf",
      'terraform {\nrequired_providers {\ndigitalocean = {\nsource = "evil/digitalocean"\n}\n}\n}',
      ["warning terraform.no-source", "info terraform.edited"],
    ],
    [
      "a resource that runs a program",
      "variables.tf",
      'resource "null_resource" "x" {\n  provisioner "local-exec" {\n command = "x"\n}\n}',
      ["info terraform.edited"],
    ],
    ["code that can't be parsed", "versions.tf", "terraform {", ["warning terraform.broken"]],
    [
      "HCP Terraform",
      "versions.tf",
      'terraform {\n  cloud {\n    organization = "evil"\n  }\n}',
      ["info terraform.edited"],
    ],
  ])("%s", async (_, name, text, expected) => {
    const { files } = await plan({
      ...DONE,
      files: { ...DONE.files, [`infra/${name}`]: forged(text) },
    });
    expect(planned(files)).toEqual(expect.arrayContaining([...expected]));
    expect(planned(files).join()).not.toContain(`~ infra/${name}`);
  });

  const s3 = (host: string) =>
    `terraform {\nbackend "s3" {\nbucket = "b"\nkey = "k"\nendpoints = {\ns3 = "https://${host}"\n}\n}\n}`;
  it.each<[what: string, given: Given, name: string, text: string, why: RegExp]>([
    [
      "without a backend in the config",
      DONE,
      "backend.tf",
      s3("evil.example"),
      /its own backend \(s3\)/,
    ],
    [
      "on Spaces, without a backend in the config",
      DONE,
      "backend.tf",
      s3("nyc3.digitaloceanspaces.com"),
      /backend\.tf has a different backend from the config/,
    ],
    [
      "with a backend on Spaces in the config",
      BACKEND,
      "backend.tf",
      s3("evil.example"),
      /its own backend \(s3\)/,
    ],
    ["in another file", DONE, "versions.tf", s3("nyc3.digitaloceanspaces.com"), /its own backend/],
    [
      "with a comment in the block",
      DONE,
      "provider.tf",
      'terraform {\nbackend /**/ "http" {}\n}',
      /\(http\)/,
    ],
  ])("does not start Terraform for a foreign backend: %s", async (...row) => {
    const [, given, name, text, why] = row;
    const files = { ...given.files, [`infra/${name}`]: forged(text) };
    const { commands } = await plan({
      ...given,
      files: { ...files, "infra/.terraform/providers/x": undefined },
    });
    expect(planned(commands)).toEqual(["info terraform.by-hand"]);
    expect(commands.findings?.[0]?.message).toMatch(why);
  });
});

describe("our provider block uses the root's local name", () => {
  const named = (name: string) =>
    `terraform {\nrequired_providers {\n${name} = { source = "digitalocean/digitalocean" }\n}\n}\n`;
  const given = (name: string) => ({ config: CONFIG, files: { "infra/main.tf": named(name) } });
  const block = (repo: Given) => /^provider .*/m.exec(textOf(repo, "do-bootstrap.tf"))?.[0];

  it.each(["do", "digitalocean", "tf-do"])("%s", async (name) => {
    const first = await done(given(name));
    expect(block(first)).toBe(`provider "${name}" {`);
    expect(planned((await plan(first)).files)).toEqual([]);
  });

  it("and is updated when the name changes", async () => {
    const first = await done(given("do"));
    const changed = { ...first, files: { ...first.files, ...given("ocean").files } };
    const { files } = await plan(changed);
    expect(planned(files)).toEqual(["~ infra/do-bootstrap.tf"]);
    expect(block(afterwards(changed, files))).toBe('provider "ocean" {');
  });

  it("nothing is added if another provider has the usual name", async () => {
    const main = named("digitalocean").replace('"digitalocean/', '"acme/');
    const { files, root } = await plan({ config: CONFIG, files: { "infra/main.tf": main } });
    expect(planned(files)).toEqual(["warning terraform.no-source"]);
    expect(root.module.localNames).toEqual([]);
  });
});

describe("our variable is ephemeral unless that would break the code", () => {
  const inModule = 'module "m" {\n  source = "./m"\n  token = var.do_token\n}\n';
  const theirs = (more: string) => ({ "infra/m/main.tf": `variable "token" {${more}}\n` });

  it.each<[what: string, main: string, more: Given["files"], isEphemeral: boolean]>([
    ["nothing uses it", "", {}, true],
    [
      "a provisioner",
      'resource "a" "b" {\n  provisioner "x" {\n    y = var.do_token\n  }\n}\n',
      {},
      true,
    ],
    ["a resource", 'resource "a" "b" {\n  y = [var.do_token]\n}\n', {}, false],
    ["an output", 'output "t" {\n  value = "x${var.do_token}"\n}\n', {}, false],
    ["a module", inModule, theirs(""), false],
    ["a module with an ephemeral variable", inModule, theirs("\nephemeral = true\n"), true],
    ["a remote module", inModule.replace("./m", "acme/m/do"), {}, false],
  ])("%s", async (_, main, more, isEphemeral) => {
    const first = await done({ config: CONFIG, files: { "infra/main.tf": main, ...more } });
    const text = textOf(first, "do-bootstrap.tf");
    expect(text).toContain('variable "do_token" {');
    expect(/ephemeral += true/.test(text)).toBe(isEphemeral);
    expect(text.includes("required_version")).toBe(isEphemeral);
    expect(planned((await plan(first)).files)).toEqual(
      isEphemeral ? [] : ["warning terraform.not-ephemeral"],
    );
  });

  it("an ephemeral one is rewritten when a resource starts to use it", async () => {
    const main = 'resource "a" "b" {\n  y = var.do_token\n}\n';
    const { files } = await plan({
      ...MISSING,
      files: { ...MISSING.files, "infra/main.tf": main },
    });
    expect(planned(files)).toEqual(["warning terraform.not-ephemeral", "~ infra/do-bootstrap.tf"]);
  });
});

describe("a file from an older template is updated", () => {
  it.each<[what: string, given: Given, name: string, words: string, others: string]>([
    ["another provider version", DONE, "versions.tf", "~> 2.0", "~> 1.0"],
    ["another variable", DONE, "provider.tf", "var.do_token", "var.other"],
    ["another bucket", BACKEND, "backend.tf", '"acme"', '"other"'],
    ["another value", ENV, "variables.tf", "region", "size"],
    ["another provider version in do-bootstrap.tf", MISSING, "do-bootstrap.tf", "~> 2.0", "~> 1.0"],
  ])("%s", async (_, given, name, words, others) => {
    const text = older(textOf(given, name), words, others);
    const { files } = await plan({ ...given, files: { ...given.files, [`infra/${name}`]: text } });
    expect(planned(files)).toEqual([`~ infra/${name}`]);
  });

  it.each<[name: string, given: Given, words: string]>([
    ["provider.tf", DONE, "# The token"],
    ["variables.tf", DONE, "# Ephemeral"],
    ["backend.tf", BACKEND, "    # Spaces is not AWS"],
    ["do-bootstrap.tf", MISSING, "# Blocks"],
  ])("but not if only comments differ: %s", async (name, given, words) => {
    const text = older(textOf(given, name), words, `${words} then`);
    const { files } = await plan({ ...given, files: { ...given.files, [`infra/${name}`]: text } });
    expect(planned(files)).toEqual([]);
  });
});

it.each<[what: string, given: Given]>([
  ["with tfvars", DONE],
  ["with credentials: env and values", ENV],
  ["with a backend", BACKEND],
])("no file of a finished root counts as edited: %s", async (_, given) => {
  const { terraform, config } = await facts(given);
  const [root] = config.roots;
  if (root === undefined) throw new Error("There is no root.");
  const template = (name: string) =>
    terraform.templates[name.replace("terraform/", "") as keyof typeof terraform.templates];
  const found = await observeRoot({ files: filesOf(given), env: {}, template }, root);
  expect([...found.own.values()].map(({ edited }) => edited)).not.toContain(true);
  expect(found.own.size).toBeGreaterThan(0);
});
