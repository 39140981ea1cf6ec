import type { ScopeData } from "./data.ts";

/** The scopes that those of a set require, and theirs, without the set itself. */
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

/** The scopes that one requires itself; of one without a page, those that its family shows. */
export function requiresOf(
  scope: string,
  { scopes }: Pick<ScopeData, "scopes">,
): readonly string[] {
  const facts = Object.hasOwn(scopes, scope) ? scopes[scope] : undefined;
  return (facts?.documented ? undefined : facts?.requires_inferred) ?? facts?.requires ?? [];
}
