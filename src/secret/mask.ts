import { encodedForms, plainForms } from "./forms.ts";

/** A line that ends with fewer characters of an encoded secret is most often a prompt, so it is shown immediately. */
const HELD_ENCODED = 4;

export interface Masker {
  /** @returns what can be shown so far. */
  feed(chunk: Buffer): Buffer;
  /** @returns the rest. */
  end(): Buffer;
}

/**
 * Replaces secrets in a stream, even if a chunk ends inside one: a possible beginning of a secret is held back until it
 * is certain. Works on bytes, so a binary stream is not damaged.
 *
 * @param secrets each is masked literally and line by line.
 * @param encoded these are also masked in their forms in URLs, JSON, base64 and similar.
 */
export function maskerOf(secrets: readonly string[], encoded: readonly string[] = []): Masker {
  const plain = secrets.flatMap(plainForms).map(bytesOf);
  const mask = hiderOf(plain, encoded.flatMap(encodedForms).map(bytesOf), "***");
  const masked = (text: string, isEnd: boolean) => Buffer.from(mask(text, isEnd), "latin1");
  return {
    feed: (chunk) => masked(chunk.toString("latin1"), false),
    end: () => masked("", true),
  };
}

/**
 * Replaces texts in a stream of text. The time does not depend on how many texts there are.
 *
 * @param plain of at least two characters.
 * @param encoded of at least four. Fewer characters of one at the end of a part are not held back.
 * @returns a function that takes a part and whether it is the last, and returns what can be shown so far.
 */
export function hiderOf(
  plain: readonly string[],
  encoded: readonly string[],
  instead: string,
): (part: string, isEnd: boolean) => string {
  const isPlain = new Set(plain);
  const all = [...new Set([...plain, ...encoded])];
  if (all.length === 0) return (part) => part;
  const byStart = startsOf(all);
  const longest = all.reduce((most, { length }) => Math.max(most, length), 0);
  /** The end of what was already shown, and what was not shown yet. */
  let seen = "";
  let held = "";
  return (part, isEnd) => {
    const text = seen + held + part;
    let shown = "";
    let from = seen.length;
    let until = text.length;
    // Text that was already shown may be the beginning of a match, except what belonged to another match.
    let free = 0;
    for (let at = 0; at < text.length; at++) {
      const left = text.length - at;
      const candidates =
        left > 1 ? byStart.get(startOf(text, at)) : plain.filter((each) => each[0] === text[at]);
      if (candidates === undefined) continue;
      // A longer secret may start with a complete shorter one.
      if (!isEnd && left < longest && candidates.some((each) => couldBecome(each, text, at))) {
        until = Math.max(at, from);
        break;
      }
      const found = candidates.find((each) => text.startsWith(each, at));
      if (found === undefined) continue;
      shown += text.slice(from, Math.max(at, from)) + instead;
      at += found.length - 1;
      from = at + 1;
      free = from;
    }
    shown += text.slice(from, until);
    held = text.slice(Math.max(until, from));
    seen = isEnd ? "" : text.slice(Math.max(free, until - HELD_ENCODED + 1, 0), until);
    return shown;
  };

  function couldBecome(each: string, text: string, at: number): boolean {
    const rest = text.length - at;
    const isEnough = rest >= HELD_ENCODED || isPlain.has(each);
    return isEnough && rest < each.length && each.startsWith(text.slice(at));
  }
}

/** Grouped by the first two characters, the longest first. */
function startsOf(all: readonly string[]): ReadonlyMap<number, readonly string[]> {
  const starts = new Map<number, string[]>();
  for (const each of [...all].sort((a, b) => b.length - a.length)) {
    const start = startOf(each, 0);
    const known = starts.get(start);
    if (known === undefined) starts.set(start, [each]);
    else known.push(each);
  }
  return starts;
}

function startOf(text: string, at: number): number {
  return text.charCodeAt(at) * 65_536 + text.charCodeAt(at + 1);
}

function bytesOf(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}
