import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { readHcl } from "../../../src/hcl/hcl.ts";
import { readTfJson } from "../../../src/hcl/tf-json.ts";
import { LEGACY, OAUTH, PERSONAL, REFRESH } from "../samples.ts";

const hcl = (text: string) => readHcl(text, "a.tf");
const json = (text: string) => readTfJson(text, "a.tf.json");

/** Everything readable in a parsed file without revealing a secret. */
const readable = (file: unknown) => inspect(file, { depth: null, maxStringLength: null });

const SPACES_KEY = "DO00ABCDEFGHIJKLMNOP";

describe("secrets in Terraform code are hidden when the file is parsed", () => {
  it.each([
    ["a provider's token", 'provider "digitalocean" { token = "S" }', PERSONAL],
    ["a provider's token of unknown form", 'provider "digitalocean" { token = "S" }', "hunter-2"],
    ["a Spaces key", 'provider "digitalocean" { spaces_access_id = "S" }', SPACES_KEY],
    ["a default", 'variable "x" { default = "S" }', OAUTH],
    ["a refresh token", 'variable "x" { default = "S" }', REFRESH],
    ["a token of before 2022", 'variable "x" { default = "S" }', LEGACY],
    ["a token with an escape", 'variable "x" { default = "dop\\u005fv1\\u005fS" }', LEGACY],
    ["inside a longer text", 'locals { x = "Bearer S, please" }', PERSONAL],
    ["in a template", 'locals { x = "S${var.y}" }', PERSONAL],
    ["in a call", 'locals { x = lower("S") }', PERSONAL],
    ["in an object", 'locals { x = { y = { z = "S" } } }', PERSONAL],
    ["in a list", 'locals { x = ["a", "S"] }', PERSONAL],
    ["in a heredoc", "locals {\n  x = <<-EOT\n  export T=S\n  EOT\n}", PERSONAL],
    ["a backend's key", 'terraform {\n backend "s3" { secret_key = "S" }\n}', "abc/def+123"],
    [
      "an object's password",
      'data "terraform_remote_state" "x" { config = { password = "S" } }',
      "hunter-2",
    ],
  ])("%s", (_, code, value) => {
    const file = hcl(`${code.replace("S", value)}\n`);
    expect(file.problem).toBeUndefined();
    expect(file.blocks).toHaveLength(1);
    expect(readable(file)).not.toContain(value);
  });

  it.each([
    ["a provider's token", { provider: { digitalocean: { token: "S" } } }, "hunter-2"],
    [
      "the token of a list of providers",
      { provider: { digitalocean: [{ token: "S" }] } },
      PERSONAL,
    ],
    ["a default", { variable: { x: { default: "S" } } }, LEGACY],
    ["a template", { locals: { x: "S${var.y}" } }, PERSONAL],
    ["in an object", { locals: { x: { y: ["S"] } } }, OAUTH],
    ["a cloud's token", { terraform: { cloud: { token: "S" } } }, "x.atlasv1.y"],
  ])("%s, in JSON", (_, code, value) => {
    const file = json(JSON.stringify(code).replace("S", value));
    expect(file.problem).toBeUndefined();
    expect(file.blocks).toHaveLength(1);
    expect(readable(file)).not.toContain(value);
  });

  it("other values stay readable", () => {
    const file = hcl('provider "digitalocean" { token = var.t }\nlocals { x = { y = "plain" } }\n');
    expect(readable(file)).toContain("var.t");
    expect(readable(file)).toContain('{ y = "plain" }');
  });
});
