import { hint, own, run } from "../errors/hint.ts";
import { mistakenFor } from "../secret/not-a-token.ts";
import type { Words } from "./error-text.ts";

/** A text shows that the value used as a token cannot be one. */
export interface SaidOfValue {
  readonly kind: "token-value";
  /** "header": the value is not allowed in an HTTP header. */
  readonly why: "header" | "1password" | "dotenvx" | "encrypted" | "reference";
  /** Text of a tool, never the value. */
  readonly message: string;
}

/** Messages of Go, Node, python-requests and http.client about a line break or similar in the token. */
const HEADER =
  /invalid header field value for "?Authorization"?|Invalid character in header content \["authorization"\]|Invalid (?:leading whitespace, reserved character\(s\), or return character\(s\) in )?header value/i;

/** A name for a token with its value, or a Bearer header. */
const VALUE =
  /(?:\b\w*(?:token|_pat)\b["']?[ \t]{0,4}(?::=|[=:])[ \t]{0,4}|\bBearer )["']?([^\s"'`,;]{4,200})/gi;

/** Returns each kind once, however often the text repeats it, and never the value. */
export function valueFailuresIn(text: string): SaidOfValue[] {
  const header = HEADER.exec(text)?.[0];
  const found = new Map<SaidOfValue["why"], SaidOfValue>();
  if (header !== undefined) {
    found.set("header", { kind: "token-value", why: "header", message: header });
  }
  for (const [, value = ""] of text.matchAll(VALUE)) {
    const why = kindOf(value);
    if (why !== undefined) found.set(why, { kind: "token-value", why, message: "" });
  }
  return [...found.values()];
}

/** Matches only values that never occur in code or prose: `var.token`, `$TOKEN` and URLs are ignored. */
function kindOf(value: string): SaidOfValue["why"] | undefined {
  if (!OPENS.test(value)) return undefined;
  const mistaken = mistakenFor(value);
  if (mistaken === undefined) return undefined;
  const { kind, what } = mistaken;
  if (kind === "1password" || kind === "dotenvx") return kind;
  if (kind === "reference") return what.startsWith("an address") ? undefined : kind;
  return what.startsWith("an encrypted value") ? "encrypted" : undefined;
}

const OPENS = /^(?:[a-z][a-z\d+.-]{0,30}:|ref\+|ENC\[|\$ANSIBLE_VAULT|U2FsdGVkX1)/i;

const COMMAND = hint`Or set token.command in the config to run that command each time. ${own("exec", "--", "COMMAND")} then passes the token itself.`;

/** Explains that such a value was used. */
export function valueWords({ why }: SaidOfValue): Words {
  return WORDS[why];
}

const WORDS: Readonly<Record<SaidOfValue["why"], Words>> = {
  header: {
    what: "The token that was used contains a character that is not allowed in an HTTP header, usually a line break.",
    fix: hint`${own("exec", "--", "COMMAND")} passes this repo's token without white space around it; ${own("check")} shows where other tokens are.`,
  },
  "1password": {
    what: "A 1Password reference (op://…) is set instead of the token. Tools do not resolve it.",
    fix: hint`${run("op", "read", "op://VAULT/ITEM/FIELD")} | ${own("--token-stdin")}. ${COMMAND}`,
  },
  dotenvx: {
    what: "A value that dotenvx has encrypted (encrypted:…) is set instead of the token. Only dotenvx can decrypt it.",
    fix: hint`${run("dotenvx", "get", "DIGITALOCEAN_TOKEN")} | ${own("--token-stdin")}. ${COMMAND}`,
  },
  encrypted: {
    what: "An encrypted value is set instead of the token. Decrypt it first with the tool that encrypted it.",
    fix: hint`Pipe its output to ${own("--token-stdin")}. ${COMMAND}`,
  },
  reference: {
    what: "A reference to a secret manager is set instead of the token. Tools do not resolve it.",
    fix: hint`Pipe the output of the secret manager to ${own("--token-stdin")}. ${COMMAND}`,
  },
};
