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

describe("a backend in the code", () => {
  const noted = (config: object) => ({
    ".terraform/terraform.tfstate": JSON.stringify({ backend: { type: "s3", config } }),
  });
  const two = "terraform: [{ dir: infra }, { dir: b }]";

  it.each<[what: string, files: Files, expected: string, more?: Given]>([
    ["on Spaces", { "main.tf": block(WHOLE) }, AWS],
    [
      "on Spaces, with the older endpoint setting",
      { "main.tf": block('endpoint = "https://fra1.digitaloceanspaces.com"') },
      AWS,
    ],
    ["on Spaces, in JSON", { "a.tf.json": jsonBlock("https://sgp1.digitaloceanspaces.com") }, AWS],
    ["on Spaces, with few settings", { "main.tf": block(ON_SPACES) }, AWS],
    ["on Spaces, without keys", { "main.tf": block(WHOLE) }, "sums", { env: {} }],
    [
      "on Spaces, with AWS_ keys",
      { "main.tf": block(WHOLE) },
      "sums",
      { env: { ...KEYS, AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b" } },
    ],
    [
      "on Spaces, with an AWS profile",
      { "main.tf": block(WHOLE) },
      "sums",
      { env: { ...KEYS, AWS_PROFILE: "p" } },
    ],
    ["no backend", { "main.tf": "" }, ""],
    ["on AWS", { "main.tf": block('bucket = "b"') }, ""],
    ["on another host", { "main.tf": block(`endpoints = { s3 = "${EVIL}" }`) }, ""],
    [
      "on another host that looks like Spaces",
      { "main.tf": block('endpoint = "https://nyc3.digitaloceanspaces.com.evil.example"') },
      "",
    ],
    [
      "on another host, after a user name",
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
    [
      "with a credentials file",
      { "main.tf": block(`${WHOLE}\n shared_credentials_files = ["./x"]`) },
      "",
    ],
    ["with a proxy", { "main.tf": block(`${WHOLE}\n http_proxy = "http://x"`) }, ""],
    ["with an unknown setting", { "main.tf": block(`${WHOLE}\n of_next_year = 1`) }, ""],
    ["of another type", { "main.tf": block('address = "https://x.example"', "http") }, ""],
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
      "of one root on Spaces, of another root on AWS",
      { "main.tf": block(WHOLE), "b/main.tf": block('bucket = "b"') },
      "",
      { config: two },
    ],
    [
      "of one root on Spaces, of another root in the folder",
      { "main.tf": block(WHOLE), "b/main.tf": block("", "local") },
      AWS,
      { config: two },
    ],
    ["in a called module", { "modules/m/main.tf": block(WHOLE) }, ""],
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
    ["for both keys", main(CODE), BOTH],
    [
      "for keys in the env file",
      main(CODE, inFile),
      `SPACES_ACCESS_KEY_ID=id SPACES_SECRET_ACCESS_KEY=sec ${BOTH}`,
      { env: {} },
    ],
    [
      "for the secret key only",
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
      "and the token's variable",
      main(provider(`token = var.t\n${PAIR}`) + variables("t", "a", "b")),
      `${BOTH} TF_VAR_t=T`,
    ],
    [
      "in an alias",
      main(provider(`alias = "spaces"\n${PAIR}`) + provider("") + variables("a", "b")),
      BOTH,
    ],
    [
      "in the default provider, not in an alias",
      main(
        `${provider(`alias = "x"\n${PAIR.replaceAll("var.", "var.o")}`)}${CODE}${variables("oa", "ob")}`,
      ),
      BOTH,
    ],
    [
      "in a renamed provider",
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
    ["without keys", main(CODE), "", { env: {} }],
    ["with only one key", main(CODE), "", { env: { SPACES_ACCESS_KEY_ID: "id" } }],
    [
      "with only AWS keys",
      main(CODE),
      "",
      { env: { AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b" } },
    ],
    ["no variables", main(provider('spaces_access_id = "x"\nspaces_secret_key = null')), ""],
    ["not declared", main(provider(PAIR)), ""],
    ["one of them not declared", main(provider(PAIR) + variables("b")), "TF_VAR_b=sec"],
    ["with a value that the user sets", main(CODE), "", { env: { ...KEYS, TF_VAR_a: "mine" } }],
    [
      "with a value that the user sets in the env file",
      main(CODE, { ".env": "TF_VAR_b=mine\n" }),
      "TF_VAR_b=mine",
    ],
    [
      "with an empty value, which counts as unset",
      main(CODE),
      BOTH,
      { env: { ...KEYS, TF_VAR_a: "" } },
    ],
    ["with a value in terraform.tfvars", main(CODE, { "terraform.tfvars": 'a = "x"\n' }), ""],
    [
      "with a value in an auto.tfvars.json file",
      main(CODE, { "x.auto.tfvars.json": '{"b":"x"}' }),
      "",
    ],
    [
      "with a value in the config",
      main(CODE),
      "",
      { config: "terraform: { variables: { a: x } }" },
    ],
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
    // Code that tries to get the keys.
    ["in another provider", main(CODE.replace('"digitalocean"', '"aws"')), ""],
    [
      "in another provider under our provider's name",
      main(
        `terraform {\nrequired_providers {\ndigitalocean = {\nsource = "evil/digitalocean"\n}\n}\n}\n${CODE}`,
      ),
      "",
    ],
    [
      "in a module's own provider",
      { "main.tf": 'module "m" {\nsource = "../modules/m"\n}\n', "modules/m/main.tf": CODE },
      "",
    ],
    [
      "in a module's own provider, while the root declares them",
      {
        "main.tf": `module "m" {\nsource = "../modules/m"\n}\n${variables("a", "b")}`,
        "modules/m/main.tf": CODE,
      },
      "",
    ],
    [
      "one variable for both keys",
      main(provider(PAIR.replace("var.b", "var.a")) + variables("a")),
      "",
    ],
    [
      "one of them the token's variable",
      main(provider(`token = var.a\n${PAIR}`) + variables("a", "b")),
      "TF_VAR_b=sec TF_VAR_a=T",
    ],
    [
      "one of them the token's variable of another root",
      { ...main(CODE), "b/main.tf": provider("token = var.a") + variables("a") },
      "TF_VAR_b=sec TF_VAR_a=T",
      { config: "terraform: [{ dir: infra }, { dir: b }]" },
    ],
    [
      "one root's id that is another root's secret",
      {
        ...main(CODE),
        "b/main.tf":
          provider(PAIR.replace("var.a", "var.c").replace("var.b", "var.a")) + variables("a", "c"),
      },
      "TF_VAR_b=sec TF_VAR_c=id",
      { config: "terraform: [{ dir: infra }, { dir: b }]" },
    ],
    [
      "with names like LD_PRELOAD and PATH",
      main(
        provider(PAIR.replace("var.a", "var.LD_PRELOAD").replace("var.b", "var.PATH")) +
          variables("LD_PRELOAD", "PATH"),
      ),
      "TF_VAR_LD_PRELOAD=id TF_VAR_PATH=sec",
    ],
    ["in brackets", main(provider('spaces_access_id = var["LD_PRELOAD=x"]') + variables("a")), ""],
    // It would send the keys to another host (docs/design.md rule 2).
    ["with another endpoint", main(CODE.replace("{\n", `{\nspaces_endpoint = "${EVIL}"\n`)), ""],
    [
      "with another endpoint, and keys in the env file",
      main(CODE.replace("{\n", `{\nspaces_endpoint = "${EVIL}"\n`), inFile),
      "",
      { env: {} },
    ],
    [
      "with another endpoint in an alias",
      main(`${CODE}${provider(`alias = "x"\nspaces_endpoint = "${EVIL}"`)}`),
      "",
    ],
    [
      "with an endpoint from an expression",
      main(CODE.replace("{\n", "{\nspaces_endpoint = var.a\n")),
      "",
    ],
    [
      "with another endpoint that the environment also sets",
      main(CODE.replace("{\n", `{\nspaces_endpoint = "${EVIL}"\n`)),
      BOTH,
      { env: { ...KEYS, SPACES_ENDPOINT_URL: EVIL } },
    ],
    [
      "with another endpoint that the env file also sets",
      main(CODE.replace("{\n", `{\nspaces_endpoint = "${EVIL}"\n`), {
        ".env": `SPACES_ENDPOINT_URL=${EVIL}\n`,
      }),
      "",
    ],
    [
      "with another endpoint in a file of the other tool",
      main(CODE, { "b.tofu": provider(`alias = "x"\nspaces_endpoint = "${EVIL}"`) }),
      "",
      { config: "terraform: { tool: terraform }" },
    ],
    [
      "with the default endpoint",
      main(
        CODE.replace("{\n", '{\nspaces_endpoint = "https://{{.Region}}.digitaloceanspaces.com"\n'),
      ),
      BOTH,
    ],
    [
      "with the endpoint of a region",
      main(CODE.replace("{\n", '{\nspaces_endpoint = "https://nyc3.digitaloceanspaces.com"\n')),
      BOTH,
    ],
    ["without an endpoint", main(CODE.replace("{\n", "{\nspaces_endpoint = null\n")), BOTH],
  ])("%s", async (_, files, expected, more = {}) => {
    expect(await given({ ...more, files })).toBe(expected);
  });
});
