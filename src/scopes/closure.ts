import type { ScopeData } from "./data.ts";

/** The scopes that those of a set require, and theirs, without the set itself. */
export function requiredBy(own: Iterable<string>, { scopes }: Pick<ScopeData, "scopes">): string[] {
  const set = new Set(own);
  const added = new Set<string>();
  const visit = (scope: string): void => {
    for (const each of requiresOf(scope)) {
      if (set.has(each) || added.has(each)) continue;
      added.add(each);
      visit(each);
    }
  };
  for (const scope of set) visit(scope);
  return [...added].sort();

  function requiresOf(scope: string): readonly string[] {
    const facts = Object.hasOwn(scopes, scope) ? scopes[scope] : undefined;
    return (facts?.documented ? undefined : facts?.requires_inferred) ?? facts?.requires ?? [];
  }
}
