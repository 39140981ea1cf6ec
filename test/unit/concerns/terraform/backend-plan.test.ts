import { describe, expect, it } from "vitest";
import {
  judgeBackendSecrets,
  judgeSharing,
  lockTestOf,
  planBackend,
  stateElsewhere,
} from "../../../../src/concerns/terraform/backend/plan.ts";
import { afterwards, facts, type Given, planned, textsAfter } from "../../../fixtures/facts.ts";
import { older } from "../../../fixtures/generated.ts";
import { said } from "../../../fixtures/hint.ts";

type Files = NonNullable<Given["files"]>;

const KEYS = { SPACES_ACCESS_KEY_ID: "id", SPACES_SECRET_ACCESS_KEY: "s3cr3t" };
const config = (more = "") =>
  `terraform: { backend: { bucket: acme, region: nyc3, key: web.tfstate${more} } }`;

/** By default, the config has a backend, and the keys of its bucket are set. */
async function observed(given: Given) {
  const known = await facts({ config: config(), env: KEYS, ...given });
  const [root] = known.terraform.roots;
  if (root === undefined) throw new Error("There is no root.");
  return { known, root };
}

async function plan(given: Given) {
  const { known, root } = await observed(given);
  return planBackend(known, root);
}

const GENERATED = textsAfter(await plan({}))["infra/backend.tf"] ?? "";
const LOCKED = textsAfter(await plan({ config: config(", lock: true") }))["infra/backend.tf"] ?? "";
const block = (body: string, type = "s3") =>
  `terraform {\n  backend "${type}" {\n    ${body}\n  }\n}\n`;
const SAME = `bucket = "acme"\n    key = "web.tfstate"\n    endpoints = { s3 = "https://nyc3.digitaloceanspaces.com" }`;
const at = (name: string, entry: Files[string], more: Given = {}): Given => ({
  ...more,
  files: { [`infra/${name}`]: entry },
});
const noted = (settings: object, type = "s3") =>
  at(".terraform/terraform.tfstate", JSON.stringify({ backend: { type, config: settings } }));
const PLACE = {
  bucket: "acme",
  key: "web.tfstate",
  endpoints: { s3: "https://nyc3.digitaloceanspaces.com" },
};
const STATE = '{"resources":[{}]}';

describe("backend.tf", () => {
  const needs15 = at("main.tf", 'terraform {\n  required_version = "~> 1.5.0"\n}\n');
  const needs16 = at("main.tf", 'terraform {\n  required_version = "~> 1.6.0"\n}\n');

  it.each<[string, Given, readonly string[]]>([
    ["is new", {}, ["+ infra/backend.tf"]],
    ["is up to date", at("backend.tf", GENERATED), []],
    ["is up to date, with CRLF", at("backend.tf", GENERATED.replaceAll("\n", "\r\n")), []],
    [
      "is from an older template",
      at("backend.tf", older(GENERATED, "us-east-1", "us-east-2")),
      ["~ infra/backend.tf"],
    ],
    [
      "was edited, with the same settings",
      at("backend.tf", `${GENERATED}# mine\n`),
      ["info terraform.edited"],
    ],
    [
      "was edited, with another key",
      at("backend.tf", GENERATED.replace("web.tfstate", "x")),
      ["info terraform.edited", "warning backend.other"],
    ],
    [
      "is the repo's, without a backend block",
      at("backend.tf", "locals {}\n"),
      ["warning backend.other"],
    ],
    ["is not needed: the repo has the same block", at("main.tf", block(SAME)), []],
    [
      "is not written: the repo has a block with another bucket",
      at("main.tf", block('bucket = "b"')),
      ["warning backend.other"],
    ],
    [
      "is not written: the repo has a block of another type",
      at("main.tf", block("", "gcs")),
      ["warning backend.other"],
    ],
    [
      "is not written: the repo has a partial block, which may be the same",
      at("main.tf", block("")),
      [],
    ],
    [
      "is not written: HCP Terraform",
      at("main.tf", "terraform {\n  cloud {}\n}\n"),
      ["error cloud.backend"],
    ],
    ["is not written: the code allows only Terraform 1.5", needs15, ["warning terraform.too-old"]],
    ["is written: the code allows 1.6, which includes 1.6.3", needs16, ["+ infra/backend.tf"]],
  ])("%s", async (_, given, expected) => {
    const made = await plan(given);
    expect(planned(made)).toEqual(expected);
    const left = expected.filter((each) => !each.endsWith(".tf"));
    expect(planned(await plan(afterwards(given, made)))).toEqual(left);
  });

  it("is updated for another region", async () => {
    const there = at("backend.tf", GENERATED);
    const other = config().replace("nyc3", "ams3");
    expect(planned(await plan({ ...there, config: other }))).toEqual(["~ infra/backend.tf"]);
  });
});

describe("without a backend in the config", () => {
  const prod = (workspace = "") =>
    `terraform: {}\nenvironments: { prod: { terraform: {${workspace}} }, qa: {} }`;
  const none = { config: "terraform: {}" };
  const inProd = { config: prod(), environment: "prod" };

  it.each<[string, Given, readonly string[]]>([
    ["and without one in the code", none, []],
    ["and with one in the code", { ...none, ...at("main.tf", block(SAME)) }, []],
    [
      "and with one on Spaces in the code, without keys",
      { ...none, ...at("main.tf", block(SAME)), env: {} },
      ["warning backend.no-keys"],
    ],
    [
      "and with one on Spaces in the code, and an AWS profile",
      { ...none, ...at("main.tf", block(SAME)), env: { AWS_PROFILE: "x" } },
      [],
    ],
    [
      "and with one on Spaces in the code, and keys stored by an earlier init",
      {
        ...none,
        env: {},
        files: {
          "infra/main.tf": block(SAME),
          ...noted({ ...PLACE, access_key: "a", secret_key: "b" }).files,
        },
      },
      [],
    ],
    [
      "and with one on AWS in the code, without keys",
      { ...none, ...at("main.tf", block('bucket = "b"')), env: {} },
      [],
    ],
    [
      "but with a generated backend.tf left over",
      { ...none, ...at("backend.tf", GENERATED) },
      ["warning backend.other"],
    ],
    [
      "but with an edited backend.tf left over",
      { ...none, ...at("backend.tf", `${GENERATED}#\n`) },
      [],
    ],
    ["and two environments in one folder", inProd, ["warning backend.shared"]],
    ["and no environment selected", { config: prod() }, []],
    [
      "and a workspace for the environment",
      { config: prod(" workspace: prod "), environment: "prod" },
      [],
    ],
    [
      "and two environments in one folder, with a full backend in the code",
      { ...inProd, ...at("main.tf", block(SAME)) },
      ["warning backend.shared"],
    ],
    [
      "and two environments, which -backend-config can separate",
      { ...inProd, ...at("main.tf", block('bucket = "b"')) },
      [],
    ],
    [
      "and two environments in one folder, with a local backend in the code",
      { ...inProd, ...at("main.tf", block("", "local")) },
      ["warning backend.shared"],
    ],
    [
      "and two environments, which HCP Terraform separates",
      { ...inProd, ...at("main.tf", "terraform {\n  cloud {}\n}\n") },
      [],
    ],
  ])("%s", async (_, given, expected) => {
    expect(planned(await plan(given))).toEqual(expected);
  });

  it("a shared one in the config is not reported here, but refused earlier", async () => {
    const { known, root } = await observed({ config: config() });
    const shared = { ...root, config: { ...root.config, sharedWith: ["qa"] } };
    expect(judgeSharing({ ...known.config, environment: "prod" }, shared)).toEqual([]);
  });
});

describe("the lock", () => {
  const LOCK = { config: config(", lock: true") };
  const place = "nyc3/acme/web.tfstate";
  const file = "+ infra/backend.tf";

  it.each<[string, Given, readonly string[], boolean]>([
    ["is not configured", {}, [file], false],
    ["is not tested yet", LOCK, ["info backend.lock-untested", file], true],
    ["works", { ...LOCK, locks: { [place]: {} } }, [file], false],
    [
      "works, and the test's object is left",
      { ...LOCK, locks: { [place]: { left: "x" } } },
      [file],
      false,
    ],
    [
      "does not work",
      { ...LOCK, locks: { [place]: { why: "it is ignored" } } },
      ["error backend.lock"],
      false,
    ],
    [
      "works for another state",
      { ...LOCK, locks: { "nyc3/acme/x": {} } },
      ["info backend.lock-untested", file],
      true,
    ],
    [
      "cannot be tested without keys",
      { ...LOCK, env: {} },
      ["error backend.lock", "warning backend.no-keys"],
      false,
    ],
    [
      "cannot be tested with an AWS profile",
      { ...LOCK, env: { AWS_PROFILE: "x" } },
      ["error backend.lock", "warning backend.other-keys"],
      false,
    ],
    ["is in backend.tf", { ...LOCK, ...at("backend.tf", LOCKED) }, [], false],
    [
      "is configured, and is not in the repo's block",
      { ...LOCK, ...at("main.tf", block(SAME)) },
      ["warning backend.other"],
      false,
    ],
    [
      "is in the repo's block",
      { ...LOCK, ...at("main.tf", block(`${SAME}\n    use_lockfile = true`)) },
      [],
      false,
    ],
    [
      "is only in the repo's block",
      at("main.tf", block(`${SAME}\n    use_lockfile = true`)),
      [],
      false,
    ],
    [
      "needs 1.10, and the root allows only older versions",
      { ...LOCK, ...at("main.tf", 'terraform {\n  required_version = "< 1.10"\n}\n') },
      ["warning terraform.too-old"],
      false,
    ],
    [
      "needs 1.10, and 1.9 is installed",
      { ...LOCK, locks: { [place]: {} }, tools: ["terraform 1.9.8"] },
      ["warning terraform.too-old", file],
      false,
    ],
  ])("%s", async (_, given, expected, isToBeTried) => {
    const { known, root } = await observed(given);
    expect(planned(planBackend(known, root))).toEqual(expected);
    expect(lockTestOf(known, root) !== undefined).toBe(isToBeTried);
  });

  it.each<[string, Given["locks"], RegExp]>([
    ["why it does not work", { [place]: { why: "it is ignored" } }, /acme: it is ignored\.$/],
    ["which object is left", { [place]: { why: "x", left: "web.test" } }, /web\.test/],
  ])("says %s", async (_, locks, message) => {
    const { findings = [] } = await plan({ ...LOCK, ...(locks && { locks }) });
    expect(findings[0]?.message).toMatch(message);
  });
});

describe("the keys of the bucket", () => {
  const there = at("backend.tf", GENERATED);
  const AWS = { AWS_ACCESS_KEY_ID: "aws", AWS_SECRET_ACCESS_KEY: "x" };

  it.each<[string, Given, readonly string[]]>([
    ["in the environment", there, []],
    [
      "in the env file",
      {
        env: {},
        files: { ...there.files, ".env": "SPACES_ACCESS_KEY_ID=a\nSPACES_SECRET_ACCESS_KEY=b\n" },
      },
      [],
    ],
    ["not set", { ...there, env: {} }, ["warning backend.no-keys"]],
    ["only one key", { ...there, env: { SPACES_ACCESS_KEY_ID: "a" } }, ["warning backend.no-keys"]],
    ["under AWS's names", { ...there, env: AWS }, []],
    [
      "under both names, the same pair",
      { ...there, env: { ...KEYS, AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "s3cr3t" } },
      [],
    ],
    ["two different pairs", { ...there, env: { ...KEYS, ...AWS } }, ["warning backend.other-keys"]],
    ["an AWS profile", { ...there, env: { AWS_PROFILE: "x" } }, ["warning backend.other-keys"]],
    [
      "an AWS profile and Spaces keys",
      { ...there, env: { ...KEYS, AWS_PROFILE: "x" } },
      ["warning backend.other-keys"],
    ],
  ])("%s", async (_, given, expected) => {
    expect(planned(await plan(given))).toEqual(expected);
  });

  it.each<[string, Given, RegExp]>([
    [
      "no keys",
      { env: {} },
      /^do-bootstrap backend key creates.* create a key pair .*acme in nyc3.* into \.env\./,
    ],
    [
      "no keys, and an env file that git does not ignore",
      { env: {}, notIgnored: [".env"] },
      /By hand: echo \.env >> \.gitignore, then create a key pair/,
    ],
    ["no keys, without a repo", { env: {}, git: false }, /By hand: create a key pair/],
    [
      "two different pairs",
      { env: { ...KEYS, ...AWS } },
      /^unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN$/,
    ],
    ["an AWS profile", { env: { AWS_PROFILE: "x" } }, /^unset AWS_PROFILE$/],
  ])("how to fix it: %s", async (_, given, step) => {
    const [finding] = (await plan({ ...there, ...given })).findings ?? [];
    expect(said(finding?.fix, { cwd: "/repo" })).toMatch(step);
  });
});

describe("a state in another place", () => {
  it.each<[string, Given, string | undefined]>([
    ["no state", {}, undefined],
    ["in the configured place", noted(PLACE), undefined],
    ["in the folder", at("terraform.tfstate", STATE), "in this folder"],
    [
      "in the folder, of a workspace",
      at("terraform.tfstate.d/prod/terraform.tfstate", STATE),
      "in this folder",
    ],
    [
      "in the folder, and empty",
      at("terraform.tfstate", '{"resources":[],"outputs":{}}'),
      undefined,
    ],
    ["in the folder, and not JSON", at("terraform.tfstate", "x"), "in this folder"],
    ["in another bucket", noted({ ...PLACE, bucket: "b" }), "in b/web.tfstate"],
    ["at another key", noted({ ...PLACE, key: "k" }), "in acme/k"],
    [
      "in another region",
      noted({ ...PLACE, endpoints: { s3: "ams3.digitaloceanspaces.com" } }),
      "in acme/web.tfstate",
    ],
    ["in a backend of another type", noted({}, "gcs"), "in a backend of type gcs"],
    [
      "in the folder, and no backend in the config",
      { config: "terraform: {}", ...at("terraform.tfstate", STATE) },
      undefined,
    ],
    [
      "in the folder, and the repo's block has another bucket",
      { files: { "infra/main.tf": block('bucket = "b"'), "infra/terraform.tfstate": STATE } },
      undefined,
    ],
    [
      "in the folder, and the repo's block is the same as the config's",
      { files: { "infra/main.tf": block(SAME), "infra/terraform.tfstate": STATE } },
      "in this folder",
    ],
  ])("%s", async (_, given, expected) => {
    const { root } = await observed(given);
    expect(stateElsewhere(root)).toBe(expected);
    const findings = planned(await plan(given)).filter((each) => each.includes("migrate"));
    expect(findings).toEqual(expected === undefined ? [] : ["warning backend.migrate"]);
  });

  it("is migrated under exec, which sets the keys of the bucket", async () => {
    const { findings = [] } = await plan(at("terraform.tfstate", STATE));
    expect(said(findings[0]?.fix, { cwd: "/repo" })).toMatch(
      /^do-bootstrap exec -- terraform -chdir=infra init -migrate-state /,
    );
  });
});

describe("the tool's version", () => {
  const there = at("backend.tf", GENERATED);
  it.each<[readonly string[], readonly string[]]>([
    [["terraform 1.6.2"], ["warning terraform.too-old"]],
    [["terraform 1.6.3"], []],
    [["tofu 1.6.2"], ["warning terraform.too-old"]],
    [["terraform"], []],
    [[], []],
  ])("%j", async (tools, expected) => {
    expect(planned(await plan({ ...there, tools }))).toEqual(expected);
  });
});

describe("secrets that init copies", () => {
  const secrets = async (given: Given) => {
    const { known, root } = await observed(given);
    return judgeBackendSecrets(known, root);
  };

  it.each<[string, Given, readonly string[]]>([
    ["no secret", at("main.tf", block(SAME)), []],
    ["in the block", at("main.tf", block('secret_key = "x"')), ["/repo/infra/main.tf:3"]],
    [
      "two on one line",
      at(
        "main.tf",
        'terraform {\n  backend "s3" {\n    assume_role = { token = "a", access_token = "b" }\n  }\n}\n',
      ),
      ["/repo/infra/main.tf:3"],
    ],
    [
      "in a file for -backend-config",
      at("prod.tfbackend", 'x = 1\nsecret_key = "x"\n'),
      ["/repo/infra/prod.tfbackend:2"],
    ],
    [
      "in a JSON file for -backend-config",
      at("backend.json", '{"access_key":"x"}'),
      ["/repo/infra/backend.json"],
    ],
    ["an empty value", at("prod.tfbackend", 'secret_key = ""\n'), []],
    [
      "in TF_CLI_ARGS_init",
      { env: { TF_CLI_ARGS_init: "-backend-config=secret_key=x" } },
      ["TF_CLI_ARGS_init"],
    ],
    [
      "in a file that TF_CLI_ARGS_init names",
      { env: { TF_CLI_ARGS_init: "-backend-config=x.hcl" }, ...at("x.hcl", 'secret_key = "x"') },
      ["/repo/infra/x.hcl:1"],
    ],
    [
      "stored by an earlier init",
      noted({ access_key: "x" }),
      ["/repo/infra/.terraform/terraform.tfstate"],
    ],
    [
      "in a file, and stored by an earlier init",
      {
        files: {
          ...noted({ secret_key: "x" }).files,
          ...at("prod.tfbackend", 'secret_key = "x"').files,
        },
      },
      ["/repo/infra/prod.tfbackend:1", "/repo/infra/.terraform/terraform.tfstate"],
    ],
  ])("%s", async (_, given, expected) => {
    const findings = await secrets(given);
    expect(findings.map(({ where }) => where)).toEqual(expected);
    expect(planned({ findings })).toEqual(expected.map(() => "error backend.secret"));
  });

  it("the fix removes the stored settings and runs init again", async () => {
    const [finding] = await secrets(noted({ access_key: "x" }));
    const step = said(finding?.fix, { cwd: "/repo" });
    expect(step).toContain("rm infra/.terraform/terraform.tfstate");
    expect(step).toContain("do-bootstrap exec -- terraform -chdir=infra init -reconfigure");
  });
});
