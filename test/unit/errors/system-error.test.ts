import { describe, expect, it } from "vitest";
import { asAppError } from "../../../src/errors/app-error.ts";
import { isExhausted } from "../../../src/errors/system-error.ts";
import { hintText } from "../../../src/report/hint-text.ts";

const EDGE = { environment: undefined, cwd: "/repo", platform: "linux", shell: "posix" } as const;

/** An error as Node throws it. */
function thrown(code: string, syscall: string, path?: string): Error {
  const argv = ["-c", "an argument"];
  return Object.assign(new Error(`${code}: x, ${syscall} 'an argument'`), {
    ...{ errno: -1, code, syscall, spawnargs: argv },
    ...(path === undefined ? {} : { path }),
  });
}

describe("a system error is an AppError with a readable message", () => {
  it.each<[code: string, syscall: string, says: string, fix: RegExp]>([
    [
      "EMFILE",
      "spawn /bin/git",
      "/a could not be started: this process",
      /^Raise the limit: ulimit -n/,
    ],
    [
      "EMFILE",
      "open",
      "/a could not be opened: this process has too many open files",
      /ulimit -n 4096/,
    ],
    ["ENFILE", "scandir", "/a could not be read: too many files are open on this machine", /Close/],
    [
      "EAGAIN",
      "spawn /bin/git",
      "/a could not be started: no more processes can be started",
      /ulimit -u/,
    ],
    ["ENOMEM", "spawn /bin/git", "/a could not be started: out of memory", /Close/],
    ["ENOSPC", "write", "/a could not be written: the disk is full", /Free some disk space/],
    [
      "EDQUOT",
      "mkdir",
      "/a could not be created: your disk quota is used up",
      /Free some disk space/,
    ],
    [
      "EFBIG",
      "write",
      "/a could not be written: the file is larger than the allowed limit",
      /limit/,
    ],
    ["EROFS", "mkdtemp", "/a could not be created: the disk is read-only", /another folder/],
    ["EIO", "read", "/a could not be read: the disk or the terminal failed", /log/],
    ["EACCES", "open", "/a could not be opened: permission denied", /permissions/],
    ["EPERM", "rename", "/a could not be replaced: operation not permitted", /owner/],
    ["EISDIR", "read", "/a could not be read: it is a folder", /file/],
    ["ENOENT", "open", "/a could not be opened: it does not exist", /again/],
    ["ENOTDIR", "lstat", "/a could not be used: a part of its path is not a folder", /path/],
    ["ELOOP", "stat", "/a could not be used: its symbolic links form a loop", /links/],
    ["ENAMETOOLONG", "open", "/a could not be opened: its path is too long", /shorter/],
    ["E2BIG", "spawn", "/a could not be started: the environment and the arguments", /variables/],
    ["ETXTBSY", "spawn", "/a could not be started: another process is writing to it", /Wait/],
    ["ENOEXEC", "spawn", "/a could not be started: it is not a program for this", /Install/],
  ])("%s from %s", (code, syscall, says, fix) => {
    const error = asAppError(thrown(code, syscall, "/a"));
    expect(error).toMatchObject({ code: "SYSTEM", status: 1 });
    expect(error.message).toContain(says);
    expect(error.message).toMatch(new RegExp(`\\(${code}\\)\\.$`));
    expect(hintText(error.hint ?? [], EDGE)).toMatch(fix);
    expect(error.message).not.toContain("an argument");
  });

  it.each<[code: string, syscall: string, says: string]>([
    ["Unknown system error -122", "write", "/a could not be written: your disk quota is used up"],
    ["Unknown system error -8", "spawn", "/a could not be started: it is not a program for this"],
    [
      "Unknown system error -116",
      "open",
      "/a could not be opened: the file server no longer has it",
    ],
    [
      "Unknown system error -37",
      "open",
      "/a could not be opened: the system reported an error (error 37).",
    ],
    ["EBUSY", "rename", "/a could not be replaced: resource busy or locked (EBUSY)."],
    ["ETIMEDOUT", "open", "/a could not be opened: connection timed out (ETIMEDOUT)."],
    ["EXDEV", "rename", "/a could not be replaced: cross-device link not permitted (EXDEV)."],
    ["UNKNOWN", "open", "/a could not be opened: unknown error (UNKNOWN)."],
  ])("%s from %s: no advice from us, or no name from Node", (code, syscall, says) => {
    const error = asAppError(thrown(code, syscall, "/a"));
    expect(error).toMatchObject({ code: "SYSTEM", hint: expect.any(Array) });
    expect(error.message).toContain(says);
  });

  it("has no path, as for a stream", () => {
    expect(asAppError(thrown("EIO", "write")).message).toMatch(/^A file could not be written: /);
  });

  it.each([
    ["an unknown code", thrown("EODD", "open", "/a")],
    ["a code without a system call", Object.assign(new Error("x"), { code: "EMFILE" })],
    ["a code that is a property of Object", thrown("toString", "open", "/a")],
  ])("%s is unexpected", (_, error) => {
    expect(asAppError(error).code).toBe("UNEXPECTED");
  });

  it.each([
    ["EMFILE", true],
    ["ENFILE", true],
    ["ENOMEM", true],
    ["EAGAIN", true],
    ["ENOENT", false],
    ["EACCES", false],
  ])("%s: the next call would fail too: %s", (code, expected) => {
    expect(isExhausted(thrown(code, "open"))).toBe(expected);
  });
});
