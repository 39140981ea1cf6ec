import { describe, expect, it } from "vitest";
import { readDoctlConfig } from "../../../../src/concerns/doctl/config-file.ts";
import { contextsFor, holdersIn } from "../../../../src/concerns/doctl/for-exec.ts";
import { contextFor, isSameDoctl, placesOf } from "../../../../src/exec/doctl.ts";
import { LEGACY, OTHER, PERSONAL, secret } from "../../samples.ts";

/** The context that a command gets for the token T. */
function contextOf(text: string, project = "acme", context?: string, words = ["doctl"]): string {
  const written = text
    .replace(/\bT\b/g, PERSONAL)
    .replace(/\bX\b/g, OTHER)
    .replace(/\bL\b/g, LEGACY);
  const config = readDoctlConfig(written);
  expect(config).toBeDefined();
  const holders = config === undefined ? {} : holdersIn(config);
  const contexts = contextsFor(holders, { doctl: { context }, project });
  const doctl = { path: "/bin/doctl", program: undefined, places: "", contexts };
  return contextFor(doctl, secret(), words);
}

describe("the context that holds this token", () => {
  it.each<[what: string, config: string, context: string]>([
    ["a named context", "auth-contexts: { web: T }", "web"],
    ["among other contexts", "access-token: X\nauth-contexts: { a: X, web: T, z: L }", "web"],
    ["a name in capitals, which doctl lower-cases", "auth-contexts: { Web: T }", "web"],
    ["a quoted name", "auth-contexts: { 'web': 'T' }", "web"],
    ["not the selected context", "context: a\nauth-contexts: { a: X, web: T }", "web"],
    ["the last of two keys holds it", "auth-contexts: { web: X, WEB: T }", "web"],
    ["through a YAML alias", "access-token: X\nx: &t T\nauth-contexts: { web: *t }", "web"],
    ["no context holds it", "auth-contexts: { web: X }", "default"],
    ["the last of two keys holds another token", "auth-contexts: { web: T, web: X }", "default"],
    ["no named contexts", "access-token: T", "default"],
    ["default", "access-token: T\nauth-contexts: { web: X }", "default"],
    ["default and a named context", "access-token: T\nauth-contexts: { web: T }", "default"],
    ["the project's context comes first", "auth-contexts: { a: T, acme: T, z: T }", "acme"],
    ["the first of two other contexts", "auth-contexts: { a: T, z: T }", "a"],
    ["a name with a dot, which doctl splits", "auth-contexts: { my.team: T }", "default"],
    ["a name with non-ASCII letters", "auth-contexts: { équipe: T }", "default"],
    ["a name with a space", "auth-contexts: { 'my team': T }", "default"],
    ["a name like an option", "auth-contexts: { -t: T }", "default"],
    ["the name __proto__ next to another", "auth-contexts: { __proto__: T, web: T }", "web"],
    ["an entry named default under auth-contexts", "auth-contexts: { default: T }", "default"],
  ])("%s", (_, config, context) => {
    expect(contextOf(config)).toBe(context);
  });

  it.each<[what: string, config: string, context: string]>([
    [
      "the configured context comes first",
      "access-token: T\nauth-contexts: { a: T, own: T }",
      "own",
    ],
    ["the configured context holds another token", "auth-contexts: { own: X, web: T }", "web"],
    ["the configured context does not exist", "auth-contexts: { web: T }", "web"],
  ])("with doctl.context: %s", (_, config, context) => {
    expect(contextOf(config, "acme", "own")).toBe(context);
  });
});

describe("a browser login, whose token doctl renews", () => {
  const login = (name: string) => `oauth-tokens: { ${name}: { refresh-token: R } }\n`;
  it.each<[what: string, config: string, context: string]>([
    ["is not chosen", `${login("web")}auth-contexts: { web: T }`, "default"],
    ["in capitals is not chosen", `${login("WEB")}auth-contexts: { web: T }`, "default"],
    ["in another context", `${login("other")}auth-contexts: { web: T }`, "web"],
    ["in default", `${login("default")}access-token: X\nauth-contexts: { web: T }`, "web"],
    [
      "does not hide another context with the token",
      `${login("a")}auth-contexts: { a: T, web: T }`,
      "web",
    ],
    [
      "without a refresh token does not count",
      "oauth-tokens: { web: { scope: read } }\nauth-contexts: { web: T }",
      "web",
    ],
    [
      "that is not due for renewal is not chosen",
      'oauth-tokens: { web: { refresh-token: R, expires-at: "2999-01-01T00:00:00Z" } }\nauth-contexts: { web: T }',
      "default",
    ],
  ])("%s", (_, config, context) => {
    expect(contextOf(config)).toBe(context);
  });
});

// In a named context doctl ignores the flag (docs/contracts/doctl.md 5.6).
it.each<[line: string, context: string]>([
  ["doctl account get", "web"],
  ["terraform plan", "web"],
  ["sh -c doctl", "web"],
  ["terraform plan -target=x", "web"],
  ["doctl account get -t X", "default"],
  ["doctl -tX account get", "default"],
  ["doctl -vt X account get", "default"],
  ["doctl --access-token=X account get", "default"],
  ["/opt/doctl.exe --access-token X account get", "default"],
  ["doctl --trace account get", "web"],
])("the command %s: context %s", (line, context) => {
  expect(contextOf("auth-contexts: { web: T }", "acme", undefined, line.split(" "))).toBe(context);
});

it("a token with the same fingerprint is a different token", () => {
  const [held, made] = [secret("1cf12d2d"), secret()];
  const doctl = { path: "/bin/doctl", program: undefined, places: "" };
  const contexts = { [held.digest]: "web", [made.fingerprint]: "prod" };
  expect(contextFor({ ...doctl, contexts }, made, [])).toBe("default");
  expect(contextFor({ ...doctl, contexts }, held, [])).toBe("web");
});

it("stores no digest of a value that is not a token", () => {
  const config = readDoctlConfig(`auth-contexts: { a: hunter2, b: ${OTHER} }`);
  expect(config && holdersIn(config)).toEqual({ b: secret(OTHER).digest });
});

it("doctl: false gives context default", () => {
  expect(contextFor(undefined, secret(), ["doctl"])).toBe("default");
});

describe("a record is valid as long as doctl reads the same file", () => {
  const before = { HOME: "/home/sammy", PATH: "" };
  const seen = { path: undefined, program: undefined, places: placesOf(before), contexts: {} };
  it.each<[what: string, env: Record<string, string>, holds: boolean]>([
    ["nothing changes", before, true],
    ["another HOME", { ...before, HOME: "/root" }, false],
    ["DIGITALOCEAN_CONFIG", { ...before, DIGITALOCEAN_CONFIG: "/x.yaml" }, false],
    ["XDG_CONFIG_HOME", { ...before, XDG_CONFIG_HOME: "/x" }, false],
    ["APPDATA", { ...before, APPDATA: "/x" }, false],
    ["a variable that does not affect doctl's config path", { ...before, TERM: "dumb" }, true],
    ["an empty variable", { ...before, XDG_CONFIG_HOME: "" }, true],
  ])("%s", (_, env, holds) => {
    expect(isSameDoctl(seen, { env, platform: "linux" })).toBe(holds);
  });

  it.each<[what: string, contexts: Record<string, string>, holds: boolean]>([
    ["no context is recorded: still valid", {}, true],
    ["a context is recorded: not valid", { d: "web" }, false],
  ])("doctl was removed, and %s", (_, contexts, holds) => {
    const doctl = { ...seen, path: "/usr/bin/doctl", contexts };
    expect(isSameDoctl(doctl, { env: before, platform: "linux" })).toBe(holds);
  });
});
