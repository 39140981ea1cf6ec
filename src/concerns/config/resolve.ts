import { join, posix, relative, resolve, sep } from "node:path";
import { AppError } from "../../errors/app-error.ts";
import { hint } from "../../errors/hint.ts";
import { nearest } from "../../lib/nearest.ts";
import type { ResolvedConfig, SpacesBackend, TerraformRootConfig } from "./resolved.ts";
import type { WrittenConfig, WrittenEnvironment, WrittenRoot } from "./schema.ts";

/** The facts that a config is resolved with. */
export interface ResolveContext {
  readonly file: string | undefined;
  readonly base: string;
  /** `name` in package.json, if any. */
  readonly packageName: string | undefined;
  /** The folders of root modules for which the config names no folder, relative to `base`. */
  readonly defaultDirs: readonly string[];
}

/**
 * Fills in every default and applies the chosen environment.
 *
 * @throws AppError CONFIG_INVALID for a valid config that contradicts itself, USAGE for an environment that the
 *   config does not have.
 */
export function resolveConfig(
  written: WrittenConfig,
  environment: string | undefined,
  around: ResolveContext,
): ResolvedConfig {
  const { file, base } = around;
  const chosen = chooseEnvironment(written, environment, file);
  const names = Object.keys(written.environments ?? {});
  const listed = [written.terraform ?? {}].flat().length * Math.max(1, around.defaultDirs.length);
  refuseTooMany(listed * Math.max(1, names.length), around);
  const roots = resolveRoots(written, chosen, around);
  refuseSharedFolder(roots, environment, around);
  refuseSharedKey(roots, file);
  const all = names.map((name): Environment => {
    const its = chooseEnvironment(written, name, file);
    const own = resolveRoots(written, its, around);
    refuseSharedFolder(own, name, around);
    return {
      name,
      roots: own,
      hasBackend: its.terraform ? its.terraform.backend !== undefined : false,
    };
  });
  const doctl = resolveDoctl(written, environment, file);
  const everywhere = [...withoutEnvironment(written, all, around), ...all];
  refuseSharedBackend(everywhere, around);
  refuseSharedState(everywhere, file);
  const token = { ...written.token, ...chosen.token };
  // An environment does not inherit another account's login or command.
  const source = environment === undefined ? token : (chosen.token ?? {});
  const project = written.project ?? slugOf(around.packageName) ?? slugOf(base) ?? "project";
  const own = environment === undefined ? written : chosen;
  const unnamed = environment === undefined ? project : `${project}-${environment}`;
  return {
    file,
    base,
    environment,
    project,
    loginContext: source.doctl ?? (own.doctl || undefined)?.context ?? unnamed,
    token: {
      name: token.name ?? "DIGITALOCEAN_TOKEN",
      envFile: join(base, envFileOf(written, environment, chosen)),
      doctl: source.doctl,
      command: source.command,
      minTtlSeconds: token.minTtl === undefined ? undefined : secondsOf(token.minTtl),
    },
    team: { ...written.account, ...chosen.account }.team,
    doctl,
    roots: roots.map((root) => ({ ...root, sharedWith: othersAt(root, environment, all) })),
    environments: names,
    othersFolders: othersFolders(everywhere, environment),
    othersRoots: othersRoots(all, roots, environment),
    othersContexts: othersContexts(written, environment, doctl ? doctl.context : undefined),
    envFiles: envFilesOf(written).map((path) => join(base, path)),
  };
}

/** The same config with this login added. */
export function namingLogin(
  written: WrittenConfig,
  environment: string | undefined,
  context: string,
): WrittenConfig {
  const naming = <Section extends Pick<WrittenEnvironment, "token">>(section: Section) => ({
    ...section,
    token: { ...section.token, doctl: context },
  });
  if (environment === undefined) return naming(written);
  const its = naming(written.environments?.[environment] ?? {});
  return { ...written, environments: { ...written.environments, [environment]: its } };
}

/** doctl uses the context of the login, too. @throws AppError CONFIG_INVALID */
function resolveDoctl(
  written: WrittenConfig,
  environment: string | undefined,
  file: string | undefined,
): ResolvedConfig["doctl"] {
  const own = environment === undefined ? written : chooseEnvironment(written, environment, file);
  const login = own.token?.doctl;
  if (login === undefined) {
    const { doctl = written.doctl } = own;
    return doctl === false ? false : { context: doctl?.context };
  }
  // An environment's login overrides the shared doctl section.
  const { doctl } = own;
  if (doctl !== false && (doctl?.context ?? login) === login) return { context: login };
  const [other, remedy] =
    doctl === false
      ? ["doctl: false", "doctl"]
      : [`doctl.context ${doctl?.context}`, "doctl.context"];
  throw new AppError(
    "CONFIG_INVALID",
    `${file}: token.doctl ${login} can't be combined with ${other}: both must name the same doctl context.`,
    { hint: hint`Remove ${remedy}.` },
  );
}

/** Converts a duration such as "12h" to seconds. */
export function secondsOf(duration: string): number {
  const unit = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }[duration.slice(-1)] ?? 1;
  return Number.parseInt(duration, 10) * unit;
}

/** Converts a name to a slug: `@acme/Web App` gives `acme-web-app`. */
export function slugOf(name: string | undefined): string | undefined {
  const words = name?.split(/[/\\]/).filter(Boolean) ?? [];
  const text = name?.startsWith("@") ? words.join("-") : words.at(-1);
  const slug = text
    ?.toLowerCase()
    .replace(/[^a-z0-9_]+/g, "-")
    .replace(/^[-_]+|-$/g, "");
  return slug === "" ? undefined : slug;
}

function chooseEnvironment(
  written: WrittenConfig,
  environment: string | undefined,
  file: string | undefined,
): WrittenEnvironment {
  if (environment === undefined) return {};
  const names = Object.keys(written.environments ?? {});
  const found = names.includes(environment) ? written.environments?.[environment] : undefined;
  if (found !== undefined) return found;
  const similar = nearest(environment, names);
  const where = file === undefined ? "there is no config" : `${file} has no such environment`;
  throw new AppError("USAGE", `--env ${environment}: ${where}.`, {
    hint:
      similar !== undefined
        ? hint`Did you mean --env ${similar}?`
        : hint`Environments: ${names.join(", ") || "none"}.`,
  });
}

function resolveRoots(
  written: WrittenConfig,
  chosen: WrittenEnvironment,
  around: ResolveContext,
): Root[] {
  const { base, file, defaultDirs } = around;
  const hasEnvironments = Object.keys(written.environments ?? {}).length > 0;
  const hasLogin = written.token?.doctl !== undefined;
  const named = writtenRoots(written, chosen).flatMap((root): (WrittenRoot & { dir: string })[] => {
    const { dir } = root;
    return (dir === undefined ? defaultDirs : [dir]).map((each) => ({ ...root, dir: each }));
  });
  return named.map((root) => {
    const rival = hasEnvironments
      ? "environments: one secret file can't hold several tokens"
      : "token.doctl: the file would hold a token that expires within hours";
    if (root.credentials === "tfvars" && (hasEnvironments || hasLogin)) {
      throw new AppError(
        "CONFIG_INVALID",
        `${file}: terraform.credentials "tfvars" can't be combined with ${rival}.`,
        { hint: hint`Set credentials: env, or remove the key.` },
      );
    }
    const variable = root.variable ?? "do_token";
    if (Object.hasOwn(root.variables ?? {}, variable)) {
      throw new AppError(
        "CONFIG_INVALID",
        `${file}: terraform.variables.${variable} is the token's variable. A committed file must not hold the token.`,
        { hint: hint`Remove it, or set terraform.variable to another name` },
      );
    }
    return {
      // `resolve` drops a trailing slash: paths are compared.
      dir: resolve(base, root.dir),
      tool: root.tool,
      credentials: root.credentials ?? (hasEnvironments || hasLogin ? "env" : undefined),
      variable,
      variables: root.variables ?? {},
      workspace: root.workspace,
      backend: backendOf(root, written, around),
      init: root.init ?? true,
    };
  });
}

/** The roots as the config lists them; `dir` may be missing. */
function writtenRoots(written: WrittenConfig, chosen: WrittenEnvironment): readonly WrittenRoot[] {
  const list = [written.terraform ?? {}].flat();
  if (chosen.terraform === false || (chosen.terraform === undefined && list.includes(false))) {
    return [];
  }
  const roots = list.filter((root) => root !== false);
  return (roots.length === 0 ? [{}] : roots).map((root) => ({ ...root, ...chosen.terraform }));
}

/** What the search for unnamed root modules needs to know. */
export interface UnnamedRoots {
  /** The config mentions a root, so one is created if none exists. */
  readonly isWanted: boolean;
  /** Folders that environments name for themselves, relative to the config's folder. */
  readonly claimed: ReadonlySet<string>;
}

/** @returns undefined if the config names the folder of every root. */
export function unnamedRoots(
  written: WrittenConfig,
  environment: string | undefined,
): UnnamedRoots | undefined {
  const { environments = {} } = written;
  const chosen = environment === undefined ? {} : (environments[environment] ?? {});
  if (writtenRoots(written, chosen).every(({ dir }) => dir !== undefined)) return undefined;
  const dirs = Object.values(environments).flatMap(({ terraform }) =>
    terraform ? (terraform.dir ?? []) : [],
  );
  return {
    isWanted: written.terraform !== undefined || chosen.terraform !== undefined,
    claimed: new Set(dirs.map((dir) => posix.normalize(dir).replace(/\/$/, ""))),
  };
}

/**
 * The roots of a run without --env, if an environment has its own backend. A folder that the config does not name is
 * only a guess and does not count as used.
 */
function withoutEnvironment(
  written: WrittenConfig,
  all: readonly Environment[],
  around: ResolveContext,
): Environment[] {
  if (written.terraform === undefined || !all.some(({ hasBackend }) => hasBackend)) return [];
  return [{ name: undefined, roots: resolveRoots(written, {}, around), hasBackend: false }];
}

/** A folder has only one backend.tf, so it cannot serve two environments with different backends. */
function refuseSharedBackend(
  everywhere: readonly Environment[],
  { base, file }: ResolveContext,
): void {
  for (const { name, roots, hasBackend } of everywhere) {
    if (name === undefined || !hasBackend) continue;
    for (const { dir } of roots) {
      const other = everywhere.find(
        (each) => each.name !== name && each.roots.some((root) => root.dir === dir),
      );
      if (other === undefined) continue;
      const folder = relative(base, dir) || ".";
      const whose = other.name === undefined ? "a run without --env" : `environment ${other.name}`;
      throw new AppError(
        "CONFIG_INVALID",
        `${file}: environments.${name}.terraform.backend can't be set: ${whose} uses ${folder} too, and a folder has only one backend.tf.`,
        {
          hint: hint`Move it to terraform.backend and set environments.${name}.terraform.workspace. Each workspace has its own state (env:/WORKSPACE/KEY). To use another bucket, give the environment its own folder: environments.${name}.terraform.dir`,
        },
      );
    }
  }
}

/** The roots that only other environments have. */
function othersRoots(
  all: readonly Environment[],
  roots: readonly Root[],
  environment: string | undefined,
): ResolvedConfig["othersRoots"] {
  const own = roots.map(({ dir }) => dir);
  return all.flatMap(({ name, roots: its }) =>
    name === undefined || name === environment
      ? []
      : its.flatMap(({ dir }) => (own.includes(dir) ? [] : { environment: name, dir })),
  );
}

/** Folders that this environment's roots must not be, whatever path they use: see ResolvedConfig. */
function othersFolders(
  everywhere: readonly Environment[],
  environment: string | undefined,
): readonly string[] {
  const isOwn = everywhere.some(({ name, hasBackend }) => hasBackend && name === environment);
  const others = everywhere.filter(
    ({ name, hasBackend }) => name !== environment && (isOwn || hasBackend),
  );
  return [...new Set(others.flatMap(({ roots }) => roots.map(({ dir }) => dir)))];
}

function backendOf(
  { backend, dir }: WrittenRoot & { readonly dir: string },
  { project }: WrittenConfig,
  { file, packageName }: ResolveContext,
): SpacesBackend | undefined {
  if (backend === undefined) return undefined;
  // The folder of a clone can have any name, and the state's key must not depend on it.
  const shared = project ?? slugOf(packageName);
  if (backend.key === undefined && shared === undefined) {
    throw new AppError(
      "CONFIG_INVALID",
      `${file}: terraform.backend has no key, and the project has no name that is the same in every clone.`,
      { hint: hint`Add terraform.backend.key (such as web/terraform.tfstate) or project.` },
    );
  }
  const folder = dir.split(sep).join("/");
  const key = backend.key ?? posix.join(shared ?? "", folder, "terraform.tfstate");
  const { bucket, region, lock = false, create = false } = backend;
  return { bucket, region, key, lock, ...(create ? { create } : {}) };
}

/** Every root is inspected, and the roots of all environments are compared. */
const MOST_ROOTS = 1000;

function refuseTooMany(count: number, { file, base }: ResolveContext): void {
  if (count <= MOST_ROOTS) return;
  const message =
    file === undefined
      ? `${base} has ${count} Terraform root modules; the limit is ${MOST_ROOTS} per run.`
      : `${file}: all roots in all environments make ${count} root modules; the limit is ${MOST_ROOTS}.`;
  const fix =
    file === undefined
      ? hint`List the roots that you want in a config: terraform: [{ dir: … }]. Or run this in a folder with fewer roots.`
      : hint`Split the config: put a config with its own roots in each of two folders.`;
  throw new AppError("CONFIG_INVALID", message, { hint: fix });
}

/** An environment's `dir` applies to every root of a list. Two jobs or plans would then use the same folder. */
function refuseSharedFolder(
  roots: readonly Root[],
  environment: string | undefined,
  { base, file }: ResolveContext,
): void {
  const dirs = roots.map(({ dir }) => dir);
  const twice = dirs.find((dir, at) => dirs.indexOf(dir) < at);
  if (twice === undefined) return;
  const where = environment === undefined ? "" : `with --env ${environment}, `;
  throw new AppError(
    "CONFIG_INVALID",
    `${file}: ${where}terraform lists ${relative(base, twice) || "."} twice.`,
    { hint: hint`List each root once. An environment's terraform.dir applies to all roots.` },
  );
}

/** Two roots that share a state would destroy each other's resources. */
function refuseSharedKey(roots: readonly Root[], file: string | undefined): void {
  const seen = new Set<string>();
  for (const { backend } of roots) {
    if (backend === undefined) continue;
    const place = `${backend.bucket}/${backend.key}`;
    const id = `${backend.region}/${place}`;
    if (seen.has(id)) {
      throw new AppError("CONFIG_INVALID", `${file}: two roots have the same state, ${place}.`, {
        hint: hint`Give each root its own terraform.backend.key, or remove the key.`,
      });
    }
    seen.add(id);
  }
}

/**
 * Two environments that share a state would do the same. The shared section is not an environment: one environment may
 * use the workspace `default`, as a run without --env does. This exception does not apply to an environment's own
 * backend.
 */
function refuseSharedState(everywhere: readonly Environment[], file: string | undefined): void {
  const seen = new Map<string, string | undefined>();
  for (const { name, roots, hasBackend } of everywhere) {
    const its = `environments.${name}.terraform`;
    for (const { backend, workspace = DEFAULT_WORKSPACE } of roots) {
      if (backend === undefined) continue;
      const { region, bucket, key } = backend;
      const id = [region, bucket, key, workspace].join("/");
      const other = seen.get(id);
      if (seen.has(id) && other !== name && (other !== undefined || hasBackend)) {
        const both =
          other === undefined
            ? `environment ${name} and a run without --env`
            : `environments ${other} and ${name}`;
        throw new AppError(
          "CONFIG_INVALID",
          `${file}: ${both} have the same state, workspace ${workspace} of ${bucket}/${key}. Each would destroy the other's resources.`,
          {
            hint: hasBackend
              ? hint`Give each its own key (${its}.backend.key), or remove the key.`
              : hint`Give each its own workspace, such as ${its}.workspace: ${name ?? ""}`,
          },
        );
      }
      seen.set(id, name);
    }
  }
}

/** Other environments with the same folder and workspace. Only the code can separate their resources. */
function othersAt(
  root: Root,
  environment: string | undefined,
  all: readonly Environment[],
): readonly string[] {
  if (environment === undefined) return [];
  const { dir, workspace = DEFAULT_WORKSPACE } = root;
  const others = all.filter(({ name }) => name !== environment);
  return others.flatMap(({ name = [], roots }) => {
    const isThere = roots.some(
      (each) => each.dir === dir && (each.workspace ?? DEFAULT_WORKSPACE) === workspace,
    );
    return isThere ? name : [];
  });
}

/** The workspace that Terraform uses if none is selected. */
const DEFAULT_WORKSPACE = "default";

type Root = Omit<TerraformRootConfig, "sharedWith">;

interface Environment {
  /** undefined: the shared section, used by a run without --env. */
  readonly name: string | undefined;
  readonly roots: readonly Root[];
  /** Whether it has its own terraform.backend. */
  readonly hasBackend: boolean;
}

/** An environment that gets its token from its own command or login does not use the shared env file. */
function envFileOf(
  written: WrittenConfig,
  environment: string | undefined,
  { token }: WrittenEnvironment,
): string {
  if (token?.envFile !== undefined) return token.envFile;
  const shared = written.token?.envFile ?? ".env";
  const isElsewhere = token?.command !== undefined || token?.doctl !== undefined;
  return isElsewhere ? `${shared}.${environment}` : shared;
}

/** @param own the context that this environment names, itself or through the shared section. */
function othersContexts(
  { environments = {} }: WrittenConfig,
  environment: string | undefined,
  own: string | undefined,
): string[] {
  const named = Object.entries(environments).flatMap(([name, { doctl, token }]) =>
    name === environment ? [] : [(doctl || undefined)?.context ?? [], token?.doctl ?? []].flat(),
  );
  return named.filter((context) => context !== own);
}

function envFilesOf(written: WrittenConfig): string[] {
  const own = Object.entries(written.environments ?? {}).map(([name, chosen]) =>
    envFileOf(written, name, chosen),
  );
  return [...new Set([written.token?.envFile ?? ".env", ...own])];
}
