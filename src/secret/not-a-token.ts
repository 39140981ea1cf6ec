/** Recognises by its form what people enter instead of a token. The content is never evaluated. */

/** The kinds that need different fixes. "other": the only fix is a new token. */
export type Mistake =
  | "1password"
  | "dotenvx"
  | "reference"
  | "spaces-key"
  | "placeholder"
  | "other";

/** The first match counts. Each pattern is anchored and matches in linear time. */
const FORMS: readonly (readonly [kind: Mistake, form: RegExp, what: string])[] = [
  ["1password", /^op:\/\//, "a 1Password reference (op://…), not the token itself"],
  ["dotenvx", /^encrypted:/, "a value that dotenvx has encrypted (encrypted:…)"],
  ["other", /^ENC\[/, "an encrypted value (ENC[…], as SOPS and eyaml write it)"],
  ["other", /^(?:\$ANSIBLE_VAULT|U2FsdGVkX1|age1|AGE-SECRET|vault:v\d+:)/, "an encrypted value"],
  [
    "reference",
    /^(?:vault|arn|ssm|secret|secretsmanager|awssm|gcpsm|sops|keyring|keychain|bws|doppler|infisical|akv):|^ref\+|^projects\/[^/\s]{1,99}\/secrets\/|^@Microsoft\.KeyVault|^\{\{resolve:/,
    "a reference to a secret manager, not the token itself",
  ],
  ["reference", /^[a-z][a-z\d+.-]{0,30}:\/\//i, "an address or a reference, not the token itself"],
  [
    "reference",
    /^\$\(.*\)$|^`.*`$|^\$\{?[A-Za-z_][^{}]{0,200}\}?$|^%[A-Za-z_]\w{0,99}%$|^\$?\{\{.{0,200}\}\}$|^\$env:\w{1,99}$|^(?:var|local|data)\.[\w.]{1,99}$/s,
    "a variable or command that was not expanded",
  ],
  // The first letters of a token in base64. Unlike those of PATTERNS, they must be at the start of the text.
  ["other", /^ZG9[wv]X3YxX/, "a token in base64; decode it first"],
  ["spaces-key", /^DO[\dA-Z]{18}$/, "the access key of a Spaces key, not an API token"],
  [
    "spaces-key",
    /^(?=.{0,42}[A-Z])(?=.{0,42}[a-z])(?=.{0,42}\d)[\w+/-]{43}$/,
    "probably a Spaces secret key, not an API token",
  ],
  ["other", /^(?:~|\.{1,2})?\/[\w./ -]{1,300}$|^[A-Za-z]:\\/, "a file path, not a token"],
  ["other", /^(?:gh[opsur]_|github_pat_)/, "a GitHub token"],
  ["other", /^gl(?:pat|dt|rt|cbt|ptt|ft|soat|agent)-/, "a GitLab token"],
  ["other", /^A(?:KIA|SIA)[\dA-Z]{16}$/, "an AWS access key"],
  ["other", /^sk-do-/, "a key for DigitalOcean's AI models, not an API token"],
  ["other", /^AVNS_/, "the password of a DigitalOcean database, not an API token"],
  [
    "other",
    /^(?:[spr]k_(?:live|test)_|sk-|xox[a-z]-|SG\.|npm_|dckr_|pul-|dp\.[a-z]{2}\.|hf_)/,
    "a key of another service",
  ],
  ["other", /^hv[sb]\.|^\w{14}\.atlasv1\./, "a HashiCorp token"],
  ["other", /^ops_eyJ/, "the token of a 1Password service account"],
  ["other", /^eyJ[\w-]+\.[\w-]+\./, "a JSON Web Token"],
  ["other", /^-----BEGIN |^ssh-(?:rsa|ed25519|dss) /, "a key, not a token"],
  ["other", /^[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}$/i, "a UUID, not a token"],
  [
    "other",
    /^(?:do[opr]_v1_)?\[(?:secret [\da-f]{8}|redacted)\]$/,
    "a placeholder for a hidden secret, not the secret",
  ],
  ["placeholder", /^(?:<[^<>]*>|\[[\w .-]*\])$/, "a placeholder"],
  [
    "placeholder",
    /^(?:do[opr]_v1_)?(?:x+|X+|\*+|\.+|…|-+|_+|\?+|#+|(?:xxxx|XXXX)[xX-]*)$/,
    "a placeholder",
  ],
];

/** Words that no token contains, and texts that mean "no value". */
const PLACEHOLDER_WORDS =
  /(?:^|[^a-z])(?:change|changeme|replace|replaceme|your|insert|enter|paste|put|placeholder|todo|fixme|tbd|example|sample|dummy|redacted|here|xxx+)(?:[^a-z]|$)/i;
const NO_VALUE = /^(?:none|null|nil|undefined|true|false|empty|token|secret|test|foo|bar|n\/a)$/i;
const LONGEST_PLACEHOLDER = 100;

export interface Mistaken {
  readonly kind: Mistake;
  /** Completes the phrase "it is …". */
  readonly what: string;
}

/** What a text is that somebody took for a token; undefined: unknown. */
export function mistakenFor(text: string): Mistaken | undefined {
  const found = FORMS.find(([, form]) => form.test(text));
  if (found !== undefined) return { kind: found[0], what: found[2] };
  if (text.length > LONGEST_PLACEHOLDER) return undefined;
  return PLACEHOLDER_WORDS.test(text) || NO_VALUE.test(text)
    ? { kind: "placeholder", what: "a placeholder" }
    : undefined;
}
