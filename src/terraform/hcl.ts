import type { HclNode, ParseHcl } from "../host/host.ts";
import type { Block, Expression, ParsedFile, Place, Reference } from "./syntax.ts";

/** Deeper than any configuration; what is deeper is not looked into. */
const MAX_DEPTH = 64;

/** Reads a .tf text with the grammar. Never fails: a broken part is a problem with its place. */
export function readHcl(parse: ParseHcl, text: string, file: string): ParsedFile {
  return parse(text, (root) => {
    const body = root.namedChildren.find(({ type }) => type === "body");
    const broken = root.hasError ? firstError(root) : undefined;
    return {
      blocks: body === undefined ? [] : partsOf(body, file, 0).blocks,
      references: referencesIn(root, text),
      problem: broken && placeOf(broken, file),
    };
  });
}

function partsOf(body: HclNode, file: string, depth: number): Pick<Block, "attributes" | "blocks"> {
  const attributes = new Map<string, Expression>();
  const blocks: Block[] = [];
  for (const node of body.namedChildren) {
    const { type } = node;
    if (type === "block") {
      if (depth <= MAX_DEPTH) blocks.push(block(node, file, depth));
    } else if (type === "attribute") {
      const [name, value] = node.namedChildren;
      if (name !== undefined && value !== undefined) {
        attributes.set(name.text, expression(value, file, depth));
      }
    }
  }
  return { attributes, blocks };
}

function block(node: HclNode, file: string, depth: number): Block {
  const names: string[] = [];
  let body: HclNode | undefined;
  for (const child of node.namedChildren) {
    const { type } = child;
    if (type === "identifier" || type === "string_lit") names.push(unquoted(child.text));
    else if (type === "body") body = child;
  }
  const [type = "", ...labels] = names;
  const parts =
    body === undefined ? { attributes: new Map(), blocks: [] } : partsOf(body, file, depth + 1);
  return { type, labels, ...parts, place: placeOf(node, file) };
}

function expression(node: HclNode, file: string, depth: number): Expression {
  const inner = only(node);
  const { type } = inner;
  return {
    source: node.text,
    literal: literalOf(type, inner),
    fields: type === "object" ? fieldsOf(inner, file, depth) : undefined,
    items: type === "tuple" ? itemsOf(inner, file, depth) : undefined,
    start: node.startIndex,
    end: node.endIndex,
    place: placeOf(node, file),
  };
}

/** Down through the layers that the grammar puts around a literal or an object. */
function only(node: HclNode): HclNode {
  const { namedChildren } = node;
  const [child] = LAYERS.includes(node.type) && namedChildren.length === 1 ? namedChildren : [];
  return child === undefined ? node : only(child);
}

const LAYERS = ["expression", "literal_value", "collection_value"];

function literalOf(type: string, node: HclNode): Expression["literal"] {
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

function fieldsOf(object: HclNode, file: string, depth: number): Expression["fields"] {
  if (depth > MAX_DEPTH) return undefined;
  const elements = object.namedChildren.filter(({ type }) => type === "object_elem");
  return new Map(
    elements.flatMap(({ namedChildren }) => {
      const [key, value] = namedChildren.filter(({ type }) => type === "expression");
      return key === undefined || value === undefined
        ? []
        : [[unquoted(key.text), expression(value, file, depth + 1)] as const];
    }),
  );
}

function itemsOf(list: HclNode, file: string, depth: number): Expression["items"] {
  if (depth > MAX_DEPTH) return undefined;
  return list.namedChildren
    .filter(({ type }) => type === "expression")
    .map((each) => expression(each, file, depth + 1));
}

function unquoted(text: string): string {
  return text.replace(/^"(.*)"$/s, "$1");
}

const MENTION = "digitalocean_";

/** Only where the text has the word is the grammar asked what it is there. */
function referencesIn(root: HclNode, text: string): Reference[] {
  const references: Reference[] = [];
  for (let at = text.indexOf(MENTION); at >= 0; at = text.indexOf(MENTION, at + 1)) {
    const name = root.namedDescendantForIndex(at);
    if (name?.type === "identifier") references.push(...referenceAt(name));
  }
  return references;
}

function referenceAt(name: HclNode): Reference[] {
  const step = name.parent;
  const siblings = step?.parent?.namedChildren ?? [];
  const at = siblings.findIndex(({ startIndex }) => startIndex === step?.startIndex);
  const isData = step?.type === "get_attr" && siblings[at - 1]?.text === "data";
  if (!isData && step?.type !== "variable_expr") return [];
  const [type = "", label, ...attributes] = [name.text, ...attributesIn(siblings.slice(at + 1))];
  return label !== undefined && type.startsWith(MENTION)
    ? [{ mode: isData ? "data" : "resource", type, name: label, attributes }]
    : [];
}

function attributesIn(steps: readonly HclNode[]): string[] {
  const names: string[] = [];
  for (const { type, namedChildren } of steps) {
    const [inner] = namedChildren;
    if (type === "get_attr") names.push(inner?.text ?? "");
    else if (type === "splat") names.push(...attributesIn(inner?.namedChildren ?? []));
    else if (type !== "index") break;
  }
  return names;
}

/** The same in the text of a template, for the JSON syntax. */
export function referencesInText(text: string): Reference[] {
  const found = text.matchAll(
    /\b(data\.)?(digitalocean_\w+)\.([\w-]+)((?:\.[\w*-]+|\[[^\]]*\])*)/g,
  );
  return Array.from(found, ([, data, type = "", name = "", rest = ""]) => ({
    mode: data === undefined ? ("resource" as const) : ("data" as const),
    type,
    name,
    attributes: rest
      .replace(/\[[^\]]*\]/g, "")
      .split(".")
      .filter((step) => step !== "" && step !== "*"),
  }));
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

function firstError(root: HclNode): HclNode {
  const stack = [root];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (node.type === "ERROR" || node.isMissing) return node;
    stack.push(...node.namedChildren.filter(({ hasError }) => hasError).reverse());
  }
  return root;
}

function placeOf({ startPosition }: HclNode, file: string): Place {
  return { file, line: startPosition.row + 1 };
}
