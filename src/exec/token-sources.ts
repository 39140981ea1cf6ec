import type { Mistake } from "../secret/not-a-token.ts";
import { Secret, type TokenOrigin } from "../secret/secret.ts";

/** The places a token may come from, in order of priority (docs/design.md §6). */
export interface TokenSources {
  /** The text of standard input, with --token-stdin. */
  readonly stdin: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly envFile: { readonly path: string; readonly values: ReadonlyMap<string, string> };
  /** The variable's name in the environment and in the env file. */
  readonly name: string;
  /** The doctl context whose login provides the token. */
  readonly context?: string | undefined;
  /** The token of that login. */
  readonly login?: Secret;
  /** What the config's command printed. */
  readonly command?: { readonly program: string; readonly text: string };
  /** What a person typed. */
  readonly prompted: string | undefined;
  /** A token under another name that a person or --adopt chose. */
  readonly adopted?: Secret | undefined;
  /** A token that --fix moves out of Terraform code. */
  readonly inCode: Secret | undefined;
  /** The environment chosen with --env. */
  readonly environment: string | undefined;
}

export type TokenState =
  | {
      readonly kind: "found";
      readonly token: Secret;
      /** Different tokens in places with a lower priority. */
      readonly shadowed: readonly Secret[];
      /** For a login that doctl renews: when this access token expires, in ms since the epoch. */
      readonly expiresAt?: number | undefined;
    }
  | { readonly kind: "missing" }
  /** The login of the config's doctl context did not provide a token. */
  | {
      readonly kind: "no-login";
      readonly context: string;
      /** "absent": there is no login; "ended": doctl can no longer renew it; "unsure": it failed this time. */
      readonly why: "absent" | "ended" | "unsure";
      /** A short sentence without its full stop. */
      readonly detail: string;
    }
  /** The config's command did not provide a token. */
  | {
      readonly kind: "unavailable";
      /**
       * "unpinned": approval is for one run only. "failed-alone": it failed when run outside the repo, with only the
       * files that it names.
       */
      readonly why: "untrusted" | "unpinned" | "failed" | "failed-alone";
      /** As a person would type it. */
      readonly command: string;
      readonly detail: string;
    }
  | {
      readonly kind: "unusable";
      readonly origin: TokenOrigin;
      readonly why: string;
      /** What it seems to be instead, if that is known. */
      readonly mistake?: Mistake;
    }
  | { readonly kind: "conflict"; readonly tokens: readonly [Secret, Secret] }
  /** The environment has a token, but the login of a doctl context should be used. */
  | { readonly kind: "beside-login"; readonly token: Secret; readonly context: string };

/** Whether it is the token of a browser login, which doctl renews. */
export function isOfLogin(state: TokenState): boolean {
  return state.kind === "found" && state.token.isRenewed;
}

/** Selects the context that doctl uses (docs/contracts/doctl.md 5.7). */
export const CONTEXT = "DIGITALOCEAN_CONTEXT";

/** The two names that doctl and the provider know (docs/contracts/terraform.md 1, docs/contracts/doctl.md 1.4). */
export const STANDARD_NAMES = ["DIGITALOCEAN_TOKEN", "DIGITALOCEAN_ACCESS_TOKEN"];

/** The names under which a token is read. A custom name has no alternatives. */
export function tokenNames(name: string): readonly string[] {
  return STANDARD_NAMES.includes(name)
    ? [name, ...STANDARD_NAMES.filter((each) => each !== name)]
    : [name];
}

/** Chooses the token to use, and lists the different ones that it overrides. */
export function chooseToken(sources: TokenSources): TokenState {
  const { stdin, env, envFile, environment, command, adopted } = sources;
  const names = tokenNames(sources.name);
  const given = (text: string | undefined, origin: TokenOrigin) =>
    text === undefined ? [] : [Secret.of(text, origin)];
  // `env` and an outer `exec` put the login's token there. It may have expired since.
  const isOfLogin = sources.context !== undefined && env[CONTEXT] === sources.context;
  const fromEnvironment = names
    .flatMap((name) => given(env[name], { kind: "environment", name }))
    .filter((token) => !(isOfLogin && token.isOfSession));
  // In the env file, which we may edit, the first name is the token. The other name is used only if that is missing.
  const fromEnvFile = names
    .flatMap((name) =>
      given(envFile.values.get(name), { kind: "env-file", name, path: envFile.path }),
    )
    .filter(isGiven)
    .slice(0, 1);

  // A person is asked only if the other sources were not enough, so the answer comes first.
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
  // With an environment, that token may be another environment's. Another login in the shell belongs to another repo.
  const isOthers = environment !== undefined || (token.isOfSession && env[CONTEXT] !== undefined);
  if (sources.context !== undefined && token.origin.kind === "environment" && isOthers) {
    return { kind: "beside-login", token, context: sources.context };
  }
  return { kind: "found", token, shadowed };
}

/** The token in an env file, ignoring all other sources. */
export function tokenInFile(envFile: TokenSources["envFile"], name: string): TokenState {
  const nothing = { stdin: undefined, prompted: undefined, inCode: undefined, env: {} };
  return chooseToken({ ...nothing, envFile, name, environment: undefined });
}

function isGiven(candidate: Secret): boolean {
  return !candidate.isBlank;
}

function read(candidate: Secret): Secret | (TokenState & { kind: "unusable" }) {
  const { origin } = candidate;
  // In other places, other tools read the same value, so it must be exactly a token.
  const isGivenToUs = origin.kind === "stdin" || origin.kind === "prompt";
  const token = isGivenToUs ? candidate.tokenInText() : candidate.asToken();
  if (token instanceof Secret) return token;
  if (token.kind === "malformed") return { ...token, kind: "unusable", origin };
  const why = "it is an OAuth refresh token (dor_v1_), which the API does not accept";
  return { kind: "unusable", origin, why };
}

/** The value of the token's variable in a file of variable values, in any form. */
export function tokenInValues(
  values: Readonly<Record<string, unknown>> | null,
  variable: string,
  path: string,
): Secret | undefined {
  const value = values?.[variable];
  if (typeof value !== "string" || value === "") return undefined;
  return Secret.of(value, { kind: "tfvars", path }).bare;
}
