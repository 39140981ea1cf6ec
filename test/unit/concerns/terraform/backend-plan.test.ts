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

/** The config has a backend, and the keys of its bucket are there. */
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
    ["is there", at("backend.tf", GENERATED), []],
    ["is there, with CRLF", at("backend.tf", GENERATED.replaceAll("\n", "\r\n")), []],
    [
      "is of an older template",
      at("backend.tf", older(GENERATED, "Spaces is not AWS", "Spaces")),
      ["~ infra/backend.tf"],
    ],
    [
      "was edited, and says the same",
      at("backend.tf", `${GENERATED}# mine\n`),
      ["info terraform.edited"],
    ],
    [
      "was edited, and says another key",
      at("backend.tf", GENERATED.replace("web.tfstate", "x")),
      ["info terraform.edited", "warning backend.other"],
    ],
    ["is the repo's, without a block", at("backend.tf", "locals {}\n"), ["warning backend.other"]],
    ["is not needed: a block of the repo's", at("main.tf", block(SAME)), []],
    [
      "cannot be: a block of another bucket",
      at("main.tf", block('bucket = "b"')),
      ["warning backend.other"],
    ],
    [
      "cannot be: a block of another type",
      at("main.tf", block("", "gcs")),
      ["warning backend.other"],
    ],
    ["cannot be: a partial block, which may be the same", at("main.tf", block("")), []],
    [
      "cannot be: HCP Terraform",
      at("main.tf", "terraform {\n  cloud {}\n}\n"),
      ["error cloud.backend"],
    ],
    ["cannot be: Terraform 1.5 alone", needs15, ["warning terraform.too-old"]],
    ["may be: 1.6.3 is among 1.6", needs16, ["+ infra/backend.tf"]],
  ])("%s", async (_, given, expected) => {
    const made = await plan(given);
    expect(planned(made)).toEqual(expected);
    const left = expected.filter((each) => !each.endsWith(".tf"));
    expect(planned(await plan(afterwards(given, made)))).toEqual(left);
  });

  it("another region, bucket or key is another text", async () => {
    const there = at("backend.tf", GENERATED);
    const other = config().replace("nyc3", "ams3");
    expect(planned(await plan({ ...there, config: other }))).toEqual(["~ infra/backend.tf"]);
  });
});

describe("where config has no backend", () => {
  const prod = (workspace = "") =>
    `terraform: {}\nenvironments: { prod: { terraform: {${workspace}} }, qa: {} }`;
  const none = { config: "terraform: {}" };
  const inProd = { config: prod(), environment: "prod" };

  it.each<[string, Given, readonly string[]]>([
    ["and none in code", none, []],
    ["and one in code", { ...none, ...at("main.tf", block(SAME)) }, []],
    [
      "and one in code on Spaces, whose keys are missing",
      { ...none, ...at("main.tf", block(SAME)), env: {} },
      ["warning backend.no-keys"],
    ],
    [
      "and one in code on Spaces, and a profile is chosen",
      { ...none, ...at("main.tf", block(SAME)), env: { AWS_PROFILE: "x" } },
      [],
    ],
    [
      "and one in code on Spaces, with keys that an earlier init was given",
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
      "and one in code on AWS, whose keys are missing",
      { ...none, ...at("main.tf", block('bucket = "b"')), env: {} },
      [],
    ],
    [
      "any more, and backend.tf is left",
      { ...none, ...at("backend.tf", GENERATED) },
      ["warning backend.other"],
    ],
    [
      "any more, and backend.tf was edited",
      { ...none, ...at("backend.tf", `${GENERATED}#\n`) },
      [],
    ],
    ["and two environments share a folder", inProd, ["warning backend.shared"]],
    ["and no environment was chosen", { config: prod() }, []],
    ["and each has a workspace", { config: prod(" workspace: prod "), environment: "prod" }, []],
    [
      "and the code names the whole place",
      { ...inProd, ...at("main.tf", block(SAME)) },
      ["warning backend.shared"],
    ],
    [
      "and -backend-config tells them apart",
      { ...inProd, ...at("main.tf", block('bucket = "b"')) },
      [],
    ],
    [
      "and the state is in the folder, as the code says",
      { ...inProd, ...at("main.tf", block("", "local")) },
      ["warning backend.shared"],
    ],
    [
      "and HCP Terraform keeps them apart",
      { ...inProd, ...at("main.tf", "terraform {\n  cloud {}\n}\n") },
      [],
    ],
  ])("%s", async (_, given, expected) => {
    expect(planned(await plan(given))).toEqual(expected);
  });

  it("one that config names is refused before", async () => {
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
    ["is not asked for", {}, [file], false],
    ["is not tried yet", LOCK, ["info backend.lock-untested", file], true],
    ["works", { ...LOCK, locks: { [place]: {} } }, [file], false],
    [
      "works, and its object is left",
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
      "of another state works",
      { ...LOCK, locks: { "nyc3/acme/x": {} } },
      ["info backend.lock-untested", file],
      true,
    ],
    [
      "cannot be tried without keys",
      { ...LOCK, env: {} },
      ["error backend.lock", "warning backend.no-keys"],
      false,
    ],
    [
      "cannot be tried with a profile",
      { ...LOCK, env: { AWS_PROFILE: "x" } },
      ["error backend.lock", "warning backend.other-keys"],
      false,
    ],
    ["is there", { ...LOCK, ...at("backend.tf", LOCKED) }, [], false],
    [
      "is asked for, and not in the repo's block",
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
      "is in the repo's block alone",
      at("main.tf", block(`${SAME}\n    use_lockfile = true`)),
      [],
      false,
    ],
    [
      "needs 1.10, and the root allows 1.9",
      { ...LOCK, ...at("main.tf", 'terraform {\n  required_version = "< 1.10"\n}\n') },
      ["warning terraform.too-old"],
      false,
    ],
    [
      "needs 1.10, and there is 1.9",
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
    ["what it left", { [place]: { why: "x", left: "web.test" } }, /web\.test/],
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
    ["nowhere", { ...there, env: {} }, ["warning backend.no-keys"]],
    ["half of them", { ...there, env: { SPACES_ACCESS_KEY_ID: "a" } }, ["warning backend.no-keys"]],
    ["under AWS's names", { ...there, env: AWS }, []],
    [
      "under both names, one pair",
      { ...there, env: { ...KEYS, AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "s3cr3t" } },
      [],
    ],
    ["two pairs", { ...there, env: { ...KEYS, ...AWS } }, ["warning backend.other-keys"]],
    ["a profile", { ...there, env: { AWS_PROFILE: "x" } }, ["warning backend.other-keys"]],
    [
      "a profile, beside keys of Spaces",
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
      "no keys, and an env file that git would take",
      { env: {}, notIgnored: [".env"] },
      /By hand: echo \.env >> \.gitignore, then create a key pair/,
    ],
    ["no keys, without a repo", { env: {}, git: false }, /By hand: create a key pair/],
    [
      "two pairs",
      { env: { ...KEYS, ...AWS } },
      /^unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN$/,
    ],
    ["a profile", { env: { AWS_PROFILE: "x" } }, /^unset AWS_PROFILE$/],
  ])("what to do: %s", async (_, given, step) => {
    const [finding] = (await plan({ ...there, ...given })).findings ?? [];
    expect(said(finding?.fix, { cwd: "/repo" })).toMatch(step);
  });
});

describe("a state that is elsewhere", () => {
  it.each<[string, Given, string | undefined]>([
    ["nowhere", {}, undefined],
    ["where config says", noted(PLACE), undefined],
    ["in the folder", at("terraform.tfstate", STATE), "in this folder"],
    [
      "in the folder, of a workspace",
      at("terraform.tfstate.d/prod/terraform.tfstate", STATE),
      "in this folder",
    ],
    [
      "in the folder, and nothing in it",
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
      "in the folder, and config says nothing",
      { config: "terraform: {}", ...at("terraform.tfstate", STATE) },
      undefined,
    ],
    [
      "where the repo's own block says",
      { files: { "infra/main.tf": block('bucket = "b"'), "infra/terraform.tfstate": STATE } },
      undefined,
    ],
    [
      "in the folder, and the repo's own block says the same as config",
      { files: { "infra/main.tf": block(SAME), "infra/terraform.tfstate": STATE } },
      "in this folder",
    ],
  ])("%s", async (_, given, expected) => {
    const { root } = await observed(given);
    expect(stateElsewhere(root)).toBe(expected);
    const findings = planned(await plan(given)).filter((each) => each.includes("migrate"));
    expect(findings).toEqual(expected === undefined ? [] : ["warning backend.migrate"]);
  });

  it("is moved with the keys of the bucket", async () => {
    const { findings = [] } = await plan(at("terraform.tfstate", STATE));
    expect(said(findings[0]?.fix, { cwd: "/repo" })).toMatch(
      /^do-bootstrap exec -- terraform -chdir=infra init -migrate-state /,
    );
  });
});

describe("the tool's release", () => {
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
    ["none", at("main.tf", block(SAME)), []],
    ["in the block", at("main.tf", block('secret_key = "x"')), ["/repo/infra/main.tf:3"]],
    [
      "two in one line",
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
      "in such a file in JSON",
      at("backend.json", '{"access_key":"x"}'),
      ["/repo/infra/backend.json"],
    ],
    ["an empty one", at("prod.tfbackend", 'secret_key = ""\n'), []],
    [
      "in a variable",
      { env: { TF_CLI_ARGS_init: "-backend-config=secret_key=x" } },
      ["TF_CLI_ARGS_init"],
    ],
    [
      "in a file that a variable names",
      { env: { TF_CLI_ARGS_init: "-backend-config=x.hcl" }, ...at("x.hcl", 'secret_key = "x"') },
      ["/repo/infra/x.hcl:1"],
    ],
    [
      "noted by an earlier init",
      noted({ access_key: "x" }),
      ["/repo/infra/.terraform/terraform.tfstate"],
    ],
    [
      "both",
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

  it("what was noted is removed, and noted anew without it", async () => {
    const [finding] = await secrets(noted({ access_key: "x" }));
    const step = said(finding?.fix, { cwd: "/repo" });
    expect(step).toContain("rm infra/.terraform/terraform.tfstate");
    expect(step).toContain("do-bootstrap exec -- terraform -chdir=infra init -reconfigure");
  });
});
