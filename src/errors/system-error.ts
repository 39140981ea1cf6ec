import { getSystemErrorMap } from "node:util";
import { type Hint, hint, run } from "./hint.ts";

/** A failure of the system's, as Node throws it: `path` is the file, or the program that was to start. */
export interface SystemError extends Error {
  readonly code: string;
  readonly syscall: string;
  readonly path?: string;
}

export function isSystemError(error: unknown): error is SystemError {
  if (!(error instanceof Error)) return false;
  const { code, syscall } = error as Partial<SystemError>;
  return typeof code === "string" && nameOf(code) !== undefined && typeof syscall === "string";
}

/**
 * What happened, in words: the file and the reason. Never what the program was started with, which
 * Node keeps in the error, too.
 */
export function systemMessage({ code, syscall, path = "A file" }: SystemError): string {
  const verb = VERBS[syscall.split(" ")[0] ?? ""] ?? "used";
  return `${path} could not be ${verb}: ${reasonOf(code)}.`;
}

/** Such as "the disk is full (ENOSPC)". */
export function reasonOf(code: string): string {
  const name = nameOf(code) ?? code;
  const [reason = descriptionOf(name) ?? "the system refuses it"] = reasons()[name] ?? [];
  return `${reason} (${name})`;
}

export function systemHint(code: string): Hint {
  return reasons()[nameOf(code) ?? ""]?.[1] ?? hint`Look at the system's log, ${AGAIN}`;
}

/** For some of them, such as a full quota, Node has a number alone. */
function nameOf(code: string): string | undefined {
  if (Object.hasOwn(reasons(), code) || descriptionOf(code) !== undefined) return code;
  const [, number] = /^Unknown system error -(\d+)$/.exec(code) ?? [];
  return number === undefined ? undefined : (UNNAMED[number] ?? `error ${number}`);
}

/** By errno(3) of Linux, then of macOS. */
const UNNAMED: Readonly<Record<string, string>> = {
  ...{ 8: "ENOEXEC", 116: "ESTALE", 122: "EDQUOT" },
  ...{ 69: "EDQUOT", 70: "ESTALE" },
};

/** In Node's words. */
function descriptionOf(name: string): string | undefined {
  return [...getSystemErrorMap().values()].find(([each]) => each === name)?.[1];
}

/** True where the next call would fail as well: what cannot be looked at now may be there all the same. */
export function isExhausted(error: unknown): boolean {
  return EXHAUSTED.includes((error as Partial<SystemError>)?.code ?? "");
}

const EXHAUSTED: readonly string[] = ["EMFILE", "ENFILE", "ENOMEM", "EAGAIN"];

const VERBS: Readonly<Record<string, string>> = {
  spawn: "started",
  open: "opened",
  read: "read",
  scandir: "read",
  write: "written",
  fsync: "written",
  ftruncate: "written",
  mkdir: "created",
  mkdtemp: "created",
  symlink: "created",
  rename: "replaced",
  unlink: "removed",
  rm: "removed",
  rmdir: "removed",
};

const files = run("ulimit", "-n", "4096");
const processes = run("ulimit", "-u");
const AGAIN = "then run the same command again.";

/** By errno(3). */
const reasons = (): Readonly<Record<string, readonly [reason: string, fix: Hint]>> => ({
  EMFILE: ["this process may not open more files", hint`Allow more: ${files}; ${AGAIN}`],
  ENFILE: ["too many files are open on this machine", hint`Close other programs, ${AGAIN}`],
  EAGAIN: [
    "there is no room for another process",
    hint`Close other programs, or raise the limit that ${processes} shows, ${AGAIN}`,
  ],
  ENOMEM: ["there is no memory left", hint`Close other programs, ${AGAIN}`],
  ENOSPC: ["the disk is full", hint`Make room on the disk, ${AGAIN}`],
  EDQUOT: ["your share of the disk is full", hint`Make room on the disk, ${AGAIN}`],
  EFBIG: ["the file is larger than the limit", hint`Raise the limit of the shell, ${AGAIN}`],
  EROFS: ["the disk is read-only", hint`Make it writable, or work in another folder.`],
  ESTALE: ["its server does not know it any more", hint`Mount the disk again, ${AGAIN}`],
  EIO: ["the disk or the terminal failed", hint`Look at the system's log, ${AGAIN}`],
  EACCES: ["the permission is missing", hint`Fix the permissions, ${AGAIN}`],
  EPERM: ["the system does not permit it", hint`Fix the permissions or the owner, ${AGAIN}`],
  EISDIR: ["it is a folder", hint`Name a file.`],
  ENOENT: ["it is not there", hint`If something removed it meanwhile: run the same command again.`],
  ENOTDIR: ["a part of its path is not a folder", hint`Fix the path, ${AGAIN}`],
  ELOOP: ["its links lead in a circle", hint`Remove the links, ${AGAIN}`],
  ENAMETOOLONG: ["its path is too long", hint`Use a shorter path.`],
  E2BIG: [
    "the environment and the arguments are too large",
    hint`Take large variables out of the environment, ${AGAIN}`,
  ],
  ETXTBSY: ["something writes to it at this moment", hint`Wait for that to end, ${AGAIN}`],
  ENOEXEC: ["it is not a program of this machine", hint`Install it anew, ${AGAIN}`],
});
