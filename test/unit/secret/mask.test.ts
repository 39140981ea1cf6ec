import { Buffer } from "node:buffer";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { maskerOf } from "../../../src/secret/mask.ts";
import { cpuTimer } from "../../fixtures/cpu.ts";
import { PERSONAL } from "../samples.ts";

/** The masked output of chunks. */
function masked(secrets: readonly string[], chunks: readonly Buffer[]): Buffer {
  const masker = maskerOf(secrets);
  const shown = chunks.map((chunk) => masker.feed(chunk));
  return Buffer.concat([...shown, masker.end()]);
}

const bytes = (text: string) => Buffer.from(text, "utf8");

const KEY = "-----BEGIN KEY-----\nMIIEvQIBADAN\nab\nBgkqhkiG9w0B\n-----END KEY-----\n";

describe("masked text", () => {
  it.each<[name: string, secrets: string[], text: string, shown: string]>([
    ["a secret", ["hunter2"], "x hunter2 y", "x *** y"],
    ["the whole text", ["hunter2"], "hunter2", "***"],
    ["at the start", ["hunter2"], "hunter2 y", "*** y"],
    ["at the very end", ["hunter2"], "x hunter2", "x ***"],
    ["a secret twice", ["hunter2"], "hunter2hunter2", "******"],
    ["in a word", ["hunter2"], "xhunter2y", "x***y"],
    ["a token", [PERSONAL], `Bearer ${PERSONAL}\n`, "Bearer ***\n"],
    ["two secrets", ["hunter2", "secret"], "secret, hunter2", "***, ***"],
    ["no match", ["hunter2"], "hunter 2, Hunter2, hunter", "hunter 2, Hunter2, hunter"],
    ["an empty text", ["hunter2"], "", ""],
    ["no secrets", [], "hunter2", "hunter2"],
    ["a secret of six characters", ["sixsix"], "sixsix", "***"],
    ["a secret of five characters, which is too short", ["fives"], "fives", "fives"],
    ["an empty secret", [""], "text", "text"],
    ["a secret of spaces", ["        "], "a        b", "a        b"],
    ["a secret with whitespace around it", [" hunter2\n"], "x hunter2 y", "x *** y"],
    ["a prefix of another secret, alone", ["hunter2", "hunter2-long"], "hunter2-lo", "***-lo"],
    [
      "a prefix of another secret, with the rest",
      ["hunter2", "hunter2-long"],
      "hunter2-long",
      "***",
    ],
    [
      "a prefix of another secret, listed second",
      ["hunter2-long", "hunter2"],
      "hunter2 hunter2-long",
      "*** ***",
    ],
    ["the inside of another secret", ["hunter2", "(hunter2)"], "(hunter2) hunter2", "*** ***"],
    ["the end of another secret", ["before", "xbefore"], "xbefore before", "*** ***"],
    [
      "two overlapping secrets: only the first is masked",
      ["abcdef", "defghi"],
      "abcdefghi",
      "***ghi",
    ],
    ["a secret that overlaps itself", ["abaaba"], "abaabaaba", "***aba"],
    ["an incomplete start before a secret", ["aaaaab"], "aaaaaaab", "aa***"],
    [
      "regular expression characters",
      [".*+?^$", "[a-z]+"],
      "x.*+?^$y [a-z]+ abcdef",
      "x***y *** abcdef",
    ],
    [
      "a backslash, a caret and a bracket first",
      ["\\secret", "^secret", "]secret", "-secret"],
      "\\secret ^secret ]secret -secret",
      "*** *** *** ***",
    ],
    ["Unicode", ["pässwörd"], "x pässwörd y", "x *** y"],
    ["Unicode of six bytes", ["ééé"], "x ééé y", "x *** y"],
    ["another text with the same first bytes", ["ééééé"], "x ééééè y", "x ééééè y"],
    ["a key, whole", [KEY], `x\n${KEY}y`, "x\n***\ny"],
    [
      "a key, line by line",
      [KEY],
      KEY.replaceAll("\n", "\r\n"),
      "***\r\n***\r\nab\r\n***\r\n***\r\n",
    ],
    ["a line of a key", [KEY], "  BgkqhkiG9w0B,", "  ***,"],
    ["a key with CRLF in text with LF", [KEY.replaceAll("\n", "\r\n")], "MIIEvQIBADAN\n", "***\n"],
    ["the same secret many times", ["hunter2", "hunter2"], "hunter2", "***"],
  ])("%s", (_, secrets, text, shown) => {
    expect(masked(secrets, [bytes(text)]).toString("utf8")).toBe(shown);
    const single = [...bytes(text)].map((byte) => Buffer.from([byte]));
    expect(masked(secrets, single).toString("utf8")).toBe(shown);
  });
});

describe("what each chunk prints", () => {
  it.each<[name: string, secrets: string[], chunks: string[], shown: string[]]>([
    ["everything, if no secret starts", ["hunter2"], ["abc", "def"], ["abc", "def", ""]],
    ["a partial secret is held back", ["hunter2"], ["a hunt", "er2 b"], ["a ", "*** b", ""]],
    ["it is printed when it does not match", ["hunter2"], ["a hunt", "ing"], ["a ", "hunting", ""]],
    ["it is printed at the end", ["hunter2"], ["a hunt"], ["a ", "hunt"]],
    ["only the partial secret is held back", ["hunter2"], ["hunter hu"], ["hunter ", "hu"]],
    [
      "a secret that is a prefix of another is held back",
      ["hunter2", "hunter2-long"],
      ["hunter2"],
      ["", "***"],
    ],
    ["a prompt without a line end", ["hunter2"], ["Enter a value: "], ["Enter a value: ", ""]],
    ["an empty chunk", ["hunter2"], ["hun", "", "ter2"], ["", "", "***", ""]],
    ["text after a secret", ["hunter2"], ["hunter2", "x"], ["***", "x", ""]],
  ])("%s", (_, secrets, chunks, expected) => {
    const masker = maskerOf(secrets);
    const shown = [...chunks.map((chunk) => masker.feed(bytes(chunk))), masker.end()];
    expect(shown.map(String)).toEqual(expected);
  });
});

// With a small alphabet, secrets overlap, repeat and share prefixes.
const narrow = fc.string({ unit: fc.constantFrom("a", "b"), minLength: 6, maxLength: 9 });
const wide = fc.string({ unit: fc.constantFrom(..."ab\n\r .é\\^]-"), maxLength: 14 });
const secrets = fc.array(fc.oneof(narrow, narrow, wide), { minLength: 1, maxLength: 4 });
const piece = fc.oneof(
  fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 20 }).map(bytes),
  fc.uint8Array({ maxLength: 12 }).map((array) => Buffer.from(array)),
);

/** Secrets, and a text that contains some of them, whole or partly. */
const situation = secrets.chain((list) => {
  const part = fc
    .tuple(fc.constantFrom(...list), fc.nat(14))
    .map(([secret, end]) => bytes(secret).subarray(0, end));
  const whole = fc.constantFrom(...list).map(bytes);
  const text = fc.array(fc.oneof(piece, part, whole), { maxLength: 8 }).map(Buffer.concat);
  return fc.tuple(fc.constant(list), text, fc.array(fc.nat(60), { maxLength: 10 }));
});

function cut(text: Buffer, at: readonly number[]): Buffer[] {
  const ends = [...new Set([...at, 0, text.length])].filter((end) => end <= text.length);
  ends.sort((a, b) => a - b);
  return ends.slice(1).map((end, i) => text.subarray(ends[i], end));
}

describe("for any secrets, any text and any chunks", () => {
  it("the output does not depend on the chunks", () => {
    fc.assert(
      fc.property(situation, ([list, text, at]) => {
        expect(masked(list, cut(text, at))).toEqual(masked(list, [text]));
      }),
      { numRuns: 3000 },
    );
  });

  it("the output contains no secret and no line of one", () => {
    fc.assert(
      fc.property(situation, ([list, text, at]) => {
        const shown = masked(list, cut(text, at));
        const lines = list.flatMap((secret) => [secret, ...secret.split(/[\r\n]+/)]);
        for (const line of lines.map((each) => bytes(each.trim()))) {
          if (line.length >= 6) expect(shown.includes(line), line.toString("hex")).toBe(false);
        }
      }),
      { numRuns: 3000 },
    );
  });

  it("text without a secret is unchanged, also if it is not UTF-8", () => {
    const upper = fc.array(fc.string({ unit: fc.constantFrom("A", "B"), minLength: 6 }));
    const text = fc.array(fc.oneof(piece, fc.constant(bytes("AAAAA"))), { maxLength: 8 });
    fc.assert(
      fc.property(upper, text, fc.array(fc.nat(60)), (list, pieces, at) => {
        const whole = Buffer.concat(pieces);
        fc.pre(!list.some((secret) => whole.includes(secret)));
        expect(masked(list, cut(whole, at))).toEqual(whole);
      }),
      { numRuns: 2000 },
    );
  });

  it("every byte value is passed on", () => {
    const every = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    expect(masked(["hunter2"], [every])).toEqual(every);
    expect(masked(["hunter2"], cut(every, [1, 104, 128, 255]))).toEqual(every);
  });

  it("no more bytes are held back than the longest secret has", () => {
    fc.assert(
      fc.property(situation, ([list, text, at]) => {
        const longest = Math.max(...list.map((secret) => bytes(secret).length));
        const masker = maskerOf(list);
        const chunks = cut(text, at);
        for (const chunk of chunks) masker.feed(chunk);
        expect(masker.end().length).toBeLessThan(Math.max(longest, 1));
      }),
    );
  });
});

describe("the time is linear", () => {
  const MB = 1024 * 1024;
  const CHUNK = 64 * 1024;
  const alike = Array.from({ length: 10 }, (_, i) => `secret-${i}`);
  it.each<[mb: number, what: string, secrets: string[], unit: string]>([
    [20, "the first letter of a token, repeated", [PERSONAL], "d"],
    [20, "a token without its last character, repeated", [PERSONAL], `${PERSONAL.slice(0, -1)}x`],
    [2, "the repeated letter of a secret", [`${"d".repeat(60)}e`], "d"],
    [5, "ten secrets with the same prefix", alike, "secret-x"],
    [20, "text", [PERSONAL, "hunter2"], "The quick brown fox jumps over the lazy dog.\n"],
  ])("%i MB in less than 2 s: %s", (mb, _, list, unit) => {
    const text = Buffer.alloc(mb * MB, unit);
    const masker = maskerOf(list);
    const seconds = cpuTimer();
    let shown = 0;
    for (let at = 0; at < text.length; at += CHUNK) {
      shown += masker.feed(text.subarray(at, at + CHUNK)).length;
    }
    shown += masker.end().length;
    expect(seconds()).toBeLessThan(2);
    expect(shown).toBe(text.length);
  });
});
