import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import { AppError } from "../errors.ts";
import { isInside } from "../paths.ts";
import { sha256 } from "../sha256.ts";
import type { Trust } from "./host.ts";
import { isOwn, type Machine, repoAround } from "./record.ts";

/** A file per command; its name is the hash of all that was trusted, its text for people to read. */
export function trustOf(machine: Machine): Trust {
  return {
    has(command) {
      try {
        const path = placeOf(command.folder, textOf(command));
        return (
          isOwn(dirname(path)) && isOwn(path) && readFileSync(path, "utf8") === textOf(command)
        );
      } catch {
        return false;
      }
    },
    keep(command) {
      const text = textOf(command);
      const path = placeOf(command.folder, text);
      try {
        mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
        const temporary = `${path}.${process.pid}`;
        writeFileSync(temporary, text, { mode: 0o600 });
        renameSync(temporary, path);
      } catch (error) {
        throw new AppError("WRITE_FAILED", `${path} cannot be written.`, {
          hint: "Trust the command for one run: --trust on each",
          cause: error,
        });
      }
    },
  };

  function placeOf(folder: string, text: string): string {
    const state = stateFolder(machine);
    // A repo is data: it must not bring its own trust.
    if (state === undefined || isInside(state, repoAround(folder))) {
      throw new AppError("WRITE_FAILED", "There is no folder to keep trust in.", {
        hint: "Set HOME, or XDG_STATE_HOME, to a folder outside the repo.",
      });
    }
    return join(state, "do-bootstrap", "trusted", `${sha256(text)}.json`);
  }
}

function textOf(command: object): string {
  return `${JSON.stringify(command, undefined, 2)}\n`;
}

function stateFolder({ env, platform }: Machine): string | undefined {
  const home = env["HOME"] || undefined;
  const folder =
    platform === "win32"
      ? env["LOCALAPPDATA"]
      : env["XDG_STATE_HOME"] || (home && join(home, ".local/state"));
  return folder !== undefined && isAbsolute(folder) ? folder : undefined;
}
