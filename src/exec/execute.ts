import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { closeSync, fstatSync, readFileSync, writeSync } from "node:fs";
import { constants } from "node:os";
import { isExhausted, reasonOf } from "../errors/system-error.ts";
import { isCi } from "../lib/is-ci.ts";
import { type Masker, maskerOf } from "../secret/mask.ts";
import { safe } from "../secret/safe.ts";

export { replaceProcess } from "./replace-process.ts";

export interface Execution {
  readonly words: readonly string[];
  /** The whole environment of the command. */
  readonly env: NodeJS.ProcessEnv;
  /** Said on standard error before it starts; "": nothing. */
  readonly notice: string;
  /** Values to mask in its output; undefined: its output is none of our business. */
  readonly secrets: readonly string[] | undefined;
  /** Told the end of what a command that failed wrote to standard error, which is then a pipe. */
  readonly afterFailure?: (stderr: string) => Promise<void>;
}

/**
 * Runs a command as if it had been started in our place: its streams, its terminal and its signals
 * are its own.
 *
 * @returns its exit status; 128 + n where signal n ended it, 127 where there is no such command, 126
 *   where it cannot be started.
 */
export async function execute(execution: Execution): Promise<number> {
  const { words, env, secrets, afterFailure } = execution;
  const [file = "", ...args] = words;
  const isMasked = ({ isTTY }: NodeJS.WriteStream) => !isTTY || isCi(env);
  // Without need the streams are not touched: they would make a shared pipe non-blocking.
  const masked = secrets === undefined ? [] : [process.stdout, process.stderr].filter(isMasked);
  const piped = new Set(afterFailure === undefined ? masked : [...masked, process.stderr]);
  const [out, err] = [process.stdout, process.stderr].map((each) =>
    piped.has(each) ? "pipe" : each.fd,
  );
  const spawnIt = process.platform === "win32" ? (await import("cross-spawn")).default : spawn;

  const signals = forwardSignals();
  let child: ChildProcess;
  try {
    child = spawnIt(file, args, { env, stdio: withNamed(words, ["inherit", out, err]) });
  } catch (error) {
    // Node throws what it has no event for: ENOTDIR, ELOOP, E2BIG, an empty name.
    return notStarted(execution, error as NodeJS.ErrnoException);
  }
  signals.child = child;
  for (const stream of piped) {
    pass(child, stream, maskerOfAll(masked.includes(stream) ? secrets : undefined));
  }
  // What is said about it later holds no more than what is shown.
  const heard = afterFailure && endOf(child.stderr, maskerOfAll(secrets));
  return new Promise((resolve) => {
    child.once("error", (error: NodeJS.ErrnoException) => resolve(notStarted(execution, error)));
    child.once(piped.size > 0 ? "close" : "exit", async (status, signal) => {
      if (status !== 0 && heard !== undefined) {
        // From now on a signal is meant for us; one of the command's own may still be on its way.
        await new Promise(setImmediate);
        signals.isOver = true;
        await afterFailure?.(heard());
      }
      keepModes();
      if (signal === null) return resolve(status ?? 1);
      // To a shell a program that only returns 130 has dealt with Ctrl-C itself: its loop goes on.
      if (signal === "SIGINT" && isFromTerminal()) raise(signal);
      resolve(128 + constants.signals[signal as NodeJS.Signals]);
    });
  });
}

const HEARD_BYTES = 256 * 1024;

/** @returns what gives the end of a stream so far; once. */
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

function notStarted({ words, secrets }: Execution, error: NodeJS.ErrnoException): number {
  const [file = ""] = words;
  const { code = "" } = error;
  const isMissing = code === "ENOENT" || file === "";
  const reason = isExhausted(error) ? `: ${reasonOf(code)}` : ` (${code})`;
  const why = isMissing ? "command not found" : `it cannot be started${reason}`;
  const masker = maskerOfAll(secrets);
  const shown = Buffer.concat([masker.feed(Buffer.from(file)), masker.end()]).toString("utf8");
  writeSync(2, `do-bootstrap: ${safe(shown) || "''"}: ${why}\n`);
  return isMissing ? 127 : 126;
}

/** `cmd <(other)` names a pipe that the shell has opened, which Node would keep to itself. */
function withNamed(words: readonly string[], stdio: StdioOptions & unknown[]): StdioOptions {
  for (const fd of namedDescriptors(words)) {
    while (stdio.length <= fd) stdio.push("ignore");
    stdio[fd] = fd;
  }
  return stdio;
}

/** Those of /dev/fd/N in the words that are open, but for the standard streams. */
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

/** At its end Node gives a terminal the modes back that it had before: the command may have set others. */
function keepModes(): void {
  for (const fd of [0, 1, 2]) if (isTerminal(fd)) closeSync(fd);
}

function isTerminal(fd: number): boolean {
  try {
    // node:tty, which takes a while to load, is not asked about pipes and files.
    return fstatSync(fd).isCharacterDevice() && process.getBuiltinModule("node:tty").isatty(fd);
  } catch {
    return false;
  }
}

function pass(child: ChildProcess, to: NodeJS.WriteStream, masker: Masker): void {
  const from = to === process.stdout ? child.stdout : child.stderr;
  // Without room for the pipe there is none.
  if (!from) return;
  const write = (bytes: Buffer) => {
    if (bytes.length > 0 && !to.write(bytes)) {
      from.pause();
      to.once("drain", () => from.resume());
    }
  };
  from.on("data", (chunk: Buffer) => write(masker.feed(chunk)));
  from.on("end", () => write(masker.end()));
  // Whoever reads has gone: the command is told at its next write.
  to.on("error", () => from.destroy());
}

// A crash of our own is no message for the command; SIGCHLD is about it.
const OWN = ["SIGKILL", "SIGSTOP", "SIGCHLD", "SIGBUS", "SIGFPE", "SIGSEGV", "SIGILL"];
const STOPPING = ["SIGTSTP", "SIGTTIN", "SIGTTOU"];
/** What a terminal sends to everybody in its foreground, the command included. */
const OF_TERMINAL = ["SIGINT", "SIGQUIT", "SIGWINCH", ...STOPPING];

/** What a write of our own may bring, after the command: it fails with an error, too. */
const OF_A_WRITE = ["SIGPIPE", "SIGXFSZ"];

/** From now on signals are the command's. A second SIGINT would make Terraform die at once. */
function forwardSignals(): { child: ChildProcess | undefined; isOver: boolean } {
  const to: ReturnType<typeof forwardSignals> = { child: undefined, isOver: false };
  // Some have two names; listened to under both, they would be sent twice.
  const names = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]));
  for (const signal of names.values() as Iterable<NodeJS.Signals>) {
    if (OWN.includes(signal)) continue;
    process.removeAllListeners(signal);
    const handle = () => {
      if (to.isOver) return OF_A_WRITE.includes(signal) ? undefined : raise(signal);
      if (!OF_TERMINAL.includes(signal) || !isFromTerminal()) to.child?.kill(signal);
      if (!STOPPING.includes(signal)) return;
      process.off(signal, handle);
      process.kill(process.pid, signal);
      process.on(signal, handle);
    };
    listen(signal, handle);
  }
  return to;
}

function listen(signal: NodeJS.Signals, handle: () => void): void {
  try {
    process.on(signal, handle);
  } catch {
    // Not one that this system lets us hear.
  }
}

function raise(signal: NodeJS.Signals): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

/** True where we are in the foreground of a terminal: its signals then come from it. */
function isFromTerminal(): boolean {
  try {
    // pid (name) state ppid pgrp session tty tpgid: proc(5). The name may hold anything.
    const [, , group, , terminal, foreground] = readFileSync("/proc/self/stat", "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return terminal !== "0" && group === foreground;
  } catch {
    // Not by the streams, which would make the pipes that we share with the command non-blocking.
    return [0, 1, 2].some(process.getBuiltinModule("node:tty").isatty);
  }
}
