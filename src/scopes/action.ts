import type { Block, Expression } from "../hcl/syntax.ts";
import type { Conditional, Operation } from "./data.ts";
import { isNarrowedOut } from "./details.ts";
import type { Module } from "./module-tree.ts";
import { isEmpty, isSet } from "./set.ts";

/** What Terraform does, or may do, with one resource or data source. */
export interface Action {
  /** Such as "module.db.digitalocean_database_cluster.main". */
  readonly address: string;
  /** "other": of a kind that no data tells of. */
  readonly mode: "resource" | "data" | "other";
  readonly type: string;
  readonly operation: Operation;
  readonly place: Block["place"];
  /** Its values; undefined where the code has them no longer. */
  readonly block: Block | undefined;
  /** What stands beside it. */
  readonly module: Module;
  /** Of an update that a plan states: its values until now. */
  readonly before?: Block;
  /** The same as the code has it, for what a plan does not know yet or the API fills in. */
  readonly inCode?: readonly Action[];
}

/** Keys may hold anything: `module.a["x.y"].digitalocean_droplet.web[0]`. */
export function withoutIndexes(address: string): string {
  return address.replace(/\[(?:\d+|"(?:[^"\\]|\\.)*")\]/g, "");
}

/** Whether a conditional scope of its type's operation is needed; what cannot be known counts. */
export function needs(action: Action, conditional: Conditional): boolean {
  const { block, module, before, inCode = [] } = action;
  // Of what the code has no longer nobody asks what the API fills in.
  if (block === undefined) return conditional.basis !== "response_field";
  const isInCode =
    inCode.length === 0 ||
    !isForCode(conditional, block) ||
    inCode.some((each) => needs(each, conditional));
  const isNow = isInCode && !isNarrowedOut(conditional, block, module);
  if (before === undefined) return isNow && isGiven(action, block, conditional);
  // An update asks for what it leaves behind too; and some requests say it all again.
  const { when, basis } = conditional;
  const isSaidAgain = basis === "request_field" && isGiven(action, block, conditional);
  const isLeft = isSet(before, when, false) && !isNarrowedOut(conditional, before, module);
  const changes = when === "*" || isChanged(before, block, when);
  return (isNow && (changes || isSaidAgain)) || (isLeft && changes);
}

/** What a plan does not know yet, leaves to the API to fill in, or does not say in our words. */
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
 * A value as a text to compare; undefined: not known before it is applied. What is empty and what is
 * not there are one to the provider.
 */
function written(value: Expression | undefined, inner: string | undefined): string | undefined {
  if (value === undefined || isEmpty(value)) return "";
  const { fields, items, literal } = value;
  if (items !== undefined) {
    // Many lists are sets.
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

/** What the API answers need not be set by anybody. */
function isAnswer({ basis }: Conditional, { type }: Block): boolean {
  return type === "data" || basis === "response_field";
}

/** It matters where the code asks for it, or for the whole: `depends_on` and the like are left out before. */
function isAsked(when: string, block: Block, { references }: Module): boolean {
  const asked = askedOf(references).get(`${block.type} ${block.labels[0]}.${block.labels[1]}`);
  const [attribute, inner] = when.split(".");
  const names = inner === undefined ? [attribute] : [`${attribute}.*`, when];
  const itself = askedOfItself(block);
  return [WHOLE, ...names].some((name = "") => asked?.has(name) || itself.has(name));
}

/** The whole of a resource is asked for. */
const WHOLE = "";
const ASKED = new WeakMap<Module["references"], ReadonlyMap<string, ReadonlySet<string>>>();

/** What all of a module's code asks of each resource; worked out once, as there may be thousands of both. */
function askedOf(references: Module["references"]): ReadonlyMap<string, ReadonlySet<string>> {
  const known = ASKED.get(references);
  if (known !== undefined) return known;
  const asked = new Map<string, Set<string>>();
  for (const { mode, type, name, attributes } of references) {
    const key = `${mode} ${type}.${name}`;
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

/** Where a resource may name itself. */
const WITH_SELF = ["provisioner", "connection", "lifecycle"];
const ITSELF = new WeakMap<Block, ReadonlySet<string>>();

function askedOfItself(block: Block): ReadonlySet<string> {
  const known = ITSELF.get(block);
  if (known !== undefined) return known;
  const texts = block.blocks.filter(({ type }) => WITH_SELF.includes(type)).flatMap(sourcesIn);
  const asked = new Set(
    texts.flatMap((text) =>
      // What holds a secret is not shown.
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
