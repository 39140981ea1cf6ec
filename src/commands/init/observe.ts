import { basename, dirname, join, relative } from "node:path";
import { type FoundConfig, findConfig } from "../../concerns/config/find-config.ts";
import type { ResolvedConfig } from "../../concerns/config/resolved.ts";
import { type DoctlObservation, observeDoctl } from "../../concerns/doctl/observe.ts";
import { type Git, openGit } from "../../concerns/git/git.ts";
import { ignoreRules } from "../../concerns/git/ignore-rules.ts";
import { askRepos, type Verdict, wouldTake } from "../../concerns/git/repos.ts";
import type { LockVerdicts } from "../../concerns/spaces/prove-locks.ts";
import { withBackendConfigs } from "../../concerns/terraform/backend/config-files.ts";
import { LOCK_FILE, UPLOAD_IGNORE } from "../../concerns/terraform/root/names.ts";
import { observeRoot, type TerraformRoot } from "../../concerns/terraform/root/observe.ts";
import { type TokenSource, tokenSourceOf } from "../../concerns/terraform/root/token-source.ts";
import { findTerraform, type TerraformTool } from "../../concerns/terraform/root/tool.ts";
import { type Answer, findToken, type TrustGiven } from "../../concerns/token/find-token.ts";
import { type ApiHosts, apiHosts } from "../../concerns/token/hosts.ts";
import { inspectOnce } from "../../concerns/token/inspect.ts";
import { type CodeNeeds, readNeeds } from "../../concerns/token/needed-scopes.ts";
import type { Inspection } from "../../concerns/token/verdict.ts";
import { textIn } from "../../core/file-text.ts";
import { TEMPLATE_NAMES, type Templates } from "../../core/generated.ts";
import { AppError } from "../../errors/app-error.ts";
import { hint } from "../../errors/hint.ts";
import { readEnvFile } from "../../exec/read-env-file.ts";
import type { TokenState } from "../../exec/token-sources.ts";
import type { Environment, Files, Host, Snapshot } from "../../host/host.ts";
import { isCi } from "../../lib/is-ci.ts";
import { isInside } from "../../lib/paths.ts";

/** The config that --write-config writes. */
export const CONFIG_FILE = "do-bootstrap.config.yaml";

/** Every fact that a plan is made from; observing writes nothing. */
export interface Observation extends FoundConfig {
  /** The git root; outside git the config's folder. What lies outside is not the repo's. */
  readonly top: string;
  readonly ci: boolean;
  readonly platform: NodeJS.Platform;
  readonly env: Environment;
  readonly hosts: ApiHosts;
  readonly token: TokenState;
  /** Absent without a usable token. */
  readonly inspection: Inspection | undefined;
  readonly envFile: Snapshot;
  readonly envExample: Snapshot;
  /** Of that name beside the config: frameworks prefer it to .env, and we do not read it. */
  readonly envLocal: Snapshot;
  readonly gitignore: Snapshot;
  /** What HCP Terraform leaves out where it uploads the config's folder. */
  readonly uploadIgnore: Snapshot;
  /** direnv's file. */
  readonly envrc: Snapshot;
  /** Where --write-config would write. */
  readonly configAt: Snapshot;
  /** Why a folder of these files cannot be written to, by folder. */
  readonly blocked: ReadonlyMap<string, string>;
  readonly git: GitObservation | undefined;
  readonly doctl: DoctlObservation | undefined;
  /** Set where doctl's config lies in a git repo that tracks it or would take it. */
  readonly doctlTaken: Verdict | undefined;
  readonly roots: readonly TerraformRoot[];
  readonly locks: LockVerdicts;
  /** Where each of these roots takes its token from. */
  readonly tokenSources: readonly TokenSource[];
  readonly terraform: TerraformTool | undefined;
  /** What the code of all roots asks of the token. */
  readonly code: CodeNeeds;
  /** Executables inside the repo that were passed over. */
  readonly skippedTools: readonly string[];
  readonly templates: Templates;
  readonly envExampleTemplate: string;
  readonly envrcTemplate: string;
  readonly configTemplate: string;
}

export interface GitObservation {
  readonly git: Git;
  readonly ignored: ReadonlySet<string>;
  readonly tracked: ReadonlySet<string>;
  /** Files in a repo inside this one, with its root and their name in there: ours has no say in what it takes. */
  readonly nested: ReadonlyMap<string, { readonly root: string; readonly name: string }>;
}

/** What is asked on the command line, and what may be kept from one look to the next. */
export interface Question {
  readonly environment: string | undefined;
  /** Instead of the config's token.minTtl. */
  readonly minTtlSeconds: number | undefined;
  /** The text of standard input, with --token-stdin. */
  readonly stdin: string | undefined;
  /** What a person typed when asked for a token. */
  readonly prompted: string | undefined;
  /** Of the config's command. */
  readonly trust: TrustGiven | undefined;
  readonly answers?: Map<string, Promise<Answer>>;
  /** Take the token from Terraform code where there is no other. */
  readonly fix: boolean;
  /** A config is to be written. */
  readonly writeConfig?: boolean;
  /** The token is of no interest: it is not looked for, and nobody is asked about it. */
  readonly withoutToken?: true;
  /** Answers of the API by the token's fingerprint: a second look does not ask again. */
  readonly inspections: Map<string, Promise<Inspection>>;
  /** Of the locks that this run has tried. */
  readonly locks?: LockVerdicts;
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
  | "hclParser"
>;

/**
 * Looks at everything: config, token, API, git, doctl, Terraform.
 *
 * @throws AppError for a config or an environment that no plan can be made from.
 */
export async function observe(host: ObservingHost, question: Question): Promise<Observation> {
  const hosts = apiHosts(host.env);
  const git = await openGit(host, host.cwd);
  const found = await findConfig(host, git?.root ?? host.cwd, question.environment);
  const { keepRecord } = found;
  const config = withMinTtl(found.config, question.minTtlSeconds);
  const top = git?.root ?? config.base;
  // Who keeps all of HOME in git has his tools in there too.
  const isHomeInGit = host.home !== undefined && isInside(host.home, top);
  const repo = isHomeInGit ? config.base : top;
  const doctlSearch = host.which("doctl", repo);

  const { files } = host;
  const at = (name: string) => join(config.base, name);
  const dirs = config.roots.map(({ dir }) => dir);
  // Terraform's files are looked at for what they declare and for what they need.
  const code = { ...host, files: lookingOnce(files) };
  const looking = lookAt(code.files, {
    envFile: config.token.envFile,
    envExample: at(".env.example"),
    envLocal: at(".env.local"),
    gitignore: at(".gitignore"),
    uploadIgnore: at(UPLOAD_IGNORE),
    envrc: at(".envrc"),
    configAt: at(CONFIG_FILE),
  });
  const observing = observeRepo(code, git, config, looking);
  const { progress } = question;
  const inspect = inspectOnce(host, hosts, question.inspections, () =>
    progress("Asking DigitalOcean about the token"),
  );
  // git and DigitalOcean are asked at the same time.
  const [looks, [roots, gitState], needs, { token, inspection }] = await Promise.all([
    looking,
    observing,
    readNeeds(code, { dirs, purpose: "apply", config }),
    observeToken(),
  ]);
  const { envFile, envExample, gitignore, envrc, uploadIgnore } = looks;
  const [tokenSources, doctl, terraform, blocked] = await Promise.all([
    Promise.all(roots.map((root) => tokenSourceOf(host, root))),
    config.doctl === false
      ? undefined
      : observeDoctl(host, { config, token, tool: doctlSearch, inspect, progress }),
    findTool(host, config, repo),
    findBlocked(files, [envFile, envExample, gitignore, envrc, uploadIgnore]),
  ]);
  return {
    config,
    keepRecord,
    top,
    hosts,
    token,
    inspection,
    ...looks,
    blocked,
    doctl,
    doctlTaken: await takerOf(host, git, doctl),
    roots,
    locks: question.locks ?? new Map(),
    tokenSources,
    code: needs,
    git: gitState,
    ci: isCi(host.env),
    platform: host.platform,
    env: host.env,
    terraform: terraform.tool,
    skippedTools: [...(git?.skipped ?? []), ...(await doctlSearch).skipped, ...terraform.skipped],
    ...readTemplates(host, question),
  };

  async function observeToken(): Promise<Pick<Observation, "token" | "inspection">> {
    if (question.withoutToken) return { token: { kind: "missing" }, inspection: undefined };
    const sources = {
      stdin: question.stdin,
      prompted: question.prompted,
      env: host.env,
      envFile: { path: config.token.envFile, values: readEnvFile(textIn((await looking).envFile)) },
      name: config.token.name,
      inCode: question.fix ? tokenInCode((await observing)[0]) : undefined,
      environment: question.environment,
    };
    const token = await findToken(host, sources, { config, top: repo, ...question });
    const inspection = token.kind === "found" ? await inspect(token.token) : undefined;
    return { token, inspection };
  }
}

async function takerOf(
  host: ObservingHost,
  git: Git | undefined,
  doctl: DoctlObservation | undefined,
): Promise<Verdict | undefined> {
  const target = doctl?.config?.state.snapshot.target;
  const verdicts = await askRepos(host, git, target === undefined ? [] : [target]);
  return [...verdicts.values()].find(wouldTake);
}

/** What stands at each of these paths. */
async function lookAt<K extends string>(
  files: Files,
  paths: Readonly<Record<K, string>>,
): Promise<Record<K, Snapshot>> {
  const entries = Object.entries<string>(paths).map(
    async ([name, path]) => [name, await files.look(path)] as const,
  );
  return Object.fromEntries(await Promise.all(entries)) as Record<K, Snapshot>;
}

/**
 * A folder that two readers share is read from the disk once, and what its list does not have is not looked
 * for: most of what we ask about is not there.
 */
function lookingOnce(files: Files): Files {
  const snapshots = new Map<string, Promise<Snapshot>>();
  const lists = new Map<string, Promise<readonly string[]>>();
  const folders = new Map<string, Promise<string>>();
  const list = (folder: string) => once(lists, folder, () => files.list(folder));
  return {
    ...files,
    list,
    look: (path, options) =>
      once(snapshots, path, async (): Promise<Snapshot> => {
        const [folder, name] = [dirname(path), basename(path)];
        if (!isMissing(name, await list(folder))) return files.look(path, options);
        const real = await once(folders, folder, () => files.realpath(folder));
        return { kind: "absent", path, target: join(real, name) };
      }),
  };
}

/** Not so in an empty list, which may be of a folder that cannot be listed; nor may case decide. */
function isMissing(name: string, names: readonly string[]): boolean {
  const isPlain = /^[\x21-\x7e]+$/.test(name);
  const lower = name.toLowerCase();
  return isPlain && names.length > 0 && !names.some((each) => each.toLowerCase() === lower);
}

function once<T>(known: Map<string, T>, key: string, make: () => T): T {
  const value = known.get(key) ?? make();
  known.set(key, value);
  return value;
}

function withMinTtl(config: ResolvedConfig, given: number | undefined): ResolvedConfig {
  if (given === undefined) return config;
  return { ...config, token: { ...config.token, minTtlSeconds: given } };
}

function findTool(host: ObservingHost, { roots }: ResolvedConfig, repo: string) {
  if (roots.length === 0) return { tool: undefined, skipped: [] };
  return findTerraform(host, roots.find(({ tool }) => tool !== undefined)?.tool, repo);
}

async function observeRepo(
  host: ObservingHost,
  git: Git | undefined,
  config: ResolvedConfig,
  looking: Promise<unknown>,
): Promise<[roots: readonly TerraformRoot[], git: GitObservation | undefined]> {
  await refuseSameFolder(host.files, config);
  const alone = await Promise.all(config.roots.map((root) => observeRoot(host, root)));
  if (git === undefined) return [alone, undefined];
  const roots = await withBackendConfigs(host, git, config, alone);
  const values = roots.flatMap(({ tfvars, at }) => tfvars.map((name) => at(name).path));
  const locks = roots.flatMap(({ hasLockFile, config: { dir } }) =>
    hasLockFile ? join(dir, LOCK_FILE) : [],
  );
  const probes = [...ignoreRules(config).flatMap(({ probes }) => probes), ...values, ...locks];
  // An answer that is older than what stands in .gitignore would blame a pattern that somebody just added.
  await looking;
  const paths = [...new Set([...probes, join(config.base, ".env.example")])];
  const realOf = async (path: string) =>
    [path, join(await host.files.realpath(dirname(path)), basename(path))] as const;
  const real = new Map(await Promise.all(paths.map(realOf)));
  const inRepo = paths.filter((path) => isInside(real.get(path) ?? path, git.root));
  const verdicts = await askRepos(host, git, inRepo);
  // What a linked folder leads to is only read (rule 4).
  const ignored = paths.filter((path) => verdicts.get(path)?.isIgnored !== false);
  const tracked = paths.filter((path) => verdicts.get(path)?.isTracked);
  const nested = [...verdicts].flatMap(([path, { root }]) =>
    root === git.root
      ? []
      : [[path, { root, name: relative(root, real.get(path) ?? path) }] as const],
  );
  const state = { ignored: new Set(ignored), tracked: new Set(tracked), nested: new Map(nested) };
  return [roots, { git, ...state }];
}

/** Two plans for the same files would get into each other's way; what config shows it has refused. */
export async function refuseSameFolder(
  files: Pick<Files, "realpath">,
  { roots, file, base }: ResolvedConfig,
): Promise<void> {
  const seen = new Map<string, string>();
  for (const { dir } of roots) {
    const real = await files.realpath(dir);
    const [first, second] = [seen.get(real), relative(base, dir) || "."];
    if (first !== undefined) {
      const what = `${first} and ${second}, the same folder`;
      throw new AppError("CONFIG_INVALID", `${file}: terraform lists ${what}.`, {
        hint: hint`Name each root once.`,
      });
    }
    seen.set(real, second);
  }
}

function tokenInCode(roots: readonly TerraformRoot[]): { path: string; value: string } | undefined {
  for (const { module, config } of roots) {
    for (const { expression, place } of module.hardCoded) {
      if (typeof expression.literal !== "string") continue;
      return { path: join(config.dir, place.file), value: expression.literal };
    }
  }
  return undefined;
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

function readTemplates({ template }: ObservingHost, { writeConfig = false }: Question) {
  const entries = TEMPLATE_NAMES.map((name) => [name, template(`terraform/${name}`)] as const);
  return {
    templates: Object.fromEntries(entries) as Templates,
    envExampleTemplate: template("env.example"),
    envrcTemplate: template("envrc"),
    configTemplate: writeConfig ? template(CONFIG_FILE) : "",
  };
}
