import { withoutKnown } from "./known.ts";
import { inCodes } from "./token-codes.ts";
import { PATTERNS } from "./token-form.ts";

const { digit, digits, base64 } = PATTERNS;
/** A token that is cut short is hidden, too. */
const TOKEN = new RegExp(`${inCodes.start}${inCodes.digit}{8,}`, "gi");
const IN_BASE64 = new RegExp(`(?:${base64.join("|")})[\\w+/-]{20,}`, "g");
/** Not the digest of an image. */
const LEGACY = new RegExp(`(?<!${digit}|sha256:)${digits}(?!${digit})`, "gi");

/** A line end, also as JSON writes it and as it is shown in one line; with Terraform's frame. */
const LINE_END = String.raw`(?:[\s│|]|\\x0[ad]|\\[nr])`;

/** Keys of services, which begin with their own letters. */
const PREFIXED = [
  String.raw`gh[opsur]_\w{20,}|github_pat_\w{20,}|gl(?:pat|ptt|dt|rtr?|cbt|imt|ft|ffct|soat|oas|agent|wt)-[\w-]{16,}`,
  String.raw`npm_[A-Za-z0-9]{36}|pypi-[\w-]{40,}|dckr_[a-z]{3}_[\w-]{20,}`,
  String.raw`xox[a-z]-[\w-]{10,}|xapp-[\w-]{16,}|AIza[\w-]{30,}|ya29\.[\w-]{20,}|GOCSPX-[\w-]{20,}`,
  String.raw`[rs]k_(?:live|test)_\w{16,}|whsec_[\w+/=]{24,}|sk-(?=[\w-]{0,80}\d)[\w-]{32,}|hf_[A-Za-z0-9]{30,}`,
  String.raw`hv[sb]\.[\w-]{20,}|s\.(?=[A-Za-z]{0,23}\d)[A-Za-z0-9]{24}(?!\w)|\w{14}\.atlasv1\.[\w-]{20,}`,
  String.raw`SG\.[\w-]{16,}\.[\w-]{16,}|key-[0-9a-f]{32}|(?:AC|SK)[0-9a-f]{32}(?!\w)`,
  String.raw`pul-[0-9a-f]{40}|lin_[a-z]{3,5}_\w{32,}|shp[a-z]{2}_[0-9a-f]{32}|dp\.[a-z]{2,5}\.[\w.-]{20,}`,
  "AGE-SECRET-KEY-1[0-9A-Z]{40,}",
];

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
      String.raw`(-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----)(?:${LINE_END}{1,64}[A-Z][\w-]{2,20}: [\w,. -]{1,80}(?=${LINE_END})|${LINE_END}{1,64}[\w+/=]{16,}|${LINE_END}{1,64}[\w+/=]{1,15}(?=${LINE_END}{0,64}-----END))+`,
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
    // 43 with an = behind them, or SHA256: before them, are a checksum.
    /(?<![\w+/.-]|SHA256:)(?!\/\w+\/)(?=[\w+/]{0,43}[A-Z])(?=[\w+/]{0,43}[a-z])(?=[\w+/]{0,43}\d)(?:[A-Za-z0-9+/]{43}|[A-Za-z0-9+/]{40})(?![\w+/=-]|\.\w)/g,
    "[redacted]",
  ],
  [/\b(?:IQoJ|FwoG|FQoG|AQoD)[\w+/=%-]{40,}/g, "[redacted]"],
  [/(\bX-Amz-(?:Signature|Credential|Security-Token)=)[^&\s"']+/gi, "$1[redacted]"],
  // A value that looks drawn by lot, behind a name that says what it is.
  [
    /((?:secret|token|passw(?:or)?d|pwd|api_?key|access_?key|private_?key|account_?key|(?:api|access|client|private)-(?:key|secret)|credentials?)\w{0,40}["']?\s{0,4}(?:[:=]|=>)\s{0,4}\\?["']?)(?!\/\w+\/|[A-Z]+(?:_[A-Z\d]+)+(?![\w+/=-]))(?=[\w+/=-]{0,64}\d)(?=[\w+/=-]{0,64}[A-Za-z])[\w+/=-]{16,}/gi,
    "$1[redacted]",
  ],
  // In one word or behind an option, a password may be any text that is no reference to one.
  [/(passw(?:or)?d=)(?![$<{*]|var\.|local\.)[^\s&;,'"`\\]{4,1024}/gi, "$1[redacted]"],
  [
    /((?<![\w-])--?(?:password|passwd|token|secret|api-key|access-token)[ =])(?![-$<{*])[^\s'"]{4,1024}/gi,
    "$1[redacted]",
  ],
  [/(\bmachine \S{1,256} login \S{1,256} password )\S+/g, "$1[redacted]"],
  [/(\b(?:set-)?cookie2?["']?: ?["']?)[^\r\n"']+/gi, "$1[redacted]"],
  [/("_?auth"\s{0,4}:\s{0,4}")[\w+/=]{8,}/gi, "$1[redacted]"],
  [/([?&]sig=)[\w%+/=-]{20,}/gi, "$1[redacted]"],
  // JWT; then by the prefixes that services give their keys so that they are found.
  [/\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g, "[redacted]"],
  [new RegExp(`(?<![A-Za-z0-9])(?:${PREFIXED.join("|")})`, "g"), "[redacted]"],
  [
    /(\bhttps:\/\/(?:hooks\.slack\.com\/services|discord(?:app)?\.com\/api\/webhooks)\/)[\w/-]{16,}/g,
    "$1[redacted]",
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
