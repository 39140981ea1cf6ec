import type { Operations } from "./operations.ts";

/** The data in src/scopes/data. Its README lists the sources. */
export interface ScopeData {
  readonly scopes: Readonly<Record<string, ScopeFacts>>;
  readonly resources: Readonly<Record<string, TypeScopes>>;
  readonly dataSources: Readonly<Record<string, TypeScopes>>;
}

export interface ScopeFacts {
  readonly description: string | null;
  /** Whether its documentation page was read. */
  readonly documented: boolean;
  /** Scopes that a token must have together with it. */
  readonly requires: readonly string[];
  /** The same for a scope without a page, derived from its family or the documented rule. */
  readonly requires_inferred?: readonly string[];
  /** Scopes that grant this one, too. */
  readonly granted_by?: readonly string[];
}

/** What the provider does with a resource or a data source. */
export type Operation = "create" | "read" | "update" | "delete" | "import";

/** The scopes of one type, by operation. Callers add the scopes that these require. */
export interface TypeScopes extends Readonly<Partial<Record<Operation, readonly string[]>>> {
  readonly credentials: "token" | "spaces";
  readonly conditional: readonly Conditional[];
  /** By scope: a weaker one that is also enough for this type. */
  readonly alternatives?: Readonly<Record<string, readonly string[]>>;
  readonly maybe?: readonly {
    readonly op: Operation;
    readonly scope: string;
    readonly why: string;
  }[];
}

export interface Conditional {
  readonly op: Operation;
  readonly scope: string;
  /** An attribute, "block.attribute", or "*". */
  readonly when: string;
  /** Restricts `when`, as text. */
  readonly detail?: string;
  readonly basis: string;
}

/** Loads the data. Only the commands about scopes need it. */
export async function loadScopeData(): Promise<ScopeData> {
  const [scopes, terraform] = await Promise.all([
    import("./data/scopes.json"),
    import("./data/terraform-scopes.json"),
  ]);
  const { resources, data_sources } = terraform.default;
  return {
    scopes: scopes.default.scopes,
    resources: resources as unknown as ScopeData["resources"],
    dataSources: data_sources as unknown as ScopeData["dataSources"],
  };
}

/** Loads the scopes of the API's operations. Only `explain` needs them. */
export async function loadOperations(): Promise<Operations> {
  return (await import("./data/operations.json")).default as Operations;
}
