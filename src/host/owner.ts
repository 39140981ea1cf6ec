import { readlinkSync, type Stats } from "node:fs";
import { hostname } from "node:os";
import { sha256 } from "../lib/sha256.ts";
import { processFacts } from "./processes.ts";

/** A process and the machine on which its pid is valid: the holder of a lock, or the maker of a temporary file. */
export interface Owner {
  readonly pid: number;
  /** Host name and, on Linux, pid namespace: 8 hex digits of their SHA-256. */
  readonly machine: string;
  /** When it started, if the system tells, since a pid is reused. */
  readonly started?: string;
  /** When it was noted, in ms since the epoch. */
  readonly since?: number;
}

/** No run holds anything for so long: every wait has an end (docs/design.md rule 8). */
const LONGEST_MS = 60 * 60_000;

/** This process. */
export function ourselves(): Owner {
  return ownerOf(process.pid);
}

/** A running process. */
export function ownerOf(pid: number): Owner {
  const facts = processFacts(pid);
  return {
    pid,
    machine: thisMachine(),
    ...(facts === undefined ? {} : { started: facts.started }),
  };
}

/**
 * True for a process that has certainly ended. If its start is unknown, its pid may belong to another process by now,
 * and then its age decides. For another machine, nobody can tell.
 */
export function isDead({ pid, machine, started, since }: Owner): boolean {
  if (machine !== thisMachine()) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it is another user's process.
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return true;
  }
  const facts = processFacts(pid);
  if (facts?.isOver) return true;
  if (started !== undefined && facts !== undefined) return started !== facts.started;
  return since !== undefined && ageOf({ mtimeMs: since }) > LONGEST_MS;
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
  machine ??= sha256(`${hostname()}\0${pidNamespace()}`);
  return machine.slice(0, 8);
}

function pidNamespace(): string | undefined {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    return undefined;
  }
}
