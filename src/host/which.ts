import {
  accessSync,
  closeSync,
  constants,
  openSync,
  readSync,
  realpathSync,
  statSync,
} from "node:fs";
import { basename, delimiter, dirname, isAbsolute, join } from "node:path";
import { isInside } from "../lib/paths.ts";
import type { Environment, ToolSearch } from "./host.ts";

/** The folder that npm and npx add to PATH. It belongs to some repo, wherever that is. */
const NPM_BIN = /[\\/]node_modules[\\/]\.bin[\\/]?$/;

/**
 * Looks up a tool on PATH like a shell, but skips matches inside a repo: a repo must not decide what we run
 * (docs/design.md rule 7).
 */
export function which(
  name: string,
  notIn: string,
  { env, platform }: { env: Environment; platform: NodeJS.Platform },
): ToolSearch {
  const forbidden = realFolder(notIn);
  const skipped: string[] = [];
  for (const folder of foldersIn(env)) {
    for (const ending of endingsOn(platform, env)) {
      const path = join(folder, name + ending);
      if (!isExecutable(path)) continue;
      const places = [realpathSync.native(path), realpathSync.native(folder)];
      const isOfRepo = places.some((place) => isInside(place, forbidden)) || NPM_BIN.test(folder);
      if (!isOfRepo) return { path, skipped, program: programAt(path, name + ending) };
      skipped.push(path);
    }
  }
  return { path: undefined, skipped, program: undefined };
}

/**
 * Whether this file is still the first of its name on PATH. Faster than `which`, since `exec` calls it before each
 * command. Does not check that the file exists.
 */
export function isFirst(
  path: string,
  name: string,
  { env, platform }: { env: Environment; platform: NodeJS.Platform },
): boolean {
  for (const folder of foldersIn(env)) {
    for (const ending of endingsOn(platform, env)) {
      const each = join(folder, name + ending);
      if (each === path) return true;
      if (isExecutable(each)) return false;
    }
  }
  return false;
}

function foldersIn(env: Environment): string[] {
  // A relative entry would depend on the current folder.
  return (env["PATH"] ?? "").split(delimiter).filter(isAbsolute);
}

function endingsOn(platform: NodeJS.Platform, env: Environment): string[] {
  return platform === "win32" ? (env["PATHEXT"] ?? ".EXE;.CMD").split(";") : [""];
}

function programAt(path: string, name: string): string | undefined {
  const real = realpathSync.native(path);
  // mise and others may have copies of themselves in a shims folder. tenv has some in its own folder.
  const isTenvs = TENV.test(name) && isExecutable(join(dirname(real), name.replace(TENV, "tenv")));
  const isShim = isTenvs || [path, real].some((each) => SHIMS.test(each));
  if (isShim) return undefined;
  return basename(real) === name && BINARY.test(startOf(real)) ? real : undefined;
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

function isExecutable(path: string): boolean {
  try {
    // Most folders on PATH don't contain it, and an exception takes longer than this check.
    if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return false;
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
