/** What a token grants, next to what is needed. */
export interface Comparison {
  /** Needed, for their own sake or because others require them, and not granted. */
  readonly missing: readonly string[];
  /** Granted, and not needed; of a broad token: which one it is. */
  readonly excess: readonly string[];
}

/**
 * @param granted the token's scopes, as the API names them. "read" and "write" are those of before
 *   there were custom scopes: all that reads, and everything (docs/contracts/api.md 7).
 * @param useful what is needed or may be.
 */
export function compare(
  granted: readonly string[],
  needed: readonly string[],
  useful: readonly string[],
): Comparison {
  const isGranted = (scope: string) =>
    granted.includes("write") ||
    granted.includes(scope) ||
    (granted.includes("read") && scope.endsWith(":read"));
  return {
    missing: needed.filter((scope) => !isGranted(scope)),
    excess: granted.filter((scope) => !needed.includes(scope) && !useful.includes(scope)),
  };
}

/** "full access", "read only", or undefined for a token of custom scopes. */
export function broadAccess(granted: readonly string[]): string | undefined {
  if (granted.includes("write")) return "full access";
  return granted.includes("read") ? "read only" : undefined;
}
