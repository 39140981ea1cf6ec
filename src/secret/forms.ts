import { unicodeEscapes } from "../lib/unicode-escapes.ts";

/** The forms in which a secret appears in what programs print. */

const ENCODED_MIN = 6;

/**
 * False for a text that occurs by chance: fewer than six bytes; or than four, of which some are letters and
 * some are not.
 */
export function isTelling(text: string): boolean {
  const bytes = Buffer.byteLength(text);
  return bytes >= 6 || (bytes >= 4 && /[a-z]/i.test(text) && /[^a-z]/i.test(text));
}

/** The text itself, and of several lines (a private key) each line; what occurs by chance is left out. */
export function plainForms(secret: string): readonly string[] {
  const texts = [secret, ...secret.split(/[\r\n]+/)].map((text) => text.trim());
  return unique(texts).filter(isTelling);
}

/** As URLs, JSON, shells, XML, base64 and hex have it. */
export function encodedForms(secret: string): readonly string[] {
  const plain = plainForms(secret);
  const whole = secret.trim();
  const escaped = plain.flatMap(escapesOf);
  const encoded = isTelling(whole) ? [...base64FormsOf(whole), ...hexFormsOf(whole)] : [];
  const all = [...escaped, ...encoded.filter((form) => form.length >= ENCODED_MIN)];
  return unique(all).filter((form) => !plain.includes(form));
}

/** The part of a text's base64 that does not depend on what stands around it, at each of three offsets. */
export function base64At(text: string): readonly [string, string, string] {
  const bytes = Buffer.from(text);
  const at = (offset: number) => {
    const whole = base64(Buffer.concat([Buffer.alloc(offset), bytes])).replace(/=+$/, "");
    const isOpen = (offset + bytes.length) % 3 > 0;
    return whole.slice(Math.ceil((offset * 4) / 3), isOpen ? -1 : undefined);
  };
  return [at(0), at(1), at(2)];
}

/** What the encoders of languages and libraries leave as it is. */
const KEPT = [
  // RFC 3986, encodeURIComponent, Python's quote, Go's paths and user names, encodeURI, forms, and nothing.
  /[\w.~-]/,
  /[\w.~!'()*-]/,
  /[\w.~/-]/,
  /[\w.~$&+:=@-]/,
  /[\w.~$&+,;=-]/,
  /[\w.~!'()*;/?:@&=+$,#-]/,
  /[\w.* -]/,
  /[\w.~ -]/,
  /(?!)/,
];

function escapesOf(text: string): string[] {
  const percent = KEPT.flatMap((kept) => {
    const upper = percentEncoded(text, kept).replaceAll(" ", "+");
    return [upper, upper.replace(/%[0-9A-F]{2}/g, (byte) => byte.toLowerCase())];
  });
  const json = JSON.stringify(text).slice(1, -1);
  const ascii = json.replace(/[^\x20-\x7e]/g, unicodeEscapes);
  return [
    ...percent,
    json,
    ascii,
    ascii.replace(/\\u[0-9a-f]{4}/g, (unit) => `\\u${unit.slice(2).toUpperCase()}`),
    // Go, and so Terraform; PHP; JSON in JSON; HCL; every character.
    json.replace(/[<>&\u2028\u2029]/g, unicodeEscapes),
    json.replaceAll("/", "\\/"),
    JSON.stringify(json).slice(1, -1),
    json.replace(/[$%](?=\{)/g, "$&$&"),
    unicodeEscapes(text),
    // Between single quotes of sh, YAML and PowerShell, of fish, and without quotes.
    text.replaceAll("'", "'\\''"),
    text.replaceAll("'", `'"'"'`),
    text.replaceAll("'", "''"),
    text.replace(/['\\]/g, "\\$&"),
    text.replace(/[^\w@%+=:,./-]/g, "\\$&"),
    text.replace(/["\\$`]/g, "\\$&"),
    // XML and HTML.
    text.replace(/[&<>"']/g, (char) => XML[char] ?? char),
    text.replace(/[&<>]/g, (char) => XML[char] ?? char),
    // As Go and Python write the quotes of HTML.
    text.replace(/[&<>"']/g, (char) => ({ '"': "&#34;" })[char] ?? XML[char] ?? char),
    text.replace(/[&<>"']/g, (char) => ({ "'": "&#x27;" })[char] ?? XML[char] ?? char),
  ];
}

const XML: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function percentEncoded(text: string, kept: RegExp): string {
  const encoded = (char: string) =>
    Array.from(Buffer.from(char), (byte) => `%${byte.toString(16).padStart(2, "0").toUpperCase()}`);
  return Array.from(text, (char) => (kept.test(char) ? char : encoded(char).join(""))).join("");
}

/** Where lines end in what `base64` and PEM print. */
const LINES = [64, 76];
/** A line that ends elsewhere breaks one of these, and no other. */
const PIECE = 16;

function base64FormsOf(text: string): string[] {
  const alone = base64(Buffer.from(text));
  const ways = [alone, alone.replace(/=+$/, ""), ...base64At(text)];
  const lines = LINES.flatMap((length) => piecesOf(alone, length));
  const pieces = base64At(text).flatMap((way) => piecesOf(way, PIECE));
  const all = [...ways, ...lines, ...pieces.filter(({ length }) => length === PIECE)];
  return all.flatMap((form) => [form, form.replaceAll("+", "-").replaceAll("/", "_")]);
}

function piecesOf(text: string, length: number): string[] {
  const count = Math.ceil(text.length / length);
  return Array.from({ length: count }, (_, i) => text.slice(i * length, (i + 1) * length));
}

function hexFormsOf(text: string): string[] {
  const hex = Buffer.from(text).toString("hex");
  return [hex, hex.toUpperCase()];
}

function base64(bytes: Buffer): string {
  return bytes.toString("base64");
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
