import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { searchObjects } from "../../../../src/commands/leaks/object-search.ts";
import type { GitObject } from "../../../../src/concerns/git/objects.ts";
import { tokensIn } from "../../../../src/secret/token-search.ts";
import { OLD_TOKENS } from "../../../fixtures/old-tokens.ts";
import { randomToken } from "../../../fixtures/workbench.ts";

const token = randomToken();
const hex = (code: number) => code.toString(16);
const wide = (text: string) => Buffer.from(text, "utf16le").toString("latin1");
const coded = (write: (code: number) => string, which = /./g) =>
  token.replace(which, (each) => write(each.charCodeAt(0)));
const base64 = (text: string) => Buffer.from(text).toString("base64");
const inLines = (text: string, width: number) =>
  text.replace(new RegExp(`.{${width}}`, "g"), "$&\n  ");

/** How a token can be written, one character for each byte. */
const FORMS: readonly string[] = [
  token,
  token.replace("dop", "doo"),
  ...[0, 1, 2].map((offset) => base64(`${"x".repeat(offset)}${token}`)),
  ...[64, 76, 20].map((width) => inLines(base64(`user:${token}\n`), width)),
  Buffer.from(`>>>???${token}`).toString("base64url"),
  wide(`a = ${token}\r\n`),
  `\0${wide(token)}`,
  wide(base64(token)),
  [...token].map((each) => `${each}\0\0\0`).join(""),
  coded((code) => `%${hex(code)}`),
  coded((code) => `%${hex(code)}`, /_/g),
  coded((code) => `%25${hex(code).toUpperCase()}`, /[_a-f]/g),
  coded((code) => `\\u00${hex(code)}`),
  coded((code) => `\\u{00${hex(code)}}`),
  coded((code) => `\\x${hex(code)}`, /[_1]/g),
  coded((code) => `\\${code.toString(8)}`, /[dopv_]/g),
  coded((code) => `\\0${code.toString(8)}`),
  coded((code) => `&#${code};`),
  coded((code) => `&#x${hex(code)};`, /[a-f]/g),
  token.replaceAll("_", "&lowbar;"),
  token.replaceAll("_", "\\_"),
  `"dop_v1_" + "${token.slice(7)}"`,
  ...OLD_TOKENS.map((text) => text.replace("{}", token.slice(7))),
  ...OLD_TOKENS.map((text) => wide(text.replace("{}", token.slice(7)))),
];

/** What files are full of, and what looks like a part of a token. */
const NOISE: readonly string[] = [
  ...["x", "\n", "\0", "a\0", "0\0\0\0", "\xe9", "#", ";", "\\", "%25", "word and ", "_v1_"],
  ...["X3YxX", "92MV", "fdjFf", "MV", "Ff", "dop_v1_", "do_token = ", token.slice(7, 70)],
  ...[`sha256:${"0af".repeat(22).slice(0, 64)}\n`, "100644 name\0\x12\xfe"],
];

const noise = fc
  .array(
    fc
      .tuple(fc.constantFrom(...NOISE), fc.integer({ min: 1, max: 120 }))
      .map(([text, times]) => text.repeat(times)),
    { maxLength: 8 },
  )
  .map((parts) => parts.join(""));

/** Sizes of chunks: mostly as git writes them, sometimes a few bytes. */
const sizes = fc.array(
  fc.oneof(
    fc.integer({ min: 1, max: 90 }),
    fc.integer({ min: 91, max: 1500 }),
    fc.integer({ min: 1501, max: 9000 }),
  ),
  { minLength: 1, maxLength: 20 },
);

/** Whether the quick search of a stream suspects the object that is the whole stream. */
function isSuspected(bytes: Buffer, chunks: readonly number[]): boolean {
  const search = searchObjects(undefined);
  const reader = search.newReader();
  const object: GitObject = { oid: "0".repeat(40), type: "blob", size: bytes.length };
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const part = bytes.subarray(at, at + (chunks[i % chunks.length] ?? 1));
    at += part.length;
    reader.onChunk(part);
    reader.onPart(object, part, at === bytes.length);
  }
  return search.suspects.size > 0;
}

describe("the quick search of a stream", () => {
  it.each(FORMS.map((form, i) => [i, form] as const))("finds form %i at any cut", (_, form) => {
    fc.assert(
      fc.property(noise, noise, sizes, (before, after, chunks) => {
        const bytes = Buffer.from(`${before} ${form} ${after}`, "latin1");
        fc.pre(tokensIn(bytes, 1).length > 0);
        expect(isSuspected(bytes, chunks)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it("suspects nothing that the whole search does not find", () => {
    fc.assert(
      fc.property(noise, sizes, (text, chunks) => {
        const bytes = Buffer.from(text, "latin1");
        fc.pre(tokensIn(bytes, 1).length === 0);
        expect(isSuspected(bytes, chunks)).toBe(false);
      }),
    );
  });
});
