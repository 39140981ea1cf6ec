import type { Secret } from "./secret.ts";
import { looksLikeToken, PATTERNS } from "./token-form.ts";
import { tokensIn } from "./token-search.ts";

declare const made: unique symbol;
/** The complete environment of a child process. Only the functions in this file create one. */
export type ChildEnvironment = Variables & { readonly [made]: true };
type Variables = Readonly<Record<string, string | undefined>>;

/** What a child may inherit from our environment, and what it is given. */
export interface Handed {
  /** Whether it may inherit a variable of this name; by default any. */
  readonly may?: (name: string) => boolean;
  /** Values that it must not inherit under any name, in addition to every token. */
  readonly secrets?: readonly Secret[];
  /** The secrets that it needs: the token to check, the keys of a bucket. */
  readonly given?: Variables;
}

/**
 * The environment of a child that we start for our own purposes. It gets no token that it does not need, whatever the
 * variable is called (docs/design.md rule 10).
 */
export function childEnvironment(env: Variables, handed: Handed = {}): ChildEnvironment {
  const { may = () => true, secrets = [], given = {} } = handed;
  const known = secrets.filter((secret) => !secret.isBlank);
  const kept = Object.entries(env).flatMap(([name, value]): [string, string][] => {
    if (value === undefined || !may(name)) return [];
    if (!isSecret(name, value, known)) return [[name, value]];
    // git counts these variables, and fails if one is missing.
    return /^GIT_CONFIG_(KEY|VALUE)_\d+$/.test(name) ? [[name, ""]] : [];
  });
  return { ...Object.fromEntries(kept), ...given } as unknown as ChildEnvironment;
}

/** The environment unchanged: for a command that a person trusts with it, or that gets an artificial one. */
export function wholeEnvironment(env: Variables): ChildEnvironment {
  return env as ChildEnvironment;
}

/**
 * Variables that name folders, without which nothing starts. A path may contain a checksum, which looks like a token.
 */
const FOLDERS =
  /^(PATH|HOME|TMPDIR|TMP|TEMP|USERPROFILE|(LOCAL)?APPDATA|SYSTEMROOT|XDG_\w+|TF_DATA_DIR|TF_PLUGIN_CACHE_DIR)$/i;

function isSecret(name: string, value: string, secrets: readonly Secret[]): boolean {
  if (tokensIn(Buffer.from(value)).length > 0 || looksLikeToken(value)) return true;
  if (FOLDERS.test(name)) return false;
  return LEGACY.test(value) || secrets.some((secret) => secret.isIn(value));
}

/** A token from before 2022 in a longer text, such as `Bearer …` or a URL, but not the digest of an image. */
const LEGACY = new RegExp(String.raw`(?<![\w.-]|sha256:)${PATTERNS.digits}(?![\w/.-])`, "i");
