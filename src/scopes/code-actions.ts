import type { Block } from "../hcl/syntax.ts";
import { groupedBy } from "../lib/grouped.ts";
import type { Action } from "./action.ts";
import type { Operation } from "./data.ts";
import type { Module } from "./module-tree.ts";
import { isLeftOut } from "./set.ts";

export type Purpose = "plan" | "apply" | "destroy";

const OPERATIONS: Readonly<Record<Purpose, readonly Operation[]>> = {
  plan: ["read"],
  apply: ["create", "read", "update", "delete"],
  destroy: ["read", "delete"],
};

/** All that Terraform may do for a purpose with what the code names of DigitalOcean. */
export function actionsInCode(modules: readonly Module[], purpose: Purpose): Action[] {
  const imported = new Set(
    purpose === "destroy"
      ? []
      : modules.flatMap(({ blocks, prefix }) =>
          blocks
            .filter(({ type }) => type === "import")
            .flatMap((block) => target(block, "to").map((address) => prefix + address)),
        ),
  );
  return modules.flatMap((module) => {
    // A file of overrides may say another count.
    const parts = groupedBy(module.blocks, (block) => addressOf(block, module));
    const there = new Set([...parts].filter(([, all]) => !all.every(isLeftOut)).map(([at]) => at));
    return module.blocks.flatMap((block) => actionsOf(block, module, there));
  });

  /** @param there the addresses of which there is one or more. */
  function actionsOf(block: Block, module: Module, there: ReadonlySet<string>): Action[] {
    if (block.type === "removed") return purpose === "apply" ? removal(block, module) : [];
    // A check may have a data source of its own.
    if (block.type === "check") {
      return block.blocks.flatMap((each) => ofResource(each, module, there));
    }
    return ofResource(block, module, there);
  }

  function ofResource(block: Block, module: Module, there: ReadonlySet<string>): Action[] {
    const [type = ""] = block.labels;
    const { type: mode, place } = block;
    if ((mode !== "resource" && mode !== "data") || !type.startsWith("digitalocean_")) return [];
    const address = addressOf(block, module);
    if (isLeftOut(block) && !there.has(address)) return [];
    const operations: readonly Operation[] = mode === "data" ? ["read"] : OPERATIONS[purpose];
    return [...operations, ...(imported.has(address) ? (["import"] as const) : [])].map(
      (operation) => ({ address, mode, type, operation, place, block, module }),
    );
  }
}

/** Without indexes: "module.k.data.digitalocean_droplet.web". */
function addressOf({ type: mode, labels }: Block, { prefix }: Module): string {
  return `${prefix}${mode === "data" ? "data." : ""}${labels[0] ?? ""}.${labels[1] ?? ""}`;
}

/** What is taken out of the code is destroyed by the next apply. */
function removal(block: Block, module: Module): Action[] {
  const lifecycle = block.blocks.find(({ type }) => type === "lifecycle");
  if (lifecycle?.attributes.get("destroy")?.literal === false) return [];
  return target(block, "from").map((address) => ({
    address: module.prefix + address,
    mode: "resource",
    type: /digitalocean_\w+/.exec(address)?.[0] ?? "",
    operation: "delete",
    place: block.place,
    block: undefined,
    module,
  }));
}

/** The resource that `to` or `from` names, without indexes: "module.k.digitalocean_droplet.web". */
function target({ attributes }: Block, name: string): string[] {
  // An address; what is longer is none.
  const source = (attributes.get(name)?.source ?? "").slice(0, 1000).replace(/\[[^\]]*\]/g, "");
  return /(?:module\.[\w-]+\.)*digitalocean_\w+\.[\w-]+/.exec(source) ?? [];
}
