import { describe, expect, it } from "vitest";
import {
  isFixable,
  judgeCode,
  judgeFixed,
  planFix,
  withFix,
} from "../../../../src/concerns/terraform/code.ts";
import { needsOf } from "../../../../src/concerns/terraform/root/needs.ts";
import { diffOf } from "../../../../src/report/diff.ts";
import { content } from "../../../../src/secret/content.ts";
import { facts, type Given, planned, secretFrom, textsAfter } from "../../../fixtures/facts.ts";
import { said } from "../../../fixtures/hint.ts";
import { OTHER, PERSONAL } from "../../samples.ts";

type Files = NonNullable<Given["files"]>;

async function observed(files: Files, terraform = "{}", more: Given = {}) {
  const inRoot = Object.entries(files).map(([name, entry]) => [`infra/${name}`, entry]);
  const config = `terraform: ${terraform}`;
  const known = await facts({ config, ...more, files: Object.fromEntries(inRoot) });
  const [root] = known.terraform.roots;
  if (root === undefined) throw new Error("There is no root.");
  return { known, root };
}

async function judged(...given: Parameters<typeof observed>) {
  const { known, root } = await observed(...given);
  return judgeCode(known, root, needsOf(root));
}

async function fix(files: Files, terraform = "{}") {
  const { known, root } = await observed(files, terraform);
  return planFix(known, root);
}

const provider = (body: string) => `provider "digitalocean" {\n  ${body}\n}\n`;
const required = (body: string) => `terraform {\n  required_providers {\n    ${body}\n  }\n}\n`;
const variable = (body = "") => `variable "do_token" {\n  ${body}\n}\n`;
const HARD = provider(`token = "${PERSONAL}"`);
const ALIAS = `alias = "eu"\n  token = var.eu`;

describe("findings about the code", () => {
  it.each<[string, Files, string, Given, readonly string[]]>([
    ["no code", {}, "{}", {}, []],
    ["code that can't be parsed", { "main.tf": "a {" }, "{}", {}, ["warning terraform.broken"]],
    [
      "code that can't be parsed, in two files",
      { "a.tf": "a {", "b.tf.json": "{" },
      "{}",
      {},
      ["warning terraform.broken", "warning terraform.broken"],
    ],
    ["a token in a provider", { "main.tf": HARD }, "{}", {}, ["error terraform.hard-coded-token"]],
    [
      "a token as a default",
      { "main.tf": variable(`default = "${PERSONAL}"\n  ephemeral = true`) },
      "{}",
      {},
      ["error terraform.hard-coded-token"],
    ],
    [
      "HCP Terraform, and tfvars in the config",
      { "main.tf": "terraform {\n  cloud {}\n}\n" },
      "{ credentials: tfvars }",
      {},
      ["error terraform.cloud-tfvars"],
    ],
    ["HCP Terraform", { "main.tf": "terraform {\n  cloud {}\n}\n" }, "{}", {}, []],
    [
      "only another provider",
      { "main.tf": required('aws = { source = "hashicorp/aws" }') },
      "{}",
      {},
      ["warning terraform.no-source"],
    ],
    [
      "the provider without a source, as in Terraform 0.12",
      { "main.tf": required('digitalocean = "~> 1"') },
      "{}",
      {},
      ["warning terraform.no-source"],
    ],
    [
      "the provider's source",
      { "main.tf": required('digitalocean = { source = "digitalocean/digitalocean" }') },
      "{}",
      {},
      [],
    ],
    [
      "the provider's full source, in capitals",
      {
        "main.tf": required(
          'digitalocean = { source = "registry.OpenTofu.org/DigitalOcean/digitalocean" }',
        ),
      },
      "{}",
      {},
      [],
    ],
    [
      "a mirror of the provider in a private registry",
      {
        "main.tf": required('do = { source = "tf.acme.example:8443/digitalocean/digitalocean" }'),
      },
      "{}",
      {},
      ["info terraform.mirror"],
    ],
    [
      "another provider under our provider's name",
      { "main.tf": required('digitalocean = { source = "acme/digitalocean" }') + provider("") },
      "{}",
      {},
      ["warning terraform.no-source"],
    ],
    [
      "another provider under our provider's name, and ours under another name",
      {
        "main.tf": required(
          'digitalocean = { source = "acme/digitalocean" }\n    do = { source = "digitalocean/digitalocean" }',
        ),
      },
      "{}",
      {},
      [],
    ],
    [
      "a token in a renamed provider",
      {
        "a.tf.json": `{"terraform":{"required_providers":{"do":{"source":"digitalocean/digitalocean"}}}}`,
        "main.tf": HARD.replace("digitalocean", "do"),
      },
      "{}",
      {},
      ["error terraform.hard-coded-token"],
    ],
    [
      "a token in user data, in a broken file",
      { "main.tf": `resource "a" "b" {\n  user_data = "x ${PERSONAL}"\n` },
      "{}",
      {},
      ["warning terraform.broken", "error terraform.hard-coded-token"],
    ],
    [
      "a token in a local that the provider uses",
      { "main.tf": `${provider("token = local.t")}locals {\n  t = "CHANGE ME"\n}\n` },
      "{}",
      {},
      ["error terraform.hard-coded-token"],
    ],
    [
      "a token from two variables",
      { "main.tf": provider("token = coalesce(var.a, var.b)") },
      "{}",
      {},
      ["info terraform.not-followed"],
    ],
    [
      "a token from part of a variable, through a local",
      { "main.tf": `${provider("token = local.t")}locals {\n  t = jsondecode(var.a).t\n}\n` },
      "{}",
      {},
      ["info terraform.not-followed"],
    ],
    [
      "a token from a data source",
      { "main.tf": provider("token = data.vault_kv.do.data") },
      "{}",
      {},
      [],
    ],
    [
      "a variable that plan files store",
      { "main.tf": variable() },
      "{}",
      {},
      ["warning terraform.not-ephemeral"],
    ],
    [
      "a variable that must not be ephemeral",
      { "main.tf": `${variable()}output "t" {\n  value = var.do_token\n}\n` },
      "{}",
      {},
      ["warning terraform.not-ephemeral"],
    ],
    [
      "a variable of ours that must not be ephemeral",
      { "main.tf": 'output "t" {\n  value = var.do_token\n}\n' },
      "{}",
      {},
      ["warning terraform.not-ephemeral"],
    ],
    [
      "a variable of ours that can be ephemeral",
      { "main.tf": "locals {\n  t = var.do_token\n}\n" },
      "{}",
      {},
      [],
    ],
    [
      "the configured variable, which the provider does not use",
      { "main.tf": `${provider("token = var.pat")}output "t" {\n  value = var.other\n}\n` },
      "{ variable: other }",
      {},
      [],
    ],
    ["an ephemeral variable", { "main.tf": variable("ephemeral = true") }, "{}", {}, []],
    [
      "a variable that does not get the token",
      { "main.tf": variable() },
      "{ credentials: env }",
      {},
      [],
    ],
    [
      "a variable that exec sets to the token",
      { "main.tf": provider("token = var.do_token") + variable() },
      "{ credentials: env }",
      {},
      ["warning terraform.not-ephemeral"],
    ],
    [
      "a second provider with another variable",
      { "main.tf": provider("token = var.do_token") + provider(ALIAS) },
      "{}",
      {},
      ["info terraform.other-variable"],
    ],
    [
      "a second provider with the same variable",
      {
        "main.tf":
          provider("token = var.do_token") + provider('alias = "eu"\n  token = var.do_token'),
      },
      "{}",
      {},
      [],
    ],
    [
      "a token in tfvars that git tracks",
      { "a.tfvars": `x = "${PERSONAL}"\n` },
      "{}",
      { tracked: ["infra/a.tfvars"] },
      ["error terraform.committed-token"],
    ],
    [
      "a token in tfvars that git does not ignore",
      { "a.tfvars.json": `{"x":"${PERSONAL}"}` },
      "{}",
      { notIgnored: ["infra/a.tfvars.json"] },
      ["error terraform.committed-token"],
    ],
    [
      "a token in our values file, which git tracks",
      { "do-bootstrap.auto.tfvars.json": `{"x":"${PERSONAL}"}` },
      "{ variables: { region: nyc3 } }",
      { tracked: ["infra/do-bootstrap.auto.tfvars.json"] },
      ["error terraform.committed-token"],
    ],
    [
      "an old token in tfvars that git tracks",
      { "a.tfvars": `do_token = "${"0a".repeat(32)}"\n` },
      "{}",
      { tracked: ["infra/a.tfvars"] },
      ["error terraform.committed-token"],
    ],
    ["a token in tfvars that git ignores", { "a.tfvars": `x = "${PERSONAL}"\n` }, "{}", {}, []],
    [
      "a token in tfvars, outside git",
      { "a.tfvars": `x = "${PERSONAL}"\n` },
      "{}",
      { git: false },
      [],
    ],
    [
      "tfvars without a token",
      { "a.tfvars": "x = 1\n" },
      "{}",
      { tracked: ["infra/a.tfvars"] },
      [],
    ],
  ])("%s", async (_, files, terraform, more, expected) => {
    expect(planned({ findings: await judged(files, terraform, more) })).toEqual(expected);
  });

  it.each<[string, Files, string, string]>([
    [
      "a token in a provider",
      { "main.tf": `# 1\n${HARD}` },
      "/repo/infra/main.tf:3",
      "do-bootstrap --fix ",
    ],
    [
      "code that can't be parsed",
      { "main.tf": "\na {" },
      "/repo/infra/main.tf:2",
      "terraform -chdir=infra fmt",
    ],
    [
      "a token in tfvars",
      { "a.tfvars": `x = 1\ny = "${PERSONAL}"\n` },
      "/repo/infra/a.tfvars:2",
      "Delete the line. Revoke it if it was ever committed.",
    ],
    [
      "the provider without a source: change the entry",
      { "main.tf": required('digitalocean = "~> 1"') },
      "/repo/infra/main.tf:2",
      "Change the entry to digitalocean = {",
    ],
    [
      "another provider under our provider's name: use another name",
      { "main.tf": required('digitalocean = { source = "acme/digitalocean" }') },
      "/repo/infra/main.tf:2",
      "under another name: do = {",
    ],
    [
      "two variables that are not set",
      { "main.tf": provider("token = coalesce(var.a, var.b)") },
      "/repo/infra/main.tf:1",
      "set TF_VAR_a, TF_VAR_b yourself",
    ],
    [
      "two tokens",
      { "main.tf": HARD + provider(`alias = "eu"\n  token = "${OTHER}"`) },
      "/repo/infra/main.tf:2",
      "Give each provider its own variable",
    ],
    [
      "a resource that prevents an ephemeral variable",
      { "main.tf": `${variable()}resource "a" "b" {\n  user_data = "\${var.do_token}"\n}\n` },
      "/repo/infra/main.tf:1",
      "First remove it from a.b (main.tf:5),",
    ],
    [
      "two places that prevent an ephemeral variable, through locals",
      {
        "a.tf": "locals {\n  a = { t = var.do_token }\n  b = local.a.t\n}\n",
        "main.tf": `${variable()}module "m" {\n  source = "x/y/z"\n  t = local.b\n}\ndata "a" "b" {\n  x {\n    t = local.a\n  }\n}\n`,
      },
      "/repo/infra/main.tf:1",
      "First remove it from data.a.b (main.tf:10, and 1 more),",
    ],
    [
      "a module whose variable is not ephemeral",
      { "main.tf": `${variable()}module "m" {\n  source = "./m"\n  t = var.do_token\n}\n` },
      "/repo/infra/main.tf:1",
      "First set ephemeral = true in the module's variable t: module.m (main.tf:6)",
    ],
    [
      "a version without ephemeral variables, set after the provider",
      {
        "main.tf": `${variable()}${provider("token = var.do_token")}terraform {\n  required_version = "~> 1.5.0"\n}\n`,
      },
      "/repo/infra/main.tf:1",
      "needs Terraform 1.10 or OpenTofu 1.11, but required_version is ~> 1.5.0.",
    ],
    [
      "a module whose variable is ephemeral",
      {
        "m/main.tf": 'variable "t" {\n  ephemeral = true\n}\n',
        "main.tf": `${variable()}module "m" {\n  source = "./m"\n  t = var.do_token\n}\n`,
      },
      "/repo/infra/main.tf:1",
      "Add ephemeral = true to the variable",
    ],
    [
      "a version without ephemeral variables, set before the provider",
      {
        "main.tf": `${variable()}terraform {\n  required_version = "~> 1.5.0"\n}\n${provider("token = var.do_token")}`,
      },
      "/repo/infra/main.tf:1",
      "but required_version is ~> 1.5.0",
    ],
    [
      "an output that uses our variable",
      { "main.tf": '\noutput "t" {\n  value = var.do_token\n}\n' },
      "/repo/infra/main.tf:3",
      'First remove it from output "t" (main.tf:3),',
    ],
    [
      "a token inside a longer string, which --fix does not edit",
      { "main.tf": `resource "a" "b" {\n  user_data = "x ${PERSONAL}"\n}\n` },
      "/repo/infra/main.tf:2",
      "Remove it yourself: --fix edits only providers, variables, locals and module arguments. Revoke it if",
    ],
    [
      "a token that --fix can move after the others are removed",
      { "main.tf": `${HARD}# ${PERSONAL}\n` },
      "/repo/infra/main.tf:2",
      "Remove the other tokens yourself. Then do-bootstrap --fix moves this one",
    ],
    [
      "a local in a root without a variable",
      { "main.tf": `${provider("")}locals {\n  t = "${PERSONAL}"\n}\n` },
      "/repo/infra/main.tf:5",
      "for example into a variable: this root has no variable",
    ],
    [
      "a local that an output shows, which would need sensitive = true",
      {
        "main.tf": `${provider("token = local.t")}locals {\n  t = "${PERSONAL}"\n}\noutput "t" {\n  value = local.t\n}\n`,
      },
      "/repo/infra/main.tf:5",
      "Set sensitive = true in the output",
    ],
    [
      "the default of a variable with nullable = false",
      { "main.tf": `variable "t" {\n  nullable = false\n  default  = "${PERSONAL}"\n}\n` },
      "/repo/infra/main.tf:3",
      "Remove it yourself: --fix edits only",
    ],
    [
      "a local used where an ephemeral variable is not allowed",
      {
        "main.tf": `${variable("ephemeral = true")}locals {\n  t = "${PERSONAL}"\n}\noutput "t" {\n  value = local.t\n}\n`,
      },
      "/repo/infra/main.tf:5",
      "Remove it yourself: it is used where an ephemeral variable is not allowed",
    ],
  ])("place and fix: %s", async (_, files, where, step) => {
    const [finding] = await judged(files, "{}", { notIgnored: ["infra/a.tfvars"] });
    expect(finding?.where).toBe(where);
    expect(said(finding?.fix, { cwd: "/repo" })).toContain(step);
    expect(JSON.stringify(finding)).not.toContain(PERSONAL);
  });

  it("no message shows a token that is used as a name", async () => {
    const main = `locals {\n  x_${PERSONAL} = "${PERSONAL}"\n}\n${variable()}resource "a" "${PERSONAL}" {\n  b = var.do_token\n}\n`;
    expect(JSON.stringify(await judged({ "main.tf": main }))).not.toContain(PERSONAL);
  });

  it("the suggested command uses the installed tool", async () => {
    const [finding] = await judged({ "a.tf": "a {" }, "{}", { tools: ["tofu 1.11.0"] });
    expect(said(finding?.fix)).toContain("tofu -chdir=/repo/infra fmt");
  });
});

describe("--fix", () => {
  const GONE = "~ infra/main.tf removal";

  it.each<[string, Files, string, readonly string[]]>([
    ["code without a token", { "main.tf": provider("token = var.do_token") }, "{}", []],
    ["a provider's token", { "main.tf": HARD }, "{}", [GONE]],
    ["a default", { "main.tf": variable(`default = "${PERSONAL}"`) }, "{}", [GONE]],
    [
      "tokens in two files",
      { "a.tf": HARD, "main.tf": variable(`default = "${PERSONAL}"`) },
      "{}",
      ["~ infra/a.tf removal", GONE],
    ],
    [
      "two tokens in one file",
      { "main.tf": HARD + variable(`default = "${PERSONAL}"`) },
      "{}",
      [GONE],
    ],
    // A file outside the repo is not read; plan.test.ts tests its finding.
    [
      "a link to outside the repo",
      { "main.tf": { text: HARD, leadsTo: "/else/main.tf" } },
      "{}",
      [],
    ],
  ])("the planned changes for %s", async (_, files, terraform, expected) => {
    expect(planned(await fix(files, terraform))).toEqual(expected);
  });

  it.each<[string, Files, string, string]>([
    ["a provider", { "main.tf": HARD }, "{}", provider("token = var.do_token")],
    [
      "the configured variable",
      { "main.tf": HARD },
      "{ variable: pat }",
      provider("token = var.pat"),
    ],
    [
      "a provider, with credentials: env",
      { "main.tf": HARD },
      "{ credentials: env }",
      provider("token = null"),
    ],
    [
      "a version without ephemeral variables",
      { "main.tf": `terraform {\n  required_version = "~> 1.5.0"\n}\n${HARD}` },
      "{}",
      `terraform {\n  required_version = "~> 1.5.0"\n}\n${provider("token = null")}`,
    ],
    [
      "a default",
      { "main.tf": variable(`default = "${PERSONAL}"`) },
      "{}",
      variable("default = null"),
    ],
    [
      "a provider and a default",
      { "main.tf": HARD + variable(`default = "${PERSONAL}"`) },
      "{}",
      provider("token = var.do_token") + variable("default = null"),
    ],
    [
      "a provider with other text around it",
      { "main.tf": `# é\r\n${HARD} # mine` },
      "{}",
      `# é\r\n${provider("token = var.do_token")} # mine`,
    ],
  ])("the new code for %s", async (_, files, terraform, expected) => {
    expect(textsAfter(await fix(files, terraform))["infra/main.tf"]).toBe(expected);
  });

  it("keeps the rest of a root with a renamed provider", async () => {
    const source = 'do = { source = "digitalocean/digitalocean" }';
    const main = required(source) + HARD.replace("digitalocean", "do");
    const made = textsAfter(await fix({ "main.tf": main }))["infra/main.tf"];
    expect(made).toBe(main.replace(`"${PERSONAL}"`, "var.do_token"));
  });

  it("replaces a token in a local that the provider uses", async () => {
    const main = (t: string) => `${provider("token = local.t")}locals {\n  t = ${t}\n}\n`;
    const made = textsAfter(await fix({ "main.tf": main(`"${PERSONAL}"`) }))["infra/main.tf"];
    expect(made).toBe(main("var.do_token"));
  });

  const LOCAL = `locals {\n  t = "${PERSONAL}"\n}\n`;
  const ARGUMENT = `module "m" {\n  source = "./m"\n  config = { t = "${PERSONAL}" }\n}\n`;
  it.each<[string, string]>([
    ["a local", LOCAL],
    ["a module argument", ARGUMENT],
    ["a local, a module argument and a provider", LOCAL + ARGUMENT + HARD],
  ])("replaces the token with the variable: %s", async (_, main) => {
    const made = textsAfter(await fix({ "main.tf": main }))["infra/main.tf"];
    expect(made).toBe(main.replaceAll(`"${PERSONAL}"`, "var.do_token"));
  });

  it.each<[string, string, string]>([
    ["a local that is not used", LOCAL, "ephemeral"],
    ["a local that an output shows", `${LOCAL}output "t" {\n  value = local.t\n}\n`, "kept"],
    ["a module argument", ARGUMENT, "kept"],
    ["a provider", HARD, "ephemeral"],
  ])("the variable that replaces a token in %s", async (_, main, expected) => {
    const { root } = await observed({ "main.tf": main });
    const { mayBeEphemeral } = needsOf(withFix(root));
    expect(mayBeEphemeral ? "ephemeral" : "kept").toBe(expected);
  });

  it("reports that git still has the token", async () => {
    const given: Given = { tracked: ["infra/main.tf"] };
    const { known, root } = await observed({ "main.tf": HARD, "x.tf": LOCAL }, "{}", given);
    const [finding, another] = judgeFixed(known, root);
    expect(another).toBeUndefined();
    expect(finding?.where).toBe("/repo/infra/main.tf");
    expect(finding?.message).toContain(secretFrom("code").fingerprint);
    expect(said(finding?.fix)).toContain("do-bootstrap rotate --revoke");
    const [hard] = judgeCode(known, root, needsOf(root));
    expect(said(hard?.fix)).toContain(
      "It is in git, so revoke it afterwards: do-bootstrap rotate --revoke",
    );
  });

  it("writes a template in JSON", async () => {
    const json = (token: string) => `{"provider":{"digitalocean":{"token":"${token}"}}}`;
    const made = await fix({ "main.tf.json": json(PERSONAL) });
    expect(textsAfter(made)["infra/main.tf.json"]).toBe(json("${var.do_token}"));
  });

  it("the diff shows no token", async () => {
    const [change] = (await fix({ "main.tf": HARD })).changes ?? [];
    const lines = diffOf(change?.diff() ?? { before: content(), after: content() });
    expect(lines.map(({ text }) => text)).toEqual([
      `  token = "${secretFrom("code")}"`,
      "  token = var.do_token",
    ]);
    expect(change?.why).toMatch(/variable/);
  });

  it.each<[string, Files, boolean]>([
    ["no token", {}, true],
    ["one token", { "main.tf": HARD }, true],
    ["one token in two places", { "main.tf": HARD + variable(`default = "${PERSONAL}"`) }, true],
    ["two tokens", { "main.tf": HARD + variable(`default = "${OTHER}"`) }, false],
    ["one token, also in a comment", { "main.tf": `${HARD}# ${PERSONAL}\n` }, false],
    [
      "a token other than the one in use, in a provider",
      { "main.tf": HARD.replace(PERSONAL, OTHER) },
      true,
    ],
    [
      "a token other than the one in use, in a local",
      { "main.tf": LOCAL.replace(PERSONAL, OTHER) },
      false,
    ],
    ["a token in user data", { "main.tf": `resource "a" "b" {\n  c = "${PERSONAL}"\n}\n` }, false],
    ["a token in a module argument", { "main.tf": ARGUMENT }, true],
    [
      "a token in a local, and a provider without a token",
      { "main.tf": provider("") + LOCAL },
      false,
    ],
  ])("whether --fix can fix %s", async (_, files, expected) => {
    const { known, root } = await observed(files);
    expect(isFixable(known, root)).toBe(expected);
  });

  it.each<[string, string, string]>([
    ["a variable", "{}", "tfvars do_token"],
    ["a configured variable", "{ variable: pat }", "tfvars pat"],
    ["the environment", "{ credentials: env }", "env do_token"],
  ])("the fixed root reads its token from %s", async (_, terraform, expected) => {
    const { root } = await observed({ "main.tf": HARD }, terraform);
    const fixed = withFix(root);
    const { credentials, variable } = needsOf(fixed);
    expect(`${credentials} ${variable}`).toBe(expected);
    expect(fixed.module.hardCoded).toEqual([]);
  });
});
