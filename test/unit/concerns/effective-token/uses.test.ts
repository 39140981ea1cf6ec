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

/** "P .env:1": the token (P, X and L as above), and where it stands, if in a file. */
function say({ token, where = "" }: Use): string {
  const name = typeof token === "string" ? token : NAMES.get(token.reveal());
  return `${name} ${where.replace(/^\/repo\//, "")}`.trim();
}

/** What a tool takes without exec, and with it. */
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
      "the environment, over the default context",
      doctl(CONTEXTS, { token: alive("environment"), env: { [A]: PERSONAL } }),
      ["P", "P"],
    ],
    [
      "an empty variable",
      doctl(CONTEXTS, { env: { [A]: "" } }),
      [`X ${DOCTL_CONFIG}:1`, "P .env:1"],
    ],
    [
      "a selected context, over the environment",
      doctl(`context: web\n${CONTEXTS}`, { env: { [A]: PERSONAL } }),
      [`L ${DOCTL_CONFIG}:4`, "P"],
    ],
    [
      "one that the environment selects",
      doctl(CONTEXTS, { env: { DIGITALOCEAN_CONTEXT: "web" } }),
      [`L ${DOCTL_CONFIG}:3`, "P .env:1"],
    ],
    [
      "one that is not there",
      doctl(`context: gone\n${CONTEXTS}`),
      [`none ${DOCTL_CONFIG}:1`, "P .env:1"],
    ],
    [
      "one in capitals, which it does not find",
      doctl(CONTEXTS, { env: { DIGITALOCEAN_CONTEXT: "Web" } }),
      [`none ${DOCTL_CONFIG}`, "P .env:1"],
    ],
    ["no config", doctl(undefined), [`none ${DOCTL_CONFIG}`, "P .env:1"]],
    [
      "a broken config: it does not start",
      doctl(""),
      [`none ${DOCTL_CONFIG}`, `none ${DOCTL_CONFIG}`],
    ],
    ["no place for a config", { home: false }, ["none", "none"]],
    [
      "a snap that may not read it",
      { tools: ["/snap/bin/doctl"], env: { DIGITALOCEAN_CONFIG: "/x.yaml" } },
      ["unknown /x.yaml", "unknown /x.yaml"],
    ],
    [
      "a snap that may",
      { tools: ["/snap/bin/doctl"], files: { [SNAP_CONFIG]: CONTEXTS } },
      [`X ${SNAP_CONFIG}:1`, "P .env:1"],
    ],
    ["no doctl", { tools: [] }, []],
    [
      "the context of this token, and a config whose place exec knows",
      known(`access-token: ${OTHER}\nauth-contexts:\n  web: ${PERSONAL}\n`),
      ["X /own.yaml:1", "P /own.yaml:3"],
    ],
    [
      "a browser login with this token",
      known(`auth-contexts:\n  web: ${PERSONAL}\noauth-tokens: { web: { refresh-token: R } }\n`),
      ["none /own.yaml", "P .env:1"],
    ],
    [
      "the context of this token, and a doctl that was not asked before",
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
    ["the environment, which has one", { ...code("null"), ...ENVIRONMENT }, ["P", "P"]],
    [
      "the second name",
      { ...code("null"), token: alive("environment"), env: { [A]: PERSONAL } },
      ["P", "P"],
    ],
    [
      "its own variable, where no secret file is written",
      root({}, { config: "terraform: { credentials: env }" }),
      ["none", "P .env:1"],
    ],
    ["the code", code(`"${OTHER}"`), ["X infra/main.tf:2", "X infra/main.tf:2"]],
    ["an empty text in the code", code('""'), ["none infra/main.tf:1", "none infra/main.tf:1"]],
    ["a way of its own", code("local.t"), ["unknown infra/main.tf:1", "unknown infra/main.tf:1"]],
    [
      "one of two variables: neither is set",
      code("coalesce(var.a, var.b)"),
      ["unknown infra/main.tf:1", "unknown infra/main.tf:1"],
    ],
    [
      "a text in a local",
      root({
        "infra/main.tf": `${MAIN.replace("var.do_token", "local.t")}locals {\n  t = "${OTHER}"\n}\n`,
      }),
      ["X infra/main.tf:5", "X infra/main.tf:5"],
    ],
    [
      "a variable behind a local and a function, by another name of the provider",
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
      "an empty default, in whose place a choice gives null",
      {
        ...root({ "infra/main.tf": orNull(variable('default = ""')) }),
        ...ENVIRONMENT,
      },
      ["P", "P"],
    ],
    [
      "an empty file, in whose place a choice gives null",
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
      "TF_VAR_, over the default",
      root({ "infra/main.tf": variable("default = null") }, { env: { TF_VAR_do_token: OTHER } }),
      ["X", "P .env:1"],
    ],
    [
      "an empty TF_VAR_, which is sent",
      root({}, { env: { TF_VAR_do_token: "" } }),
      ["none", "P .env:1"],
    ],
    [
      "terraform.tfvars, over TF_VAR_",
      root({ "infra/terraform.tfvars": value(OTHER) }, { env: { TF_VAR_do_token: LEGACY } }),
      ["X infra/terraform.tfvars:1", "X infra/terraform.tfvars:1"],
    ],
    [
      "JSON, over terraform.tfvars",
      root({
        "infra/terraform.tfvars": value(OTHER),
        "infra/terraform.tfvars.json": `{"do_token":"${LEGACY}"}`,
      }),
      Array(2).fill("L infra/terraform.tfvars.json:1"),
    ],
    [
      "auto.tfvars, the last by name",
      root({ "infra/a.auto.tfvars": value(OTHER), "infra/b.auto.tfvars": `# 1\n${value(LEGACY)}` }),
      Array(2).fill("L infra/b.auto.tfvars:2"),
    ],
    [
      "a file that is not read by itself",
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
      "what only Terraform can read",
      root({ "infra/terraform.tfvars": 'do_token = file("x")\n' }),
      Array(2).fill("unknown infra/terraform.tfvars:1"),
    ],
    [
      "our secret file",
      root({ [SECRET]: `{\n  "do_token": "${PERSONAL}"\n}\n` }),
      Array(2).fill(`P ${SECRET}:2`),
    ],
    [
      "our secret file with another: exec stops",
      root({ [SECRET]: `{\n  "do_token": "${OTHER}"\n}\n` }),
      [`X ${SECRET}:2`, "none"],
    ],
    [
      "-var in TF_CLI_ARGS_plan",
      root({}, { env: { TF_CLI_ARGS_plan: "-var=do_token=x" } }),
      ["unknown", "unknown"],
    ],
    [
      "code that is not understood",
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
    ["the env file, which they do not read", T, {}, ["none", "P .env:1"]],
    [
      "the last of two lines",
      T,
      { files: { ".env": `${T}=x\n${T}=${PERSONAL}\n` } },
      ["none", "P .env:2"],
    ],
    [
      "a variable of that name",
      T,
      { token: alive("environment"), env: { [T]: PERSONAL } },
      ["P", "P"],
    ],
    [
      "a variable of the other name",
      T,
      { token: alive("environment"), env: { [A]: PERSONAL } },
      ["none", "P"],
    ],
    [
      "a name of the repo's own",
      "ACME_TOKEN",
      { config: "token: { name: ACME_TOKEN }", files: { ".env": `ACME_TOKEN=${PERSONAL}\n` } },
      ["none", "P .env:1"],
    ],
    [
      "another token under the usual name",
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

it("every tool and name is there once, without exec and with it", async () => {
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
  ["names", {}, "scripts", `${T} is not in the environment`],
])("says where from: %s", async (_, given, tool, words) => {
  const use = whoWins(await facts(given)).find((each) => each.tool === tool);
  expect(use?.from).toContain(words);
});
