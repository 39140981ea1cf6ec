import { describe, expect, it } from "vitest";
import { describeModule } from "../../../../src/concerns/terraform/root/describe-module.ts";
import { NO_MODULE } from "../../../../src/concerns/terraform/root/module.ts";
import { readHcl } from "../../../../src/hcl/hcl.ts";

const OLD = "0a".repeat(32);
const T = `dop_v1_${OLD}`;

function module(...texts: string[]) {
  return describeModule(
    texts.map((text, i) => readHcl(text, `${i}.tf`)),
    "do_token",
  );
}

describe("providers", () => {
  it.each([
    ["", "environment"],
    ["token = var.x", "var.x"],
    ['token = "${var.x}"', "var.x"],
    ["token = trimspace(var.x)", "var.x"],
    ["token = local.x", "var.y"],
    ["token = local.none", "not followed: local.none has no plain value in a locals block"],
    ["token = data.a.b.c", "not followed: it comes from data.a.b"],
    ["token = null", "environment"],
    ['token = ""', "no way"],
    [`token = "${T}"`, "provider 3"],
    ['token = "CHANGE ME"', "provider 3"],
    ["token = local.written", "local 7"],
    ['alias = "eu"\ntoken = var.x', "eu var.x"],
  ])("%j: the token's source is %s", (body, expected) => {
    const locals = `locals {\nx = var.y\nwritten = "CHANGE ME"\n}`;
    const { providers } = module(`\nprovider "digitalocean" {\n${body}\n}\n${locals}`);
    const [{ alias, variable, unclear, written, hasToken, place } = {}] = providers;
    const from =
      (variable && `var.${variable}`) ??
      (unclear && `not followed: ${unclear.why}`) ??
      (written && `${written.kind} ${written.place.line}`) ??
      (hasToken ? "no way" : "environment");
    expect([alias, from].filter(Boolean).join(" ")).toBe(expected);
    expect(place).toEqual({ file: "0.tf", line: 2 });
  });

  it("are found in all files, without other providers", () => {
    const { providers } = module(
      'provider "digitalocean" {}\nprovider "aws" {\n  token = "x"\n}',
      'provider digitalocean {\n  alias = "b"\n}\nresource "provider" "digitalocean" {}',
    );
    expect(providers.map(({ alias, place }) => [alias, place.file])).toEqual([
      [undefined, "0.tf"],
      ["b", "1.tf"],
    ]);
  });
});

it("an override file counts, whatever its name starts with", () => {
  const source = (namespace: string) =>
    `terraform {\n  required_providers {\n    digitalocean = {\n      source = "${namespace}/digitalocean"\n    }\n  }\n}\n`;
  const files = [
    readHcl(source("evil"), "a_override.tf"),
    readHcl(source("digitalocean"), "main.tf"),
  ];
  expect(describeModule(files).localNames).toEqual([]);
});

describe("required_providers", () => {
  const ours = 'source = "digitalocean/digitalocean"';

  /** The local names of our provider, and the source in the entry `digitalocean`. */
  it.each<[string, string, string | null | undefined]>([
    ["", "digitalocean", undefined],
    ['aws = { source = "hashicorp/aws" }', "digitalocean", undefined],
    [`digitalocean = { ${ours} }`, "digitalocean", "digitalocean/digitalocean"],
    [`do = { ${ours} }`, "do", undefined],
    [`do = {\n${ours}\nversion : "~> 2"\n}`, "do", undefined],
    [`a = { ${ours} }\nb = { ${ours} }`, "a b", undefined],
    [`a = { ${ours} }\ndigitalocean = { ${ours} }`, "digitalocean a", "digitalocean/digitalocean"],
    ['do = { source = "registry.OpenTofu.org/DigitalOcean/digitalocean" }', "do", undefined],
    ['do = { source = "tf.acme.example/digitalocean/digitalocean" }', "do", undefined],
    ['do = { source = "tf.acme.example:8443/digitalocean/digitalocean" }', "do", undefined],
    ['do = { source = "löcal.example/digitalocean/digitalocean" }', "do", undefined],
    ['do = { source = "localhost/digitalocean/digitalocean" }', "do", undefined],
    ['do = { source = "acme.example/x/digitalocean/digitalocean" }', "digitalocean", undefined],
    ['do = { source = "evil/digitalocean" }', "digitalocean", undefined],
    ['do = { source = "/digitalocean/digitalocean" }', "digitalocean", undefined],
    ['digitalocean = { source = "acme/digitalocean" }', "", "acme/digitalocean"],
    [
      'digitalocean = { source = "tf.example/hashicorp/digitalocean" }',
      "",
      "tf.example/hashicorp/digitalocean",
    ],
    [
      `digitalocean = { source = "acme/digitalocean" }\ndo = { ${ours} }`,
      "do",
      "acme/digitalocean",
    ],
    ['digitalocean = "~> 1.0"', "digitalocean", null],
    ['digitalocean = { version = "~> 1.0" }', "digitalocean", null],
    ["digitalocean = {}", "digitalocean", null],
    [
      'digitalocean = { source = "hashicorp/digitalocean" }',
      "digitalocean",
      "hashicorp/digitalocean",
    ],
    ['digitalocean = { source = "digitalocean" }', "digitalocean", "digitalocean"],
  ])("%j gives the local names %j", (body, names, source) => {
    const found = module(`terraform {\nrequired_providers {\n${body}\n}\n}`);
    expect(found.localNames.join(" ")).toBe(names);
    expect(found.requiredProviders).toMatchObject({ source, place: { file: "0.tf", line: 2 } });
  });

  it("without an entry, the local name is digitalocean", () => {
    const { requiredProviders, localNames } = module("terraform {}\nrequired_providers {}");
    expect(requiredProviders).toBeUndefined();
    expect(localNames).toEqual(["digitalocean"]);
  });

  it("the local names select our provider blocks, also in another file", () => {
    const blocks = 'provider "do" {}\nprovider "digitalocean" {}\nprovider "eu" {}\n';
    const both = `terraform {\nrequired_providers {\ndo = { ${ours} }\neu = { ${ours} }\n}\n}`;
    expect(module(blocks, both).providers.map(({ name }) => name)).toEqual(["do", "eu"]);
  });
});

describe("other facts about a module", () => {
  it.each([
    ["", []],
    ['terraform {\nrequired_version = ">= 1.5"\n}', [">= 1.5"]],
    [
      'terraform {\nrequired_version = ">= 1.5"\n}\nterraform {\nrequired_version = "< 2"\n}',
      [">= 1.5", "< 2"],
    ],
    ['required_version = ">= 1.5"', []],
    ["terraform {\nrequired_version = var.x\n}", []],
  ])("required_version of %j", (text, expected) => {
    expect(module(text).requiredVersions).toEqual(expected);
  });

  it.each([
    ["", undefined, undefined],
    ['terraform {\nbackend "s3" {}\n}', 2, undefined],
    ["terraform {\ncloud {}\n}", undefined, 2],
    ["terraform {}\nterraform {\ncloud {\n}\n}", undefined, 3],
    ['terraform {\nbackend "remote" {}\n}', undefined, 2],
    ['resource "a" "b" {\ncloud {}\nbackend {}\n}', undefined, undefined],
  ])("backend and cloud of %j", (text, backend, cloud) => {
    const found = module(text);
    expect([found.backend?.place.line, found.cloud?.line]).toEqual([backend, cloud]);
  });

  it.each([
    ["", { ephemeral: false, sensitive: false, hasDefault: false }],
    ["ephemeral = true", { ephemeral: true, sensitive: false, hasDefault: false }],
    ["sensitive = true\ndefault = null", { ephemeral: false, sensitive: true, hasDefault: true }],
    [
      "ephemeral = false\nsensitive = var.x",
      { ephemeral: false, sensitive: false, hasDefault: false },
    ],
  ])("a variable with %j", (body, expected) => {
    const { variables } = module(`variable "x" {\n${body}\n}`);
    const place = { file: "0.tf", line: 1 };
    expect([...variables]).toEqual([["x", { ...expected, place }]]);
  });

  it.each([
    [`provider "digitalocean" {\n  token = "${T}"\n}`, ['0.tf:2 provider "digitalocean"']],
    ['provider "digitalocean" {\n  token = "x"\n}', ['0.tf:2 provider "digitalocean"']],
    ['provider "digitalocean" {\n  token = ""\n}', []],
    [`provider "digitalocean" {\n  # token = "${T}"\n}`, []],
    [`variable "x" {\n  default = "${T}"\n}`, ['0.tf:2 variable "x"']],
    [`variable "x" {\n  default = "${T.replace("dop", "doo")}"\n}`, ['0.tf:2 variable "x"']],
    [`variable "x" {\n  default = "${T}0"\n}`, []],
    [`variable "x" {\n  default = {\n    a = ["${T}"]\n  }\n}`, ['0.tf:3 variable "x"']],
    [`locals {\n  a = "${T}"\n  b = { c = "${T}" }\n}`, ["0.tf:2 local.a", "0.tf:3 local.b"]],
    [`module "m" {\n  source = "./m"\n  t = "${T}"\n}`, ["0.tf:3 t of module.m"]],
    [
      `resource "a" "b" {\n  provisioner "local-exec" {\n    environment = { T = "${T}" }\n  }\n}`,
      ["0.tf:3 environment of a.b"],
    ],
    [`data "a" "b" {\n  x { y = "${T}" }\n}`, ["0.tf:2 y of data.a.b"]],
    [`provider "helm" {\n  password = "${T}"\n}`, ['0.tf:2 password of provider "helm"']],
    [`terraform {\n  x = "${T}"\n}`, ["0.tf:2 x of terraform"]],
    [`locals {\n  do_token = "${OLD}"\n  sha256 = "${OLD}"\n}`, ["0.tf:2 local.do_token"]],
    [`locals {\n  a = { token = "${OLD}", sum = "${OLD}" }\n}`, ["0.tf:2 local.a"]],
    [`locals {\n  github_token = "${OLD}"\n}`, []],
    [`variable "do-token" {\n  default = "${OLD}"\n}`, ['0.tf:2 variable "do-token"']],
    [`variable "digest" {\n  default = "${OLD}"\n}`, []],
    [`module "m" {\n  token = "${OLD}"\n}`, ["0.tf:2 token of module.m"]],
    [`provider "linode" {\n  token = "${OLD}"\n}`, []],
    [`resource "vault_x" "y" {\n  token = "${OLD}"\n}`, []],
    [
      `resource "helm_release" "y" {\n  set { do_token = "${OLD}" }\n}`,
      ["0.tf:2 do_token of helm_release.y"],
    ],
    [`resource "digitalocean_x" "y" {\n  key = "${OLD}"\n}`, []],
    ['variable "x" {\n  default = "dop_v1_..."\n}', []],
    ['variable "x" {\n  default = "nyc3"\n}', []],
    [`output "x" {\n  value = "${T}"\n}`, ['0.tf:2 value of output "x"']],
    [
      `terraform {\nrequired_providers {\ndo = { source = "digitalocean/digitalocean" }\n}\n}\nprovider "do" {\n  token = "${T}"\n}`,
      ['0.tf:7 provider "do"'],
    ],
    [
      'provider "digitalocean" {\n  token = local.t\n}\nprovider "digitalocean" {\n  alias = "b"\n  token = local.t\n}\nlocals {\n  t = "x"\n}',
      ['0.tf:9 a local that holds the token of provider "digitalocean"'],
    ],
  ])("the tokens in %j", (text, expected) => {
    const { hardCoded } = module(text);
    expect(hardCoded.map(({ place, where }) => `${place.file}:${place.line} ${where}`)).toEqual(
      expected,
    );
  });

  it.each<[what: string, code: string, expected: readonly string[]]>([
    ["no variable", 'resource "a" "b" {\nc = 1\n}', []],
    ["a declared variable", 'variable "x" {}\nlocals {\ny = var.x\n}', []],
    ["an undeclared variable", 'resource "a" "b" {\nc = var.x\n}', ["x 2"]],
    ["in a nested block", 'resource "a" "b" {\nc {\nd {\ne = [var.x]\n}\n}\n}', ["x 4"]],
    ["in a template", 'output "o" {\nvalue = "a-${var.x}"\n}', ["x 2"]],
    ["in a heredoc", 'output "o" {\nvalue = <<E\na ${var.x}\nE\n}', ["x 2"]],
    ["at its first place", "locals {\na = var.x\nb = var.x\nc = var.y\n}", ["x 2", "y 4"]],
    ["in the provider's token", 'provider "digitalocean" {\ntoken = var.x\n}', ["x 2"]],
    ["not: the text of a string", 'output "o" {\nvalue = "var.x $${var.y}"\n}', []],
    ["not: part of another reference", "locals {\na = each.value.var.x\n}", []],
    ["not: a comment", "locals {\na = 1 # var.x\n}", []],
  ])("variables that no file declares: %s", (_, code, expected) => {
    const { undeclared } = module(code);
    expect([...undeclared].map(([name, { line }]) => `${name} ${line}`)).toEqual(expected);
  });

  it("broken files are listed, and the other files count", () => {
    const { broken, variables } = module("a {", 'variable "x" {}', "b = = 1\n");
    expect(broken.map(({ file }) => file)).toEqual(["0.tf", "2.tf"]);
    expect([...variables.keys()]).toEqual(["x"]);
  });

  it("without code, there are no facts", () => {
    expect(module()).toEqual(NO_MODULE);
    expect(module("", "# x")).toEqual(NO_MODULE);
  });
});
