import { describe, expect, it } from "vitest";
import { type Use, whoWins } from "../../../../src/concerns/effective-token/uses.ts";
import {
  alive,
  DOCTL_CONFIG,
  type Entry,
  facts,
  type Given,
  MISSING,
  SNAP_CONFIG,
} from "../../../fixtures/facts.ts";
import { LEGACY, OTHER, PERSONAL } from "../../samples.ts";

const T = "DIGITALOCEAN_TOKEN";
const A = "DIGITALOCEAN_ACCESS_TOKEN";
const NAMES = new Map([
  [PERSONAL, "P"],
  [OTHER, "X"],
  [LEGACY, "L"],
]);

/** "P .env:1": the token (P, X and L as above), and where it is, if in a file. */
function say({ token, where = "" }: Use): string {
  const name = typeof token === "string" ? token : NAMES.get(token.reveal());
  return `${name} ${where.replace(/^\/repo\//, "")}`.trim();
}

/** The token that a tool uses without exec, then with exec. */
async function takes(given: Given, tool: Use["tool"], variable?: string): Promise<string[]> {
  const uses = whoWins(await facts(given)).filter((use) => use.tool === tool);
  const of = uses.filter((use) => variable === undefined || use.variable === variable);
  return (["plain", "exec"] as const).flatMap((via) =>
    of.filter((use) => use.via === via).map(say),
  );
}

const doctl = (entry: Entry, more: Given = {}): Given => ({
  ...more,
  files: { [DOCTL_CONFIG]: entry, ...more.files },
});
const known = (entry: Entry): Given => ({
  env: { DIGITALOCEAN_CONFIG: "/own.yaml" },
  files: { "/own.yaml": entry },
});
const CONTEXTS = `access-token: ${OTHER}\nauth-contexts:\n  web: ${LEGACY}\n`;

describe("doctl", () => {
  it.each<[string, Given, readonly string[]]>([
    ["its default context", doctl(CONTEXTS), [`X ${DOCTL_CONFIG}:1`, "P .env:1"]],
    [
      "the environment overrides the default context",
      doctl(CONTEXTS, { token: alive("environment"), env: { [A]: PERSONAL } }),
      ["P", "P"],
    ],
    [
      "an empty variable",
      doctl(CONTEXTS, { env: { [A]: "" } }),
      [`X ${DOCTL_CONFIG}:1`, "P .env:1"],
    ],
    [
      "a selected context overrides the environment",
      doctl(`context: web\n${CONTEXTS}`, { env: { [A]: PERSONAL } }),
      [`L ${DOCTL_CONFIG}:4`, "P"],
    ],
    [
      "a context selected by the environment",
      doctl(CONTEXTS, { env: { DIGITALOCEAN_CONTEXT: "web" } }),
      [`L ${DOCTL_CONFIG}:3`, "P .env:1"],
    ],
    [
      "a missing context",
      doctl(`context: gone\n${CONTEXTS}`),
      [`none ${DOCTL_CONFIG}:1`, "P .env:1"],
    ],
    [
      "a context in capitals, which doctl does not find",
      doctl(CONTEXTS, { env: { DIGITALOCEAN_CONTEXT: "Web" } }),
      [`none ${DOCTL_CONFIG}`, "P .env:1"],
    ],
    ["no config", doctl(undefined), [`none ${DOCTL_CONFIG}`, "P .env:1"]],
    [
      "a broken config: doctl does not start",
      doctl(""),
      [`none ${DOCTL_CONFIG}`, `none ${DOCTL_CONFIG}`],
    ],
    ["no folder for a config", { home: false }, ["none", "none"]],
    [
      "a snap that may be unable to read the config",
      { tools: ["/snap/bin/doctl"], env: { DIGITALOCEAN_CONFIG: "/x.yaml" } },
      ["unknown /x.yaml", "unknown /x.yaml"],
    ],
    [
      "a snap that reads its own config",
      { tools: ["/snap/bin/doctl"], files: { [SNAP_CONFIG]: CONTEXTS } },
      [`X ${SNAP_CONFIG}:1`, "P .env:1"],
    ],
    ["no doctl", { tools: [] }, []],
    [
      "a context with this token, in a config that exec knows",
      known(`access-token: ${OTHER}\nauth-contexts:\n  web: ${PERSONAL}\n`),
      ["X /own.yaml:1", "P /own.yaml:3"],
    ],
    [
      "a browser login with this token",
      known(`auth-contexts:\n  web: ${PERSONAL}\noauth-tokens: { web: { refresh-token: R } }\n`),
      ["none /own.yaml", "P .env:1"],
    ],
    [
      "a context with this token, in a config that exec does not know",
      doctl(`auth-contexts:\n  web: ${PERSONAL}\n`),
      [`none ${DOCTL_CONFIG}`, "P .env:1"],
    ],
  ])("%s", async (_, given, expected) => {
    expect(await takes(given, "doctl")).toEqual(expected);
  });
});

describe("terraform", () => {
  const SECRET = "infra/do-bootstrap.secret.auto.tfvars.json";
  const MAIN = 'provider "digitalocean" {\n  token = var.do_token\n}\n';
  const variable = (body = "") => `${MAIN}variable "do_token" {\n  ${body}\n}\n`;
  const root = (files: Given["files"], more: Given = {}): Given => ({
    config: "terraform: {}",
    ...more,
    files: { "infra/main.tf": variable(), ...files },
  });
  const orNull = (text: string) =>
    text.replace("= var.do_token", '= var.do_token != "" ? var.do_token : null');
  const value = (token: string) => `do_token = "${token}"\n`;
  const code = (token: string) =>
    root({ "infra/main.tf": `provider "digitalocean" {\n  token = ${token}\n}\n` });
  const ENVIRONMENT: Given = { token: alive("environment"), env: { [T]: PERSONAL } };

  it.each<[string, Given, readonly string[]]>([
    ["the environment", code("null"), ["none", "P .env:1"]],
    ["the environment, which has a token", { ...code("null"), ...ENVIRONMENT }, ["P", "P"]],
    [
      "the second variable name",
      { ...code("null"), token: alive("environment"), env: { [A]: PERSONAL } },
      ["P", "P"],
    ],
    [
      "its variable, without a secret file",
      root({}, { config: "terraform: { credentials: env }" }),
      ["none", "P .env:1"],
    ],
    ["a token in the code", code(`"${OTHER}"`), ["X infra/main.tf:2", "X infra/main.tf:2"]],
    ["an empty string in the code", code('""'), ["none infra/main.tf:1", "none infra/main.tf:1"]],
    [
      "a local that is not defined",
      code("local.t"),
      ["unknown infra/main.tf:1", "unknown infra/main.tf:1"],
    ],
    [
      "a choice of two variables that are not set",
      code("coalesce(var.a, var.b)"),
      ["unknown infra/main.tf:1", "unknown infra/main.tf:1"],
    ],
    [
      "a token in a local",
      root({
        "infra/main.tf": `${MAIN.replace("var.do_token", "local.t")}locals {\n  t = "${OTHER}"\n}\n`,
      }),
      ["X infra/main.tf:5", "X infra/main.tf:5"],
    ],
    [
      "a variable through a local and a function, in a renamed provider",
      root(
        {
          "infra/main.tf": `${variable().replace('"digitalocean"', '"do"').replace("var.do_token", "trimspace(local.t)")}locals {\n  t = var.do_token\n}\n`,
          "infra/versions.tf":
            'terraform {\n  required_providers {\n    do = { source = "tf.acme.example/digitalocean/digitalocean" }\n  }\n}\n',
        },
        { env: { TF_VAR_do_token: OTHER } },
      ),
      ["X", "P .env:1"],
    ],
    ["a variable without a value", root({}), ["none", "P .env:1"]],
    [
      "a variable with a default",
      root({ "infra/main.tf": variable(`default = "${OTHER}"`) }),
      ["X", "P .env:1"],
    ],
    [
      "an empty default, which is sent",
      root({ "infra/main.tf": variable('default = ""') }),
      ["none infra/main.tf:4", "P .env:1"],
    ],
    [
      "an empty default that a conditional turns into null",
      {
        ...root({ "infra/main.tf": orNull(variable('default = ""')) }),
        ...ENVIRONMENT,
      },
      ["P", "P"],
    ],
    [
      "an empty value in a file that a conditional turns into null",
      {
        ...root({
          "infra/main.tf": orNull(variable("")),
          "infra/terraform.tfvars": 'do_token = ""\n',
        }),
        ...ENVIRONMENT,
      },
      ["P", "P"],
    ],
    [
      "a default of null",
      { ...root({ "infra/main.tf": variable("default = null") }), ...ENVIRONMENT },
      ["P", "P"],
    ],
    [
      "TF_VAR_ overrides the default",
      root({ "infra/main.tf": variable("default = null") }, { env: { TF_VAR_do_token: OTHER } }),
      ["X", "P .env:1"],
    ],
    [
      "an empty TF_VAR_, which is sent",
      root({}, { env: { TF_VAR_do_token: "" } }),
      ["none", "P .env:1"],
    ],
    [
      "terraform.tfvars overrides TF_VAR_",
      root({ "infra/terraform.tfvars": value(OTHER) }, { env: { TF_VAR_do_token: LEGACY } }),
      ["X infra/terraform.tfvars:1", "X infra/terraform.tfvars:1"],
    ],
    [
      "terraform.tfvars.json overrides terraform.tfvars",
      root({
        "infra/terraform.tfvars": value(OTHER),
        "infra/terraform.tfvars.json": `{"do_token":"${LEGACY}"}`,
      }),
      Array(2).fill("L infra/terraform.tfvars.json:1"),
    ],
    [
      "the last auto.tfvars by name",
      root({ "infra/a.auto.tfvars": value(OTHER), "infra/b.auto.tfvars": `# 1\n${value(LEGACY)}` }),
      Array(2).fill("L infra/b.auto.tfvars:2"),
    ],
    [
      "a file that is not read automatically",
      root({ "infra/prod.tfvars": value(OTHER) }),
      ["none", "P .env:1"],
    ],
    [
      "an empty value in a file, which is sent",
      root({ "infra/terraform.tfvars": value("") }),
      Array(2).fill("none infra/terraform.tfvars:1"),
    ],
    [
      "null in a file",
      { ...root({ "infra/terraform.tfvars": "do_token = null\n" }), ...ENVIRONMENT },
      ["P", "P"],
    ],
    [
      "a value that only Terraform can evaluate",
      root({ "infra/terraform.tfvars": 'do_token = file("x")\n' }),
      Array(2).fill("unknown infra/terraform.tfvars:1"),
    ],
    [
      "our secret file",
      root({ [SECRET]: `{\n  "do_token": "${PERSONAL}"\n}\n` }),
      Array(2).fill(`P ${SECRET}:2`),
    ],
    [
      "our secret file with another token: exec stops",
      root({ [SECRET]: `{\n  "do_token": "${OTHER}"\n}\n` }),
      [`X ${SECRET}:2`, "none"],
    ],
    [
      "-var in TF_CLI_ARGS_plan",
      root({}, { env: { TF_CLI_ARGS_plan: "-var=do_token=x" } }),
      ["unknown", "unknown"],
    ],
    [
      "code that can't be parsed",
      root({ "infra/main.tf": "a {" }),
      ["unknown infra/main.tf:1", "unknown infra/main.tf:1"],
    ],
    [
      "HCP Terraform",
      root({ "infra/main.tf": "terraform {\n  cloud {}\n}\n" }),
      ["unknown infra/main.tf:2", "unknown infra/main.tf:2"],
    ],
    [
      "two roots",
      {
        config: "terraform: [{ dir: a }, { dir: b }]",
        files: {
          "a/main.tf": variable(),
          "b/x.auto.tfvars": value(OTHER),
          "b/main.tf": variable(),
        },
      },
      ["none", "X b/x.auto.tfvars:1", "P .env:1", "X b/x.auto.tfvars:1"],
    ],
  ])("%s", async (_, given, expected) => {
    expect(await takes(given, "terraform")).toEqual(expected);
  });
});

describe("scripts", () => {
  it.each<[string, string, Given, readonly string[]]>([
    ["the env file, which scripts do not read", T, {}, ["none", "P .env:1"]],
    [
      "the last of two lines",
      T,
      { files: { ".env": `${T}=x\n${T}=${PERSONAL}\n` } },
      ["none", "P .env:2"],
    ],
    [
      "a variable with that name",
      T,
      { token: alive("environment"), env: { [T]: PERSONAL } },
      ["P", "P"],
    ],
    [
      "a variable with the other name",
      T,
      { token: alive("environment"), env: { [A]: PERSONAL } },
      ["none", "P"],
    ],
    [
      "a custom name",
      "ACME_TOKEN",
      { config: "token: { name: ACME_TOKEN }", files: { ".env": `ACME_TOKEN=${PERSONAL}\n` } },
      ["none", "P .env:1"],
    ],
    [
      "another token under the default name",
      T,
      {
        config: "token: { name: ACME_TOKEN }",
        files: { ".env": `ACME_TOKEN=${PERSONAL}\n` },
        env: { [T]: OTHER },
      },
      ["X", "P .env:1"],
    ],
    [
      "a command's token",
      T,
      { token: alive("command"), files: { ".env": undefined } },
      ["none", "P"],
    ],
    ["no token: exec stops", T, { token: MISSING, files: { ".env": undefined } }, ["none", "none"]],
    [
      "no token, and another name has one",
      T,
      { config: "token: { name: ACME_TOKEN }", token: MISSING, env: { [T]: OTHER } },
      ["X", "none"],
    ],
    ["two tokens: exec stops", T, { env: { [T]: PERSONAL, [A]: OTHER } }, ["P", "none"]],
  ])("%s", async (_, variable, given, expected) => {
    expect(await takes(given, "scripts", variable)).toEqual(expected);
  });
});

it("every tool and name is listed once without exec and once with exec", async () => {
  const config = "token: { name: ACME_TOKEN }\nterraform: [{ dir: a }, { dir: b }]";
  const uses = whoWins(await facts({ config }));
  expect(uses.map(({ tool, via, dir, variable }) => [via, tool, dir ?? variable])).toEqual(
    ["plain", "exec"].flatMap((via) => [
      [via, "doctl", undefined],
      [via, "terraform", "/repo/a"],
      [via, "terraform", "/repo/b"],
      ...[T, A, "ACME_TOKEN"].map((name) => [via, "scripts", name]),
    ]),
  );
});

it.each<[string, Given, Use["tool"], string]>([
  ["a variable", { env: { [A]: PERSONAL } }, "doctl", `${A} in the environment`],
  ["a context", {}, "doctl", "context default"],
  ["an empty context", doctl('context: ""\n'), "doctl", 'context ""'],
  ["a missing variable", {}, "scripts", `${T} is not in the environment`],
])("says where the token comes from: %s", async (_, given, tool, words) => {
  const use = whoWins(await facts(given)).find((each) => each.tool === tool);
  expect(use?.from).toContain(words);
});
