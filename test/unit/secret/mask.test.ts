import { Buffer } from "node:buffer";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { maskerOf } from "../../../src/secret/mask.ts";
import { cpuTimer } from "../../fixtures/cpu.ts";
import { PERSONAL } from "../samples.ts";

/** What is shown of chunks, byte for byte. */
function masked(secrets: readonly string[], chunks: readonly Buffer[]): Buffer {
  const masker = maskerOf(secrets);
  const shown = chunks.map((chunk) => masker.feed(chunk));
  return Buffer.concat([...shown, masker.end()]);
}

const bytes = (text: string) => Buffer.from(text, "utf8");

const KEY = "-----BEGIN KEY-----\nMIIEvQIBADAN\nab\nBgkqhkiG9w0B\n-----END KEY-----\n";

describe("what is masked", () => {
  it.each<[name: string, secrets: string[], text: string, shown: string]>([
    ["a secret", ["hunter2"], "x hunter2 y", "x *** y"],
    ["the whole text", ["hunter2"], "hunter2", "***"],
    ["at the start", ["hunter2"], "hunter2 y", "*** y"],
    ["at the very end", ["hunter2"], "x hunter2", "x ***"],
    ["twice", ["hunter2"], "hunter2hunter2", "******"],
    ["in a word", ["hunter2"], "xhunter2y", "x***y"],
    ["a token", [PERSONAL], `Bearer ${PERSONAL}\n`, "Bearer ***\n"],
    ["two of them", ["hunter2", "secret"], "secret, hunter2", "***, ***"],
    ["none", ["hunter2"], "hunter 2, Hunter2, hunter", "hunter 2, Hunter2, hunter"],
    ["nothing", ["hunter2"], "", ""],
    ["no secrets", [], "hunter2", "hunter2"],
    ["of six characters", ["sixsix"], "sixsix", "***"],
    ["of five: it occurs by chance", ["fives"], "fives", "fives"],
    ["empty", [""], "text", "text"],
    ["blank", ["        "], "a        b", "a        b"],
    ["with blanks around it", [" hunter2\n"], "x hunter2 y", "x *** y"],
    ["a prefix of another, alone", ["hunter2", "hunter2-long"], "hunter2-lo", "***-lo"],
    ["a prefix of another, whole", ["hunter2", "hunter2-long"], "hunter2-long", "***"],
    ["a prefix of another, first", ["hunter2-long", "hunter2"], "hunter2 hunter2-long", "*** ***"],
    ["the inside of another", ["hunter2", "(hunter2)"], "(hunter2) hunter2", "*** ***"],
    ["the end of another", ["before", "xbefore"], "xbefore before", "*** ***"],
    [
      "overlapping: the first is gone, the second is no more",
      ["abcdef", "defghi"],
      "abcdefghi",
      "***ghi",
    ],
    ["overlapping itself", ["abaaba"], "abaabaaba", "***aba"],
    ["a broken start before it", ["aaaaab"], "aaaaaaab", "aa***"],
    ["signs of a pattern", [".*+?^$", "[a-z]+"], "x.*+?^$y [a-z]+ abcdef", "x***y *** abcdef"],
    [
      "a backslash, a caret and a bracket first",
      ["\\secret", "^secret", "]secret", "-secret"],
      "\\secret ^secret ]secret -secret",
      "*** *** *** ***",
    ],
    ["Unicode", ["pässwörd"], "x pässwörd y", "x *** y"],
    ["Unicode of six bytes", ["ééé"], "x ééé y", "x *** y"],
    ["another of the same bytes' beginnings", ["ééééé"], "x ééééè y", "x ééééè y"],
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

describe("what is shown, and when", () => {
  it.each<[name: string, secrets: string[], chunks: string[], shown: string[]]>([
    ["at once where nothing begins", ["hunter2"], ["abc", "def"], ["abc", "def", ""]],
    ["the half of a secret is held back", ["hunter2"], ["a hunt", "er2 b"], ["a ", "*** b", ""]],
    ["till it is none", ["hunter2"], ["a hunt", "ing"], ["a ", "hunting", ""]],
    ["till the end", ["hunter2"], ["a hunt"], ["a ", "hunt"]],
    ["no more than that", ["hunter2"], ["hunter hu"], ["hunter ", "hu"]],
    ["a secret that may grow", ["hunter2", "hunter2-long"], ["hunter2"], ["", "***"]],
    ["a prompt without a line end", ["hunter2"], ["Enter a value: "], ["Enter a value: ", ""]],
    ["an empty chunk", ["hunter2"], ["hun", "", "ter2"], ["", "", "***", ""]],
    ["after the end of one", ["hunter2"], ["hunter2", "x"], ["***", "x", ""]],
  ])("%s", (_, secrets, chunks, expected) => {
    const masker = maskerOf(secrets);
    const shown = [...chunks.map((chunk) => masker.feed(bytes(chunk))), masker.end()];
    expect(shown.map(String)).toEqual(expected);
  });
});

// A small alphabet makes secrets that overlap, repeat and begin alike.
const narrow = fc.string({ unit: fc.constantFrom("a", "b"), minLength: 6, maxLength: 9 });
const wide = fc.string({ unit: fc.constantFrom(..."ab\n\r .é\\^]-"), maxLength: 14 });
const secrets = fc.array(fc.oneof(narrow, narrow, wide), { minLength: 1, maxLength: 4 });
const piece = fc.oneof(
  fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 20 }).map(bytes),
  fc.uint8Array({ maxLength: 12 }).map((array) => Buffer.from(array)),
);

/** Secrets, and a text that holds some of them, whole and in parts. */
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
  it("the output is that of one chunk", () => {
    fc.assert(
      fc.property(situation, ([list, text, at]) => {
        expect(masked(list, cut(text, at))).toEqual(masked(list, [text]));
      }),
      { numRuns: 3000 },
    );
  });

  it("no secret is in the output, nor a line of one", () => {
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

  it("text without a secret is unchanged, whatever its bytes", () => {
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

  it("every byte value passes", () => {
    const every = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    expect(masked(["hunter2"], [every])).toEqual(every);
    expect(masked(["hunter2"], cut(every, [1, 104, 128, 255]))).toEqual(every);
  });

  it("never more is held back than the longest secret is long", () => {
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
    [20, "the first letter of a token, again and again", [PERSONAL], "d"],
    [20, "a token but for its end", [PERSONAL], `${PERSONAL.slice(0, -1)}x`],
    [2, "the letters of a secret of one letter but the last", [`${"d".repeat(60)}e`], "d"],
    [5, "ten secrets that begin alike", alike, "secret-x"],
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
