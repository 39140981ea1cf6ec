import { dirname, join } from "node:path";
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
 * @param rootsIn finds the root modules that the config does not name. Default: one of the three usual folders.
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
  if (file === undefined && (base === home || (await isBareRoot(files, base)))) {
    throw new AppError("USAGE", `${cwd} is not a project folder.`, {
      hint: hint`Go to the repo that you want to prepare, or create one: ${{ inTurn: [run("mkdir", "my-app"), run("cd", "my-app")] }}`,
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

/** The root of the file system or of a drive, unless a repo has it as a whole: a drive of its own, or a container. */
async function isBareRoot(files: Pick<Files, "list">, folder: string): Promise<boolean> {
  return folder === dirname(folder) && !(await files.list(folder)).includes(".git");
}

export interface FoundConfig {
  readonly config: ResolvedConfig;
  /** The same config in another environment. @throws AppError those of resolveConfig. */
  readonly inEnvironment: (name: string | undefined) => ResolvedConfig;
  /** The same config with this login added. @throws AppError those of resolveConfig. */
  readonly withLogin: (context: string) => ResolvedConfig;
  /** Caches the config for the next run. Commands that may write call it; read-only commands don't. */
  readonly keepRecord: () => void;
}

/** A subfolder of a prepared repo is not a project of its own. */
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

/** All roots of the chosen environment have a folder, but other environments may still use the default one. */
const OF_OTHERS: UnnamedRoots = { isWanted: true, claimed: new Set() };

/** Finds the folders of root modules that no config names. */
export type FindRoots = (
  files: Files,
  asked: UnnamedRoots & { readonly base: string; readonly hasConfig: boolean },
) => Promise<readonly string[]>;

/** Where people keep their root module: the current folder, or one of these if it already has a root. */
export const DEFAULT_DIRS = [".", "terraform", "infra"];

/** The usual folders that contain Terraform code or our secret file. */
export interface UsualDirs {
  readonly dirs: readonly string[];
  /** The only such folder, if an earlier run left our files in it. It stays the root, without a search. */
  readonly settled: string | undefined;
}

export async function usualDirs(files: Files, base: string): Promise<UsualDirs> {
  const dirs: string[] = [];
  const ours: string[] = [];
  // On a disk that ignores case, terraform/ would also be Terraform/, which the search finds under its own name.
  const here = await files.list(base);
  for (const dir of DEFAULT_DIRS) {
    if (dir !== "." && !here.includes(dir)) continue;
    const names = await files.list(join(base, dir));
    if (names.some((name) => isTerraformFile(name) || name === SECRET_TFVARS)) dirs.push(dir);
    if (names.some((name) => OURS.includes(name))) ours.push(dir);
  }
  const settled = dirs.length === 1 ? ours[0] : undefined;
  const isOther = settled !== undefined && (await isLink(files, base, settled));
  return { dirs, settled: isOther ? undefined : settled };
}

/** git and the search report code under its real path, not under the path of a link. */
export async function isLink(
  files: Pick<Files, "realpath">,
  base: string,
  dir: string,
): Promise<boolean> {
  const [above, real] = await Promise.all([files.realpath(base), files.realpath(join(base, dir))]);
  return join(above, dir) !== real;
}

/** Terraform loads it automatically. It is committed. */
export const PUBLIC_TFVARS = "do-bootstrap.auto.tfvars.json";
/** The provider and variable blocks that were missing from an existing root. */
export const MISSING_TF = "do-bootstrap.tf";

/** Files that only do-bootstrap writes. */
const OURS = [SECRET_TFVARS, PUBLIC_TFVARS, MISSING_TF];

/** Finds the root without a search. A folder that an environment claims is not an additional root. */
export async function usualRoot(
  files: Files,
  { base, isWanted, claimed }: Parameters<FindRoots>[1],
): Promise<readonly string[]> {
  const [dir] = (await usualDirs(files, base)).dirs;
  if (dir !== undefined && !claimed.has(dir)) return [dir];
  return isWanted || claimed.size === 0 ? ["."] : [];
}
