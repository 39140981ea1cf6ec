import { encodedForms, plainForms } from "./forms.ts";

/** A line that ends with less of an encoded secret is most often a prompt: it is shown at once. */
const HELD_ENCODED = 4;

export interface Masker {
  /** @returns what may be shown by now. */
  feed(chunk: Buffer): Buffer;
  /** @returns the rest. */
  end(): Buffer;
}

/**
 * Replaces secrets in a stream, also where a chunk ends inside one: what could be the beginning of a
 * secret is held back until it is decided. Bytes, not characters: a binary stream stays intact.
 *
 * @param secrets each is masked as it is and line by line.
 * @param encoded these are masked as URLs, JSON, base64 and the like have them, too.
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
 * Replaces texts in a text that comes in parts, in a time that does not depend on how many there are.
 *
 * @param plain of at least two characters.
 * @param encoded of at least four; less of one at the end of a part is not held back.
 * @returns takes a part and whether it is the last, and gives what may be shown by now.
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
  /** The end of what is shown already, and what is not shown yet. */
  let seen = "";
  let held = "";
  return (part, isEnd) => {
    const text = seen + held + part;
    let shown = "";
    let from = seen.length;
    let until = text.length;
    // What is shown already may be the beginning of a match, but for what was part of another.
    let free = 0;
    for (let at = 0; at < text.length; at++) {
      const left = text.length - at;
      const candidates =
        left > 1 ? byStart.get(startOf(text, at)) : plain.filter((each) => each[0] === text[at]);
      if (candidates === undefined) continue;
      // A longer secret may begin like a whole shorter one.
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

/** By their first two characters, the longest first. */
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
