import type { ScopeData } from "./data.ts";

/** All scopes that the given ones require, directly or indirectly, without the given ones. */
export function requiredBy(own: Iterable<string>, data: Pick<ScopeData, "scopes">): string[] {
  const set = new Set(own);
  const added = new Set<string>();
  const visit = (scope: string): void => {
    for (const each of requiresOf(scope, data)) {
      if (set.has(each) || added.has(each)) continue;
      added.add(each);
      visit(each);
    }
  };
  for (const scope of set) visit(scope);
  return [...added].sort();
}

/** The scopes that one scope requires directly; for a scope without a page, those inferred from its family. */
export function requiresOf(
  scope: string,
  { scopes }: Pick<ScopeData, "scopes">,
): readonly string[] {
  const facts = Object.hasOwn(scopes, scope) ? scopes[scope] : undefined;
  return (facts?.documented ? undefined : facts?.requires_inferred) ?? facts?.requires ?? [];
}
