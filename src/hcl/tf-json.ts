import { type JsonNode, readJsonText } from "../lib/json-text.ts";
import { conceal } from "./conceal.ts";
import { referencesInTemplate } from "./reads.ts";
import type { Block, Expression, ParsedFile, SourceLocation } from "./syntax.ts";

/** The number of labels of a block type. In the JSON syntax, its body is nested that deep. */
const LABELS: Readonly<Record<string, number>> = {
  provider: 1,
  variable: 1,
  output: 1,
  module: 1,
  check: 1,
  resource: 2,
  data: 2,
  ephemeral: 2,
  action: 2,
  list: 2,
  backend: 1,
};

/** Reads a .tf.json text. Never throws: a broken text is reported as a problem with its line. */
export function readTfJson(written: string, file: string): ParsedFile {
  // Replaces a byte order mark with a space, so that the offsets stay the same.
  const text = written.replace(/^\ufeff/, " ");
  const { root, problem } = readJsonText(text);
  const read = new Map<JsonNode, ReadonlyMap<string, Expression>>();
  // A list of objects is one object in several parts.
  const parts = root?.properties === undefined ? root?.items : [root];
  const isWhole = parts?.every(({ properties }) => properties !== undefined);
  if (root === undefined || parts === undefined || !isWhole) {
    return { blocks: [], references: [], problem: { file, line: problem?.line ?? 1 } };
  }
  return {
    blocks: parts.flatMap(blocksIn),
    references: textsIn(root).flatMap(referencesInTemplate),
    problem: undefined,
  };

  function placeOf({ line }: JsonNode): SourceLocation {
    return { file, line };
  }

  function blocksIn({ properties = [] }: JsonNode): Block[] {
    return properties.flatMap(({ key, value }) => nested(key, [], value, LABELS[key] ?? 0));
  }

  function nested(type: string, labels: string[], node: JsonNode, depth: number): Block[] {
    const { properties, items = [] } = node;
    if (properties === undefined) return items.flatMap((item) => nested(type, labels, item, depth));
    if (depth > 0) {
      return properties.flatMap(({ key, value }) =>
        nested(type, [...labels, key], value, depth - 1),
      );
    }
    return [
      { type, labels, attributes: fieldsOf(node), blocks: blocksIn(node), place: placeOf(node) },
    ];
  }

  /** The last of duplicate keys wins. A block and the field of its parent share these expressions. */
  function fieldsOf(node: JsonNode): ReadonlyMap<string, Expression> {
    const { properties = [] } = node;
    const fields =
      read.get(node) ?? new Map(properties.map(({ key, value }) => [key, expression(key, value)]));
    read.set(node, fields);
    return fields;
  }

  function expression(name: string | undefined, node: JsonNode): Expression {
    const { start, end, value, properties, items } = node;
    const isTemplate = typeof value === "string" && /[$%]\{/.test(value);
    return conceal(name, {
      source: text.slice(start, end),
      literal: isTemplate ? undefined : value,
      fields: properties && fieldsOf(node),
      items: items?.map((item) => expression(undefined, item)),
      start,
      end,
      place: placeOf(node),
    });
  }
}

/** Keys and strings in the order of the file. Each may be a template. */
function textsIn({ value, properties = [], items = [] }: JsonNode, texts: string[] = []): string[] {
  if (typeof value === "string") texts.push(value);
  for (const property of properties) {
    texts.push(property.key);
    textsIn(property.value, texts);
  }
  for (const item of items) textsIn(item, texts);
  return texts;
}
