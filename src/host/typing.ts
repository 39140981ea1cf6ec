import { spawnSync } from "node:child_process";
import type { ShowTyping } from "./host.ts";
import { processFacts } from "./processes.ts";

/**
 * Turns the terminal's echo off. Otherwise a token that a person pastes before the question appears would stay in the
 * scrollback. Typed text waits in the terminal, and Ctrl-C remains a signal. Node restores the terminal when the
 * process ends, but not after SIGQUIT, so that is handled here.
 *
 * Does nothing unless we are certainly in the foreground: a background process that changes the terminal is stopped.
 * Windows echoes text only when it is read, so there is nothing to hide before.
 *
 * @returns restores the terminal; undefined: nothing was changed.
 */
export function hideTyping(): ShowTyping | undefined {
  if (process.platform === "win32") return undefined;
  if (!processFacts(process.pid)?.isForeground) return undefined;
  const { status, stdout } = onTerminal(["stty -g && stty -echo"]);
  const saved = stdout.trim();
  if (status !== 0 || !/^[\w:=-]+$/.test(saved)) return undefined;
  process.once("SIGQUIT", () => process.exit(SIGQUIT_STATUS));
  let isHidden = true;
  return () => {
    if (isHidden) onTerminal(['stty "$0"', saved]);
    isHidden = false;
  };
}

/** The status that a shell reports. */
const SIGQUIT_STATUS = 128 + 3;

/** Uses the system's own tools, whatever PATH says. No answer within a second counts as a failure. */
function onTerminal(words: readonly string[]) {
  return spawnSync("/bin/sh", ["-c", ...words], {
    env: { PATH: "/usr/bin:/bin" },
    stdio: ["inherit", "pipe", "ignore"],
    encoding: "utf8",
    timeout: 1000,
  });
}
