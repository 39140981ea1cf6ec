import { join } from "node:path";
import { hasBlock } from "../../core/ignore-block.ts";
import { AppError } from "../../errors/app-error.ts";
import { hint, run } from "../../errors/hint.ts";
import type { Files, Host } from "../../host/host.ts";
import { foldersUp, isTerraformFile } from "../../lib/paths.ts";
import { loadConfig } from "./load.ts";
import { resolveConfig } from "./resolve.ts";
import type { ResolvedConfig } from "./resolved.ts";

/**
 * Finds, checks and resolves the config, from the working directory up to `top`.
 *
 * @throws AppError those of loadConfig and resolveConfig; USAGE outside a project.
 */
export async function findConfig(
  host: Pick<Host, "cwd" | "files" | "home" | "records" | "clock">,
  top: string,
  environment: string | undefined,
): Promise<FoundConfig> {
  const { cwd, files, home, records } = host;
  const since = host.clock.now();
  const { file, base: found, written, read } = await loadConfig(host, cwd, top);
  const base = file === undefined ? await preparedFolder(files, cwd, top) : found;
  if (file === undefined && (base === home || base === "/")) {
    throw new AppError("USAGE", `${cwd} is not a project's folder.`, {
      hint: hint`Go to the repo that you want to prepare, or make one: ${run("mkdir", "my-app")} && ${run("cd", "my-app")}`,
    });
  }
  const around = {
    file,
    base,
    packageName: await packageName(files, base),
    defaultDir: await defaultDir(files, base),
  };
  const inEnvironment = (name: string | undefined) => resolveConfig(written, name, around);
  return {
    config: inEnvironment(environment),
    inEnvironment,
    keepRecord() {
      for (const each of read) records.keep(each.file, each.value, since);
    },
  };
}

export interface FoundConfig {
  readonly config: ResolvedConfig;
  /** The same config in another environment. @throws AppError those of resolveConfig. */
  readonly inEnvironment: (name: string | undefined) => ResolvedConfig;
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

/** Where people keep their root module: here, or in a folder that already has one. */
export const DEFAULT_DIRS = [".", "terraform", "infra"];

async function defaultDir(files: Files, base: string): Promise<string> {
  for (const dir of DEFAULT_DIRS) {
    if ((await files.list(join(base, dir))).some(isTerraformFile)) return dir;
  }
  return ".";
}
