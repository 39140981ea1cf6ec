import { describe, expect, it } from "vitest";
import { planCloud } from "../../../../src/concerns/terraform/cloud/plan.ts";
import { isUploaded } from "../../../../src/concerns/terraform/cloud/upload-ignore.ts";
import {
  afterwards,
  type Entry,
  facts,
  type Given,
  planned,
  textsAfter,
} from "../../../fixtures/facts.ts";

const CLOUD = 'terraform {\n  cloud {\n    organization = "acme"\n  }\n}\n';
const UNCHANGED = "info cloud.variables";

/** A root on HCP Terraform, in infra/. */
async function plan({ config = "terraform: {}", ...given }: Given) {
  const files = { "infra/main.tf": CLOUD, ...given.files };
  return planCloud(await facts({ config, ...given, files }));
}

const ALL = ".env\n.env.*\n*.secret.auto.tfvars.json\n*.tfstate\n*.tfstate.*\n*.tfplan\ntfplan\n";
const BLOCK = textsAfter(await plan({}))[".terraformignore"] ?? "";
const ignores = (top: Entry, own: Entry = ALL): Given => ({
  files: { ".terraformignore": top, "infra/.terraformignore": own },
});

describe("excluding files from the upload", () => {
  it.each<[string, Given, readonly string[]]>([
    ["no root on HCP Terraform", { files: { "infra/main.tf": "" } }, []],
    [
      "no .terraformignore yet: one in the repo and one in the root",
      {},
      ["+ .terraformignore", "+ infra/.terraformignore"],
    ],
    ["a complete file", ignores(ALL), []],
    ["a complete file with other rules", ignores("*\n"), []],
    ["an incomplete file", ignores(".env\n"), ["~ .terraformignore"]],
    ["a complete file, with CRLF", ignores(ALL.replaceAll("\n", "\r\n")), []],
    [
      "a complete file, but a later line re-includes a secret",
      ignores(`${ALL}!.env\n`),
      ["error cloud.upload"],
    ],
    [
      "an incomplete file, and a later line re-includes a secret",
      ignores("!.env\n.env\n!.env\n"),
      ["error cloud.upload"],
    ],
    [
      "an incomplete block, and a line after it that re-includes what is missing",
      ignores(`${BLOCK.replace(".env\n", "")}!.env\n`),
      ["error cloud.upload"],
    ],
    ["a complete file, with a negation in an earlier line", ignores(`!.env\n${ALL}`), []],
    [
      "a link to outside the repo",
      ignores({ text: "", leadsTo: "/else/x" }),
      ["error file.outside"],
    ],
    ["a directory", ignores({ unusable: "a directory" }), ["error file.unusable"]],
    ["a read-only folder", { ...ignores(""), readOnly: ["."] }, ["error file.not-writable"]],
    [
      "a root in the repo's top folder: one file",
      { config: "terraform: { dir: . }", files: { "main.tf": CLOUD, "infra/main.tf": undefined } },
      ["+ .terraformignore"],
    ],
  ])("%s", async (_, given, expected) => {
    const made = await plan(given);
    const variables =
      expected.length === 0 && given.files?.["infra/main.tf"] === "" ? [] : [UNCHANGED];
    const [said, written] = [
      expected.filter((each) => each.startsWith("error")),
      expected.filter((each) => !each.startsWith("error")),
    ];
    expect(planned(made)).toEqual([...said, ...variables, ...written]);
    expect(planned(await plan(afterwards(given, made)))).toEqual([...said, ...variables]);
  });

  it("a custom env file, relative to each .terraformignore", async () => {
    const config = "token: { envFile: infra/secrets.txt }\nterraform: {}";
    const texts = textsAfter(await plan({ config }));
    expect(texts[".terraformignore"]).toMatch(/^infra\/secrets\.txt$/m);
    expect(texts["infra/.terraformignore"]).toMatch(/^secrets\.txt$/m);
  });

  it("the env files of environments, unless a rule already covers them", async () => {
    const config =
      "terraform: {}\nenvironments: { a: { token: { envFile: .env.a } }, b: { token: { envFile: b.env } } }";
    const text = textsAfter(await plan({ config }))[".terraformignore"] ?? "";
    expect(text).not.toMatch(/^\.env\.a$/m);
    expect(text).toMatch(/^b\.env$/m);
  });

  it("the generated text excludes secrets and includes code", async () => {
    const text = BLOCK;
    const names = [
      ".env",
      ".env.prod",
      "do-bootstrap.secret.auto.tfvars.json",
      "terraform.tfstate",
    ];
    expect(names.filter((name) => isUploaded(text, name) || isUploaded(text, `a/${name}`))).toEqual(
      [],
    );
    expect(isUploaded(text, "main.tf")).toBe(true);
  });
});

describe("the variables of a workspace", () => {
  const done = ignores(ALL);
  const variable = (name: string, body = "") => `variable "${name}" {\n  ${body}\n}\n`;
  const provider = 'provider "digitalocean" {\n  token = var.pat\n}\n';
  const needs = async (given: Given) => {
    const { findings = [] } = await plan({ ...given, files: { ...done.files, ...given.files } });
    const named = /(\w+) \((?:environment|Terraform) variable/g;
    const about = findings.find(({ id }) => id === "cloud.variables");
    return Array.from(about?.message.matchAll(named) ?? [], ([, name]) => name);
  };
  const ENVIRONMENT = "DIGITALOCEAN_TOKEN";
  const bucket = 'resource "digitalocean_spaces_bucket" "a" {\n  name = "a"\n}\n';

  it.each<[string, Given, readonly string[]]>([
    ["a provider that reads the environment", {}, [ENVIRONMENT]],
    ["the token's variable", { files: { "infra/a.tf": provider + variable("pat") } }, ["pat"]],
    [
      "another variable without a value",
      { files: { "infra/a.tf": variable("region") } },
      [ENVIRONMENT, "region"],
    ],
    [
      "a variable with a default",
      { files: { "infra/a.tf": variable("region", 'default = "nyc3"') } },
      [ENVIRONMENT],
    ],
    [
      "a variable with a value in the config",
      {
        config: "terraform: { variables: { region: nyc3 } }",
        files: { "infra/a.tf": variable("region") },
      },
      [ENVIRONMENT],
    ],
    [
      "a variable with a value in auto.tfvars",
      { files: { "infra/a.tf": variable("region"), "infra/x.auto.tfvars": 'region = "nyc3"\n' } },
      [ENVIRONMENT],
    ],
    [
      "a variable with a value in auto.tfvars.json",
      {
        files: {
          "infra/a.tf": variable("region"),
          "infra/x.auto.tfvars.json": '{\n  "region": 1\n}',
        },
      },
      [ENVIRONMENT],
    ],
    [
      "a variable with a value in a file for -var-file, which runs do not read",
      { files: { "infra/a.tf": variable("region"), "infra/prod.tfvars": 'region = "nyc3"\n' } },
      [ENVIRONMENT, "region"],
    ],
    [
      "a variable, and a value for a longer name",
      { files: { "infra/a.tf": variable("region"), "infra/x.auto.tfvars": "region_b = 1\n" } },
      [ENVIRONMENT, "region"],
    ],
    [
      "the token's variable, which no provider uses",
      { files: { "infra/a.tf": variable("do_token") } },
      [ENVIRONMENT],
    ],
    [
      "a bucket",
      { files: { "infra/a.tf": bucket } },
      [ENVIRONMENT, "SPACES_ACCESS_KEY_ID", "SPACES_SECRET_ACCESS_KEY"],
    ],
  ])("%s", async (_, given, expected) => {
    expect(await needs(given)).toEqual(expected);
  });

  it.each<[name: string, files: Readonly<Record<string, string>>, named: RegExp | undefined]>([
    ["prod.tfvars", { "prod.tfvars": "region = 1\nother = 2\n" }, /gets no region from this file/],
    ["prod.tfvars.json", { "prod.tfvars.json": '{ "region": 1, "size": 2 }' }, /no region, size /],
    ["values of undeclared variables", { "prod.tfvars": "other = 2\n" }, undefined],
    ["a key inside a value", { "prod.tfvars": 'x = {\n  region = "}"\n}\n' }, undefined],
    ["terraform.tfvars", { "terraform.tfvars": "region = 1\n" }, undefined],
    ["a.auto.tfvars", { "a.auto.tfvars": "region = 1\n" }, undefined],
  ])("values that a run does not read: %s", async (_, values, named) => {
    const code = variable("region") + variable("size", "default = 1");
    const all = Object.entries({ "a.tf": code, ...values });
    const inRoot = Object.fromEntries(all.map(([name, text]) => [`infra/${name}`, text]));
    const { findings = [] } = await plan({ files: { ...done.files, ...inRoot } });
    const found = findings.filter(({ id }) => id === "cloud.values");
    expect(found.map(({ message }) => message)).toEqual(
      named === undefined ? [] : [expect.stringMatching(named)],
    );
  });

  it("are reported for each root, at its block", async () => {
    const files = {
      "a/main.tf": CLOUD,
      "b/x.tf": `\n${CLOUD.replace(/cloud.*\n.*\n/, 'backend "remote" {\n')}`,
    };
    const { findings = [] } = await plan({ config: "terraform: [{ dir: a }, { dir: b }]", files });
    expect(findings.map(({ where }) => where)).toEqual(["/repo/a/main.tf:2", "/repo/b/x.tf:3"]);
  });
});
