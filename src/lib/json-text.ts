import { applyEdits, modify, visit } from "jsonc-parser";

/** A value in a JSON text, with its position. */
export interface JsonNode {
  /** Offsets in the text, including the quotes of a string. */
  readonly start: number;
  readonly end: number;
  /** Its first line, from 1. */
  readonly line: number;
  /** With escapes decoded; undefined: an object or a list. */
  readonly value: string | number | boolean | null | undefined;
  /** For an object, in the order of the text. A key can occur twice. */
  readonly properties: readonly JsonProperty[] | undefined;
  /** For a list. */
  readonly items: readonly JsonNode[] | undefined;
}

export interface JsonProperty {
  /** With escapes decoded. */
  readonly key: string;
  /** The offset of the key's opening quote. */
  readonly start: number;
  readonly value: JsonNode;
}

/** Where a text is no longer valid JSON, from 1. */
export interface JsonProblem {
  readonly line: number;
  readonly column: number;
}

export type JsonText =
  | { readonly root: JsonNode; readonly problem: undefined }
  | { readonly root: undefined; readonly problem: JsonProblem };

/** Deeper than any configuration. The parser is recursive, and the stack is limited. */
const MAX_DEPTH = 200;

/**
 * Reads what JSON.parse reads, down to 200 levels: no comments, no trailing commas, no byte order mark. A problem is
 * only a position, and never repeats the text, which may contain a secret.
 */
export function readJsonText(text: string): JsonText {
  try {
    return { root: rootOf(text), problem: undefined };
  } catch (error) {
    if (error instanceof NotJson) return { root: undefined, problem: error.at };
    throw error;
  }
}

/** The text without the properties whose value is unwanted. Every other byte is unchanged. */
export function withoutProperties(
  text: string,
  root: JsonNode,
  isUnwanted: (value: JsonNode) => boolean,
): string {
  let kept = "";
  let from = 0;
  for (const [start, end] of cutsIn(root)) {
    kept += text.slice(from, start);
    from = end;
  }
  return kept + text.slice(from);

  /** The ranges to remove, in the order of the text. Each property is removed with one adjacent comma. */
  function cutsIn({ start, end, properties = [], items = [] }: JsonNode): [number, number][] {
    const cuts = items.flatMap(cutsIn);
    const last = properties.findLastIndex(({ value }) => !isUnwanted(value));
    for (const [at, property] of properties.slice(0, last + 1).entries()) {
      const next = properties[at + 1];
      if (!isUnwanted(property.value)) cuts.push(...cutsIn(property.value));
      else if (next !== undefined) cuts.push([property.start, next.start]);
    }
    if (last < properties.length - 1) {
      const [lastKept, lastCut] = [properties[last], properties.at(-1)];
      cuts.push(
        lastKept === undefined || lastCut === undefined
          ? [start + 1, end - 1]
          : [lastKept.value.end, lastCut.value.end],
      );
    }
    return cuts;
  }
}

/**
 * The text with a value set at a path of keys, which are created if missing. Everything else is unchanged, except
 * adjacent white space.
 */
export function withValue(text: string, path: readonly string[], value: string): string {
  const [, indent = "  "] = /^([ \t]+)"/m.exec(text) ?? [];
  const insertSpaces = !indent.startsWith("\t");
  const tabSize = insertSpaces ? indent.length : 1;
  const eol = text.includes("\r\n") ? "\r\n" : "\n";
  const formattingOptions = { insertSpaces, tabSize, eol };
  return applyEdits(text, modify(text, [...path], value, { formattingOptions }));
}

class NotJson extends Error {
  readonly at: JsonProblem;

  /** @param line counted from 0, like the column. */
  constructor(line: number, column: number) {
    super("not JSON");
    this.at = { line: line + 1, column: column + 1 };
  }
}

/** A node that is not complete yet. */
interface Draft extends JsonNode {
  end: number;
  readonly properties: JsonProperty[] | undefined;
  readonly items: JsonNode[] | undefined;
}

/** @throws NotJson at the first problem, since after that the parser guesses. */
function rootOf(text: string): JsonNode {
  const open: Draft[] = [];
  let root: JsonNode = draft(0, text.length, 0, {});
  let key = "";
  let keyStart = 0;

  function add(node: Draft): void {
    const parent = open.at(-1);
    if (parent === undefined) root = node;
    parent?.items?.push(node);
    parent?.properties?.push({ key, start: keyStart, value: node });
  }
  function begin(node: Draft, column: number): void {
    add(node);
    open.push(node);
    if (open.length > MAX_DEPTH) throw new NotJson(node.line - 1, column);
  }
  function end(offset: number, length: number): void {
    const node = open.pop();
    if (node !== undefined) node.end = offset + length;
  }

  visit(
    text,
    {
      onObjectBegin: (offset, length, line, column) =>
        begin(draft(offset, length, line, { properties: [] }), column),
      onObjectProperty: (name, offset) => {
        key = name;
        keyStart = offset;
      },
      onObjectEnd: end,
      onArrayBegin: (offset, length, line, column) =>
        begin(draft(offset, length, line, { items: [] }), column),
      onArrayEnd: end,
      onLiteralValue: (value, offset, length, line) => add(draft(offset, length, line, { value })),
      onError: (_, _offset, _length, line, column) => {
        throw new NotJson(line, column);
      },
    },
    { disallowComments: true, allowTrailingComma: false },
  );
  return root;
}

function draft(
  start: number,
  length: number,
  line: number,
  { value, properties, items }: Partial<Pick<Draft, "value" | "properties" | "items">>,
): Draft {
  return { start, end: start + length, line: line + 1, value, properties, items };
}
