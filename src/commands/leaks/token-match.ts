import { isSavedPlan, membersOf } from "../../concerns/terraform/root/saved-plan.ts";
import { Secret } from "../../secret/secret.ts";
import { kindOf } from "../../secret/token-form.ts";
import { tokensIn } from "../../secret/token-search.ts";

export type TokenKind = "personal" | "oauth" | "refresh" | "old" | "own";

/** A token in some bytes. */
export interface TokenMatch {
  /** "old": 64 digits beside the name of a token. "own": the repo's token, whatever its form. */
  readonly kind: TokenKind;
  readonly token: Secret;
  /** From 1; absent in a saved plan, which is packed. */
  readonly line: number | undefined;
}

/**
 * Every token in a whole file, each once, where it stands first.
 *
 * @param own the repo's token.
 * @param path what the bytes are.
 */
export function tokenMatchesIn(
  bytes: Buffer,
  own: Secret | undefined,
  path: string,
): readonly TokenMatch[] {
  if (isSavedPlan(bytes)) {
    const packed = membersOf(bytes).members.flatMap((member) => tokenMatchesIn(member, own, path));
    return firstOfEach(packed).map((match) => ({ ...match, line: undefined }));
  }
  const found = tokensIn(bytes).map(({ value, at }) => {
    const kind: TokenKind = own?.holds(value) ? "own" : (kindOf(value) ?? "old");
    return { kind, token: Secret.of(value, { kind: "code", path }), at };
  });
  const owned = placesOfOwn(bytes, own);
  return withLines(bytes, firstOfEach([...found, ...owned].sort((a, b) => a.at - b.at)));
}

/** Where one secret stands in a file. */
export interface SecretPlaces {
  readonly isThere: boolean;
  /** From 1; none in a saved plan, which is packed. */
  readonly lines: readonly number[];
}

/** Where a secret stands in a whole file, in any form. */
export function placesOfSecret(bytes: Buffer, secret: Secret): SecretPlaces {
  if (isSavedPlan(bytes)) {
    const isThere = membersOf(bytes).members.some((each) => placesOfSecret(each, secret).isThere);
    return { isThere, lines: [] };
  }
  const found = secret.hasPrefix ? tokensIn(bytes).filter(({ value }) => secret.holds(value)) : [];
  const places = [...secret.placesIn(bytes), ...found.map(({ at }) => at)];
  const matches = places
    .sort((a, b) => a - b)
    .map((at) => ({ kind: "own" as const, token: secret, at }));
  const lines = withLines(bytes, matches).flatMap(({ line }) => line ?? []);
  return { isThere: lines.length > 0, lines: [...new Set(lines)] };
}

/** Whether a part of a stream holds a token, or may in what is packed. */
export function holdsToken(bytes: Buffer, own: Secret | undefined): boolean {
  return tokensIn(bytes).length > 0 || placesOfOwn(bytes, own).length > 0;
}

/** A token of a form that tells itself is found by that. */
function placesOfOwn(bytes: Buffer, own: Secret | undefined) {
  if (own === undefined || own.hasPrefix) return [];
  return own.placesIn(bytes).map((at) => ({ kind: "own" as const, token: own, at }));
}

function firstOfEach<Each extends { readonly token: Secret }>(matches: readonly Each[]): Each[] {
  const first = new Map<string, Each>();
  for (const match of matches) {
    const { fingerprint } = match.token;
    if (!first.has(fingerprint)) first.set(fingerprint, match);
  }
  return [...first.values()];
}

/** Counts each line end once, however many tokens there are; they come in order. */
function withLines(
  bytes: Buffer,
  found: readonly (Omit<TokenMatch, "line"> & { readonly at: number })[],
): readonly TokenMatch[] {
  let line = 1;
  let end = bytes.indexOf(10);
  return found.map(({ kind, token, at }) => {
    for (; end >= 0 && end < at; end = bytes.indexOf(10, end + 1)) line++;
    return { kind, token, line };
  });
}
