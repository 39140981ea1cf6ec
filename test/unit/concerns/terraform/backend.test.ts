import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  differences,
  isForgedBackend,
  readStoredBackend,
  renderBackend,
} from "../../../../src/concerns/terraform/root/backend.ts";
import { describeModule } from "../../../../src/concerns/terraform/root/describe-module.ts";
import { isToolOlder } from "../../../../src/concerns/terraform/root/tool.ts";
import { recognise, type Templates } from "../../../../src/core/generated.ts";
import type { Stranger } from "../../../../src/exec/exec-config.ts";
import { readTerraform } from "../../../../src/hcl/read.ts";

const FOLDER = join(import.meta.dirname, "..", "..", "..", "..", "templates", "terraform");
const TEMPLATES = {
  "backend.tf": readFileSync(join(FOLDER, "backend.tf"), "utf8"),
} as Partial<Templates> as Templates;
const WANTED = { bucket: "acme", region: "ams3", key: "web/x.tfstate", lock: false };

describe("backend.tf", () => {
  const settings = (lock: boolean) =>
    Object.fromEntries(
      [...renderBackend({ ...WANTED, lock }, TEMPLATES).matchAll(/^ +(\w+) += (.+)$/gm)].map(
        ([, name, value]) => [name, value],
      ),
    );
  const always = {
    endpoints: '{ s3 = "https://ams3.digitaloceanspaces.com" }',
    bucket: '"acme"',
    key: '"web/x.tfstate"',
    region: '"us-east-1"',
    skip_credentials_validation: "true",
    skip_requesting_account_id: "true",
    skip_metadata_api_check: "true",
    skip_s3_checksum: "true",
  };

  it("has exactly the settings in docs/contracts/terraform.md 6", () => {
    expect(settings(false)).toEqual({ required_version: '">= 1.6.3"', ...always });
    expect(settings(true)).toEqual({
      required_version: '">= 1.10"',
      ...always,
      use_lockfile: "true",
    });
  });

  it("is recognised as generated", () => {
    expect(recognise(renderBackend(WANTED, TEMPLATES))).toBe("generated");
  });
});

describe("the settings that terraform init stored", () => {
  const config = {
    bucket: "acme",
    key: "web/x.tfstate",
    endpoints: { s3: "https://ams3.digitaloceanspaces.com", iam: null },
    access_key: null,
    use_lockfile: null,
  };
  const stored = (more: object, type = "s3") =>
    readStoredBackend(JSON.stringify({ backend: { type, config: { ...config, ...more } } }));

  it.each<[string, ReturnType<typeof stored>, readonly string[]]>([
    ["the same settings", stored({}), []],
    [
      "the older name of the endpoint",
      stored({ endpoints: null, endpoint: "ams3.digitaloceanspaces.com/" }),
      [],
    ],
    ["another key", stored({ key: "y" }), ["key is y, not web/x.tfstate"]],
    [
      "another region",
      stored({ endpoints: { s3: "https://nyc3.digitaloceanspaces.com" } }),
      ["endpoint is nyc3.digitaloceanspaces.com, not ams3.digitaloceanspaces.com"],
    ],
    [
      "another bucket, without an endpoint",
      stored({ bucket: "b", endpoints: null }),
      ["bucket is b, not acme"],
    ],
    ["HCP Terraform", stored({}, "cloud"), ["it is of type cloud"]],
  ])("%s", (_, found, expected) => {
    expect(found && differences(found, WANTED)).toEqual(expected);
  });

  it.each(["", "{}", "no json", "[]", '{"backend":1}', '{"backend":{"type":"local"}}'])(
    "%j holds no settings",
    (text) => {
      expect(readStoredBackend(text)).toBeUndefined();
    },
  );

  it("secrets are listed, also nested ones", () => {
    const role = { assume_role: { token: "x" } };
    expect(stored({ access_key: "a", secret_key: "", ...role })?.secrets).toEqual([
      "access_key",
      "token",
    ]);
  });
});

describe("backend settings that could send keys to a host other than Spaces", () => {
  const ON_SPACES = 'endpoints = { s3 = "https://nyc3.digitaloceanspaces.com" }';
  const at = (url: string) => `endpoints = { s3 = "${url}" }`;

  it.each<[string, readonly string[]]>([
    [ON_SPACES, []],
    ['endpoint = "https://nyc3.digitaloceanspaces.com"', []],
    [at("https://nyc3.digitaloceanspaces.com/"), []],
    [`${ON_SPACES}\n use_lockfile = true\n skip_anything_new = true\n use_path_style = true`, []],
    ["", ["no Spaces endpoint"]],
    [at("https://evil.example"), ["endpoints.s3 https://evil.example"]],
    [at("http://nyc3.digitaloceanspaces.com"), ["endpoints.s3 http://nyc3.digitaloceanspaces.com"]],
    [
      at("https://nyc3.digitaloceanspaces.com.evil.net"),
      ["endpoints.s3 https://nyc3.digitaloceanspaces.com.evil.net"],
    ],
    [at("https://nyc3.digitaloceanspaces.com@evil.net"), ["endpoints.s3 ?"]],
    [at("https://evil.net/nyc3.digitaloceanspaces.com"), ["endpoints.s3 ?"]],
    [at("https://evil.net#.digitaloceanspaces.com"), ["endpoints.s3 ?"]],
    [
      at("https://nyc3.digitaloceanspaces.com:8443"),
      ["endpoints.s3 https://nyc3.digitaloceanspaces.com:8443"],
    ],
    [
      at("https://nyc3.digitaloceanspaces.com."),
      ["endpoints.s3 https://nyc3.digitaloceanspaces.com."],
    ],
    [
      at("https://NYC3.DigitalOceanSpaces.com"),
      ["endpoints.s3 https://NYC3.DigitalOceanSpaces.com"],
    ],
    [at("https://evildigitaloceanspaces.com"), ["endpoints.s3 https://evildigitaloceanspaces.com"]],
    [at("nyc3.digitaloceanspaces.com"), ["endpoints.s3 ?"]],
    ["endpoints = { s3 = var.url }", ["endpoints.s3 ?"]],
    ["endpoints = var.endpoints", ["endpoints ?"]],
    ['endpoints = merge({ s3 = "https://nyc3.digitaloceanspaces.com" }, var.x)', ["endpoints ?"]],
    [
      'endpoints = { s3 = "https://nyc3.digitaloceanspaces.com", sso = "https://evil.example" }',
      ["endpoints.sso https://evil.example"],
    ],
    [`${ON_SPACES}\n sts_endpoint = "https://evil.example"`, ["sts_endpoint https://evil.example"]],
    [`${ON_SPACES}\n endpoint = "https://evil.example"`, ["endpoint https://evil.example"]],
    [`${ON_SPACES}\n http_proxy = "http://evil.example:1"`, ["http_proxy http://evil.example:1"]],
    [`${ON_SPACES}\n custom_ca_bundle = "./x.pem"`, ["custom_ca_bundle ?"]],
    [`${ON_SPACES}\n insecure = true`, ["insecure ?"]],
    [`${ON_SPACES}\n shared_config_files = ["./x"]`, ["shared_config_files ?"]],
    [`${ON_SPACES}\n profile = "x"`, ["profile"]],
    [`${ON_SPACES}\n assume_role {\n role_arn = "x"\n }`, ["assume_role"]],
    [`${ON_SPACES}\n of_next_year = "x"`, ["of_next_year"]],
    // AWS hosts.
    [at("https://s3.eu-west-1.amazonaws.com"), ["endpoints.s3"]],
    [at("https://s3.amazonaws.com.evil.net"), ["endpoints.s3 https://s3.amazonaws.com.evil.net"]],
  ])("%s", async (settings, expected) => {
    const text = `terraform {\n  backend "s3" {\n ${settings}\n }\n}\n`;
    const { backend } = describeModule([await readTerraform(text, "main.tf")]);
    expect(backend?.strangers.map(said)).toEqual(expected);
  });

  it("another type of backend does not use our keys", async () => {
    const text = 'terraform {\n backend "gcs" {\n bucket = "b"\n }\n}\n';
    const { backend } = describeModule([await readTerraform(text, "main.tf")]);
    expect(backend?.strangers).toEqual([]);
  });

  it("each of several blocks counts, as an override file may replace one", async () => {
    const block = (type: string, settings: string) =>
      `terraform {\n backend "${type}" {\n ${settings}\n }\n}\n`;
    const texts = [
      block("local", ""),
      block("s3", ON_SPACES),
      block("s3", at("https://evil.example")),
    ];
    const files = texts.map((text, i) => readTerraform(text, `${i}_override.tf`));
    const { backend } = describeModule(await Promise.all(files));
    expect(backend?.type).toBe("s3");
    expect(backend?.strangers.map(said)).toEqual(["endpoints.s3 https://evil.example"]);
  });

  it.each<[string, object, readonly string[]]>([
    ["as we write them", {}, []],
    ["with everything else unset", { profile: "", insecure: false, sts_endpoint: null }, []],
    [
      "with another host",
      { endpoints: { s3: "https://evil.example" } },
      ["endpoints.s3 https://evil.example"],
    ],
    [
      "with another service's endpoint",
      { iam_endpoint: "https://evil.example" },
      ["iam_endpoint https://evil.example"],
    ],
    ["without an endpoint", { endpoints: null }, ["no Spaces endpoint"]],
  ])("the settings that terraform init stored, %s", (_, more, expected) => {
    const config = {
      bucket: "b",
      key: "k",
      endpoints: { s3: "https://nyc3.digitaloceanspaces.com", iam: null },
    };
    const stored = readStoredBackend(
      JSON.stringify({ backend: { type: "s3", config: { ...config, ...more } } }),
    );
    expect(stored?.strangers.map(said)).toEqual(expected);
  });

  function said({ setting, host }: Stranger): string {
    return host === undefined ? setting : `${setting} ${host || "?"}`;
  }
});

describe("a backend.tf with our header, which anyone can copy", () => {
  const ours = renderBackend({ ...WANTED, lock: true }, TEMPLATES);
  it.each<[string, string, boolean]>([
    ["as we write it", ours, false],
    ["with CRLF", ours.replaceAll("\n", "\r\n"), false],
    ["without a backend", 'variable "x" {}\n', false],
    ["another host", ours.replace("ams3.digitaloceanspaces.com", "evil.example"), true],
    ["a longer host that contains ours", ours.replace(".com", ".com.evil.net"), true],
    ["an extra setting", ours.replace("bucket ", 'profile = "x"\n    bucket '), true],
    ["without the endpoint", ours.replace(/.*endpoints.*\n/, ""), true],
    ["a second block", `${ours}terraform {\n  backend "s3" {\n    key = "x"\n  }\n}\n`, true],
    ["a cloud block", ours.replace('backend "s3"', "cloud"), true],
    ["an interpolation", ours.replace('"acme"', '"${var.x}"'), true],
  ])("whether it is forged: %s", (_, text, isForged) => {
    expect(isForgedBackend(text)).toBe(isForged);
  });
});

it.each<[string | undefined, string, boolean]>([
  ["1.5.7", "1.6.3", true],
  ["1.6.2", "1.6.3", true],
  ["1.6.3", "1.6.3", false],
  ["1.7.0", "1.6.3", false],
  ["2.0.0", "1.6.3", false],
  ["1.9.8", "1.10", true],
  ["1.10.0", "1.10", false],
  [undefined, "1.10", false],
])("%s is older than %s: %s", (version, since, expected) => {
  expect(isToolOlder({ version }, since)).toBe(expected);
});
