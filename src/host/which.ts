import {
  accessSync,
  closeSync,
  constants,
  openSync,
  readSync,
  realpathSync,
  statSync,
} from "node:fs";
import { basename, dirname, posix, win32 } from "node:path";
import { isInside, isRooted } from "../lib/paths.ts";
import type { Environment, ToolSearch } from "./host.ts";

/** The folder that npm and npx add to PATH. It belongs to some repo, wherever that is. */
const NPM_BIN = /[\\/]node_modules[\\/]\.bin[\\/]?$/;

/**
 * Looks up a tool on PATH like a shell, but skips matches inside a repo: a repo must not decide what we run
 * (docs/design.md rule 7).
 */
export function which(name: string, notIn: string, machine: Searched): ToolSearch {
  const forbidden = realFolder(notIn);
  const skipped: string[] = [];
  for (const path of candidates(name, machine)) {
    if (!isExecutable(path)) continue;
    const folder = dirname(path);
    const places = [realpathSync.native(path), realpathSync.native(folder)];
    const isOfRepo = places.some((place) => isInside(place, forbidden)) || NPM_BIN.test(folder);
    if (!isOfRepo) return { path, skipped, program: programAt(path, basename(path)) };
    skipped.push(path);
  }
  return { path: undefined, skipped, program: undefined };
}

/**
 * Whether this file is still the first of its name on PATH. Faster than `which`, since `exec` calls it before each
 * command. Does not check that the file exists.
 */
export function isFirst(path: string, name: string, machine: Searched): boolean {
  for (const each of candidates(name, machine)) {
    if (each === path) return true;
    if (isExecutable(each)) return false;
  }
  return false;
}

/** What decides which file a name means. */
export interface Searched {
  readonly env: Environment;
  readonly platform: NodeJS.Platform;
}

/** The files that a name may mean, in order. A relative entry of PATH would depend on the current folder. */
export function candidates(name: string, { env, platform }: Searched): readonly string[] {
  const isWindows = platform === "win32";
  const { join } = isWindows ? win32 : posix;
  const names = isWindows ? startable(name, env) : [name];
  const folders = isWindows
    ? windowsPath(env)
    : (env["PATH"] ?? "").split(":").filter(posix.isAbsolute);
  return folders.flatMap((folder) => names.map((each) => join(folder, each)));
}

/** An entry of PATH may be in quotes, and then contain a semicolon. */
function windowsPath(env: Environment): readonly string[] {
  const name = Object.keys(env).find((each) => each.toUpperCase() === "PATH");
  const entries = (env[name ?? "PATH"] ?? "").match(/(?:"[^"]*"?|[^;"])+/g) ?? [];
  return entries.map((entry) => entry.replaceAll('"', "").trim()).filter(isRooted);
}

/** What Windows starts, or cmd.exe. PATHEXT also has endings of scripts for other programs. */
const STARTABLE = [".com", ".exe", ".bat", ".cmd"];

/** A file's name, completed with the endings of PATHEXT. */
export function startable(name: string, env: Environment): readonly string[] {
  const known = (env["PATHEXT"] ?? "").split(";").filter(isStartable);
  const endings = known.length > 0 ? known : STARTABLE;
  const completed = endings.map((ending) => name + ending.toLowerCase());
  return isStartable(win32.extname(name)) ? [name, ...completed] : completed;
}

function isStartable(ending: string): boolean {
  return STARTABLE.includes(ending.toLowerCase());
}

function programAt(path: string, name: string): string | undefined {
  const real = realpathSync.native(path);
  // mise and others may have copies of themselves in a shims folder. tenv has some in its own folder.
  const isTenvs =
    TENV.test(name) && isExecutable(posix.join(dirname(real), name.replace(TENV, "tenv")));
  const isShim = isTenvs || [path, real].some((each) => SHIMS.test(each));
  if (isShim) return undefined;
  const isNamed = basename(real).toLowerCase() === name.toLowerCase();
  return isNamed && BINARY.test(startOf(real)) ? real : undefined;
}

const TENV = /^(terraform|tofu)(?=\.|$)/;
const SHIMS = /[\\/]shims[\\/]/;

/** ELF, Mach-O for one machine and for several, and Windows. */
const BINARY = /^(\x7fELF|[\xce\xcf]\xfa\xed\xfe|\xca\xfe\xba\xbe|MZ)/;

function startOf(path: string): string {
  try {
    const fd = openSync(path, "r");
    try {
      const bytes = Buffer.alloc(4);
      return bytes.toString("latin1", 0, readSync(fd, bytes));
    } finally {
      closeSync(fd);
    }
  } catch {
    // A file that may be started but not read.
    return "";
  }
}

function realFolder(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    return path;
  }
}

export function isExecutable(path: string): boolean {
  try {
    // Most folders on PATH don't contain it, and an exception takes longer than this check.
    if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return false;
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
