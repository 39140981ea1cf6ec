import { realpathSync } from "node:fs";
import { join } from "node:path";
import { isFull } from "../lib/paths.ts";
import type { Environment } from "./host.ts";

/**
 * The current folder, without links. On Windows, process.cwd() is what was typed: it may have a drive letter in lower case
 * (VS Code), a junction, or a drive of `subst`.
 *
 * @throws Error where it was removed.
 */
export function workingDirectory(): string {
  const given = process.cwd();
  return process.platform === "win32" ? realpathSync.native(given) : given;
}

/** Where a system keeps something of a user's, if no XDG variable says otherwise: relative to HOME. */
interface OwnPlace {
  readonly xdg: string;
  readonly darwin: string;
  readonly other: string;
}

/**
 * The folder that the user's system has for caches or for state. On Windows that is one: LOCALAPPDATA.
 *
 * @returns undefined without one, and for a relative path: that would be another folder after each `cd`.
 */
export function ownPlace(
  { xdg, darwin, other }: OwnPlace,
  { env, platform }: { readonly env: Environment; readonly platform: NodeJS.Platform },
): string | undefined {
  const isWindows = platform === "win32";
  const home = env["HOME"] || undefined;
  const usual = home && join(home, platform === "darwin" ? darwin : other);
  const folder = isWindows ? env["LOCALAPPDATA"] : env[xdg] || usual;
  return folder !== undefined && isFull(folder, platform) ? folder : undefined;
}

/**
 * The user's home folder, on Windows without links. A relative path would be another folder after each `cd`, and may be
 * in a repo.
 */
export function homeOf(env: Environment, platform: NodeJS.Platform): string | undefined {
  const isWindows = platform === "win32";
  const home = env[isWindows ? "USERPROFILE" : "HOME"];
  if (home === undefined || !isFull(home, platform)) return undefined;
  try {
    return isWindows ? realpathSync.native(home) : home;
  } catch {
    return home;
  }
}
