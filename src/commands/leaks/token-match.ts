import {
  isSavedPlan,
  membersOf,
  type Unpacking,
} from "../../concerns/terraform/root/saved-plan.ts";
import { Secret } from "../../secret/secret.ts";
import { kindOf } from "../../secret/token-form.ts";
import { MOST_TOKENS, tokensIn } from "../../secret/token-search.ts";

export type TokenKind = "personal" | "oauth" | "refresh" | "old" | "own";

/** A token in some bytes. */
export interface TokenMatch {
  /** "old": 64 digits next to the name of a token. "own": the repo's token, whatever its form. */
  readonly kind: TokenKind;
  readonly token: Secret;
  /** From 1; absent in a saved plan, which is compressed. */
  readonly line: number | undefined;
}

/** What was found in a file, and what was not searched. */
export interface Searched {
  readonly matches: readonly TokenMatch[];
  /** Why not all of it was searched, in words: "it is …". */
  readonly gap: string | undefined;
}

/**
 * Searches a whole file, including the content of a saved plan, which is compressed.
 *
 * @param own the repo's token.
 * @param path the path of the bytes.
 */
export function searchFile(
  bytes: Buffer,
  own: Secret | undefined,
  path: string,
  unpacking: Unpacking,
): Searched {
  if (!isSavedPlan(bytes)) {
    const matches = tokenMatchesIn(bytes, own, path);
    return { matches, gap: matches.length < MOST_TOKENS ? undefined : TOO_MANY };
  }
  const { members, isWhole } = membersOf(bytes, unpacking);
  const inner = members.filter((member) => !isSavedPlan(member));
  const packed = inner.flatMap((member) => tokenMatchesIn(member, own, path));
  return {
    matches: firstOfEach(packed)
      .slice(0, MOST_TOKENS)
      .map((match) => ({ ...match, line: undefined })),
    gap: isWhole
      ? inner.length < members.length
        ? "it is a saved plan that contains another plan"
        : undefined
      : "it is a saved plan that is corrupt or too large when unpacked",
  };
}

const TOO_MANY = `it holds ${MOST_TOKENS} or more tokens`;

/** Every token in some bytes, without unpacking, each at its first place. */
export function tokenMatchesIn(
  bytes: Buffer,
  own: Secret | undefined,
  path: string,
): readonly TokenMatch[] {
  const found = tokensIn(bytes).map(({ value, at }) => {
    const kind: TokenKind = own?.holds(value) ? "own" : (kindOf(value) ?? "old");
    return { kind, token: Secret.of(value, { kind: "code", path }), at };
  });
  const owned = placesOfOwn(bytes, own);
  return withLines(bytes, firstOfEach([...found, ...owned].sort((a, b) => a.at - b.at)));
}

/** The places of one secret in a file. */
export interface SecretPlaces {
  readonly isThere: boolean;
  /** From 1. */
  readonly lines: readonly number[];
}

/** The places of a secret in some bytes, without unpacking, in any form. */
export function placesOfSecret(bytes: Buffer, secret: Secret): SecretPlaces {
  const found = secret.hasPrefix ? tokensIn(bytes).filter(({ value }) => secret.holds(value)) : [];
  const places = [...secret.placesIn(bytes), ...found.map(({ at }) => at)];
  const matches = places
    .sort((a, b) => a - b)
    .map((at) => ({ kind: "own" as const, token: secret, at }));
  const lines = withLines(bytes, matches).flatMap(({ line }) => line ?? []);
  return { isThere: lines.length > 0, lines: [...new Set(lines)] };
}

/** Whether a part of a stream contains a token. */
export function holdsToken(bytes: Buffer, own: Secret | undefined): boolean {
  return tokensIn(bytes, 1).length > 0 || placesOfOwn(bytes, own).length > 0;
}

/** A token with a prefix is already found by its form. */
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

/** Counts each line end once, however many tokens there are, since they are in order. */
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
