import { templateOf } from "../hcl/origin.ts";
import { type Read, readsOf } from "../hcl/reads.ts";
import type { Block, Expression } from "../hcl/syntax.ts";
import type { Conditional } from "./data.ts";
import type { Module } from "./module-tree.ts";
import { blocksNamed, isSet } from "./set.ts";

/**
 * Whether the detail of a conditional scope shows that this block does not need it. An unknown detail excludes nothing.
 */
export function isNarrowedOut({ detail }: Conditional, block: Block, module: Module): boolean {
  if (detail === undefined || block.type === "data") return false;
  const kinds = [...detail.matchAll(/do:(\w+):/g)].map(([, kind]) => kind ?? "");
  if (detail.startsWith("for do:"))
    return !holdsAny(kinds, kindsIn(block.attributes.get("resources")));
  if (detail.startsWith("when it holds do:")) return !holdsAny(kinds, kindsHeld(block, module));
  if (detail.startsWith("when the project holds anything")) {
    const held = kindsHeld(block, module);
    return held !== "any" && held.size === 0;
  }
  switch (detail) {
    case "more than one region":
      return (block.attributes.get("regions")?.items?.length ?? 2) < 2;
    case "any setting besides cluster_id":
      return [...block.attributes.keys(), ...block.blocks.map(({ type }) => type)].every((name) =>
        NO_SETTING.has(name),
      );
    case "an alert in the spec sets destinations":
      // In a plan, the spec is an attribute, which is not inspected.
      return !block.attributes.has("spec") && !blocksNamed(block, "spec").some(hasDestinations);
    default:
      return false;
  }
}

const NO_SETTING = new Set([
  "cluster_id",
  "count",
  "for_each",
  "depends_on",
  "lifecycle",
  "provider",
  "connection",
  "provisioner",
  "timeouts",
]);

/** Kinds of URNs; "any" if the code does not tell. A resource without a known kind is "". */
type Kinds = "any" | ReadonlySet<string>;

/** The name of a type in its URN. */
const KIND_OF: Readonly<Record<string, string>> = {
  digitalocean_app: "app",
  digitalocean_volume: "volume",
  digitalocean_database_cluster: "dbaas",
  digitalocean_domain: "domain",
  digitalocean_droplet: "droplet",
  digitalocean_kubernetes_cluster: "kubernetes",
  digitalocean_loadbalancer: "loadbalancer",
  digitalocean_floating_ip: "floatingip",
  digitalocean_reserved_ip: "reservedip",
  digitalocean_spaces_bucket: "space",
};

function holdsAny(kinds: readonly string[], held: Kinds): boolean {
  return held === "any" || kinds.some((kind) => held.has(kind));
}

function kindsIn(written: Expression | undefined): Kinds {
  if (written === undefined || written.literal === null) return new Set();
  const { items, literal } = written;
  if (items !== undefined) return union(items.map(kindsIn));
  if (typeof literal !== "string") return kindsMentioned(written);
  const kind = URN.exec(literal)?.[1];
  return kind === undefined ? "any" : new Set([kind]);
}

function union(all: readonly Kinds[]): Kinds {
  const kinds = new Set<string>();
  for (const each of all) {
    if (each === "any") return "any";
    for (const kind of each) kinds.add(kind);
  }
  return kinds;
}

/** The kind of a literal URN, or of one whose kind is written out: "do:droplet:${var.id}". */
const URN = /^do:(\w+):/;

/**
 * The kinds in `digitalocean_droplet.web[*].urn`, a for expression, a call, or strings with their kind. Anything else,
 * such as a local value, a file or a composed string, may be any URN.
 */
function kindsMentioned(written: Expression): Kinds {
  const template = templateOf(written);
  const reads = template === undefined ? readsOf(written.source) : readsOf(template, true);
  const kinds = new Set<string>();
  // The source of an expression with a secret is empty.
  if (reads === undefined || written.source === "") return "any";
  for (const read of reads) {
    if (read.kind === "reference" && !read.isValue) continue;
    const kind = kindRead(read);
    if (kind === undefined) return "any";
    kinds.add(kind);
  }
  return kinds;
}

function kindRead(read: Read): string | undefined {
  if (read.kind === "other") return undefined;
  if (read.kind === "text") return URN.exec(read.start)?.[1];
  const { type, attributes } = read.reference;
  return attributes.length === 1 && attributes[0] === "urn" ? KIND_OF[type] : undefined;
}

/** What a project may hold, according to all code about projects, in any module. */
function kindsHeld({ attributes }: Block, { blocks, everywhere = blocks }: Module): Kinds {
  const own = kindsIn(attributes.get("resources"));
  const others = HELD.get(everywhere) ?? kindsHeldAnywhere(everywhere);
  HELD.set(everywhere, others);
  return union([own, others]);
}

/** Computed once for all projects: there may be thousands. */
const HELD = new WeakMap<readonly Block[], Kinds>();

function kindsHeldAnywhere(everywhere: readonly Block[]): Kinds {
  const lists = everywhere.filter(
    ({ type, labels }) => type === "resource" && labels[0] === "digitalocean_project_resources",
  );
  const held = lists.map(({ attributes }) => kindsIn(attributes.get("resources")));
  const assigned = everywhere
    .filter((block) => block.type === "resource" && isSet(block, "project_id", false))
    .map(({ labels }) => KIND_OF[labels[0] ?? ""] ?? "");
  return union([...held, new Set(assigned)]);
}

function hasDestinations(block: Block): boolean {
  return block.blocks.some((each) => {
    const isAlert =
      each.type === "alert" || (each.type === "dynamic" && each.labels[0] === "alert");
    return (isAlert && mentions(each, "destinations")) || hasDestinations(each);
  });
}

function mentions(block: Block, name: string): boolean {
  return (
    block.attributes.has(name) ||
    block.blocks.some(
      (each) => each.type === name || each.labels[0] === name || mentions(each, name),
    )
  );
}
