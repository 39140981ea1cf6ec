/** One assignment in a .env text: the offsets of the key and of the value, without quotes. */
export interface Assignment {
  readonly key: string;
  readonly valueStart: number;
  readonly valueEnd: number;
  /** Text to insert before a value if there is none yet: `KEY:` needs a space. */
  readonly glue: string;
  /** `KEY=` on one line. dotenv also parses `a text: and more` as an assignment. */
  readonly isPlain: boolean;
}

// dotenv's grammar (its README, "What rules does the parsing engine follow?"), but with line ends unchanged: optional
// export, a key, "=" or ": ", then a quoted text that may span lines, or the rest of the line up to a comment. A match
// starts on its key's own line. Otherwise the regex would scan a run of empty lines again from each of them.
const ASSIGNMENT =
  /^[^\S\n\r\u2028\u2029]*(?:export\s+)?(?<key>[\w.-]+)(?<separator>\s*=\s*?|:\s+?)(?<value>\s*'(?:\\'|[^'])*'|\s*"(?:\\"|[^"])*"|\s*`(?:\\`|[^`])*`|[^#\r\n]+)?\s*(?:#.*)?$/dgm;

/** Every assignment in a text, in order. */
export function assignmentsIn(text: string): Assignment[] {
  return Array.from(text.matchAll(ASSIGNMENT), (match) => {
    const spans = match.indices?.groups ?? {};
    const { key = "", separator = "" } = match.groups ?? {};
    const isPlain = /^[^\S\r\n]*=/.test(separator);
    const span = spans["value"];
    if (span !== undefined) return { key, isPlain, glue: "", ...unquoted(text, ...span) };
    return { key, isPlain, ...emptyValue(text, spans["key"]?.[1] ?? match.index) };
  });
}

/** `KEY=` or `KEY: ` without a value: the position after the separator. */
function emptyValue(text: string, keyEnd: number): Omit<Assignment, "key" | "isPlain"> {
  const [separator = ""] = /^\s*(=|:[ \t]?)/.exec(text.slice(keyEnd)) ?? [];
  const place = keyEnd + separator.length;
  return { valueStart: place, valueEnd: place, glue: separator.endsWith(":") ? " " : "" };
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
