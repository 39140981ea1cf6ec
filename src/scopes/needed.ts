import type { SourceLocation } from "../hcl/syntax.ts";
import { type Action, needs, type Phase } from "./action.ts";
import { requiredBy } from "./closure.ts";
import type { Operation, ScopeData } from "./data.ts";

/** Why a scope is needed: the resource, the operation, and the attribute that requires it. */
export interface Reason {
  /** Such as "module.db.digitalocean_database_cluster.main". */
  readonly address: string;
  readonly operation: Operation;
  /** undefined: always. */
  readonly when: string | undefined;
  readonly place: SourceLocation;
  /** Other scopes, any one of which is enough here. */
  readonly instead?: readonly string[];
}

export interface Need {
  readonly scope: string;
  readonly reasons: readonly Reason[];
}

export interface Needs {
  /** Needed by the actions themselves. */
  readonly own: readonly (Need & { readonly phase: Phase })[];
  /** Required by other scopes. */
  readonly required: readonly string[];
  /** Depends on facts that are known only at run time. */
  readonly maybe: readonly (Need & { readonly why: string })[];
  /** Addresses that need Spaces keys instead of a scope. */
  readonly spaces: readonly string[];
  /** Addresses of types that are not in the data. */
  readonly unknown: readonly string[];
}

/**
 * The smallest set of scopes that is certainly enough for these actions, according to the data. Of two alternatives, it
 * contains the weaker one, unless something else needs the stronger one.
 */
export function scopesNeeded(actions: readonly Action[], data: ScopeData): Needs {
  const own = new Map<string, { phase: Phase; reasons: Reason[] }>();
  const open: { stronger: string; weaker: string; reason: Reason; phase: Phase }[] = [];
  const maybe = new Map<string, { reasons: Reason[]; why: string }>();
  const spaces = new Set<string>();
  const unknown = new Set<string>();
  for (const action of actions) {
    const { address, mode, type, operation, place, phase = "create" } = action;
    const known = mode === "data" ? data.dataSources : data.resources;
    const scopes = mode !== "other" && Object.hasOwn(known, type) ? known[type] : undefined;
    if (scopes === undefined) unknown.add(address);
    else if (scopes.credentials === "spaces") spaces.add(address);
    else {
      const reason = { address, operation, when: undefined, place };
      for (const scope of scopes[operation] ?? []) {
        const [weaker] = scopes.alternatives?.[scope] ?? [];
        if (weaker === undefined) add(scope, reason, phase);
        else open.push({ stronger: scope, weaker, reason, phase });
      }
      for (const conditional of scopes.conditional) {
        if (conditional.op !== operation || !needs(action, conditional)) continue;
        add(conditional.scope, { ...reason, when: conditional.when }, phase);
      }
      for (const { op, scope, why } of scopes.maybe ?? []) {
        if (op !== operation) continue;
        const known = maybe.get(scope);
        if (known === undefined) maybe.set(scope, { why, reasons: [reason] });
        else known.reasons.push(reason);
      }
    }
  }
  const sure = new Set(own.keys());
  for (const { stronger, weaker, reason, phase } of open) {
    const [scope, other] = sure.has(stronger) ? [stronger, weaker] : [weaker, stronger];
    add(scope, { ...reason, instead: [other] }, phase);
  }
  const required = requiredBy(own.keys(), data);
  return {
    own: sorted(own, (scope, each) => ({ scope, ...each })),
    required,
    maybe: sorted(maybe, (scope, each) => ({ scope, ...each })).filter(
      ({ scope }) => !own.has(scope) && !required.includes(scope),
    ),
    spaces: [...spaces],
    unknown: [...unknown],
  };

  function add(scope: string, reason: Reason, phase: Phase): void {
    const known = own.get(scope);
    if (known === undefined) own.set(scope, { phase, reasons: [reason] });
    else {
      known.phase = earlier(known.phase, phase);
      known.reasons.push(reason);
    }
  }
}

const ORDER: readonly Phase[] = ["create", "change", "destroy"];

function earlier(one: Phase, other: Phase): Phase {
  return ORDER.indexOf(one) < ORDER.indexOf(other) ? one : other;
}

/** When each scope is needed first, those that others require included. */
export function phasesOf(
  { own }: Pick<Needs, "own">,
  data: Pick<ScopeData, "scopes">,
): ReadonlyMap<string, Phase> {
  const phases = new Map<string, Phase>();
  for (const phase of ORDER) {
    const first = own.filter((need) => need.phase === phase).map(({ scope }) => scope);
    for (const scope of [...first, ...requiredBy(first, data)]) {
      if (!phases.has(scope)) phases.set(scope, phase);
    }
  }
  return phases;
}

function sorted<T, R extends { scope: string }>(
  map: ReadonlyMap<string, T>,
  make: (scope: string, value: T) => R,
): R[] {
  return [...map]
    .map(([scope, value]) => make(scope, value))
    .sort((a, b) => (a.scope < b.scope ? -1 : 1));
}
