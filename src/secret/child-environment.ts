import type { Secret } from "./secret.ts";
import { looksLikeToken, PATTERNS } from "./token-form.ts";
import { tokensIn } from "./token-search.ts";

declare const made: unique symbol;
/** The whole environment of a child of ours. Only the functions of this file make one. */
export type ChildEnvironment = Variables & { readonly [made]: true };
type Variables = Readonly<Record<string, string | undefined>>;

/** What a child may have, of the environment that we run in, and what it is given. */
export interface Handed {
  /** Whether it may have a variable of this name; where it is not said, any. */
  readonly may?: (name: string) => boolean;
  /** Values that it must not have under any name, besides every token. */
  readonly secrets?: readonly Secret[];
  /** What it needs of these: the token to check, the keys of a bucket. */
  readonly given?: Variables;
}

/**
 * The environment of a child that we start for ourselves: it gets no token that it does not need, whatever
 * the variable is called (docs/design.md rule 10).
 */
export function childEnvironment(env: Variables, handed: Handed = {}): ChildEnvironment {
  const { may = () => true, secrets = [], given = {} } = handed;
  const known = secrets.filter((secret) => !secret.isBlank);
  const kept = Object.entries(env).flatMap(([name, value]): [string, string][] => {
    if (value === undefined || !may(name)) return [];
    if (!isSecret(name, value, known)) return [[name, value]];
    // git counts these, and stops at one that is missing.
    return /^GIT_CONFIG_(KEY|VALUE)_\d+$/.test(name) ? [[name, ""]] : [];
  });
  return { ...Object.fromEntries(kept), ...given } as unknown as ChildEnvironment;
}

/** The environment as it is: for a command that a person trusted with it, or that gets a made-up one. */
export function wholeEnvironment(env: Variables): ChildEnvironment {
  return env as ChildEnvironment;
}

/** Names of folders, without which nothing starts: a checksum may be a part of a path. */
const FOLDERS =
  /^(PATH|HOME|TMPDIR|TMP|TEMP|USERPROFILE|(LOCAL)?APPDATA|SYSTEMROOT|XDG_\w+|TF_DATA_DIR|TF_PLUGIN_CACHE_DIR)$/i;

function isSecret(name: string, value: string, secrets: readonly Secret[]): boolean {
  if (tokensIn(Buffer.from(value)).length > 0 || looksLikeToken(value)) return true;
  if (FOLDERS.test(name)) return false;
  return LEGACY.test(value) || secrets.some((secret) => secret.isIn(value));
}

/** A token of before 2022 in a longer text, such as `Bearer …` or an address; not the digest of an image. */
const LEGACY = new RegExp(String.raw`(?<![\w.-]|sha256:)${PATTERNS.digits}(?![\w/.-])`, "i");
