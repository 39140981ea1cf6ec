import type { ChildProcess, StdioOptions } from "node:child_process";
import { closeSync, fstatSync, openSync, writeSync } from "node:fs";
import { constants } from "node:os";
import { isExhausted, reasonOf } from "../errors/system-error.ts";
import { processFacts } from "../host/processes.ts";
import { repoAround } from "../host/record.ts";
import { start } from "../host/start.ts";
import { isCi } from "../lib/is-ci.ts";
import { toolsNotIn } from "../lib/paths.ts";
import { type Masker, maskerOf } from "../secret/mask.ts";
import { safe } from "../secret/safe.ts";
import { fileOnWindows, type NoProgram } from "./windows-program.ts";

export { replaceProcess } from "./replace-process.ts";

export interface Execution {
  readonly words: readonly string[];
  /** The complete environment of the command. */
  readonly env: NodeJS.ProcessEnv;
  /** The current folder, and the config's. */
  readonly cwd: string;
  readonly base: string;
  /** Written to standard error before the command starts; "": nothing. */
  readonly notice: string;
  /** Values to mask in its output; undefined: the output is not read at all. */
  readonly secrets: readonly string[] | undefined;
  /** Called after a failed command, with the end of its standard error, which is a pipe in this case. */
  readonly afterFailure?: (stderr: string) => Promise<void>;
}

/**
 * Runs a command as if it had been started instead of us, with the same streams, terminal and signals.
 *
 * @returns its exit status; 128 + n if signal n ended it, 127 if the command does not exist, 126 if it cannot be
 *   started.
 */
export async function execute(execution: Execution): Promise<number> {
  const { words, env, secrets, afterFailure } = execution;
  const [file = "", ...args] = words;
  const isMasked = ({ isTTY }: NodeJS.WriteStream) => !isTTY || isCi(env);
  // Node opens a stream at the first use: that takes 2 ms, and makes a shared pipe non-blocking.
  const masked = secrets === undefined ? [] : [process.stdout, process.stderr].filter(isMasked);
  const piped = new Set(afterFailure === undefined ? masked : [...masked, process.stderr]);
  const read = Array.from(piped, ({ fd }) => fd);
  const [out, err] = ([1, 2] as const).map((fd) => (read.includes(fd) ? "pipe" : fd));

  const signals = forwardSignals();
  let child: ChildProcess;
  try {
    child = start(fileOf(execution, file), args, {
      env,
      stdio: withNamed(words, ["inherit", out, err]),
    });
  } catch (error) {
    // For some errors Node throws instead of emitting an event: ENOTDIR, ELOOP, E2BIG, an empty name.
    return notStarted(execution, error as NoProgram);
  }
  signals.child = child;
  for (const stream of piped) {
    pass(child, stream, maskerOfAll(masked.includes(stream) ? secrets : undefined));
  }
  // What is explained later must not contain more than what is shown.
  const heard = afterFailure && endOf(child.stderr, maskerOfAll(secrets));
  return new Promise((resolve) => {
    child.once("error", (error: NodeJS.ErrnoException) => resolve(notStarted(execution, error)));
    child.once(piped.size > 0 ? "close" : "exit", async (status, signal) => {
      if (status !== 0 && heard !== undefined) {
        // From now on a signal is meant for us. One for the command may still be arriving.
        await new Promise(setImmediate);
        signals.isOver = true;
        await afterFailure?.(heard());
      }
      // A shell treats exit status 130 as a program that handled Ctrl-C itself, and continues its loop.
      const endsLoop = signal === "SIGINT" && isFromTerminal();
      // Closes the terminal, which was needed to tell.
      keepModes();
      if (signal === null) return resolve(status ?? 1);
      if (endsLoop) raise(signal);
      resolve(128 + constants.signals[signal as NodeJS.Signals]);
    });
  });
}

function fileOf({ env, cwd, base }: Execution, file: string): string {
  if (process.platform !== "win32") return file;
  const notIn = toolsNotIn(env["USERPROFILE"], repoAround(cwd), base);
  return fileOnWindows(file, { env, cwd, notIn });
}

const HEARD_BYTES = 256 * 1024;

/** @returns a function that returns the end of the stream so far. Call it once. */
function endOf(stream: ChildProcess["stderr"], masker: Masker): () => string {
  let end = Buffer.alloc(0);
  stream?.on("data", (chunk: Buffer) => {
    end = Buffer.concat([end, masker.feed(chunk)]).subarray(-HEARD_BYTES);
  });
  return () => Buffer.concat([end, masker.end()]).toString("utf8");
}

function maskerOfAll(secrets: readonly string[] = []): Masker {
  return maskerOf(secrets, secrets);
}

function notStarted({ words, secrets }: Execution, error: NoProgram): number {
  const [file = ""] = words;
  const { code = "", why: own } = error;
  const isMissing = code === "ENOENT" || file === "";
  const reason = isExhausted(error) ? `: ${reasonOf(code)}` : ` (${code})`;
  const why = own ?? (isMissing ? "command not found" : `it cannot be started${reason}`);
  const masker = maskerOfAll(secrets);
  const shown = Buffer.concat([masker.feed(Buffer.from(file)), masker.end()]).toString("utf8");
  writeSync(2, `do-bootstrap: ${safe(shown) || "''"}: ${why}\n`);
  return isMissing ? 127 : 126;
}

/** In `cmd <(other)` the shell has opened the named pipe. Node would not pass it on. */
function withNamed(words: readonly string[], stdio: StdioOptions & unknown[]): StdioOptions {
  for (const fd of namedDescriptors(words)) {
    while (stdio.length <= fd) stdio.push("ignore");
    stdio[fd] = fd;
  }
  return stdio;
}

/** The open descriptors N of /dev/fd/N in the words, except the standard streams. */
export function namedDescriptors(words: readonly string[]): number[] {
  const named = words.join("\0").matchAll(/\/(?:dev|proc\/self)\/fd\/(\d{1,4})\b/g);
  return [...new Set(Array.from(named, ([, fd]) => Number(fd)))].filter((fd) => {
    try {
      return fd > 2 && fstatSync(fd) !== undefined;
    } catch {
      return false;
    }
  });
}

/** At exit, Node restores the terminal modes from its start. The command may have changed them on purpose. */
function keepModes(): void {
  for (const fd of [0, 1, 2]) if (isTerminal(fd)) closeSync(fd);
}

function isTerminal(fd: number): boolean {
  try {
    // node:tty is slow to load, so it is not used for pipes and files.
    return fstatSync(fd).isCharacterDevice() && process.getBuiltinModule("node:tty").isatty(fd);
  } catch {
    return false;
  }
}

function pass(child: ChildProcess, to: NodeJS.WriteStream, masker: Masker): void {
  const from = to === process.stdout ? child.stdout : child.stderr;
  // The system had no room for the pipe.
  if (!from) return;
  const write = (bytes: Buffer) => {
    if (bytes.length > 0 && !to.write(bytes)) {
      from.pause();
      to.once("drain", () => from.resume());
    }
  };
  from.on("data", (chunk: Buffer) => write(masker.feed(chunk)));
  from.on("end", () => write(masker.end()));
  // The reader has gone. The command gets an error at its next write.
  to.on("error", () => from.destroy());
}

// Not forwarded: signals of our own crash, SIGCHLD, which is about the command, and SIGPROF: V8's profiler uses it for
// NODE_OPTIONS=--cpu-prof, which is meant for a command of Node.
const OWN = ["SIGKILL", "SIGSTOP", "SIGCHLD", "SIGPROF", "SIGBUS", "SIGFPE", "SIGSEGV", "SIGILL"];
const STOPPING = ["SIGTSTP", "SIGTTIN", "SIGTTOU"];
/** Signals that a terminal sends to all foreground processes, including the command. */
const OF_TERMINAL = ["SIGINT", "SIGQUIT", "SIGWINCH", ...STOPPING];

/** Signals that our own write may cause after the command has ended. The write also fails with an error. */
const OF_A_WRITE = ["SIGPIPE", "SIGXFSZ"];

/** From now on signals are for the command. Terraform would end immediately at a second SIGINT. */
function forwardSignals(): { child: ChildProcess | undefined; isOver: boolean } {
  const to: ReturnType<typeof forwardSignals> = { child: undefined, isOver: false };
  // Some signals have two names. Listening to both would send them twice.
  const names = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]));
  for (const signal of names.values() as Iterable<NodeJS.Signals>) {
    if (OWN.includes(signal)) continue;
    process.removeAllListeners(signal);
    const handle = () => {
      if (to.isOver) return OF_A_WRITE.includes(signal) ? undefined : raise(signal);
      // Once it has ended, the terminal may be closed, and ps can't be started without the standard streams.
      const isRunning = to.child?.exitCode === null && to.child.signalCode === null;
      if (isRunning && isPassedOn(signal)) to.child?.kill(signal);
      if (!STOPPING.includes(signal)) return;
      process.off(signal, handle);
      process.kill(process.pid, signal);
      process.on(signal, handle);
    };
    listen(signal, handle);
  }
  return to;
}

/**
 * On Windows, the console sends Ctrl-C, Ctrl-Break and its own end to the command, too, also where the streams are pipes.
 * There, kill() would end the command before it can clean up.
 */
function isPassedOn(signal: NodeJS.Signals): boolean {
  if (process.platform === "win32") return false;
  return !OF_TERMINAL.includes(signal) || !isFromTerminal();
}

function listen(signal: NodeJS.Signals, handle: () => void): void {
  try {
    process.on(signal, handle);
  } catch {
    // This system does not allow a listener for it.
  }
}

function raise(signal: NodeJS.Signals): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

/** True if we are in the foreground of a terminal: signals such as SIGINT then come from it. */
function isFromTerminal(): boolean {
  return processFacts(process.pid)?.isForeground ?? hasTerminal();
}

/** Whatever the streams are: a terminal signals the commands of a loop with redirected streams, too. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync("/dev/tty", "r"));
    return true;
  } catch {
    // isatty, not process.stdin and so on: those would make the pipes that we share with the command non-blocking.
    return [0, 1, 2].some(process.getBuiltinModule("node:tty").isatty);
  }
}
