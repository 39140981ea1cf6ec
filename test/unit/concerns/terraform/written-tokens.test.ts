import { describe, expect, it } from "vitest";
import { lineOfToken } from "../../../../src/concerns/terraform/root/written-tokens.ts";
import { facts } from "../../../fixtures/facts.ts";
import { OTHER, PERSONAL } from "../../samples.ts";

const OLD = "0a".repeat(32);
const T = PERSONAL;

async function found(files: Readonly<Record<string, string>>): Promise<string[]> {
  const inRoot = Object.entries(files).map(([name, text]) => [`infra/${name}`, text]);
  const { terraform } = await facts({
    config: "terraform: {}",
    files: Object.fromEntries(inRoot),
  });
  const tokens = terraform.roots[0]?.module.hardCoded ?? [];
  return tokens.map(({ kind, place, where }) => `${kind} ${place.file}:${place.line} ${where}`);
}

describe("the tokens in the code of a root", () => {
  it.each<[what: string, files: Readonly<Record<string, string>>, expected: readonly string[]]>([
    ["none", { "main.tf": "locals {\n  a = 1\n}\n" }, []],
    ["a local, once", { "main.tf": `locals {\n  a = "${T}"\n}\n` }, ["value main.tf:2 local.a"]],
    [
      "user data",
      {
        "main.tf": `resource "digitalocean_droplet" "web" {\n  name = "é"\n  user_data = <<-EOT\n    #!/bin/sh\n    doctl auth init -t ${T}\n  EOT\n}\n`,
      },
      ["text main.tf:5 user_data of digitalocean_droplet.web"],
    ],
    [
      "a provisioner's command",
      {
        "main.tf": `resource "a" "b" {\n  provisioner "local-exec" {\n    command = "curl -H 'Authorization: Bearer ${T}' \${self.id}"\n  }\n}\n`,
      },
      ["text main.tf:3 command of a.b"],
    ],
    [
      "a function's argument",
      { "main.tf": `provider "digitalocean" {\n  token = trimspace("${T}")\n}\n` },
      ['text main.tf:2 token of provider "digitalocean"'],
    ],
    [
      "an object in a function",
      { "main.tf": `locals {\n  a = jsonencode({\n    t = "${T}"\n  })\n}\n` },
      ["text main.tf:3 local.a"],
    ],
    ["a comment", { "main.tf": `# old: ${T}\n` }, ["text main.tf:1 a comment or a name"]],
    ["a label", { "main.tf": `resource "a" "${T}" {}\n` }, ["text main.tf:1 a comment or a name"]],
    [
      "in base64",
      { "main.tf": `locals {\n  a = "${Buffer.from(`x ${T}`).toString("base64")}"\n}\n` },
      ["text main.tf:2 local.a"],
    ],
    ["a file that can't be parsed", { "main.tf": `= "${T}\n` }, ["text main.tf:1 the code"]],
    ["a broken file", { "main.tf": `locals {\n  a = "${T}\n}\n` }, ["text main.tf:2 local.a"]],
    [
      "one token in several places of one file",
      { "main.tf": `locals {\n  a = "${T}"\n  b = "x ${T}"\n}\n# ${T}\n` },
      ["value main.tf:2 local.a", "text main.tf:3 local.b", "text main.tf:5 a comment or a name"],
    ],
    ["two on one line", { "main.tf": `# ${T} ${OTHER}\n` }, ["text main.tf:1 a comment or a name"]],
    [
      "an old token after its name, in a script",
      {
        "main.tf": `locals {\n  a = "export DIGITALOCEAN_TOKEN=${OLD}"\n  b = "sha256:${OLD.replaceAll("a", "b")}"\n}\n`,
      },
      ["text main.tf:2 local.a"],
    ],
    [
      "an old token in an app's variable",
      {
        "main.tf": `resource "digitalocean_app" "a" {\n  env {\n    key = "DO_TOKEN"\n    value = "${OLD}"\n  }\n}\n`,
      },
      ["text main.tf:4 value of digitalocean_app.a"],
    ],
    [
      "in JSON, also with an escape",
      {
        "main.tf.json": `{"locals": {\n"a": "${T}",\n"b": "x ${T}",\n"c": "\\u0064${T.slice(1)}"}}`,
      },
      [
        "value main.tf.json:2 local.a",
        "value main.tf.json:4 local.c",
        "text main.tf.json:3 local.b",
      ],
    ],
    [
      "in OpenTofu files",
      { "main.tofu": `locals {\n  a = "x ${T}"\n}\n`, "b.tofu.json": `{"locals":{"a":"${T}"}}` },
      ["value b.tofu.json:1 local.a", "text main.tofu:2 local.a"],
    ],
    [
      "in a local module, and in a module that it calls",
      {
        "main.tf": 'module "a" {\n  source = "./m/a"\n}\nmodule "b" {\n  source = "../b"\n}\n',
        "m/a/main.tf": `# x\nlocals {\n  t = "${T}"\n}\nmodule "c" {\n  source = "../c"\n}\n`,
        "m/c/x.tf.json": `{"locals": {"t": "${T}"}}`,
        "../b/x.tf": "",
        "../b/y.tofu": `# ${T}\n`,
        "m/unused/main.tf": `# ${T}\n`,
      },
      [
        "text ../b/y.tofu:1 the code",
        "text m/a/main.tf:3 the code",
        "text m/c/x.tf.json:1 the code",
      ],
    ],
  ])("%s", async (_, files, expected) => {
    expect([...(await found(files))].sort()).toEqual([...expected].sort());
  });

  it("of thousands of tokens in a file, ten are listed", async () => {
    const all = await found({ "main.tf": `# ${T}\n`.repeat(6000) });
    expect(all.length).toBe(10);
  });
});

describe("the line of a token in values", () => {
  it.each([
    ['a = 1\nb = "x"\n', undefined],
    [`a = 1\ndo_token = "${T}"\n`, 2],
    [`a = 1\ndo_token = "${OLD}"\n`, 2],
    [`a = 1\ndigest = "${OLD}"\n`, undefined],
    [`a = 1\ngithub_token = "${OLD}"\n`, undefined],
    [`{"a": 1,\n"do_token":\n"${OLD}"}`, 3],
    [`{"a": {"token": "${OLD}"}}`, 1],
    [`digest = "${OLD}"\ntoken = "${OLD}"\nb = "${T}"\n`, 2],
    [`é = 1\n# ${T}\n`, 2],
  ])("%j: %s", (text, line) => {
    expect(lineOfToken(text)).toBe(line);
  });
});
