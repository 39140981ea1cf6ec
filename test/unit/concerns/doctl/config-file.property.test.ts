import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import {
  readDoctlConfig,
  withContext,
  withoutContext,
} from "../../../../src/concerns/doctl/config-file.ts";
import { encode } from "../../../../src/secret/content.ts";
import { secret } from "../../samples.ts";

const name = fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,8}$/).filter((each) => each !== "default");
const context = fc.oneof(name, fc.constant("default"));
const digits = fc.stringMatching(/^[0-9]{64}$/);
const token = fc.oneof(
  fc.stringMatching(/^dop_v1_[0-9a-f]{64}$/),
  digits,
  fc.stringMatching(/^[0-9a-f]{64}$/),
);
const OURS = ["access-token", "auth-contexts", "context", "config"];
const unknown = fc.dictionary(
  fc.stringMatching(/^[a-z][a-z.-]{0,8}$/).filter((key) => !OURS.includes(key)),
  fc.oneof(
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.dictionary(name, fc.string()),
  ),
  { maxKeys: 4, noNullPrototype: true },
);

interface Config {
  unknown: Record<string, unknown>;
  contexts: Record<string, string>;
  token: string | undefined;
}

const config: fc.Arbitrary<Config> = fc.record({
  unknown,
  contexts: fc.dictionary(name, token, { maxKeys: 5, noNullPrototype: true }),
  token: fc.option(token, { nil: undefined }),
});

/** A config as doctl or a person writes it, with unquoted tokens. */
function write({ unknown, contexts, token }: Config): string {
  const named = Object.entries(contexts).map(([name, it]) => `  ${JSON.stringify(name)}: ${it}\n`);
  return [
    Object.keys(unknown).length === 0 ? "" : stringify(unknown, { version: "1.1" }),
    token === undefined ? "" : `access-token: ${token}\n`,
    named.length === 0 ? "" : `auth-contexts:\n${named.join("")}`,
    "config: /somewhere/else.yaml\n",
  ].join("");
}

const allOf = ({ contexts, token }: Config) => ({
  ...contexts,
  ...(token === undefined ? {} : { default: token }),
});

function contextsIn(text: string): Record<string, string> {
  const { contexts } = readDoctlConfig(text) ?? { contexts: new Map() };
  return Object.fromEntries([...contexts].map(([name, it]) => [name, it.reveal()]));
}

const store = (text: string, into: string, value: string) =>
  encode(withContext(text, into, secret(value)) ?? { parts: [], encoding: "utf8" }).toString();

describe("any doctl config", () => {
  it("is read without losing a digit", () => {
    fc.assert(
      fc.property(config, (it) => {
        expect(contextsIn(write(it))).toEqual(allOf(it));
      }),
    );
  });

  it("keeps every other context and stores ours", () => {
    fc.assert(
      fc.property(config, context, token, (it, into, value) => {
        expect(contextsIn(store(write(it), into, value))).toEqual({ ...allOf(it), [into]: value });
      }),
    );
  });

  it("keeps every unknown key in YAML 1.1 and 1.2, and drops config:", () => {
    fc.assert(
      fc.property(config, context, token, (it, into, value) => {
        const after = store(write(it), into, value);
        for (const version of ["1.1", "1.2"] as const) {
          const { "access-token": _, "auth-contexts": __, ...rest } = parse(after, { version });
          expect(rest).toEqual(parse(stringify(it.unknown, { version: "1.1" }), { version }));
        }
      }),
    );
  });

  it("stays the same when the same token is stored again", () => {
    fc.assert(
      fc.property(config, context, token, (it, into, value) => {
        const once = store(write(it), into, value);
        expect(store(once, into, value)).toBe(once);
      }),
    );
  });
});

/** A hand-written config: comments, anchors, keys in any case, any quotes, contexts in one line or one per line. */
const written = fc
  .record({
    contexts: fc.uniqueArray(fc.tuple(name, token), { selector: ([each]) => each, maxLength: 4 }),
    quote: fc.constantFrom("", '"', "'"),
    caseOf: fc.constantFrom(
      (key: string) => key,
      (key: string) => key.toUpperCase(),
      (key: string) => key.charAt(0).toUpperCase() + key.slice(1),
    ),
    isFlow: fc.boolean(),
    lineEnd: fc.constantFrom("\n", "\r\n"),
    bom: fc.constantFrom("", "\uFEFF"),
    isSelected: fc.boolean(),
  })
  .map(({ contexts, quote, caseOf, isFlow, lineEnd, bom, isSelected }) => {
    const pairs = contexts.map(([each, it]) => `${quote}${each}${quote}: ${quote}${it}${quote}`);
    const section = caseOf("auth-contexts");
    const lines = [
      "# mine",
      "output: &o text",
      "# as ever",
      "more: { a: *o, list: [1, two] }",
      "",
      ...(contexts.length === 0 ? [] : isFlow ? [`${section}: { ${pairs.join(", ")} }`] : []),
      ...(contexts.length === 0 || isFlow
        ? []
        : [`${section}: # all of them`, ...pairs.map((pair) => `    ${pair} # c`)]),
      `${caseOf("context")}: ${isSelected ? (contexts[0]?.[0] ?? "default") : "default"}`,
      "# the end",
    ];
    return {
      contexts: Object.fromEntries(contexts),
      text: bom + lines.join(lineEnd) + lineEnd,
      lineEnd,
    };
  });

describe("a hand-written config", () => {
  const others = (text: string) => {
    // Names of contexts are texts for doctl and for us. YAML reads the names 5 and 05 as one number, twice.
    const all = Object.entries(parse(text.replace("\uFEFF", ""), { uniqueKeys: false }) as object);
    const kept = all.filter(([key]) => !/^(auth-contexts|access-token|context)$/i.test(key));
    return Object.fromEntries(kept);
  };
  const comments = (text: string) => text.match(/# (mine|as ever|the end)/g);

  it("keeps contexts, other keys, comments and line endings when one is stored", () => {
    fc.assert(
      fc.property(written, context, token, (it, into, value) => {
        const after = store(it.text, into, value);
        expect(contextsIn(after)).toEqual({ ...it.contexts, [into]: value });
        expect(others(after)).toEqual(others(it.text));
        expect(comments(after)).toEqual(comments(it.text));
        expect(after.replaceAll(it.lineEnd, "")).not.toMatch(/[\r\n]/);
        expect(after.startsWith("\uFEFF")).toBe(it.text.startsWith("\uFEFF"));
        expect(readDoctlConfig(after)?.selected).toBe(readDoctlConfig(it.text)?.selected);
      }),
    );
  });

  it("keeps the rest when the selected context is removed, and selects default", () => {
    fc.assert(
      fc.property(written, (it) => {
        const gone = readDoctlConfig(it.text)?.selected ?? "";
        const parts = withoutContext(it.text, gone) ?? { parts: [], encoding: "utf8" as const };
        const after = encode(parts).toString();
        const { [gone]: _, ...left } = it.contexts;
        expect(contextsIn(after)).toEqual(left);
        expect(others(after)).toEqual(others(it.text));
        expect(comments(after)).toEqual(comments(it.text));
        expect(readDoctlConfig(after)?.selected).toBe("default");
      }),
    );
  });
});

describe("any text", () => {
  it("is refused, or read and written without error or loss", () => {
    const yamlish = fc.string({ unit: fc.constantFrom(..."ab: \n-#'\"{}[]&*!|>~?,%@`\t") });
    const lines = fc
      .array(
        fc.constantFrom(
          "access-token: T",
          "auth-contexts:",
          "  a: A",
          "  b: { c: d }",
          "a: &x 1",
          "b: *x",
          "---",
          "- a",
          "? a",
          "k: |",
          "  text",
          "config: x",
        ),
      )
      .map((each) => each.join("\n"));
    fc.assert(
      fc.property(fc.oneof(yamlish, lines), context, (text, into) => {
        const before = readDoctlConfig(text);
        const after = withContext(text, into, secret("NEW"));
        expect(after === undefined).toBe(before === undefined);
        if (after === undefined) return;
        expect(contextsIn(encode(after).toString())).toEqual({
          ...contextsIn(text),
          [into]: "NEW",
        });
      }),
      { numRuns: 1000 },
    );
  });
});
