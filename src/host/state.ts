import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, isAbsolute, join } from "node:path";
import { isInside } from "../paths.ts";
import { sha256 } from "../sha256.ts";
import { writeFailed } from "./files.ts";
import type { State } from "./host.ts";
import { isDead, makerOf, newTag } from "./owner.ts";
import { isOwn, type Machine, repoAround } from "./record.ts";

/**
 * Small files in the user's state folder (XDG_STATE_HOME), one per kind and name. What is not the
 * user's own, or lies in the repo, is not believed: a repo is data.
 */
export function stateOf(machine: Machine): State {
  return {
    read(key) {
      const path = placeOf(key);
      if (path === undefined) return undefined;
      try {
        return isOwn(dirname(path)) && isOwn(path) ? readFileSync(path, "utf8") : undefined;
      } catch {
        return undefined;
      }
    },
    write(key, text) {
      const path = placeOf(key);
      if (path === undefined) return false;
      try {
        mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
        sweep(path);
        const temporary = `${path}.${newTag()}`;
        try {
          writeFileSync(temporary, text, { mode: 0o600, flush: true });
          renameSync(temporary, path);
        } catch (error) {
          rmSync(temporary, { force: true });
          throw error;
        }
        return true;
      } catch (error) {
        throw writeFailed(`${path} could not be written`, error);
      }
    },
    remove(key) {
      const path = placeOf(key);
      if (path !== undefined) rmSync(path, { force: true });
    },
  };

  function placeOf({ kind, folder, name }: Parameters<State["read"]>[0]): string | undefined {
    const state = stateFolder(machine);
    const home = machine.env["HOME"];
    const root = repoAround(folder);
    // Who keeps all of HOME in git keeps this in there too.
    const repo = home && isInside(home, root) ? folder : root;
    if (state === undefined || isInside(state, repo)) return undefined;
    return join(state, "do-bootstrap", kind, `${sha256(`${folder}\0${name}`)}.json`);
  }
}

/** What a write that was killed has left. */
function sweep(path: string): void {
  const start = `${basename(path)}.`;
  for (const name of readdirSync(dirname(path))) {
    const maker = name.startsWith(start) ? makerOf(name.slice(start.length)) : undefined;
    if (maker && isDead(maker)) rmSync(join(dirname(path), name), { force: true });
  }
}

function stateFolder({ env, platform }: Machine): string | undefined {
  const home = env["HOME"] || undefined;
  const folder =
    platform === "win32"
      ? env["LOCALAPPDATA"]
      : env["XDG_STATE_HOME"] || (home && join(home, ".local/state"));
  return folder !== undefined && isAbsolute(folder) ? folder : undefined;
}
