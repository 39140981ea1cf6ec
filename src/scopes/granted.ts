import type { ScopeData } from "./data.ts";
import type { Needs } from "./needed.ts";

/** What a token grants, next to what is needed. */
export interface Comparison {
  /** Needed, for their own sake or because others require them, and not granted. */
  readonly missing: readonly string[];
  /** Granted, and not needed; of a broad token: which one it is. */
  readonly excess: readonly string[];
}

/**
 * @param granted the token's scopes, as the API names them.
 * @param useful what may be needed besides.
 */
export function compare(
  granted: readonly string[],
  { own, required }: Pick<Needs, "own" | "required">,
  useful: readonly string[],
  data: Pick<ScopeData, "scopes">,
): Comparison {
  const has = (scope: string) => isGranted(granted, scope, data);
  const missing = own.filter(
    ({ scope, reasons }) => !has(scope) && !reasons.every(({ instead = [] }) => instead.some(has)),
  );
  const needed = [...own.map(({ scope }) => scope), ...required];
  return {
    missing: [...missing.map(({ scope }) => scope), ...required.filter((scope) => !has(scope))],
    excess: granted.filter((scope) => !needed.includes(scope) && !useful.includes(scope)),
  };
}

/**
 * @param granted the token's scopes. "read" and "write" are those of before there were custom
 *   scopes: all that reads, and everything (docs/contracts/api.md 7).
 */
export function isGranted(
  granted: readonly string[],
  scope: string,
  { scopes }: Pick<ScopeData, "scopes">,
): boolean {
  const others = Object.hasOwn(scopes, scope) ? (scopes[scope]?.granted_by ?? []) : [];
  return (
    granted.includes("write") ||
    (granted.includes("read") && scope.endsWith(":read")) ||
    [scope, ...others].some((each) => granted.includes(each))
  );
}

/** "full access", "read only", or undefined for a token of custom scopes. */
export function broadAccess(granted: readonly string[]): string | undefined {
  if (granted.includes("write")) return "full access";
  return granted.includes("read") ? "read only" : undefined;
}
