import { win32 } from "node:path";
import type { Environment } from "../host/host.ts";
import { isExecutable, startable, which } from "../host/which.ts";

/** Why a command has no file. `why` replaces the usual words for its code. */
export type NoProgram = NodeJS.ErrnoException & { readonly why?: string };

/**
 * A command's file. Windows itself would look in the current folder first, which may be anybody's repo. A path is used as
 * it is, and may be in the repo.
 *
 * @param notIn a name is not searched there, even if PATH has a folder in it.
 * @throws NoProgram
 */
export function fileOnWindows(
  name: string,
  { env, cwd, notIn }: { readonly env: Environment; readonly cwd: string; readonly notIn: string },
): string {
  if (/[\\/:]/.test(name)) return fileAt(win32.resolve(cwd, name), env);
  const { path, skipped } = name === "" ? NOWHERE : which(name, notIn, { env, platform: "win32" });
  if (path !== undefined) return path;
  if (skipped.length === 0) throw failure("ENOENT");
  throw failure("ENOENT", `found only in the repo (${skipped[0]}). To run that, write its path`);
}

const NOWHERE = { path: undefined, skipped: [] } as const;

function fileAt(path: string, env: Environment): string {
  const file = startable(path, env).find(isExecutable);
  if (file !== undefined) return file;
  if (!isExecutable(path)) throw failure("ENOENT");
  throw failure(
    "ENOEXEC",
    "Windows starts only .exe, .com, .cmd and .bat files. Start a script's own program with it",
  );
}

function failure(code: string, why?: string): NoProgram {
  return Object.assign(new Error(code), { code, ...(why && { why }) });
}
