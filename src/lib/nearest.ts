import { closest, distance } from "fastest-levenshtein";

/** Longer than any known word. */
const MAX_LENGTH = 100;

/** The known word that a misspelt one probably means; undefined if none is close enough. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  if (known.length === 0 || word.length > MAX_LENGTH) return undefined;
  const candidate = closest(word.toLowerCase(), [...known]);
  // Two swapped letters count as two changes.
  const limit = word.length < 4 ? 1 : Math.max(2, Math.floor(word.length / 3));
  return distance(word.toLowerCase(), candidate.toLowerCase()) <= limit ? candidate : undefined;
}
