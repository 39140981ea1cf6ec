import { join } from "node:path";
import { hasBlock } from "../../core/ignore-block.ts";
import { AppError } from "../../errors/app-error.ts";
import { hint, run } from "../../errors/hint.ts";
import type { Files, Host } from "../../host/host.ts";
import { foldersUp, isTerraformFile } from "../../lib/paths.ts";
import { loadConfig } from "./load.ts";
import { SECRET_TFVARS } from "./protected-paths.ts";
import { namingLogin, resolveConfig, type UnnamedRoots, unnamedRoots } from "./resolve.ts";
import type { ResolvedConfig } from "./resolved.ts";

/**
 * Finds, checks and resolves the config, from the working directory up to `top`.
 *
 * @param rootsIn finds the root modules that the config does not name; else one of today's three folders.
 * @throws AppError those of loadConfig and resolveConfig; USAGE outside a project.
 */
export async function findConfig(
  host: Pick<Host, "cwd" | "files" | "home" | "records" | "clock">,
  top: string,
  environment: string | undefined,
  rootsIn: FindRoots = usualRoot,
): Promise<FoundConfig> {
  const { cwd, files, home, records } = host;
  const since = host.clock.now();
  const { file, base: found, written, read } = await loadConfig(host, cwd, top);
  const base = file === undefined ? await preparedFolder(files, cwd, top) : found;
  if (file === undefined && (base === home || base === "/")) {
    throw new AppError("USAGE", `${cwd} is not a project folder.`, {
      hint: hint`Go to the repo that you want to prepare, or create one: ${run("mkdir", "my-app")} && ${run("cd", "my-app")}`,
    });
  }
  const unnamed = unnamedRoots(written, environment);
  const around = {
    file,
    base,
    packageName: await packageName(files, base),
    defaultDirs: await (unnamed === undefined
      ? usualRoot(files, { base, hasConfig: true, ...OF_OTHERS })
      : rootsIn(files, { base, hasConfig: file !== undefined, ...unnamed })),
  };
  const inEnvironment = (name: string | undefined) => resolveConfig(written, name, around);
  return {
    config: inEnvironment(environment),
    inEnvironment,
    withLogin: (context) =>
      resolveConfig(namingLogin(written, environment, context), environment, around),
    keepRecord() {
      for (const each of read) records.keep(each.file, each.value, since);
    },
  };
}

export interface FoundConfig {
  readonly config: ResolvedConfig;
  /** The same config in another environment. @throws AppError those of resolveConfig. */
  readonly inEnvironment: (name: string | undefined) => ResolvedConfig;
  /** The same config, once it names this login. @throws AppError those of resolveConfig. */
  readonly withLogin: (context: string) => ResolvedConfig;
  /** Spares the next run the reading: called by what may write, and not by a mere look. */
  readonly keepRecord: () => void;
}

/** A subfolder of a repo that was prepared before is no project of its own. */
async function preparedFolder(files: Files, cwd: string, top: string): Promise<string> {
  for (const here of foldersUp(cwd, top)) {
    const snapshot = await files.look(join(here, ".gitignore"));
    if (snapshot.kind === "file" && hasBlock(snapshot.bytes.toString("utf8"))) return here;
  }
  return cwd;
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

/** Where the chosen environment names its folders, the others may still be in the same. */
const OF_OTHERS: UnnamedRoots = { isWanted: true, claimed: new Set() };

/** Finds the folders of root modules that no config names. */
export type FindRoots = (
  files: Files,
  asked: UnnamedRoots & { readonly base: string; readonly hasConfig: boolean },
) => Promise<readonly string[]>;

/** Where people keep their root module: here, or in a folder that already has one. */
export const DEFAULT_DIRS = [".", "terraform", "infra"];

/** Those of these folders that have Terraform code, or our secret file. */
export interface UsualDirs {
  readonly dirs: readonly string[];
  /** The only one, where an earlier run has left files of ours: it stays the root, without a search. */
  readonly settled: string | undefined;
}

export async function usualDirs(files: Files, base: string): Promise<UsualDirs> {
  const dirs: string[] = [];
  const ours: string[] = [];
  for (const dir of DEFAULT_DIRS) {
    const names = await files.list(join(base, dir));
    if (names.some((name) => isTerraformFile(name) || name === SECRET_TFVARS)) dirs.push(dir);
    if (names.some((name) => OURS.includes(name))) ours.push(dir);
  }
  const settled = dirs.length === 1 ? ours[0] : undefined;
  const isOther = settled !== undefined && (await isLink(files, base, settled));
  return { dirs, settled: isOther ? undefined : settled };
}

/** git knows the code by the folder's own name, and so does a search. */
export async function isLink(
  files: Pick<Files, "realpath">,
  base: string,
  dir: string,
): Promise<boolean> {
  const [above, real] = await Promise.all([files.realpath(base), files.realpath(join(base, dir))]);
  return join(above, dir) !== real;
}

/** Terraform reads it by itself; it is committed. */
export const PUBLIC_TFVARS = "do-bootstrap.auto.tfvars.json";
/** The blocks that a root with files of its own was missing. */
export const MISSING_TF = "do-bootstrap.tf";

/** Files that nobody else writes. */
const OURS = [SECRET_TFVARS, PUBLIC_TFVARS, MISSING_TF];

/** What is there without a search. Where each environment has a folder of its own, that is not one more. */
export async function usualRoot(
  files: Files,
  { base, isWanted, claimed }: Parameters<FindRoots>[1],
): Promise<readonly string[]> {
  const [dir] = (await usualDirs(files, base)).dirs;
  if (dir !== undefined && !claimed.has(dir)) return [dir];
  return isWanted || claimed.size === 0 ? ["."] : [];
}
