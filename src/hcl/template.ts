import { type Kind, Scanner } from "./scanner.ts";

/** A lexical token of an expression. */
export interface Piece {
  /** open: a bracket, the `"` or `<<` that starts a template, or the `${` in one; text: literal text in a template. */
  readonly kind: "name" | "text" | "sign" | "open";
  /** Numbers are names, and so is `core::trimspace`. */
  readonly text: string;
  /** For `open`: the index after the last piece inside it. */
  end: number;
}

/** Longer texts are not parsed. */
const MAX_LENGTH = 100_000;

const KINDS: ReadonlyMap<Kind, Piece["kind"]> = new Map<Kind, Piece["kind"]>([
  ...(["name", "number"] as const).map((kind) => [kind, "name"] as const),
  ["text", "text"],
  ...(["(", "[", "{", '"', "<<", "${", "%{"] as const).map((kind) => [kind, "open"] as const),
]);

/**
 * Splits an expression into pieces, without comments and white space. Quoted text becomes text pieces; interpolations in
 * it are split like other code. The text need not be complete. Runs in linear time.
 *
 * @param isTemplate the text is the content of quotes, as in a string of the JSON syntax.
 * @returns an empty list for a text that is too long.
 */
export function piecesOf(text: string, isTemplate = false): readonly Piece[] {
  const pieces: Piece[] = [];
  if (text.length > MAX_LENGTH) return pieces;
  const scanner = new Scanner(text, isTemplate);
  scanner.isMultiline = true;
  const outside = scanner.depth;
  const open: Piece[] = [];
  let last: Kind | undefined;
  let beforeLast: Kind | undefined;
  for (scanner.next(); scanner.kind !== "end"; scanner.next()) {
    const { kind, depth } = scanner;
    const isOpening = KINDS.get(kind) === "open";
    const inside = depth - outside - (isOpening ? 1 : 0);
    const isClosing = open.length > inside;
    while (open.length > inside) leave();
    if (!isClosing && kind !== "end of sequence") put(kind);
    [beforeLast, last] = [last, kind];
  }
  while (open.length > 0) leave();
  return pieces;

  function put(kind: Kind): void {
    const { start, end } = scanner;
    let written = KINDS.get(kind) === "open" ? kind : text.slice(start, end);
    if (kind === "name" && last === "::" && beforeLast === "name") {
      written = `${pieces.splice(-2)[0]?.text}::${written}`;
    }
    const piece = { kind: KINDS.get(kind) ?? "sign", text: written, end: pieces.length + 1 };
    pieces.push(piece);
    if (piece.kind === "open") open.push(piece);
  }

  function leave(): void {
    const piece = open.pop();
    if (piece !== undefined) piece.end = pieces.length;
  }
}

/** Pieces of an expression. */
export type Range = readonly [from: number, to: number];

/** The ranges of b and c in `a ? b : c`. */
export function choiceIn(
  pieces: readonly Piece[],
  [from, to]: Range,
): readonly Range[] | undefined {
  let yes: number | undefined;
  let inner = 0;
  for (let at = from; at < to; at = Math.max(at + 1, pieces[at]?.end ?? 0)) {
    if (isSign(pieces[at], "?")) {
      if (yes === undefined) yes = at + 1;
      else inner++;
    } else if (isSign(pieces[at], ":") && yes !== undefined) {
      if (inner === 0) {
        return [
          [yes, at],
          [at + 1, to],
        ];
      }
      inner--;
    }
  }
  return undefined;
}

export function argumentsIn(pieces: readonly Piece[], [from, to]: Range): readonly Range[] {
  const found: Range[] = [];
  let start = from;
  for (let at = from; at < to; at = Math.max(at + 1, pieces[at]?.end ?? 0)) {
    if (!isSign(pieces[at], ",")) continue;
    found.push([start, at]);
    start = at + 1;
  }
  return start < to ? [...found, [start, to]] : found;
}

export function isSign(piece: Piece | undefined, text: string): boolean {
  return piece?.kind === "sign" && piece.text === text;
}
