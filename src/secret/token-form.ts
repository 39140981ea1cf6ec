import { type Mistake, mistakenFor } from "./not-a-token.ts";

/**
 * The form of a DigitalOcean token (docs/contracts/api.md §6), as regular expressions. All code that reads, searches or
 * hides tokens uses these, including the guard in git's hooks, so they are limited to what awk supports.
 */
const PREFIX = "do[opr]";
const VERSION = "v1";
const DIGIT = "[0-9a-f]";
const DIGITS = 64;

export const PATTERNS = {
  prefix: PREFIX,
  version: VERSION,
  count: String(DIGITS),
  digit: DIGIT,
  digits: `${DIGIT}{${DIGITS}}`,
  /** A complete token. */
  token: `${PREFIX}_${VERSION}_${DIGIT}{${DIGITS}}`,
  /** A character that may be between the prefix and the digits: `"dop_v1_" + "…"`. */
  joint: "[^0-9A-Za-z_]",
  /** The start of a token in base64, for each offset in the group of three bytes. */
  base64: ["ZG9[wvy]X3YxX[z2]", "(cF92|b192|cl92)MV[89]", "(b3Bf|b29f|b3Jf)djFf"],
} as const;

/**
 * A text in the middle of every token, literally and in base64. Where possible it begins with a rare character, which
 * makes a search faster.
 */
export const NEEDLES = { plain: `_${VERSION}_`, base64: ["X3YxX", "92MV", "fdjFf"] } as const;

const KINDS = { p: "personal", o: "oauth", r: "refresh" } as const;

/** The kind of a token with a prefix; undefined: no prefix. */
export function kindOf(token: string): (typeof KINDS)[keyof typeof KINDS] | undefined {
  const [, letter] = KIND.exec(token) ?? [];
  return KINDS[letter as keyof typeof KINDS];
}

const KIND = new RegExp(`^do([opr])_${VERSION}_`);
const WITH_PREFIX = new RegExp(`^${PATTERNS.token}$`);
const HOLDS = new RegExp(PATTERNS.token);
const LEGACY = new RegExp(`^${PATTERNS.digits}$`);

/** True for a text that is exactly a token with a prefix. */
export function isToken(text: string): boolean {
  return WITH_PREFIX.test(text);
}

/** True for a text that contains such a token. */
export function holdsToken(text: string): boolean {
  // The needle is found many times as fast, and few texts contain it.
  return text.includes(NEEDLES.plain) && HOLDS.test(text);
}

/** True for 64 hex digits, the form of tokens before 2022. A checksum has that form, too. */
export function isLegacyToken(text: string): boolean {
  return text.length === DIGITS && LEGACY.test(text);
}

/** The result of reading a text as a DigitalOcean token (docs/contracts/api.md §6). */
export type TokenFormat =
  | { readonly kind: "personal" | "oauth" | "legacy"; readonly value: string }
  | { readonly kind: "refresh" }
  | {
      readonly kind: "malformed";
      readonly why: string;
      /** What it seems to be instead, if that is known. */
      readonly mistake?: Mistake;
    };

/**
 * Reads what a person or a file gave as a token: removes surrounding white space and one pair of quotes, then checks
 * the format. The reason for a refusal never repeats the text.
 */
export function readToken(given: string): TokenFormat {
  const value = unquote(given.trim());
  const kind = kindOf(value);
  if (kind === "refresh") return { kind };
  if (kind !== undefined && isToken(value)) return { kind, value };
  if (isLegacyToken(value)) return { kind: "legacy", value };
  return malformed(value);
}

/**
 * Reads what a person pasted or piped: a token as above, or a text with exactly one token in it, such as `export
 * NAME='…'`, `Authorization: Bearer …`, JSON, or a few lines.
 */
export function readPasted(pasted: string): TokenFormat {
  // PowerShell redirects as UTF-16, which was read here as UTF-8: its mark has become two unknown characters.
  const given = pasted.replaceAll("\0", "").replace(/^\uFFFD\uFFFD/, "");
  const whole = readToken(given);
  if (whole.kind !== "malformed") return whole;
  const found = new Set([
    ...(given.includes(NEEDLES.plain) ? (given.match(ANY) ?? []) : []),
    ...Array.from(given.matchAll(NAMED_LEGACY), ([, digits = ""]) => digits),
  ]);
  const usable = [...found].filter((each) => kindOf(each) !== "refresh");
  const [only, another] = usable;
  if (another !== undefined) {
    return {
      kind: "malformed",
      why: `it contains ${usable.length} different tokens; give only one`,
    };
  }
  if (only !== undefined) return readToken(only);
  if (found.size > 0) return { kind: "refresh" };
  const lines = given.split("\n", MOST_LINES);
  const inLines = lines.map((line) => malformed(withoutName(line)));
  const mistaken = inLines.filter(({ mistake }) => mistake !== undefined);
  // Other lines, such as `type: secret` or `your`, look like a placeholder.
  return mistaken.find(({ mistake }) => mistake !== "placeholder") ?? mistaken[0] ?? whole;
}

/** Not if more characters of a word are before or after it: that may be another kind of token. */
const ANY = new RegExp(`(?<![0-9A-Za-z_])${PATTERNS.token}(?![0-9A-Za-z_])`, "g");
/** A checksum also has 64 digits. The name before them shows that they are a token. */
const NAMED_LEGACY = new RegExp(
  `(?:[Tt][Oo][Kk][Ee][Nn]|[Pp][Aa][Tt]|[Bb]earer)["'\`]?(?:[ \\t]{0,8}[=:]|[ \\t])[ \\t]{0,8}["'\`]?(${PATTERNS.digits})(?![0-9A-Za-z_])`,
  "g",
);
const MOST_LINES = 20;

/** The value in a line that assigns it to a name, in a shell, a settings file, JSON or a header. */
function withoutName(line: string): string {
  const value = line.trim().replace(NAME, "").replace(/[,;]$/, "");
  return unquote(value).replace(/^(?:bearer|token) +/i, "");
}

const NAME =
  /^(?:(?:export|set|setx|declare|let|var|const) +)?["'$]{0,2}[\w.:-]{1,99}["']?[ \t]{0,8}(?:=|:(?=[ \t]))[ \t]*/;

/** True for a text with anything in it that has the form of a token. */
export function looksLikeToken(text: string): boolean {
  const lower = text.toLowerCase();
  return holdsToken(lower) || isLegacyToken(lower.trim());
}

function unquote(text: string): string {
  const quoted = /^(["'`])(.*)\1$/s.exec(text);
  return quoted?.[2]?.trim() ?? text;
}

function malformed(value: string): TokenFormat & { kind: "malformed" } {
  const mistaken = mistakenFor(value);
  return mistaken === undefined
    ? { kind: "malformed", why: whyMalformed(value) }
    : { kind: "malformed", why: `it is ${mistaken.what}`, mistake: mistaken.kind };
}

function whyMalformed(value: string): string {
  if (/\s/.test(value)) return "it has white space inside";
  if (kindOf(value) !== undefined) {
    const rest = value.length - "dop_v1_".length;
    return rest === DIGITS
      ? "it has characters other than 0-9 and a-f after the prefix"
      : `it has ${rest} characters after the prefix, not ${DIGITS}`;
  }
  return `it has ${value.length} characters and no known token format`;
}
