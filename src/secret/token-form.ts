/** What a text is, read as a DigitalOcean token (contracts/api.md §6). */
export type TokenFormat =
  | { readonly kind: "personal" | "oauth" | "legacy"; readonly value: string }
  | { readonly kind: "refresh" }
  | { readonly kind: "malformed"; readonly why: string };

/**
 * Reads what a person or a file gave as a token: surrounding white space and one pair of quotes
 * are dropped, then the format is checked. The reason of a refusal never repeats the text.
 */
export function readToken(given: string): TokenFormat {
  const value = unquote(given.trim());
  if (/^dop_v1_[0-9a-f]{64}$/.test(value)) return { kind: "personal", value };
  if (/^doo_v1_[0-9a-f]{64}$/.test(value)) return { kind: "oauth", value };
  if (/^[0-9a-f]{64}$/.test(value)) return { kind: "legacy", value };
  if (/^dor_v1_/.test(value)) return { kind: "refresh" };
  return { kind: "malformed", why: whyMalformed(value) };
}

/** True for a text that holds something of a token's shape, anywhere in it. */
export function looksLikeToken(text: string): boolean {
  return /do[opr]_v1_[0-9a-f]{64}/i.test(text) || /^\s*[0-9a-f]{64}\s*$/i.test(text);
}

function unquote(text: string): string {
  const quoted = /^(["'`])(.*)\1$/s.exec(text);
  return quoted?.[2]?.trim() ?? text;
}

function whyMalformed(value: string): string {
  if (/\s/.test(value)) return "it has white space inside";
  if (/^do[op]_v1_/.test(value)) {
    const rest = value.length - "dop_v1_".length;
    return rest === 64
      ? "it has characters other than 0-9 and a-f after the prefix"
      : `it has ${rest} characters after the prefix, not 64`;
  }
  return `it has ${value.length} characters and none of the known forms`;
}
