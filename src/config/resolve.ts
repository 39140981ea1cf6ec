import { join } from "node:path";
import { AppError } from "../errors.ts";
import { nearest } from "../nearest.ts";
import type { ResolvedConfig, TerraformRootConfig } from "./resolved.ts";
import type { WrittenConfig, WrittenEnvironment, WrittenRoot } from "./schema.ts";

/** What a config is resolved against. */
export interface Surroundings {
  readonly file: string | undefined;
  readonly base: string;
  /** `name` in package.json, where there is one. */
  readonly packageName: string | undefined;
  /** The root module's folder where config names none: relative to `base`. */
  readonly defaultDir: string;
}

/**
 * Fills in every default and applies the chosen environment.
 *
 * @throws AppError CONFIG_INVALID for what is well-formed but contradicts itself,
 *   USAGE for an environment that config does not have.
 */
export function resolveConfig(
  written: WrittenConfig,
  environment: string | undefined,
  around: Surroundings,
): ResolvedConfig {
  const { file, base } = around;
  const chosen = chooseEnvironment(written, environment, file);
  const token = { ...written.token, ...chosen.token };
  const doctl = chosen.doctl ?? written.doctl;
  return {
    file,
    base,
    environment,
    project: written.project ?? slugOf(around.packageName) ?? slugOf(base) ?? "project",
    token: {
      name: token.name ?? "DIGITALOCEAN_TOKEN",
      envFile: join(base, envFileOf(written, environment, chosen)),
      // The command of another account's token is not an environment's.
      command: environment === undefined ? token.command : chosen.token?.command,
      minTtlSeconds: token.minTtl === undefined ? undefined : secondsOf(token.minTtl),
    },
    team: { ...written.account, ...chosen.account }.team,
    doctl: doctl === false ? false : { context: doctl?.context },
    roots: resolveRoots(written, chosen, around),
    environments: Object.keys(written.environments ?? {}),
    envFiles: envFilesOf(written).map((path) => join(base, path)),
    notYet: notYetIn(written, chosen),
  };
}

/** Seconds in a duration such as "12h". */
export function secondsOf(duration: string): number {
  const unit = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }[duration.slice(-1)] ?? 1;
  return Number.parseInt(duration, 10) * unit;
}

/** A name as a slug: `@acme/Web App` gives `acme-web-app`. */
export function slugOf(name: string | undefined): string | undefined {
  const words = name?.split(/[/\\]/).filter(Boolean) ?? [];
  const text = name?.startsWith("@") ? words.join("-") : words.at(-1);
  const slug = text
    ?.toLowerCase()
    .replace(/[^a-z0-9_]+/g, "-")
    .replace(/^[-_]+|-+$/g, "");
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
        ? `Did you mean --env ${similar}?`
        : `Environments: ${names.join(", ") || "none"}.`,
  });
}

function resolveRoots(
  written: WrittenConfig,
  chosen: WrittenEnvironment,
  { base, file, defaultDir }: Surroundings,
): TerraformRootConfig[] {
  const list = [written.terraform ?? {}].flat();
  if (chosen.terraform === false || (chosen.terraform === undefined && list.includes(false))) {
    return [];
  }
  const hasEnvironments = Object.keys(written.environments ?? {}).length > 0;
  const roots = list.filter((root) => root !== false);
  return (roots.length === 0 ? [{}] : roots).map((each: WrittenRoot) => {
    const root = { ...each, ...(chosen.terraform || {}) };
    if (root.credentials === "tfvars" && hasEnvironments) {
      throw new AppError(
        "CONFIG_INVALID",
        `${file}: terraform.credentials "tfvars" does not go together with environments: one secret file cannot hold the token of each.`,
        { hint: "Write credentials: env, or leave the key out." },
      );
    }
    const variable = root.variable ?? "do_token";
    if (Object.hasOwn(root.variables ?? {}, variable)) {
      throw new AppError(
        "CONFIG_INVALID",
        `${file}: terraform.variables.${variable} is the token's variable, and this file is committed.`,
        { hint: "Take it out; or name another: terraform.variable" },
      );
    }
    return {
      dir: join(base, root.dir ?? defaultDir),
      tool: root.tool,
      credentials: root.credentials ?? (hasEnvironments ? "env" : undefined),
      variable,
      variables: root.variables ?? {},
      workspace: root.workspace,
      hasBackend: root.backend !== undefined,
      init: root.init ?? true,
    };
  });
}

/** An environment that has a command of its own does not take the token of the others' file. */
function envFileOf(
  written: WrittenConfig,
  environment: string | undefined,
  { token }: WrittenEnvironment,
): string {
  if (token?.envFile !== undefined) return token.envFile;
  const shared = written.token?.envFile ?? ".env";
  return token?.command === undefined ? shared : `${shared}.${environment}`;
}

function envFilesOf(written: WrittenConfig): string[] {
  const own = Object.entries(written.environments ?? {}).map(([name, chosen]) =>
    envFileOf(written, name, chosen),
  );
  return [...new Set([written.token?.envFile ?? ".env", ...own])];
}

function notYetIn(written: WrittenConfig, chosen: WrittenEnvironment): string[] {
  const found = new Set<string>();
  for (const { terraform } of [written, chosen]) {
    for (const root of [terraform ?? {}].flat()) {
      if (root === false) continue;
      if (root.backend !== undefined) found.add("terraform.backend");
    }
  }
  return [...found];
}
