import { describe, expect, it } from "vitest";
import { planTerraform } from "../../../../src/concerns/terraform/plan.ts";
import {
  hasKeysInExecOnly,
  judgeSpacesKeys,
  stepToKeys,
} from "../../../../src/concerns/terraform/spaces-keys.ts";
import { consent, facts, type Given } from "../../../fixtures/facts.ts";
import { said } from "../../../fixtures/hint.ts";

const KEYS = { SPACES_ACCESS_KEY_ID: "id", SPACES_SECRET_ACCESS_KEY: "sec" };
const FILE = { ".env": "SPACES_ACCESS_KEY_ID=id\nSPACES_SECRET_ACCESS_KEY=sec\n" };

type Files = NonNullable<Given["files"]>;

async function observed({ files = {}, ...more }: Given) {
  const inRoot = Object.entries(files).map(([name, entry]) => [
    /^(\.env|modules\/|b\/)/.test(name) ? name : `infra/${name}`,
    entry,
  ]);
  const known = await facts({
    config: "terraform: {}",
    ...more,
    files: Object.fromEntries(inRoot),
  });
  const [root] = known.terraform.roots;
  if (root === undefined) throw new Error("There is no root.");
  return { known, root };
}

/** "main.tf:1": where keys are missing, one place per finding. */
async function lacks(given: Given): Promise<string> {
  const { known, root } = await observed(given);
  const found = judgeSpacesKeys(known, root);
  expect(found.length > 0).toBe(stepToKeys(known, root) !== undefined);
  for (const { id, message, where } of found) {
    expect([id, message.startsWith(`${where}: `)]).toEqual(["spaces.no-keys", true]);
  }
  return found.map(({ where = "" }) => where.replace(/^\/repo\/(infra\/)?/, "")).join(" ");
}

const BUCKET = 'resource "digitalocean_spaces_bucket" "a" {\nname = "a"\n}\n';
const provider = (body: string) => `provider "digitalocean" {\n${body}\n}\n`;
const PAIR = "spaces_access_id = var.a\nspaces_secret_key = var.b";
const variables = (body = "") =>
  `variable "a" {\n${body}\n}\nvariable "b" {\n${body}\nsensitive = true\n}\n`;
const CODE = provider(PAIR) + variables();
const call = (source: string, more = "") => `module "m" {\nsource = "${source}"\n${more}\n}\n`;

describe("where keys are missing", () => {
  const main = (text: string, more: Files = {}): Files => ({ "main.tf": text, ...more });
  const LITERAL = 'spaces_access_id = "DO00"\nspaces_secret_key = "x"';
  const alias = `${provider("")}${provider(`alias = "s"\n${LITERAL}`)}`;

  it.each<[what: string, files: Files, where: string, more?: Given]>([
    ["a bucket", main(BUCKET), "main.tf:1"],
    ["an object in a bucket", main(`\n${BUCKET.replace("bucket", "bucket_object")}`), "main.tf:2"],
    ["a bucket policy", main(BUCKET.replace("bucket", "bucket_policy")), "main.tf:1"],
    ["a data source", main('data "digitalocean_spaces_buckets" "all" {}\n'), "main.tf:1"],
    [
      "in JSON",
      { "a.tf.json": '{"resource":{"digitalocean_spaces_bucket":{"a":{"name":"a"}}}}' },
      "a.tf.json:1",
    ],
    ["only one key", main(BUCKET), "main.tf:1", { env: { SPACES_ACCESS_KEY_ID: "id" } }],
    [
      "only AWS keys",
      main(BUCKET),
      "main.tf:1",
      { env: { AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b" } },
    ],
    ["keys in the environment", main(BUCKET), "", { env: KEYS }],
    ["keys in the env file", main(BUCKET, FILE), ""],
    [
      "one key in each",
      main(BUCKET, { ".env": "SPACES_ACCESS_KEY_ID=id\n" }),
      "",
      { env: { SPACES_SECRET_ACCESS_KEY: "s" } },
    ],
    ["nothing that needs Spaces keys", main('resource "digitalocean_droplet" "a" {}\n'), ""],
    ["a CDN", main('resource "digitalocean_cdn" "a" {\norigin = "x"\n}\n'), ""],
    [
      "a Spaces key, which needs only the token",
      main('resource "digitalocean_spaces_key" "a" {}\n'),
      "",
    ],
    ["a bucket with count = 0", main(BUCKET.replace("{", "{\ncount = 0")), ""],
    ["a bucket on HCP Terraform", main(`${BUCKET}terraform {\ncloud {}\n}\n`), ""],
    [
      "a value that may be in a file from TF_CLI_ARGS_plan",
      main(BUCKET + CODE),
      "",
      { env: { TF_CLI_ARGS_plan: "-var-file=x" } },
    ],
    // In a module.
    [
      "a bucket in a module",
      { "main.tf": call("../modules/m"), "modules/m/m.tf": BUCKET },
      "modules/m/m.tf:1",
    ],
    [
      "a bucket in a module, with keys",
      { "main.tf": call("../modules/m"), "modules/m/m.tf": BUCKET },
      "",
      { env: KEYS },
    ],
    [
      "a bucket in a module with its own provider",
      { "main.tf": call("../modules/m"), "modules/m/m.tf": BUCKET, "modules/m/p.tf": CODE },
      "",
    ],
    [
      "a bucket in a module, and keys in the root's provider",
      { "main.tf": provider(LITERAL) + call("../modules/m"), "modules/m/m.tf": BUCKET },
      "",
    ],
    [
      "a bucket in a module, and keys in an alias that it may use",
      { "main.tf": alias + call("../modules/m"), "modules/m/m.tf": BUCKET },
      "",
    ],
    [
      "a bucket in the second of two roots",
      { "main.tf": "", "b/main.tf": BUCKET },
      "",
      { config: "terraform: [{ dir: infra }, { dir: b }]" },
    ],
    [
      "a bucket in the first of two roots",
      { "main.tf": `\n${BUCKET}`, "b/main.tf": BUCKET },
      "main.tf:2",
      { config: "terraform: [{ dir: infra }, { dir: b }]" },
    ],
    // Arguments of the provider.
    ["keys in the code", main(BUCKET + provider(LITERAL)), ""],
    ["one key in the code", main(BUCKET + provider('spaces_access_id = "DO00"')), "main.tf:1"],
    [
      "one key in the code, the other in the environment",
      main(BUCKET + provider('spaces_access_id = "DO00"')),
      "",
      { env: { SPACES_SECRET_ACCESS_KEY: "s" } },
    ],
    ["null for a key", main(BUCKET + provider("spaces_access_id = null")), "main.tf:1"],
    [
      "null for a key, and keys in the environment",
      main(BUCKET + provider("spaces_access_id = null")),
      "",
      { env: KEYS },
    ],
    [
      "an empty string for a key",
      main(BUCKET + provider('spaces_access_id = ""')),
      "main.tf:1",
      { env: KEYS },
    ],
    [
      "a key from a resource",
      main(BUCKET + provider("spaces_access_id = digitalocean_spaces_key.k.access_key")),
      "",
    ],
    [
      "keys in an alias that the bucket uses",
      main(alias + BUCKET.replace("{", "{\nprovider = digitalocean.s")),
      "",
    ],
    ["keys in an alias that the bucket does not use", main(alias + BUCKET), "main.tf:9"],
    // Variables.
    ["variables without a value", main(BUCKET + CODE), "main.tf:8"],
    ["variables without a value, and nothing needs them yet", main(CODE), "main.tf:5"],
    ["variables that exec sets from keys", main(BUCKET + CODE), "", { env: KEYS }],
    ["variables that exec sets from keys in the env file", main(CODE, FILE), ""],
    [
      "variables with values in the environment",
      main(CODE),
      "",
      { env: { TF_VAR_a: "x", TF_VAR_b: "y" } },
    ],
    [
      "variables with values in the env file",
      main(CODE, { ".env": "TF_VAR_a=x\nTF_VAR_b=y\n" }),
      "",
    ],
    ["variables with one value", main(CODE), "main.tf:8", { env: { TF_VAR_a: "x" } }],
    [
      "variables with one value, and keys of another pair",
      main(CODE),
      "main.tf:8",
      { env: { ...KEYS, TF_VAR_a: "x" } },
    ],
    [
      "variables with values in tfvars",
      main(CODE, { "terraform.tfvars": 'a = "x"\nb = "y"\n' }),
      "",
    ],
    [
      "variables with values in a file for -var-file",
      main(CODE, { "p.tfvars": 'a = "x"\nb = "y"\n' }),
      "main.tf:5",
    ],
    ["variables with a default", main(BUCKET + provider(PAIR) + variables('default = "x"')), ""],
    [
      "variables that default to null, and a bucket",
      main(BUCKET + provider(PAIR) + variables("default = null")),
      "main.tf:8",
    ],
    [
      "variables that default to null, and no bucket",
      main(provider(PAIR) + variables("default = null")),
      "",
    ],
    [
      "variables with an empty default",
      main(BUCKET + provider(PAIR) + variables('default = ""')),
      "main.tf:8",
    ],
    ["variables that are not declared", main(BUCKET + provider(PAIR)), ""],
    [
      "variables in an alias, and keys",
      main(`${provider("")}${provider(`alias = "s"\n${PAIR}`)}${variables()}`),
      "",
      { env: KEYS },
    ],
    [
      "variables in two providers, and keys, which the default provider gets",
      main(
        `${CODE}${provider(`alias = "s"\n${PAIR.replace("var.a", "var.c").replace("var.b", "var.c")}`)}variable "c" {}\n`,
      ),
      "main.tf:17",
      { env: KEYS },
    ],
    // Another finding reports this.
    [
      "keys that are withheld",
      main(BUCKET + CODE.replace("{\n", '{\nspaces_endpoint = "https://x.example"\n')),
      "",
      { env: KEYS },
    ],
  ])("%s", async (_, files, where, more = {}) => {
    expect(await lacks({ ...more, files })).toBe(where);
  });
});

describe("the messages", () => {
  const PAGE = "https://cloud.digitalocean.com/spaces/access_keys";

  it.each<[what: string, text: string, more: Given, message: string, fix: string, step: string]>([
    [
      "for resources",
      BUCKET + BUCKET.replace('"a"', '"b"'),
      {},
      "/repo/infra/main.tf:1: digitalocean_spaces_bucket.a, digitalocean_spaces_bucket.b need Spaces keys, but there is no key pair (SPACES_ACCESS_KEY_ID and SPACES_SECRET_ACCESS_KEY) in the environment or in .env. terraform plan or apply will fail.",
      `Create a key pair at ${PAGE} and put both keys into .env. (They are not the API token.)`,
      "Put SPACES_ACCESS_KEY_ID and SPACES_SECRET_ACCESS_KEY into the env file, then run do-bootstrap",
    ],
    [
      "if git does not ignore the env file",
      BUCKET,
      { notIgnored: [".env"] },
      "",
      `First: echo .env >> .gitignore. Then create a key pair at ${PAGE} and put both keys into .env. (They are not the API token.)`,
      "Put SPACES_ACCESS_KEY_ID and SPACES_SECRET_ACCESS_KEY into the env file, then run do-bootstrap",
    ],
    [
      "for variables",
      BUCKET + CODE,
      {},
      "/repo/infra/main.tf:8: var.a and var.b have no value. The provider reads its Spaces keys from them (/repo/infra/main.tf:5), and digitalocean_spaces_bucket.a needs the keys (/repo/infra/main.tf:1).",
      `Create a key pair at ${PAGE} and put both keys into .env. (They are not the API token.) do-bootstrap exec sets TF_VAR_a and TF_VAR_b from them.`,
      "Put SPACES_ACCESS_KEY_ID and SPACES_SECRET_ACCESS_KEY into the env file, then run do-bootstrap",
    ],
    [
      "for one of two variables",
      CODE,
      { env: { TF_VAR_a: "x" } },
      "/repo/infra/main.tf:8: var.b has no value. The provider reads its Spaces keys from it (/repo/infra/main.tf:3).",
      "Put TF_VAR_b into .env; do-bootstrap exec passes it on.",
      "Set var.b, then run do-bootstrap",
    ],
  ])("%s", async (_, text, more, message, fix, step) => {
    const { known, root } = await observed({ ...more, files: { "main.tf": text } });
    const [found] = judgeSpacesKeys(known, root);
    if (message !== "") expect(found?.message).toBe(message);
    expect(said(found?.fix, { cwd: "/repo" })).toBe(fix);
    expect(said(stepToKeys(known, root))).toBe(step);
  });
});

describe("keys that are not passed to another host are reported with the line", () => {
  const EVIL = "https://evil.example";
  const code = (endpoint: string) => CODE.replace("{\n", `{\nspaces_endpoint = ${endpoint}\n`);

  it.each<[what: string, given: Given, place: string, host: string]>([
    [
      "keys in the environment",
      { files: { "main.tf": code(`"${EVIL}"`) }, env: KEYS },
      "main.tf:1",
      EVIL,
    ],
    [
      "keys in the env file",
      { files: { "main.tf": code(`"${EVIL}"`), ...FILE } },
      "main.tf:1",
      EVIL,
    ],
    [
      "a host from an expression",
      { files: { "main.tf": code("var.a") }, env: KEYS },
      "main.tf:1",
      "https://HOST",
    ],
    ["no keys", { files: { "main.tf": code(`"${EVIL}"`) } }, "", ""],
    ["no other host", { files: { "main.tf": CODE }, env: KEYS }, "", ""],
  ])("%s", async (_, given, place, host) => {
    const { known, root } = await observed(given);
    const { findings = [] } = planTerraform(known, root, consent());
    const found = findings.find(({ id }) => id === "spaces.other-host");
    expect(found?.where ?? "").toBe(place === "" ? "" : `/repo/infra/${place}`);
    expect(said(found?.fix)).toContain(host === "" ? "" : `SPACES_ENDPOINT_URL=${host}`);
  });
});

describe("whether Terraform has the keys only under exec", () => {
  it.each<[what: string, files: Files, expected: boolean, more?: Given]>([
    ["nothing is needed", { "main.tf": "" }, false],
    ["keys in the env file", { "main.tf": BUCKET, ...FILE }, true],
    ["keys in the environment", { "main.tf": BUCKET }, false, { env: KEYS }],
    ["keys in the environment, for variables", { "main.tf": CODE }, true, { env: KEYS }],
    [
      "values in the environment",
      { "main.tf": CODE },
      false,
      { env: { TF_VAR_a: "x", TF_VAR_b: "y" } },
    ],
    ["values in the env file", { "main.tf": CODE, ".env": "TF_VAR_a=x\nTF_VAR_b=y\n" }, true],
    ["values in tfvars", { "main.tf": CODE, "terraform.tfvars": 'a = "x"\nb = "y"\n' }, false],
    ["no keys", { "main.tf": BUCKET }, false],
  ])("%s", async (_, files, expected, more = {}) => {
    const { known, root } = await observed({ ...more, files });
    expect(hasKeysInExecOnly(known, root)).toBe(expected);
  });
});
