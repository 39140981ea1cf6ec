import { mentionsOf } from "../../../hcl/origin.ts";
import type { Block, SourceLocation } from "../../../hcl/syntax.ts";

/**
 * The variables that the code reads but no file declares, with their first use. Terraform cannot plan without them.
 *
 * @param declared by name.
 */
export function undeclaredIn(
  blocks: readonly Block[],
  declared: ReadonlyMap<string, unknown>,
): ReadonlyMap<string, SourceLocation> {
  const found = new Map<string, SourceLocation>();
  for (const block of blocks) lookIn(block);
  return found;

  function lookIn({ attributes, blocks }: Block): void {
    for (const value of attributes.values()) {
      for (const { kind, name } of mentionsOf(value)) {
        if (kind === "var" && !declared.has(name) && !found.has(name)) found.set(name, value.place);
      }
    }
    for (const inner of blocks) lookIn(inner);
  }
}
