import type { Block, Expression, SourceLocation } from "../../../hcl/syntax.ts";

/** A cloud block, or its older form, a backend of type remote. Both upload the folder. undefined: not a literal. */
export interface CloudBlock extends SourceLocation {
  readonly hostname: string | undefined;
  readonly organization: string | undefined;
  /** Which workspaces it is for; "any": those with some tags, or all. */
  readonly workspaces:
    | { readonly kind: "name"; readonly name: string }
    | { readonly kind: "prefix"; readonly prefix: string }
    | { readonly kind: "any" };
}

/** An override file replaces the block, so the last one counts. */
export function describeCloud(blocks: readonly Block[]): CloudBlock | undefined {
  const block = blocks.at(-1);
  if (block === undefined) return undefined;
  const { attributes, place } = block;
  const inside = block.blocks.find(({ type }) => type === "workspaces")?.attributes;
  const of = inside ?? attributes.get("workspaces")?.fields;
  const [name, prefix] = [textOf(of?.get("name")), textOf(of?.get("prefix"))];
  return {
    ...place,
    hostname: textOf(attributes.get("hostname")),
    organization: textOf(attributes.get("organization")),
    workspaces:
      name !== undefined
        ? { kind: "name", name }
        : prefix !== undefined
          ? { kind: "prefix", prefix }
          : { kind: "any" },
  };
}

function textOf(expression: Expression | undefined): string | undefined {
  return typeof expression?.literal === "string" ? expression.literal : undefined;
}
