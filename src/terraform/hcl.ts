import type { HclNode, ParseHcl } from "../host/host.ts";
import type { Block, Expression, ParsedFile, Place, Reference } from "./syntax.ts";

/** Deeper than any configuration; what is deeper is not looked into. */
const MAX_DEPTH = 64;

/** Reads a .tf text with the grammar. Never fails: a broken part is a problem with its place. */
export function readHcl(parse: ParseHcl, text: string, file: string): ParsedFile {
  return parse(text, (root) => {
    const body = root.children.find(({ type }) => type === "body");
    const broken = root.hasError ? firstError(root) : undefined;
    return {
      blocks: body === undefined ? [] : blocksOf(body, file, 0),
      references: body === undefined ? [] : referencesIn(body, 0),
      problem: broken && placeOf(broken, file),
    };
  });
}

function blocksOf(body: HclNode, file: string, depth: number): Block[] {
  if (depth > MAX_DEPTH) return [];
  return body.children
    .filter(({ type }) => type === "block")
    .map((node) => block(node, file, depth));
}

function block(node: HclNode, file: string, depth: number): Block {
  const [type, ...labels] = node.children
    .filter(({ type }) => type === "identifier" || type === "string_lit")
    .map(({ text }) => text.replace(/^"(.*)"$/s, "$1"));
  const body = node.children.find(({ type }) => type === "body");
  const attributes = (body?.children ?? []).filter(({ type }) => type === "attribute");
  return {
    type: type ?? "",
    labels,
    attributes: new Map(
      attributes.flatMap(({ children: [name, value] }) =>
        name === undefined || value === undefined
          ? []
          : [[name.text, expression(value, file, depth)] as const],
      ),
    ),
    blocks: body === undefined ? [] : blocksOf(body, file, depth + 1),
    place: placeOf(node, file),
  };
}

function expression(node: HclNode, file: string, depth: number): Expression {
  return {
    source: node.text,
    literal: literalOf(node),
    fields: fieldsOf(node, file, depth),
    items: itemsOf(node, file, depth),
    start: node.startIndex,
    end: node.endIndex,
    place: placeOf(node, file),
  };
}

function literalOf(node: HclNode): Expression["literal"] {
  const inner = only(node);
  switch (inner?.type) {
    case "numeric_lit":
      return Number(inner.text);
    case "bool_lit":
      return inner.text === "true";
    case "null_lit":
      return null;
    case "string_lit":
      return unescaped(inner.text.slice(1, -1));
    default:
      return undefined;
  }
}

/** Down through the layers that the grammar puts around a literal or an object. */
function only(node: HclNode | undefined): HclNode | undefined {
  const layers = ["expression", "literal_value", "collection_value"];
  return node !== undefined && layers.includes(node.type) && node.children.length === 1
    ? only(node.children[0])
    : node;
}

function fieldsOf(node: HclNode, file: string, depth: number): Expression["fields"] {
  const object = only(node);
  if (object?.type !== "object" || depth > MAX_DEPTH) return undefined;
  const elements = object.children.filter(({ type }) => type === "object_elem");
  return new Map(
    elements.flatMap(({ children }) => {
      const [key, value] = children.filter(({ type }) => type === "expression");
      return key === undefined || value === undefined
        ? []
        : [[key.text.replace(/^"(.*)"$/s, "$1"), expression(value, file, depth + 1)] as const];
    }),
  );
}

function itemsOf(node: HclNode, file: string, depth: number): Expression["items"] {
  const list = only(node);
  if (list?.type !== "tuple" || depth > MAX_DEPTH) return undefined;
  return list.children
    .filter(({ type }) => type === "expression")
    .map((each) => expression(each, file, depth + 1));
}

const MENTION = "digitalocean_";

/** Only where the text has the word. */
function referencesIn(node: HclNode, depth: number): Reference[] {
  if (depth > MAX_REFERENCE_DEPTH || !node.text.includes(MENTION)) return [];
  const { children } = node;
  return children.flatMap((child, at) =>
    child.type === "variable_expr"
      ? referenceOf(child.text, children.slice(at + 1))
      : referencesIn(child, depth + 1),
  );
}

/** Expressions nest by layers of three or four nodes. */
const MAX_REFERENCE_DEPTH = 400;

function referenceOf(root: string, steps: readonly HclNode[]): Reference[] {
  const names: string[] = [root];
  for (const { type, children } of steps) {
    const [step] = children;
    if (type === "get_attr") names.push(step?.text ?? "");
    else if (type === "splat") {
      names.push(
        ...(step?.children ?? []).flatMap(({ type, children }) =>
          type === "get_attr" ? (children[0]?.text ?? "") : [],
        ),
      );
    } else if (type !== "index") break;
  }
  const mode = root === "data" ? "data" : "resource";
  const [type = "", name, ...attributes] = mode === "data" ? names.slice(1) : names;
  return name !== undefined && type.startsWith(MENTION) ? [{ mode, type, name, attributes }] : [];
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
    stack.push(...node.children.filter(({ hasError }) => hasError).reverse());
  }
  return root;
}

function placeOf({ line }: HclNode, file: string): Place {
  return { file, line };
}
