import { type Mistake, mistakenFor } from "./not-a-token.ts";

/**
 * What a DigitalOcean token looks like (docs/contracts/api.md §6), as regular expressions. Whatever
 * reads, searches or hides tokens is made from these, the guard in git's hooks too: they are of the
 * kind that awk knows.
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
  /** A whole token. */
  token: `${PREFIX}_${VERSION}_${DIGIT}{${DIGITS}}`,
  /** What may be put between the prefix and the digits, once: `"dop_v1_" + "…"`. */
  joint: "[^0-9A-Za-z_]",
  /** How a token begins in base64, by where the group of three bytes begins. */
  base64: ["ZG9[wvy]X3YxX[z2]", "(cF92|b192|cl92)MV[89]", "(b3Bf|b29f|b3Jf)djFf"],
} as const;

/**
 * A text that every token has in the middle, as it is and in base64. Where there is a choice they begin with
 * a rare character, which is what a search goes by.
 */
export const NEEDLES = { plain: `_${VERSION}_`, base64: ["X3YxX", "92MV", "fdjFf"] } as const;

const KINDS = { p: "personal", o: "oauth", r: "refresh" } as const;

/** What a token with a prefix is for; undefined: it has none. */
export function kindOf(token: string): (typeof KINDS)[keyof typeof KINDS] | undefined {
  const [, letter] = KIND.exec(token) ?? [];
  return KINDS[letter as keyof typeof KINDS];
}

const KIND = new RegExp(`^do([opr])_${VERSION}_`);
const WITH_PREFIX = new RegExp(`^${PATTERNS.token}$`);
const HOLDS = new RegExp(PATTERNS.token);
const LEGACY = new RegExp(`^${PATTERNS.digits}$`);

/** True for a text that is a token with a prefix, and nothing else. */
export function isToken(text: string): boolean {
  return WITH_PREFIX.test(text);
}

/** True for a text with such a token in it. */
export function holdsToken(text: string): boolean {
  // The needle is found many times as fast, and is in hardly any text.
  return text.includes(NEEDLES.plain) && HOLDS.test(text);
}

/** True for 64 hex digits, as tokens were before 2022; a checksum is that, too. */
export function isLegacyToken(text: string): boolean {
  return text.length === DIGITS && LEGACY.test(text);
}

/** What a text is, read as a DigitalOcean token (docs/contracts/api.md §6). */
export type TokenFormat =
  | { readonly kind: "personal" | "oauth" | "legacy"; readonly value: string }
  | { readonly kind: "refresh" }
  | {
      readonly kind: "malformed";
      readonly why: string;
      /** What it is instead, where that can be told. */
      readonly mistake?: Mistake;
    };

/**
 * Reads what a person or a file gave as a token: surrounding white space and one pair of quotes
 * are dropped, then the format is checked. The reason of a refusal never repeats the text.
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
 * Reads what a person pasted or piped: a token as above, or a text with exactly one token in it, such as
 * `export NAME='…'`, `Authorization: Bearer …`, JSON, or a few lines.
 */
export function readPasted(pasted: string): TokenFormat {
  // What PowerShell redirects into a file is UTF-16, and was read as UTF-8.
  const given = pasted.replaceAll("\0", "");
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
  // Other lines say `type: secret`, or `your`.
  return mistaken.find(({ mistake }) => mistake !== "placeholder") ?? mistaken[0] ?? whole;
}

/** A token of another kind than ours may follow, or go on. */
const ANY = new RegExp(`(?<![0-9A-Za-z_])${PATTERNS.token}(?![0-9A-Za-z_])`, "g");
/** A checksum is 64 digits, too: what stands before them says that they are a token. */
const NAMED_LEGACY = new RegExp(
  `(?:[Tt][Oo][Kk][Ee][Nn]|[Pp][Aa][Tt]|[Bb]earer)["'\`]?(?:[ \\t]{0,8}[=:]|[ \\t])[ \\t]{0,8}["'\`]?(${PATTERNS.digits})(?![0-9A-Za-z_])`,
  "g",
);
const MOST_LINES = 20;

/** The value in a line that gives it a name, in a shell, a file of settings, JSON or a header. */
function withoutName(line: string): string {
  const value = line.trim().replace(NAME, "").replace(/[,;]$/, "");
  return unquote(value).replace(/^(?:bearer|token) +/i, "");
}

const NAME =
  /^(?:(?:export|set|setx|declare|let|var|const) +)?["'$]{0,2}[\w.:-]{1,99}["']?[ \t]{0,8}(?:=|:(?=[ \t]))[ \t]*/;

/** True for a text that holds something of a token's shape, anywhere in it. */
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
