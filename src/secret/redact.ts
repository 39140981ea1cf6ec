import { withoutKnown } from "./known.ts";
import { inCodes } from "./token-codes.ts";
import { PATTERNS } from "./token-form.ts";

const { digit, digits, base64 } = PATTERNS;
/** Also hides a token that was cut off. */
const TOKEN = new RegExp(`${inCodes.start}${inCodes.digit}{8,}`, "gi");
const IN_BASE64 = new RegExp(`(?:${base64.join("|")})[\\w+/-]{20,}`, "g");
/** Excludes the digest of an image. */
const LEGACY = new RegExp(`(?<!${digit}|sha256:)${digits}(?!${digit})`, "gi");

/** A line ending, also as JSON escapes it and as it is shown on one line, and with Terraform's frame. */
const LINE_END = String.raw`(?:[\s│|]|\\x0[ad]|\\[nr])`;

/** Keys with the prefix of a service. */
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

/** Patterns of other secrets, and the replacement for a match. */
const OTHERS: readonly (readonly [pattern: RegExp, shown: string])[] = [
  // The name and password in a URL. A name alone is a login on a git server, or a token.
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
  // AWS and Spaces: the id, the secret that belongs to it, a session token.
  [
    /(?<![A-Za-z0-9])(?:A(?:KI|SI|RO|ID|GP|NP|NV|IP|BI|CC)A[A-Z0-9]{16}|DO(?=[A-Z]{0,18}\d)[0-9A-Z]{18})(?![A-Za-z0-9])/g,
    "[redacted]",
  ],
  [
    // 43 characters with = after them or SHA256: before them are a checksum.
    /(?<![\w+/.-]|SHA256:)(?!\/\w+\/)(?=[\w+/]{0,43}[A-Z])(?=[\w+/]{0,43}[a-z])(?=[\w+/]{0,43}\d)(?:[A-Za-z0-9+/]{43}|[A-Za-z0-9+/]{40})(?![\w+/=-]|\.\w)/g,
    "[redacted]",
  ],
  [/\b(?:IQoJ|FwoG|FQoG|AQoD)[\w+/=%-]{40,}/g, "[redacted]"],
  [/(\bX-Amz-(?:Signature|Credential|Security-Token)=)[^&\s"']+/gi, "$1[redacted]"],
  // A value that looks random, after a name for a secret.
  [
    /((?:secret|token|passw(?:or)?d|pwd|api_?key|access_?key|private_?key|account_?key|(?:api|access|client|private)-(?:key|secret)|credentials?)\w{0,40}["']?\s{0,4}(?:[:=]|=>)\s{0,4}\\?["']?)(?!\/\w+\/|[A-Z]+(?:_[A-Z\d]+)+(?![\w+/=-]))(?=[\w+/=-]{0,64}\d)(?=[\w+/=-]{0,64}[A-Za-z])[\w+/=-]{16,}/gi,
    "$1[redacted]",
  ],
  // In one word or after an option, any text may be a password, unless it is a reference to one.
  [/(passw(?:or)?d=)(?![$<{*]|var\.|local\.)[^\s&;,'"`\\]{4,1024}/gi, "$1[redacted]"],
  [
    /((?<![\w-])--?(?:password|passwd|token|secret|api-key|access-token)[ =])(?![-$<{*])[^\s'"]{4,1024}/gi,
    "$1[redacted]",
  ],
  [/(\bmachine \S{1,256} login \S{1,256} password )\S+/g, "$1[redacted]"],
  [/(\b(?:set-)?cookie2?["']?: ?["']?)[^\r\n"']+/gi, "$1[redacted]"],
  [/("_?auth"\s{0,4}:\s{0,4}")[\w+/=]{8,}/gi, "$1[redacted]"],
  [/([?&]sig=)[\w%+/=-]{20,}/gi, "$1[redacted]"],
  // JWTs, then keys with the prefixes that services add so that they can be found.
  [/\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g, "[redacted]"],
  [new RegExp(`(?<![A-Za-z0-9])(?:${PREFIXED.join("|")})`, "g"), "[redacted]"],
  [
    /(\bhttps:\/\/(?:hooks\.slack\.com\/services|discord(?:app)?\.com\/api\/webhooks)\/)[\w/-]{16,}/g,
    "$1[redacted]",
  ],
];

/**
 * The second line of defence after `Secret`, for every text that is printed. Replaces what looks like a DigitalOcean
 * token, also in URLs, JSON or base64; what looks like the secret of another service; and the known secrets of this
 * run, in any form.
 */
export function redact(text: string): string {
  return withoutOthers(withoutKnown(withoutTokens(text)));
}

/** Whether a text contains something with the form of a secret, ignoring the known secrets of this run. */
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
