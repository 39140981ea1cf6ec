import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { validateConfig } from "../../../../src/concerns/config/validate.ts";
import { at, thrownBy } from "../../samples.ts";

const FILE = "/repo/.do-bootstraprc";

const refusal = (loaded: unknown) => thrownBy(() => validateConfig(loaded, FILE));

/** The problems of a config in YAML, one per line. */
function problems(yaml: string): string[] {
  const { message, code, status } = refusal(parse(yaml));
  expect({ code, status }).toEqual({ code: "CONFIG_INVALID", status: 2 });
  const [first, ...rest] = message.split("\n");
  expect(first).toBe(`${FILE} is not a valid config:`);
  return rest.map((line) => line.trim());
}

describe("a valid config", () => {
  it.each([
    "",
    "{}",
    "$schema: ./schema.json",
    "doctl: false",
    "terraform: false",
    "terraform: {}",
  ])("%j", (yaml) => {
    const loaded = parse(yaml);
    expect(validateConfig(loaded, FILE)).toEqual(loaded ?? {});
  });

  it.each([
    ["project", ["a", "1", "acme-web", "a_b", "a-"]],
    ["doctl.context", ["default", "acme-web"]],
    ["token.name", ["DIGITALOCEAN_TOKEN", "_token", "do_token9"]],
    [
      "token.envFile",
      [".env", "./.env", "a/b", "..env", ".github/x", "a.git/.gitx", "a..b/c", "~/x", "a b"],
    ],
    ["token.minTtl", ["0s", "90m", "12h", "7d", "2w", "007d"]],
    [
      "terraform.dir",
      [".", "infra", "infra/prod", "./infra", "console", "auxiliary", "com10", "a.nul"],
    ],
    ["terraform.variable", ["do_token", "do-token", "_t"]],
    ["terraform.workspace", ["prod", "Prod.1_a-b~"]],
    ["environments", [{}, { prod: {}, "dev-2": {} }]],
  ])("%s accepts %j", (path, values) => {
    for (const value of values)
      expect(validateConfig(at(path, value), FILE)).toEqual(at(path, value));
  });
});

describe("an invalid value", () => {
  it.each([
    ["project", ["", "-a", "_a", "A", "a.b", "a b", "é", "a/b", "a\n"], "use lower-case letters"],
    ["doctl.context", ["", "Prod", "my.team", "a b"], "use lower-case letters"],
    ["token.name", ["", "9a", "a-b", "a b", "a=b"], "use letters, digits and _"],
    ["token.envFile", ["/etc/x", "\\x", "C:\\x", "c:x", "//host/x"], "use a path relative to"],
    ["token.envFile", ["..", "../x", "a/../../x", "a/..", "a\\..\\b"], "stay inside the folder"],
    [
      "token.envFile",
      [".git/config", "a/.GIT/x", "a\\.git", ".git"],
      "stay out of git's own folder",
    ],
    ["token.envFile", ["a\nb", "a\u0000", "\u001b[31m"], "use a path without control"],
    ["token.envFile", ["git~1/config", "GIT~2"], "stay out of git's own folder"],
    ["token.envFile", [""], "enter a path"],
    ["terraform.dir", ["/infra", "D:/infra"], "use a path relative to"],
    ["terraform.dir", ["../infra", "a/../b"], "stay inside the folder"],
    [
      "token.minTtl",
      ["", "7", "d", "7 d", "1.5d", "-1d", "7D", "7days"],
      "use a number and a unit",
    ],
    ["terraform.tool", ["opentofu", ""], 'use ("terraform" | "tofu")'],
    ["terraform.credentials", ["vault", "TFVARS"], 'use ("tfvars" | "env")'],
    ["terraform.variable", ["", "9a", "a.b"], "use letters, digits, - and _"],
    ["terraform.workspace", ["", "a b", "a/b"], "use URL safe characters"],
  ])("%s refuses %j", (path, values, rule) => {
    for (const value of values) {
      const [first] = problems(JSON.stringify(at(path, value)));
      expect(first?.startsWith(`${path}: ${rule}`) && first).toContain(JSON.stringify(value));
    }
  });

  it.each([
    ["[]", "the config: expected a section with keys, found a list"],
    ["hello", "the config: expected a section with keys, found a text"],
    ["project: 1", "project: expected a string, found 1"],
    ["project:", "project: expected a string, found nothing"],
    ["token: .env", 'token: expected a section with keys, found ".env"'],
    ["token: { command: op read }", 'token.command: expected a list, found "op read"'],
    ["token: { command: [] }", "token.command: give a program"],
    ["token: { command: [1] }", "token.command.0: expected a string, found 1"],
    ["account: { team: 1 }", "account.team: expected a string, found 1"],
    ["doctl: true", "doctl: expected false or a section with keys, found true"],
    ["doctl:", "doctl: expected false or a section with keys, found nothing"],
    ["doctl: { context: 1 }", "doctl.context: expected a string, found 1"],
    [
      "terraform: yes please",
      'terraform: expected false or a section with keys, found "yes please"',
    ],
    ["terraform: []", "terraform: list a root, or set false"],
    ["terraform: { dir: 1 }", "terraform.dir: expected a string, found 1"],
    ["terraform: [{ dir: 1 }]", "terraform.0.dir: expected a string, found 1"],
    [
      "terraform: { variables: [] }",
      "terraform.variables: expected a section with keys, found a list",
    ],
    ["terraform: { init: 1 }", "terraform.init: expected a boolean, found 1"],
    ["environments: []", "environments: expected a section with keys, found a list"],
    ["environments: { prod: 1 }", "environments.prod: expected a section with keys, found 1"],
    [
      "environments: { prod: { token: { minTtl: 7 } } }",
      "environments.prod.token.minTtl: expected a string, found 7",
    ],
  ])("%s", (yaml, problem) => {
    expect(problems(yaml)).toEqual([problem]);
  });

  it.each([
    ["environments: { Prod: {} }", /^environments\.Prod: use lower-case letters/],
    ["environments: { a.b: {} }", /^environments\.a\.b: use lower-case letters/],
    ["terraform: { variables: { a: 12345678901234567890 } }", /^terraform\.variables\.a: a number/],
    ["terraform: { variables: { a: [.inf] } }", /^terraform\.variables\.a\.0: a number/],
    ["terraform: { variables: { a: .nan } }", /^terraform\.variables\.a: a number/],
    ["terraform: { variables: { 9a: 1 } }", /^terraform\.variables\.9a: use letters/],
    [
      "terraform: { backend: { bucket: acme } }",
      /^terraform\.backend\.region: (missing$|expected a string)/,
    ],
    ...[
      ["bucket: a, region: nyc3", /bucket: use the name of a Spaces bucket/],
      ["bucket: Acme, region: nyc3", /bucket: use the name of a Spaces bucket/],
      ["bucket: a.example.com, region: nyc3", /bucket: use the name of a Spaces bucket/],
      ["bucket: acme, region: us-east-1", /region: use the bucket's region/],
      ["bucket: acme, region: evil.example.com/", /region: use the bucket's region/],
      ["bucket: acme, region: nyc3, key: /a", /key: use a path/],
      ["bucket: acme, region: nyc3, key: a/", /key: use a path/],
      ["bucket: acme, region: nyc3, key: a//b", /key: use a path/],
      ["bucket: acme, region: nyc3, key: a/../b", /key: use a path/],
      ["bucket: acme, region: nyc3, key: .", /key: use a path/],
      ["bucket: acme, region: nyc3, key: 'a${b}'", /key: use a path/],
    ].map(([written, problem]) => [`terraform: { backend: { ${written} } }`, problem] as const),
  ] as [string, RegExp][])("%s", (yaml, problem) => {
    expect(problems(yaml)).toEqual([expect.stringMatching(problem)]);
  });

  it("is reported together with all others", () => {
    expect(problems("project: A\ntoken: { minTtl: 1, name: 9 }\nx: 1")).toHaveLength(4);
  });
});
