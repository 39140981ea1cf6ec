import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { TerraformRootConfig } from "../../../../src/concerns/config/resolved.ts";
import { describeModule } from "../../../../src/concerns/terraform/root/module.ts";
import { needsOf } from "../../../../src/concerns/terraform/root/needs.ts";
import { readHcl } from "../../../../src/hcl/hcl.ts";
import { loadHclParser } from "../../../../src/host/hcl.ts";

const parse = await loadHclParser(fileURLToPath(new URL("../../../..", import.meta.url)));
const REQUIRED = "terraform {\nrequired_providers {}\n}\n";
const VARIABLE = 'variable "do_token" {}\n';
const EMPTY = 'provider "digitalocean" {}\n';
const FULL = `${REQUIRED}${VARIABLE}${provider("var.do_token")}`;
const ALL = "required_providers, provider, do_token";

function provider(token: string): string {
  return `provider "digitalocean" {\ntoken = ${token}\n}\n`;
}

function version(constraint: string): string {
  return `terraform {\nrequired_version = "${constraint}"\n}\n`;
}

/** Credentials, the variable, and what is lacking. */
function needs(text: string, config: Partial<TerraformRootConfig>): string {
  const found = needsOf({
    module: describeModule([readHcl(parse, text, "main.tf")]),
    own: new Map(),
    tool: config.tool ?? "terraform",
    versionFiles: [],
    config: {
      dir: "/repo",
      tool: undefined,
      credentials: undefined,
      variable: "do_token",
      variables: {},
      workspace: undefined,
      init: true,
      ...config,
    },
  } as unknown as Parameters<typeof needsOf>[0]);
  const lacks = [
    ...(found.lacksRequiredProviders ? ["required_providers"] : []),
    ...(found.lacksProvider ? ["provider"] : []),
    ...(found.lacksTokenVariable ? [found.variable] : []),
    ...found.undeclared,
  ];
  return `${found.credentials} ${found.variable}: ${lacks.join(", ")}`;
}

describe("what a root needs", () => {
  it.each<[string, string, Partial<TerraformRootConfig>, string]>([
    ["nothing there", "", {}, `tfvars do_token: ${ALL}`],
    ["all there", FULL, {}, "tfvars do_token: "],
    ["required_providers", REQUIRED, {}, "tfvars do_token: provider, do_token"],
    ["the variable", VARIABLE, {}, "tfvars do_token: required_providers, provider"],
    ["a chosen name", "", { variable: "x" }, "tfvars x: required_providers, provider, x"],
    ["the repo's name", provider("var.pat"), {}, "tfvars pat: required_providers, pat"],
    [
      "the repo's, over the chosen",
      provider("var.a"),
      { variable: "b" },
      "tfvars a: required_providers, a",
    ],
    ["a provider without a token", EMPTY, {}, "env do_token: required_providers"],
    [
      "the same, against config",
      EMPTY,
      { credentials: "tfvars" },
      "env do_token: required_providers",
    ],
    ["token = null", provider("null"), {}, "env do_token: required_providers"],
    ["a local", provider("local.x"), {}, "own do_token: required_providers"],
    [
      "a local, under env",
      provider("local.x"),
      { credentials: "env" },
      "env do_token: required_providers",
    ],
    ["env by config", "", { credentials: "env" }, "env do_token: required_providers, provider"],
    ["env, and a variable", FULL, { credentials: "env" }, "env do_token: "],
    ["cloud", "terraform {\ncloud {}\n}", {}, "env do_token: required_providers, provider"],
    [
      "its older form",
      'terraform {\nbackend "remote" {}\n}',
      {},
      "env do_token: required_providers, provider",
    ],
    [
      "cloud and tfvars",
      "terraform {\ncloud {}\n}",
      { credentials: "tfvars" },
      "env do_token: required_providers, provider",
    ],
    ["1.5 only", version("~> 1.5.0"), {}, "env do_token: required_providers, provider"],
    [
      "1.5 only, against config",
      version("~> 1.5.0"),
      { credentials: "tfvars" },
      `tfvars do_token: ${ALL}`,
    ],
    ["1.5 and a variable", version("~> 1.5.0") + FULL, {}, "tfvars do_token: "],
    ["1.6 and later", version(">= 1.6"), {}, `tfvars do_token: ${ALL}`],
    [
      "1.10 for tofu",
      version("~> 1.10.0"),
      { tool: "tofu" },
      "env do_token: required_providers, provider",
    ],
    ["1.10 for terraform", version("~> 1.10.0"), {}, `tfvars do_token: ${ALL}`],
    ["values", FULL, { variables: { a: 1, b: 2 } }, "tfvars do_token: a, b"],
    [
      "values, declared",
      `${FULL}variable "a" {}`,
      { variables: { a: 1, b: 2 } },
      "tfvars do_token: b",
    ],
    ["values under env", EMPTY, { variables: { a: 1 } }, "env do_token: required_providers, a"],
    [
      "the default before an alias",
      provider('var.eu\nalias = "eu"') + provider("var.us"),
      {},
      "tfvars us: required_providers, us",
    ],
    ["an alias alone", provider('var.eu\nalias = "eu"'), {}, "tfvars eu: required_providers, eu"],
  ])("%s", (_, text, config, expected) => {
    expect(needs(text, config)).toBe(expected);
  });
});
