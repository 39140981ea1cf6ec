import type { Block } from "../hcl/syntax.ts";
import { groupedBy } from "../lib/grouped.ts";
import type { Action } from "./action.ts";
import type { Operation } from "./data.ts";
import type { Module } from "./module-tree.ts";
import { isForgotten, isLeftOut, OTHER_MODES } from "./set.ts";

export type Purpose = "plan" | "apply" | "destroy";

const OPERATIONS: Readonly<Record<Purpose, readonly Operation[]>> = {
  plan: ["read"],
  apply: ["create", "read", "update", "delete"],
  destroy: ["read", "delete"],
};

/** All that Terraform may do for a purpose with what the code names of DigitalOcean. */
export function actionsInCode(modules: readonly Module[], purpose: Purpose): Action[] {
  const imports = modules.flatMap(({ blocks }) => blocks.filter(({ type }) => type === "import"));
  // By type and name: a folder that two modules call is read once, under the first one's name.
  const imported = new Set(
    purpose === "destroy"
      ? []
      : imports.flatMap((block) => targets(block, "to").map(({ name }) => name)),
  );
  return modules.flatMap((module) => {
    // A file of overrides may say another count.
    const parts = groupedBy(module.blocks, (block) => addressOf(block, module));
    const there = new Set([...parts].filter(([, all]) => !all.every(isLeftOut)).map(([at]) => at));
    return module.blocks.flatMap((block) => actionsOf(block, module, there));
  });

  /** @param there the addresses of which there is one or more. */
  function actionsOf(block: Block, module: Module, there: ReadonlySet<string>): Action[] {
    if (block.type === "removed") return removal(block, module, purpose);
    // A check may have a data source of its own.
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
    const operations: readonly Operation[] = mode === "data" ? ["read"] : OPERATIONS[purpose];
    const isImported = mode === "resource" && imported.has(labelsOf(block));
    return [...operations, ...(isImported ? (["import"] as const) : [])].map((operation) => ({
      address,
      mode,
      type,
      operation,
      place,
      block,
      module,
    }));
  }
}

/** Without indexes: "module.k.data.digitalocean_droplet.web". */
function addressOf(block: Block, { prefix }: Module): string {
  return `${prefix}${block.type === "resource" ? "" : `${block.type}.`}${labelsOf(block)}`;
}

function labelsOf({ labels }: Block): string {
  return `${labels[0] ?? ""}.${labels[1] ?? ""}`;
}

/** What is taken out of the code is read by the next plan, and destroyed by the next apply. */
function removal(block: Block, module: Module, purpose: Purpose): Action[] {
  if (isForgotten(block)) return [];
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
    })),
  );
}

interface Target {
  /** "module.k." of one in a module. */
  readonly path: string;
  readonly type: string;
  /** Such as "digitalocean_droplet.web". */
  readonly name: string;
}

/** The resources that `to` or `from` names, without indexes. */
function targets({ attributes }: Block, attribute: string): Target[] {
  // An address; what is longer is none.
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
