import { isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument } from "yaml";
import { referencesInText } from "./hcl.ts";
import type { Block, Expression, ParsedFile, SourceLocation } from "./syntax.ts";

/** How many labels a block of the JSON syntax has; its body is nested that deep. */
const LABELS: Readonly<Record<string, number>> = {
  provider: 1,
  variable: 1,
  output: 1,
  module: 1,
  check: 1,
  resource: 2,
  data: 2,
  backend: 1,
};

/** Deeper than any configuration; the reader below would run out of memory. */
const MAX_DEPTH = 200;

/** Reads a .tf.json text. Never fails: a broken text is a problem with its place. */
export function readTfJson(written: string, file: string): ParsedFile {
  // A byte order mark is no part of it; offsets stay.
  const text = written.replace(/^\ufeff/, " ");
  const broken = problemIn(text);
  if (broken !== undefined) {
    const line = text.slice(0, broken).split("\n").length;
    return { blocks: [], references: [], problem: { file, line } };
  }
  const lines = new LineCounter();
  // JSON is YAML; this reader knows the place of each value.
  const document = parseDocument(text, {
    lineCounter: lines,
    uniqueKeys: false,
    logLevel: "silent",
  });
  const placeAt = (offset: number): SourceLocation => ({ file, line: lines.linePos(offset).line });
  const [error] = document.errors;
  if (error !== undefined) return { blocks: [], references: [], problem: placeAt(error.pos[0]) };
  const root = document.contents;
  if (!isMap(root)) return { blocks: [], references: [], problem: { file, line: 1 } };
  const templates = Array.from(text.matchAll(/[$%]\{(?:\\.|[^"\\])*/g), ([template]) => template);
  return {
    blocks: blocksIn(root),
    references: templates.flatMap(referencesInText),
    problem: undefined,
  };

  function blocksIn(map: Node): Block[] {
    return pairs(map).flatMap(([key, value]) => nested(key, [], value, LABELS[key] ?? 0));
  }

  function nested(type: string, labels: string[], value: Node, depth: number): Block[] {
    if (isSeq(value))
      return value.items.flatMap((item) => nested(type, labels, item as Node, depth));
    if (!isMap(value)) return [];
    if (depth > 0) {
      return pairs(value).flatMap(([label, body]) =>
        nested(type, [...labels, label], body, depth - 1),
      );
    }
    return [
      {
        type,
        labels,
        attributes: new Map(pairs(value).map(([key, each]) => [key, expression(each)])),
        blocks: blocksIn(value),
        place: placeAt(value.range?.[0] ?? 0),
      },
    ];
  }

  function expression(node: Node): Expression {
    const [start = 0, end = 0] = node.range ?? [];
    const value = isScalar(node) ? node.value : undefined;
    const source = text.slice(start, end);
    const isTemplate = typeof value === "string" && /[$%]\{/.test(value);
    return {
      source,
      literal: isTemplate ? undefined : (value as Expression["literal"]),
      fields: isMap(node)
        ? new Map(pairs(node).map(([key, each]) => [key, expression(each)]))
        : undefined,
      items: isSeq(node) ? node.items.map((item) => expression(item as Node)) : undefined,
      start,
      end,
      place: placeAt(start),
    };
  }
}

/** The offset from which a text is not JSON, or too deep; YAML allows more than JSON does. */
function problemIn(text: string): number | undefined {
  try {
    JSON.parse(text);
  } catch (error) {
    const at = / position (\d+)/.exec(error instanceof Error ? error.message : "")?.[1];
    return at === undefined ? text.length : Number(at);
  }
  let depth = 0;
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]|\\.)*"|[[{}\]]/g)) {
    if (token === "{" || token === "[") depth++;
    if (token === "}" || token === "]") depth--;
    if (depth > MAX_DEPTH) return index;
  }
  return undefined;
}

function pairs(map: Node): [string, Node][] {
  return isMap(map)
    ? map.items.map((pair: Pair) => [
        isScalar(pair.key) ? String(pair.key.value) : "",
        pair.value as Node,
      ])
    : [];
}
