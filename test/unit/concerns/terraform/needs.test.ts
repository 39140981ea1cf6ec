import { describe, expect, it } from "vitest";
import type { TerraformRootConfig } from "../../../../src/concerns/config/resolved.ts";
import { describeModule } from "../../../../src/concerns/terraform/root/describe-module.ts";
import { needsOf } from "../../../../src/concerns/terraform/root/needs.ts";
import { readHcl } from "../../../../src/hcl/hcl.ts";

const REQUIRED = "terraform {\nrequired_providers {}\n}\n";
const DO = REQUIRED.replace("{}", '{\ndo = { source = "digitalocean/digitalocean" }\n}');
const ANOTHER = REQUIRED.replace("{}", '{\ndigitalocean = { source = "acme/digitalocean" }\n}');
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

/** Credentials, the variable, and what is missing. */
function needs(text: string, config: Partial<TerraformRootConfig>): string {
  const found = needsOf({
    module: describeModule([readHcl(text, "main.tf")], "do_token"),
    own: new Map(),
    tool: config.tool ?? "terraform",
    versionFiles: [],
    calledBy: [],
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
    ["an empty root", "", {}, `tfvars do_token: ${ALL}`],
    ["a complete root", FULL, {}, "tfvars do_token: "],
    ["only required_providers", REQUIRED, {}, "tfvars do_token: provider, do_token"],
    ["only the variable", VARIABLE, {}, "tfvars do_token: required_providers, provider"],
    ["a configured name", "", { variable: "x" }, "tfvars x: required_providers, provider, x"],
    ["the provider's variable", provider("var.pat"), {}, "tfvars pat: required_providers, pat"],
    [
      "the provider's variable, which overrides the configured name",
      provider("var.a"),
      { variable: "b" },
      "tfvars a: required_providers, a",
    ],
    ["a provider without a token", EMPTY, {}, "env do_token: required_providers"],
    [
      "a provider without a token, and tfvars in the config",
      EMPTY,
      { credentials: "tfvars" },
      "env do_token: required_providers",
    ],
    ["token = null", provider("null"), {}, "env do_token: required_providers"],
    ["a local without a value", provider("local.x"), {}, "own do_token: required_providers"],
    [
      "a local that reads a variable",
      `${provider("local.x")}locals {\nx = trimspace(var.pat)\n}\n`,
      {},
      "tfvars pat: required_providers, pat",
    ],
    [
      "a choice of two variables",
      provider("coalesce(var.a, var.b)"),
      {},
      "own do_token: required_providers",
    ],
    ["a renamed provider", DO, {}, "tfvars do_token: provider, do_token"],
    [
      "a renamed provider and its block",
      `${DO}provider "do" {\ntoken = var.pat\n}\n`,
      {},
      "tfvars pat: pat",
    ],
    [
      "a renamed provider, and a block with the usual name, which is not ours",
      DO + provider("var.pat"),
      {},
      "tfvars do_token: provider, do_token",
    ],
    ["another provider under our provider's name", ANOTHER, {}, "own do_token: "],
    [
      "another provider under our provider's name, and values",
      ANOTHER,
      { variables: { a: 1 } },
      "own do_token: a",
    ],
    [
      "a local, with credentials: env",
      provider("local.x"),
      { credentials: "env" },
      "env do_token: required_providers",
    ],
    ["credentials: env", "", { credentials: "env" }, "env do_token: required_providers, provider"],
    ["credentials: env, and a complete root", FULL, { credentials: "env" }, "env do_token: "],
    ["HCP Terraform", "terraform {\ncloud {}\n}", {}, "env do_token: required_providers, provider"],
    [
      "HCP Terraform, in the older form",
      'terraform {\nbackend "remote" {}\n}',
      {},
      "env do_token: required_providers, provider",
    ],
    [
      "HCP Terraform, and tfvars in the config",
      "terraform {\ncloud {}\n}",
      { credentials: "tfvars" },
      "env do_token: required_providers, provider",
    ],
    ["only Terraform 1.5", version("~> 1.5.0"), {}, "env do_token: required_providers, provider"],
    [
      "only Terraform 1.5, and tfvars in the config",
      version("~> 1.5.0"),
      { credentials: "tfvars" },
      `tfvars do_token: ${ALL}`,
    ],
    ["only Terraform 1.5, and a variable", version("~> 1.5.0") + FULL, {}, "tfvars do_token: "],
    ["Terraform 1.6 and later", version(">= 1.6"), {}, `tfvars do_token: ${ALL}`],
    [
      "1.10 for tofu",
      version("~> 1.10.0"),
      { tool: "tofu" },
      "env do_token: required_providers, provider",
    ],
    ["1.10 for terraform", version("~> 1.10.0"), {}, `tfvars do_token: ${ALL}`],
    ["values", FULL, { variables: { a: 1, b: 2 } }, "tfvars do_token: a, b"],
    [
      "values, one of them declared",
      `${FULL}variable "a" {}`,
      { variables: { a: 1, b: 2 } },
      "tfvars do_token: b",
    ],
    [
      "values, and a provider without a token",
      EMPTY,
      { variables: { a: 1 } },
      "env do_token: required_providers, a",
    ],
    [
      "the default provider comes before an alias",
      provider('var.eu\nalias = "eu"') + provider("var.us"),
      {},
      "tfvars us: required_providers, us",
    ],
    ["only an alias", provider('var.eu\nalias = "eu"'), {}, "tfvars eu: required_providers, eu"],
  ])("%s", (_, text, config, expected) => {
    expect(needs(text, config)).toBe(expected);
  });
});
