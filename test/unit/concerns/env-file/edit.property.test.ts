import { parse } from "dotenv";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  redacted,
  withNames,
  withoutToken,
  withReplaced,
  withToken,
} from "../../../../src/concerns/env-file/edit.ts";
import { type Content, decode, encode, shown } from "../../../../src/secret/content.ts";
import { OTHER, PERSONAL, secret } from "../../samples.ts";

const KEY = "DIGITALOCEAN_TOKEN";

const from = (...texts: string[]) => fc.constantFrom(...texts);
const joined = (...parts: fc.Arbitrary<string>[]) => fc.tuple(...parts).map((all) => all.join(""));

const key = from(KEY, KEY, "A", "B_2", "c.d", "E-F", `${KEY}_OLD`, `MY_${KEY}`);
const plain = fc.string({ unit: from(..."aZ9 $\\'\"`=:-é#"), maxLength: 8 });
const quoted = fc
  .tuple(from('"', "'", "`"), from("", `x\n${KEY}=`, `\r\n# ${KEY}=`), plain)
  .map(([quote, first, rest]) => `${quote}${first}${rest.replaceAll(quote, "")}${quote}`);
const odd = from(
  "",
  "''",
  '"a\\"b"',
  "'a\\'b'",
  PERSONAL,
  `${PERSONAL} # mine`,
  '"-----BEGIN\r\nx"',
);
const assignment = joined(
  from("", "", "export ", "  ", "\t"),
  key,
  from("=", "=", " = ", ": ", "= ", "=\t"),
  fc.oneof(plain, quoted, odd),
  from("", "", " ", " # note", "#note"),
);
const other = from(
  "",
  "# comment",
  `# ${KEY}=old`,
  `#${KEY}='x`,
  KEY,
  "export",
  "=x",
  '"',
  "'",
  "`",
);
const line = fc.oneof(assignment, assignment, assignment, other, fc.string({ maxLength: 12 }));
const realistic = fc
  .tuple(from("", "\uFEFF"), fc.array(line, { maxLength: 8 }), from("\n", "\r\n"), from("", "\n"))
  .map(([bom, lines, end, last]) => bom + lines.join(end) + last);
const junk = fc
  .string({ unit: from(..."KA= :'\"`#\n\r\\ \t"), maxLength: 20 })
  .map((each) => each.replaceAll("K", KEY));
const anyText = fc.oneof(realistic, realistic, junk, fc.string({ unit: "binary", maxLength: 40 }));

/** Any .env text and its edited form. Texts that cannot be edited are skipped. */
function forEdited(check: (before: string, parts: Content["parts"], after: string) => void): void {
  const property = fc.property(anyText, (before) => {
    const parts = add(before);
    if (parts !== undefined) check(before, parts, textOf(parts));
  });
  fc.assert(property, { numRuns: 2000 });
}

const add = (text: string) => withToken(text, ".env", KEY, secret(PERSONAL));
const textOf = (parts: Content["parts"]) => encode({ parts, encoding: "utf8" }).toString();

function others(text: string): Record<string, string> {
  const { [KEY]: _, ...rest } = parse(text);
  return rest;
}

describe("withToken, for any text", () => {
  it("keeps the value that dotenv reads for every other key, and sets the token", () => {
    forEdited((before, _, after) => {
      expect(parse(after)[KEY]).toBe(PERSONAL);
      expect(others(after)).toEqual(others(before));
    });
  });

  it("keeps every other byte", () => {
    forEdited((before, parts) => {
      const pattern = expect.stringMatching(patternOf(parts));
      expect([before, withNames(before, [KEY])]).toContainEqual(pattern);
    });
  });

  it("changes nothing the second time", () => {
    forEdited((_, __, after) => {
      expect(textOf(add(after) ?? [])).toBe(after);
    });
  });

  it("can always edit plain lines", () => {
    const plainLine = joined(
      from("", "export "),
      key,
      from("=1\n", "='a b'\n", '="a\nb"\n', "=\n"),
    );
    fc.assert(
      fc.property(fc.array(plainLine), (lines) => {
        expect(add(lines.join(""))).toBeDefined();
      }),
    );
  });
});

describe("replacing or removing a token, for any bytes", () => {
  const holding = fc
    .tuple(
      anyText,
      from("", "export "),
      from("A", KEY, "T"),
      from("", '"', "'"),
      from("\n", "\r\n"),
      anyText,
    )
    .map(([before, start, name, quote, end, after]) =>
      `${before}${end}${start}${name}=${quote}${OTHER}${quote}${end}${after}`.replaceAll("\0", ""),
    );
  /** UTF-8, Latin-1, and bytes that are neither. */
  const bytes = fc
    .tuple(holding, from("", "\xe9", "\xff\xfe", "\xc3", "\xed\xa0\x80"))
    .map(([text, tail]) => Buffer.concat([Buffer.from(text), Buffer.from(tail, "latin1")]));

  const held = (text: string) =>
    Object.entries(parse(text))
      .filter(([, value]) => value === OTHER)
      .map(([name]) => name);
  const rest = (text: string, but: readonly string[]) =>
    Object.fromEntries(Object.entries(parse(text)).filter(([name]) => !but.includes(name)));

  it("replacing keeps the values of other keys and every other byte", () => {
    fc.assert(
      fc.property(bytes, (given) => {
        const { text, encoding } = decode(given) ?? { text: "", encoding: "utf8" };
        const names = held(text);
        const parts = withReplaced(text, ".env", {
          olds: [secret(OTHER)],
          tokenFor: () => secret(),
        });
        if (parts === undefined || names.length === 0) return;
        const after = encode({ parts, encoding });
        const read = decode(after)?.text ?? "";
        for (const name of names) expect(parse(read)[name]).toBe(PERSONAL);
        expect(rest(read, names)).toEqual(rest(text, names));
        const back = after.toString("latin1").replaceAll(PERSONAL, OTHER);
        expect(back).toBe(given.toString("latin1").replaceAll(PERSONAL, OTHER));
      }),
      { numRuns: 1000 },
    );
  });

  it("removing keeps the remaining lines and their order", () => {
    fc.assert(
      fc.property(bytes, (given) => {
        const { text, encoding } = decode(given) ?? { text: "", encoding: "utf8" };
        const names = held(text);
        const parts = withoutToken(text, ".env", [secret(OTHER)]);
        if (parts === undefined || names.length === 0) return;
        const after = encode({ parts, encoding }).toString("latin1");
        const read = decode(Buffer.from(after, "latin1"))?.text ?? "";
        expect(held(read)).toEqual([]);
        expect(rest(read, names)).toEqual(rest(text, names));
        let from = 0;
        const before = given.toString("latin1");
        for (const line of after.split("\n").filter(Boolean)) {
          const at = before.indexOf(line, from);
          expect(at).toBeGreaterThanOrEqual(from);
          from = at + line.length;
        }
      }),
      { numRuns: 1000 },
    );
  });
});

/** A pattern of the unchanged text, with room for one value (no comment, no newline) per token. */
function patternOf(parts: Content["parts"]): RegExp {
  const value = `(?:[^#\\r\\n]*|${[`"`, "'", "`"].map((q) => `(?<=${q})[^]*(?=${q})`).join("|")})`;
  const source = parts.map((part) => {
    if (typeof part !== "string" && part.origin.kind === "stdin") return value;
    const text = typeof part === "string" ? part : part.reveal();
    return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  });
  // After a colon without a value, withToken adds the space that dotenv requires.
  return new RegExp(`^${source.join("").replaceAll(`: ${value}`, `: ?${value}`)}$`);
}

describe("redacted, for any text", () => {
  it("encodes to the same bytes", () => {
    const check = (text: string) => expect(textOf(redacted(text, ".env"))).toBe(text);
    fc.assert(
      fc.property(anyText, (text) => void check(text)),
      { numRuns: 2000 },
    );
  });

  it("encodes to the same bytes in Latin-1", () => {
    const bytes = fc.oneof(
      fc.uint8Array({ min: 1, maxLength: 60 }).map((array) => Buffer.from(array)),
      realistic.map((text) => Buffer.from(text, "latin1")),
    );
    fc.assert(
      fc.property(bytes, (before) => {
        const { text, encoding } = decode(before) ?? { text: "?", encoding: "utf8" };
        const after = encode({ parts: redacted(text, ".env"), encoding });
        expect(after.equals(before)).toBe(true);
      }),
    );
  });

  it("shows no value that dotenv reads", () => {
    const hidden = from(
      "hunter2",
      "'hunter2'",
      '"a\nhunter2"',
      "hunter2 # x",
      "`a\nhunter2`",
      "#a",
    );
    const lines = fc.array(joined(key, from("=", " = ", ": "), hidden, from("\n", "\r\n")));
    fc.assert(
      fc.property(lines, (each) => {
        const parts = redacted(each.join(""), ".env");
        expect(shown({ parts, encoding: "utf8" })).not.toContain("hunter2");
      }),
    );
  });
});

describe("withNames, for any text", () => {
  it("adds a name at the end, once", () => {
    fc.assert(
      fc.property(realistic, (before) => {
        const after = withNames(before, [KEY]);
        expect(after.startsWith(before)).toBe(true);
        if (KEY in parse(after)) expect(withNames(after, [KEY])).toBe(after);
      }),
      { numRuns: 1000 },
    );
  });
});
