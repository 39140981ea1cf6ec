import type { ChildProcess } from "node:child_process";
import { AppError, asAppError } from "../errors/app-error.ts";
import { isExhausted, isSystemError } from "../errors/system-error.ts";
import type { ToolCall, ToolResult } from "./host.ts";
import { ownerOf } from "./owner.ts";
import { end, start } from "./start.ts";

const KEPT_CHARACTERS = 256 * 1024;
/** A tool's last output is read in far less time. */
const LAST_WORDS_MS = 1000;

/** Where a person reads the output of a tool. */
export interface Shown {
  /** 2: a tool writes to it directly, and can see that it is a terminal. */
  readonly fd?: number;
  write(text: string): unknown;
}

/**
 * Runs a tool without a terminal and without a shell. If a tool does not start, the error contains argv, and is never
 * used.
 *
 * @param shown our standard error, for output that a person should see.
 * @throws AppError INTERRUPTED when `interrupted` fires first; the child is ended. SYSTEM where the machine has no room
 *   for another process or file.
 */
export async function run(
  call: ToolCall,
  interrupted: AbortSignal,
  shown: Shown = process.stderr,
): Promise<ToolResult> {
  assertNot(interrupted);
  const { child, code } = await started(call, shown.fd === 2);
  const { isDialogue, isSteady } = call;
  if (child === undefined) return { ...NOT_STARTED, code };
  if (child.pid !== undefined) call.onStart?.(ownerOf(child.pid));

  let stopped: "stopped" | "timed-out" | undefined;
  const stop = (why?: "stopped" | "timed-out") => {
    stopped ??= why;
    end(child);
  };
  const timers = [setTimeout(() => stop("timed-out"), call.timeoutMs)];
  const idle =
    call.idleMs === undefined ? undefined : setTimeout(() => stop("stopped"), call.idleMs);
  const interrupt = () => stop();
  if (!isSteady) {
    interrupted.addEventListener("abort", interrupt);
    if (interrupted.aborted) interrupt();
  }
  const streams = { stdout: "", stderr: "" };
  const { onStdout } = call;
  if (onStdout !== undefined) {
    child.stdout?.on("data", (chunk: Buffer) => {
      idle?.refresh();
      if (stopped === undefined && onStdout(chunk) === "stop") stop("stopped");
    });
  }
  for (const name of onStdout ? (["stderr"] as const) : (["stdout", "stderr"] as const)) {
    child[name]?.setEncoding("utf8").on("data", (chunk: string) => {
      if (isDialogue || (name === "stderr" && call.stderr === "shown")) {
        shown.write(chunk);
        return;
      }
      streams[name] = (streams[name] + chunk).slice(-(call.keptCharacters ?? KEPT_CHARACTERS));
      if (name === "stdout" && stopped === undefined && call.stopWhen?.(streams.stdout)) {
        stop("stopped");
      }
    });
  }
  // The tool may not read its input.
  child.stdin?.on("error", () => undefined).end(call.input);
  // A background process that it started may keep the streams open forever.
  child.once("exit", () => {
    const destroy = () => {
      child.stdout?.destroy();
      child.stderr?.destroy();
    };
    timers.push(setTimeout(destroy, LAST_WORDS_MS));
  });
  const [exitCode, signal] = await new Promise<[number | null, string | null]>((resolve) =>
    child.once("close", (...ending) => resolve(ending)),
  );
  for (const timer of [...timers, idle]) clearTimeout(timer);
  interrupted.removeEventListener("abort", interrupt);
  // Ctrl-C ends both the tool and this process. The tool's end may be noticed first.
  if (!isSteady && signal === "SIGINT") throw interruption();
  if (!isSteady) assertNot(interrupted);
  const ending = stopped ?? (exitCode === null ? "signalled" : "exited");
  return { end: ending, exitCode: exitCode ?? undefined, ...streams };
}

const NOT_STARTED: ToolResult = {
  ...{ end: "not-started", exitCode: undefined },
  ...{ stdout: "", stderr: "" },
};

/** @returns the system's code instead for a file that cannot be started. */
async function started(
  call: ToolCall,
  isInherited: boolean,
): Promise<{ readonly child?: ChildProcess; readonly code?: string }> {
  const { file, args, env, cwd, input, stderr, isDialogue = false, isSteady = false } = call;
  try {
    const child = start(file, args, {
      ...{ env, windowsHide: true },
      ...(cwd === undefined ? {} : { cwd }),
      // A terminal sends its signals to the whole process group.
      detached: isSteady,
      stdio: [
        isDialogue && isInherited ? "inherit" : input === undefined ? "ignore" : "pipe",
        isDialogue && isInherited ? 2 : "pipe",
        (isDialogue || stderr === "shown") && isInherited ? "inherit" : "pipe",
      ],
    });
    await new Promise((resolve, reject) => child.once("spawn", resolve).once("error", reject));
    // Killing a process that has already ended fails.
    child.on("error", () => undefined);
    return { child };
  } catch (error) {
    if (isExhausted(error)) throw asAppError(error);
    return isSystemError(error) ? { code: error.code } : {};
  }
}

function assertNot(interrupted: AbortSignal): void {
  if (interrupted.aborted) throw interruption();
}

function interruption(): AppError {
  return new AppError("INTERRUPTED", "Interrupted.");
}
