import { PATTERNS } from "./token-form.ts";

const { prefix, version, digit, digits, underscore, base64 } = PATTERNS;
/** A token that is cut short is hidden, too. */
const TOKEN = new RegExp(`(${prefix})${underscore}${version}${underscore}${digit}{8,}`, "gi");
const IN_BASE64 = new RegExp(`(?:${base64.join("|")})[\\w+/-]{20,}`, "g");
const LEGACY = new RegExp(`(?<!${digit})${digits}(?!${digit})`, "gi");

/**
 * The second line of defence behind `Secret`: whatever looks like a DigitalOcean token, also as a URL, JSON
 * or base64 has it, is replaced in text on its way out.
 */
export function redact(text: string): string {
  return text
    .replace(TOKEN, "$1_v1_[redacted]")
    .replace(IN_BASE64, "[redacted]")
    .replace(LEGACY, "[redacted]");
}
