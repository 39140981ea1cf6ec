import { existsSync, lstatSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { sha256 } from "../lib/sha256.ts";
import { writeFailed } from "./files.ts";
import type { State, StateKey } from "./host.ts";
import { dropOwn, sweepOwn, writeOwn } from "./keep.ts";
import { isOwn } from "./ours.ts";
import { ownPlace } from "./places.ts";
import { isOwnFolder, isUsersAlone, type Machine, makeOwnFolder, placeIn } from "./record.ts";

/**
 * Small files in the user's state folder (XDG_STATE_HOME), one per kind and name. Files that don't belong to the user,
 * or that are in a checkout, are not trusted: anybody may have written a repo.
 */
export function stateOf(machine: Machine): State {
  return {
    read(key) {
      try {
        const path = ownPath(key);
        return path !== undefined && isOwn(lstatSync(path))
          ? readFileSync(path, "utf8")
          : undefined;
      } catch {
        return undefined;
      }
    },
    write(key, text) {
      const place = placeOf(key);
      if (place === undefined) return false;
      try {
        if (!makeOwnFolder(place)) return false;
        writeOwn(place, text);
        return true;
      } catch (error) {
        throw writeFailed(`${join(place.folder, place.name)} could not be written`, error);
      }
    },
    remove(key) {
      const path = ownPath(key);
      if (path === undefined) return;
      dropOwn(path);
      try {
        sweepOwn(dirname(path));
      } catch {
        // The folder no longer exists.
      }
    },
    isSafe(folder) {
      const place = placeOf({ kind: "trusted", folder, name: "" });
      return place !== undefined && isUsersAlone(place);
    },
    fileFor(key, ending) {
      const place = placeOf(key);
      try {
        if (place === undefined || !makeOwnFolder(place)) return undefined;
        return join(place.folder, place.name.replace(/json$/, ending));
      } catch (error) {
        throw writeFailed(`${place?.folder} could not be created`, error);
      }
    },
    hasFile(key, ending) {
      const path = ownPath(key);
      return path !== undefined && existsSync(path.replace(/json$/, ending));
    },
    runFolder(folder) {
      const place = placeOf({ kind: "run", folder, name: "" });
      try {
        return place !== undefined && makeOwnFolder(place) ? place.folder : undefined;
      } catch (error) {
        throw writeFailed(`${place?.folder} could not be created`, error);
      }
    },
  };

  /** @returns undefined if others may have written there. */
  function ownPath(key: StateKey): string | undefined {
    const place = placeOf(key);
    if (place === undefined || !existsSync(place.folder) || !isOwnFolder(place)) return undefined;
    return join(place.folder, place.name);
  }

  function placeOf({ kind, folder, name }: StateKey | RunKey) {
    const state = stateFolder(machine);
    const digest = sha256(`${folder}\0${name}`);
    // 64 digits look like a token, and messages name the lock file next to it.
    const file = `${kind === "login" ? digest.slice(0, 32) : digest}.json`;
    return state === undefined ? undefined : placeIn(state, kind, { name: file, about: folder });
  }
}

type RunKey = Omit<StateKey, "kind"> & { readonly kind: "run" };

/** The user's folder for state; each system has its own. */
export function stateFolder(machine: Machine): string | undefined {
  return ownPlace(STATE, machine);
}

const STATE = {
  ...{ xdg: "XDG_STATE_HOME", darwin: "Library/Application Support", other: ".local/state" },
};
