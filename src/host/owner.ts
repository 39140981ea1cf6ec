import { readFileSync, readlinkSync, type Stats } from "node:fs";
import { hostname } from "node:os";
import { sha256 } from "../lib/sha256.ts";

/** A process, and where its number means something: who holds a lock, or made a temporary file. */
export interface Owner {
  readonly pid: number;
  /** Host name and, on Linux, pid namespace: 8 hex of their SHA-256. */
  readonly machine: string;
  /** Boot and tick of its start, on Linux; a pid is given out again. */
  readonly started?: string;
}

/** This process. */
export function ourselves(): Owner {
  return ownerOf(process.pid);
}

/** A process that runs. */
export function ownerOf(pid: number): Owner {
  const life = lifeOf(pid);
  return {
    pid,
    machine: thisMachine(),
    ...(life?.started === undefined ? {} : { started: life.started }),
  };
}

/** True for a process that certainly does not run any more. Of another machine nobody can tell. */
export function isDead({ pid, machine, started }: Owner): boolean {
  if (machine !== thisMachine()) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM is somebody else's process.
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return true;
  }
  const life = lifeOf(pid);
  if (life === undefined) return false;
  return life.isOver || (started !== undefined && started !== life.started);
}

const TAG = /^([0-9a-f]{8})-(\d{1,10})-[0-9A-Za-z]{6}$/;

/** A part of a file's name that says who made it, and that no second file has. */
export function newTag(): string {
  // Got when something is written: it takes 2 ms to load.
  const { randomBytes } = process.getBuiltinModule("node:crypto");
  return `${thisMachine()}-${process.pid}-${randomBytes(3).toString("hex")}`;
}

/** @returns undefined for a text that is no tag. */
export function makerOf(tag: string): Owner | undefined {
  const [, machine, pid] = TAG.exec(tag) ?? [];
  return machine === undefined ? undefined : { machine, pid: Number(pid) };
}

/** How long ago a file was written, in ms. What comes from the future was there before the clock was set back. */
export function ageOf({ mtimeMs }: Pick<Stats, "mtimeMs">): number {
  return Math.abs(Date.now() - mtimeMs);
}

let machine: string | undefined;

/** Containers may share a host's name, and each counts its processes from 1. */
function thisMachine(): string {
  machine ??= sha256(`${hostname()}\0${orNothing(() => readlinkSync("/proc/self/ns/pid"))}`);
  return machine.slice(0, 8);
}

/** What Linux knows of a process; nothing elsewhere, nor where it is hidden from us. */
function lifeOf(pid: number): { readonly isOver: boolean; readonly started: string } | undefined {
  const stat = orNothing(() => readFileSync(`/proc/${pid}/stat`, "latin1"));
  if (stat === undefined) return undefined;
  // The name, in parentheses, may hold anything. proc_pid_stat(5): field 3 is the state, 22 the start.
  const [state = "", ...rest] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const boot = orNothing(() => readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim());
  // A zombie, whose parent does not ask for its end, still has its number.
  return { isOver: "ZXx".includes(state), started: `${boot ?? ""} ${rest[18] ?? ""}` };
}

function orNothing<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
