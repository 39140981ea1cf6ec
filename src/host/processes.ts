import { readFileSync } from "node:fs";

/** What the system knows about a running process. */
export interface ProcessFacts {
  /** It has ended, but its parent has not waited for it. */
  readonly isOver: boolean;
  /** When it started, in the system's own words: another process with its pid has another one. */
  readonly started: string;
  /** It belongs to the foreground of its terminal. */
  readonly isForeground: boolean;
}

/**
 * Reads /proc. A system without it, such as macOS, is asked with ps.
 *
 * @returns undefined if the process is gone or hidden from us, or the system has neither.
 */
export function processFacts(pid: number): ProcessFacts | undefined {
  // /proc may be that of another pid namespace, except for ourselves.
  const stat = orNothing(() => read(`/proc/${pid === process.pid ? "self" : pid}/stat`));
  if (stat !== undefined) return fromProc(stat);
  if (process.platform === "win32" || orNothing(() => read("/proc/self/stat"))) return undefined;
  return fromPs(orNothing(() => askPs(pid)) ?? "");
}

function fromProc(stat: string): ProcessFacts {
  // pid (name) state ppid pgrp session tty_nr tpgid …, the start time as field 22: proc_pid_stat(5). The name may
  // contain anything.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state = "", , group, , terminal, foreground] = fields;
  const boot = orNothing(() => read("/proc/sys/kernel/random/boot_id").trim());
  return {
    isOver: "ZXx".includes(state),
    started: `${boot ?? ""} ${fields[19] ?? ""}`,
    isForeground: terminal !== "0" && group === foreground,
  };
}

/** Parses a line such as "Ss+  Mon Nov 30 22:36:02 2026". */
export function fromPs(line: string): ProcessFacts | undefined {
  const [, state = "", started = ""] = /^\s*(\S+)\s+(\S.*?)\s*$/.exec(line) ?? [];
  if (started === "") return undefined;
  return { isOver: state.startsWith("Z"), started, isForeground: state.includes("+") };
}

/** The system's own ps, whatever PATH says. The same words in every time zone and language. */
function askPs(pid: number): string {
  const { execFileSync } = process.getBuiltinModule("node:child_process");
  return execFileSync("/bin/ps", ["-o", "stat=", "-o", "lstart=", "-p", `${pid}`], {
    env: { LC_ALL: "C", TZ: "UTC0" },
    stdio: ["ignore", "pipe", "ignore"],
    encoding: "utf8",
    timeout: 1000,
  });
}

function read(path: string): string {
  return readFileSync(path, "latin1");
}

function orNothing<T>(ask: () => T): T | undefined {
  try {
    return ask();
  } catch {
    return undefined;
  }
}
