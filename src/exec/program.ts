import { accessSync, closeSync, constants, openSync, readSync, statSync } from "node:fs";
import { delimiter } from "node:path";

/** A command's file, searched for like execvp(3). Not made absolute, since a script is told this path. */
export function findProgram(name: string, path: string | undefined): string | undefined {
  if (name.includes("/")) return isExecutable(name) ? name : undefined;
  const folders = name === "" ? [] : (path ?? "").split(delimiter);
  return folders.map((folder) => (folder === "" ? name : `${folder}/${name}`)).find(isExecutable);
}

/** True for a file that the system will certainly start. False means unknown: other shells and loaders may start it. */
export function isSureToStart(file: string): boolean {
  const start = startOf(file);
  const [line = "", interpreter] = /^#![^\S\n]*(\/\S+)[^\n]*/.exec(start) ?? [];
  if (interpreter === undefined) return isReady(start);
  // Linux reads 255 bytes of this line.
  return line.length < 250 && isExecutable(interpreter) && isReady(startOf(interpreter));
}

/** Its loader exists: a program for glibc has none on a system with only musl. */
function isReady(start: string): boolean {
  const loader = /\0(\/[^\0]*\/ld[^\0/]*)\0/.exec(start)?.[1];
  return isOfThisMachine(start) && (loader === undefined || isExecutable(loader));
}

/** The same format as Node's own binary. */
function isOfThisMachine(start: string): boolean {
  if (process.platform === "darwin") return /^(\xcf\xfa\xed\xfe|\xca\xfe\xba\xbe)/.test(start);
  // The class, the byte order and the machine. It must be a program or a shared object, not an object file.
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
