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

function kindsIn(list: Expression | undefined): Kinds {
  if (list === undefined || list.literal === null) return new Set();
  if (list.items === undefined) return kindsMentioned(list.source);
  const kinds = list.items.map(kindOf);
  return kinds.includes(undefined) ? "any" : new Set(kinds.filter((kind) => kind !== undefined));
}

/**
 * The kinds in `digitalocean_droplet.web[*].urn`, a for expression or a call, if every word in it is known. Anything
 * else, such as a local value, a file or a composed string, may be any URN.
 */
function kindsMentioned(source: string): Kinds {
  // Strips the wrapper of 0.11 and of JSON.
  const wrapped = /^\s*"\$\{(.*)\}"\s*$/s.exec(source)?.[1];
  const text = wrapped?.replaceAll('\\"', '"') ?? source;
  const variables = [...text.matchAll(/\bfor\s+(\w+)(?:\s*,\s*(\w+))?\s+in\b/g)].flatMap(
    ([, ...names]) => names,
  );
  const kinds = new Set<string>();
  for (const { groups: { kind, type, word, odd } = {} } of text.matchAll(WORDS)) {
    const known = kind ?? KIND_OF[type ?? ""];
    if (known !== undefined) kinds.add(known);
    const isKnown = word === undefined || variables.includes(word) || PASSING.has(word);
    if (odd !== undefined || !isKnown || (type !== undefined && known === undefined)) return "any";
  }
  return kinds.size === 0 ? "any" : kinds;
}

/** A literal URN, a resource with its steps and indexes, a step, another word, and anything that is not analyzed. */
const WORDS =
  /"do:(?<kind>\w+):[^"$%\\]*"|(?:\bdata\s*\.\s*)?\b(?<type>digitalocean_\w+)(?:\s*\.\s*[\w*-]+|\[[^[\]]{0,200}\])*|\.\s*[\w*-]+|(?<word>[A-Za-z_][\w-]*)|(?<odd>["$%<#\\]|\/[/*])/g;

/** Words that build a list from others and add nothing to it. */
const PASSING: ReadonlySet<string | undefined> = new Set(
  "for in if else null true false concat flatten compact distinct tolist toset sort reverse values try one coalescelist setunion slice merge".split(
    " ",
  ),
);

function kindOf({ literal, source }: Expression): string | undefined {
  if (typeof literal === "string") return /^do:(\w+):/.exec(literal)?.[1];
  const reference =
    /^"?(?:\$\{\s*)?(?:data\.)?(digitalocean_\w+)\.[\w-]+(?:\[[^\]]*\])?\.urn(?:\s*\})?"?$/;
  return KIND_OF[reference.exec(source.trim())?.[1] ?? ""];
}

/** What a project may hold, according to all code about projects, in any module. */
function kindsHeld({ attributes }: Block, { blocks, everywhere = blocks }: Module): Kinds {
  const own = kindsIn(attributes.get("resources"));
  const others = HELD.get(everywhere) ?? kindsHeldAnywhere(everywhere);
  HELD.set(everywhere, others);
  return own === "any" || others === "any" ? "any" : new Set([...own, ...others]);
}

/** Computed once for all projects: there may be thousands. */
const HELD = new WeakMap<readonly Block[], Kinds>();

function kindsHeldAnywhere(everywhere: readonly Block[]): Kinds {
  const lists = everywhere.filter(
    ({ type, labels }) => type === "resource" && labels[0] === "digitalocean_project_resources",
  );
  const held = lists.map(({ attributes }) => kindsIn(attributes.get("resources")));
  if (held.includes("any")) return "any";
  const assigned = everywhere
    .filter((block) => block.type === "resource" && isSet(block, "project_id", false))
    .map(({ labels }) => KIND_OF[labels[0] ?? ""] ?? "");
  return new Set([...held.flatMap((kinds) => (kinds === "any" ? [] : [...kinds])), ...assigned]);
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
