import { describe, expect, it } from "vitest";
import { readDoctlConfig } from "../../../../src/concerns/doctl/config-file.ts";
import { NOT_A_CONFIG } from "../../samples.ts";

/** The contexts by name, with tokens in plain text. */
function contextsIn(text: string): Record<string, string> | undefined {
  const config = readDoctlConfig(text);
  return (
    config && Object.fromEntries([...config.contexts].map(([name, it]) => [name, it.reveal()]))
  );
}

const ODD_NAMES = 'auth-contexts: { "a b": A, é: E, 12: N, true: B, "a:b": C }\n';
const NINES = "9".repeat(64);

describe("readDoctlConfig", () => {
  it.each<[string, string, Record<string, string>]>([
    ["an empty file", "", {}],
    ["only comments", "# nothing\n", {}],
    ["an empty map", "{}\n", {}],
    ["only default", "access-token: T\n", { default: "T" }],
    ["named contexts", "auth-contexts:\n  prod: P\n  dev: D\n", { prod: "P", dev: "D" }],
    [
      "default and a named context",
      "access-token: T\nauth-contexts: { p: P }\n",
      { default: "T", p: "P" },
    ],
    ["unknown keys", "access-token: T\noutput: json\nssh: { user: x }\n", { default: "T" }],
    ["an empty token (auth remove)", 'access-token: ""\n', {}],
    ["a token of spaces", 'access-token: "  "\n', {}],
    ["spaces around a token", 'access-token: " T "\n', { default: "T" }],
    ["no value", "access-token:\n", {}],
    ["~", "access-token: ~\n", {}],
    ["null", "access-token: null\n", {}],
    ["a quoted null", 'access-token: "null"\n', { default: "null" }],
    ["a number", "access-token: 12345\n", { default: "12345" }],
    ["a number with zeros in front", "access-token: 00123\n", { default: "00123" }],
    ["a legacy token of digits", `access-token: ${NINES}\n`, { default: NINES }],
    ["a value that looks like an exponent", "access-token: 123e45\n", { default: "123e45" }],
    ["a boolean", "access-token: true\n", { default: "true" }],
    ["a list as the token", "access-token: [a]\n", {}],
    ["a map as the token", "access-token: { a: b }\n", {}],
    ["no contexts", "auth-contexts:\n", {}],
    ["a list of contexts", "auth-contexts: [a, b]\n", {}],
    [
      "the default entry that auth switch writes",
      'auth-contexts: { default: "true", p: P }\n',
      { p: "P" },
    ],
    [
      "a nested context (a dot in its name)",
      "auth-contexts:\n  my:\n    team: P\n  dev: D\n",
      { dev: "D" },
    ],
    [
      "upper-case keys",
      "Access-Token: T\nAUTH-CONTEXTS: { Prod: P }\n",
      { default: "T", prod: "P" },
    ],
    [
      "names that are one number in YAML",
      "auth-contexts: { 5: A, 05: B }\n",
      { "5": "A", "05": "B" },
    ],
    ["unusual names", ODD_NAMES, { "12": "N", "a b": "A", é: "E", true: "B", "a:b": "C" }],
    ["a key twice: the last wins", "access-token: A\naccess-token: B\n", { default: "B" }],
    ["a context twice: the last wins", "auth-contexts:\n  p: A\n  P: B\n", { p: "B" }],
    ["a BOM", "\uFEFFaccess-token: T\n", { default: "T" }],
    ["CRLF", "access-token: T\r\nauth-contexts:\r\n  p: P\r\n", { default: "T", p: "P" }],
    ["an alias", "access-token: &t T\nauth-contexts: { p: *t }\n", { default: "T", p: "T" }],
  ])("%s", (_, text, expected) => {
    expect(contextsIn(text)).toEqual(expected);
  });

  it.each([
    ["", "default"],
    ["context: prod\n", "prod"],
    ["context: default\n", "default"],
    ['context: ""\n', "default"],
    ["context:\n", "default"],
    ["context: ~\n", "default"],
    ["context: a\ncontext: b\n", "b"],
    ["Context: prod\n", "prod"],
    // doctl does not lower-case this one (docs/contracts/doctl.md 5, Names).
    ["context: Prod\n", "Prod"],
    ["context: 12\n", "12"],
  ])("%j selects %s", (text, selected) => {
    expect(readDoctlConfig(text)?.selected).toBe(selected);
  });

  it.each(NOT_A_CONFIG)("refuses %s", (_, text) => {
    expect(readDoctlConfig(text)).toBeUndefined();
  });

  it("sets each token's origin to its context", () => {
    const { contexts } = readDoctlConfig("auth-contexts:\n  prod: P\n") ?? {};
    expect(contexts?.get("prod")?.origin).toEqual({ kind: "doctl", context: "prod" });
  });
});
