import { constants } from "node:fs";
import { access, realpath, stat } from "node:fs/promises";
import { delimiter, isAbsolute, join } from "node:path";
import { isInside } from "../lib/paths.ts";
import type { Environment, ToolSearch } from "./host.ts";

/** What npm and npx put on PATH: some repo's, wherever it lies. */
const NPM_BIN = /[\\/]node_modules[\\/]\.bin[\\/]?$/;

/**
 * Looks a tool up on PATH as a shell would, but passes over hits inside a repo: a repo is data
 * (docs/design.md rule 7).
 */
export async function which(
  name: string,
  notIn: string,
  { env, platform }: { env: Environment; platform: NodeJS.Platform },
): Promise<ToolSearch> {
  const forbidden = await realpath(notIn).catch(() => notIn);
  const endings = platform === "win32" ? (env["PATHEXT"] ?? ".EXE;.CMD").split(";") : [""];
  const skipped: string[] = [];
  // A relative entry would depend on the folder we stand in.
  for (const folder of (env["PATH"] ?? "").split(delimiter).filter(isAbsolute)) {
    for (const ending of endings) {
      const path = join(folder, name + ending);
      if (!(await isExecutable(path))) continue;
      const places = [await realpath(path), await realpath(folder)];
      const isOfRepo = places.some((place) => isInside(place, forbidden)) || NPM_BIN.test(folder);
      if (!isOfRepo) return { path, skipped };
      skipped.push(path);
    }
  }
  return { path: undefined, skipped };
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
