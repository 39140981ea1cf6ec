import { unicodeEscapes } from "../lib/unicode-escapes.ts";

/** The forms in which a secret can appear in the output of programs. */

const ENCODED_MIN = 6;

/**
 * False for a text that may occur by chance: fewer than four bytes, or fewer than six unless it mixes letters and other
 * characters.
 */
export function isTelling(text: string): boolean {
  const bytes = Buffer.byteLength(text);
  return bytes >= 6 || (bytes >= 4 && /[a-z]/i.test(text) && /[^a-z]/i.test(text));
}

/** The text itself, and each line if there are several (a private key), except those that may occur by chance. */
export function plainForms(secret: string): readonly string[] {
  const texts = [secret, ...secret.split(/[\r\n]+/)].map((text) => text.trim());
  return unique(texts).filter(isTelling);
}

/** The forms in URLs, JSON, shells, XML, base64 and hex. */
export function encodedForms(secret: string): readonly string[] {
  const plain = plainForms(secret);
  const whole = secret.trim();
  const escaped = plain.flatMap(escapesOf);
  const encoded = isTelling(whole) ? [...base64FormsOf(whole), ...hexFormsOf(whole)] : [];
  const all = [...escaped, ...encoded.filter((form) => form.length >= ENCODED_MIN)];
  return unique(all).filter((form) => !plain.includes(form));
}

/** The part of a text's base64 that does not depend on the text around it, for each of the three offsets. */
export function base64At(text: string): readonly [string, string, string] {
  const bytes = Buffer.from(text);
  const at = (offset: number) => {
    const whole = base64(Buffer.concat([Buffer.alloc(offset), bytes])).replace(/=+$/, "");
    const isOpen = (offset + bytes.length) % 3 > 0;
    return whole.slice(Math.ceil((offset * 4) / 3), isOpen ? -1 : undefined);
  };
  return [at(0), at(1), at(2)];
}

/** The characters that encoders of languages and libraries leave unchanged. */
const KEPT = [
  // RFC 3986, encodeURIComponent, Python's quote, Go's paths and user names, encodeURI, forms, and none.
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
    // Go, and therefore Terraform; PHP; JSON in JSON; HCL; every character.
    json.replace(/[<>&\u2028\u2029]/g, unicodeEscapes),
    json.replaceAll("/", "\\/"),
    JSON.stringify(json).slice(1, -1),
    json.replace(/[$%](?=\{)/g, "$&$&"),
    unicodeEscapes(text),
    // Between single quotes in sh, YAML and PowerShell, in fish, and without quotes.
    text.replaceAll("'", "'\\''"),
    text.replaceAll("'", `'"'"'`),
    text.replaceAll("'", "''"),
    text.replace(/['\\]/g, "\\$&"),
    text.replace(/[^\w@%+=:,./-]/g, "\\$&"),
    text.replace(/["\\$`]/g, "\\$&"),
    // XML and HTML.
    text.replace(/[&<>"']/g, (char) => XML[char] ?? char),
    text.replace(/[&<>]/g, (char) => XML[char] ?? char),
    // HTML quotes as Go and Python write them.
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

/** Line lengths of `base64` and PEM. */
const LINES = [64, 76];
/** The piece length: a line that ends anywhere breaks only one piece. */
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
