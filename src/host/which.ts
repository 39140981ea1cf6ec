import { accessSync, constants, realpathSync, statSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import { isInside } from "../lib/paths.ts";
import type { Environment, ToolSearch } from "./host.ts";

/** What npm and npx put on PATH: some repo's, wherever it lies. */
const NPM_BIN = /[\\/]node_modules[\\/]\.bin[\\/]?$/;

/**
 * Looks a tool up on PATH as a shell would, but passes over hits inside a repo: a repo is data
 * (docs/design.md rule 7).
 */
export function which(
  name: string,
  notIn: string,
  { env, platform }: { env: Environment; platform: NodeJS.Platform },
): ToolSearch {
  const forbidden = realFolder(notIn);
  const endings = platform === "win32" ? (env["PATHEXT"] ?? ".EXE;.CMD").split(";") : [""];
  const skipped: string[] = [];
  // A relative entry would depend on the folder we stand in.
  for (const folder of (env["PATH"] ?? "").split(delimiter).filter(isAbsolute)) {
    for (const ending of endings) {
      const path = join(folder, name + ending);
      if (!isExecutable(path)) continue;
      const places = [realpathSync.native(path), realpathSync.native(folder)];
      const isOfRepo = places.some((place) => isInside(place, forbidden)) || NPM_BIN.test(folder);
      if (!isOfRepo) return { path, skipped };
      skipped.push(path);
    }
  }
  return { path: undefined, skipped };
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
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
