/** One assignment in a .env text: offsets of the key and of the value, quotes not counted. */
export interface Assignment {
  readonly key: string;
  readonly valueStart: number;
  readonly valueEnd: number;
}

// dotenv's grammar (its README, "What rules does the parsing engine follow?") with the line ends
// left as they are: optional export, a key, "=" or ": ", then a quoted text that may span lines, or
// the rest of the line up to a comment.
const ASSIGNMENT =
  /^\s*(?:export\s+)?(?<key>[\w.-]+)(?:\s*=\s*?|:\s+?)(?<value>\s*'(?:\\'|[^'])*'|\s*"(?:\\"|[^"])*"|\s*`(?:\\`|[^`])*`|[^#\r\n]+)?\s*(?:#.*)?$/dgm;

/** Every assignment in a text, in order. */
export function assignmentsIn(text: string): Assignment[] {
  return Array.from(text.matchAll(ASSIGNMENT), (match) => {
    const spans = match.indices?.groups ?? {};
    const key = match.groups?.["key"] ?? "";
    const keyEnd = spans["key"]?.[1] ?? match.index;
    const [start, end] = spans["value"] ?? emptyValue(text, keyEnd);
    return { key, ...unquoted(text, start, end) };
  });
}

/** `KEY=` without a value: the place right behind the separator. */
function emptyValue(text: string, keyEnd: number): [number, number] {
  const separator = /[=:]/g;
  separator.lastIndex = keyEnd;
  const found = separator.exec(text)?.index ?? keyEnd;
  return [found + 1, found + 1];
}

function unquoted(text: string, start: number, end: number) {
  const raw = text.slice(start, end);
  const trimmed = raw.trim();
  const valueStart = start + raw.length - raw.trimStart().length;
  if (/^(["'`])[\s\S]*\1$/.test(trimmed) && trimmed.length > 1) {
    return { valueStart: valueStart + 1, valueEnd: valueStart + trimmed.length - 1 };
  }
  return trimmed === ""
    ? { valueStart: start, valueEnd: start }
    : { valueStart, valueEnd: valueStart + trimmed.length };
}
