import type { Environment } from "../host/host.ts";
import { secretsOf } from "../secret/named.ts";
import { Secret, type TokenOrigin } from "../secret/secret.ts";
import { holdsToken } from "../secret/token-form.ts";
import { passesFromFile } from "../secret/variable-names.ts";
import { revealed, type Variables } from "../secret/variables.ts";
import { contextFor, namedContext } from "./doctl.ts";
import type { ExecConfig, StrangeBlock, Stranger } from "./exec-config.ts";
import { findKeys, KEY_NAMES, providerKeys, type SpacesKeys } from "./spaces-keys.ts";
import { CONTEXT, STANDARD_NAMES } from "./token-sources.ts";

export interface VariablesInput {
  readonly config: ExecConfig;
  readonly env: Environment;
  /** The variables of the env file. */
  readonly envFile: ReadonlyMap<string, string>;
  readonly token: Secret;
  /** Every variable of the env file, not only those that tools for DigitalOcean read. */
  readonly all: boolean;
}

/**
 * The variables that let every tool use this token (docs/design.md §6). Variables that are already in the environment
 * are unchanged, except the token's own.
 */
export function toolVariables({ config, env, envFile, token, all }: VariablesInput): Variables {
  const variables = new Map<string, Secret | string>();
  const closed = closedTo(config, env);
  for (const [name, value] of envFile) {
    if (closed.isOtherHost && AWS_KEYS.has(name)) continue;
    if (closed.providers.length > 0 && SPACES_KEYS.has(name)) continue;
    const origin = { kind: "env-file", name, path: config.envFile } as const;
    if (passesFromFile(name, value, all) && !env[name]) variables.set(name, hidden(value, origin));
  }
  if (closed.providers.length === 0) {
    for (const [name, value] of keyVariables({ config, env, envFile })) variables.set(name, value);
  }
  for (const name of tokenVariables(config)) variables.set(name, token);
  if (token.isRenewed) {
    // With this variable, doctl would not renew the login of its context (docs/contracts/doctl-2.md 4.6, 4.7).
    variables.delete(DOCTL_TOKEN);
    if (env[DOCTL_TOKEN]) variables.set(DOCTL_TOKEN, "");
  }
  if (config.hasBackend && closed.backends.length === 0) {
    for (const [name, value] of backendVariables(env, envFile, config)) variables.set(name, value);
  }
  return variables;
}

const AWS_KEYS = new Set(["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]);
const SPACES_KEYS: ReadonlySet<string> = new Set(KEY_NAMES);
/** Endpoints in the process environment are the user's own choice (docs/design.md rule 2). */
const ENDPOINTS = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_S3_ENDPOINT"];
const PROVIDER_ENDPOINT = "SPACES_ENDPOINT_URL";

/** The blocks that get no Spaces keys from us, and whether a backend names a host that must get no keys at all. */
function closedTo({ strangeBackends, strangeProviders }: ExecConfig, env: Environment) {
  const otherThan =
    (names: readonly string[]) =>
    ({ host }: Stranger) =>
      host !== undefined && !(host && names.some((name) => env[name] === host));
  const isOther = otherThan(ENDPOINTS);
  const isStrange = (each: Stranger) => each.host === undefined || isOther(each);
  return {
    backends: strangeBackends.filter(({ strangers }) => strangers.some(isStrange)),
    isOtherHost: strangeBackends.some(({ strangers }) => strangers.some(isOther)),
    providers: strangeProviders.filter(({ strangers }) =>
      strangers.some(otherThan([PROVIDER_ENDPOINT])),
    ),
  };
}

/** Keys that exist but are not passed on, and the block that prevents it. */
export interface KeptKeys {
  /** For example "SPACES_*". */
  readonly names: string;
  readonly block: "backend" | "provider";
  /** path:line. */
  readonly place: string;
  readonly settings: string;
  readonly host: string | undefined;
  /** The variable that the user sets to allow the host. */
  readonly endpoint: string;
}

/** Describes keys that exist but are not passed on; empty: all are passed on. */
export function keysKept({
  config,
  env,
  envFile,
}: Omit<VariablesInput, "token" | "all">): readonly KeptKeys[] {
  const { backends, providers, isOtherHost } = closedTo(config, env);
  const places = { env, envFile, path: config.envFile };
  const isInFile = (names: ReadonlySet<string>) =>
    [...names].some((name) => envFile.get(name) && !env[name]);
  const of = (block: KeptKeys["block"], names: string, { place, strangers }: StrangeBlock) => ({
    ...{ names, block, place },
    settings: [...new Set(strangers.map(({ setting }) => setting))].join(", "),
    host: strangers.find((each) => each.host)?.host,
    endpoint: block === "backend" ? "AWS_ENDPOINT_URL_S3" : PROVIDER_ENDPOINT,
  });
  return [...ofBackend(), ...ofProvider()];

  function ofBackend(): KeptKeys[] {
    const [backend] = backends;
    if (backend === undefined) return [];
    if (isOtherHost && isInFile(AWS_KEYS)) return [of("backend", "AWS_*", backend)];
    const found = config.hasBackend ? findKeys(places) : undefined;
    const isOfSpaces = found?.kind === "keys" && found.names === "SPACES";
    return isOfSpaces ? [of("backend", "SPACES_*", backend)] : [];
  }

  function ofProvider(): KeptKeys[] {
    const [provider] = providers;
    if (provider === undefined) return [];
    const isForVariables = config.keyVariables.length > 0 && providerKeys(places) !== undefined;
    return isInFile(SPACES_KEYS) || isForVariables ? [of("provider", "SPACES_*", provider)] : [];
  }
}

/** Only for a tool that we start. */
export function execVariables(
  config: ExecConfig,
  token: Secret,
  words: readonly string[],
): Variables {
  const marker = markerOf(config.environment, config.base);
  const variables = new Map([contextVariable(config, token, words), [MARKER, marker]]);
  // A named context has its own token. This variable would stop doctl from renewing it (docs/contracts/doctl-2.md 4.7).
  if (namedContext(words) !== undefined) variables.set(DOCTL_TOKEN, "");
  return variables;
}

/** doctl would use a selected context instead of the token (docs/contracts/doctl.md 5.6). */
export function contextVariable(
  { doctl }: ExecConfig,
  token: Secret,
  words: readonly string[] = [],
): [string, string] {
  return [CONTEXT, contextFor(doctl, token, words)];
}

const DOCTL_TOKEN = "DIGITALOCEAN_ACCESS_TOKEN";

/** The names that `env` sets, or has set in this environment. A variable with another value is not ours. */
export function variableNames(
  { config, env, envFile }: Omit<VariablesInput, "token" | "all">,
  all: boolean,
): readonly string[] {
  const token = Secret.of("", { kind: "stdin" });
  const chosen = Object.fromEntries(
    [...ENDPOINTS, PROVIDER_ENDPOINT].map((name) => [name, env[name]]),
  );
  const variables = toolVariables({ config, env: chosen, envFile, token, all });
  const others = [...variables].filter(([name, value]) => {
    const own = env[name];
    return (
      !own || value === token || (typeof value === "string" ? value === own : isIt(value, own))
    );
  });
  const isContextOurs = config.login !== undefined && env[CONTEXT] === config.login;
  const names = others.map(([name]) => name);
  const more = copiesOf(config).flatMap(([copy, name]) =>
    env[copy] && env[copy] === env[name] ? copy : [],
  );
  return [...new Set([...names, ...more, ...(isContextOurs ? [CONTEXT] : [])])];
}

/** The other names of the keys, each with the SPACES_ name that it is a copy of. */
function copiesOf({ hasBackend, keyVariables }: ExecConfig): (readonly [string, string])[] {
  const [id, secret] = KEY_NAMES;
  const ofAws = [["AWS_ACCESS_KEY_ID", id] as const, ["AWS_SECRET_ACCESS_KEY", secret] as const];
  return [
    ...(hasBackend ? ofAws : []),
    ...keyVariables.flatMap((pair) => [
      ...ofVariable(pair.id, id),
      ...ofVariable(pair.secret, secret),
    ]),
  ];
}

function ofVariable<T>(variable: string | undefined, value: T): [string, T][] {
  return variable === undefined ? [] : [[`TF_VAR_${variable}`, value]];
}

function isIt(secret: Secret, text: string): boolean {
  return secret.equals(Secret.of(text, secret.origin));
}

/** Tells a nested `exec` the environment and folder of the outer one. */
const MARKER = "DO_BOOTSTRAP_EXEC";

/** The environment and folder of the outer `exec`; undefined: there is none. */
export function outerExec(env: Environment): { environment: string; base: string } | undefined {
  const [, environment = "", base = ""] = /^([^:]*):(.*)$/s.exec(env[MARKER] ?? "") ?? [];
  return base === "" ? undefined : { environment, base };
}

function markerOf(environment: string | undefined, base: string): string {
  return `${environment ?? ""}:${base}`;
}

function tokenVariables({ tokenName, variables }: ExecConfig): Set<string> {
  return new Set([tokenName, ...STANDARD_NAMES, ...variables.map((name) => `TF_VAR_${name}`)]);
}

function hidden(value: string, origin: TokenOrigin & { name: string }): Secret | string {
  return secretsOf(origin.name, value).length > 0 || holdsToken(value)
    ? Secret.of(value, origin)
    : value;
}

/** The values in an env file that are secret, by name or by form. @param path the env file, absolute. */
export function envFileSecrets(
  envFile: ReadonlyMap<string, string>,
  path: string,
): readonly Secret[] {
  const all = [...envFile].map(([name, value]) => hidden(value, { kind: "env-file", name, path }));
  return all.filter((value) => value instanceof Secret);
}

/**
 * The variables that a provider reads its Spaces keys from. If the user sets one variable of a pair, that value is
 * kept and the other is not set either. The token's own variable gets the token.
 */
function keyVariables({
  config,
  env,
  envFile,
}: Pick<VariablesInput, "config" | "env" | "envFile">): Variables {
  const keys = providerKeys({ env, envFile, path: config.envFile });
  if (keys === undefined) return new Map();
  const isGiven = (name: string) => Boolean(env[name] || envFile.get(name));
  const ofToken = tokenVariables(config);
  const all = config.keyVariables
    .map(({ id, secret }) => [...ofVariable(id, keys.id), ...ofVariable(secret, keys.secret)])
    .filter((pair) => !pair.some(([name]) => isGiven(name)))
    .flat();
  // A variable cannot be both the id and the secret.
  const isOne = ([name, key]: [string, Secret]) =>
    all.every(([other, its]) => other !== name || its === key);
  return new Map(all.filter((each) => !ofToken.has(each[0]) && isOne(each)));
}

/** Terraform's S3 backend only reads AWS_ names (docs/contracts/terraform.md 6.1, and 6 on checksums). */
function backendVariables(
  env: Environment,
  envFile: ReadonlyMap<string, string>,
  config: ExecConfig,
): Variables {
  const given = (name: string) => env[name] || envFile.get(name) || undefined;
  const found = findKeys({ env, envFile, path: config.envFile });
  const variables = new Map<string, Secret | string>();
  const ofSpaces = found.kind === "keys" && found.names === "SPACES" ? found.keys : undefined;
  const { id, secret }: Partial<SpacesKeys> =
    ofSpaces ?? (found.kind === "none" ? { ...found.half } : {});
  if (id !== undefined) variables.set("AWS_ACCESS_KEY_ID", id);
  if (secret !== undefined) variables.set("AWS_SECRET_ACCESS_KEY", secret);
  for (const name of ["AWS_REQUEST_CHECKSUM_CALCULATION", "AWS_RESPONSE_CHECKSUM_VALIDATION"]) {
    if (given(name) === undefined) variables.set(name, "when_required");
  }
  return variables;
}

/** The secrets among the variables that a tool gets, and in the rest of its environment. */
export function secretsIn(variables: Variables, env: Environment): readonly string[] {
  const ours = new Map([...variables].filter(([, value]) => typeof value !== "string"));
  const own = [...revealed(ours)].flatMap(([name, value]) => [value, ...secretsOf(name, value)]);
  const others = Object.entries(env).flatMap(([name, value]) => secretsOf(name, value ?? ""));
  return [...new Set([...own, ...others])];
}
