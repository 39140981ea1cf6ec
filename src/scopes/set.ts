import type { Block, Expression } from "../hcl/syntax.ts";

/** True for a block without instances, whatever the variables: `count = 0`, `for_each = {}`. */
export function isLeftOut({ attributes }: Block): boolean {
  const forEach = attributes.get("for_each");
  return attributes.get("count")?.literal === 0 || (forEach !== undefined && isEmpty(forEach));
}

/** True for a `removed` block that keeps the resource: Terraform does not even read it. */
export function isForgotten({ blocks }: Block): boolean {
  const lifecycle = blocks.find(({ type }) => type === "lifecycle");
  return lifecycle?.attributes.get("destroy")?.literal === false;
}

/** Blocks with provider types that are neither resources nor data sources. The data does not cover them. */
export const OTHER_MODES: readonly string[] = ["ephemeral", "action", "list"];

/**
 * Whether an attribute or a block is set; "a.b" looks into blocks and objects. A value that cannot be known without
 * evaluation counts as set.
 *
 * @param orWas also count a value that is empty or false now, because it may have had another value before.
 */
export function isSet(block: Block, path: string, orWas: boolean): boolean {
  const [name = "", inner] = path.split(".");
  const nested = blocksNamed(block, name);
  if (inner === undefined) {
    const attribute = block.attributes.get(name);
    return nested.length > 0 || (attribute !== undefined && hasValue(attribute, orWas));
  }
  const attribute = block.attributes.get(name);
  return (
    nested.some((each) => isSet(each, inner, orWas)) ||
    (attribute !== undefined && holds(attribute, inner, orWas))
  );
}

/** Nested blocks with a name, and the contents of `dynamic` blocks with that name. */
export function blocksNamed(block: Block, name: string): Block[] {
  return block.blocks.flatMap((each) => {
    if (each.type === name) return each;
    if (each.type !== "dynamic") return [];
    // In JSON, the name is a key in the body, not a label.
    const dynamics = each.labels.length > 0 ? [each] : each.blocks;
    return dynamics
      .filter(({ labels, type }) => (labels[0] ?? type) === name)
      .flatMap(({ blocks }) => blocks.filter(({ type }) => type === "content"));
  });
}

function holds(value: Expression, field: string, orWas: boolean): boolean {
  const { fields, items } = value;
  if (items !== undefined) return items.some((item) => holds(item, field, orWas));
  if (fields === undefined) return hasValue(value, false);
  const inner = fields.get(field);
  return inner !== undefined && hasValue(inner, orWas);
}

function hasValue(value: Expression, orWas: boolean): boolean {
  if (value.literal === null) return false;
  return orWas || !isEmpty(value);
}

const EMPTY_COLLECTION = /^"?(\$\{)?\s*to(set|list|map)\(\s*(\[\s*\]|\{\s*\})\s*\)\s*\}?"?$/;

/** The provider sees false, 0, "" and null if nothing is set. */
export function isEmpty({ literal, fields, items, source }: Expression): boolean {
  return (
    literal === null ||
    literal === false ||
    literal === "" ||
    literal === 0 ||
    fields?.size === 0 ||
    items?.length === 0 ||
    EMPTY_COLLECTION.test(source)
  );
}
