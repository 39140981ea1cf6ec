import type { Block } from "../hcl/syntax.ts";
import { groupedBy } from "../lib/grouped.ts";
import type { Action, Phase } from "./action.ts";
import type { Operation } from "./data.ts";
import type { Module } from "./module-tree.ts";
import { isForgotten, isLeftOut, OTHER_MODES } from "./set.ts";

/** create: the first apply, before anything exists. apply: every apply. */
export type Purpose = "plan" | "create" | "apply" | "destroy";

const OPERATIONS: Readonly<Record<Purpose, readonly Operation[]>> = {
  plan: ["read"],
  create: ["create", "read"],
  apply: ["create", "read", "update", "delete"],
  destroy: ["read", "delete"],
};

/** All actions that Terraform may take for a purpose on the code's DigitalOcean resources. */
export function actionsInCode(modules: readonly Module[], purpose: Purpose): Action[] {
  const imports = modules.flatMap(({ blocks }) => blocks.filter(({ type }) => type === "import"));
  // By type and name: a folder that two modules call is read once, under the name of the first.
  const imported = new Set(
    purpose === "destroy"
      ? []
      : imports.flatMap((block) => targets(block, "to").map(({ name }) => name)),
  );
  return modules.flatMap((module) => {
    // An override file may set another count.
    const parts = groupedBy(module.blocks, (block) => addressOf(block, module));
    const there = new Set([...parts].filter(([, all]) => !all.every(isLeftOut)).map(([at]) => at));
    return module.blocks.flatMap((block) => actionsOf(block, module, there));
  });

  /** @param there the addresses with at least one instance. */
  function actionsOf(block: Block, module: Module, there: ReadonlySet<string>): Action[] {
    if (block.type === "removed") return removal(block, module, purpose);
    // A check may contain its own data source.
    if (block.type === "check") {
      return block.blocks.flatMap((each) => ofResource(each, module, there));
    }
    return ofResource(block, module, there);
  }

  function ofResource(block: Block, module: Module, there: ReadonlySet<string>): Action[] {
    const [type = ""] = block.labels;
    const { type: mode, place } = block;
    const address = addressOf(block, module);
    if (!type.startsWith("digitalocean_") || (isLeftOut(block) && !there.has(address))) return [];
    if (OTHER_MODES.includes(mode)) {
      return [{ address, mode: "other", type, operation: "read", place, block, module }];
    }
    if (mode !== "resource" && mode !== "data") return [];
    const isImported = mode === "resource" && imported.has(labelsOf(block));
    // An imported resource exists: the first apply may change or replace it.
    const all = OPERATIONS[isImported && purpose === "create" ? "apply" : purpose];
    const operations: readonly Operation[] = mode === "data" ? ["read"] : all;
    return [...operations, ...(isImported ? (["import"] as const) : [])].map((operation) => ({
      address,
      mode,
      type,
      operation,
      place,
      block,
      module,
      phase: isImported ? "create" : PHASES[operation],
    }));
  }
}

const PHASES: Readonly<Record<Operation, Phase>> = {
  ...{ create: "create", read: "create", import: "create" },
  ...{ update: "change", delete: "destroy" },
};

/** The address without indexes: "module.k.data.digitalocean_droplet.web". */
function addressOf(block: Block, { prefix }: Module): string {
  return `${prefix}${block.type === "resource" ? "" : `${block.type}.`}${labelsOf(block)}`;
}

function labelsOf({ labels }: Block): string {
  return `${labels[0] ?? ""}.${labels[1] ?? ""}`;
}

/** A resource that was removed from the code is read by the next plan, and destroyed by the next apply. */
function removal(block: Block, module: Module, purpose: Purpose): Action[] {
  if (isForgotten(block) || purpose === "create") return [];
  const operations: readonly Operation[] = purpose === "plan" ? ["read"] : ["read", "delete"];
  return targets(block, "from").flatMap(({ path, type, name }) =>
    operations.map((operation) => ({
      address: module.prefix + path + name,
      mode: "resource" as const,
      type,
      operation,
      place: block.place,
      block: undefined,
      module,
      phase: "destroy" as const,
    })),
  );
}

interface Target {
  /** "module.k." for a resource in a module. */
  readonly path: string;
  readonly type: string;
  /** Such as "digitalocean_droplet.web". */
  readonly name: string;
}

/** The resources in `to` or `from`, without indexes. */
function targets({ attributes }: Block, attribute: string): Target[] {
  // No address is longer.
  const source = (attributes.get(attribute)?.source ?? "").slice(0, 1000);
  const found = source
    .replace(/\s+/g, "")
    .matchAll(/((?:module\.[\w-]+\.)*)\b(digitalocean_\w+)\.([\w-]+)/g);
  return Array.from(found, ([, path = "", type = "", label]) => ({
    path,
    type,
    name: `${type}.${label}`,
  }));
}
