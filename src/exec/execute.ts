import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync, writeSync } from "node:fs";
import { constants } from "node:os";
import { printable } from "../errors.ts";
import { type Masker, maskerOf } from "./mask.ts";

export interface Execution {
  readonly words: readonly string[];
  /** The whole environment of the command. */
  readonly env: NodeJS.ProcessEnv;
  /** Values to mask in its output; undefined: its output is none of our business. */
  readonly secrets: readonly string[] | undefined;
}

/**
 * Runs a command as if it had been started in our place: its streams, its terminal and its signals
 * are its own.
 *
 * @returns its exit status; 128 + n where signal n ended it, 127 where there is no such command, 126
 *   where it cannot be started.
 */
export async function execute({ words, env, secrets }: Execution): Promise<number> {
  const [file = "", ...args] = words;
  const isMasked = ({ isTTY }: NodeJS.WriteStream) => !isTTY || Boolean(env["CI"]);
  // Without need the streams are not touched: they would make a shared pipe non-blocking.
  const masked = secrets === undefined ? [] : [process.stdout, process.stderr].filter(isMasked);
  const [out, err] = [1, 2].map((fd) => (masked.some((each) => each.fd === fd) ? "pipe" : fd));
  const spawnIt = process.platform === "win32" ? (await import("cross-spawn")).default : spawn;

  const signals = forwardSignals();
  const child = spawnIt(file, args, {
    env,
    stdio: ["inherit", out, err],
  });
  signals.child = child;
  for (const stream of masked) pass(child, stream, maskerOf(secrets ?? []));
  return new Promise((resolve) => {
    child.once("error", (error: NodeJS.ErrnoException) => {
      const isMissing = error.code === "ENOENT";
      const why = isMissing ? "there is no such command" : `it cannot be started (${error.code})`;
      writeSync(2, `do-bootstrap: ${printable(file)}: ${why}\n`);
      resolve(isMissing ? 127 : 126);
    });
    child.once(masked.length > 0 ? "close" : "exit", (status, signal) => {
      if (signal === null) return resolve(status ?? 1);
      // To a shell a program that only returns 130 has dealt with Ctrl-C itself: its loop goes on.
      if (signal === "SIGINT" && isFromTerminal()) raise(signal);
      resolve(128 + constants.signals[signal as NodeJS.Signals]);
    });
  });
}

function pass(child: ChildProcess, to: NodeJS.WriteStream, masker: Masker): void {
  const from = to === process.stdout ? child.stdout : child.stderr;
  if (from === null) return;
  const write = (bytes: Buffer) => {
    if (bytes.length > 0 && !to.write(bytes)) {
      from.pause();
      to.once("drain", () => from.resume());
    }
  };
  from.on("data", (chunk: Buffer) => write(masker.feed(chunk)));
  from.on("end", () => write(masker.end()));
  // As if the command had written to the closed pipe itself.
  to.on("error", () => from.destroy());
}

// A crash of our own is no message for the command; SIGCHLD is about it.
const OWN = ["SIGKILL", "SIGSTOP", "SIGCHLD", "SIGBUS", "SIGFPE", "SIGSEGV", "SIGILL"];
const STOPPING = ["SIGTSTP", "SIGTTIN", "SIGTTOU"];
/** What a terminal sends to everybody in its foreground, the command included. */
const OF_TERMINAL = ["SIGINT", "SIGQUIT", "SIGWINCH", ...STOPPING];

/** From now on signals are the command's. A second SIGINT would make Terraform die at once. */
function forwardSignals(): { child: ChildProcess | undefined } {
  const to: { child: ChildProcess | undefined } = { child: undefined };
  for (const signal of Object.keys(constants.signals) as NodeJS.Signals[]) {
    if (OWN.includes(signal)) continue;
    process.removeAllListeners(signal);
    const handle = () => {
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
