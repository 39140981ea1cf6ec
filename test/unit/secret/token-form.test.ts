import { describe, expect, it } from "vitest";
import { looksLikeToken, readToken } from "../../../src/secret/token-form.ts";
import { LEGACY, OAUTH, PERSONAL, REFRESH } from "../samples.ts";

const DIGITS = "7".repeat(64);
const A = "a".repeat(64);

describe("readToken", () => {
  it.each([
    ["a personal access token", PERSONAL, "personal", PERSONAL],
    ["an OAuth application token", OAUTH, "oauth", OAUTH],
    ["a legacy token", LEGACY, "legacy", LEGACY],
    ["a legacy token of digits only", DIGITS, "legacy", DIGITS],
    ["spaces around", `  ${PERSONAL}\t`, "personal", PERSONAL],
    ["a line feed behind", `${PERSONAL}\n`, "personal", PERSONAL],
    ["CRLF behind", `${PERSONAL}\r\n`, "personal", PERSONAL],
    ["a BOM in front", `\uFEFF${PERSONAL}`, "personal", PERSONAL],
    ["double quotes", `"${PERSONAL}"`, "personal", PERSONAL],
    ["single quotes", `'${OAUTH}'`, "oauth", OAUTH],
    ["back quotes", `\`${LEGACY}\``, "legacy", LEGACY],
    ["quotes with spaces inside and out", ` " ${PERSONAL} " `, "personal", PERSONAL],
  ])("takes %s", (_, given, kind, value) => {
    expect(readToken(given)).toEqual({ kind, value });
  });

  it.each([
    ["in full", REFRESH],
    ["cut short", "dor_v1_abc"],
    ["in quotes", `"${REFRESH}"`],
  ])("knows a refresh token %s", (_, given) => {
    expect(readToken(given)).toEqual({ kind: "refresh" });
  });

  it.each([
    ["nothing", "", "it has 0 characters and none of the known forms"],
    ["quotes around nothing", '""', "it has 0 characters and none of the known forms"],
    ["a single quote mark", '"', "it has 1 characters and none of the known forms"],
    ["some word", "changeme", "it has 8 characters and none of the known forms"],
    ["63 hex digits", A.slice(1), "it has 63 characters and none of the known forms"],
    ["65 hex digits", `${A}a`, "it has 65 characters and none of the known forms"],
    ["a later version", `dop_v2_${A}`, "it has 71 characters and none of the known forms"],
    ["no hex at all", "g".repeat(64), "it has 64 characters and none of the known forms"],
    [
      "a legacy token in capitals",
      A.toUpperCase(),
      "it has 64 characters and none of the known forms",
    ],
    ["a prefix in capitals", `DOP_V1_${A}`, "it has 71 characters and none of the known forms"],
    ["a prefix alone", "dop_v1_", "it has 0 characters after the prefix, not 64"],
    [
      "one character too few",
      `dop_v1_${A.slice(1)}`,
      "it has 63 characters after the prefix, not 64",
    ],
    ["one character too many", `doo_v1_${A}a`, "it has 65 characters after the prefix, not 64"],
    [
      "hex in capitals",
      `dop_v1_${A.toUpperCase()}`,
      "it has characters other than 0-9 and a-f after the prefix",
    ],
    [
      "another letter",
      `dop_v1_g${A.slice(1)}`,
      "it has characters other than 0-9 and a-f after the prefix",
    ],
    ["a space inside", `dop_v1_ ${A}`, "it has white space inside"],
    ["two tokens", `${PERSONAL}\n${PERSONAL}`, "it has white space inside"],
    ["an Authorization header", `Bearer ${PERSONAL}`, "it has white space inside"],
    ["one quote only", `"${PERSONAL}`, "it has 72 characters and none of the known forms"],
    ["quotes that differ", `"${PERSONAL}'`, "it has 73 characters and none of the known forms"],
    ["two pairs of quotes", `"'${PERSONAL}'"`, "it has 73 characters and none of the known forms"],
  ])("refuses %s", (_, given, why) => {
    expect(readToken(given)).toEqual({ kind: "malformed", why });
  });

  it.each([`${PERSONAL}x`, `Bearer ${PERSONAL}`, `${PERSONAL.toUpperCase()}`, `"${PERSONAL}`])(
    "gives a reason that repeats no part of the text (case %#)",
    (given) => {
      const { why } = readToken(given) as { why: string };
      expect(why).not.toMatch(/[0-9a-f]{8}/i);
    },
  );
});

describe("looksLikeToken", () => {
  it.each([
    ["a personal token", PERSONAL, true],
    ["an OAuth token", OAUTH, true],
    ["a refresh token", REFRESH, true],
    ["a legacy token", LEGACY, true],
    ["a legacy token in capitals", LEGACY.toUpperCase(), true],
    ["a legacy token with spaces around", ` ${LEGACY}\n`, true],
    ["a token in capitals", PERSONAL.toUpperCase(), true],
    ["a token inside a text", `curl -H 'Bearer ${PERSONAL}' x`, true],
    ["a token that goes on", `${PERSONAL}0`, true],
    ["a token cut short", PERSONAL.slice(0, -1), false],
    ["a placeholder", "dop_v1_...", false],
    ["a prefix alone", "dop_v1_", false],
    ["64 hex digits inside a text (a SHA-256)", `sha256:${LEGACY}`, false],
    ["a Git hash", LEGACY.slice(0, 40), false],
    ["nothing", "", false],
  ])("%s", (_, text, expected) => {
    expect(looksLikeToken(text)).toBe(expected);
  });
});
