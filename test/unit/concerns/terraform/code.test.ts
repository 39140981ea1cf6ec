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

describe("what is said of code", () => {
  it.each<[string, Files, string, Given, readonly string[]]>([
    ["none", {}, "{}", {}, []],
    ["not understood", { "main.tf": "a {" }, "{}", {}, ["warning terraform.broken"]],
    [
      "in two files not understood",
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
      "cloud, and tfvars by config",
      { "main.tf": "terraform {\n  cloud {}\n}\n" },
      "{ credentials: tfvars }",
      {},
      ["error terraform.cloud-tfvars"],
    ],
    ["cloud", { "main.tf": "terraform {\n  cloud {}\n}\n" }, "{}", {}, []],
    [
      "another provider alone",
      { "main.tf": required('aws = { source = "hashicorp/aws" }') },
      "{}",
      {},
      ["warning terraform.no-source"],
    ],
    [
      "the provider's source of 0.12",
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
      "the same in full, in capitals",
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
      "a mirror of it in a private registry",
      {
        "main.tf": required('do = { source = "tf.acme.example:8443/digitalocean/digitalocean" }'),
      },
      "{}",
      {},
      ["info terraform.mirror"],
    ],
    [
      "another provider by its name",
      { "main.tf": required('digitalocean = { source = "acme/digitalocean" }') + provider("") },
      "{}",
      {},
      ["warning terraform.no-source"],
    ],
    [
      "both",
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
      "a token by another name of the provider",
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
      "a token in a local that the provider takes",
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
      "a token from a part of a variable, through a local",
      { "main.tf": `${provider("token = local.t")}locals {\n  t = jsondecode(var.a).t\n}\n` },
      "{}",
      {},
      ["info terraform.not-followed"],
    ],
    [
      "a token from elsewhere",
      { "main.tf": provider("token = data.vault_kv.do.data") },
      "{}",
      {},
      [],
    ],
    [
      "a variable that plan files keep",
      { "main.tf": variable() },
      "{}",
      {},
      ["warning terraform.not-ephemeral"],
    ],
    [
      "one that may not be ephemeral",
      { "main.tf": `${variable()}output "t" {\n  value = var.do_token\n}\n` },
      "{}",
      {},
      ["warning terraform.not-ephemeral"],
    ],
    [
      "one of ours that may not",
      { "main.tf": 'output "t" {\n  value = var.do_token\n}\n' },
      "{}",
      {},
      ["warning terraform.not-ephemeral"],
    ],
    ["one of ours that may", { "main.tf": "locals {\n  t = var.do_token\n}\n" }, "{}", {}, []],
    [
      "of a name that config says, which the provider does not take",
      { "main.tf": `${provider("token = var.pat")}output "t" {\n  value = var.other\n}\n` },
      "{ variable: other }",
      {},
      [],
    ],
    ["an ephemeral one", { "main.tf": variable("ephemeral = true") }, "{}", {}, []],
    [
      "one that nothing gives the token to",
      { "main.tf": variable() },
      "{ credentials: env }",
      {},
      [],
    ],
    [
      "one that exec gives the token to",
      { "main.tf": provider("token = var.do_token") + variable() },
      "{ credentials: env }",
      {},
      ["warning terraform.not-ephemeral"],
    ],
    [
      "a second provider with a variable of its own",
      { "main.tf": provider("token = var.do_token") + provider(ALIAS) },
      "{}",
      {},
      ["info terraform.other-variable"],
    ],
    [
      "a second provider with the same",
      {
        "main.tf":
          provider("token = var.do_token") + provider('alias = "eu"\n  token = var.do_token'),
      },
      "{}",
      {},
      [],
    ],
    [
      "a token in values that git has",
      { "a.tfvars": `x = "${PERSONAL}"\n` },
      "{}",
      { tracked: ["infra/a.tfvars"] },
      ["error terraform.committed-token"],
    ],
    [
      "a token in values that git would take",
      { "a.tfvars.json": `{"x":"${PERSONAL}"}` },
      "{}",
      { notIgnored: ["infra/a.tfvars.json"] },
      ["error terraform.committed-token"],
    ],
    [
      "a token in the file of values that we write",
      { "do-bootstrap.auto.tfvars.json": `{"x":"${PERSONAL}"}` },
      "{ variables: { region: nyc3 } }",
      { tracked: ["infra/do-bootstrap.auto.tfvars.json"] },
      ["error terraform.committed-token"],
    ],
    [
      "an old token in values that git has",
      { "a.tfvars": `do_token = "${"0a".repeat(32)}"\n` },
      "{}",
      { tracked: ["infra/a.tfvars"] },
      ["error terraform.committed-token"],
    ],
    ["a token in values that git ignores", { "a.tfvars": `x = "${PERSONAL}"\n` }, "{}", {}, []],
    [
      "a token in values, without a repo",
      { "a.tfvars": `x = "${PERSONAL}"\n` },
      "{}",
      { git: false },
      [],
    ],
    ["other values", { "a.tfvars": "x = 1\n" }, "{}", { tracked: ["infra/a.tfvars"] }, []],
  ])("%s", async (_, files, terraform, more, expected) => {
    expect(planned({ findings: await judged(files, terraform, more) })).toEqual(expected);
  });

  it.each<[string, Files, string, string]>([
    ["its line", { "main.tf": `# 1\n${HARD}` }, "/repo/infra/main.tf:3", "do-bootstrap --fix "],
    [
      "not understood",
      { "main.tf": "\na {" },
      "/repo/infra/main.tf:2",
      "terraform -chdir=infra fmt",
    ],
    [
      "the line of a value",
      { "a.tfvars": `x = 1\ny = "${PERSONAL}"\n` },
      "/repo/infra/a.tfvars:2",
      "Delete the line. Revoke it if it was ever committed.",
    ],
    [
      "the provider's source of 0.12: the key stands once",
      { "main.tf": required('digitalocean = "~> 1"') },
      "/repo/infra/main.tf:2",
      "Change the entry to digitalocean = {",
    ],
    [
      "another provider's name: it does not stand twice",
      { "main.tf": required('digitalocean = { source = "acme/digitalocean" }') },
      "/repo/infra/main.tf:2",
      "under another name: do = {",
    ],
    [
      "which variables are not set",
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
      "what stands in the way of ephemeral",
      { "main.tf": `${variable()}resource "a" "b" {\n  user_data = "\${var.do_token}"\n}\n` },
      "/repo/infra/main.tf:1",
      "First remove it from a.b (main.tf:5),",
    ],
    [
      "the same through locals, and in two places",
      {
        "a.tf": "locals {\n  a = { t = var.do_token }\n  b = local.a.t\n}\n",
        "main.tf": `${variable()}module "m" {\n  source = "x/y/z"\n  t = local.b\n}\ndata "a" "b" {\n  x {\n    t = local.a\n  }\n}\n`,
      },
      "/repo/infra/main.tf:1",
      "First remove it from data.a.b (main.tf:10, and 1 more),",
    ],
    [
      "a module",
      { "main.tf": `${variable()}module "m" {\n  source = "./m"\n  t = var.do_token\n}\n` },
      "/repo/infra/main.tf:1",
      "First set ephemeral = true in the module's variable t: module.m (main.tf:6)",
    ],
    [
      "a release that knows no ephemeral",
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
      "a release that knows no ephemeral variable",
      {
        "main.tf": `${variable()}terraform {\n  required_version = "~> 1.5.0"\n}\n${provider("token = var.do_token")}`,
      },
      "/repo/infra/main.tf:1",
      "but required_version is ~> 1.5.0",
    ],
    [
      "what takes a variable of ours",
      { "main.tf": '\noutput "t" {\n  value = var.do_token\n}\n' },
      "/repo/infra/main.tf:3",
      'First remove it from output "t" (main.tf:3),',
    ],
    [
      "a text that is edited by hand",
      { "main.tf": `resource "a" "b" {\n  user_data = "x ${PERSONAL}"\n}\n` },
      "/repo/infra/main.tf:2",
      "Remove it yourself: --fix edits only providers, variables, locals and module arguments. Revoke it if",
    ],
    [
      "what --fix moves when the rest is gone",
      { "main.tf": `${HARD}# ${PERSONAL}\n` },
      "/repo/infra/main.tf:2",
      "Remove the other tokens yourself. Then do-bootstrap --fix moves this one",
    ],
    [
      "a local where the root has no variable",
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
      "the default of a variable that may not be null",
      { "main.tf": `variable "t" {\n  nullable = false\n  default  = "${PERSONAL}"\n}\n` },
      "/repo/infra/main.tf:3",
      "Remove it yourself: --fix edits only",
    ],
    [
      "a local that goes where an ephemeral variable may not",
      {
        "main.tf": `${variable("ephemeral = true")}locals {\n  t = "${PERSONAL}"\n}\noutput "t" {\n  value = local.t\n}\n`,
      },
      "/repo/infra/main.tf:5",
      "Remove it yourself: it is used where an ephemeral variable is not allowed",
    ],
  ])("%s, and what to do", async (_, files, where, step) => {
    const [finding] = await judged(files, "{}", { notIgnored: ["infra/a.tfvars"] });
    expect(finding?.where).toBe(where);
    expect(said(finding?.fix, { cwd: "/repo" })).toContain(step);
    expect(JSON.stringify(finding)).not.toContain(PERSONAL);
  });

  it("a token in a name is in no message", async () => {
    const main = `locals {\n  x_${PERSONAL} = "${PERSONAL}"\n}\n${variable()}resource "a" "${PERSONAL}" {\n  b = var.do_token\n}\n`;
    expect(JSON.stringify(await judged({ "main.tf": main }))).not.toContain(PERSONAL);
  });

  it("the tool that is typed is the one that is installed", async () => {
    const [finding] = await judged({ "a.tf": "a {" }, "{}", { tools: ["tofu 1.11.0"] });
    expect(said(finding?.fix)).toContain("tofu -chdir=/repo/infra fmt");
  });
});

describe("--fix", () => {
  const GONE = "~ infra/main.tf removal";

  it.each<[string, Files, string, readonly string[]]>([
    ["nothing to do", { "main.tf": provider("token = var.do_token") }, "{}", []],
    ["a provider's token", { "main.tf": HARD }, "{}", [GONE]],
    ["a default", { "main.tf": variable(`default = "${PERSONAL}"`) }, "{}", [GONE]],
    [
      "in two files",
      { "a.tf": HARD, "main.tf": variable(`default = "${PERSONAL}"`) },
      "{}",
      ["~ infra/a.tf removal", GONE],
    ],
    ["twice in one file", { "main.tf": HARD + variable(`default = "${PERSONAL}"`) }, "{}", [GONE]],
    // What is there is not even read; plan.test.ts has what is said of it.
    [
      "behind a link out of the repo",
      { "main.tf": { text: HARD, leadsTo: "/else/main.tf" } },
      "{}",
      [],
    ],
  ])("%s", async (_, files, terraform, expected) => {
    expect(planned(await fix(files, terraform))).toEqual(expected);
  });

  it.each<[string, Files, string, string]>([
    ["a provider", { "main.tf": HARD }, "{}", provider("token = var.do_token")],
    [
      "the variable that config names",
      { "main.tf": HARD },
      "{ variable: pat }",
      provider("token = var.pat"),
    ],
    ["under env", { "main.tf": HARD }, "{ credentials: env }", provider("token = null")],
    [
      "releases that know no ephemeral variable",
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
      "both",
      { "main.tf": HARD + variable(`default = "${PERSONAL}"`) },
      "{}",
      provider("token = var.do_token") + variable("default = null"),
    ],
    [
      "what stands around it",
      { "main.tf": `# é\r\n${HARD} # mine` },
      "{}",
      `# é\r\n${provider("token = var.do_token")} # mine`,
    ],
  ])("%s", async (_, files, terraform, expected) => {
    expect(textsAfter(await fix(files, terraform))["infra/main.tf"]).toBe(expected);
  });

  it("the rest of a root by another name of the provider", async () => {
    const source = 'do = { source = "digitalocean/digitalocean" }';
    const main = required(source) + HARD.replace("digitalocean", "do");
    const made = textsAfter(await fix({ "main.tf": main }))["infra/main.tf"];
    expect(made).toBe(main.replace(`"${PERSONAL}"`, "var.do_token"));
  });

  it("in a local that the provider takes", async () => {
    const main = (t: string) => `${provider("token = local.t")}locals {\n  t = ${t}\n}\n`;
    const made = textsAfter(await fix({ "main.tf": main(`"${PERSONAL}"`) }))["infra/main.tf"];
    expect(made).toBe(main("var.do_token"));
  });

  const LOCAL = `locals {\n  t = "${PERSONAL}"\n}\n`;
  const ARGUMENT = `module "m" {\n  source = "./m"\n  config = { t = "${PERSONAL}" }\n}\n`;
  it.each<[string, string]>([
    ["a local", LOCAL],
    ["an argument of a module", ARGUMENT],
    ["all of it", LOCAL + ARGUMENT + HARD],
  ])("%s", async (_, main) => {
    const made = textsAfter(await fix({ "main.tf": main }))["infra/main.tf"];
    expect(made).toBe(main.replaceAll(`"${PERSONAL}"`, "var.do_token"));
  });

  it.each<[string, string, string]>([
    ["a local that goes nowhere else", LOCAL, "ephemeral"],
    ["one that an output gives on", `${LOCAL}output "t" {\n  value = local.t\n}\n`, "kept"],
    ["an argument of a module", ARGUMENT, "kept"],
    ["a provider", HARD, "ephemeral"],
  ])("the variable that takes the place of %s: %s", async (_, main, expected) => {
    const { root } = await observed({ "main.tf": main });
    const { mayBeEphemeral } = needsOf(withFix(root));
    expect(mayBeEphemeral ? "ephemeral" : "kept").toBe(expected);
  });

  it("says that git still has it", async () => {
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

  it("in JSON it is a template", async () => {
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
    ["one", { "main.tf": HARD }, true],
    ["one, twice", { "main.tf": HARD + variable(`default = "${PERSONAL}"`) }, true],
    ["two", { "main.tf": HARD + variable(`default = "${OTHER}"`) }, false],
    ["one, and in a comment", { "main.tf": `${HARD}# ${PERSONAL}\n` }, false],
    [
      "another than the one that is used, in a provider",
      { "main.tf": HARD.replace(PERSONAL, OTHER) },
      true,
    ],
    [
      "another than the one that is used, in a local",
      { "main.tf": LOCAL.replace(PERSONAL, OTHER) },
      false,
    ],
    ["in user data", { "main.tf": `resource "a" "b" {\n  c = "${PERSONAL}"\n}\n` }, false],
    ["in an argument of a module", { "main.tf": ARGUMENT }, true],
    ["in a local, under a provider without a token", { "main.tf": provider("") + LOCAL }, false],
  ])("%s: can it be fixed? %s", async (_, files, expected) => {
    const { known, root } = await observed(files);
    expect(isFixable(known, root)).toBe(expected);
  });

  it.each<[string, string, string]>([
    ["a variable", "{}", "tfvars do_token"],
    ["a variable by name", "{ variable: pat }", "tfvars pat"],
    ["the environment", "{ credentials: env }", "env do_token"],
  ])("afterwards the root takes its token from %s", async (_, terraform, expected) => {
    const { root } = await observed({ "main.tf": HARD }, terraform);
    const fixed = withFix(root);
    const { credentials, variable } = needsOf(fixed);
    expect(`${credentials} ${variable}`).toBe(expected);
    expect(fixed.module.hardCoded).toEqual([]);
  });
});
