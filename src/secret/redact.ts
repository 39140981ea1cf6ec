import { withoutKnown } from "./known.ts";
import { inCodes } from "./token-codes.ts";
import { PATTERNS } from "./token-form.ts";

const { digit, digits, base64 } = PATTERNS;
/** A token that is cut short is hidden, too. */
const TOKEN = new RegExp(`${inCodes.start}${inCodes.digit}{8,}`, "gi");
const IN_BASE64 = new RegExp(`(?:${base64.join("|")})[\\w+/-]{20,}`, "g");
const LEGACY = new RegExp(`(?<!${digit})${digits}(?!${digit})`, "gi");

/** A line end, also as JSON writes it and as it is shown in one line; with Terraform's frame. */
const LINE_END = String.raw`(?:[\s│|]|\\x0[ad]|\\[nr])`;

/** What gives other secrets away, and what is shown in place of the match. */
const OTHERS: readonly (readonly [pattern: RegExp, shown: string])[] = [
  // The name and password in an address; a name alone is a login on a git server, or a token.
  [
    /(:\/\/[^/\s:@"'<>]{0,256}:)(?:[^/\s"'<>]{1,1024}|(?!\d{1,5}\/)[^\s"'<>@]{1,256})@/g,
    "$1[redacted]@",
  ],
  [/(\bhttps?:\/\/)[^/\s:@"'<>]{1,1024}@/gi, "$1[redacted]@"],
  [/(\bauthorization["']?\s*[:=]\s*["']?)[^\s"',;]+(?: [^\s"',;]+)?/gi, "$1[redacted]"],
  [/(\b(?:bearer|basic) )[\w.~+/=-]{16,}/gi, "$1[redacted]"],
  [
    new RegExp(
      String.raw`(-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----)(?:${LINE_END}{1,64}[\w+/=]{16,}|${LINE_END}{1,64}[\w+/=]{1,15}(?=${LINE_END}{0,64}-----END))+`,
      "g",
    ),
    "$1 [redacted] ",
  ],
  // AWS and Spaces: the id, the secret beside it, a session's token.
  [
    /(?<![A-Za-z0-9])(?:A(?:KI|SI|RO|ID|GP|NP|NV|IP|BI|CC)A[A-Z0-9]{16}|DO(?=[A-Z]{0,18}\d)[0-9A-Z]{18})(?![A-Za-z0-9])/g,
    "[redacted]",
  ],
  [
    /(?<![\w+/.-])(?!\/\w+\/)(?=[\w+/]{0,43}[A-Z])(?=[\w+/]{0,43}[a-z])(?=[\w+/]{0,43}\d)(?:[A-Za-z0-9+/]{43}|[A-Za-z0-9+/]{40})(?![\w+/-]|\.\w)/g,
    "[redacted]",
  ],
  [/\b(?:IQoJ|FwoG|FQoG|AQoD)[\w+/=%-]{40,}/g, "[redacted]"],
  [/(\bX-Amz-(?:Signature|Credential|Security-Token)=)[^&\s"']+/gi, "$1[redacted]"],
  // A value that looks drawn by lot, behind a name that says what it is.
  [
    /((?:secret|token|passw(?:or)?d|pwd|api_?key|access_?key|private_?key|credentials?)\w{0,40}["']?\s{0,4}(?:[:=]|=>)\s{0,4}\\?["']?)(?!\/\w+\/)(?=[\w+/=-]{0,64}\d)(?=[\w+/=-]{0,64}[A-Za-z])[\w+/=-]{16,}/gi,
    "$1[redacted]",
  ],
  // JWT; GitHub, GitLab, npm, Slack, Google, Stripe, HashiCorp, SendGrid.
  [/\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g, "[redacted]"],
  [/\b(?:gh[opsur]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|npm_\w{30,})/g, "[redacted]"],
  [/\b(?:xox[a-z]-[\w-]{10,}|AIza[\w-]{30,}|[rs]k_(?:live|test)_\w{16,})/g, "[redacted]"],
  [
    /\b(?:hv[sb]\.[\w-]{20,}|\w{14}\.atlasv1\.[\w-]{20,}|SG\.[\w-]{16,}\.[\w-]{16,})/g,
    "[redacted]",
  ],
];

/**
 * The second line of defence behind `Secret`, for every text on its way out: replaces what looks like a
 * DigitalOcean token, also as a URL, JSON or base64 has it; what looks like the secret of another service; and
 * what this run knows as a secret, in any form.
 */
export function redact(text: string): string {
  return withoutOthers(withoutKnown(withoutTokens(text)));
}

/** Whether a text has something of a secret's form in it, whatever the run knows. */
export function hasSecretForm(text: string): boolean {
  return withoutOthers(withoutTokens(text)) !== text;
}

function withoutTokens(text: string): string {
  return text
    .replace(TOKEN, (found) => `${/^do[opr]/i.exec(found)?.[0] ?? "dop"}_v1_[redacted]`)
    .replace(IN_BASE64, "[redacted]")
    .replace(LEGACY, "[redacted]");
}

function withoutOthers(text: string): string {
  return OTHERS.reduce((shown, [pattern, instead]) => shown.replace(pattern, instead), text);
}
