import { describe, expect, it } from "vitest";
import { execConfigOf } from "../../../../src/concerns/terraform/exec-config.ts";
import { planTerraform } from "../../../../src/concerns/terraform/plan.ts";
import { textIn } from "../../../../src/core/file-text.ts";
import { readEnvFile } from "../../../../src/exec/read-env-file.ts";
import { toolVariables } from "../../../../src/exec/variables.ts";
import { revealed } from "../../../../src/secret/variables.ts";
import { afterwards, consent, facts, type Given } from "../../../fixtures/facts.ts";
import { PERSONAL, secret } from "../../samples.ts";

const KEYS = { SPACES_ACCESS_KEY_ID: "id", SPACES_SECRET_ACCESS_KEY: "sec" };
const FILE = Object.entries(KEYS)
  .map(([name, value]) => `${name}=${value}\n`)
  .join("");

type Files = NonNullable<Given["files"]>;

/** The key variables that `exec` sets: "TF_VAR_x=id", T for the token; the two checksum variables are "sums". */
async function given({ files = {}, config = "terraform: {}", ...more }: Given): Promise<string> {
  const inRoot = Object.entries(files).map(([name, entry]) => [
    /^(infra\/|\.env|modules\/|b\/)/.test(name) ? name : `infra/${name}`,
    entry,
  ]);
  const known = await facts({ env: KEYS, config, files: Object.fromEntries(inRoot), ...more });
  const { env } = known.machine;
  const envFile = readEnvFile(textIn(known.envFile.file));
  const execConfig = execConfigOf(known.config, known.terraform.roots);
  const all = toolVariables({ config: execConfig, env, envFile, token: secret(), all: false });
  // These are not real secrets, so the test may show their values.
  const said = [...revealed(all)]
    .filter(([name]) => !name.startsWith("DIGITALOCEAN_"))
    .map(([name, value]) => `${name}=${value === PERSONAL ? "T" : value}`)
    .join(" ");
  return said.replace(/AWS_REQUEST_\S+ AWS_RESPONSE_\S+/, "sums").replace(/ ?do_token=T/, "");
}

const AWS = "AWS_ACCESS_KEY_ID=id AWS_SECRET_ACCESS_KEY=sec sums";
const block = (settings: string, type = "s3") =>
  `terraform {\n  backend "${type}" {\n    ${settings}\n  }\n}\n`;
const ON_SPACES = 'endpoints = { s3 = "https://nyc3.digitaloceanspaces.com" }';
const EVIL = "https://evil.example";
const WHOLE = `bucket = "b"\n key = "k"\n region = "us-east-1"\n skip_s3_checksum = true\n ${ON_SPACES}`;

describe("a backend of the code's own", () => {
  const noted = (config: object) => ({
    ".terraform/terraform.tfstate": JSON.stringify({ backend: { type: "s3", config } }),
  });
  const two = "terraform: [{ dir: infra }, { dir: b }]";

  it.each<[what: string, files: Files, expected: string, more?: Given]>([
    ["on Spaces", { "main.tf": block(WHOLE) }, AWS],
    [
      "on Spaces, in the older form",
      { "main.tf": block('endpoint = "https://fra1.digitaloceanspaces.com"') },
      AWS,
    ],
    ["on Spaces, in JSON", { "a.tf.json": jsonBlock("https://sgp1.digitaloceanspaces.com") }, AWS],
    ["on Spaces, in part", { "main.tf": block(ON_SPACES) }, AWS],
    ["on Spaces, and there are no keys", { "main.tf": block(WHOLE) }, "sums", { env: {} }],
    [
      "on Spaces, and AWS_ keys are there",
      { "main.tf": block(WHOLE) },
      "sums",
      { env: { ...KEYS, AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b" } },
    ],
    [
      "on Spaces, and a profile is chosen",
      { "main.tf": block(WHOLE) },
      "sums",
      { env: { ...KEYS, AWS_PROFILE: "p" } },
    ],
    ["none", { "main.tf": "" }, ""],
    ["on AWS", { "main.tf": block('bucket = "b"') }, ""],
    ["on another host", { "main.tf": block(`endpoints = { s3 = "${EVIL}" }`) }, ""],
    [
      "on another host that looks like it",
      { "main.tf": block('endpoint = "https://nyc3.digitaloceanspaces.com.evil.example"') },
      "",
    ],
    [
      "on another host, behind a user",
      { "main.tf": block('endpoint = "https://nyc3.digitaloceanspaces.com@evil.example"') },
      "",
    ],
    ["without TLS", { "main.tf": block('endpoint = "http://nyc3.digitaloceanspaces.com"') }, ""],
    [
      "with a host from a variable",
      { "main.tf": block('endpoint = "https://${var.r}.digitaloceanspaces.com"') },
      "",
    ],
    ["with a profile", { "main.tf": block(`${WHOLE}\n profile = "x"`) }, ""],
    ["with a file", { "main.tf": block(`${WHOLE}\n shared_credentials_files = ["./x"]`) }, ""],
    ["with a proxy", { "main.tf": block(`${WHOLE}\n http_proxy = "http://x"`) }, ""],
    ["with a setting of next year", { "main.tf": block(`${WHOLE}\n of_next_year = 1`) }, ""],
    ["of another kind", { "main.tf": block('address = "https://x.example"', "http") }, ""],
    [
      "on Spaces, and on another host in an override",
      { "main.tf": block(WHOLE), "b_override.tf": block(`endpoint = "${EVIL}"`) },
      "",
    ],
    [
      "on Spaces, but Terraform's stored settings have another host",
      { "main.tf": block(WHOLE), ...noted({ endpoints: { s3: EVIL } }) },
      "",
    ],
    [
      "of one root on Spaces, of another on AWS",
      { "main.tf": block(WHOLE), "b/main.tf": block('bucket = "b"') },
      "",
      { config: two },
    ],
    [
      "of one root on Spaces, of another in the folder",
      { "main.tf": block(WHOLE), "b/main.tf": block("", "local") },
      AWS,
      { config: two },
    ],
    ["of a module that is called", { "modules/m/main.tf": block(WHOLE) }, ""],
  ])("%s", async (_, files, expected, more = {}) => {
    expect(await given({ ...more, files })).toBe(expected);
  });

  it("in a file left over from an earlier config", async () => {
    const config = "terraform: { backend: { bucket: acme, region: nyc3, key: k } }";
    const known = await facts({ config });
    const [root] = known.terraform.roots;
    if (root === undefined) throw new Error("There is no root.");
    const { files = {} } = afterwards({}, planTerraform(known, root, consent()));
    expect(await given({ files })).toBe(AWS);
  });

  function jsonBlock(endpoint: string): string {
    return JSON.stringify({ terraform: { backend: { s3: { endpoint, bucket: "b" } } } });
  }
});

const provider = (body: string) => `provider "digitalocean" {\n${body}\n}\n`;
const PAIR = "spaces_access_id = var.a\nspaces_secret_key = var.b";
const variables = (...names: string[]) => names.map((name) => `variable "${name}" {}\n`).join("");
const CODE = provider(PAIR) + variables("a", "b");
const BOTH = "TF_VAR_a=id TF_VAR_b=sec";

describe("variables that a provider reads its keys from", () => {
  const main = (text: string, more: Files = {}) => ({ "main.tf": text, ...more });
  const inFile = { ".env": FILE };

  it.each<[what: string, files: Files, expected: string, more?: Given]>([
    ["both", main(CODE), BOTH],
    [
      "of keys in the env file",
      main(CODE, inFile),
      `SPACES_ACCESS_KEY_ID=id SPACES_SECRET_ACCESS_KEY=sec ${BOTH}`,
      { env: {} },
    ],
    [
      "one, beside the environment",
      main(provider("spaces_secret_key = var.b") + variables("b")),
      "TF_VAR_b=sec",
    ],
    [
      "through a local",
      main(
        `${provider("spaces_access_id = local.x")}locals {\nx = trimspace(var.a)\n}\n${variables("a")}`,
      ),
      "TF_VAR_a=id",
    ],
    [
      "beside the token",
      main(provider(`token = var.t\n${PAIR}`) + variables("t", "a", "b")),
      `${BOTH} TF_VAR_t=T`,
    ],
    [
      "of an alias",
      main(provider(`alias = "spaces"\n${PAIR}`) + provider("") + variables("a", "b")),
      BOTH,
    ],
    [
      "of the default one, not of an alias",
      main(
        `${provider(`alias = "x"\n${PAIR.replaceAll("var.", "var.o")}`)}${CODE}${variables("oa", "ob")}`,
      ),
      BOTH,
    ],
    [
      "of the provider with another local name",
      main(
        `terraform {\nrequired_providers {\ndo = {\nsource = "digitalocean/digitalocean"\n}\n}\n}\n${CODE.replace('"digitalocean"', '"do"')}`,
      ),
      BOTH,
    ],
    [
      "with a default",
      main(provider(PAIR) + variables("a", "b").replaceAll("{}", '{\ndefault = ""\n}')),
      BOTH,
    ],
    [
      "whose name has a dash",
      main(provider("spaces_access_id = var.a-b") + variables("a-b")),
      "TF_VAR_a-b=id",
    ],
    ["there are no keys", main(CODE), "", { env: {} }],
    ["there is one key", main(CODE), "", { env: { SPACES_ACCESS_KEY_ID: "id" } }],
    [
      "there are keys of AWS",
      main(CODE),
      "",
      { env: { AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b" } },
    ],
    ["no variable", main(provider('spaces_access_id = "x"\nspaces_secret_key = null')), ""],
    ["not declared", main(provider(PAIR)), ""],
    ["one is not declared", main(provider(PAIR) + variables("b")), "TF_VAR_b=sec"],
    ["a value of a person's own", main(CODE), "", { env: { ...KEYS, TF_VAR_a: "mine" } }],
    ["the same, in the env file", main(CODE, { ".env": "TF_VAR_b=mine\n" }), "TF_VAR_b=mine"],
    ["an empty value is none", main(CODE), BOTH, { env: { ...KEYS, TF_VAR_a: "" } }],
    ["terraform.tfvars has a value", main(CODE, { "terraform.tfvars": 'a = "x"\n' }), ""],
    ["a file of values in JSON has", main(CODE, { "x.auto.tfvars.json": '{"b":"x"}' }), ""],
    ["the config has", main(CODE), "", { config: "terraform: { variables: { a: x } }" }],
    [
      "with values in a file that Terraform does not read automatically",
      main(CODE, { "prod.tfvars": 'a = "x"\n' }),
      BOTH,
    ],
    [
      "in JSON",
      {
        "a.tf.json": JSON.stringify({
          provider: {
            digitalocean: { spaces_access_id: "${var.a}", spaces_secret_key: "${var.b}" },
          },
          variable: { a: {}, b: {} },
        }),
      },
      BOTH,
    ],
    // Hostile code.
    ["the provider of somebody else", main(CODE.replace('"digitalocean"', '"aws"')), ""],
    [
      "of another provider with the usual name",
      main(
        `terraform {\nrequired_providers {\ndigitalocean = {\nsource = "evil/digitalocean"\n}\n}\n}\n${CODE}`,
      ),
      "",
    ],
    [
      "a module's own provider",
      { "main.tf": 'module "m" {\nsource = "../modules/m"\n}\n', "modules/m/main.tf": CODE },
      "",
    ],
    [
      "a module's own provider, and the root has the variables",
      {
        "main.tf": `module "m" {\nsource = "../modules/m"\n}\n${variables("a", "b")}`,
        "modules/m/main.tf": CODE,
      },
      "",
    ],
    ["one variable for both", main(provider(PAIR.replace("var.b", "var.a")) + variables("a")), ""],
    [
      "the token's own variable",
      main(provider(`token = var.a\n${PAIR}`) + variables("a", "b")),
      "TF_VAR_b=sec TF_VAR_a=T",
    ],
    [
      "of another root the token's own",
      { ...main(CODE), "b/main.tf": provider("token = var.a") + variables("a") },
      "TF_VAR_b=sec TF_VAR_a=T",
      { config: "terraform: [{ dir: infra }, { dir: b }]" },
    ],
    [
      "the id of one root is the secret of another",
      {
        ...main(CODE),
        "b/main.tf":
          provider(PAIR.replace("var.a", "var.c").replace("var.b", "var.a")) + variables("a", "c"),
      },
      "TF_VAR_b=sec TF_VAR_c=id",
      { config: "terraform: [{ dir: infra }, { dir: b }]" },
    ],
    [
      "whose names a loader reads",
      main(
        provider(PAIR.replace("var.a", "var.LD_PRELOAD").replace("var.b", "var.PATH")) +
          variables("LD_PRELOAD", "PATH"),
      ),
      "TF_VAR_LD_PRELOAD=id TF_VAR_PATH=sec",
    ],
    ["in brackets", main(provider('spaces_access_id = var["LD_PRELOAD=x"]') + variables("a")), ""],
    // It would send the keys to another host (docs/design.md rule 2).
    ["another endpoint", main(CODE.replace("{\n", `{\nspaces_endpoint = "${EVIL}"\n`)), ""],
    [
      "another endpoint, and keys in the env file",
      main(CODE.replace("{\n", `{\nspaces_endpoint = "${EVIL}"\n`), inFile),
      "",
      { env: {} },
    ],
    [
      "another endpoint in an alias",
      main(`${CODE}${provider(`alias = "x"\nspaces_endpoint = "${EVIL}"`)}`),
      "",
    ],
    [
      "an endpoint from an expression",
      main(CODE.replace("{\n", "{\nspaces_endpoint = var.a\n")),
      "",
    ],
    [
      "another endpoint that the environment also sets",
      main(CODE.replace("{\n", `{\nspaces_endpoint = "${EVIL}"\n`)),
      BOTH,
      { env: { ...KEYS, SPACES_ENDPOINT_URL: EVIL } },
    ],
    [
      "another endpoint that the env file also sets",
      main(CODE.replace("{\n", `{\nspaces_endpoint = "${EVIL}"\n`), {
        ".env": `SPACES_ENDPOINT_URL=${EVIL}\n`,
      }),
      "",
    ],
    [
      "another endpoint in a file of the other tool",
      main(CODE, { "b.tofu": provider(`alias = "x"\nspaces_endpoint = "${EVIL}"`) }),
      "",
      { config: "terraform: { tool: terraform }" },
    ],
    [
      "the usual endpoint",
      main(
        CODE.replace("{\n", '{\nspaces_endpoint = "https://{{.Region}}.digitaloceanspaces.com"\n'),
      ),
      BOTH,
    ],
    [
      "the endpoint of a region",
      main(CODE.replace("{\n", '{\nspaces_endpoint = "https://nyc3.digitaloceanspaces.com"\n')),
      BOTH,
    ],
    ["no endpoint", main(CODE.replace("{\n", "{\nspaces_endpoint = null\n")), BOTH],
  ])("%s", async (_, files, expected, more = {}) => {
    expect(await given({ ...more, files })).toBe(expected);
  });
});
