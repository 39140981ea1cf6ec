import { conceal, type Written } from "./conceal.ts";
import { type Kind, Scanner } from "./scanner.ts";
import type { Block, Expression, Problem, SourceLocation } from "./syntax.ts";

/** What a text in Terraform's native syntax contains. */
export interface Parsed {
  readonly attributes: ReadonlyMap<string, Expression>;
  readonly blocks: readonly Block[];
  /** The first syntax error, on a line that Terraform reports. */
  readonly problem: Problem | undefined;
}

/**
 * Parses Terraform's native syntax as Terraform does (hclsyntax/spec.md of github.com/hashicorp/hcl). Never throws, and
 * takes linear time for any text. The intact arguments and blocks of a broken text are read.
 *
 * @param file its name, for the places.
 */
export function parseHcl(text: string, file: string): Parsed {
  return new Parser(text, file).parse();
}

/** Of brackets in brackets and blocks in blocks: deeper than any real configuration. Anything deeper is not read. */
const MAX_DEPTH = 64;
/** How often the code below an argument without an end is looked for. It is read again each time. */
const MAX_RESTARTS = 20;

/** Ends the argument or block that is broken. */
const BROKEN = new Error("a syntax error");

/** The value of an expression, if it is nothing but a literal. */
type Plain = Pick<Written, "literal" | "fields" | "items">;
const COMPUTED: Plain = { literal: undefined, fields: undefined, items: undefined };

interface Body {
  readonly attributes: Map<string, Expression>;
  readonly blocks: Block[];
  /** The index of the first block that starts at the margin, as the outermost blocks do. */
  atMargin: number | undefined;
}

const BINARY: ReadonlySet<Kind> = new Set([
  ...(["||", "&&", "==", "!=", ">", "<", ">=", "<="] as const),
  ...(["+", "-", "*", "/", "%"] as const),
]);
const NUMBER = /^\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
/** The valid escapes in quotes; not those for one half of a surrogate pair. */
const ESCAPE =
  /\\(?:([nrt"\\])|u((?![dD][89a-fA-F])[\da-fA-F]{4})|U((?:0000(?![dD][89a-fA-F])|000[1-9a-fA-F]|0010)[\da-fA-F]{4}))|([$%])\4(?=\{)/g;
/** The start of a block at the margin. */
const HEADER = /^[A-Za-z_][\w-]*(?:[ \t]+(?:"[^"\n]*"|[A-Za-z_][\w-]*))*[ \t]*\{/gm;

class Parser {
  readonly #scanner: Scanner;
  readonly #file: string;
  #problem: Problem | undefined;
  /** The latest line, from 1, and the offsets of its start and end. */
  #line = { number: 0, start: 0, end: -1 };
  /** The next block at the margin, and the offset from which it was looked for. */
  #margin = { from: 0, at: -1 };
  #restarts = MAX_RESTARTS;
  /** What is open is left as it is. The current token starts a block at the margin. */
  #isCut = false;

  constructor(text: string, file: string) {
    this.#scanner = new Scanner(text);
    this.#file = file;
  }

  parse(): Parsed {
    const whole: Body = { attributes: new Map(), blocks: [], atMargin: undefined };
    this.#next();
    while (!this.#at("end")) {
      this.#isCut = false;
      this.#items(whole, 0);
    }
    const { attributes, blocks } = whole;
    return { attributes, blocks, problem: this.#problem };
  }

  /** Arguments and blocks, up to the end of the body. */
  #items(body: Body, depth: number): void {
    const scanner = this.#scanner;
    const height = scanner.depth;
    while (!this.#isCut && !this.#at("end") && !(depth > 0 && this.#at("}"))) {
      if (this.#skip("newline")) continue;
      const { start } = scanner;
      try {
        this.#item(body, depth);
        if (!this.#isCut && !this.#at("end")) this.#take("newline");
      } catch (error) {
        if (error !== BROKEN) throw error;
        this.#recover(start, height);
        if (scanner.depth < height) return;
      }
    }
  }

  /** @param isOnLine it is in a block on one line, which has at most one argument. */
  #item(body: Body, depth: number, isOnLine = false): void {
    const { start, text } = this.#scanner;
    const line = this.#lineOf(start);
    const name = this.#name();
    if (this.#at("=")) this.#attribute(name, body, depth);
    else if (this.#at('"') || this.#at("name") || this.#at("{")) {
      if (isOnLine) this.#note(line);
      const labels = this.#labels();
      const inner: Body = { attributes: new Map(), blocks: [], atMargin: undefined };
      if (start === 0 || text.charAt(start - 1) === "\n") body.atMargin ??= body.blocks.length;
      const { attributes, blocks } = inner;
      body.blocks.push({ type: name, labels, attributes, blocks, place: this.#place(line) });
      const isClosed = this.#braces(inner, depth + 1);
      if (!isClosed && inner.atMargin !== undefined) {
        // The outermost blocks below it seem to be inside.
        body.atMargin ??= body.blocks.length;
        for (const each of blocks.splice(inner.atMargin)) body.blocks.push(each);
      }
    } else this.#fail(line);
  }

  #attribute(name: string, { attributes }: Body, depth: number): void {
    const line = this.#lineOf(this.#scanner.start);
    this.#next();
    const { start } = this.#scanner;
    try {
      const value = this.#value(name, depth);
      if (attributes.has(name)) this.#note(line);
      else attributes.set(name, value);
    } catch (error) {
      const broken = this.#brokenValue(name, start, line);
      if (broken !== undefined && !attributes.has(name)) attributes.set(name, broken);
      throw error;
    }
  }

  /** A value with a syntax error, up to the end of the line with the error. */
  #brokenValue(name: string, start: number, line: number): Expression | undefined {
    const { text, start: at } = this.#scanner;
    const newline = text.indexOf("\n", at);
    const end = newline < 0 ? text.length : newline;
    const source = text.slice(start, end).trimEnd();
    if (source === "") return undefined;
    const place = this.#place(line);
    return conceal(name, { source, ...COMPUTED, start, end: start + source.length, place });
  }

  #labels(): string[] {
    const labels: string[] = [];
    while (!this.#at("{")) {
      if (this.#skip('"')) {
        labels.push(this.#at("text") ? unescaped(this.#quoted()) : "");
        this.#take("end of template");
      } else labels.push(this.#name());
    }
    return labels;
  }

  /** @returns false if the end is missing. */
  #braces(body: Body, depth: number): boolean {
    if (depth > MAX_DEPTH) this.#fail(undefined, "nested too deep");
    const line = this.#lineOf(this.#scanner.start);
    this.#next();
    if (this.#at("newline") || this.#at("}") || this.#at("end")) this.#items(body, depth);
    else this.#item(body, depth, true);
    const isClosed = !this.#at("end") && !this.#isCut;
    if (this.#at("end")) this.#note(line);
    if (isClosed) this.#take("}");
    return isClosed;
  }

  #value(name: string | undefined, depth: number): Expression {
    const scanner = this.#scanner;
    const { start } = scanner;
    const place = this.#place(this.#lineOf(start));
    const { literal, fields, items } = this.#expression(depth, true);
    const end = scanner.previousEnd;
    const source = scanner.text.slice(start, end);
    return conceal(name, { source, literal, fields, items, start, end, place });
  }

  /** @param isWanted the fields and items of an object or a list are wanted. */
  #expression(depth: number, isWanted = false): Plain {
    if (depth > MAX_DEPTH) this.#fail(undefined, "nested too deep");
    const value = this.#operation(depth, isWanted);
    if (!this.#at("?")) return value;
    while (this.#skip("?")) {
      this.#expression(depth + 1);
      this.#take(":");
      this.#operation(depth, false);
    }
    return COMPUTED;
  }

  #operation(depth: number, isWanted: boolean): Plain {
    const value = this.#operand(depth, isWanted);
    if (!BINARY.has(this.#scanner.kind)) return value;
    while (BINARY.has(this.#scanner.kind)) {
      this.#next();
      this.#operand(depth, false);
    }
    return COMPUTED;
  }

  #operand(depth: number, isWanted: boolean): Plain {
    let isPlain = true;
    while (this.#skip("-") || this.#skip("!")) isPlain = false;
    const value = this.#term(depth, isWanted && isPlain);
    if (this.#at(".") || this.#at("[")) {
      this.#steps(depth);
      isPlain = false;
    }
    return isPlain ? value : COMPUTED;
  }

  #term(depth: number, isWanted: boolean): Plain {
    const { kind, start, end, text } = this.#scanner;
    switch (kind) {
      case "name":
        return this.#named(depth);
      case "number": {
        const number = text.slice(start, end);
        if (!NUMBER.test(number)) this.#fail();
        this.#next();
        return { ...COMPUTED, literal: Number(number) };
      }
      case '"':
        return { ...COMPUTED, literal: this.#template(depth) };
      case "<<":
        this.#template(depth);
        return COMPUTED;
      case "(":
        return this.#brackets(")", () => this.#expression(depth + 1, isWanted));
      case "[":
        return this.#brackets("]", () => this.#list(depth + 1, isWanted));
      case "{":
        return this.#brackets("}", () => this.#object(depth + 1, isWanted));
      default:
        return this.#fail();
    }
  }

  /** A keyword, a call, or the first name of a reference. */
  #named(depth: number): Plain {
    const word = this.#name();
    if (this.#at("(") || this.#at("::")) {
      while (this.#skip("::")) this.#name();
      if (!this.#at("(")) this.#fail();
      this.#brackets(")", () => {
        while (!this.#at(")")) {
          this.#expression(depth + 1);
          if (this.#skip("...") || !this.#skip(",")) break;
        }
      });
      return COMPUTED;
    }
    if (word === "null") return { ...COMPUTED, literal: null };
    const isBool = word === "true" || word === "false";
    return isBool ? { ...COMPUTED, literal: word === "true" } : COMPUTED;
  }

  #list(depth: number, isWanted: boolean): Plain {
    if (this.#scanner.isWord("for")) return this.#loop(depth, false);
    const items: Expression[] = [];
    while (!this.#at("]")) {
      if (isWanted) items.push(this.#value(undefined, depth));
      else this.#expression(depth);
      if (!this.#skip(",")) break;
    }
    return isWanted ? { ...COMPUTED, items } : COMPUTED;
  }

  #object(depth: number, isWanted: boolean): Plain {
    const scanner = this.#scanner;
    if (scanner.isWord("for")) return this.#loop(depth, true);
    const fields = new Map<string, Expression>();
    // Newlines separate the fields.
    scanner.isMultiline = false;
    for (;;) {
      while (this.#skip("newline"));
      if (this.#at("}")) break;
      const { start } = scanner;
      const { literal } = this.#expression(depth);
      const source = scanner.text.slice(start, scanner.previousEnd);
      if (!this.#skip("=")) this.#take(":");
      if (isWanted) {
        const name = typeof literal === "string" ? literal : withoutQuotes(source);
        fields.set(name, this.#value(name, depth));
      } else this.#expression(depth);
      if (!this.#skip(",") && !this.#skip("newline")) break;
    }
    return isWanted ? { ...COMPUTED, fields } : COMPUTED;
  }

  #loop(depth: number, isObject: boolean): Plain {
    this.#loopHead(depth);
    this.#take(":");
    this.#expression(depth);
    if (isObject) {
      this.#take("=>");
      this.#expression(depth);
      this.#skip("...");
    }
    if (this.#scanner.isWord("if")) {
      this.#next();
      this.#expression(depth);
    }
    return COMPUTED;
  }

  /** `for a, b in c`. */
  #loopHead(depth: number): void {
    this.#next();
    this.#name();
    if (this.#skip(",")) this.#name();
    if (!this.#scanner.isWord("in")) this.#fail();
    this.#next();
    this.#expression(depth);
  }

  /** Attributes, indexes and splats behind a value. */
  #steps(depth: number): void {
    const scanner = this.#scanner;
    let isInSplat = false;
    for (;;) {
      if (this.#skip(".")) {
        const { kind, start, end, text } = scanner;
        if (kind === "*" && !isInSplat) {
          isInSplat = true;
          this.#next();
        } else if (kind === "number" && /^\d+(?:[eE]|$)/.test(text.slice(start, end))) this.#next();
        else this.#name();
      } else if (this.#at("[")) {
        isInSplat = false;
        this.#index(depth);
      } else return;
    }
  }

  #index(depth: number): void {
    const scanner = this.#scanner;
    const { isMultiline } = scanner;
    this.#next();
    if (!this.#skip("*")) {
      scanner.isMultiline = true;
      this.#skip("newline");
      this.#expression(depth + 1);
      if (!this.#at("]")) this.#fail();
      scanner.isMultiline = isMultiline;
    }
    this.#take("]");
  }

  /** What is in brackets, where newlines are white space. The current token is the opening one. */
  #brackets<T>(close: Kind, read: () => T): T {
    const scanner = this.#scanner;
    const { isMultiline, start } = scanner;
    const line = this.#lineOf(start);
    scanner.isMultiline = true;
    this.#next();
    const found = read();
    if (!this.#at(close)) this.#fail(this.#at("end") ? line : undefined);
    scanner.isMultiline = isMultiline;
    this.#next();
    return found;
  }

  /** @returns the text of a string without sequences. */
  #template(depth: number): string | undefined {
    const scanner = this.#scanner;
    const isQuoted = this.#at('"');
    const from = scanner.end;
    const open: string[] = [];
    let isText = isQuoted;
    this.#next();
    while (!this.#at("end of template")) {
      if (this.#at("text")) {
        if (isQuoted) this.#quoted();
        else this.#next();
      } else if (this.#at("${")) {
        isText = false;
        this.#brackets("end of sequence", () => this.#expression(depth + 1));
      } else if (this.#at("%{")) {
        isText = false;
        this.#brackets("end of sequence", () => this.#directive(open, depth + 1));
      } else this.#fail();
    }
    if (open.length > 0) this.#fail();
    const text = isText ? unescaped(scanner.text.slice(from, scanner.start)) : undefined;
    this.#next();
    return text;
  }

  /** Text in quotes, as it is written. */
  #quoted(): string {
    const { start, end, text } = this.#scanner;
    const written = text.slice(start, end);
    if (hasBadEscape(written)) this.#fail();
    this.#next();
    return written;
  }

  /** @param open the directives that need an end. */
  #directive(open: string[], depth: number): void {
    const scanner = this.#scanner;
    const around = open.at(-1);
    if (scanner.isWord("for")) {
      open.push("for");
      this.#loopHead(depth);
    } else if (scanner.isWord("if")) {
      open.push("if");
      this.#next();
      this.#expression(depth);
    } else {
      const isElse = scanner.isWord("else") && around === "if";
      const isEnd =
        (scanner.isWord("endif") && (around === "if" || around === "else")) ||
        (scanner.isWord("endfor") && around === "for");
      if (!isElse && !isEnd) this.#fail();
      open.pop();
      if (isElse) open.push("else");
      this.#next();
    }
  }

  /**
   * Skips the rest of an item: to the end of the line, or to the block at the margin that comes before.
   *
   * @param start of the item.
   * @param height how much is open around it.
   */
  #recover(start: number, height: number): void {
    const scanner = this.#scanner;
    scanner.isMultiline = false;
    const line = scanner.text.lastIndexOf("\n", scanner.start - 1) + 1;
    const margin = this.#marginFrom(Math.max(start + 1, line));
    while (scanner.depth >= height && !this.#at("end") && scanner.start < margin) {
      if (scanner.depth === height && this.#at("newline")) return;
      this.#next();
    }
    if (this.#at("end")) {
      if (this.#restarts-- > 0) this.#cut(this.#marginFrom(start + 1));
    } else if (scanner.start >= margin) this.#cut(margin);
  }

  #cut(margin: number): void {
    this.#isCut = true;
    this.#scanner.reset(margin);
  }

  /** The next block at the margin; the end of the text if there is none. */
  #marginFrom(offset: number): number {
    const { from, at } = this.#margin;
    if (from <= offset && offset <= at) return at;
    HEADER.lastIndex = offset;
    const next = HEADER.exec(this.#scanner.text)?.index ?? this.#scanner.text.length;
    this.#margin = { from: offset, at: next };
    return next;
  }

  #name(): string {
    const { kind, start, end, text } = this.#scanner;
    if (kind !== "name") this.#fail();
    this.#next();
    return text.slice(start, end);
  }

  #at(kind: Kind): boolean {
    return this.#scanner.kind === kind;
  }

  #skip(kind: Kind): boolean {
    const isThere = this.#at(kind);
    if (isThere) this.#next();
    return isThere;
  }

  #take(kind: Kind): void {
    if (!this.#skip(kind)) this.#fail();
  }

  #next(): void {
    this.#scanner.next();
  }

  #fail(line = this.#lineOf(this.#scanner.start), why?: string): never {
    this.#note(line, why);
    throw BROKEN;
  }

  #note(line: number, why?: string): void {
    this.#problem ??= { ...this.#place(line), ...(why === undefined ? {} : { why }) };
  }

  #place(line: number): SourceLocation {
    return { file: this.#file, line };
  }

  /** From 1. Most offsets come in their order. */
  #lineOf(offset: number): number {
    const line = this.#line;
    if (offset < line.start) this.#line = { number: 0, start: 0, end: -1 };
    while (this.#line.end < offset) {
      const { number, end } = this.#line;
      const next = this.#scanner.text.indexOf("\n", end + 1);
      const isLast = next < 0;
      this.#line = { number: number + 1, start: end + 1, end: isLast ? Infinity : next };
    }
    return this.#line.number;
  }
}

/** The key of a field that is computed. */
function withoutQuotes(source: string): string {
  return /^".*"$/s.test(source) ? unescaped(source.slice(1, -1)) : source;
}

function hasBadEscape(text: string): boolean {
  return text.includes("\\") && text.replace(ESCAPE, "").includes("\\");
}

function unescaped(text: string): string {
  if (!/[\\{]/.test(text)) return text;
  return text.replace(ESCAPE, (_, char, four, eight, sign) => {
    if (sign !== undefined) return sign;
    if (char !== undefined) return { n: "\n", r: "\r", t: "\t" }[char as string] ?? char;
    return String.fromCodePoint(Number.parseInt(four ?? eight, 16));
  });
}
