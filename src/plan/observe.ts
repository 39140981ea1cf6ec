import { dirname, join } from "node:path";
import { isCi } from "../ci.ts";
import { loadConfig } from "../config/load.ts";
import { resolveConfig } from "../config/resolve.ts";
import type { ResolvedConfig } from "../config/resolved.ts";
import { decode } from "../content.ts";
import { findDoctlConfig } from "../doctl/config-path.ts";
import { chooseContext, compare, type Holding } from "../doctl/context.ts";
import { type DoctlConfigState, readConfig } from "../doctl/read-config.ts";
import { readEnvFile } from "../env-file/edit.ts";
import { AppError } from "../errors.ts";
import { type Git, openGit } from "../git/git.ts";
import { ignoreRules } from "../git/ignore-rules.ts";
import type { Environment, Files, Host, Snapshot, ToolSearch } from "../host/host.ts";
import { TEMPLATE_NAMES, type Templates } from "../terraform/generated.ts";
import { observeRoot, type TerraformRoot } from "../terraform/observe-root.ts";
import { findTerraform, type TerraformTool } from "../terraform/tool.ts";
import { type ApiHosts, apiHosts } from "../token/hosts.ts";
import { inspectToken } from "../token/inspect.ts";
import type { Secret } from "../token/secret.ts";
import { chooseToken, type TokenState } from "../token/sources.ts";
import type { Inspection } from "../token/verdict.ts";

/** The config that --write-config writes. */
export const CONFIG_FILE = "do-bootstrap.config.yaml";

/** Every fact that a plan is made from; observing writes nothing. */
export interface Observation {
  readonly config: ResolvedConfig;
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
  readonly gitignore: Snapshot;
  /** Where --write-config would write. */
  readonly configAt: Snapshot;
  /** Why a folder of these files cannot be written to, by folder. */
  readonly blocked: ReadonlyMap<string, string>;
  readonly git: GitObservation | undefined;
  readonly doctl: DoctlObservation | undefined;
  readonly roots: readonly TerraformRoot[];
  readonly terraform: TerraformTool | undefined;
  /** Executables inside the repo that were passed over. */
  readonly skippedTools: readonly string[];
  readonly templates: Templates;
  readonly envExampleTemplate: string;
  readonly configTemplate: string;
}

export interface GitObservation {
  readonly git: Git;
  readonly ignored: ReadonlySet<string>;
  readonly tracked: ReadonlySet<string>;
}

export interface DoctlObservation {
  readonly tool: string | undefined;
  /** undefined: nobody knows where doctl's config would be. */
  readonly config: { readonly path: string; readonly state: DoctlConfigState } | undefined;
  readonly target: DoctlTarget | undefined;
}

/** The context that our token belongs in, and what is there. */
export interface DoctlTarget {
  readonly context: string;
  readonly holding: Holding;
  readonly holds: Secret | undefined;
}

/** What is asked on the command line, and what may be kept from one look to the next. */
export interface Question {
  readonly environment: string | undefined;
  /** The text of standard input, with --token-stdin. */
  readonly stdin: string | undefined;
  /** What a person typed when asked for a token. */
  readonly prompted: string | undefined;
  /** Take the token from Terraform code where there is no other. */
  readonly fix: boolean;
  /** Answers of the API by the token's fingerprint: a second look does not ask again. */
  readonly inspections: Map<string, Promise<Inspection>>;
  readonly progress: (what: string) => void;
}

export type ObservingHost = Pick<
  Host,
  | "env"
  | "cwd"
  | "home"
  | "platform"
  | "packageFolder"
  | "files"
  | "clock"
  | "http"
  | "run"
  | "which"
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
  const config = await findConfig(host, git?.root ?? host.cwd, question.environment);
  const top = git?.root ?? config.base;
  const tools = { doctl: host.which("doctl", top), terraform: findTool(host, config, top) };

  const { files } = host;
  const at = (name: string) => files.look(join(config.base, name));
  const [envFile, envExample, gitignore, configAt, [roots, gitState], templates] =
    await Promise.all([
      files.look(config.token.envFile),
      at(".env.example"),
      at(".gitignore"),
      at(CONFIG_FILE),
      observeRepo(host, git, config),
      readTemplates(host),
    ]);
  const token = chooseToken({
    stdin: question.stdin,
    prompted: question.prompted,
    env: host.env,
    envFile: { path: config.token.envFile, values: valuesIn(envFile) },
    name: config.token.name,
    inCode: question.fix ? tokenInCode(roots) : undefined,
    environment: question.environment,
  });
  const inspect = (secret: Secret) => {
    const known = question.inspections.get(secret.fingerprint);
    if (known !== undefined) return known;
    question.progress("Asking DigitalOcean about the token");
    const asked = inspectToken(host, hosts, secret);
    question.inspections.set(secret.fingerprint, asked);
    return asked;
  };
  const { progress } = question;
  const inspecting = token.kind === "found" ? inspect(token.token) : undefined;
  const [inspection, doctl, terraform, blocked] = await Promise.all([
    inspecting,
    config.doctl === false
      ? undefined
      : observeDoctl(host, { config, token, tool: tools.doctl, inspect, progress }),
    tools.terraform,
    findBlocked(files, [envFile, envExample, gitignore]),
  ]);
  return {
    config,
    top,
    hosts,
    token,
    inspection,
    envFile,
    envExample,
    gitignore,
    configAt,
    blocked,
    doctl,
    roots,
    git: gitState,
    ci: isCi(host.env),
    platform: host.platform,
    env: host.env,
    terraform: terraform.tool,
    skippedTools: [...(git?.skipped ?? []), ...(await tools.doctl).skipped, ...terraform.skipped],
    ...templates,
  };
}

async function findConfig(
  host: ObservingHost,
  top: string,
  environment: string | undefined,
): Promise<ResolvedConfig> {
  const { cwd, files, home } = host;
  const { file, base, written } = await loadConfig(files, cwd, top);
  if (file === undefined && (cwd === home || cwd === "/")) {
    throw new AppError("USAGE", `${cwd} is not a project's folder.`, {
      hint: "Go to the repo that you want to prepare, or make one: mkdir my-app && cd my-app",
    });
  }
  return resolveConfig(written, environment, {
    file,
    base,
    packageName: await packageName(files, base),
    defaultDir: await defaultDir(files, base),
  });
}

async function packageName(files: Files, base: string): Promise<string | undefined> {
  const snapshot = await files.look(join(base, "package.json"));
  if (snapshot.kind !== "file") return undefined;
  try {
    const { name } = JSON.parse(snapshot.bytes.toString("utf8")) as { name?: unknown };
    return typeof name === "string" ? name : undefined;
  } catch {
    return undefined;
  }
}

/** Where people keep their root module: here, or in a folder that already has one. */
async function defaultDir(files: Files, base: string): Promise<string> {
  for (const dir of [".", "terraform", "infra"]) {
    if ((await files.list(join(base, dir))).some((name) => /\.tf(\.json)?$/.test(name))) return dir;
  }
  return ".";
}

function findTool(host: ObservingHost, config: ResolvedConfig, top: string) {
  return config.roots.length === 0
    ? { tool: undefined, skipped: [] }
    : findTerraform(host, config.roots.find(({ tool }) => tool !== undefined)?.tool, top);
}

async function observeRepo(
  host: ObservingHost,
  git: Git | undefined,
  config: ResolvedConfig,
): Promise<[roots: TerraformRoot[], git: GitObservation | undefined]> {
  const roots = await Promise.all(config.roots.map((root) => observeRoot(host, root)));
  if (git === undefined) return [roots, undefined];
  const values = roots.flatMap(({ tfvars, at }) => tfvars.map((name) => at(name).path));
  const probes = [...ignoreRules(config).flatMap(({ probes }) => probes), ...values];
  const [ignored, tracked] = await Promise.all([
    git.ignored([...probes, join(config.base, ".env.example")]),
    git.tracked(probes),
  ]);
  return [roots, { git, ignored, tracked }];
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

async function observeDoctl(
  host: ObservingHost,
  {
    config,
    token,
    tool,
    inspect,
    progress,
  }: {
    config: ResolvedConfig;
    token: TokenState;
    tool: Promise<ToolSearch>;
    inspect: (secret: Secret) => Promise<Inspection>;
    progress: (what: string) => void;
  },
): Promise<DoctlObservation> {
  const { path: doctl } = await tool;
  const path = await findDoctlConfig(host, doctl);
  if (path === undefined) return { tool: doctl, config: undefined, target: undefined };
  const state = await readConfig(host, path, progress);
  const observation = { tool: doctl, config: { path, state } };
  if (state.kind === "broken" || token.kind !== "found")
    return { ...observation, target: undefined };

  const ours = { token: token.token, inspection: await inspect(token.token) };
  const { contexts } = state.config;
  const holdingOf = async (context: string): Promise<Holding> => {
    const stored = contexts.get(context);
    const isForeign = stored !== undefined && !stored.equals(token.token);
    // Without a living token of ours nothing will be stored: no need to ask about theirs.
    const ask = isForeign && ours.inspection.state === "alive";
    return compare(ours, stored, ask ? await inspect(stored) : undefined);
  };
  const configured = config.doctl === false ? undefined : config.doctl.context;
  const inDefault = configured === undefined ? await holdingOf("default") : "nothing";
  const context = chooseContext(configured, config.project, state.config, inDefault);
  const holding =
    context === "default" && configured === undefined ? inDefault : await holdingOf(context);
  return { ...observation, target: { context, holding, holds: contexts.get(context) } };
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

function valuesIn(snapshot: Snapshot): ReadonlyMap<string, string> {
  const bytes = snapshot.kind === "file" || snapshot.kind === "fifo" ? snapshot.bytes : undefined;
  return readEnvFile((bytes && decode(bytes)?.text) ?? "");
}

async function readTemplates({ files, packageFolder }: ObservingHost) {
  const read = async (...names: string[]) => {
    const snapshot = await files.look(join(packageFolder, "templates", ...names));
    return snapshot.kind === "file" ? snapshot.bytes.toString("utf8") : "";
  };
  const entries = TEMPLATE_NAMES.map(
    async (name) => [name, await read("terraform", name)] as const,
  );
  return {
    templates: Object.fromEntries(await Promise.all(entries)) as Templates,
    envExampleTemplate: await read("env.example"),
    configTemplate: await read(CONFIG_FILE),
  };
}
