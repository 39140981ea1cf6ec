import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * This program's own files and how to start it: from the folder of its package with Node, or as the standalone binary
 * (scripts/binary.mjs), which contains the files. There, the package's folder is the path of the binary itself.
 */
interface Assets {
  isSea(): boolean;
  /** @throws Error where there is none. */
  getRawAsset(path: string): ArrayBuffer;
}

/**
 * A file of this package.
 *
 * @param packageFolder absolute.
 * @param path relative to it, with slashes.
 * @returns bytes that must not be changed.
 * @throws Error where there is no such file.
 */
export function ownFile(packageFolder: string, path: string): Buffer {
  const { isSea, getRawAsset } = assets();
  return isSea() ? Buffer.from(getRawAsset(path)) : readFileSync(join(packageFolder, path));
}

/** Whether this package has such a file. */
export function hasOwnFile(packageFolder: string, path: string): boolean {
  if (!assets().isSea()) return existsSync(join(packageFolder, path));
  try {
    return assets().getRawAsset(path).byteLength > 0;
  } catch {
    return false;
  }
}

/** The words that start this program again. */
export function ownCommand(packageFolder: string): readonly [file: string, ...args: string[]] {
  if (assets().isSea()) return [process.execPath];
  return [process.execPath, join(packageFolder, "dist", "bin.cjs")];
}

function assets(): Assets {
  // Its published types say "string | ArrayBuffer".
  return process.getBuiltinModule("node:sea") as unknown as Assets;
}
