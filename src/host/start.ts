import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from "node:child_process";
import { win32 } from "node:path";
import { isInside, isRooted, isSamePath } from "../lib/paths.ts";
import { batchLine } from "../lib/shell-word.ts";
import { workingDirectory } from "./places.ts";

/**
 * Starts a program, and never another one than this.
 *
 * @param file absolute on Windows, where the system would first look in the current folder.
 * @param args without line breaks for a .cmd or .bat file.
 * @throws Error with a code: ENOENT, ENOEXEC for a file that Windows does not start by itself, EINVAL; those of `spawn`.
 */
export function start(file: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  if (process.platform !== "win32") return spawn(file, args, options);
  const { cwd = workingDirectory(), env = process.env } = options;
  const command = windowsCommand(file, args, String(cwd));
  return spawn(command.file, command.args, {
    ...options,
    env: lastOfEach({ ...env, ...command.env }),
    windowsVerbatimArguments: command.isVerbatim,
  });
}

/** Ends a program. On Windows, that of a .cmd file is a child of cmd.exe, which would go on. */
export function end(child: ChildProcess): void {
  if (process.platform === "win32" && child.pid !== undefined) {
    const [file, args] = endOfTree(child.pid);
    spawnSync(file, args, { stdio: "ignore", windowsHide: true, timeout: 5000 });
  }
  child.kill("SIGKILL");
}

/** The command that ends a process and all its children. */
export function endOfTree(pid: number): readonly [file: string, args: readonly string[]] {
  return [ofWindows("taskkill.exe"), ["/t", "/f", "/pid", `${pid}`]];
}

/** A program of Windows itself, whatever PATH and the current folder contain. */
export function ofWindows(name: string): string {
  return win32.join(process.env["SystemRoot"] ?? "C:\\Windows", "System32", name);
}

interface WindowsCommand {
  readonly file: string;
  readonly args: readonly string[];
  /** Variables in addition to those of the command. */
  readonly env: Readonly<Record<string, string>>;
  /** Node must not quote the arguments again. */
  readonly isVerbatim: boolean;
}

/**
 * What has to be started for a file, since Windows starts only programs by itself.
 *
 * @param cwd absolute.
 * @throws Error as `start`.
 */
export function windowsCommand(file: string, args: readonly string[], cwd: string): WindowsCommand {
  if (!isRooted(file)) throw failure("ENOENT");
  if (/\.(exe|com)$/i.test(file)) return { file, args, env: {}, isVerbatim: false };
  if (!/\.(cmd|bat)$/i.test(file)) throw failure("ENOEXEC");
  // For cmd.exe, a line break ends the command.
  if ([file, ...args].some((word) => /[\r\n\0]/.test(word))) throw failure("EINVAL");
  return {
    file: ofWindows("cmd.exe"),
    // No AutoRun, extensions on, no variables in !, and one pair of quotes around everything.
    args: ["/d", "/e:on", "/v:off", "/s", "/c", `"${batchLine([file, ...args])}"`],
    // npm's .cmd files start `node`, which must not be a node.exe in the current folder.
    env: isBeside(file, cwd) ? {} : { NoDefaultCurrentDirectoryInExePath: "1" },
    isVerbatim: true,
  };
}

/** In the folder of its user. In the root of a drive, that is not what is below it: all programs of the drive. */
function isBeside(file: string, cwd: string): boolean {
  const isRoot = isSamePath(win32.dirname(cwd), cwd, win32);
  return isRoot ? isSamePath(win32.dirname(file), cwd, win32) : isInside(file, cwd, win32);
}

/**
 * An environment in which each name occurs once, since on Windows TF_VAR_A and TF_VAR_a are one variable: the last one
 * wins, where Node would take the first in the order of the alphabet.
 */
export function lastOfEach<T>(env: Readonly<Record<string, T>>): Record<string, T> {
  const last = new Map(Object.keys(env).map((name) => [name.toUpperCase(), name]));
  const kept = Object.entries(env).filter(([name]) => last.get(name.toUpperCase()) === name);
  return Object.fromEntries(kept);
}

function failure(code: "ENOENT" | "ENOEXEC" | "EINVAL"): NodeJS.ErrnoException {
  return Object.assign(new Error(code), { code });
}
