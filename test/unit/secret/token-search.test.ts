import { zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { searchFile, tokenMatchesIn } from "../../../src/commands/leaks/token-match.ts";
import { Secret } from "../../../src/secret/secret.ts";
import { NEEDLE_PATTERN, OVERLAP, tokensIn } from "../../../src/secret/token-search.ts";
import { OLD_TOKENS } from "../../fixtures/old-tokens.ts";
import { randomToken } from "../../fixtures/workbench.ts";

const token = randomToken();
const base64 = (text: string) => Buffer.from(text).toString("base64");
/** The bytes as Latin-1 characters. */
const utf16 = (text: string) => `\0${Buffer.from(text, "utf16le").toString("latin1")}`;
const unpadded = (text: string) => base64(text).replaceAll("=", "");
const lines = (text: string, width: number) =>
  text.replace(new RegExp(`.{${width}}`, "g"), "$&\n  ");

/** With the characters that match `which` written as codes. */
const coded = (write: (code: number) => string, which = /./g) =>
  token.replace(which, (each) => write(each.charCodeAt(0)));
const hex = (code: number) => code.toString(16);

describe("a token is found", () => {
  it.each<[form: string, text: string]>([
    ["unencoded", token],
    ["in code", `token = "${token}"`],
    ["an OAuth token", token.replace("dop", "doo")],
    ["a refresh token", token.replace("dop", "dor")],
    ["in a URL, special characters encoded", `?t=${token.replaceAll("_", "%5F")}&x`],
    ["in JSON, escaped", `"${token.replaceAll("_", "\\u005f")}"`],
    ["in a URL, fully encoded", `?t=${coded((code) => `%${hex(code)}`)}&x`],
    ["in a URL in a URL", coded((code) => `%25${hex(code).toUpperCase()}`, /_/g)],
    ["in a URL, only its version encoded", coded((code) => `%${hex(code)}`, /v/g)],
    ["in JSON, fully escaped", `"${coded((code) => `\\u00${hex(code)}`)}"`],
    [
      "in JSON, only its digits escaped",
      `"dop_v1_${coded((code) => `\\u00${hex(code)}`).slice(42)}"`,
    ],
    ["in JSON in JSON", coded((code) => `\\\\\\u00${hex(code)}`, /[_d]/g)],
    ["in JavaScript", coded((code) => `\\x${hex(code)}`, /[_1]/g)],
    ["in JavaScript, the long form", coded((code) => `\\u{00${hex(code)}}`)],
    ["in Python, the long form", coded((code) => `\\U000000${hex(code)}`, /_/g)],
    ["in a shell, in octal", coded((code) => `\\${code.toString(8)}`, /[dopv_]/g)],
    ["in a shell, in octal with zeros", coded((code) => `\\0${code.toString(8)}`)],
    ["in HTML", coded((code) => `&#${code};`)],
    ["in HTML, in hex", coded((code) => `&#x${hex(code)};`, /_/g)],
    ["in HTML, by names", token.replaceAll("_", "&lowbar;")],
    ["in Markdown", token.replaceAll("_", "\\_")],
    ["joined from two texts", `"dop_v1_" + "${token.slice(7)}"`],
    ["in quotes after its prefix", `dop_v1_"${token.slice(7)}"`],
    ["in JSON in UTF-16", utf16(`{"t": "${coded((code) => `\\u00${hex(code)}`)}"}`)],
    ["in UTF-32", [...`TOKEN=${token}\r\n`].map((each) => `${each}\0\0\0`).join("")],
    ["in base64 in UTF-16", utf16(base64(token))],
    ["in base64", base64(token)],
    ["in base64 after one byte", base64(`:${token}:`)],
    ["in base64 after two bytes", base64(`u:${token}`)],
    ["in base64 for URLs", Buffer.from(`>>>???${token}`).toString("base64url")],
    ["in base64 in lines, indented", lines(base64(`user:${token}\n`), 76)],
    ["in base64 of a whole file", base64(`${"# comment\n".repeat(900)}TOKEN=${token}\n`)],
    ["in UTF-16, as PowerShell writes it", utf16(token)],
    ["in UTF-16, big-endian", utf16(token).slice(1)],
    ["after text of the base64 alphabet", `https://x.example/${base64(token)}`],
    ["in base64 without padding, before a word", `${unpadded(token)} words 5 z`],
    ["in base64 lines without padding, before a digit", `${lines(unpadded(token), 76)}\n3`],
    [
      "in base64 in lines, in a JSON string",
      `"${lines(base64(token), 76).replaceAll("\n", "\\n")}"`,
    ],
    [
      "in base64 in lines, in a JSON string with CRLF",
      `"\\r\\n${lines(base64(token), 64).replaceAll("\n", "\\r\\n")}"`,
    ],
    ["after the start of a token in base64", `# form: ${base64("dop_v1_")}\nt: ${base64(token)}`],
    ["after the start of a token", `# form: dop_v1_\nt: ${token}`],
  ])("%s", (_, text) => {
    const padded = Buffer.from(`${"é\n".repeat(300)}${text}${"\n".repeat(300)}`);
    const found = tokensIn(padded);
    expect(found.map(({ value }) => value.slice(3))).toEqual([token.slice(3)]);
    expect(padded.subarray(0, found[0]?.at).toString().split("\n").length).toBeGreaterThan(300);
    // git reads no codes in UTF-16.
    const isWideCode = text.includes("\0") && !text.includes(utf16(token).slice(1));
    if (!isWideCode) expect(text).toMatch(new RegExp(NEEDLE_PATTERN));
  });

  it.each(OLD_TOKENS)("without a prefix, by its name: %s", (text) => {
    const before = text.slice(0, text.indexOf("{}"));
    const found = tokensIn(Buffer.from(`${"\n".repeat(99)}${text.replace("{}", token.slice(7))}`));
    expect(found).toEqual([{ value: token.slice(7), at: 99 + before.length }]);
    const wide = Buffer.from(`one\r\n${text.replace("{}", token.slice(7))}\r\n`, "utf16le");
    expect(tokensIn(wide).map(({ value }) => value)).toEqual([token.slice(7)]);
  });

  const other = randomToken();
  it.each<[form: string, text: string]>([
    ["both unencoded", `${token} ${other}`],
    ["each in base64", `a: ${base64(token)}\nb: ${base64(other)}\n`],
    ["both in one base64 text", base64(`a=${token}\nb=${other}\n`)],
    ["both in one base64 text, in lines", lines(base64(`a=${token}\nb=${other}\n`), 76)],
    ["in base64 for URLs, without padding", `${unpadded(token)}\n${unpadded(other)}`],
    ["in UTF-16", utf16(`a=${token}\nb=${other}\n`)],
    ["in two forms", `${base64(token)}\n${other}`],
  ])("beside another, %s", (_, text) => {
    expect(tokensIn(Buffer.from(text)).map(({ value }) => value)).toEqual([token, other]);
  });

  it.each(["X3YxX", "\\", "%25", "\\u0", "%5f", "dop_v1_", "0", "do_token = ", "&#0", "a\0"])(
    "in less than 1.5 s if a file is full of %j",
    (text) => {
      const began = process.cpuUsage();
      expect(tokensIn(Buffer.from(text.repeat(2_000_000 / text.length)))).toEqual([]);
      expect(process.cpuUsage(began).user / 1000).toBeLessThan(1500);
    },
  );

  it.each([
    ["unencoded", token],
    ["in base64", base64(token)],
    ["in UTF-16", utf16(token)],
  ])("in less than 3 s if it is in each line, %s", (_, text) => {
    const began = process.cpuUsage();
    const file = Buffer.from(`${text}\n`.repeat(60_000), "latin1");
    expect(tokenMatchesIn(file, undefined, "f").map(({ line }) => line)).toEqual([1]);
    expect(process.cpuUsage(began).user / 1000).toBeLessThan(3000);
  });

  it("at any cut of a stream", () => {
    const text = Buffer.from(`${"x".repeat(2000)}\n${lines(base64(`${token}\n`), 76)}\n`);
    for (let cut = 1900; cut < text.length; cut += 7) {
      const kept = text.subarray(0, cut).subarray(-OVERLAP);
      const [first, second] = [text.subarray(0, cut), Buffer.concat([kept, text.subarray(cut)])];
      expect([...tokensIn(first), ...tokensIn(second)].length, `${cut}`).toBeGreaterThan(0);
    }
  });
});

it.each([
  ["too short", token.slice(0, -1)],
  ["too long", `${token}0`],
  ["another prefix", token.replace("dop", "dox")],
  ["upper case", token.toUpperCase()],
  ["only the digits", token.slice(7)],
  ["a checksum in a lock file", `"zh:${token.slice(7)}",`],
  ["a checksum of a named file", `token.zip  sha256:${token.slice(7)}`],
  ["a name that ends with another word", `do_token_sha256 = "${token.slice(7)}"`],
  ["a name that only ends like a token's", `undo_token = "${token.slice(7)}"`],
  ["more digits after a token's name", `DIGITALOCEAN_TOKEN=${token.slice(7)}0`],
  ["more letters after a token's name", `DIGITALOCEAN_TOKEN=${token.slice(7)}xyz`],
  ["base64 noise with a part of a token", `92MV${"A".repeat(300)} X3YxX${"b".repeat(99)} fdjFf`],
])("finds no token: %s", (_, text) => {
  expect(tokensIn(Buffer.from(text))).toEqual([]);
});

describe("in a file", () => {
  const own = Secret.of(token, { kind: "stdin" });
  it("each token is listed once, with its first line", () => {
    const other = randomToken();
    const third = randomToken();
    const encoded = base64(`${"# comment\n".repeat(90)}${third}`).replace(/.{76}/g, "$&\n");
    const file = Buffer.from(
      `one\n${other}\n${token} ${other}\n${base64(token)}\nx:\n${encoded}\n${encoded}`,
    );
    expect(tokenMatchesIn(file, own, "f").map(({ kind, line }) => [kind, line])).toEqual([
      ["personal", 2],
      ["own", 3],
      // 900 characters are 1200 in base64.
      ["personal", 6 + Math.floor(1200 / 76)],
    ]);
  });

  const digits = token.slice(7);
  const FORMS: readonly [form: string, of: (text: string) => string][] = [
    ["unencoded", (text) => text],
    ["in base64", base64],
    ["in base64 in lines of 76", (text) => lines(base64(text), 76)],
    ["in base64 in lines of 64", (text) => lines(base64(text), 64)],
    ["in UTF-16", utf16],
    ["in UTF-16, big-endian", (text) => utf16(text).slice(1)],
  ];
  it.each(FORMS)("the own token without a prefix is found by its value, %s", (_, of) => {
    const legacy = Secret.of(digits, { kind: "stdin" });
    for (let at = 0; at < 60; at++) {
      const text = (value: string) => Buffer.from(of(`${"u".repeat(at)}${value}`), "latin1");
      expect(tokenMatchesIn(text(digits), legacy, "f"), `${at}`).toMatchObject([{ kind: "own" }]);
      expect(tokenMatchesIn(text("0".repeat(64)), legacy, "f")).toEqual([]);
    }
    const third = Buffer.from(`one\n\n${of(digits)}`, "latin1");
    expect(tokenMatchesIn(third, legacy, "f")).toMatchObject([{ kind: "own", line: 3 }]);
  });

  it("a saved plan is unpacked, and a corrupt one is reported", () => {
    const plan = zipSync({ tfplan: Buffer.from(`\x0a${token}`), tfstate: Buffer.from("{}") });
    const search = (bytes: Uint8Array) =>
      searchFile(Buffer.from(bytes), own, "tfplan", { left: 1e6 });
    expect(search(plan)).toMatchObject({ matches: [{ kind: "own", line: undefined }] });
    expect(search(plan).gap).toBeUndefined();
    expect(search(plan.slice(0, 60)).matches).toEqual([]);
    expect(search(plan.slice(0, 60)).gap).toContain("corrupt");
  });
});
