import { spawnSync } from "node:child_process";
import type { ShowTyping } from "./host.ts";

/**
 * Turns the terminal's echo off: a token that a person pastes before the question is there would stay in the
 * scrollback. What was typed waits in the terminal, and Ctrl-C is a signal as before. Node puts the terminal
 * back when the process ends, but not after SIGQUIT, which is therefore handled.
 *
 * Nothing is done where it cannot be known that we are in the foreground: a program of the background that
 * changes the terminal is stopped. Windows shows what is typed when it is read, and has nothing to hide before.
 *
 * @returns puts the terminal back; undefined: nothing was done.
 */
export function hideTyping(): ShowTyping | undefined {
  if (process.platform === "win32") return undefined;
  const { status, stdout } = onTerminal([
    'case "$(ps -o stat= -p $$)" in *+*) stty -g && stty -echo ;; esac',
  ]);
  const saved = stdout.trim();
  if (status !== 0 || !/^[\w:=-]+$/.test(saved)) return undefined;
  process.once("SIGQUIT", () => process.exit(SIGQUIT_STATUS));
  let isHidden = true;
  return () => {
    if (isHidden) onTerminal(['stty "$0"', saved]);
    isHidden = false;
  };
}

/** As a shell says it. */
const SIGQUIT_STATUS = 128 + 3;

/** The system's own tools, wherever PATH leads; without an answer in a second it is as if they were not there. */
function onTerminal(words: readonly string[]) {
  return spawnSync("/bin/sh", ["-c", ...words], {
    env: { PATH: "/usr/bin:/bin" },
    stdio: ["inherit", "pipe", "ignore"],
    encoding: "utf8",
    timeout: 1000,
  });
}
