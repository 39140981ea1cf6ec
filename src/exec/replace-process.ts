import { accessSync, closeSync, constants, openSync, readSync, statSync } from "node:fs";
import { delimiter } from "node:path";

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
  if (file === undefined || !isSureToStart(file) || !isSureToFit(words, env)) return;
  // Node ignores these two, and what is ignored stays so; what is listened to is reset.
  for (const signal of ["SIGPIPE", "SIGXFSZ"]) process.on(signal, () => {});
  execve?.call(process, file, words, env);
}

type Execve = (file: string, words: readonly string[], env: NodeJS.ProcessEnv) => void;

/** As execvp(3) does. */
function lookUp(name: string, path: string): string | undefined {
  if (name.includes("/")) return isExecutable(name) ? name : undefined;
  const folders = name === "" ? [] : path.split(delimiter);
  // Not made absolute: a script is told this path.
  return folders.map((folder) => (folder === "" ? name : `${folder}/${name}`)).find(isExecutable);
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
  const interpreter = /^#!\s*(\/[^\s]+)/.exec(startOf(file))?.[1];
  if (interpreter === undefined) return isOfThisMachine(file);
  return isExecutable(interpreter) && isOfThisMachine(interpreter);
}

/** Of the same kind as Node itself, and with a loader that is there: elsewhere (musl) it is not. */
function isOfThisMachine(file: string): boolean {
  const start = startOf(file);
  const kindOf = (text: string) => text.slice(0, 6) + text.slice(18, 20);
  if (!MACHINE_CODE.test(start)) return false;
  if (!start.startsWith("\x7fELF")) return true;
  const loader = /\0(\/[^\0]*\/ld[^\0/]*)\0/.exec(start)?.[1];
  return (
    kindOf(start) === kindOf(startOf(process.execPath)) &&
    (loader === undefined || isExecutable(loader))
  );
}

/** Every Linux takes 128 KiB of words and environment, and as much in one of them. */
const SURE_BYTES = 100_000;

function isSureToFit(words: readonly string[], env: NodeJS.ProcessEnv): boolean {
  const texts = [...words, ...Object.entries(env).map((entry) => entry.join("="))];
  const bytes = texts.map((text) => Buffer.byteLength(text) + 9);
  return bytes.reduce((sum, each) => sum + each, 0) < SURE_BYTES;
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
