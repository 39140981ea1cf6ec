import { Secret } from "../token/secret.ts";
import { isSavedPlan, membersOf } from "./saved-plan.ts";
import { tokensIn } from "./token-search.ts";

export type TokenKind = "personal" | "oauth" | "refresh" | "own";

/** A token in some bytes. */
export interface Sighting {
  /** "own": the repo's token, whatever its form. */
  readonly kind: TokenKind;
  readonly token: Secret;
  /** From 1; absent in a saved plan, which is packed. */
  readonly line: number | undefined;
}

const KINDS: Readonly<Record<string, TokenKind>> = {
  dop: "personal",
  doo: "oauth",
  dor: "refresh",
};

/**
 * Every token in a whole file, each once, where it stands first.
 *
 * @param own the repo's token.
 * @param path what the bytes are.
 */
export function sightingsIn(
  bytes: Buffer,
  own: Secret | undefined,
  path: string,
): readonly Sighting[] {
  if (isSavedPlan(bytes)) {
    const packed = membersOf(bytes).flatMap((member) => sightingsIn(member, own, path));
    return firstOfEach(packed).map((sighting) => ({ ...sighting, line: undefined }));
  }
  const found = tokensIn(bytes).map(({ value, at }) => {
    const kind = own?.holds(value) ? "own" : KINDS[value.slice(0, 3)];
    return { kind: kind ?? "personal", token: Secret.of(value, { kind: "code", path }), at };
  });
  const owned = placesOfOwn(bytes, own).map((at) => ({ kind: "own" as const, token: own, at }));
  const inOrder = [...found, ...owned].sort((a, b) => a.at - b.at);
  return firstOfEach(
    inOrder.flatMap(({ kind, token, at }) =>
      token === undefined ? [] : [{ kind, token, line: lineAt(bytes, at) }],
    ),
  );
}

/** Whether a part of a stream holds a token, or may in what is packed. */
export function holdsToken(bytes: Buffer, own: Secret | undefined): boolean {
  return tokensIn(bytes).length > 0 || placesOfOwn(bytes, own).length > 0;
}

/** A token of a form that tells itself is found by that. */
function placesOfOwn(bytes: Buffer, own: Secret | undefined): readonly number[] {
  return own === undefined || own.tellsItself ? [] : own.placesIn(bytes);
}

function firstOfEach(sightings: readonly Sighting[]): Sighting[] {
  return sightings.filter(
    ({ token }, i) => sightings.findIndex((other) => other.token.equals(token)) === i,
  );
}

function lineAt(bytes: Buffer, offset: number): number {
  let line = 1;
  for (let at = bytes.indexOf(10); at >= 0 && at < offset; at = bytes.indexOf(10, at + 1)) line++;
  return line;
}
