import { describe, expect, it } from "vitest";
import { parse as parseYaml } from "yaml";
import {
  readDoctlConfig,
  withContext,
  withoutContext,
} from "../../../../src/concerns/doctl/config-file.ts";
import { encode, shown } from "../../../../src/secret/content.ts";
import { NOT_A_CONFIG, secret } from "../../samples.ts";

function store(text: string, context: string): string | undefined {
  const after = withContext(text, context, secret("NEW"));
  return after && encode(after).toString();
}

/** The contexts by name, with tokens in plain text, after ours is stored. */
function stored(text: string, context: string): Record<string, string> {
  const { contexts } = readDoctlConfig(store(text, context) ?? "") ?? { contexts: new Map() };
  return Object.fromEntries([...contexts].map(([name, it]) => [name, it.reveal()]));
}

describe("default is stored as the top-level access-token", () => {
  it.each([
    ["an empty file", "", 'access-token: "NEW"\n'],
    ["only a comment", "# mine\n", '# mine\n\naccess-token: "NEW"\n'],
    ["an existing token", "a: 1\naccess-token: T\nb: 2\n", 'a: 1\naccess-token: "NEW"\nb: 2\n'],
    ["an empty token", 'access-token: ""\n', 'access-token: "NEW"\n'],
    ["no value", "access-token:\na: 1\n", 'access-token: "NEW"\na: 1\n'],
    ["upper-case keys", "Access-Token: T\n", 'Access-Token: "NEW"\n'],
    ["a key twice", "access-token: A\na: 1\naccess-token: B\n", 'a: 1\naccess-token: "NEW"\n'],
    ["a stale config: key", "config: /x\naccess-token: T\n", 'access-token: "NEW"\n'],
    ["a stale config: key in capitals", "Config: /x\naccess-token: T\n", 'access-token: "NEW"\n'],
    ["a comment above", "# top\naccess-token: T\n", '# top\naccess-token: "NEW"\n'],
    ["a comment after the token", "access-token: T # mine\n", 'access-token: "NEW" # mine\n'],
    ["comments elsewhere", "a: 1 # a\n# b\nb: 2\n", 'a: 1 # a\n# b\nb: 2\naccess-token: "NEW"\n'],
    ["CRLF", "a: 1\r\naccess-token: T\r\n", 'a: 1\r\naccess-token: "NEW"\r\n'],
    ["a BOM", "\uFEFFaccess-token: T\n", '\uFEFFaccess-token: "NEW"\n'],
    ["a long line", `a: ${"x ".repeat(99)}x\n`, `a: ${"x ".repeat(99)}x\naccess-token: "NEW"\n`],
    [
      "YAML 1.1 values",
      "a: 012\nb: yes\nc: 'x'\n",
      "a: 012\nb: yes\nc: 'x'\naccess-token: \"NEW\"\n",
    ],
  ])("%s", (_, before, after) => {
    expect(store(before, "default")).toBe(after);
  });
});

describe("any other context is stored under auth-contexts", () => {
  const under = (...lines: string[]) => ["auth-contexts:", ...lines, ""].join("\n");

  it.each([
    ["an empty file", "", under('  "p": "NEW"')],
    [
      "an existing context",
      under("  a: A", "  p: P", "  z: Z"),
      under("  a: A", '  p: "NEW"', "  z: Z"),
    ],
    ["a new name", under("  a: A"), under("  a: A", '  "p": "NEW"')],
    ["a flow map", "auth-contexts: { a: A }\n", under("  a: A", '  "p": "NEW"')],
    ["no value", "auth-contexts:\n", under('  "p": "NEW"')],
    ["an upper-case name", under("  P: P"), under('  P: "NEW"')],
    ["a name twice", under("  p: A", "  a: A", "  P: B"), under("  a: A", '  P: "NEW"')],
    [
      "a nested context (a dot in its name)",
      under("  my:", "    team: T"),
      under("  my:", "    team: T", '  "p": "NEW"'),
    ],
    [
      "comments",
      under("  # a's", "  a: A # a", "  p: P"),
      under("  # a's", "  a: A # a", '  p: "NEW"'),
    ],
    ["a comment after the token", under("  p: P # mine"), under('  p: "NEW" # mine')],
    [
      "the default entry of auth switch",
      under('  default: "true"'),
      under('  default: "true"', '  "p": "NEW"'),
    ],
  ])("%s", (_, before, after) => {
    expect(store(before, "p")).toBe(after);
  });

  it("keeps what doctl wrote, except its config: key", () => {
    const text = "access-token: T\napi-url: x\nauth-contexts:\n  p: P\nconfig: /x\ncontext: p\n";
    expect(store(text, "p")).toBe(text.replace("p: P", 'p: "NEW"').replace("config: /x\n", ""));
  });

  it.each(["no", "12", "null", "~", "true", "a b", "é", "a:b", "#x", "1e5", "config", "context"])(
    "accepts the name %s",
    (name) => {
      const text = "access-token: T\nauth-contexts:\n  a: A\n";
      expect(stored(text, name)).toEqual({ default: "T", a: "A", [name]: "NEW" });
      // YAML 1.1 reads an unquoted no as false.
      const old = parseYaml(store(text, name) ?? "", { version: "1.1" });
      expect(old["auth-contexts"]).toEqual({ a: "A", [name]: "NEW" });
    },
  );
});

describe("the context's browser login is removed, as doctl would overwrite our token", () => {
  const session = (name: string) =>
    `  ${name}:\n    expires-at: "2026-11-29T21:33:17Z"\n    refresh-token: R-${name}\n`;
  const TOKENS = "access-token: T\nauth-contexts:\n  p: P\n";
  const both = `${TOKENS}oauth-tokens:\n${session("default")}${session("p")}oauth-default-scopes: read\n`;

  it.each<[string, string, string, string]>([
    [
      "of default",
      "default",
      both,
      `${TOKENS.replace("T\n", '"NEW"\n')}oauth-tokens:\n${session("p")}oauth-default-scopes: read\n`,
    ],
    [
      "of a named context",
      "p",
      both,
      `${TOKENS.replace("P", '"NEW"')}oauth-tokens:\n${session("default")}oauth-default-scopes: read\n`,
    ],
    [
      "the only one, together with its key",
      "p",
      `${TOKENS}oauth-tokens:\n${session("p")}`,
      TOKENS.replace("P", '"NEW"'),
    ],
    ["in capitals", "p", `${TOKENS}OAuth-Tokens:\n${session("P")}`, TOKENS.replace("P", '"NEW"')],
    [
      "not that of another context",
      "new",
      both,
      both.replace("  p: P\n", '  p: P\n  "new": "NEW"\n'),
    ],
    [
      "not a key that is not a map",
      "p",
      `${TOKENS}oauth-tokens: none\n`,
      `${TOKENS.replace("P", '"NEW"')}oauth-tokens: none\n`,
    ],
  ])("%s", (_, context, before, after) => {
    expect(store(before, context)).toBe(after);
  });

  it("also when the token is removed", () => {
    const after = withoutContext(both, "p");
    expect(after && encode(after).toString()).toBe(
      `access-token: T\nauth-contexts: {}\noauth-tokens:\n${session("default")}oauth-default-scopes: read\n`,
    );
  });

  it("and restored together with its own token", () => {
    const held = readDoctlConfig(both)?.sessions.get("p");
    const taken = store(both, "p") ?? "";
    const back = withContext(taken, "p", secret("P"), held);
    const found = readDoctlConfig(back ? encode(back).toString() : "");
    expect([...(found?.sessions.keys() ?? [])].sort()).toEqual(["default", "p"]);
    expect(held?.equals(found?.sessions.get("p"))).toBe(true);
  });
});

describe("nothing is lost", () => {
  it.each(NOT_A_CONFIG)("does not change %s", (_, text) => {
    expect(store(text, "default")).toBeUndefined();
    expect(store(text, "prod")).toBeUndefined();
  });

  it("when another context is an alias of the replaced token", () => {
    const text = "access-token: &t T\nauth-contexts:\n  prod: *t\n";
    expect(stored(text, "default")).toEqual({ default: "NEW", prod: "T" });
  });

  it("when the config contains the text of our placeholder", () => {
    const text = "note: do-bootstrap-token-goes-here\naccess-token: T\nz: 1\n";
    expect(store(text, "default")).toBe(text.replace("T\n", '"NEW"\n'));
  });

  it("and the token is not shown", () => {
    const after = withContext("access-token: T\n", "default", secret("NEW"));
    expect(after && shown(after)).toMatch(/^access-token: "\[secret \w{8}\]"\n$/);
  });
});
