import type { HclNode, ParseHcl } from "../host/host.ts";
import { conceal, type Written } from "./conceal.ts";
import { referencesInBlocks, referencesInText } from "./reads.ts";
import type { Block, Expression, ParsedFile, Problem, SourceLocation } from "./syntax.ts";

/** Deeper than any real configuration. Anything deeper is not read. */
const MAX_DEPTH = 64;

/** The file, and the first place in it that is nested too deep. */
interface Reading {
  readonly file: string;
  tooDeep: Problem | undefined;
}

/** Parses a .tf text. Never throws: a broken part is reported as a problem with its line. */
export function readHcl(parse: ParseHcl, text: string, file: string): ParsedFile {
  const read = parse(text, (root): ParsedFile => {
    const reading: Reading = { file, tooDeep: undefined };
    const blocks = blocksIn(root, reading, 0);
    const problem = root.hasError ? placeOf(firstError(root), file) : reading.tooDeep;
    const references = [
      ...referencesInBlocks(blocks, text),
      // Parts of a broken file are in no block.
      ...(problem === undefined ? [] : referencesInText(text)),
    ];
    return { blocks, references, problem };
  });
  const tooLong = { file, line: 1, why: "parsing takes too long" };
  return read ?? { blocks: [], references: [], problem: tooLong };
}

/** The values of a .tfvars text by name; undefined if it is broken. */
export function readHclValues(
  parse: ParseHcl,
  text: string,
  file: string,
): ReadonlyMap<string, Expression> | undefined {
  return parse(text, (root) => {
    if (root.hasError) return undefined;
    const body = root.namedChildren.find(({ type }) => type === "body");
    const reading: Reading = { file, tooDeep: undefined };
    return body === undefined ? new Map() : partsOf(body, reading, 0).attributes;
  });
}

/** The blocks of a file. In a broken file, intact blocks may be inside an ERROR node. */
function blocksIn(root: HclNode, reading: Reading, depth: number): Block[] {
  if (isTooDeep(root, reading, depth)) return [];
  return root.namedChildren.flatMap((node) => {
    if (node.type === "body") return partsOf(node, reading, 0).blocks;
    if (node.type === "ERROR") return blocksIn(node, reading, depth + 1);
    return node.type === "block" ? block(node, reading, 0) : [];
  });
}

function partsOf(
  body: HclNode,
  reading: Reading,
  depth: number,
): Pick<Block, "attributes" | "blocks"> {
  const attributes = new Map<string, Expression>();
  const blocks: Block[] = [];
  if (isTooDeep(body, reading, depth)) return { attributes, blocks };
  for (const node of body.namedChildren) {
    const { type } = node;
    if (type === "block") blocks.push(block(node, reading, depth));
    else if (type === "attribute") {
      const [key, value] = node.namedChildren.filter((each) => each.type !== "comment");
      if (key !== undefined && value !== undefined) {
        // Each access to a node's text is a call into the parser.
        const name = key.text;
        attributes.set(name, expression(name, value, reading, depth));
      }
    }
  }
  return { attributes, blocks };
}

function block(node: HclNode, reading: Reading, depth: number): Block {
  const names: string[] = [];
  let body: HclNode | undefined;
  for (const child of node.namedChildren) {
    const { type } = child;
    if (type === "identifier" || type === "string_lit") names.push(unquoted(child.text));
    else if (type === "body") body = child;
  }
  const [type = "", ...labels] = names;
  const parts =
    body === undefined ? { attributes: new Map(), blocks: [] } : partsOf(body, reading, depth + 1);
  return { type, labels, ...parts, place: placeOf(node, reading.file) };
}

function expression(
  name: string | undefined,
  node: HclNode,
  reading: Reading,
  depth: number,
): Expression {
  const inner = only(node, reading);
  const { type } = inner;
  return conceal(name, {
    source: node.text,
    literal: literalOf(type, inner),
    fields: type === "object" ? fieldsOf(inner, reading, depth + 1) : undefined,
    items: type === "tuple" ? itemsOf(inner, reading, depth + 1) : undefined,
    start: node.startIndex,
    end: node.endIndex,
    place: placeOf(node, reading.file),
  });
}

/** Descends through the nodes that the grammar wraps around a literal or an object. */
function only(node: HclNode, reading: Reading): HclNode {
  let inner = node;
  for (let depth = 0; !isTooDeep(inner, reading, depth) && LAYERS.includes(inner.type); depth++) {
    const [child, another] = inner.namedChildren.filter((each) => each.type !== "comment");
    if (child === undefined || another !== undefined) break;
    inner = child;
  }
  return inner;
}

const LAYERS = ["expression", "literal_value", "collection_value"];

function literalOf(type: string, node: HclNode): Written["literal"] {
  switch (type) {
    case "numeric_lit":
      return Number(node.text);
    case "bool_lit":
      return node.text === "true";
    case "null_lit":
      return null;
    case "string_lit":
      return unescaped(node.text.slice(1, -1));
    default:
      return undefined;
  }
}

function fieldsOf(object: HclNode, reading: Reading, depth: number): Expression["fields"] {
  if (isTooDeep(object, reading, depth)) return undefined;
  const elements = object.namedChildren.filter(({ type }) => type === "object_elem");
  return new Map(
    elements.flatMap(({ namedChildren }) => {
      const [key, value] = namedChildren.filter(({ type }) => type === "expression");
      if (key === undefined || value === undefined) return [];
      const name = unquoted(key.text);
      return [[name, expression(name, value, reading, depth)] as const];
    }),
  );
}

function itemsOf(list: HclNode, reading: Reading, depth: number): Expression["items"] {
  if (isTooDeep(list, reading, depth)) return undefined;
  return list.namedChildren
    .filter(({ type }) => type === "expression")
    .map((each) => expression(undefined, each, reading, depth));
}

function isTooDeep(node: HclNode, reading: Reading, depth: number): boolean {
  if (depth <= MAX_DEPTH) return false;
  reading.tooDeep ??= { ...placeOf(node, reading.file), why: "nested too deep" };
  return true;
}

function unquoted(text: string): string {
  return /^".*"$/s.test(text) ? unescaped(text.slice(1, -1)) : text;
}

function unescaped(text: string): string {
  return text
    .replace(
      /\\(?:u([0-9a-fA-F]{4})|U00([0-9a-fA-F]{6})|(["\\nrt]))/g,
      (whole, four, six, char) => {
        if (char !== undefined) return { n: "\n", r: "\r", t: "\t" }[char as string] ?? char;
        const code = Number.parseInt(four ?? six, 16);
        return code > 0x10ffff ? whole : String.fromCodePoint(code);
      },
    )
    .replace(/([$%])\1\{/g, "$1{");
}

/** The innermost node with the first error. */
function firstError(root: HclNode): HclNode {
  let node = root;
  while (node.type !== "ERROR" && !node.isMissing) {
    const child = node.namedChildren.find(({ hasError }) => hasError);
    if (child === undefined) break;
    node = child;
  }
  return node;
}

function placeOf({ startPosition }: HclNode, file: string): SourceLocation {
  return { file, line: startPosition.row + 1 };
}
