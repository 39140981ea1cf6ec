import { describe, expect, it } from "vitest";
import { planTerraform } from "../../../../src/concerns/terraform/plan.ts";
import { joined, type Plan } from "../../../../src/core/plan.ts";
import {
  afterwards,
  alive,
  consent,
  type Flags,
  facts,
  type Given,
  MISSING,
  planned,
  textsAfter,
} from "../../../fixtures/facts.ts";
import { older } from "../../../fixtures/generated.ts";
import { said } from "../../../fixtures/hint.ts";
import { OTHER } from "../../samples.ts";

async function plan(given: Given, ...flags: Flags): Promise<Plan> {
  const known = await facts(given);
  const { roots } = known.terraform;
  return joined(roots.map((root) => planTerraform(known, root, consent(...flags))));
}

/** The root /repo/infra with these files, and a config. */
function root(files: Given["files"], terraform = "{}", more: Given = {}): Given {
  const inRoot = Object.entries(files ?? {}).map(([name, entry]) => [`infra/${name}`, entry]);
  return { config: `terraform: ${terraform}`, files: Object.fromEntries(inRoot), ...more };
}

const SECRET = "do-bootstrap.secret.auto.tfvars.json";
const VALUES = "do-bootstrap.auto.tfvars.json";
const SOURCE = 'digitalocean = {\nsource = "digitalocean/digitalocean"\n}';
const REQUIRED = `terraform {\nrequired_providers {\n${SOURCE}\n}\n}\n`;
const PROVIDER = 'provider "digitalocean" {\ntoken = var.do_token\n}\n';
const VARIABLE = 'variable "do_token" {\nephemeral = true\n}\n';
const COMPLETE = REQUIRED + PROVIDER + VARIABLE;
const BACKEND = "{ backend: { bucket: acme, region: nyc3, key: web.tfstate } }";

const GENERATED = textsAfter(await plan(root({})));
const ours = (name: string) => GENERATED[`infra/${name}`] ?? "";
const DONE = {
  "versions.tf": ours("versions.tf"),
  "provider.tf": ours("provider.tf"),
  "variables.tf": ours("variables.tf"),
  [SECRET]: ours(SECRET),
};
const MISSING_TF = textsAfter(await plan(root({ "main.tf": "" })))["infra/do-bootstrap.tf"] ?? "";
const OLD = older(DONE["provider.tf"], "var.do_token", "var.other");

const row = (name: string, sign = "+") => `${sign} infra/${name}`;
const THREE = [row("versions.tf"), row("provider.tf"), row("variables.tf")];
const STORED = `${row(SECRET)} secret 0600`;

describe("the files of a root", () => {
  it.each<[string, Given, readonly string[]]>([
    ["no root", {}, []],
    [
      "code that reads undeclared variables",
      root(
        { "main.tf": `${COMPLETE}output "o" {\nvalue = "\${var.x} \${var.y}"\n}\n` },
        "{ variables: { y: 1 } }",
      ),
      ["warning terraform.undeclared", row("do-bootstrap.tf"), row(VALUES), STORED],
    ],
    [
      "code that reads the variable that we declare",
      root({ "main.tf": REQUIRED + PROVIDER }),
      [row("do-bootstrap.tf"), STORED],
    ],
    ["a new root", root({}), [...THREE, STORED]],
    ["a new root, without a token", root({}, "{}", { token: MISSING }), THREE],
    ["a new root, with credentials: env", root({}, "{ credentials: env }"), THREE.slice(0, 2)],
    [
      "a new root, with credentials: env and values",
      root({}, "{ credentials: env, variables: { a: 1 } }"),
      [...THREE, row(VALUES)],
    ],
    ["a finished root", root(DONE), []],
    [
      "a finished root, with CRLF",
      root({ ...DONE, "provider.tf": DONE["provider.tf"].replaceAll("\n", "\r\n") }),
      [],
    ],
    [
      "a file from an older template",
      root({ ...DONE, "provider.tf": OLD }),
      [row("provider.tf", "~")],
    ],
    [
      "an edited file",
      root({ ...DONE, "provider.tf": `${DONE["provider.tf"]}# mine\n` }),
      ["info terraform.edited"],
    ],
    ["a missing file", root({ ...DONE, "versions.tf": undefined }), [row("versions.tf")]],
    ["code that has every block", root({ "main.tf": COMPLETE, [SECRET]: DONE[SECRET] }), []],
    ["other code", root({ "main.tf": "locals {}\n" }), [row("do-bootstrap.tf"), STORED]],
    [
      "other code, and do-bootstrap.tf",
      root({ "main.tf": "", "do-bootstrap.tf": MISSING_TF, [SECRET]: DONE[SECRET] }),
      [],
    ],
    [
      "code without the variable",
      root({ "main.tf": REQUIRED + PROVIDER, [SECRET]: DONE[SECRET] }),
      [row("do-bootstrap.tf")],
    ],
    [
      "do-bootstrap.tf, and the same blocks in the code",
      root({ "main.tf": COMPLETE, "do-bootstrap.tf": MISSING_TF, [SECRET]: DONE[SECRET] }),
      [row("do-bootstrap.tf", "~")],
    ],
    [
      "our three files, and the provider in the code",
      root({ ...DONE, "main.tf": PROVIDER }),
      [row("provider.tf", "~")],
    ],
    [
      "our three files, and the same blocks in the code",
      root({ ...DONE, "main.tf": COMPLETE }),
      [row("versions.tf", "~"), row("provider.tf", "~"), row("variables.tf", "~")],
    ],
    ["our three files and more code", root({ ...DONE, "main.tf": "locals {}\n" }), []],
    [
      "an edited do-bootstrap.tf",
      root({ "main.tf": "", "do-bootstrap.tf": `${MISSING_TF}# mine\n`, [SECRET]: DONE[SECRET] }),
      [],
    ],
    [
      "a provider that uses another variable",
      root({ "main.tf": 'provider "digitalocean" {\ntoken = var.pat\n}\n' }),
      [row("do-bootstrap.tf"), STORED],
    ],
    [
      "a provider that uses a local",
      root({ "main.tf": `${REQUIRED}provider "digitalocean" {\ntoken = local.t\n}\n` }),
      [],
    ],
    ["code in JSON", root({ "main.tf.json": "{}" }), [row("do-bootstrap.tf"), STORED]],
    ["code that can't be parsed", root({ "main.tf": "a {" }), ["warning terraform.broken"]],
    ["a folder named x.tf", root({ "x.tf/y": "" }), [...THREE, STORED]],
  ])("%s", async (_, given, expected) => {
    const made = await plan(given);
    expect(planned(made)).toEqual(expected);
    const left = expected.filter((each) => /^(info|warning|error)/.test(each));
    expect(planned(await plan(afterwards(given, made)))).toEqual(left);
  });
});

describe("settings in the config", () => {
  it.each<[string, Given, string, RegExp]>([
    [
      "a custom variable name",
      root({}, "{ variable: pat }"),
      "variables.tf",
      /^variable "pat" \{/m,
    ],
    ["the token's variable is ephemeral", root({}), "variables.tf", /^ +ephemeral += true$/m],
    [
      "an ephemeral variable needs Terraform 1.10",
      root({}),
      "versions.tf",
      /required_version = ">= 1\.10"/,
    ],
    [
      "an ephemeral variable needs OpenTofu 1.11",
      root({}, "{ tool: tofu }"),
      "versions.tf",
      /required_version = ">= 1\.11"/,
    ],
    [
      "no version with credentials: env",
      root({}, "{ credentials: env }"),
      "versions.tf",
      /^terraform \{\n {2}required_providers/m,
    ],
    [
      "types of values",
      root({}, "{ variables: { n: 1, b: true, l: [1] } }"),
      "variables.tf",
      /"n" \{\n {2}type = number\n}\n+variable "b" \{\n {2}type = bool\n}\n+variable "l" \{\n {2}type = any/,
    ],
    [
      "an empty provider block with credentials: env",
      root({}, "{ credentials: env }"),
      "provider.tf",
      /^provider "digitalocean" \{\}$/m,
    ],
  ])("%s", async (_, given, file, expected) => {
    expect(textsAfter(await plan(given))[`infra/${file}`]).toMatch(expected);
  });
});

describe("values", () => {
  const region = "{ credentials: env, variables: { region: nyc3 } }";
  const values = (entry: NonNullable<Given["files"]>[string], more: Given = {}): Given =>
    root(
      {
        "main.tf": `${REQUIRED}provider "digitalocean" {}\nvariable "region" {}\n`,
        [VALUES]: entry,
      },
      region,
      more,
    );

  it.each<[string, Given, Flags, readonly string[]]>([
    ["are written", values(undefined), [], [row(VALUES)]],
    ["are up to date", values('{\n  "region": "nyc3"\n}\n'), [], []],
    ["are added to the user's values", values('{\n  "size": 1\n}\n'), [], [row(VALUES, "~")]],
    ["replace a different value", values('{"region":"ams3"}'), [], [row(VALUES, "~")]],
    ["in a file that is not JSON", values("region = 1"), [], ["error file.unusable"]],
    ["in a list", values("[]"), [], ["error file.unusable"]],
    [
      "in a link to outside the repo",
      values({ text: "{}", leadsTo: "/else/x.json" }),
      [],
      ["error file.outside"],
    ],
    [
      "in a link to outside the repo, --force",
      values({ text: "{}", leadsTo: "/else/x.json" }),
      ["force"],
      ["error file.outside"],
    ],
  ])("%s", async (_, given, flags, expected) => {
    expect(planned(await plan(given, ...flags))).toEqual(expected);
  });

  it("keep what the user added", async () => {
    const made = await plan(values('{"size": 1, "region": "ams3"}'));
    expect(JSON.parse(textsAfter(made)[`infra/${VALUES}`] ?? "")).toEqual({
      size: 1,
      region: "nyc3",
    });
  });
});

describe("a folder that cannot be written to", () => {
  it.each<[string, Given, Flags, readonly string[]]>([
    ["read-only", root({}, "{}", { readOnly: ["infra"] }), [], ["error file.not-writable"]],
    ["read-only, and up to date", root(DONE, "{}", { readOnly: ["infra"] }), [], []],
    [
      "a link to outside the repo",
      root({}, "{}", { files: { infra: { leadsTo: "/else" } } }),
      ["force"],
      ["error terraform.outside"],
    ],
    [
      "a link inside the repo",
      root({}, "{}", { token: MISSING, files: { infra: { leadsTo: "/repo/x" } } }),
      [],
      THREE,
    ],
    ...[
      "main.tf",
      "backend.tf",
      "prod.auto.tfvars",
      "terraform.tfvars.json",
      ".terraformignore",
    ].map((name): [string, Given, Flags, readonly string[]] => [
      `${name} that is a link to outside the repo`,
      root({ ...DONE, [name]: { text: "{}", leadsTo: "/else/x" } }),
      ["force", "fix"],
      ["error file.outside"],
    ]),
    [
      "a generated file that is a link to outside the repo",
      root({ ...DONE, "provider.tf": { text: OLD, leadsTo: "/else/p.tf" } }),
      [],
      ["error file.outside"],
    ],
    [
      "a FIFO instead of a file",
      root({ ...DONE, "versions.tf": { fifo: "" } }),
      [],
      ["warning terraform.broken"],
    ],
    [
      "the repo's top folder",
      { config: "terraform: { dir: . }", token: MISSING, readOnly: ["."] },
      [],
      Array(3).fill("error file.not-writable"),
    ],
  ])("%s", async (_, given, flags, expected) => {
    expect(planned(await plan(given, ...flags))).toEqual(expected);
  });
});

describe("the tool's version", () => {
  it.each<[string, Given, readonly string[]]>([
    [
      "Terraform 1.9",
      root(DONE, "{}", { tools: ["terraform 1.9.8"] }),
      ["warning terraform.too-old"],
    ],
    ["Terraform 1.10", root(DONE, "{}", { tools: ["terraform 1.10.0"] }), []],
    ["OpenTofu 1.10", root(DONE, "{}", { tools: ["tofu 1.10.9"] }), ["warning terraform.too-old"]],
    ["an unknown version", root(DONE, "{}", { tools: ["terraform"] }), []],
    ["no tool", root(DONE, "{}", { tools: [] }), []],
    [
      "Terraform 1.5, with credentials from the environment",
      root({ "main.tf": `${REQUIRED}provider "digitalocean" {}\n` }, "{}", {
        tools: ["terraform 1.5.7"],
      }),
      [],
    ],
  ])("%s", async (_, given, expected) => {
    expect(planned(await plan(given))).toEqual(expected);
  });
});

it.each<[string, Given, readonly RegExp[]]>([
  [
    "a new file",
    root({}, "{ variables: { a: 1 } }"),
    [
      /the provider and its version/,
      /no token/,
      /declares/,
      /terraform\.variables/,
      /var\.do_token/,
    ],
  ],
  ["an older file", root({ ...DONE, "provider.tf": OLD }), [/regenerated/]],
  ["do-bootstrap.tf", root({ "main.tf": "", [SECRET]: DONE[SECRET] }), [/lacked|missing/]],
])("the reason: %s", async (_, given, why) => {
  const words = (await plan(given)).changes.map((each) => each.why);
  expect(words).toEqual(why.map((each) => expect.stringMatching(each)));
});

it.each<[string, Given, Flags, readonly string[]]>([
  [
    "code that can't be parsed, and a secret in a backend file",
    root({ "main.tf": "a {", "prod.tfbackend": 'secret_key = "x"\n' }),
    [],
    ["warning terraform.broken", "error backend.secret"],
  ],
  [
    "a new root with a state on Spaces",
    root({}, BACKEND, { env: { SPACES_ACCESS_KEY_ID: "a", SPACES_SECRET_ACCESS_KEY: "b" } }),
    [],
    [...THREE, row("backend.tf"), STORED],
  ],
  [
    "--fix removes the token and adds the variable",
    root({ "main.tf": `${REQUIRED}provider "digitalocean" {\ntoken = "${OTHER}"\n}\n` }, "{}", {
      token: alive("code"),
    }),
    ["fix"],
    [`${row("main.tf", "~")} removal`, row("do-bootstrap.tf"), STORED],
  ],
])("%s", async (_, given, flags, expected) => {
  expect(planned(await plan(given, ...flags))).toEqual(expected);
});

it("two roots are planned separately", async () => {
  const given = { config: "terraform: [{ dir: a }, { dir: b, credentials: env }]", token: MISSING };
  expect(planned(await plan(given))).toEqual([
    ...["versions.tf", "provider.tf", "variables.tf"].map((name) => `+ a/${name}`),
    ...["versions.tf", "provider.tf"].map((name) => `+ b/${name}`),
  ]);
});

it("a root that resolves outside the repo is named as in the config", async () => {
  const { findings } = await plan(root({}, "{}", { files: { infra: { leadsTo: "/else" } } }));
  expect(findings[0]).toMatchObject({ where: "/repo/infra" });
  expect(findings[0]?.message).toMatch(/\binfra\b.*\/else/);
  expect(said(findings[0]?.fix)).toBe("");
});

describe("the tool's version, before anything is written", () => {
  const ENV = THREE.slice(0, 2);
  const asks = (constraint: string) => `terraform {\nrequired_version = "${constraint}"\n}\n`;
  const older = { tools: ["terraform 1.5.7"] };

  it.each<[string, Given, readonly string[]]>([
    ["a version file with an old version", root({ ".terraform-version": "1.5.7\n" }), ENV],
    [
      "a version file with a new version",
      root({ ".terraform-version": "1.11.4\n" }),
      [...THREE, STORED],
    ],
    [
      "a version file with the latest version",
      root({ ".terraform-version": "latest\n" }),
      [...THREE, STORED],
    ],
    [
      "a version file with the latest 1.5 version",
      root({ ".terraform-version": "latest:^1.5\n" }),
      ENV,
    ],
    ["a version file of asdf", root({ ".tool-versions": "terraform 1.9.8\n" }), ENV],
    ["a config of mise", root({ "mise.toml": '[tools]\nterraform = "1.9"\n' }), ENV],
    [
      "a version file with OpenTofu 1.10",
      root({ ".opentofu-version": "1.10.0" }, "{ tool: tofu }"),
      ENV,
    ],
    [
      "a version file of OpenTofu, without a tool in the config",
      root({ ".opentofu-version": "1.10.0" }),
      ENV,
    ],
    [
      "a version file of the other tool",
      root({ ".terraform-version": "1.5.7" }, "{ tool: tofu }"),
      [...THREE, STORED],
    ],
    [
      "a version file in the repo's top folder",
      { ...root({}), files: { ".git/HEAD": "x", ".terraform-version": "1.5.7" } },
      ENV,
    ],
    [
      "the installed version, which does not change the files",
      root({}, "{}", older),
      [...THREE, STORED, "warning terraform.too-old"],
    ],
    [
      "a version file, and tfvars in the config",
      root({ ".terraform-version": "1.5.7" }, "{ credentials: tfvars }"),
      [...THREE, STORED, "warning terraform.too-old"],
    ],
    [
      "required_version, and tfvars in the config",
      root({ "main.tf": asks("~> 1.5.0") }, "{ credentials: tfvars }", { tools: [] }),
      ["+ infra/do-bootstrap.tf", STORED, "warning terraform.too-old"],
    ],
    [
      "min-required, the oldest version that the code allows",
      root({ "main.tf": asks(">= 1.3"), ".terraform-version": "min-required" }),
      ["+ infra/do-bootstrap.tf"],
    ],
    [
      "the repo's own variable",
      root({ "main.tf": COMPLETE, ".terraform-version": "1.5.7" }),
      [STORED],
    ],
    [
      "a version file with a version that the code does not allow",
      root({ "main.tf": COMPLETE + asks(">= 1.11"), ".terraform-version": "1.10.5" }),
      [STORED, "warning terraform.tool-version"],
    ],
    [
      "two version files with different versions",
      root({
        "main.tf": COMPLETE,
        ".terraform-version": "1.11.4",
        ".tool-versions": "terraform 1.12.0",
      }),
      [STORED, "warning terraform.tool-version"],
    ],
    [
      "two version files with matching versions",
      root({
        "main.tf": COMPLETE,
        ".terraform-version": "1.11.4",
        "mise.toml": '[tools]\nterraform = "1.11"',
      }),
      [STORED],
    ],
    [
      "an installed version that the code does not allow",
      root({ "main.tf": COMPLETE + asks(">= 1.12") }),
      [STORED, "warning terraform.tool-version"],
    ],
    [
      "a version file with a version too old for backend.tf",
      root({ "main.tf": COMPLETE, ".terraform-version": "1.6.0" }, BACKEND),
      [STORED, "warning backend.no-keys", "warning terraform.too-old"],
    ],
    [
      "a version file with a version new enough for backend.tf",
      root({ "main.tf": COMPLETE, ".terraform-version": "1.6.3" }, BACKEND),
      ["+ infra/backend.tf", STORED, "warning backend.no-keys"],
    ],
  ])("%s", async (_, given, expected) => {
    const found = planned(await plan(given)).sort();
    expect(found).toEqual([...expected].sort());
  });

  it("the message names the version file and what needs more", async () => {
    const given = root({ ".terraform-version": "1.5.7" }, "{ credentials: tfvars }");
    const { findings } = await plan(given);
    expect(findings.map(({ message }) => message)).toEqual([
      "/repo/infra/.terraform-version says 1.5.7, but the generated ephemeral variable needs 1.10.",
    ]);
  });

  it("a root with a variable is changed to read the token from the environment", async () => {
    const given = root({ ...DONE, ".terraform-version": "1.5.7" });
    expect(planned(await plan(given))).toEqual([
      "~ infra/versions.tf",
      "~ infra/provider.tf",
      "~ infra/variables.tf",
    ]);
    expect(planned(await plan(afterwards(given, await plan(given))))).toEqual([]);
  });
});

describe("files that only OpenTofu reads", () => {
  it("an OpenTofu root stays one when we add .tf files", async () => {
    const given = root({ "main.tofu": "" });
    const first = await plan(given);
    expect(planned(first)).toEqual([row("do-bootstrap.tf"), STORED]);
    const edited = { "infra/main.tofu": "", "infra/do-bootstrap.tf": `${MISSING_TF}# mine\n` };
    expect(planned(await plan(afterwards(given, first)))).toEqual([]);
    expect((await facts({ ...given, files: edited })).terraform.roots[0]).toMatchObject({
      ...{ tool: "tofu", isCertain: true },
    });
  });

  const unsaid = "warning terraform.tool-unsaid";
  const hard = `${REQUIRED}provider "digitalocean" {\ntoken = "${OTHER}"\n}\n`;

  it.each<[string, Given, readonly string[]]>([
    ["without .tf files: an OpenTofu root", root({ "main.tofu": COMPLETE }), [STORED]],
    ["with tool: tofu", root({ "main.tf": "", "more.tofu": COMPLETE }, "{ tool: tofu }"), [STORED]],
    [
      "with tool: terraform",
      root({ "main.tf": REQUIRED, "more.tofu": PROVIDER }, "{ tool: terraform }"),
      ["+ infra/do-bootstrap.tf", STORED],
    ],
    [
      "with tool: terraform, and no .tf file",
      root({ "more.tofu": PROVIDER }, "{ tool: terraform }"),
      [...THREE, STORED],
    ],
    [
      "in place of the .tf file of the same name",
      root({ "main.tf": COMPLETE, "main.tofu": REQUIRED }, "{ tool: tofu }"),
      ["+ infra/do-bootstrap.tf", STORED],
    ],
    [
      "without a tool in the config",
      root({ "main.tf": COMPLETE, "main.tofu": COMPLETE }),
      [STORED, unsaid],
    ],
    [
      "without a tool in the config, and with blocks that .tf files are missing",
      root({ "main.tf": REQUIRED, "more.tofu": PROVIDER + VARIABLE }),
      [STORED, unsaid],
    ],
    [
      "not: a folder named main.tofu",
      root({ "main.tf": COMPLETE, "main.tofu/x": "" }, "{ tool: tofu }"),
      [STORED],
    ],
    [
      "a token counts in any file",
      root({ "main.tf": COMPLETE, "more.tofu": hard }, "{ tool: terraform }"),
      [STORED, "error terraform.hard-coded-token"],
    ],
    [
      "HCP Terraform counts in any file",
      root(
        { "main.tf": REQUIRED, "more.tofu": "terraform {\ncloud {}\n}\n" },
        "{ tool: terraform }",
      ),
      ["+ infra/do-bootstrap.tf"],
    ],
  ])("%s", async (_, given, expected) => {
    expect(planned(await plan(given)).sort()).toEqual([...expected].sort());
  });
});
