import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  differences,
  readStoredBackend,
  renderBackend,
} from "../../../../src/concerns/terraform/root/backend.ts";
import { isToolOlder } from "../../../../src/concerns/terraform/root/tool.ts";
import { recognise, type Templates } from "../../../../src/core/generated.ts";

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

  it("has what docs/contracts/terraform.md 6 names, and nothing else", () => {
    expect(settings(false)).toEqual({ required_version: '">= 1.6.3"', ...always });
    expect(settings(true)).toEqual({
      required_version: '">= 1.10"',
      ...always,
      use_lockfile: "true",
    });
  });

  it("is known as ours", () => {
    expect(recognise(renderBackend(WANTED, TEMPLATES))).toBe("generated");
  });
});

describe("what terraform init noted", () => {
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
    ["the same", stored({}), []],
    ["the older name", stored({ endpoints: null, endpoint: "ams3.digitaloceanspaces.com/" }), []],
    ["another key", stored({ key: "y" }), ["key is y, not web/x.tfstate"]],
    [
      "another region",
      stored({ endpoints: { s3: "https://nyc3.digitaloceanspaces.com" } }),
      ["endpoint is nyc3.digitaloceanspaces.com, not ams3.digitaloceanspaces.com"],
    ],
    ["AWS itself", stored({ bucket: "b", endpoints: null }), ["bucket is b, not acme"]],
    ["HCP Terraform", stored({}, "cloud"), ["it is of type cloud"]],
  ])("%s", (_, found, expected) => {
    expect(found && differences(found, WANTED)).toEqual(expected);
  });

  it.each(["", "{}", "no json", "[]", '{"backend":1}', '{"backend":{"type":"local"}}'])(
    "%j: nothing",
    (text) => {
      expect(readStoredBackend(text)).toBeUndefined();
    },
  );

  it("secrets are named, wherever they stand", () => {
    const role = { assume_role: { token: "x" } };
    expect(stored({ access_key: "a", secret_key: "", ...role })?.secrets).toEqual([
      "access_key",
      "token",
    ]);
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
