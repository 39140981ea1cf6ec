/** Scopes by "METHOD /path"; null: none is documented. */
export type Operations = Readonly<Record<string, OperationScopes>>;

/** One scope, all scopes of a list, or any one of several. */
export type OperationScopes =
  | string
  | readonly string[]
  | { readonly any_of: readonly string[] }
  | null;

export interface KnownOperation {
  /** Such as "DELETE /v2/droplets/{droplet_id}". */
  readonly name: string;
  readonly scopes: readonly string[];
  /** Any one of the scopes is enough. */
  readonly isAny: boolean;
}

/** Additional scopes for a query; OpenAPI lists scopes only by path. */
const OF_QUERY: Readonly<Record<string, readonly string[]>> = {
  // For docker-credentials: reported for the provider's `write`, which sends this query (terraform-scopes.json).
  "read_write=true": ["registry:create"],
};

/**
 * The operations that a call may be.
 *
 * @param method undefined: all methods of the path.
 */
export function operationsOf(
  {
    method,
    path,
    query,
  }: { readonly method: string | undefined; readonly path: string; readonly query?: string },
  operations: Operations,
): KnownOperation[] {
  const parts = path.replace(/\/$/, "").split("/");
  const fitting = Object.keys(operations).flatMap((name) => {
    const [verb = "", template = ""] = name.split(" ");
    if (method !== undefined && verb !== method) return [];
    const fixed = fixedParts(parts, template.split("/"));
    return fixed === undefined ? [] : [{ name, fixed }];
  });
  // "/v2/droplets/actions" also matches "/v2/droplets/{droplet_id}".
  const best = Math.max(...fitting.map(({ fixed }) => fixed));
  return fitting
    .filter(({ fixed }) => fixed === best)
    .map(({ name }) => ({ name, ...scopesOf(operations[name] ?? null) }))
    .map((known) => (query === undefined ? known : withQuery(known, query)));
}

function withQuery(known: KnownOperation, query: string): KnownOperation {
  if (!known.name.endsWith("/docker-credentials")) return known;
  const scopes = [...(OF_QUERY[query] ?? []), ...known.scopes];
  return { ...known, name: `${known.name}?${query}`, scopes };
}

/** The number of parts that match literally; undefined if the path does not match. */
function fixedParts(parts: readonly string[], template: readonly string[]): number | undefined {
  if (parts.length !== template.length) return undefined;
  let fixed = 0;
  for (const [at, part] of template.entries()) {
    if (part === parts[at]) fixed++;
    else if (!part.startsWith("{") || parts[at] === "") return undefined;
  }
  return fixed;
}

function scopesOf(value: OperationScopes): Pick<KnownOperation, "scopes" | "isAny"> {
  if (value === null) return { scopes: [], isAny: false };
  if (typeof value === "string") return { scopes: [value], isAny: false };
  const isAny = "any_of" in value;
  const all = isAny ? value.any_of : value;
  // "api:write" next to a scope of the resource looks like an alternative (data README).
  const own = all.filter((scope) => !scope.startsWith("api:"));
  return { scopes: own.length > 0 ? own : all, isAny };
}
