import { PATTERNS } from "./token-form.ts";

/** How texts have a token that is not as it is: by the codes of its characters, or without a prefix behind a name. */

/**
 * A character by its code, as JSON, URLs, HTML, shells and other languages write it: \u005f, \x5f, \u{5f}, \137,
 * %5F, %255F, &#95;, &#x5f;.
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

/** A word in capitals or not. */
function anyCase(word: string): string {
  return word.replace(/[a-z]/g, (each) => `[${each}${each.toUpperCase()}]`);
}

const GAP = "[^0-9A-Za-z]";
/** What a token is called, so that 64 digits behind it are one of before 2022. */
const NAME = [
  `((^|[^A-Za-z])${anyCase("do")}|${anyCase("digital")}[_-]?${anyCase("ocean")}|${anyCase("doctl")})`,
  `${GAP}*((${["api", "access", "auth", "oauth", "personal"].map(anyCase).join("|")})${GAP}*)*`,
  `(${["token", "pat", "key"].map(anyCase).join("|")})`,
].join("");
const NAMES = `(${NAME}|${anyCase("access")}${GAP}*${anyCase("token")}|${anyCase("bearer")})`;
/** What may stand between the name and the digits. */
const WORDS = ["bearer", "token", "value", "default", "type", "string", "sensitive", "true", "env"]
  .map(anyCase)
  .join("|");

/** Before the digits of a token without a prefix. */
export const NAMED = `${NAMES}${GAP}+((${WORDS})${GAP}+)*`;

/** A character, as it is or by its code; in JSON that stands in JSON, more backslashes are before it. */
function written(characters: string): string {
  return String.raw`(?:[${characters}]|\\{0,7}${codeOf(characters)})`;
}

/** How a token begins, and one of its digits: as they are and by the codes of their characters. Not for awk. */
export const inCodes = {
  start: [..."do", "opr", "_", ...PATTERNS.version, "_"].map(written).join(""),
  digit: written("0123456789abcdef"),
} as const;

/** The characters of a token, in groups that a search may take for one another. */
export const ALPHABET = ["_", "d", "o", "pr", "v", "1", "0a23456789bcef"] as const;
