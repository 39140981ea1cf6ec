import { describe, expect, it } from "vitest";
import { withLogin } from "../../../../src/concerns/config/write-login.ts";

const added = (
  text: string,
  more: { file?: string; environment?: string; context?: string } = {},
) => {
  const { file = "do-bootstrap.config.yaml", environment, context = "acme" } = more;
  return withLogin(`/repo/${file}`, text, { environment, context });
};

describe("adding token.doctl to YAML keeps every other byte", () => {
  it.each([
    ["an empty file", "", "token:\n  doctl: acme\n"],
    ["only comments", "# ours\n", "# ours\ntoken:\n  doctl: acme\n"],
    ["other keys", "project: web # it\n", "project: web # it\ntoken:\n  doctl: acme\n"],
    ["no newline at the end", "project: web", "project: web\ntoken:\n  doctl: acme\n"],
    [
      "a section with keys",
      "token: # of ours\n    # the file\n    envFile: .env\nproject: web\n",
      "token: # of ours\n    # the file\n    doctl: acme\n    envFile: .env\nproject: web\n",
    ],
    [
      "a token section in braces",
      "token: { envFile: .env }\n",
      "token: { doctl: acme, envFile: .env }\n",
    ],
    ["an empty section", "token: {}\n", "token: { doctl: acme }\n"],
    [
      "the whole file in braces",
      "{ project: web }\n",
      "{ token: { doctl: acme }, project: web }\n",
    ],
    ["CRLF", "project: web\r\n", "project: web\r\ntoken:\r\n  doctl: acme\r\n"],
  ])("%s", (_, before, after) => {
    expect(added(before)).toBe(after);
  });

  it.each([
    [
      "an environment with keys",
      "environments:\n  dev: {}\n  prod:\n    account: { team: x }\n",
      "environments:\n  dev: {}\n  prod:\n    token:\n      doctl: acme\n    account: { team: x }\n",
    ],
    [
      "an empty environment",
      "environments: { prod: {} }\n",
      "environments: { prod: { token: { doctl: acme } } }\n",
    ],
    [
      "an environment with a token section",
      "environments:\n  prod:\n    token: { envFile: .env.prod }\n",
      "environments:\n  prod:\n    token: { doctl: acme, envFile: .env.prod }\n",
    ],
  ])("in %s", (_, before, after) => {
    expect(added(before, { environment: "prod" })).toBe(after);
  });

  it.each([
    ["yes", '"yes"'],
    ["null", '"null"'],
    ["1e3", '"1e3"'],
    ["acme-web_2", "acme-web_2"],
  ])("writes the context name %s as a string", (context, written) => {
    expect(added("", { context })).toBe(`token:\n  doctl: ${written}\n`);
  });

  it.each([
    ["another context is set", "token: { doctl: other }\n"],
    ["a section has no value", "token:\n"],
    ["a section is an alias", "a: &a { name: X_TOKEN }\ntoken: *a\n"],
    ["the file is not valid YAML", "token: {\n"],
    ["the file is a list", "- a\n"],
  ])("makes no edit if %s", (_, text) => {
    expect(added(text)).toBeUndefined();
  });
});

describe("adding token.doctl to JSON", () => {
  it.each([
    [
      ".do-bootstraprc.json",
      '{\n    "project": "web"\n}\n',
      '{\n    "project": "web",\n    "token": {\n        "doctl": "acme"\n    }\n}\n',
    ],
    [
      "package.json",
      '{\n\t"name": "web",\n\t"do-bootstrap": { "project": "web" }\n}',
      '{\n\t"name": "web",\n\t"do-bootstrap": {\n\t\t"project": "web",\n\t\t"token": {\n\t\t\t"doctl": "acme"\n\t\t}\n\t}\n}',
    ],
    [".do-bootstraprc", '{ "token": { "envFile": ".env" } }', undefined],
  ])("%s", (file, before, after) => {
    const text = added(before, { file });
    if (after !== undefined) expect(text).toBe(after);
    const config = JSON.parse(text ?? "");
    const own = file === "package.json" ? config["do-bootstrap"] : config;
    expect(own.token.doctl).toBe("acme");
  });
});
