import { describe, expect, it } from "vitest";
import { isTelling } from "../../../src/secret/forms.ts";
import { maskerOf } from "../../../src/secret/mask.ts";
import { PERSONAL } from "../samples.ts";

const TRICKY = `p/a+s=s "w'ö$\{rd<&>`;
const PEM = `-----BEGIN KEY-----\n${"MIIEvQIBADANBgkqhkiG9w0B\n".repeat(6)}-----END KEY-----\n`;

const base64 = (text: string) => Buffer.from(text).toString("base64");
const inLines = (text: string, length: number) =>
  text.replace(new RegExp(`.{${length}}`, "g"), "$&\n");
const bytes = (text: string, show: (byte: string) => string) =>
  Array.from(Buffer.from(text), (byte) => show(byte.toString(16).padStart(2, "0"))).join("");

function masked(secret: string, chunks: readonly string[]): string {
  const masker = maskerOf([secret], [secret]);
  const shown = chunks.map((chunk) => masker.feed(Buffer.from(chunk)));
  return Buffer.concat([...shown, masker.end()]).toString("utf8");
}

describe("a secret is masked in each form that programs print", () => {
  it.each<[name: string, secret: string, form: string]>([
    ["base64", PERSONAL, base64(PERSONAL)],
    ["base64 of the secret with a line end", PERSONAL, base64(`${PERSONAL}\n`).slice(0, 94)],
    ["base64url", TRICKY, Buffer.from(TRICKY).toString("base64url")],
    ["base64 of a short secret", "p4ss", base64("p4ss")],
    ["hex", TRICKY, bytes(TRICKY, (byte) => byte)],
    ["HEX", TRICKY, bytes(TRICKY, (byte) => byte.toUpperCase())],
    ["encodeURIComponent", TRICKY, encodeURIComponent(TRICKY)],
    ["encodeURI", TRICKY, encodeURI(TRICKY)],
    ["form encoding", TRICKY, new URLSearchParams({ a: TRICKY }).toString().slice(2)],
    ["a URL, in lower case", "a/b+c=d", "a%2fb%2bc%3dd"],
    ["a path from Python's quote", "a/b+c=d", "a/b%2Bc%3Dd"],
    ["a user name from Go's URL", "a/b+c=d", "a%2Fb+c=d"],
    ["every byte of a URL", "hunter2", bytes("hunter2", (byte) => `%${byte}`)],
    ["JSON", TRICKY, JSON.stringify(TRICKY).slice(1, -1)],
    ["JSON in JSON", TRICKY, JSON.stringify(JSON.stringify(TRICKY).slice(1, -1)).slice(1, -1)],
    ["Go's JSON", "a<b>&c", "a\\u003cb\\u003e\\u0026c"],
    ["JSON in ASCII", "pässwörd", "p\\u00e4ssw\\u00f6rd"],
    ["JSON in ASCII, in upper case", "pässwörd", "p\\u00E4ssw\\u00F6rd"],
    ["PHP's JSON", "a/b/cd", "a\\/b\\/cd"],
    ["JSON with every character escaped", "hunter2", bytes("hunter2", (byte) => `\\u00${byte}`)],
    ["a private key in JSON", PEM, JSON.stringify(PEM.trim()).slice(1, -1)],
    ["HCL", "a${b}cd", "a$${b}cd"],
    ["a shell's trace", "it's mine", "it'\\''s mine"],
    ["a shell's trace, with double quotes", "it's mine", `it'"'"'s mine`],
    ["YAML and PowerShell", "it's mine", "it''s mine"],
    ["printf %q", "a b$c", "a\\ b\\$c"],
    ["XML", `a<b>&"c"`, "a&lt;b&gt;&amp;&quot;c&quot;"],
    ["HTML from Go", `a"b'c`, "a&#34;b&#39;c"],
    ["HTML from Python", `a"b'c`, "a&quot;b&#x27;c"],
  ])("%s", (_, secret, form) => {
    expect(masked(secret, [`x ${form} y`])).toMatch(/^x (\*\*\*)+ y$/);
  });

  it.each([0, 1, 2])("base64 of a longer text, at offset %i of three", (offset) => {
    const form = base64(`${"u".repeat(offset)}${PERSONAL}:and more`);
    const shown = masked(PERSONAL, [form]);
    expect(shown).toMatch(/^\w{0,3}\*\*\*\w+=*$/);
    expect(shown.length).toBeLessThan(24);
  });

  it.each([64, 76])("base64 in lines of %i", (length) => {
    expect(masked(PERSONAL, [inLines(base64(PERSONAL), length)])).toMatch(/^(\*{3})+\n\*{3}$/);
  });

  it("base64 in lines with another offset shows only a small part", () => {
    const shown = masked(PERSONAL, [inLines(base64(`user:${PERSONAL}`), 60)]);
    expect(shown.replaceAll("***", "").length).toBeLessThan(40);
    expect(shown).toContain("***");
  });

  it("a secret cut at any position between two chunks", () => {
    const form = base64(PERSONAL);
    for (let at = 0; at <= form.length; at++) {
      const shown = masked(PERSONAL, [form.slice(0, at), form.slice(at)]);
      expect(shown.replace(/^.{0,3}\*\*\*$/, ""), `${at}`).toBe("");
    }
  });

  it("a prompt is shown at once, even if it ends like an encoded secret starts", () => {
    const masker = maskerOf([PERSONAL], [PERSONAL]);
    expect(String(masker.feed(Buffer.from("Continue? ZG9")))).toBe("Continue? ZG9");
  });
});

describe("a value that is too common is not masked", () => {
  it.each([
    ["", false],
    ["1", false],
    ["true", false],
    ["false", false],
    ["12345", false],
    ["a-1", false],
    ["p4ss", true],
    ["a:bc", true],
    ["secret", true],
    ["123456", true],
    ["ééé", true],
  ])("%s: %s", (text, expected) => {
    expect(isTelling(text)).toBe(expected);
    expect(masked(text, [`${text}${text}`]).includes("***")).toBe(expected);
  });
});
