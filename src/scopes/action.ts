import type { Block, Expression } from "../hcl/syntax.ts";
import type { Conditional, Operation } from "./data.ts";
import { isNarrowedOut } from "./details.ts";
import type { Module } from "./module-tree.ts";
import { isEmpty, isSet } from "./set.ts";

/** When something is needed first: at the first apply, for later changes, or when something is deleted. */
export type Phase = "create" | "change" | "destroy";

/** An action that Terraform takes, or may take, on one resource or data source. */
export interface Action {
  /** Such as "module.db.digitalocean_database_cluster.main". */
  readonly address: string;
  /** "other": a kind that the data does not cover. */
  readonly mode: "resource" | "data" | "other";
  readonly type: string;
  readonly operation: Operation;
  readonly place: Block["place"];
  /** Its values; undefined if it is no longer in the code. */
  readonly block: Block | undefined;
  /** The module that contains it. */
  readonly module: Module;
  /** Absent for the actions of a plan. */
  readonly phase?: Phase;
  /** For an update in a plan: the values before it. */
  readonly before?: Block;
  /** The same action in the code, for values that a plan does not know yet or that the API fills in. */
  readonly inCode?: readonly Action[];
}

/** Removes indexes. Keys may contain any text: `module.a["x.y"].digitalocean_droplet.web[0]`. */
export function withoutIndexes(address: string): string {
  return address.replace(/\[(?:\d+|"(?:[^"\\]|\\.)*")\]/g, "");
}

/** Whether the operation needs a conditional scope. Unknown counts as needed. */
export function needs(action: Action, conditional: Conditional): boolean {
  const { block, module, before, inCode = [] } = action;
  // Nothing reads the API's values of a resource that is no longer in the code.
  if (block === undefined) return conditional.basis !== "response_field";
  const isInCode =
    inCode.length === 0 ||
    !isForCode(conditional, block) ||
    inCode.some((each) => needs(each, conditional));
  const isNow = isInCode && !isNarrowedOut(conditional, block, module);
  if (before === undefined) return isNow && isGiven(action, block, conditional);
  // An update also needs the scopes of the old values, and some requests send all values again.
  const { when, basis } = conditional;
  const isSaidAgain = basis === "request_field" && isGiven(action, block, conditional);
  const isLeft = isSet(before, when, false) && !isNarrowedOut(conditional, before, module);
  const changes = when === "*" || isChanged(before, block, when);
  return (isNow && (changes || isSaidAgain)) || (isLeft && changes);
}

/**
 * Whether the code decides: the plan does not know the value yet, the API fills it in, or the condition has a detail.
 */
function isForCode({ when, basis, detail }: Conditional, { attributes }: Block): boolean {
  const [name = "", inner] = when.split(".");
  return basis === "response_field" || detail !== undefined || isOpen(attributes.get(name), inner);
}

function isOpen(value: Expression | undefined, inner: string | undefined): boolean {
  if (value === undefined) return false;
  const { fields, items, literal } = value;
  if (items !== undefined) return items.some((item) => isOpen(item, inner));
  if (fields === undefined) return literal === undefined;
  if (inner !== undefined) return isOpen(fields.get(inner), undefined);
  return [...fields.values()].some((each) => isOpen(each, undefined));
}

function isGiven({ operation, module }: Action, block: Block, conditional: Conditional): boolean {
  const { when } = conditional;
  if (when === "*") return true;
  return (
    isSet(block, when, operation === "update") ||
    (isAnswer(conditional, block) && isAsked(when, block, module))
  );
}

function isChanged(before: Block, after: Block, when: string): boolean {
  const [name = "", inner] = when.split(".");
  const [was, is] = [before, after].map((block) => written(block.attributes.get(name), inner));
  return was === undefined || was !== is;
}

/**
 * A value as text, for comparison; undefined: not known before apply. To the provider, empty and missing are the same.
 */
function written(value: Expression | undefined, inner: string | undefined): string | undefined {
  if (value === undefined || isEmpty(value)) return "";
  const { fields, items, literal } = value;
  if (items !== undefined) {
    // Many lists are sets, so the order is ignored.
    return joined(items.map((item) => written(item, inner)).sort());
  }
  if (fields === undefined) return literal === undefined ? undefined : JSON.stringify(literal);
  if (inner !== undefined) return written(fields.get(inner), undefined);
  const texts = [...fields].map(([name, each]) => {
    const text = written(each, undefined);
    return text === undefined ? undefined : `${name}=${text}`;
  });
  return joined(texts.sort());
}

function joined(texts: readonly (string | undefined)[]): string | undefined {
  return texts.includes(undefined) ? undefined : JSON.stringify(texts);
}

/** Whether the value comes from the API, so that the code need not set it. */
function isAnswer({ basis }: Conditional, { type }: Block): boolean {
  return type === "data" || basis === "response_field";
}

/**
 * Such a value matters only if the code reads it, or the whole resource. The parser has dropped `depends_on` and the
 * like.
 */
function isAsked(when: string, block: Block, { references }: Module): boolean {
  const key = `${block.type} ${block.labels[0]}.${block.labels[1]}`;
  const asked = askedOf(references).get(key);
  const ofElements = askedOf(references).get(OF_ELEMENTS + key);
  const { attributes } = block;
  const hasInstances = attributes.has("count") || attributes.has("for_each");
  if (ofElements !== undefined && !hasInstances) return true;
  const [attribute, inner] = when.split(".");
  const names = inner === undefined ? [attribute] : [`${attribute}.*`, when];
  const itself = askedOfItself(block);
  return [WHOLE, ...names].some((name = "") =>
    [asked, ofElements, itself].some((all) => all?.has(name)),
  );
}

/** The whole resource is read. */
const WHOLE = "";
/** Before the key of a resource: what is read of its elements. */
const OF_ELEMENTS = "each ";
const ASKED = new WeakMap<Module["references"], ReadonlyMap<string, ReadonlySet<string>>>();

/** What the code of a module reads of each resource. Computed once, because there may be thousands of both. */
function askedOf(references: Module["references"]): ReadonlyMap<string, ReadonlySet<string>> {
  const known = ASKED.get(references);
  if (known !== undefined) return known;
  const asked = new Map<string, Set<string>>();
  for (const { mode, type, name, attributes, isElement = false } of references) {
    const key = `${isElement ? OF_ELEMENTS : ""}${mode} ${type}.${name}`;
    const names = asked.get(key) ?? new Set();
    asked.set(key, names);
    for (const asking of asksFor(attributes)) names.add(asking);
  }
  ASKED.set(references, asked);
  return asked;
}

function asksFor([first = WHOLE, second = "*"]: readonly string[]): readonly string[] {
  return first === WHOLE ? [WHOLE] : [first, `${first}.${second}`];
}

/** Blocks in which a resource may refer to itself. */
const WITH_SELF = ["provisioner", "connection", "lifecycle"];
const ITSELF = new WeakMap<Block, ReadonlySet<string>>();

function askedOfItself(block: Block): ReadonlySet<string> {
  const known = ITSELF.get(block);
  if (known !== undefined) return known;
  const texts = block.blocks.filter(({ type }) => WITH_SELF.includes(type)).flatMap(sourcesIn);
  const asked = new Set(
    texts.flatMap((text) =>
      // The source of an expression with a secret is empty.
      text === ""
        ? [WHOLE]
        : Array.from(text.matchAll(/\bself\b(?:\.(\w+)(?:\.(\w+))?)?/g), ([, ...names]) =>
            asksFor(names.filter((name) => name !== undefined)),
          ).flat(),
    ),
  );
  ITSELF.set(block, asked);
  return asked;
}

function sourcesIn({ attributes, blocks }: Block): string[] {
  return [...Array.from(attributes.values(), ({ source }) => source), ...blocks.flatMap(sourcesIn)];
}
