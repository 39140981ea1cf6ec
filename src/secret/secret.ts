import { quickSha256, sha256 } from "../lib/sha256.ts";
import { base64At } from "./forms.ts";
import { remember } from "./known.ts";
import { secretsOf } from "./named.ts";
import { isToken, kindOf, readPasted, readToken, type TokenFormat } from "./token-form.ts";

/** Where a token came from. It can describe itself, since every report needs that first. */
export type TokenOrigin =
  | { readonly kind: "stdin" }
  | { readonly kind: "prompt" }
  | { readonly kind: "environment"; readonly name: string }
  | { readonly kind: "env-file"; readonly name: string; readonly path: string }
  | { readonly kind: "command"; readonly program: string }
  | { readonly kind: "tfvars"; readonly path: string }
  | { readonly kind: "code"; readonly path: string }
  | { readonly kind: "doctl"; readonly context: string }
  /** Found under another name, and used after approval. `place`: where it was, in words. */
  | { readonly kind: "adopted"; readonly place: string };

/** Long enough that even a third of its base64 is not found by chance. */
const LEAST_SEARCHED = 16;
const LEAST_SECRET = 6;
/** Other origins also wrap values that are not secrets, such as the rest of a file that is shown. */
const ALWAYS_SECRET: ReadonlySet<TokenOrigin["kind"]> = new Set([
  ...(["prompt", "command", "doctl", "adopted"] as const),
]);

/**
 * A value that must not be seen. Printing it in any way gives its fingerprint. Only `reveal()` gives the value, and it
 * is called only at the sinks of docs/design.md rule 1 (a test checks that).
 */
export class Secret {
  readonly #value: string;
  readonly origin: TokenOrigin;

  private constructor(value: string, origin: TokenOrigin) {
    this.#value = value;
    this.origin = origin;
  }

  /** If its origin marks it as a secret, it is hidden from now on wherever it is printed (known.ts). */
  static of(value: string, origin: TokenOrigin): Secret {
    if (origin.kind === "environment" || origin.kind === "env-file") {
      for (const each of secretsOf(origin.name, value)) remember(each);
    } else if (ALWAYS_SECRET.has(origin.kind)) remember(value);
    return new Secret(value, origin);
  }

  /** First 8 hex digits of the value's SHA-256: distinguishes tokens without revealing them. */
  get fingerprint(): string {
    return sha256(this.#value).slice(0, 8);
  }

  /** Identifies it uniquely, even against a value made to have the same fingerprint. Reveals nothing. */
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
   * Whether a text contains it, literally or in base64. A short one has to be the whole text, and a very short one is
   * never found, since it is like many other values: `1`, `true`.
   */
  isIn(text: string): boolean {
    if (this.#value.length < LEAST_SECRET) return false;
    if (this.#value.length < LEAST_SEARCHED) return this.holds(text);
    return text.includes(this.#value) || this.placesIn(Buffer.from(text)).length > 0;
  }

  /** Whether it is recognisable by its form: tokens from before 2022 are only hex digits. */
  get hasPrefix(): boolean {
    return kindOf(this.#value) !== undefined;
  }

  /** True for exactly a token with a prefix. */
  get isToken(): boolean {
    return isToken(this.#value);
  }

  /** The access token of a browser login, which expires after about an hour. */
  get isOfSession(): boolean {
    return kindOf(this.#value) === "oauth";
  }

  /** The current token of a browser login in doctl: doctl renews it. */
  get isRenewed(): boolean {
    return this.origin.kind === "doctl" && this.isOfSession;
  }

  /** The name in reports. A login is not named by fingerprint, since that changes every hour. */
  get shortName(): string {
    return this.isRenewed ? `the login of ${describeOrigin(this.origin)}` : this.fingerprint;
  }

  /** The same value with another origin. */
  from(origin: TokenOrigin): Secret {
    return new Secret(this.#value, origin);
  }

  /** The token without white space and quotes around it, or why it is not a token. */
  asToken(): Secret | Exclude<TokenFormat, { value: string }> {
    const format = readToken(this.#value);
    return "value" in format ? new Secret(format.value, this.origin) : format;
  }

  /** The only token in this text, as a person pasted it, or why there is none. */
  tokenInText(): Secret | Exclude<TokenFormat, { value: string }> {
    const format = readPasted(this.#value);
    return "value" in format ? Secret.of(format.value, this.origin) : format;
  }

  /** The token without white space and quotes around it; unchanged if it is not a token. */
  get bare(): Secret {
    const token = this.asToken();
    return token instanceof Secret ? token : this;
  }

  get isBlank(): boolean {
    return this.#value.trim() === "";
  }

  /**
   * The offsets of this secret in some bytes, literally, in UTF-16, base64 or hex, or with characters escaped as in
   * URLs or JSON. Unordered.
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
   * Splits a text at each literal occurrence of this secret; one piece: it does not occur. If more digits follow, it is
   * another token.
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

/** Each character literally, or escaped as `%5f`, `\u005f` or `\x5f`. */
function escapedFormOf(text: string): RegExp {
  const forms = [...Buffer.from(text)].map((byte) => {
    const hex = byte.toString(16).padStart(2, "0");
    const anyCase = hex.replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`);
    const character = byte < 0x80 ? literal(String.fromCharCode(byte)) : `\\x${hex}`;
    // Limited, since a file may be full of backslashes.
    return `(?:${character}|%${anyCase}|\\\\{1,4}(?:u00|x)${anyCase})`;
  });
  return new RegExp(forms.join(""), "g");
}

/** Thirds of its base64. Lines of 64 characters break a token of 64 at most twice, so one third is always whole. */
function base64PiecesOf(text: string): string[] {
  return base64At(text).flatMap((fixed) => {
    const third = Math.floor(fixed.length / 3);
    const thirds = [0, 1, 2].map((i) => fixed.slice(i * third, (i + 1) * third));
    return thirds.filter(Boolean);
  });
}

/** The origin of a secret, in words for a report. */
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
