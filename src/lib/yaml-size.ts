import { type CST, Parser } from "yaml";

/** Deeper than any config. */
const MAX_DEPTH = 100;
/** More than any config has. The reader compares each key with all others next to it. */
const MAX_ITEMS = 10_000;
/** In characters: about 5 000 lines. */
const MAX_LENGTH = 128 * 1024;
/** Comments, empty lines, tags and similar before one value. The reader takes more than a step for each. */
const MAX_BEFORE = 3000;

/**
 * Whether a YAML text is too large or nested too deep to be read. The reader is recursive, and V8 ends a process that
 * has to compile a pattern when its stack is nearly full.
 */
export function isTooMuchYaml(text: string): boolean {
  if (text.length > MAX_LENGTH) return true;
  let items = 0;
  const left: { token: CST.Token | null | undefined; depth: number }[] = [];
  for (const token of new Parser().parse(text)) left.push({ token, depth: 0 });
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const { token, depth } = next;
    if (depth > MAX_DEPTH || before(token) > MAX_BEFORE) return true;
    if (token?.type === "document") left.push({ token: token.value, depth });
    if (token == null || !("items" in token)) continue;
    items += token.items.length;
    if (items > MAX_ITEMS) return true;
    for (const { start, key, value } of token.items) {
      if (start.length > MAX_BEFORE) return true;
      left.push({ token: key, depth: depth + 1 }, { token: value, depth: depth + 1 });
    }
  }
  return false;
}

function before(token: CST.Token | null | undefined): number {
  return token != null && "start" in token && Array.isArray(token.start) ? token.start.length : 0;
}
