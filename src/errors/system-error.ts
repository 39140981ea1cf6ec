import { getSystemErrorMap } from "node:util";
import { type Hint, hint, run } from "./hint.ts";

/** A system error, as Node throws it. `path` is the file, or the program that should have been started. */
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
 * What happened, in words: the file and the reason. Never the program's arguments, which Node also keeps in the error.
 */
export function systemMessage({ code, syscall, path = "A file" }: SystemError): string {
  const verb = VERBS[syscall.split(" ")[0] ?? ""] ?? "used";
  return `${path} could not be ${verb}: ${reasonOf(code)}.`;
}

/** Such as "the disk is full (ENOSPC)". */
export function reasonOf(code: string): string {
  const name = nameOf(code) ?? code;
  const [reason = descriptionOf(name) ?? "the system reported an error"] = reasons()[name] ?? [];
  return `${reason} (${name})`;
}

export function systemHint(code: string): Hint {
  return reasons()[nameOf(code) ?? ""]?.[1] ?? hint`Check the system log, ${AGAIN}`;
}

/** For some errors, such as an exceeded quota, Node only has a number. */
function nameOf(code: string): string | undefined {
  if (Object.hasOwn(reasons(), code) || descriptionOf(code) !== undefined) return code;
  const [, number] = /^Unknown system error -(\d+)$/.exec(code) ?? [];
  return number === undefined ? undefined : (UNNAMED[number] ?? `error ${number}`);
}

/** From errno(3): Linux, then macOS. */
const UNNAMED: Readonly<Record<string, string>> = {
  ...{ 8: "ENOEXEC", 116: "ESTALE", 122: "EDQUOT" },
  ...{ 69: "EDQUOT", 70: "ESTALE" },
};

/** Node's own description. */
function descriptionOf(name: string): string | undefined {
  return [...getSystemErrorMap().values()].find(([each]) => each === name)?.[1];
}

/** True if the next call would fail, too. A file that cannot be read now may exist anyway. */
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

/** From errno(3). */
const reasons = (): Readonly<Record<string, readonly [reason: string, fix: Hint]>> => ({
  EMFILE: ["this process has too many open files", hint`Raise the limit: ${files}; ${AGAIN}`],
  ENFILE: ["too many files are open on this machine", hint`Close other programs, ${AGAIN}`],
  EAGAIN: [
    "no more processes can be started",
    hint`Close other programs, or raise the limit that ${processes} shows, ${AGAIN}`,
  ],
  ENOMEM: ["out of memory", hint`Close other programs, ${AGAIN}`],
  ENOSPC: ["the disk is full", hint`Free some disk space, ${AGAIN}`],
  EDQUOT: ["your disk quota is used up", hint`Free some disk space, ${AGAIN}`],
  EFBIG: [
    "the file is larger than the allowed limit",
    hint`Raise the shell's file size limit, ${AGAIN}`,
  ],
  EROFS: ["the disk is read-only", hint`Make it writable, or work in another folder.`],
  ESTALE: ["the file server no longer has it", hint`Mount the disk again, ${AGAIN}`],
  EIO: ["the disk or the terminal failed", hint`Check the system log, ${AGAIN}`],
  EACCES: ["permission denied", hint`Fix the permissions, ${AGAIN}`],
  EPERM: ["operation not permitted", hint`Fix the permissions or the owner, ${AGAIN}`],
  EISDIR: ["it is a folder", hint`Use a file instead.`],
  ENOENT: ["it does not exist", hint`If another process removed it, run the same command again.`],
  ENOTDIR: ["a part of its path is not a folder", hint`Fix the path, ${AGAIN}`],
  ELOOP: ["its symbolic links form a loop", hint`Remove the links, ${AGAIN}`],
  ENAMETOOLONG: ["its path is too long", hint`Use a shorter path.`],
  E2BIG: [
    "the environment and the arguments are too large",
    hint`Unset large environment variables, ${AGAIN}`,
  ],
  ETXTBSY: ["another process is writing to it", hint`Wait for that process to finish, ${AGAIN}`],
  ENOEXEC: ["it is not a program for this machine", hint`Install it again, ${AGAIN}`],
});
