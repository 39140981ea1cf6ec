import { on } from "node:events";
import { fstatSync, realpathSync, statSync } from "node:fs";
import { Readable } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";
import { AppError } from "../errors/app-error.ts";
import { EXIT } from "../errors/exit-status.ts";
import { hint } from "../errors/hint.ts";
import { wrap } from "../lib/wrap.ts";
import { safe, safeLines } from "../secret/safe.ts";
import { filesOf } from "./files.ts";
import type { Clock, Environment, Host, InputKind, ShowTyping, Terminal } from "./host.ts";
import { send } from "./http.ts";
import { keep } from "./keep.ts";
import { isDead, ourselves } from "./owner.ts";
import { ownCommand, ownFile } from "./package.ts";
import { homeOf, workingDirectory } from "./places.ts";
import { recall, repoAround } from "./record.ts";
import { run, type Shown } from "./run.ts";
import { stateOf } from "./state.ts";
import { which } from "./which.ts";

/** Everything that a run uses of its process. */
export interface Surface {
  readonly env: Environment;
  readonly platform: NodeJS.Platform;
  /** Absolute path of the working directory. @throws AppError USAGE where it was removed. */
  readonly cwd: () => string;
  readonly stdin: Readable & { readonly isTTY?: boolean; readonly fd?: number };
  readonly stdout: Output;
  readonly stderr: Output;
  readonly interrupted: AbortSignal;
  /** The machine's, if not given. */
  readonly clock?: Clock;
  /** Questions to a person are without colours. */
  readonly isPlain?: boolean;
  /** Called before a tool that may ask on the terminal. */
  readonly showTyping?: ShowTyping | undefined;
}

export interface Output extends Shown {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** This process. Installs the signal handlers: the first signal aborts the run, a second one ends the process. */
export function ownProcess(): Surface {
  // With a umask that excludes the owner, we could not use the folders that we create.
  process.umask(process.umask(0o077) & ~0o700);
  const { env, platform, stdin, stdout, stderr } = process;
  return {
    ...{ env, platform, stdin, stdout, stderr },
    cwd: currentFolder,
    interrupted: interruption(),
  };
}

/** What a caller of the library sets instead of the process's own values. */
export interface Given {
  readonly cwd: string | undefined;
  readonly env: Environment | undefined;
  readonly signal: AbortSignal | undefined;
  /** Gets what a tool writes for a person to see. */
  readonly toolSays: ((text: string) => void) | undefined;
}

/**
 * Uses the process's values for everything that the caller does not set. Nothing is read from standard input, and
 * nothing is printed.
 */
export function givenSurface({ cwd, env, signal, toolSays }: Given): Surface {
  return {
    env: env ?? process.env,
    platform: process.platform,
    cwd: () => (cwd === undefined ? currentFolder() : realFolder(cwd)),
    stdin: Readable.from([]),
    stdout: { write: () => undefined },
    stderr: { write: (text) => toolSays?.(text) },
    interrupted: signal ?? new AbortController().signal,
  };
}

/** Resolves links, since the current folder contains none either. @throws AppError USAGE where it is not a folder. */
function realFolder(path: string): string {
  try {
    const folder = realpathSync.native(path);
    if (statSync(folder).isDirectory()) return folder;
  } catch {}
  throw new AppError("USAGE", `cwd: ${path} is not a folder.`, {
    hint: hint`Use an existing folder.`,
  });
}

/**
 * The real machine.
 *
 * @param packageFolder absolute path of this package.
 * @throws AppError USAGE without a working directory.
 */
export function nodeHost(packageFolder: string, surface: Surface): Host {
  const { env, platform, interrupted, stdin, stderr, isPlain = false } = surface;
  const cwd = surface.cwd();
  let npmFiles: Host["npmFiles"] | undefined;
  let input: string | undefined;
  return {
    env,
    platform,
    packageFolder,
    ownCommand: ownCommand(packageFolder),
    // A dozen small files. Reading them synchronously takes a tenth of the time.
    template: (name) => ownFile(packageFolder, `templates/${name}`).toString("utf8"),
    clock: surface.clock ?? clockUntil(interrupted),
    steadyClock: { now: () => performance.now(), sleep: (ms) => wait(ms) },
    interrupted,
    cwd,
    home: homeOf(env, platform),
    files: filesOf(repoAround(cwd), interrupted),
    state: stateOf({ env, platform }),
    records: {
      recall: (path, kind = "config") => recall({ env, platform }, { kind, path }),
      keep: (path, value, since, { kind, inputs } = { kind: "config", inputs: [path] }) =>
        keep({ env, platform }, { kind, path }, value, { inputs, since }),
    },
    http: (request) => send(request, { env, interrupted }),
    run: (call) => {
      if (call.isDialogue || call.stderr === "shown") surface.showTyping?.();
      return run({ cwd, ...call }, interrupted, stderr);
    },
    thisProcess: ourselves,
    isOver: isDead,
    which: async (name, notIn) => which(name, notIn, { env, platform }),
    locked: async (path, lockWait, action) =>
      (await import("./lock.ts")).locked(path, lockWait, action),
    npmFiles: async (folder) => {
      const { npmFilesIn } = await import("./npm-files.ts");
      npmFiles ??= npmFilesIn(packageFolder, interrupted);
      return npmFiles(folder);
    },
    readInput(of) {
      // The file descriptor may be closed after everything was read.
      input = fileIdOf(stdin.fd);
      return readInput(stdin, of);
    },
    inputFile() {
      const id = input;
      return id === undefined ? undefined : (path) => fileIdOf(path) === id;
    },
    openPage: async (address, notIn) =>
      (await import("./open-page.ts")).openPage(address, notIn, { env, platform }),
    terminal:
      stdin.isTTY && stderr.isTTY ? once(() => nodeTerminal(interrupted, isPlain)) : undefined,
  };
}

function clockUntil(interrupted: AbortSignal): Clock {
  return {
    now: () => Date.now(),
    sleep: (ms) =>
      wait(ms, undefined, { signal: interrupted }).catch(() => {
        throw new AppError("INTERRUPTED", "Interrupted.");
      }),
  };
}

/** @throws AppError USAGE where it was removed. */
function currentFolder(): string {
  try {
    return workingDirectory();
  } catch (cause) {
    throw new AppError("USAGE", "The current folder no longer exists.", {
      hint: hint`Change to an existing folder, such as the repo.`,
      cause,
    });
  }
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

function interruption(): AbortSignal {
  const controller = new AbortController();
  // Beyond the shell's limit on file sizes, a write should fail instead of ending this process.
  process.on("SIGXFSZ", () => undefined);
  // On Windows, SIGBREAK is Ctrl-Break, and SIGHUP a closed window.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"] as const) {
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(EXIT.interrupted);
      controller.abort();
    });
  }
  return controller.signal;
}

async function nodeTerminal(interrupted: AbortSignal, isPlain: boolean): Promise<Terminal> {
  const prompts = await import("@clack/prompts");
  const { confirm, isCancel, log, multiselect, note, password, select, selectKey } = prompts;
  // Questions go to stderr.
  const output = isPlain ? withoutColour(process.stderr) : process.stderr;
  // A terminal of unknown width has 0 columns, which would print one letter per line.
  if (!output.columns) Object.assign(output, { columns: 80, rows: 24 });
  /** Waits for an answer, Ctrl-C, Ctrl-D, a signal, or the end of the terminal. */
  const answered = async <T>(ask: (signal: AbortSignal) => Promise<T>) => {
    const { stdin } = process;
    const gone = new AbortController();
    const close = () => gone.abort();
    const notice = (typed: Buffer | string) => {
      if (typed.includes(CTRL_D)) close();
    };
    stdin.on("data", notice).on("end", close);
    try {
      const answer = await ask(AbortSignal.any([interrupted, gone.signal]));
      if (isCancel(answer)) throw new AppError("INTERRUPTED", "Interrupted. Nothing was changed.");
      return answer as Exclude<T, symbol>;
    } finally {
      stdin.off("data", notice).off("end", close);
    }
  };
  return {
    note: (title, text) => note(safeLines(text), safe(title), { output }),
    line: (text) => log.message(safeLines(text), { output }),
    complain: (text) => log.error(wrap(safe(text), output.columns - 4).join("\n"), { output }),
    secret: async (message) => {
      // A token that was pasted early need not be pasted again.
      const typed = await takeTypedAhead();
      if (typed !== "") process.stdin.unshift(Buffer.from(typed.replaceAll("\n", "\r")));
      return answered((signal) => password({ message: safe(message), output, signal }));
    },
    enter: async (text) => {
      await takeTypedAhead();
      // Before the text is seen: in the terminal's own mode Ctrl-D would end the input.
      process.stdin.setRawMode(true).resume();
      try {
        await answered((signal) => {
          const entered = enterTyped(signal);
          output.write(wrap(safe(text), output.columns).join("\n"));
          return entered;
        });
      } catch {
        throw new AppError("INTERRUPTED", "Interrupted. Nothing was changed.");
      } finally {
        process.stdin.pause().setRawMode(false);
      }
      output.write("\n");
    },
    chooseSome: async (question, options) => {
      await takeTypedAhead();
      const message = safeLines(question);
      const shown = options.map((value) => ({ value, label: safe(value) }));
      const ask = { message, options: shown, initialValues: [...options], required: true, output };
      return answered((signal) => multiselect({ ...ask, signal }));
    },
    confirm: async (question, isYesFirst = true) => {
      await takeTypedAhead();
      const ask = { message: safeLines(question), initialValue: isYesFirst, output };
      return answered((signal) => confirm({ ...ask, signal }));
    },
    press: async (question, answers) => {
      await takeTypedAhead();
      const keys = Object.entries(answers);
      const options = keys.map(([value, label]) => ({ value, label: safe(label) }));
      const [[first] = [""]] = keys;
      const ask = { message: safeLines(question), options, initialValue: first, output };
      // Enter alone submits no value.
      return (await answered((signal) => selectKey({ ...ask, signal }))) ?? first;
    },
    choose: async (question, answers) => {
      await takeTypedAhead();
      const message = safeLines(question);
      const options = answers.map((answer, value) => ({ value, label: safe(answer) }));
      return answered((signal) => select({ message, options, output, signal }));
    },
  };
}

/** The prompt library does not ask whether colours are wanted. */
function withoutColour(stream: NodeJS.WriteStream): NodeJS.WriteStream {
  const write = (text: string) => stream.write(text.replace(/\x1b\[[\d;]*m/g, ""));
  return Object.create(stream, { write: { value: write } });
}

const CTRL_C = "\x03";
const CTRL_D = "\x04";

/** @throws Error on Ctrl-C, and when the signal aborts. */
async function enterTyped(signal: AbortSignal): Promise<void> {
  for await (const [typed] of on(process.stdin, "data", { signal })) {
    if (typed.includes(CTRL_C)) throw new Error("Ctrl-C");
    if (/[\r\n]/.test(typed.toString())) return;
  }
}

/**
 * What was typed before a question appeared. It only answers the question for a token: a newline at the end of a paste
 * must not answer the next question.
 */
async function takeTypedAhead(): Promise<string> {
  const { stdin } = process;
  const chunks: Buffer[] = [];
  const take = (chunk: Buffer) => void chunks.push(chunk);
  stdin.setRawMode(true).on("data", take).resume();
  await wait(50);
  stdin.off("data", take).pause().setRawMode(false);
  const typed = Buffer.concat(chunks).toString("utf8");
  if (typed.includes(CTRL_C))
    throw new AppError("INTERRUPTED", "Interrupted. Nothing was changed.");
  return typed;
}

/** Identifies a regular file on this machine. Links are followed. */
function fileIdOf(file: number | string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    const exact = { bigint: true } as const;
    const stats = typeof file === "number" ? fstatSync(file, exact) : statSync(file, exact);
    return stats.isFile() ? `${stats.dev}:${stats.ino}` : undefined;
  } catch {
    return undefined;
  }
}

async function readInput(
  stdin: Surface["stdin"],
  { what, asked, example, maxBytes, waitMs }: InputKind,
): Promise<string> {
  if (stdin.isTTY) {
    throw new AppError("USAGE", `${asked} needs piped input, but standard input is a terminal.`, {
      hint: hint`For example: ${example}`,
    });
  }
  const chunks: Buffer[] = [];
  let size = 0;
  const timer = setTimeout(() => stdin.destroy(), waitMs);
  try {
    for await (const chunk of stdin as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > maxBytes) {
        throw new AppError("USAGE", `Standard input holds more than ${what}.`, {
          hint: hint`For example: ${example}`,
        });
      }
    }
  } finally {
    clearTimeout(timer);
  }
  return Buffer.concat(chunks).toString("utf8");
}
