import { dirname, join } from "node:path";
import { type FoundConfig, findConfig } from "../../concerns/config/find-config.ts";
import type { ResolvedConfig } from "../../concerns/config/resolved.ts";
import { loginSource } from "../../concerns/doctl/login-source.ts";
import { type DoctlFacts, observeDoctl } from "../../concerns/doctl/observe.ts";
import type { EnvFileFacts } from "../../concerns/env-file/facts.ts";
import { observeEnvFile } from "../../concerns/env-file/observe.ts";
import type { RepoFacts } from "../../concerns/git/facts.ts";
import { type Git, openGit } from "../../concerns/git/git.ts";
import { ignoreRules } from "../../concerns/git/ignore-rules.ts";
import { observeGit } from "../../concerns/git/observe.ts";
import { filesNotHere } from "../../concerns/git/sparse.ts";
import type { SpacesFacts, WantedKeys } from "../../concerns/spaces/facts.ts";
import { unfinished } from "../../concerns/spaces/journal.ts";
import type { LockVerdicts } from "../../concerns/spaces/prove-locks.ts";
import type { MadeKeys } from "../../concerns/spaces/provision.ts";
import { withBackendConfigs } from "../../concerns/terraform/backend/config-files.ts";
import { withCallers } from "../../concerns/terraform/callers.ts";
import { withModuleTokens } from "../../concerns/terraform/module-tokens.ts";
import { observeRoot, readTemplates } from "../../concerns/terraform/observe.ts";
import { pathsOfValues } from "../../concerns/terraform/public-values.ts";
import type { TerraformFacts } from "../../concerns/terraform/root/facts.ts";
import { bucketsOf } from "../../concerns/terraform/root/keys.ts";
import { LOCK_FILE, UPLOAD_IGNORE } from "../../concerns/terraform/root/names.ts";
import { repoCodeFor } from "../../concerns/terraform/root/repo-code.ts";
import type { TerraformRoot } from "../../concerns/terraform/root/root.ts";
import { tokenSourceOf } from "../../concerns/terraform/root/token-source.ts";
import { askTools, locateTools } from "../../concerns/terraform/root/tool.ts";
import type { WantedRoots } from "../../concerns/terraform/search/choose.ts";
import { type FoundRoots, RootSearch } from "../../concerns/terraform/search/find.ts";
import { statePaths } from "../../concerns/terraform/tracked.ts";
import type { TokenFacts } from "../../concerns/token/facts.ts";
import type { CommandAnswer, LoginAnswer, TrustGiven } from "../../concerns/token/find-token.ts";
import { apiHosts } from "../../concerns/token/hosts.ts";
import { inspectOnce } from "../../concerns/token/inspect.ts";
import { hasExcess, NOT_SEARCHED, readNeeds } from "../../concerns/token/needed-scopes.ts";
import { observeToken } from "../../concerns/token/observe.ts";
import { adoptable, lacksToken, NO_OFFERS } from "../../concerns/token/offers.ts";
import type { Inspection } from "../../concerns/token/verdict.ts";
import { lookingOnce } from "../../core/cached-files.ts";
import { textIn } from "../../core/file-text.ts";
import type { Machine } from "../../core/machine.ts";
import { environmentOutside } from "../../core/outside-environment.ts";
import { readEnvFile } from "../../exec/read-env-file.ts";
import { findKeys } from "../../exec/spaces-keys.ts";
import type { TokenSources, TokenState } from "../../exec/token-sources.ts";
import type { Files, Host, Snapshot } from "../../host/host.ts";
import { isCi } from "../../lib/is-ci.ts";
import { toolsNotIn } from "../../lib/paths.ts";
import type { Purpose } from "../../scopes/code-actions.ts";
import type { Secret } from "../../secret/secret.ts";
import { codeElsewhere } from "./code-elsewhere.ts";
import { findOffers } from "./offers.ts";
import { refuseSameFolder } from "./same-folder.ts";

/** The config that --write-config writes. */
export const CONFIG_FILE = "do-bootstrap.config.yaml";

/** The facts about a repo and its machine. Each concern has its own facts, and a planner names those that it uses. */
export interface Facts {
  readonly config: ResolvedConfig;
  readonly machine: Machine;
  readonly repo: RepoFacts;
  readonly token: TokenFacts;
  readonly envFile: EnvFileFacts;
  readonly spaces: SpacesFacts;
  readonly terraform: TerraformFacts;
  /** The result of the search for roots, if there was one. */
  readonly search: FoundRoots | undefined;
  /** Absent with `doctl: false`. */
  readonly doctl: DoctlFacts | undefined;
  /** The doctl context of a login that the config does not name yet. */
  readonly newLogin: string | undefined;
  /** The existing config, or the one to be written. */
  readonly newConfig: { readonly at: Snapshot; readonly template: string };
  /** Executables inside the repo that were ignored. */
  readonly ignoredTools: readonly string[];
}

/** The options of the command line, and what is kept from one look to the next. */
export interface ObserveOptions {
  readonly environment: string | undefined;
  /** Overrides the config's token.minTtl. */
  readonly minTtlSeconds?: number | undefined;
  /** The text of standard input, with --token-stdin. */
  readonly stdin?: string | undefined;
  /** What a person typed when asked for a token. */
  readonly prompted?: string | undefined;
  /** Look for tokens under other names if there is no working token. */
  readonly offers?: true;
  /** Use the only one of those. */
  readonly adopt?: boolean;
  /** The one that a person chose. */
  readonly adopted?: Secret;
  /** What was allowed for the config's command. */
  readonly trust?: TrustGiven | undefined;
  readonly answers?: Map<string, Promise<CommandAnswer>>;
  /** Take the token from Terraform code if there is no other. */
  readonly fix?: boolean;
  /** The roots to use if the config names none. */
  readonly roots?: WantedRoots | undefined;
  /** The doctl context of a login that should be the token, even if the config does not name it yet. */
  readonly login?: string | undefined;
  /** What the token is for; by default "apply". */
  readonly purpose?: Purpose | undefined;
  /** Ask doctl whose another login is. This may renew it, so it is not for a read-only check. */
  readonly asksOthers?: true;
  /** Don't renew the login: it is about to be removed or replaced. */
  readonly keepLogin?: true;
  /** Don't look for the token or ask about it: it is not needed. */
  readonly withoutToken?: true;
  /** Answers of the API, by the token's fingerprint, so that a second look does not ask again. */
  readonly inspections?: Map<string, Promise<Inspection>>;
  /** Make a Spaces key for the state. */
  readonly wantedKeys?: WantedKeys | undefined;
  /** The pair that this run has made. */
  readonly madeKeys?: MadeKeys | undefined;
  /** Results for the locks that this run has tested. */
  readonly locks?: LockVerdicts;
  /** More files to ask git about. */
  readonly written?: readonly string[];
  /** The repo, if an earlier look in this run has found it. */
  readonly git?: Git | undefined;
  readonly progress: (what: string) => void;
}

export type ObservingHost = Pick<
  Host,
  | "env"
  | "cwd"
  | "home"
  | "platform"
  | "template"
  | "files"
  | "records"
  | "clock"
  | "steadyClock"
  | "http"
  | "run"
  | "which"
  | "state"
  | "locked"
  | "isOver"
  | "thisProcess"
>;

export interface Observed extends Pick<FoundConfig, "keepRecord" | "inEnvironment"> {
  readonly facts: Facts;
}

/**
 * Reads everything: config, token, API, git, doctl, Terraform. Writes nothing.
 *
 * @throws AppError for a config or an environment that no plan can be made from.
 */
export async function observe(host: ObservingHost, options: ObserveOptions): Promise<Observed> {
  const { progress, purpose = "apply" } = options;
  const { inspections = new Map<string, Promise<Inspection>>() } = options;
  const hosts = apiHosts(host.env);
  const git = options.git ?? (await openGit(host, host.cwd));
  const search = new RootSearch(host, git, options.roots);
  const around = git?.root ?? host.cwd;
  const found = await findConfig(host, around, options.environment, search.rootsIn);
  const written = options.login === undefined ? found.config : found.withLogin(options.login);
  const config = withMinTtl(written, options.minTtlSeconds);
  const top = git?.root ?? config.base;
  const repo = toolsNotIn(host.home, top, config.base);
  const doctlSearch = host.which("doctl", repo);

  // Terraform's files are read twice: for their declarations and for their scopes.
  const once = { ...host, files: lookingOnce(host.files) };
  const at = (name: string) => once.files.look(join(config.base, name));
  const looking = Promise.all([
    observeEnvFile(once, config),
    at(".gitignore"),
    at(UPLOAD_IGNORE),
    once.files.look(config.file ?? join(config.base, CONFIG_FILE)),
  ]);
  const inspect = inspectOnce(host, hosts, inspections, () =>
    progress("Asking DigitalOcean about the token"),
  );
  const observingRoots = observeRoots();
  const lookingForDirs = search.lookFor(config, () =>
    config.environments.flatMap((name) => found.inEnvironment(name).roots),
  );
  // git and DigitalOcean are asked at the same time.
  const [[envFile, gitignore, uploadIgnore, configAt], alone, gitFacts, notHere, code, tokenFound] =
    await Promise.all([
      looking,
      observingRoots,
      askGit(),
      filesNotHere(once, git),
      readNeeds(once, { dirs: config.roots.map(({ dir }) => dir), purpose, config }),
      lookForToken(),
    ]);
  const roots = await withModuleTokens(once, alone, code.trees);
  const { located, skipped } = await locateTools(host, roots, repo);
  const bringing = repoCodeFor(
    once,
    roots.map(({ config: { dir } }) => dir),
    repo,
    (dir) => located.get(dir)?.program === undefined,
  );
  const [sources, repoCode, env, elsewhere, doctl, tools, blocked] = await Promise.all([
    Promise.all(roots.map((root) => tokenSourceOf(root))),
    bringing,
    roots.length > 0 ? environmentOutside(host, repo) : host.env,
    // Searched only if it matters: the token has more scopes than this code needs.
    code.actions.length > 0 && hasExcess(tokenFound.inspection, code)
      ? codeElsewhere(host, { git, top }, code)
      : NOT_SEARCHED,
    config.doctl === false
      ? undefined
      : observeDoctl(host, {
          ...{ git, repo, config, token: tokenFound.state, tool: doctlSearch, inspect, progress },
          asksOthers: options.asksOthers === true,
        }),
    bringing.then((code) => askTools(host, roots, located, (dir) => code.get(dir)?.length !== 0)),
    findBlocked(host.files, [
      envFile.file,
      envFile.example,
      gitignore,
      envFile.envrc,
      uploadIgnore,
    ]),
  ]);
  const token = { ...tokenFound, hosts, code: { ...code, elsewhere } };
  const keys = findKeys({
    env: host.env,
    envFile: readEnvFile(textIn(envFile.file)),
    path: config.token.envFile,
  });
  await lookingForDirs;
  const facts: Facts = {
    config,
    machine: { env: host.env, platform: host.platform, isCi: isCi(host.env) },
    repo: { top, toolsNotIn: repo, blocked, notHere, git: gitFacts, gitignore },
    search: search.found,
    token,
    envFile,
    spaces: {
      buckets: bucketsOf(roots),
      ...{ keys, locks: options.locks ?? new Map() },
      ...{ wanted: options.wantedKeys, made: options.madeKeys },
      unfinished: unfinished(host, config),
    },
    terraform: {
      ...{ roots, sources, repoCode, env, tools, uploadIgnore },
      templates: readTemplates(host),
    },
    doctl,
    newLogin: options.login === found.config.token.doctl ? undefined : options.login,
    newConfig: {
      at: configAt,
      template: config.file === undefined ? host.template(CONFIG_FILE) : "",
    },
    ignoredTools: [...(git?.skipped ?? []), ...(await doctlSearch).skipped, ...skipped],
  };
  return {
    facts,
    inEnvironment: found.inEnvironment,
    keepRecord() {
      found.keepRecord();
      search.found?.keepRecord();
    },
  };

  async function observeRoots(): Promise<readonly TerraformRoot[]> {
    await refuseSameFolder(once.files, config);
    const alone = await Promise.all(config.roots.map((root) => observeRoot(once, root)));
    if (git === undefined) return alone;
    return withBackendConfigs(once, git, config, await withCallers(once, git, alone));
  }

  async function askGit() {
    if (git === undefined) return undefined;
    const probes = ignoreRules(config).flatMap(({ probes }) => probes);
    const inRoots = (await observingRoots).flatMap((root) => [
      ...root.tfvars.map((name) => root.at(name).path),
      ...root.module.hardCoded.map(({ place }) => root.at(place.file).path),
      ...pathsOfValues(root.config),
      ...statePaths(root),
      ...(root.hasLockFile ? [join(root.config.dir, LOCK_FILE)] : []),
      ...[...root.own.keys()].map((name) => root.at(name).path),
    ]);
    // Ask git only after .gitignore was read. An older answer could blame a pattern that somebody has just added.
    await looking;
    const inBase = [".env.example", ".gitignore"].map((name) => join(config.base, name));
    const ours = config.file === undefined ? inBase : [...inBase, config.file];
    const { written = [] } = options;
    return observeGit(once, git, [...probes, ...inRoots, ...ours, ...written]);
  }

  async function lookForToken(): Promise<Pick<TokenFacts, "state" | "inspection" | "offers">> {
    if (options.withoutToken) {
      return { state: { kind: "missing" }, inspection: undefined, offers: NO_OFFERS };
    }
    const [{ file }] = await looking;
    const sources: TokenSources = {
      stdin: options.stdin,
      prompted: options.prompted,
      adopted: options.adopted,
      env: host.env,
      envFile: { path: config.token.envFile, values: readEnvFile(textIn(file)) },
      name: config.token.name,
      context: isCi(host.env) ? undefined : config.token.doctl,
      inCode: options.fix ? tokenInCode(await observingRoots) : undefined,
      environment: options.environment,
    };
    const { trust, answers = new Map<string, Promise<CommandAnswer>>() } = options;
    const isRenewed = options.keepLogin !== true;
    const login = loginSource(host, { search: () => doctlSearch, repo, isRenewed, progress });
    const question = { config, top, trust, answers, inspect, login };
    const chosen = options.login === undefined ? undefined : await login?.(options.login);
    // A chosen login has a higher priority than the env file, and leaves it unchanged.
    const given = chosen && "token" in chosen ? { ...sources, adopted: chosen.token } : sources;
    const observed = await observeToken(host, given, question);
    const found = { ...observed, state: withExpiry(observed.state, chosen) };
    if (options.offers === undefined || !lacksToken(found)) return { ...found, offers: NO_OFFERS };
    const around = { git, config, top: repo, envFile: file, doctl: doctlSearch, inspect, progress };
    // Uses `host`, not `once`: a file that is too large to search may not be too large for other readers.
    const all = await findOffers(host, around);
    const refused = found.state.kind === "found" ? found.state.token : undefined;
    const others = all.found.filter(({ token }) => !token.equals(refused));
    const offers = { ...all, found: others };
    const adopted = options.adopt ? adoptable(offers, config.team) : undefined;
    if (adopted === undefined) return { ...found, offers };
    return { ...(await observeToken(host, { ...sources, adopted }, question)), offers };
  }
}

function withExpiry(state: TokenState, login: LoginAnswer | undefined): TokenState {
  const isIts = login !== undefined && "token" in login && state.kind === "found";
  return isIts && state.token.equals(login.token)
    ? { ...state, expiresAt: login.expiresAt }
    : state;
}

function withMinTtl(config: ResolvedConfig, given: number | undefined): ResolvedConfig {
  if (given === undefined) return config;
  return { ...config, token: { ...config.token, minTtlSeconds: given } };
}

function tokenInCode(roots: readonly TerraformRoot[]): Secret | undefined {
  const [first] = roots.flatMap(({ module, config }) =>
    module.hardCoded.map(({ token, place }) =>
      token.from({ kind: "code", path: join(config.dir, place.file) }),
    ),
  );
  return first;
}

async function findBlocked(
  files: Files,
  snapshots: readonly Snapshot[],
): Promise<ReadonlyMap<string, string>> {
  const blocked = new Map<string, string>();
  for (const folder of new Set(snapshots.map(({ target }) => dirname(target)))) {
    const why = await files.whyNotWritable(folder);
    if (why !== undefined) blocked.set(folder, why);
  }
  return blocked;
}
