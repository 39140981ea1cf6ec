const MASK = "***";
/** Shorter ones occur by chance. */
const MIN_LENGTH = 6;

export interface Masker {
  /** @returns what may be shown by now. */
  feed(chunk: Buffer): Buffer;
  /** @returns the rest. */
  end(): Buffer;
}

/**
 * Replaces secrets in a stream, also where a chunk ends inside one: what could be the beginning of a
 * secret is held back until it is decided. Bytes, not characters: a binary stream stays intact.
 */
export function maskerOf(secrets: readonly string[]): Masker {
  const needles = needlesOf(secrets);
  if (needles.length === 0) return { feed: (chunk) => chunk, end: () => Buffer.alloc(0) };
  const firsts = [...new Set(needles.map((needle) => escaped(needle[0] ?? "")))].join("");
  const candidates = new RegExp(`[${firsts}]`, "g");
  let held = "";
  return {
    feed: (chunk) => masked(held + chunk.toString("latin1"), false),
    end: () => masked(held, true),
  };

  function masked(text: string, isEnd: boolean): Buffer {
    let shown = "";
    let from = 0;
    held = "";
    candidates.lastIndex = 0;
    for (let found = candidates.exec(text); found !== null; found = candidates.exec(text)) {
      const at = found.index;
      // A longer secret may begin like a whole shorter one.
      const isOpen = !isEnd && needles.some((needle) => couldBecome(needle, text, at));
      if (isOpen) {
        held = text.slice(at);
        return Buffer.from(shown + text.slice(from, at), "latin1");
      }
      const needle = needles.find((each) => text.startsWith(each, at));
      if (needle === undefined) continue;
      shown += text.slice(from, at) + MASK;
      from = at + needle.length;
      candidates.lastIndex = from;
    }
    return Buffer.from(shown + text.slice(from), "latin1");
  }
}

/** Longest first. Of a text of many lines (a private key) each line counts. */
function needlesOf(secrets: readonly string[]): string[] {
  const texts = secrets.flatMap((secret) => [secret, ...secret.split(/[\r\n]+/)]);
  const bytes = texts.map((text) => Buffer.from(text.trim(), "utf8").toString("latin1"));
  const needles = [...new Set(bytes)].filter((text) => text.length >= MIN_LENGTH);
  return needles.sort((a, b) => b.length - a.length);
}

function couldBecome(needle: string, text: string, at: number): boolean {
  const rest = text.length - at;
  return rest < needle.length && needle.startsWith(text.slice(at));
}

function escaped(char: string): string {
  return `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`;
}
