import { listed } from "../lib/few.ts";
import { jsonIn } from "../lib/json.ts";
import { Secret } from "../secret/secret.ts";
import type { Expression } from "./syntax.ts";
import { argumentsIn, choiceIn, isSign, type Piece, piecesOf, type Range } from "./template.ts";

/** Where the value of an expression comes from, judged by its text. */
export type Origin =
  | {
      readonly kind: "variable";
      readonly name: string;
      /** The expression can also give null instead: `var.x != "" ? var.x : null`. */
      readonly orNull: boolean;
    }
  /** A string in the code: the argument itself, or the local that it refers to. */
  | { readonly kind: "text"; readonly written: Expression }
  | {
      readonly kind: "nothing";
      /** It is an empty string, not null. */
      readonly isEmpty: boolean;
    }
  | {
      readonly kind: "unknown";
      /** As text. */
      readonly why: string;
      /** The variables in the expression. */
      readonly variables: readonly string[];
    };

/** The values in the `locals` blocks of a module, by name. */
export type Locals = ReadonlyMap<string, Expression>;

/** Functions that return their first argument, at most trimmed. */
const OF_FIRST = new Set(
  "trimspace chomp trim trimprefix trimsuffix tostring sensitive nonsensitive".split(" "),
);
/** Functions that return one of their arguments. */
const OF_ANY = new Set(["coalesce", "try"]);
const MAX_DEPTH = 50;
const IDENTIFIER = /^[\p{L}_][\p{L}\p{N}_-]*$/u;

/**
 * Traces an expression to a single variable, through parentheses, templates, conditionals, locals, and functions that
 * don't change a token. The condition of a conditional is ignored.
 */
export function originOf(expression: Expression, locals: Locals): Origin {
  const variables = new Set<string>();
  const texts = new Set<Expression>();
  const mentioned = new Set<string>();
  const done = new Map<string, boolean>();
  let [orNull, isEmpty] = [false, false];
  const stopped = follow(expression, 0);
  const [name, another] = variables;
  const [written, second] = texts;
  const why = stopped ?? whyUnclear();
  if (why !== undefined) {
    return { kind: "unknown", why, variables: [...new Set([...variables, ...mentioned])] };
  }
  if (name !== undefined) return { kind: "variable", name, orNull };
  if (written !== undefined) return { kind: "text", written };
  return { kind: "nothing", isEmpty: isEmpty && !orNull };

  function whyUnclear(): string | undefined {
    if (another !== undefined)
      return `it uses several variables (${listed([...variables].map((name) => `var.${name}`))})`;
    if (written === undefined) return undefined;
    if (second !== undefined) return "it uses several string values in the code";
    return name === undefined
      ? undefined
      : `it uses both var.${name} and a string value in the code`;
  }

  /** @returns why the trace stops here, as text; undefined if it was complete. */
  function follow(each: Expression, depth: number): string | undefined {
    const { literal, source, fields, items } = each;
    if (literal === null || literal === "") {
      if (literal === null) orNull = true;
      else isEmpty = true;
      return undefined;
    }
    if (literal instanceof Secret || typeof literal === "string") {
      texts.add(each);
      return undefined;
    }
    if (source === "") return "it contains a secret";
    if (literal !== undefined || fields !== undefined || items !== undefined) {
      return "it is not a string";
    }
    const text = templateOf(each);
    const pieces = text === undefined ? piecesOf(source) : piecesOf(text, true);
    return (text === undefined ? walk : template)(pieces, [0, pieces.length], depth);
  }

  function walk(pieces: readonly Piece[], [from, to]: Range, depth: number): string | undefined {
    const first = pieces[from];
    if (first === undefined || from >= to) return "it could not be parsed";
    if (depth > MAX_DEPTH) return "it is nested too deep";
    const isWhole = first.kind === "open" && first.end === to;
    if (isWhole && first.text === "(") return walk(pieces, [from + 1, to], depth + 1);
    if (isWhole && (first.text === '"' || first.text === "<<")) {
      return template(pieces, [from + 1, to], depth);
    }
    const choice = choiceIn(pieces, [from, to]);
    if (choice !== undefined) return any(pieces, choice, depth);
    if (first.kind === "name") return named(pieces, [from, to], depth);
    mention(pieces.slice(from, to));
    return "it is computed from other values";
  }

  function any(pieces: readonly Piece[], ranges: readonly Range[], depth: number) {
    return ranges.map((range) => walk(pieces, range, depth + 1)).find(Boolean);
  }

  function template(pieces: readonly Piece[], [from, to]: Range, depth: number) {
    const first = pieces[from];
    if (first === undefined || from >= to) {
      isEmpty = true;
      return undefined;
    }
    if (first.text === "${" && first.kind === "open" && first.end === to) {
      return walk(pieces, [from + 1, to], depth + 1);
    }
    mention(pieces.slice(from, to));
    const isPlain = first.kind === "text" && from + 1 === to;
    return isPlain ? "it uses a string value in the code" : "it is built from several parts";
  }

  function named(pieces: readonly Piece[], [from, to]: Range, depth: number) {
    const words = pieces.slice(from, to);
    const [root, next] = words;
    const name = (root?.text ?? "").replace(/^core::/, "");
    if (words.length === 1 && name === "null") {
      orNull = true;
      return undefined;
    }
    if (next?.kind === "open" && next.text === "(" && next.end === to) {
      const parts = argumentsIn(pieces, [from + 2, to]);
      if (OF_ANY.has(name)) {
        // These functions return null only if they have no other value.
        const before = orNull;
        const why = any(pieces, parts, depth);
        orNull = before;
        return why;
      }
      if (OF_FIRST.has(name)) return any(pieces, parts.slice(0, 1), depth);
      mention(words);
      return `it uses ${name}(), which do-bootstrap does not evaluate`;
    }
    mention(words);
    const path = pathIn(words);
    if (path === undefined) return "it is computed from other values";
    const [kind, label = "", ...steps] = path;
    if (kind === "local") return local([label, ...steps], depth);
    if (kind !== "var") return `it comes from ${path.slice(0, 3).join(".").slice(0, 80)}`;
    // A name in brackets can be any text, and a hint would print it.
    if (!IDENTIFIER.test(label)) return "it could not be parsed";
    if (steps.length > 0) return `it is an attribute of var.${label}`;
    variables.add(label);
    return undefined;
  }

  function local(steps: readonly string[], depth: number): string | undefined {
    const path = ["local", ...steps].join(".");
    const isDone = done.get(path);
    if (isDone === false) return `${path} refers to itself`;
    if (isDone) return undefined;
    const [label = "", ...more] = steps;
    let value = locals.get(label);
    for (const step of more) value = value?.fields?.get(step);
    if (value === undefined) return `${path} has no plain value in a locals block`;
    done.set(path, false);
    const why = follow(value, depth + 1);
    done.set(path, true);
    return why;
  }

  function mention(pieces: readonly Piece[]): void {
    for (const { kind, name } of mentionsIn(pieces)) if (kind === "var") mentioned.add(name);
  }
}

/** A mention of `var.x` or `local.x` in an expression. */
export interface Mention {
  readonly kind: "var" | "local";
  readonly name: string;
}

/** The mentions in an expression, except inside `ephemeralasnull(…)`, which does not pass a value on. */
export function mentionsOf(expression: Expression): readonly Mention[] {
  const { source, fields, items } = expression;
  if (!/\b(var|local)\b/.test(source)) {
    // The source of an expression with a secret is empty, but its parts may have one.
    const parts = source === "" ? [...(fields?.values() ?? []), ...(items ?? [])] : [];
    return parts.flatMap(mentionsOf);
  }
  if (!expression.place.file.endsWith(".json")) return mentionsIn(piecesOf(source));
  const text = templateOf(expression);
  if (text !== undefined) return mentionsIn(piecesOf(text, true));
  return [...(fields?.values() ?? []), ...(items ?? [])].flatMap(mentionsOf);
}

function mentionsIn(pieces: readonly Piece[]): readonly Mention[] {
  const found: Mention[] = [];
  for (let at = 0; at < pieces.length; at++) {
    const { kind, text } = pieces[at] ?? {};
    if (kind !== "name") continue;
    if (text === "ephemeralasnull" && pieces[at + 1]?.text === "(") {
      at = (pieces[at + 1]?.end ?? at + 1) - 1;
    } else if ((text === "var" || text === "local") && !isSign(pieces[at - 1], ".")) {
      const name = pieces[at + 2];
      if (isSign(pieces[at + 1], ".") && name?.kind === "name") {
        found.push({ kind: text, name: name.text });
      }
    }
  }
  return found;
}

/** The content of a string in the JSON syntax, which is a template; undefined for other values and for HCL. */
export function templateOf({ source, place }: Expression): string | undefined {
  if (!place.file.endsWith(".json") || !source.startsWith('"')) return undefined;
  const text = jsonIn(source);
  return typeof text === "string" ? text : undefined;
}

/** The parts of `a.b["c"]`: a, b, c; undefined for any other form. */
function pathIn(words: readonly Piece[]): readonly string[] | undefined {
  const path = [words[0]?.text ?? ""];
  for (let at = 1; at < words.length; ) {
    const [sign, name, key] = words.slice(at, at + 3);
    if (isSign(sign, ".") && name?.kind === "name") {
      path.push(name.text);
      at += 2;
    } else if (sign?.text === "[" && name?.text === '"' && key?.kind === "text") {
      path.push(key.text);
      at += 3;
    } else return undefined;
  }
  return path;
}
