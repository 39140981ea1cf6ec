import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { describeModule, NO_MODULE } from "../../../../src/concerns/terraform/root/module.ts";
import { readHcl } from "../../../../src/hcl/hcl.ts";
import { loadHclParser } from "../../../../src/host/hcl.ts";

const parse = await loadHclParser(fileURLToPath(new URL("../../../..", import.meta.url)));
const T = `dop_v1_${"0a".repeat(32)}`;

function module(...texts: string[]) {
  return describeModule(texts.map((text, i) => readHcl(parse, text, `${i}.tf`)));
}

describe("providers", () => {
  const none = { alias: undefined, variable: undefined, hasToken: false, isHardCoded: false };

  it.each([
    ["", none],
    ["token = var.x", { ...none, variable: "x", hasToken: true }],
    ['token = "${var.x}"', { ...none, variable: "x", hasToken: true }],
    ["token = local.x", { ...none, hasToken: true }],
    ["token = data.a.b.c", { ...none, hasToken: true }],
    ["token = null", none],
    ['token = ""', { ...none, hasToken: true }],
    [`token = "${T}"`, { ...none, hasToken: true, isHardCoded: true }],
    ['token = "CHANGE ME"', { ...none, hasToken: true, isHardCoded: true }],
    ['alias = "eu"\ntoken = var.x', { ...none, alias: "eu", variable: "x", hasToken: true }],
  ])("%j", (body, expected) => {
    const { providers } = module(`\nprovider "digitalocean" {\n${body}\n}`);
    expect(providers).toEqual([{ ...expected, place: { file: "0.tf", line: 2 } }]);
  });

  it("of all files, and of nobody else", () => {
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

describe("required_providers", () => {
  it.each([
    ["", undefined],
    ['aws = { source = "hashicorp/aws" }', undefined],
    ['digitalocean = { source = "digitalocean/digitalocean" }', "digitalocean/digitalocean"],
    ['digitalocean = {\nsource : "a/b"\nversion : "~> 2"\n}', "a/b"],
    ['digitalocean = "~> 1.0"', null],
    ['digitalocean = { version = "~> 1.0" }', null],
    ["digitalocean = {}", null],
  ])("%j has the source %j", (body, source) => {
    const { requiredProviders } = module(`terraform {\nrequired_providers {\n${body}\n}\n}`);
    expect(requiredProviders).toEqual({ source, place: { file: "0.tf", line: 2 } });
  });

  it("none", () => {
    expect(module("terraform {}\nrequired_providers {}").requiredProviders).toBeUndefined();
  });
});

describe("the rest", () => {
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
    ['variable "x" {\n  default = "dop_v1_..."\n}', []],
    ['variable "x" {\n  default = "nyc3"\n}', []],
    [`output "x" {\n  default = "${T}"\n}`, []],
  ])("the tokens in %j", (text, expected) => {
    const { hardCoded } = module(text);
    expect(hardCoded.map(({ place, where }) => `${place.file}:${place.line} ${where}`)).toEqual(
      expected,
    );
  });

  it("broken files, each by its first place; the others count", () => {
    const { broken, variables } = module("a {", 'variable "x" {}', "b = = 1\n");
    expect(broken.map(({ file }) => file)).toEqual(["0.tf", "2.tf"]);
    expect([...variables.keys()]).toEqual(["x"]);
  });

  it("no file, no facts", () => {
    expect(module()).toEqual(NO_MODULE);
    expect(module("", "# x")).toEqual(NO_MODULE);
  });
});
