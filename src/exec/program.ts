import { accessSync, closeSync, constants, openSync, readSync, statSync } from "node:fs";
import { delimiter } from "node:path";

/** A command's file as execvp(3) finds it; not made absolute, as a script is told this path. */
export function findProgram(name: string, path: string | undefined): string | undefined {
  if (name.includes("/")) return isExecutable(name) ? name : undefined;
  const folders = name === "" ? [] : (path ?? "").split(delimiter);
  return folders.map((folder) => (folder === "" ? name : `${folder}/${name}`)).find(isExecutable);
}

/**
 * True for a file that the system is sure to start. False says nothing: other shells and loaders
 * start what is not known here.
 */
export function isSureToStart(file: string): boolean {
  const start = startOf(file);
  const [line = "", interpreter] = /^#![^\S\n]*(\/\S+)[^\n]*/.exec(start) ?? [];
  if (interpreter === undefined) return isReady(start);
  // Linux reads 255 bytes of the line.
  return line.length < 250 && isExecutable(interpreter) && isReady(startOf(interpreter));
}

/** With a loader that is there: a program of glibc's has none where there is musl only. */
function isReady(start: string): boolean {
  const loader = /\0(\/[^\0]*\/ld[^\0/]*)\0/.exec(start)?.[1];
  return isOfThisMachine(start) && (loader === undefined || isExecutable(loader));
}

/** Of the same format as Node itself. */
function isOfThisMachine(start: string): boolean {
  if (process.platform === "darwin") return /^(\xcf\xfa\xed\xfe|\xca\xfe\xba\xbe)/.test(start);
  // The class, the byte order and the machine; a program or a shared object, not a part of one.
  const formatOf = (text: string) => text.slice(0, 6) + text.slice(18, 20);
  const isProgram = /^[\x02\x03]\0/.test(start.slice(16, 18));
  return (
    start.startsWith("\x7fELF") &&
    isProgram &&
    formatOf(start) === formatOf(startOf(process.execPath))
  );
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function startOf(file: string): string {
  try {
    const handle = openSync(file, "r");
    try {
      const bytes = Buffer.alloc(4096);
      return bytes.toString("latin1", 0, readSync(handle, bytes));
    } finally {
      closeSync(handle);
    }
  } catch {
    return "";
  }
}
