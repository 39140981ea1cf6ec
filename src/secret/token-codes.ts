import { PATTERNS } from "./token-form.ts";

/** Patterns for a token that is not written literally: with character codes, or without a prefix after a name. */

/**
 * A character code, as JSON, URLs, HTML, shells and other languages write it: \u005f, \x5f, \u{5f}, \137, %5F, %255F,
 * &#95;, &#x5f;.
 *
 * @param characters any one of them.
 */
export function codeOf(characters: string): string {
  const codes = [...characters].map((each) => each.charCodeAt(0));
  const hex = codes.map((code) => code.toString(16).replace(/[a-f]/, (x) => anyCase(x)));
  const octal = codes.map((code) => code.toString(8));
  const named = characters.includes("_") ? "|&lowbar;|&UnderBar;|\\\\_" : "";
  const inHex = String.raw`(\\[uUx][{]?0*|%(25)*|&#[xX]0*)(${hex.join("|")})`;
  const inOctal = String.raw`\\0*(${octal.join("|")})`;
  return `((${inHex}|${inOctal}|&#0*(${codes.join("|")}))[};]?${named})`;
}

/** A word in upper or lower case. */
function anyCase(word: string): string {
  return word.replace(/[a-z]/g, (each) => `[${each}${each.toUpperCase()}]`);
}

const GAP = "[^0-9A-Za-z]";
/** Names for a token: 64 digits after one of them are a token from before 2022. */
const NAME = [
  `((^|[^A-Za-z])${anyCase("do")}|${anyCase("digital")}[_-]?${anyCase("ocean")}|${anyCase("doctl")})`,
  `${GAP}*((${["api", "access", "auth", "oauth", "personal"].map(anyCase).join("|")})${GAP}*)*`,
  `(${["token", "pat", "key"].map(anyCase).join("|")})`,
].join("");
const NAMES = `(${NAME}|${anyCase("access")}${GAP}*${anyCase("token")}|${anyCase("bearer")})`;
/** Words that may be between the name and the digits. */
const WORDS = ["bearer", "token", "value", "default", "type", "string", "sensitive", "true", "env"]
  .map(anyCase)
  .join("|");

/** What comes before the digits of a token without a prefix. */
export const NAMED = `${NAMES}${GAP}+((${WORDS})${GAP}+)*`;

/** A character, literally or as a code. In nested JSON it has more backslashes. */
function written(characters: string): string {
  return String.raw`(?:[${characters}]|\\{0,7}${codeOf(characters)})`;
}

/** The start of a token, and one of its digits: literally or as character codes. Not for awk. */
export const inCodes = {
  start: [..."do", "opr", "_", ...PATTERNS.version, "_"].map(written).join(""),
  digit: written("0123456789abcdef"),
} as const;

/** The characters of a token, in groups that a search need not distinguish. */
export const ALPHABET = ["_", "d", "o", "pr", "v", "1", "0a23456789bcef"] as const;
