import { type CST, Parser } from "yaml";

/** Deeper than any config. */
const MAX_DEPTH = 100;

/**
 * Whether a YAML text is nested too deep to be read: the reader takes a call for each level, and V8
 * ends a process that is to compile a pattern at the end of its stack.
 */
export function isTooDeep(text: string): boolean {
  const left: { token: CST.Token | null | undefined; depth: number }[] = [];
  for (const token of new Parser().parse(text)) left.push({ token, depth: 0 });
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const { token, depth } = next;
    if (depth > MAX_DEPTH) return true;
    if (token?.type === "document") left.push({ token: token.value, depth });
    if (token == null || !("items" in token)) continue;
    for (const { key, value } of token.items) {
      left.push({ token: key, depth: depth + 1 }, { token: value, depth: depth + 1 });
    }
  }
  return false;
}
