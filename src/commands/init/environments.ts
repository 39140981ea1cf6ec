import { relative } from "node:path";
import { findConfig } from "../../concerns/config/find-config.ts";
import type { ResolvedConfig } from "../../concerns/config/resolved.ts";
import { openGit } from "../../concerns/git/git.ts";
import type { Inspection } from "../../concerns/token/verdict.ts";
import { textIn } from "../../core/file-text.ts";
import type { Finding } from "../../core/finding.ts";
import { AppError } from "../../errors/app-error.ts";
import { hint, unset } from "../../errors/hint.ts";
import { ENV_FILE_LOOK, readEnvFile } from "../../exec/read-env-file.ts";
import { type TokenState, tokenInFile } from "../../exec/token-sources.ts";
import { listed } from "../../lib/few.ts";
import type { Secret } from "../../secret/secret.ts";
import { finding } from "./findings.ts";
import {
  type Facts,
  type Observed,
  type ObserveOptions,
  type ObservingHost,
  observe,
} from "./observe.ts";

/** The environments that a run looks at. */
export interface Asked {
  /** undefined: what a run without --env uses. */
  readonly environment: string | undefined;
  /** Every environment of the config, and what a run without --env uses, if that has its own token. */
  readonly all?: boolean | undefined;
}

/** An environment, before any question about its token. */
export interface Around {
  readonly config: ResolvedConfig;
  /** The token in its env file. */
  readonly held: TokenState;
}

/** What a run without --env uses, and each environment of the config. */
type AllAround = readonly [shared: Around, ...environments: Around[]];

/** @throws AppError those of findConfig. */
async function lookAround(host: ObservingHost): Promise<AllAround> {
  const top = (await openGit(host, host.cwd))?.root ?? host.cwd;
  const { config, inEnvironment } = await findConfig(host, top, undefined);
  const files = new Map<string, Promise<ReadonlyMap<string, string>>>();
  const read = async (path: string) =>
    readEnvFile(textIn(await host.files.look(path, ENV_FILE_LOOK)));
  const aroundOf = async (each: ResolvedConfig): Promise<Around> => {
    const { envFile: path, name } = each.token;
    // A shared file is read once, since it may be a FIFO.
    const reading = files.get(path) ?? read(path);
    files.set(path, reading);
    return { config: each, held: tokenInFile({ path, values: await reading }, name) };
  };
  const [shared, ...others] = [config, ...config.environments.map(inEnvironment)];
  return Promise.all([aroundOf(shared), ...others.map(aroundOf)]);
}

/**
 * The names of the environments that a run looks at; undefined: what a run without --env uses.
 *
 * @throws AppError USAGE for --all together with --env; those of findConfig.
 */
export async function environmentsOf(
  host: ObservingHost,
  { environment, all = false }: Asked,
): Promise<readonly (string | undefined)[]> {
  if (!all) return [environment];
  if (environment !== undefined) {
    throw new AppError("USAGE", `--all and --env ${environment} can't be combined.`, {
      hint: hint`Omit one of them.`,
    });
  }
  return namesOf(await lookAround(host));
}

/** The names with --all. */
export function namesOf([shared, ...environments]: AllAround): readonly (string | undefined)[] {
  const names = environments.map(({ config }) => config.environment);
  const { token } = shared.config;
  const isItsOwn =
    comesFromElsewhere(token) ||
    (shared.held.kind !== "missing" && !isShared(shared, environments));
  return names.length === 0 || isItsOwn ? [undefined, ...names] : names;
}

/** True if an environment reads its token from the same variable and file. */
function isShared({ config: { token } }: Around, environments: readonly Around[]): boolean {
  return environments.some(
    ({ config }) => config.token.envFile === token.envFile && config.token.name === token.name,
  );
}

/**
 * One token in the shell hides that environments have no token of their own. A pipeline is different: it gets the token
 * of one environment for a job.
 */
export function judgeOneToken(
  all: readonly Pick<Facts, "config" | "token" | "machine" | "envFile">[],
): Finding[] {
  const without = all.flatMap(({ config, token: { state }, machine, envFile: { file } }) => {
    const { envFile: path, name } = config.token;
    const held = tokenInFile({ path, values: readEnvFile(textIn(file)) }, name);
    if (config.environment === undefined || machine.isCi || held.kind !== "missing") return [];
    const isInShell = state.kind === "found" && state.token.origin.kind === "environment";
    return isInShell ? [{ environment: config.environment, path, token: state.token }] : [];
  });
  const [first] = without;
  const same = without.filter(({ token }) => first?.token.equals(token));
  if (first === undefined || new Set(same.map(({ path }) => path)).size < 2) return [];
  const names = listed(same.map(({ environment }) => environment));
  const { origin } = first.token;
  const name = origin.kind === "environment" ? origin.name : "";
  const message = `${name} of this shell stands for ${names}, whose env files hold no token.`;
  return [finding("environment.one-token", message, { fix: hint`${unset(name)}` })];
}

/** One answer to the question for an environment. */
export interface Choice {
  /** undefined: none of the environments. */
  readonly environment: string | undefined;
  readonly label: string;
  /** How it differs from the others. */
  readonly about: string;
}

/** @param inspect asks DigitalOcean about a token, to get the name of its team. */
export async function choicesIn(
  host: ObservingHost,
  inspect: (token: Secret) => Promise<Inspection>,
): Promise<readonly Choice[] | undefined> {
  const around = await lookAround(host);
  if (choicesOf(around, new Map()) === undefined) return undefined;
  const tokens = around.flatMap(({ held }) => (held.kind === "found" ? held.token : []));
  const asked = tokens.map(async (token) => {
    const { team } = await inspect(token);
    return team === undefined ? [] : [[token.fingerprint, team.name] as const];
  });
  return choicesOf(around, new Map((await Promise.all(asked)).flat()));
}

/**
 * The environments to choose from, if a run without --env has no token and would ask for one that belongs to none of
 * them; undefined: there is nothing to choose.
 *
 * @param teams team names, by the fingerprint of one of their tokens.
 */
export function choicesOf(
  [shared, ...environments]: AllAround,
  teams: ReadonlyMap<string, string>,
): readonly Choice[] | undefined {
  const { base, token } = shared.config;
  const isNobodys = shared.held.kind === "missing" && !comesFromElsewhere(token);
  if (environments.length === 0 || !isNobodys || isShared(shared, environments)) return undefined;
  const choices = environments.map(({ config, held }) => {
    const found = held.kind === "found" ? held.token : undefined;
    const team = (found && teams.get(found.fingerprint)) ?? config.team;
    const about = [...(team === undefined ? [] : [`team ${team}`]), tokenInWords(held, config)];
    const name = config.environment ?? "";
    return { environment: config.environment, label: name, about: about.join(", ") };
  });
  const none = `the token is stored in ${relative(base, token.envFile)}`;
  return [...choices, { environment: undefined, label: "none of them", about: none }];
}

function tokenInWords(held: TokenState, { base, token }: ResolvedConfig): string {
  const envFile = relative(base, token.envFile);
  if (held.kind === "found") return `token ${held.token.fingerprint} in ${envFile}`;
  if (held.kind !== "missing") return `invalid token in ${envFile}`;
  if (token.doctl !== undefined) return `the login of doctl context ${token.doctl}`;
  return token.command === undefined ? "no token yet" : "token from token.command";
}

/** True if the token does not come from a file of the repo. */
function comesFromElsewhere({ command, doctl }: ResolvedConfig["token"]): boolean {
  return command !== undefined || doctl !== undefined;
}

/** The facts of each environment that a run looks at. */
export type Many = readonly [Facts, ...Facts[]];

export interface ObservedMany extends Pick<Observed, "inEnvironment"> {
  readonly all: Many;
}

/**
 * Looks at the environments one after the other. Writes nothing.
 *
 * @throws AppError those of observe.
 */
export async function observeMany(
  host: ObservingHost,
  [first, ...more]: readonly (string | undefined)[],
  options: Omit<ObserveOptions, "environment">,
): Promise<ObservedMany> {
  const { facts, inEnvironment } = await observe(host, { ...options, environment: first });
  const others: Facts[] = [];
  for (const environment of more) {
    others.push((await observe(host, { ...options, environment })).facts);
  }
  return { all: [facts, ...others], inEnvironment };
}

/**
 * The facts of several environments about one repo and machine, merged: each root once, and doctl if one of them uses
 * it.
 */
export function together(all: Many): Facts {
  const [first] = all;
  const byFolder = new Map(
    all.flatMap(({ terraform: { roots, sources } }) =>
      roots.map((root, at) => [root.config.dir, { root, source: sources[at] }]),
    ),
  );
  const roots = [...byFolder.values()].map(({ root }) => root);
  const sources = [...byFolder.values()].flatMap(({ source }) => source ?? []);
  return {
    ...first,
    config: { ...first.config, roots: roots.map(({ config }) => config) },
    repo: { ...first.repo, blocked: new Map(all.flatMap(({ repo }) => [...repo.blocked])) },
    terraform: { ...first.terraform, roots, sources },
    doctl: all.find(({ doctl }) => doctl !== undefined)?.doctl,
  };
}
