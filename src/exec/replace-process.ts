import { accessSync, closeSync, constants, openSync, readSync, statSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";

/**
 * Lets the command take our place, so that no second process stays: where Node can (22.15 and
 * later, not on Windows), and where the system is sure to start it, as Node does not survive a
 * failure.
 *
 * @returns where it did not.
 */
export function replaceProcess(words: readonly string[], env: NodeJS.ProcessEnv): void {
  const { execve } = process as { execve?: Execve };
  const [name = ""] = words;
  const file = execve === undefined ? undefined : lookUp(name, env["PATH"] ?? "");
  if (file === undefined || !isSureToStart(file)) return;
  // Node ignores these two, and what is ignored stays so; what is listened to is reset.
  for (const signal of ["SIGPIPE", "SIGXFSZ"]) process.on(signal, () => {});
  execve?.call(process, file, words, env);
}

type Execve = (file: string, words: readonly string[], env: NodeJS.ProcessEnv) => void;

/** As execvp(3) does. */
function lookUp(name: string, path: string): string | undefined {
  if (name.includes("/")) return isExecutable(name) ? resolve(name) : undefined;
  const folders = name === "" ? [] : path.split(delimiter);
  return folders.map((folder) => resolve(join(folder, name))).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

const MACHINE_CODE = /^(\x7fELF|\xcf\xfa\xed\xfe|\xca\xfe\xba\xbe)/;

function isSureToStart(file: string): boolean {
  const start = startOf(file);
  const interpreter = /^#!\s*(\/[^\s]+)/.exec(start)?.[1];
  if (interpreter === undefined) return MACHINE_CODE.test(start);
  return isExecutable(interpreter) && MACHINE_CODE.test(startOf(interpreter));
}

function startOf(file: string): string {
  try {
    const handle = openSync(file, "r");
    try {
      const bytes = Buffer.alloc(256);
      return bytes.toString("latin1", 0, readSync(handle, bytes));
    } finally {
      closeSync(handle);
    }
  } catch {
    return "";
  }
}
