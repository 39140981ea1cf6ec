import { join } from "node:path";
import { AppError } from "../errors.ts";
import type { Files, Host } from "../host/host.ts";
import { loadConfig } from "./load.ts";
import { resolveConfig } from "./resolve.ts";
import type { ResolvedConfig } from "./resolved.ts";

/**
 * Finds, checks and resolves the config, from the working directory up to `top`.
 *
 * @throws AppError those of loadConfig and resolveConfig; USAGE outside a project.
 */
export async function findConfig(
  host: Pick<Host, "cwd" | "files" | "home">,
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
