/** A lexical token of an expression. */
export interface Piece {
  /** open: a bracket, the `"` or `<<` that starts a template, or the `${` in one; text: literal text in a template. */
  readonly kind: "name" | "text" | "sign" | "open";
  readonly text: string;
  /** For `open`: the index after the last piece inside it. */
  end: number;
}

/** Longer texts are not parsed. */
const MAX_LENGTH = 100_000;
/** `core::trimspace` is one name. Unicode classes would take a millisecond to compile. */
const NAME = /[A-Za-z_\x80-\uffff][\w\x80-\uffff-]*(?:::[A-Za-z_\x80-\uffff][\w\x80-\uffff-]*)*/y;
const NUMBER = /\d[\w.]*/y;
const BLANK = /(?:\s+|#[^\n]*|\/\/[^\n]*)+/y;
const HEREDOC = /<<-?([A-Za-z_\x80-\uffff][\w\x80-\uffff-]*)[ \t]*\r?\n/y;
/** Literal text in a template: an escape, a doubled sign, and everything that starts nothing else. */
const TEXT = /(?:\\[\s\S]|\$\$\{|%%\{|[$%](?!\{)|[^\\$%"]+)+/y;
const HEREDOC_LINE = /(?:\$\$\{|%%\{|[$%](?!\{)|[^$%\n]+)*/y;
const CLOSING: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}" };

/**
 * Splits an expression into pieces, without comments and white space. Quoted text becomes text pieces; interpolations in
 * it are split like other code. Runs in linear time.
 *
 * @param isTemplate the text is the content of quotes, as in a string of the JSON syntax.
 * @returns an empty list for a text that is too long.
 */
export function piecesOf(text: string, isTemplate = false): readonly Piece[] {
  const pieces: Piece[] = [];
  if (text.length > MAX_LENGTH) return pieces;
  /** The open pieces and what closes them. A template that is the whole text has no piece. */
  const open: { readonly piece: Piece | undefined; readonly close: string }[] = [];
  if (isTemplate) open.push({ piece: undefined, close: "" });
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match !== null) at = pattern.lastIndex;
    return match;
  };
  const put = (kind: Piece["kind"], written: string): Piece => {
    const piece = { kind, text: written, end: pieces.length + 1 };
    pieces.push(piece);
    return piece;
  };
  const enter = (written: string, close: string) =>
    open.push({ piece: put("open", written), close });
  const leave = () => {
    const { piece } = open.pop() ?? {};
    if (piece !== undefined) piece.end = pieces.length;
  };

  while (at < text.length) {
    const close = open.at(-1)?.close;
    if (close === '"' || close === "") inQuotes(close);
    else if (close?.startsWith("<<")) inHeredoc(close.slice(2));
    else inExpression(close);
  }
  while (open.length > 0) leave();
  return pieces;

  function inExpression(close: string | undefined): void {
    if (take(BLANK) !== null) return;
    if (text.startsWith("/*", at)) {
      const end = text.indexOf("*/", at + 2);
      at = end < 0 ? text.length : end + 2;
      return;
    }
    const name = take(NAME) ?? take(NUMBER);
    if (name !== null) {
      put("name", name[0]);
      return;
    }
    const [, heredoc] = take(HEREDOC) ?? [];
    if (heredoc !== undefined) {
      enter("<<", `<<${heredoc}`);
      return;
    }
    const sign = text.charAt(at++);
    if (sign === close) leave();
    else if (sign === '"') enter(sign, sign);
    else if (CLOSING[sign] !== undefined) enter(sign, CLOSING[sign]);
    else put("sign", sign);
  }

  function inQuotes(close: string): void {
    const [written] = take(TEXT) ?? [];
    if (written !== undefined) put("text", written);
    else if (!fillsIn()) {
      // Inside quotes, only the end is left; in the JSON syntax, a quote is text.
      if (close === '"') leave();
      else put("text", text.charAt(at));
      at++;
    }
  }

  function inHeredoc(name: string): void {
    const isLineStart = text.charAt(at - 1) === "\n";
    const end = isLineStart ? /^[ \t]*([\w\x80-\uffff-]+)[ \t]*\r?(?:\n|$)/.exec(lineAt()) : null;
    if (end?.[1] === name) {
      leave();
      at += end[0].length;
      return;
    }
    const [written] = take(HEREDOC_LINE) ?? [];
    const isEnd = text.charAt(at) === "\n";
    if (isEnd) at++;
    if (written || isEnd) put("text", written ?? "");
    else if (!fillsIn()) at++;
  }

  function lineAt(): string {
    const end = text.indexOf("\n", at);
    return text.slice(at, end < 0 ? undefined : end + 1);
  }

  /** `${ … }` and `%{ … }`, also with `~`, which strips white space. */
  function fillsIn(): boolean {
    const [written] = take(/[$%]\{~?/y) ?? [];
    if (written === undefined) return false;
    enter(written.slice(0, 2), "}");
    return true;
  }
}

/** Pieces of an expression. */
export type Range = readonly [from: number, to: number];

/** The ranges of b and c in `a ? b : c`. */
export function choiceIn(
  pieces: readonly Piece[],
  [from, to]: Range,
): readonly Range[] | undefined {
  let yes: number | undefined;
  let inner = 0;
  for (let at = from; at < to; at = Math.max(at + 1, pieces[at]?.end ?? 0)) {
    if (isSign(pieces[at], "?")) {
      if (yes === undefined) yes = at + 1;
      else inner++;
    } else if (isSign(pieces[at], ":") && yes !== undefined) {
      if (inner === 0) {
        return [
          [yes, at],
          [at + 1, to],
        ];
      }
      inner--;
    }
  }
  return undefined;
}

export function argumentsIn(pieces: readonly Piece[], [from, to]: Range): readonly Range[] {
  const found: Range[] = [];
  let start = from;
  for (let at = from; at < to; at = Math.max(at + 1, pieces[at]?.end ?? 0)) {
    if (!isSign(pieces[at], ",")) continue;
    found.push([start, at]);
    start = at + 1;
  }
  return start < to ? [...found, [start, to]] : found;
}

export function isSign(piece: Piece | undefined, text: string): boolean {
  return piece?.kind === "sign" && piece.text === text;
}
