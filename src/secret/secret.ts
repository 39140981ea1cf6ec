import { quickSha256, sha256 } from "../lib/sha256.ts";
import { base64At } from "./forms.ts";
import { remember } from "./known.ts";
import { secretsOf } from "./named.ts";
import { isToken, kindOf, readPasted, readToken, type TokenFormat } from "./token-form.ts";

/** Where a token came from; it describes itself, as that is the first question of every report. */
export type TokenOrigin =
  | { readonly kind: "stdin" }
  | { readonly kind: "prompt" }
  | { readonly kind: "environment"; readonly name: string }
  | { readonly kind: "env-file"; readonly name: string; readonly path: string }
  | { readonly kind: "command"; readonly program: string }
  | { readonly kind: "tfvars"; readonly path: string }
  | { readonly kind: "code"; readonly path: string }
  | { readonly kind: "doctl"; readonly context: string }
  /** Found under another name, and taken after a yes. `place`: where, in words. */
  | { readonly kind: "adopted"; readonly place: string };

/** A third of it in base64 is not found by chance either. */
const LEAST_SEARCHED = 16;
const LEAST_SECRET = 6;
/** The others also hide values that are no secrets, such as the rest of a file that is shown. */
const ALWAYS_SECRET: ReadonlySet<TokenOrigin["kind"]> = new Set([
  ...(["prompt", "command", "doctl", "adopted"] as const),
]);

/**
 * A value that must not be seen. Every way of printing it gives its fingerprint; the value itself
 * is had by `reveal()`, which is called at the sinks of docs/design.md rule 1 only (a test holds
 * that).
 */
export class Secret {
  readonly #value: string;
  readonly origin: TokenOrigin;

  private constructor(value: string, origin: TokenOrigin) {
    this.#value = value;
    this.origin = origin;
  }

  /** What its origin calls a secret is hidden from now on wherever it is printed (known.ts). */
  static of(value: string, origin: TokenOrigin): Secret {
    if (origin.kind === "environment" || origin.kind === "env-file") {
      for (const each of secretsOf(origin.name, value)) remember(each);
    } else if (ALWAYS_SECRET.has(origin.kind)) remember(value);
    return new Secret(value, origin);
  }

  /** First 8 hex digits of the value's SHA-256: tells two tokens apart and gives nothing away. */
  get fingerprint(): string {
    return sha256(this.#value).slice(0, 8);
  }

  /** Tells it from every other, also from one that is made to have the same fingerprint; gives nothing away. */
  get digest(): string {
    return quickSha256(this.#value).slice(0, 32);
  }

  reveal(): string {
    return this.#value;
  }

  equals(other: Secret | undefined): boolean {
    return other !== undefined && other.#value === this.#value;
  }

  /** Whether a text is this secret, with or without white space and quotes around it. */
  holds(text: string): boolean {
    const format = readToken(text);
    return text.trim() === this.#value || ("value" in format && format.value === this.#value);
  }

  /**
   * Whether it stands in a text, as it is or in base64. A short one has to be all of it, and a shorter one
   * is like many others: `1`, `true`.
   */
  isIn(text: string): boolean {
    if (this.#value.length < LEAST_SECRET) return false;
    if (this.#value.length < LEAST_SEARCHED) return this.holds(text);
    return text.includes(this.#value) || this.placesIn(Buffer.from(text)).length > 0;
  }

  /** Whether anybody can tell by its form what it is: the tokens of before 2022 are mere digits. */
  get hasPrefix(): boolean {
    return kindOf(this.#value) !== undefined;
  }

  /** A token with a prefix, and nothing else. */
  get isToken(): boolean {
    return isToken(this.#value);
  }

  /** The access token of a browser login, which lives for an hour or so. */
  get isOfSession(): boolean {
    return kindOf(this.#value) === "oauth";
  }

  /** The token that a browser login in doctl has for now: doctl renews it. */
  get isRenewed(): boolean {
    return this.origin.kind === "doctl" && this.isOfSession;
  }

  /** What a report calls it. A login has another fingerprint every hour. */
  get shortName(): string {
    return this.isRenewed ? `the login of ${describeOrigin(this.origin)}` : this.fingerprint;
  }

  /** The same value, which came from there. */
  from(origin: TokenOrigin): Secret {
    return new Secret(this.#value, origin);
  }

  /** The token that this is, without white space and quotes around it, or why it is none. */
  asToken(): Secret | Exclude<TokenFormat, { value: string }> {
    const format = readToken(this.#value);
    return "value" in format ? new Secret(format.value, this.origin) : format;
  }

  /** The only token in the text that this is, as a person pastes it, or why there is none. */
  tokenInText(): Secret | Exclude<TokenFormat, { value: string }> {
    const format = readPasted(this.#value);
    return "value" in format ? Secret.of(format.value, this.origin) : format;
  }

  /** The token in it, without white space and quotes around it; the same where it is none. */
  get bare(): Secret {
    const token = this.asToken();
    return token instanceof Secret ? token : this;
  }

  get isBlank(): boolean {
    return this.#value.trim() === "";
  }

  /**
   * Where in some bytes this secret stands, as it is, in UTF-16, base64 or hex, or with characters escaped as
   * in a URL or in JSON; offsets, in no order.
   */
  placesIn(bytes: Buffer): number[] {
    const wide = Buffer.from(this.#value, "utf16le").subarray(0, -1);
    const hex = Buffer.from(this.#value).toString("hex");
    const base64 = base64PiecesOf(this.#value);
    const forms = new Set([this.#value, wide, hex, hex.toUpperCase(), ...base64]);
    const plain = [...forms].flatMap((form) => {
      const places: number[] = [];
      for (let at = bytes.indexOf(form); at >= 0; at = bytes.indexOf(form, at + 1)) places.push(at);
      return places;
    });
    if (!["%", "\\u", "\\x"].some((sign) => bytes.includes(sign))) return plain;
    const escaped = bytes.toString("latin1").matchAll(escapedFormOf(this.#value));
    return [...plain, ...Array.from(escaped, ({ index }) => index)];
  }

  /**
   * The pieces of a text around this secret, as it is; one piece: it is not there. What goes on with more
   * digits is another token.
   */
  piecesOf(text: string): string[] {
    if (!text.includes(this.#value)) return [text];
    const before = this.hasPrefix ? "" : "(?<![0-9a-f])";
    return text.split(new RegExp(`${before}${literal(this.#value)}(?![0-9a-f])`));
  }

  toString(): string {
    return `[secret ${this.fingerprint}]`;
  }

  toJSON(): string {
    return this.toString();
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

function literal(text: string): string {
  return text.replace(/[^\w]/g, "\\$&");
}

/** Each character as it is, or as `%5f`, `\u005f` or `\x5f` write it. */
function escapedFormOf(text: string): RegExp {
  const forms = [...Buffer.from(text)].map((byte) => {
    const hex = byte.toString(16).padStart(2, "0");
    const anyCase = hex.replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`);
    const character = byte < 0x80 ? literal(String.fromCharCode(byte)) : `\\x${hex}`;
    // A limit, as a file may be full of backslashes.
    return `(?:${character}|%${anyCase}|\\\\{1,4}(?:u00|x)${anyCase})`;
  });
  return new RegExp(forms.join(""), "g");
}

/** Thirds of its base64. Lines of 64 characters break a token of 64 twice at most, so one third is always whole. */
function base64PiecesOf(text: string): string[] {
  return base64At(text).flatMap((fixed) => {
    const third = Math.floor(fixed.length / 3);
    const thirds = [0, 1, 2].map((i) => fixed.slice(i * third, (i + 1) * third));
    return thirds.filter(Boolean);
  });
}

/** Where a secret came from, in words for a report. */
export function describeOrigin(origin: TokenOrigin): string {
  switch (origin.kind) {
    case "stdin":
      return "standard input";
    case "prompt":
      return "the prompt";
    case "environment":
      return `${origin.name} in the environment`;
    case "env-file":
      return `${origin.name} in ${origin.path}`;
    case "command":
      return `${origin.program} (token.command)`;
    case "tfvars":
    case "code":
      return origin.path;
    case "doctl":
      return `doctl context ${origin.context}`;
    case "adopted":
      return origin.place;
  }
}
