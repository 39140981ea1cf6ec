import type { Block, Reference } from "./syntax.ts";
import { argumentsIn, choiceIn, isSign, type Piece, piecesOf, type Range } from "./template.ts";

/** A part of what an expression does. */
export type Read =
  | {
      readonly kind: "reference";
      readonly reference: Reference;
      /** The expression's value may be made of it. Otherwise it decides something, such as a condition. */
      readonly isValue: boolean;
    }
  /** The value may be a string that starts with this text. */
  | { readonly kind: "text"; readonly start: string }
  /** The value may be something else than null. */
  | { readonly kind: "other" };

/** What the code around an expression reads of its value. Lists and maps between them make no difference. */
interface Use {
  /** Names of attributes; empty: everything; undefined: only how many elements there are. */
  readonly names: readonly string[] | undefined;
  /** It is used element by element. */
  readonly isElement: boolean;
  readonly isValue: boolean;
}

const EVERYTHING: Use = { names: [], isElement: false, isValue: true };
const ASIDE: Use = { ...EVERYTHING, isValue: false };

/** Code in the scope in which it was written. */
interface Code {
  readonly text: string;
  readonly pieces: readonly Piece[];
  readonly range: Range;
  readonly scope: Scope | undefined;
}

/** Names that a for expression, or a block with for_each, gives to the elements of a collection. */
interface Scope {
  readonly key: string | undefined;
  readonly value: string | undefined;
  /** For a block: `each` in `each.key` and `each.value`. */
  readonly object: string | undefined;
  readonly of: Code;
  readonly outer: Scope | undefined;
}

/** Functions whose value is made of these arguments, by position, and of nothing else; undefined: of all. */
const PASSING = functions(["coalescelist concat flatten merge nonsensitive reverse sensitive"]);
functions(["tolist tomap try values"], PASSING);
functions(["chunklist slice", 0], PASSING);
/** The same, and how many elements there are depends on their values. */
const CHOOSING = functions(["coalesce compact one"]);
functions(["element matchkeys", 0], CHOOSING);
functions(["lookup", 0, 2], CHOOSING);
functions(["zipmap", 1], CHOOSING);
/** The same, and the order of the elements, or which of them there are, depends on everything in them. */
const ORDERING = functions(["distinct setintersection setsubtract setunion sort toset"]);
/** Functions that read only the keys of the elements. */
const COUNTING = functions(["keys length"]);
/** Functions whose value starts as their first argument does. */
const FORMATTING = functions(["format formatlist"]);

type Functions = Map<string, readonly number[] | undefined>;

function functions(
  [names, ...passed]: readonly [string, ...number[]],
  all: Functions = new Map(),
): Functions {
  for (const name of names.split(" ")) all.set(name, passed.length === 0 ? undefined : passed);
  return all;
}

const MENTION = "digitalocean_";
const MAX_DEPTH = 60;

/** How many pieces may still be looked at. Loops in loops can multiply the work. */
interface Budget {
  left: number;
}

function budgetFor(text: string): Budget {
  return { left: 100_000 + 20 * text.length };
}

/**
 * What an expression gives and reads, judged by its text. What is not certain counts as read as a whole. Locals,
 * variables and outputs of modules are not followed.
 *
 * @param isTemplate the text is the content of quotes, as in a string of the JSON syntax.
 * @returns undefined for a text that is too long or too complicated.
 */
export function readsOf(text: string, isTemplate = false): readonly Read[] | undefined {
  return readsIn(codeOf(text, undefined, isTemplate), EVERYTHING, budgetFor(text), isTemplate);
}

/**
 * What blocks read of DigitalOcean's resources.
 *
 * @param text of their file.
 */
export function referencesInBlocks(blocks: readonly Block[], text: string): Reference[] {
  const budget = budgetFor(text);
  return blocks.flatMap((block) => inBlock(block, undefined));

  function inBlock(block: Block, outer: Scope | undefined): Reference[] {
    const { type, attributes, blocks } = block;
    if (WITHOUT_READS.has(type)) return [];
    const scope = scopeOf(block, text, outer);
    const here = [...attributes].flatMap(([name, { start, end }]) => {
      if (ORDER_ONLY.has(name) || (type === "dynamic" && name === "iterator")) return [];
      const isLoop = name === "for_each";
      const names = isLoop ? undefined : [];
      const use = { ...EVERYTHING, names };
      return referencesOf(text.slice(start, end), isLoop ? outer : scope, use, budget);
    });
    return [...here, ...blocks.flatMap((each) => inBlock(each, scope))];
  }
}

/** Blocks and arguments that name resources without reading their values. */
const WITHOUT_READS: ReadonlySet<string> = new Set(["import", "moved", "removed"]);
const ORDER_ONLY: ReadonlySet<string> = new Set(["depends_on", "replace_triggered_by"]);

function scopeOf(
  { type, labels, attributes }: Block,
  text: string,
  outer: Scope | undefined,
): Scope | undefined {
  const loop = attributes.get("for_each");
  if (loop === undefined) return outer;
  const source = text.slice(loop.start, loop.end);
  if (outer === undefined && !source.includes(MENTION)) return outer;
  const iterator = attributes.get("iterator");
  const name = iterator ? text.slice(iterator.start, iterator.end) : labels[0];
  const object = type === "dynamic" ? name : "each";
  return { key: undefined, value: undefined, object, of: codeOf(source, outer), outer };
}

function referencesOf(
  source: string,
  scope: Scope | undefined,
  use: Use,
  budget: Budget,
): Reference[] {
  if (scope === undefined && !source.includes(MENTION)) return [];
  const reads = readsIn(codeOf(source, scope), use, budget);
  if (reads !== undefined) {
    return reads.flatMap((read) => (read.kind === "reference" ? [read.reference] : []));
  }
  const texts = [source];
  for (let each = scope; each !== undefined; each = each.outer) texts.push(each.of.text);
  return texts.flatMap(referencesInText);
}

function codeOf(text: string, scope: Scope | undefined, isTemplate = false): Code {
  const pieces = piecesOf(text, isTemplate);
  return { text, pieces, range: [0, pieces.length], scope };
}

function readsIn(
  all: Code,
  asked: Use,
  budget: Budget,
  isTemplate = false,
): readonly Read[] | undefined {
  if (all.pieces.length === 0 && all.text.trim() !== "") return undefined;
  const reads: Read[] = [];
  let isWhole = true;
  if (isTemplate) template(all, asked, 0);
  else expression(all, asked, 0);
  return isWhole ? reads : undefined;

  function isWithin({ range: [from, to] }: Code, depth: number): boolean {
    budget.left -= 1 + to - from;
    isWhole &&= depth <= MAX_DEPTH && budget.left > 0;
    return isWhole;
  }

  function expression(code: Code, use: Use, depth: number): void {
    if (!isWithin(code, depth)) return;
    const { pieces, range } = code;
    const choice = choiceIn(pieces, range);
    if (choice !== undefined) {
      scan(part(code, [range[0], (choice[0]?.[0] ?? 0) - 1]), depth);
      for (const each of choice) expression(part(code, each), use, depth + 1);
    } else if (chainEnd(code) === range[1]) chain(code, use, depth);
    else {
      give({ kind: "other" }, use);
      scan(code, depth);
    }
  }

  /** Code that is read as a whole, whatever its syntax. */
  function scan(code: Code, depth: number): void {
    const [from, to] = code.range;
    for (let at = from; at < to; ) {
      const { kind } = code.pieces[at] ?? {};
      const one = part(code, [at, to]);
      const end = kind === "name" || kind === "open" ? chainEnd(one) : at + 1;
      if (end > at + 1 || kind === "name") chain(part(code, [at, end]), ASIDE, depth + 1);
      at = end;
    }
  }

  /** A value with indexes and attributes behind it. */
  function chain(code: Code, use: Use, depth: number): void {
    if (!isWithin(code, depth)) return;
    const { pieces, range, scope } = code;
    const [from] = range;
    const first = pieces[from];
    if (first?.kind === "name") {
      const bound = scopeWith(first.text, scope);
      if (bound !== undefined) loopVariable(code, first.text, bound, use, depth);
      else if (!isCall(code)) reference(code, use, depth);
      if (isCall(code)) call(code, use, depth);
      return;
    }
    if (first === undefined) return;
    const inner = part(code, [from + 1, first.end]);
    const within = useOfSteps(part(code, [first.end, range[1]]), use, depth);
    if (first.text === '"' || first.text === "<<") template(inner, within, depth);
    else if (first.text === "(") expression(inner, within, depth + 1);
    else if (pieces[from + 1]?.text === "for" && from + 1 < first.end) loop(inner, within, depth);
    else if (first.text === "[") {
      for (const each of itemsIn(inner)) expression(each, within, depth + 1);
    } else {
      give({ kind: "other" }, use);
      scan(inner, depth);
    }
  }

  function reference(code: Code, use: Use, depth: number): void {
    const { pieces, range } = code;
    const [from, to] = range;
    const prefix = pieces[from]?.text ?? "";
    const hasPrefix = prefix === "data" || prefix === "resource";
    const start = hasPrefix ? from + 2 : from;
    const [type = "", name] = [pieces[start]?.text, pieces[start + 2]];
    if (prefix === "null" && from + 1 === to) return;
    const isOurs = type.startsWith(MENTION) && name?.kind === "name" && start + 2 < to;
    const { names, isKeyed, isCut } = steps(part(code, [isOurs ? start + 3 : from + 1, to]), depth);
    if (!isOurs) {
      give({ kind: "other" }, use);
      return;
    }
    const isBare = names.length === 0;
    if (isBare && use.names === undefined && !use.isElement) return;
    const found = {
      mode: prefix === "data" ? ("data" as const) : ("resource" as const),
      ...{ type, name: name.text },
      attributes: isCut ? names : [...names, ...(use.names ?? [])],
      ...(isKeyed || (isBare && use.isElement) ? { isElement: true } : {}),
    };
    reads.push({ kind: "reference", reference: found, isValue: use.isValue });
  }

  function loopVariable(code: Code, name: string, scope: Scope, use: Use, depth: number): void {
    const [from, to] = code.range;
    const isObject = scope.object === name;
    const member = isObject ? code.pieces[from + 2]?.text : undefined;
    const isKey = isObject ? member === "key" : scope.key === name;
    const behind = member === "key" || member === "value" ? from + 3 : from + 1;
    const { names, isKeyed, isCut } = steps(part(code, [Math.min(behind, to), to]), depth);
    if (isKey) give({ kind: "other" }, use);
    // The key of an element of a set is the element.
    if (isKey && hasOwnKeys(scope.of)) return;
    const whole = isKey || isKeyed ? [] : isCut ? names : [...names, ...(use.names ?? [])];
    expression(scope.of, { ...use, names: whole, isElement: true }, depth + 1);
  }

  function call(code: Code, use: Use, depth: number): void {
    const { pieces, range } = code;
    const [from, to] = range;
    const name = (pieces[from]?.text ?? "").replace(/^core::/, "");
    const end = pieces[from + 1]?.end ?? to;
    const given = itemsIn(part(code, [from + 2, end]));
    const within = useOfSteps(part(code, [end, to]), use, depth);
    const isPassing = PASSING.has(name) || CHOOSING.has(name) || ORDERING.has(name);
    if (!isPassing) {
      const [first] = given;
      const start = first && FORMATTING.has(name) ? textAt(first) : undefined;
      give(start === undefined ? { kind: "other" } : { kind: "text", start }, use);
      for (const each of given) {
        if (COUNTING.has(name)) expression(each, { ...ASIDE, names: undefined }, depth + 1);
        else scan(each, depth);
      }
      return;
    }
    const passed = PASSING.get(name) ?? CHOOSING.get(name);
    const readsAll = ORDERING.has(name) || (CHOOSING.has(name) && within.names === undefined);
    const names = readsAll ? [] : within.names;
    const isElement = within.isElement || names !== undefined;
    const passing = { ...within, names, isElement };
    for (const [at, each] of given.entries()) {
      if (passed?.includes(at) ?? true) expression(each, passing, depth + 1);
      else scan(each, depth);
    }
  }

  /** `for a, b in c : d => e if f`, without its brackets. */
  function loop(code: Code, use: Use, depth: number): void {
    const { pieces, scope: outer } = code;
    const [from, to] = code.range;
    const head = loopHead(code);
    const colon = head && colonAt(pieces, [head.from, to]);
    if (head === undefined || colon === undefined) {
      give({ kind: "other" }, use);
      scan(part(code, [from + 1, to]), depth);
      return;
    }
    const { key, value } = head;
    const of = part(code, [head.from, colon]);
    const inner = { ...code, scope: { key, value, object: undefined, of, outer } };
    expression(of, { ...ASIDE, names: undefined }, depth + 1);
    const filter = nameAt(pieces, [colon + 1, to], "if") ?? to;
    if (filter < to) scan(part(inner, [filter + 1, to]), depth);
    const arrow = arrowAt(pieces, [colon + 1, filter]);
    if (arrow !== undefined) expression(part(inner, [colon + 1, arrow]), ASIDE, depth + 1);
    const body = withoutDots(part(inner, [(arrow ?? colon) + 1, filter]));
    const isCounted = use.names === undefined;
    const [start, end] = body.range;
    if (isCounted && start + 1 === end && pieces[start]?.text === value) return;
    // What is only counted is computed, too, and may fail.
    expression(body, isCounted ? { ...use, names: [] } : use, depth + 1);
  }

  function template(code: Code, use: Use, depth: number): void {
    if (!isWithin(code, depth)) return;
    const { pieces, range } = code;
    const [from, to] = range;
    const first = from < to ? pieces[from] : undefined;
    if (first?.text === "${" && first.kind === "open" && first.end === to) {
      expression(part(code, [from + 1, to]), use, depth + 1);
      return;
    }
    const start = first?.kind === "open" ? undefined : (first?.text ?? "");
    give(start === undefined ? { kind: "other" } : { kind: "text", start }, use);
    let scope = code.scope;
    const loops: (Scope | undefined)[] = [];
    for (let at = from; at < to; at = Math.max(at + 1, pieces[at]?.end ?? 0)) {
      const piece = pieces[at];
      if (piece?.kind !== "open") continue;
      const inner = { ...part(code, [at + 1, piece.end]), scope };
      const word = piece.text === "%{" ? pieces[at + 1]?.text : undefined;
      const head = word === "for" ? loopHead(inner) : undefined;
      if (word === "endfor") scope = loops.pop();
      else if (head === undefined) scan(inner, depth);
      else {
        const of = part(inner, [head.from, inner.range[1]]);
        expression(of, { ...ASIDE, names: undefined }, depth + 1);
        loops.push(scope);
        scope = { key: head.key, value: head.value, object: undefined, of, outer: scope };
      }
    }
  }

  /** Reads the indexes, and says how what stands before the steps is used. */
  function useOfSteps(code: Code, use: Use, depth: number): Use {
    const { names, isKeyed, isCut } = steps(code, depth);
    if (isKeyed) return { ...use, names: [], isElement: true };
    if (isCut || (names.length > 0 && use.names === undefined)) return { ...use, names };
    return names.length === 0 ? use : { ...use, names: [...names, ...(use.names ?? [])] };
  }

  function steps(code: Code, depth: number): Steps {
    const { pieces, range } = code;
    const [from, to] = range;
    const names: string[] = [];
    let [isKeyed, isCut, isBehindIndex] = [false, false, false];
    for (let at = from; at < to; ) {
      const piece = pieces[at];
      if (piece?.kind === "open") {
        const index = part(code, [at + 1, piece.end]);
        if (!isNumber(index)) {
          scan(index, depth);
          if (names.length === 0) isKeyed = true;
          // An attribute is a list or a map; an element of a list has attributes.
          else if (isBehindIndex || textAt(index) !== undefined) isCut = true;
        }
        isBehindIndex = true;
        at = piece.end;
      } else {
        const { kind, text = "" } = pieces[at + 1] ?? {};
        const added = kind === "name" ? text.split(".").filter(isName) : [];
        if (!isCut) names.push(...added);
        isBehindIndex = added.length === 0;
        at += 2;
      }
    }
    return { names, isKeyed, isCut };
  }

  function give(read: Read, { isValue }: Use): void {
    if (isValue) reads.push(read);
  }
}

interface Steps {
  readonly names: readonly string[];
  /** An index that may be the name of an attribute comes before the first name. */
  readonly isKeyed: boolean;
  /** Such an index comes later; the names end there. */
  readonly isCut: boolean;
}

function part(code: Code, range: Range): Code {
  return { ...code, range };
}

/** The end of a value at the start of the code, with its indexes and attributes. */
function chainEnd(code: Code): number {
  const { pieces, range } = code;
  const [from, to] = range;
  const first = pieces[from];
  if (first === undefined || from >= to || first.kind === "sign" || first.kind === "text")
    return from;
  let at = first.kind === "open" ? first.end : from + 1;
  if (isCall(code)) at = pieces[at]?.end ?? to;
  while (at < to) {
    const [piece, next] = [pieces[at], pieces[at + 1]];
    if (piece?.kind === "open" && piece.text === "[") at = piece.end;
    else if (isSign(piece, ".") && (next?.kind === "name" || isSign(next, "*"))) at += 2;
    else break;
  }
  return Math.min(at, to);
}

function isCall({ pieces, range: [from, to] }: Code): boolean {
  const next = from + 1 < to ? pieces[from + 1] : undefined;
  return pieces[from]?.kind === "name" && next?.kind === "open" && next.text === "(";
}

/** Whether an index is `*` or certainly a number. */
function isNumber({ pieces, range: [from, to] }: Code): boolean {
  const text = pieces.slice(from, Math.min(from + 4, to)).map((piece) => piece.text);
  return to - from < 4 && /^(?:\*|\d+|count\.index)$/.test(text.join(""));
}

/** Not the number in `web.0.name`, as in Terraform 0.11. */
function isName(step: string): boolean {
  return !/^\d*$/.test(step);
}

function scopeWith(name: string, scope: Scope | undefined): Scope | undefined {
  for (let each = scope; each !== undefined; each = each.outer) {
    if ([each.key, each.value, each.object].includes(name)) return each;
  }
  return undefined;
}

/** Whether the elements have keys of their own: the instances of a resource, and the result of a for expression. */
function hasOwnKeys({ pieces, range: [from, to] }: Code): boolean {
  const [first, second] = [pieces[from], pieces[from + 1]];
  if (first?.kind === "open") return first.end === to && second?.text === "for";
  if (to - from > 5) return false;
  const words = pieces.slice(from, to);
  const names = words.filter((_, at) => at % 2 === 0).map(({ text }) => text);
  const [type = "", , more] = names[0] === "data" ? names.slice(1) : names;
  const isPath = words.every((each, at) =>
    at % 2 === 0 ? each.kind === "name" : isSign(each, "."),
  );
  return isPath && type.startsWith(MENTION) && more === undefined;
}

interface LoopHead {
  readonly key: string | undefined;
  readonly value: string;
  /** Where the collection starts. */
  readonly from: number;
}

/** `for a, b in`, at the start of the code. */
function loopHead({ pieces, range: [from, to] }: Code): LoopHead | undefined {
  const [one, comma, two] = pieces.slice(from + 1, Math.min(from + 4, to));
  const hasKey = isSign(comma, ",");
  const value = hasKey ? two : one;
  const at = from + (hasKey ? 4 : 2);
  if (one?.kind !== "name" || value?.kind !== "name") return undefined;
  if (at >= to || pieces[at]?.text !== "in") return undefined;
  return { key: hasKey ? one.text : undefined, value: value.text, from: at + 1 };
}

function itemsIn(code: Code): Code[] {
  return argumentsIn(code.pieces, code.range).map((range) => withoutDots(part(code, range)));
}

/** Without the `...` behind it. */
function withoutDots(code: Code): Code {
  const { pieces, range } = code;
  const [from, to] = range;
  const isSpread = from < to && isSign(pieces[to - 1], "...");
  return isSpread ? part(code, [from, to - 1]) : code;
}

/** The start of a string that the code is. */
function textAt({ pieces, range: [from, to] }: Code): string | undefined {
  const [first, text] = pieces.slice(from, Math.min(from + 2, to));
  const isString = first?.kind === "open" && first.text === '"' && first.end === to;
  return isString && text?.kind === "text" ? text.text : undefined;
}

function nameAt(pieces: readonly Piece[], [from, to]: Range, name: string): number | undefined {
  for (let at = from; at < to; at = Math.max(at + 1, pieces[at]?.end ?? 0)) {
    const { kind, text } = pieces[at] ?? {};
    if (kind === "name" && text === name && !isSign(pieces[at - 1], ".")) return at;
  }
  return undefined;
}

/** The colon that belongs to no `a ? b : c`. */
function colonAt(pieces: readonly Piece[], [from, to]: Range): number | undefined {
  let open = 0;
  for (let at = from; at < to; at = Math.max(at + 1, pieces[at]?.end ?? 0)) {
    if (isSign(pieces[at], "?")) open++;
    else if (isSign(pieces[at], ":") && open-- === 0) return at;
  }
  return undefined;
}

/** `=>` outside brackets. */
function arrowAt(pieces: readonly Piece[], [from, to]: Range): number | undefined {
  for (let at = from; at < to; at = Math.max(at + 1, pieces[at]?.end ?? 0)) {
    if (isSign(pieces[at], "=>")) return at;
  }
  return undefined;
}

/** The references in code that is broken or not analysed, as if each read everything. */
export function referencesInText(text: string): Reference[] {
  return Array.from(
    text.matchAll(/\b(data\.)?(digitalocean_\w+)\.([\w-]+)/g),
    ([, data, type = "", name = ""]) => ({
      mode: data === undefined ? ("resource" as const) : ("data" as const),
      ...{ type, name, attributes: [] },
    }),
  );
}

/** What a template reads, such as a string of the JSON syntax. */
export function referencesInTemplate(text: string): Reference[] {
  const reads = text.includes(MENTION) ? readsOf(text, true) : [];
  if (reads === undefined) return referencesInText(text);
  return reads.flatMap((read) => (read.kind === "reference" ? [read.reference] : []));
}
