import { isSavedPlan, membersOf } from "../../concerns/terraform/root/saved-plan.ts";
import { Secret } from "../../secret/secret.ts";
import { kindOf } from "../../secret/token-form.ts";
import { tokensIn } from "../../secret/token-search.ts";

export type TokenKind = "personal" | "oauth" | "refresh" | "own";

/** A token in some bytes. */
export interface TokenMatch {
  /** "own": the repo's token, whatever its form. */
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
    const packed = membersOf(bytes).flatMap((member) => tokenMatchesIn(member, own, path));
    return firstOfEach(packed).map((match) => ({ ...match, line: undefined }));
  }
  const found = tokensIn(bytes).map(({ value, at }) => {
    const kind: TokenKind = own?.holds(value) ? "own" : (kindOf(value) ?? "personal");
    return { kind, token: Secret.of(value, { kind: "code", path }), at };
  });
  const owned = placesOfOwn(bytes, own);
  return withLines(bytes, firstOfEach([...found, ...owned].sort((a, b) => a.at - b.at)));
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
