import type { Mistake } from "../secret/not-a-token.ts";
import { Secret, type TokenOrigin } from "../secret/secret.ts";

/** The places a token may come from, in the order in which they are asked (docs/design.md §6). */
export interface TokenSources {
  /** The text of standard input, with --token-stdin. */
  readonly stdin: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly envFile: { readonly path: string; readonly values: ReadonlyMap<string, string> };
  /** The variable's name in the environment and in the env file. */
  readonly name: string;
  /** The doctl context whose login is the token. */
  readonly context?: string | undefined;
  /** The token of that login. */
  readonly login?: Secret;
  /** What the config's command printed. */
  readonly command?: { readonly program: string; readonly text: string };
  /** What a person typed. */
  readonly prompted: string | undefined;
  /** A token that stood under another name, and that a person or --adopt took. */
  readonly adopted?: Secret | undefined;
  /** A token that is moved out of Terraform code, with --fix. */
  readonly inCode: Secret | undefined;
  /** The environment chosen with --env. */
  readonly environment: string | undefined;
}

export type TokenState =
  | {
      readonly kind: "found";
      readonly token: Secret;
      /** Other tokens in weaker places. */
      readonly shadowed: readonly Secret[];
      /** Of a login that doctl renews: when this token of it expires, in ms since the epoch. */
      readonly expiresAt?: number | undefined;
    }
  | { readonly kind: "missing" }
  /** The login of the config's doctl context did not give it. */
  | {
      readonly kind: "no-login";
      readonly context: string;
      /** "absent": there is none; "ended": doctl cannot renew it any more; "unsure": not this time. */
      readonly why: "absent" | "ended" | "unsure";
      /** A short sentence without its full stop. */
      readonly detail: string;
    }
  /** The config's command did not give it. */
  | {
      readonly kind: "unavailable";
      /** "unpinned": a yes counts for one run. "failed-alone": outside the repo, with what it names. */
      readonly why: "untrusted" | "unpinned" | "failed" | "failed-alone";
      /** As a person would type it. */
      readonly command: string;
      readonly detail: string;
    }
  | {
      readonly kind: "unusable";
      readonly origin: TokenOrigin;
      readonly why: string;
      /** What it is instead, where that can be told. */
      readonly mistake?: Mistake;
    }
  | { readonly kind: "conflict"; readonly tokens: readonly [Secret, Secret] }
  /** The environment's token, and the login of a doctl context that is to be used. */
  | { readonly kind: "beside-login"; readonly token: Secret; readonly context: string };

/** Whether it is the token of a browser login, which doctl renews. */
export function isOfLogin(state: TokenState): boolean {
  return state.kind === "found" && state.token.isRenewed;
}

/** The context that doctl selects (docs/contracts/doctl.md 5.7). */
export const CONTEXT = "DIGITALOCEAN_CONTEXT";

/** doctl and the provider know two (docs/contracts/terraform.md 1, docs/contracts/doctl.md 1.4). */
export const STANDARD_NAMES = ["DIGITALOCEAN_TOKEN", "DIGITALOCEAN_ACCESS_TOKEN"];

/** The names under which a token is read. A name of the repo's own stands alone. */
export function tokenNames(name: string): readonly string[] {
  return STANDARD_NAMES.includes(name)
    ? [name, ...STANDARD_NAMES.filter((each) => each !== name)]
    : [name];
}

/** Which token serves, and which others stand in its shadow. */
export function chooseToken(sources: TokenSources): TokenState {
  const { stdin, env, envFile, environment, command, adopted } = sources;
  const names = tokenNames(sources.name);
  const given = (text: string | undefined, origin: TokenOrigin) =>
    text === undefined ? [] : [Secret.of(text, origin)];
  // `env` and an outer `exec` put the login's token there, which may have expired since.
  const isOfLogin = sources.context !== undefined && env[CONTEXT] === sources.context;
  const fromEnvironment = names
    .flatMap((name) => given(env[name], { kind: "environment", name }))
    .filter((token) => !(isOfLogin && token.isOfSession));
  // In a file that is ours to edit the first name is the token; the other serves in its absence.
  const fromEnvFile = names
    .flatMap((name) =>
      given(envFile.values.get(name), { kind: "env-file", name, path: envFile.path }),
    )
    .filter(isGiven)
    .slice(0, 1);

  // A person is asked only where the rest did not do, so the answer goes first.
  const candidates = [
    ...given(sources.prompted, { kind: "prompt" }),
    ...(adopted === undefined ? [] : [adopted]),
    ...given(stdin, { kind: "stdin" }),
    ...fromEnvironment,
    ...fromEnvFile,
    ...(sources.login === undefined ? [] : [sources.login]),
    ...(command === undefined
      ? []
      : given(command.text, { kind: "command", program: command.program })),
    ...(sources.inCode === undefined ? [] : [sources.inCode]),
  ].filter(isGiven);
  if (stdin?.trim() === "") {
    return { kind: "unusable", origin: { kind: "stdin" }, why: "it is empty" };
  }
  const [first, ...rest] = candidates;
  if (first === undefined) return { kind: "missing" };
  const token = read(first);
  if (!(token instanceof Secret)) return token;

  const others = rest.map(read).filter((other) => other instanceof Secret);
  const shadowed = others.filter((other) => !other.equals(token));
  const rival = shadowed.find(
    (other) =>
      token.origin.kind === "environment" &&
      (other.origin.kind === "environment" ||
        (environment !== undefined && other.origin.kind === "env-file")),
  );
  if (rival !== undefined) return { kind: "conflict", tokens: [token, rival] };
  // Of an environment it is another's; and another login in the shell is another repo's.
  const isOthers = environment !== undefined || (token.isOfSession && env[CONTEXT] !== undefined);
  if (sources.context !== undefined && token.origin.kind === "environment" && isOthers) {
    return { kind: "beside-login", token, context: sources.context };
  }
  return { kind: "found", token, shadowed };
}

/** The token that an env file has, whatever else there is. */
export function tokenInFile(envFile: TokenSources["envFile"], name: string): TokenState {
  const nothing = { stdin: undefined, prompted: undefined, inCode: undefined, env: {} };
  return chooseToken({ ...nothing, envFile, name, environment: undefined });
}

function isGiven(candidate: Secret): boolean {
  return !candidate.isBlank;
}

function read(candidate: Secret): Secret | (TokenState & { kind: "unusable" }) {
  const { origin } = candidate;
  // What stands elsewhere is read by other tools too, as it is.
  const isGivenToUs = origin.kind === "stdin" || origin.kind === "prompt";
  const token = isGivenToUs ? candidate.tokenInText() : candidate.asToken();
  if (token instanceof Secret) return token;
  if (token.kind === "malformed") return { ...token, kind: "unusable", origin };
  const why = "it is an OAuth refresh token (dor_v1_), which the API does not accept";
  return { kind: "unusable", origin, why };
}

/** What a file of variable values holds as the token's variable, in any form. */
export function tokenInValues(
  values: Readonly<Record<string, unknown>> | null,
  variable: string,
  path: string,
): Secret | undefined {
  const value = values?.[variable];
  if (typeof value !== "string" || value === "") return undefined;
  return Secret.of(value, { kind: "tfvars", path }).bare;
}
