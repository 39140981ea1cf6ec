import { readFileSync, readlinkSync, type Stats } from "node:fs";
import { hostname } from "node:os";
import { sha256 } from "../lib/sha256.ts";

/** A process and the machine on which its pid is valid: the holder of a lock, or the maker of a temporary file. */
export interface Owner {
  readonly pid: number;
  /** Host name and, on Linux, pid namespace: 8 hex digits of their SHA-256. */
  readonly machine: string;
  /** Boot id and start time in ticks, on Linux, since a pid is reused. */
  readonly started?: string;
}

/** This process. */
export function ourselves(): Owner {
  return ownerOf(process.pid);
}

/** A running process. */
export function ownerOf(pid: number): Owner {
  const life = lifeOf(pid);
  return {
    pid,
    machine: thisMachine(),
    ...(life?.started === undefined ? {} : { started: life.started }),
  };
}

/** True for a process that has certainly ended. For another machine, nobody can tell. */
export function isDead({ pid, machine, started }: Owner): boolean {
  if (machine !== thisMachine()) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it is another user's process.
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return true;
  }
  const life = lifeOf(pid);
  if (life === undefined) return false;
  return life.isOver || (started !== undefined && started !== life.started);
}

const TAG = /^([0-9a-f]{8})-(\d{1,10})-[0-9A-Za-z]{6}$/;

/** A part of a file name that is unique and says which process made the file. */
export function newTag(): string {
  // Loaded only for a write, since loading takes 2 ms.
  const { randomBytes } = process.getBuiltinModule("node:crypto");
  return `${thisMachine()}-${process.pid}-${randomBytes(3).toString("hex")}`;
}

/** @returns undefined for a text that is not a tag. */
export function makerOf(tag: string): Owner | undefined {
  const [, machine, pid] = TAG.exec(tag) ?? [];
  return machine === undefined ? undefined : { machine, pid: Number(pid) };
}

/** The age of a file in ms. A time in the future means that the clock was set back since. */
export function ageOf({ mtimeMs }: Pick<Stats, "mtimeMs">): number {
  return Math.abs(Date.now() - mtimeMs);
}

let machine: string | undefined;

/** Containers may share a host name, and each counts its processes from 1. */
function thisMachine(): string {
  machine ??= sha256(`${hostname()}\0${orNothing(() => readlinkSync("/proc/self/ns/pid"))}`);
  return machine.slice(0, 8);
}

/** What Linux knows about a process. undefined on other systems, and where the process is hidden from us. */
function lifeOf(pid: number): { readonly isOver: boolean; readonly started: string } | undefined {
  const stat = orNothing(() => readFileSync(`/proc/${pid}/stat`, "latin1"));
  if (stat === undefined) return undefined;
  // The name, in parentheses, may contain anything. proc_pid_stat(5): field 3 is the state, 22 the start time.
  const [state = "", ...rest] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const boot = orNothing(() => readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim());
  // A zombie, whose parent has not waited for it, still has its pid.
  return { isOver: "ZXx".includes(state), started: `${boot ?? ""} ${rest[18] ?? ""}` };
}

function orNothing<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
