import type { ScopeData } from "./data.ts";
import type { Needs } from "./needed.ts";

/** A token's scopes compared with the needed ones. */
export interface Comparison {
  /** Needed, directly or because others require them, but not granted. */
  readonly missing: readonly string[];
  /** Granted but not needed. For a broad token: its kind. */
  readonly excess: readonly string[];
}

/**
 * @param granted the token's scopes, as the API names them.
 * @param useful scopes that may be needed, too.
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
 * @param granted the token's scopes. "read" and "write" are from before custom scopes: read access to everything, and
 *   full access (docs/contracts/api.md 7).
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

/** "full access", "read only", or undefined for a token with custom scopes. */
export function broadAccess(granted: readonly string[]): string | undefined {
  if (granted.includes("write")) return "full access";
  return granted.includes("read") ? "read only" : undefined;
}
