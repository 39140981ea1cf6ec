import { isLocalSource } from "../../../hcl/code-files.ts";
import { type Locals, type Mention, mentionsOf } from "../../../hcl/origin.ts";
import type { Block, Expression } from "../../../hcl/syntax.ts";
import { OF_WRITTEN, type Use } from "./module.ts";

/** Removes the uses that don't conflict: a local module may declare its variable as ephemeral. */
export async function usesInWay(
  uses: ReadonlyMap<string, readonly Use[]>,
  ephemeralIn: (source: string) => Promise<ReadonlySet<string>>,
): Promise<ReadonlyMap<string, readonly Use[]>> {
  const left = new Map<string, readonly Use[]>();
  for (const [name, all] of uses) {
    const inWay: Use[] = [];
    for (const use of all) {
      const { source = "", argument = "" } = use.module ?? {};
      if (!isLocalSource(source) || !(await ephemeralIn(source)).has(argument)) inWay.push(use);
    }
    if (inWay.length > 0) left.set(name, inWay);
  }
  return left;
}

/**
 * Finds uses of variables, directly or through locals, where an ephemeral value is not allowed
 * (docs/contracts/terraform.md 3.3): resources, data sources, outputs, and modules whose own variable is not ephemeral.
 * Providers, provisioners, connections and conditions allow one.
 *
 * @param names the variables to check.
 * @param written values that a variable could replace. Their uses are listed under OF_WRITTEN.
 */
export function usesOf(
  blocks: readonly Block[],
  locals: Locals,
  names: readonly string[],
  written: ReadonlySet<Expression>,
): ReadonlyMap<string, readonly Use[]> {
  const found = new Map<string, readonly Use[]>();
  const takers = blocks.flatMap(takersIn);
  if (takers.length === 0) return found;
  let carriedBy: ReadonlyMap<string, readonly string[]> | undefined;
  for (const name of new Set([...names, OF_WRITTEN])) {
    const carriers = new Set([`var.${name}`]);
    const isIn = (value: Expression) =>
      mentionsIn(value, written).some((each) => carriers.has(`${each.kind}.${each.name}`));
    // Little code passes the token's variable on, so texts without its name are not parsed.
    const mayHave = mayMention(name, written);
    if ([...locals.values()].some(mayHave)) {
      carriedBy ??= mentionedBy(locals, written);
      // The loop also visits carriers that it adds.
      for (const carrier of carriers) {
        for (const local of carriedBy.get(carrier) ?? []) carriers.add(`local.${local}`);
      }
    }
    const isCarried = carriers.size > 1;
    const uses = takers.flatMap(({ value, ...use }) =>
      (isCarried || mayHave(value)) && isIn(value) ? use : [],
    );
    if (uses.length > 0) found.set(name, uses);
  }
  return found;
}

function mayMention(name: string, written: ReadonlySet<Expression>) {
  // The source of an expression with a secret is empty.
  return ({ source }: Expression): boolean =>
    source === ""
      ? written.size > 0 || name !== OF_WRITTEN
      : name !== OF_WRITTEN && source.includes(name);
}

/** For each variable or local, the locals that mention it. */
function mentionedBy(
  locals: Locals,
  written: ReadonlySet<Expression>,
): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const [local, value] of locals) {
    for (const { kind, name } of mentionsIn(value, written)) {
      const key = `${kind}.${name}`;
      const those = found.get(key) ?? [];
      those.push(local);
      found.set(key, those);
    }
  }
  return found;
}

function mentionsIn(value: Expression, written: ReadonlySet<Expression>): readonly Mention[] {
  const mentions = mentionsOf(value);
  const isWritten = written.size > 0 && holdsAny(value, written);
  return isWritten ? [...mentions, { kind: "var", name: OF_WRITTEN }] : mentions;
}

function holdsAny(value: Expression, written: ReadonlySet<Expression>): boolean {
  if (written.has(value)) return true;
  const parts = [...(value.fields?.values() ?? []), ...(value.items ?? [])];
  return parts.some((each) => holdsAny(each, written));
}

interface Taker extends Use {
  readonly value: Expression;
}

function takersIn(block: Block): Taker[] {
  const { type, labels, attributes, blocks } = block;
  const taken = (what: string, name: string): Taker[] => {
    const value = attributes.get(name);
    return value === undefined ? [] : [{ what, place: value.place, value }];
  };
  switch (type) {
    case "resource":
      return inResource(block, labels.join("."));
    case "data":
      return inResource(block, `data.${labels.join(".")}`);
    case "check":
      return blocks.filter((each) => each.type === "data").flatMap(takersIn);
    case "output":
      return taken(`output "${labels[0]}"`, "value").map((taker) =>
        attributes.get("sensitive")?.literal === true ? taker : { ...taker, isShown: true },
      );
    case "import":
      return taken("import", "id");
    case "module":
      return inModule(block);
    default:
      return [];
  }
}

function inModule({ labels, attributes }: Block): Taker[] {
  const what = `module.${labels[0]}`;
  const source = String(attributes.get("source")?.literal ?? "");
  return [...attributes].flatMap(([argument, value]) => {
    if (OF_MODULES.has(argument)) return [];
    const isCount = argument === "count" || argument === "for_each";
    const taker = { what, place: value.place, value };
    return isCount ? taker : { ...taker, module: { source, argument } };
  });
}

const OF_MODULES: ReadonlySet<string> = new Set(["source", "version", "providers", "depends_on"]);
const EPHEMERAL_BLOCKS: ReadonlySet<string> = new Set(["provisioner", "connection", "lifecycle"]);

function inResource({ attributes, blocks }: Block, what: string): Taker[] {
  const own = [...attributes].flatMap(([name, value]) =>
    // Write-only arguments accept ephemeral values.
    name.endsWith("_wo") ? [] : { what, place: value.place, value },
  );
  const inner = blocks.filter(({ type }) => !EPHEMERAL_BLOCKS.has(type));
  return [...own, ...inner.flatMap((each) => inResource(each, what))];
}
