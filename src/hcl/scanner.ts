/** What opens something: `"` and `<<` a template, `${` and `%{` a sequence in one. */
export type Opening = "(" | "[" | "{" | '"' | "<<" | "${" | "%{";

/** A sign that opens or ends nothing is its own kind. */
export type Kind =
  | Opening
  | ")"
  | "]"
  | "}"
  | "end of sequence"
  | "end of template"
  | "name"
  | "number"
  /** Literal text in a template, escapes included. */
  | "text"
  | "newline"
  | "end"
  /** What no valid file contains here. */
  | "invalid"
  | "..."
  | Sign;

const PAIRS = ["==", "!=", "<=", ">=", "&&", "||", "=>", "::"] as const;
const SIGNS = ["=", "?", ":", ",", ".", "+", "-", "*", "/", "%", "<", ">", "!"] as const;
type Sign = (typeof PAIRS)[number] | (typeof SIGNS)[number];

const KINDS: ReadonlyMap<string, Sign> = new Map([...PAIRS, ...SIGNS].map((sign) => [sign, sign]));

const NAME = /[A-Za-z_][\w-]*/y;
/** Compiled only for names with other letters: it takes a millisecond. */
const UNICODE_NAME = /[\p{ID_Start}_][\p{ID_Continue}-]*/uy;
/** Only the parser knows which of them are numbers: `1.2.3` is one token. */
const NUMBER = /\d(?:\.*(?:\d|[eE][+-]?\d))*/y;
const BLANK = /[ \t]+/y;
const NEWLINE = /\r?\n/y;
const HEREDOC = /<<-?([A-Za-z_\x80-\uffff][\w\x80-\uffff-]*)\r?\n/y;
const WHOLE_NAME = /^(?:[A-Za-z_][\w-]*|[\p{ID_Start}_][\p{ID_Continue}-]*)$/u;
/** Literal text: escapes, doubled signs, and everything that starts nothing else. */
const QUOTED = /(?:[^\\$%"\r\n]+|\\[^\r\n]|\$\$\{|%%\{|[$%](?!\{))+/y;
const BARE = /(?:[^$%]+|\$\$\{|%%\{|[$%](?!\{))+/y;
const HEREDOC_LINE = /(?:[^$%\r\n]+|\$\$\{|%%\{|[$%](?!\{))+/y;
const SEQUENCE = /[$%]\{~?/y;

/** What is open, with the marker of a heredoc; the text of a template without quotes is in "". */
type Open = Exclude<Opening, "<<"> | `<<${string}` | "";

/**
 * Splits Terraform's native syntax into tokens, as Terraform does (hclsyntax/scan_tokens.rl): what a bracket or a quote
 * means depends on what is open. Never throws, and takes linear time for any text.
 */
export class Scanner {
  /** The current token. Before the first call of next(), there is none. */
  kind: Kind = "newline";
  start = 0;
  end = 0;
  /** The end of the token before it. */
  previousEnd = 0;
  /** Newlines are white space, as in brackets. To be set before the next token is read. */
  isMultiline = false;

  readonly text: string;
  readonly #open: Open[] = [];
  #hasCommentEnd = true;

  /** @param isTemplate the text is the content of a template, as a string in the JSON syntax. */
  constructor(text: string, isTemplate = false) {
    this.text = text;
    if (isTemplate) this.#open.push("");
    else if (text.startsWith("\ufeff")) this.end = 1;
  }

  /** How much is open. */
  get depth(): number {
    return this.#open.length;
  }

  isWord(word: string): boolean {
    const { kind, start, end, text } = this;
    return kind === "name" && end - start === word.length && text.startsWith(word, start);
  }

  /** Goes on at an offset, with nothing open. */
  reset(offset: number): void {
    this.end = offset;
    this.#open.length = 0;
    this.isMultiline = false;
    this.next();
  }

  next(): void {
    this.previousEnd = this.end;
    this.start = this.end;
    const open = this.#open[this.#open.length - 1];
    if (open === '"') this.#inQuotes();
    else if (open === "") this.#inText(BARE);
    else if (open !== undefined && open.length > 2) this.#inHeredoc(open.slice(2));
    else this.#inCode();
  }

  #inCode(): void {
    this.#skipBlanks();
    const { text, start } = this;
    if (start >= text.length) this.#put("end", start);
    else if (this.#take(NAME)) {
      this.#put("name", NAME.lastIndex);
      if (text.charCodeAt(this.end) > 127) this.#unicodeName();
    } else if (this.#take(NEWLINE)) this.#put("newline", NEWLINE.lastIndex);
    else if (this.#take(NUMBER)) this.#put("number", NUMBER.lastIndex);
    else this.#sign(text.charAt(start));
  }

  /** White space and comments. The newline behind a comment is not part of it. */
  #skipBlanks(): void {
    const { text } = this;
    for (;;) {
      if (this.#take(BLANK)) this.start = BLANK.lastIndex;
      const char = text.charCodeAt(this.start);
      if (char === HASH || (char === SLASH && text.charCodeAt(this.start + 1) === SLASH)) {
        const end = text.indexOf("\n", this.start);
        this.start = end < 0 ? text.length : end;
      } else if (char === SLASH && text.charCodeAt(this.start + 1) === STAR) {
        const end = this.#hasCommentEnd ? text.indexOf("*/", this.start + 2) : -1;
        this.#hasCommentEnd = end >= 0;
        if (end < 0) return;
        this.start = end + 2;
      } else if (this.isMultiline && this.#take(NEWLINE)) this.start = NEWLINE.lastIndex;
      else return;
    }
  }

  #sign(sign: string): void {
    const { text, start } = this;
    switch (sign) {
      case "(":
      case "[":
      case "{":
      case '"':
        this.#enter(sign, sign, start + 1);
        return;
      case ")":
      case "]":
        this.#leave(sign === ")" ? "(" : "[");
        this.#put(sign, start + 1);
        return;
      case "}":
        this.#closeBrace(start + 1);
        return;
    }
    const marker = sign === "<" ? this.#heredocMarker() : undefined;
    if (marker !== undefined) this.#enter("<<", `<<${marker}`, HEREDOC.lastIndex);
    else if (text.startsWith("...", start)) this.#put("...", start + 3);
    else if (text.startsWith("~}", start)) this.#closeBrace(start + 2);
    else {
      const pair = KINDS.get(text.slice(start, start + 2));
      const kind = pair ?? KINDS.get(sign);
      if (kind !== undefined) this.#put(kind, start + kind.length);
      else this.#unicodeName();
    }
  }

  #heredocMarker(): string | undefined {
    HEREDOC.lastIndex = this.start;
    const [, marker] = HEREDOC.exec(this.text) ?? [];
    return marker !== undefined && WHOLE_NAME.test(marker) ? marker : undefined;
  }

  #unicodeName(): void {
    if (this.#take(UNICODE_NAME)) this.#put("name", UNICODE_NAME.lastIndex);
    else if (this.end <= this.start) {
      const char = this.text.codePointAt(this.start) ?? 0;
      this.#put("invalid", this.start + (char > 0xffff ? 2 : 1));
    }
  }

  #inQuotes(): void {
    const { text, start } = this;
    if (text.charAt(start) === '"') {
      this.#open.pop();
      this.#put("end of template", start + 1);
    } else if (start < text.length && !this.#take(QUOTED) && !this.#take(SEQUENCE)) {
      // A newline ends a string that is not closed, so that the code below it can be read.
      const isNewline = text.charAt(start) !== "\\";
      if (isNewline) this.#open.pop();
      this.#put("invalid", isNewline ? start : start + 1);
    } else this.#inText(QUOTED);
  }

  #inHeredoc(marker: string): void {
    const { text, start } = this;
    let at = start;
    for (;;) {
      const end = text.charAt(at - 1) === "\n" ? text.indexOf("\n", at) : -1;
      if (end >= 0 && isMarker(text.slice(at, end), marker)) {
        if (at > start) break;
        this.#open.pop();
        this.#put("end of template", text.charAt(end - 1) === "\r" ? end - 1 : end);
        return;
      }
      HEREDOC_LINE.lastIndex = at;
      if (HEREDOC_LINE.test(text)) at = HEREDOC_LINE.lastIndex;
      NEWLINE.lastIndex = at;
      if (!NEWLINE.test(text)) break;
      at = NEWLINE.lastIndex;
    }
    if (at > start) this.#put("text", at);
    else if (text.charAt(start) === "\r") this.#put("invalid", start + 1);
    else this.#inText(HEREDOC_LINE);
  }

  #inText(pattern: RegExp): void {
    const { text, start } = this;
    if (start >= text.length) this.#put("end", start);
    else if (this.#take(pattern)) this.#put("text", pattern.lastIndex);
    else if (this.#take(SEQUENCE)) {
      const opening = text.charAt(start) === "$" ? "${" : "%{";
      this.#enter(opening, opening, SEQUENCE.lastIndex);
    }
  }

  /** `}` and `~}` end the innermost brace or sequence. */
  #closeBrace(end: number): void {
    let open = this.#open.at(-1);
    for (; open === "(" || open === "["; open = this.#open.at(-1)) this.#open.pop();
    if (open !== undefined) this.#open.pop();
    const isBrace = end === this.start + 1 && (open === "{" || open === undefined);
    this.#put(isBrace ? "}" : "end of sequence", end);
  }

  #enter(kind: Opening, open: Open, end: number): void {
    this.#open.push(open);
    this.#put(kind, end);
  }

  #leave(open: Open): void {
    if (this.#open.at(-1) === open) this.#open.pop();
  }

  #put(kind: Kind, end: number): void {
    this.kind = kind;
    this.end = end;
  }

  /** Whether the pattern matches at the start of the token; its lastIndex is the end. */
  #take(pattern: RegExp): boolean {
    pattern.lastIndex = this.start;
    return pattern.test(this.text);
  }
}

/** White space around the marker is allowed, as Go defines it. */
function isMarker(line: string, marker: string): boolean {
  if (!line.includes(marker) || /\r[\s\S]|\ufeff/.test(line)) return false;
  return line.replaceAll("\x85", " ").trim() === marker;
}

const HASH = 0x23;
const SLASH = 0x2f;
const STAR = 0x2a;
