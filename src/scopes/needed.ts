import type { Block, Place } from "../terraform/syntax.ts";
import { requiredBy } from "./closure.ts";
import type { Conditional, Operation, ScopeData, TypeScopes } from "./data.ts";
import { isNarrowedOut } from "./details.ts";
import type { Module } from "./module-tree.ts";
import { isLeftOut, isSet } from "./set.ts";

export type Purpose = "plan" | "apply" | "destroy";

/** Why a scope is needed: a resource, what is done with it, and the attribute that asks for it. */
export interface Reason {
  /** Such as "module.db.digitalocean_database_cluster.main". */
  readonly address: string;
  readonly operation: Operation;
  /** undefined: always. */
  readonly when: string | undefined;
  readonly place: Place;
}

export interface Need {
  readonly scope: string;
  readonly reasons: readonly Reason[];
}

export interface Needs {
  /** For their own sake. */
  readonly own: readonly Need[];
  /** Because others require them. */
  readonly required: readonly string[];
  /** Depends on what only shows at run time. */
  readonly maybe: readonly (Need & { readonly why: string })[];
  /** Addresses that need Spaces keys instead of a scope. */
  readonly spaces: readonly string[];
  /** Addresses of types that the data does not know. */
  readonly unknown: readonly string[];
}

const OPERATIONS: Readonly<Record<Purpose, readonly Operation[]>> = {
  plan: ["read"],
  apply: ["create", "read", "update", "delete"],
  destroy: ["read", "delete"],
};

/** The smallest set of scopes for a purpose that is sure to do, as far as the code says. */
export function scopesNeeded(modules: readonly Module[], purpose: Purpose, data: ScopeData): Needs {
  const own = new Map<string, Reason[]>();
  const maybe = new Map<string, { reasons: Reason[]; why: string }>();
  const spaces: string[] = [];
  const unknown: string[] = [];
  const imported = new Set(
    modules.flatMap(({ blocks, prefix }) =>
      blocks
        .filter(({ type }) => type === "import")
        .flatMap((block) => target(block, "to").map((address) => prefix + address)),
    ),
  );
  for (const module of modules) {
    for (const block of module.blocks) {
      if (block.type === "removed") countRemoved(block);
      // A check may have a data source of its own.
      for (const each of block.type === "check" ? block.blocks : [block]) {
        const isOurs = /^(resource|data)$/.test(each.type) && isOfDigitalOcean(each);
        if (isOurs && !isLeftOut(each)) count(each, module);
      }
    }
  }
  const required = requiredBy(own.keys(), data);
  return {
    own: sorted(own, (scope, reasons) => ({ scope, reasons })),
    required,
    maybe: sorted(maybe, (scope, each) => ({ scope, ...each })).filter(
      ({ scope }) => !own.has(scope) && !required.includes(scope),
    ),
    spaces,
    unknown,
  };

  function count(block: Block, module: Module): void {
    const [type = "", name = ""] = block.labels;
    const isData = block.type === "data";
    const address = `${module.prefix}${isData ? "data." : ""}${type}.${name}`;
    const scopes = (isData ? data.dataSources : data.resources)[type];
    if (scopes === undefined) unknown.push(address);
    else if (scopes.credentials === "spaces") spaces.push(address);
    else {
      const isImport = imported.has(address) && purpose !== "destroy";
      const operations = isData
        ? (["read"] as const)
        : [...OPERATIONS[purpose], ...(isImport ? (["import"] as const) : [])];
      for (const operation of operations) {
        countOperation(scopes, operation, { block, module, address });
      }
    }
  }

  function countOperation(
    scopes: TypeScopes,
    operation: Operation,
    { block, module, address }: { block: Block; module: Module; address: string },
  ): void {
    const reason = { address, operation, when: undefined, place: block.place };
    for (const scope of scopes[operation] ?? []) add(scope, reason);
    for (const conditional of scopes.conditional) {
      if (conditional.op !== operation || !applies(conditional, block, module)) continue;
      add(conditional.scope, { ...reason, when: conditional.when });
    }
    for (const { op, scope, why } of scopes.maybe ?? []) {
      if (op !== operation) continue;
      const known = maybe.get(scope) ?? { reasons: [], why };
      maybe.set(scope, { why: known.why, reasons: [...known.reasons, reason] });
    }
  }

  /** What is taken out of the code is destroyed by the next apply. */
  function countRemoved(block: Block): void {
    const lifecycle = block.blocks.find(({ type }) => type === "lifecycle");
    if (purpose !== "apply" || lifecycle?.attributes.get("destroy")?.literal === false) return;
    for (const address of target(block, "from")) {
      const scopes = data.resources[/digitalocean_\w+/.exec(address)?.[0] ?? ""];
      for (const scope of scopes?.delete ?? []) {
        add(scope, { address, operation: "delete", when: undefined, place: block.place });
      }
    }
  }

  function add(scope: string, reason: Reason): void {
    const reasons = own.get(scope) ?? [];
    own.set(scope, [...reasons, reason]);
  }
}

function applies(conditional: Conditional, block: Block, module: Module): boolean {
  const { when, op } = conditional;
  if (isNarrowedOut(conditional, block, module)) return false;
  if (when === "*") return true;
  return (
    isSet(block, when, op === "update") ||
    (isAnswer(conditional, block) && isAsked(when, block, module))
  );
}

/** What the API answers need not be set by anybody. */
function isAnswer({ basis }: Conditional, { type }: Block): boolean {
  return type === "data" || basis === "response_field";
}

/** It matters where the code asks for it; `depends_on` and the like name a resource as a whole. */
function isAsked(when: string, block: Block, { references }: Module): boolean {
  const [attribute, inner] = when.split(".");
  return references.some(({ mode, type, name, attributes }) => {
    if (mode !== block.type || type !== block.labels[0] || name !== block.labels[1]) return false;
    const [first, second] = attributes;
    if (first === undefined) return mode === "data";
    return first === attribute && (inner === undefined || second === undefined || second === inner);
  });
}

function isOfDigitalOcean({ labels: [type = ""] }: Block): boolean {
  return type.startsWith("digitalocean_");
}

/** The resource that `to` or `from` names, without indexes: "module.k.digitalocean_droplet.web". */
function target({ attributes }: Block, name: string): string[] {
  const source = (attributes.get(name)?.source ?? "").replace(/\[[^\]]*\]/g, "");
  return /(?:module\.[\w-]+\.)*digitalocean_\w+\.[\w-]+/.exec(source) ?? [];
}

function sorted<T, R extends { scope: string }>(
  map: ReadonlyMap<string, T>,
  make: (scope: string, value: T) => R,
): R[] {
  return [...map]
    .map(([scope, value]) => make(scope, value))
    .sort((a, b) => (a.scope < b.scope ? -1 : 1));
}
