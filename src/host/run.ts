import { AppError, asAppError } from "../errors/app-error.ts";
import { isExhausted } from "../errors/system-error.ts";
import type { ToolCall, ToolResult } from "./host.ts";

const KEPT_CHARACTERS = 256 * 1024;
/** What a tool has said when it ends is read in far less. */
const LAST_WORDS_MS = 1000;

/**
 * Runs a tool without a terminal and without a shell. The error text of execa, which holds argv,
 * is never used.
 *
 * @throws AppError INTERRUPTED when `interrupted` fires first; the child is ended. SYSTEM where the
 *   machine has no room for another process or file.
 */
export async function run(call: ToolCall, interrupted: AbortSignal): Promise<ToolResult> {
  const { execa } = await import("execa");
  const child = execa(call.file, [...call.args], {
    env: call.env,
    extendEnv: false,
    ...(call.cwd === undefined ? {} : { cwd: call.cwd }),
    ...(call.input === undefined ? { stdin: "ignore" as const } : { input: call.input }),
    ...(call.stderr === "shown" ? { stderr: "inherit" as const } : {}),
    buffer: false,
    reject: false,
    timeout: call.timeoutMs,
    killSignal: "SIGKILL",
    cancelSignal: interrupted,
    windowsHide: true,
  });

  let stopped = false;
  const streams = { stdout: "", stderr: "" };
  const { onStdout } = call;
  const stop = () => {
    stopped = true;
    child.kill("SIGKILL");
  };
  const idle = call.idleMs === undefined ? undefined : setTimeout(stop, call.idleMs);
  if (onStdout !== undefined) {
    child.stdout?.on("data", (chunk: Buffer) => {
      idle?.refresh();
      if (!stopped && onStdout(chunk) === "stop") stop();
    });
  }
  for (const name of onStdout ? (["stderr"] as const) : (["stdout", "stderr"] as const)) {
    child[name]?.setEncoding("utf8").on("data", (chunk: string) => {
      streams[name] = (streams[name] + chunk).slice(-(call.keptCharacters ?? KEPT_CHARACTERS));
      if (name === "stdout" && !stopped && call.stopWhen?.(streams.stdout)) stop();
    });
  }

  // What it left running in the background may keep its streams open for ever.
  let lastWords: NodeJS.Timeout | undefined;
  child.once("exit", () => {
    lastWords = setTimeout(() => {
      child.stdout?.destroy();
      child.stderr?.destroy();
    }, LAST_WORDS_MS);
  });
  const result = await child;
  clearTimeout(lastWords);
  clearTimeout(idle);
  if (interrupted.aborted) throw new AppError("INTERRUPTED", "Interrupted.");
  if (isExhausted(result.cause)) throw asAppError(result.cause);
  return { end: endOf(), exitCode: result.exitCode, ...streams };

  function endOf(): ToolResult["end"] {
    if (stopped) return "stopped";
    if (result.exitCode !== undefined) return "exited";
    if (result.timedOut) return "timed-out";
    return result.signal === undefined ? "not-started" : "signalled";
  }
}
