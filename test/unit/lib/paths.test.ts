import { posix, win32 } from "node:path";
import { expect, it } from "vitest";
import {
  isInside,
  isOtherOnWindows,
  isRooted,
  isSamePath,
  withoutLongPrefix,
} from "../../../src/lib/paths.ts";

it.each<[one: string, other: string, isSame: boolean]>([
  ["C:\\Repo\\Dev", "c:\\repo\\dev", true],
  ["C:\\repo\\dev", "C:\\repo\\dev\\", true],
  ["C:\\repo\\dev", "D:\\repo\\dev", false],
  ["C:\\repo\\dev", "C:\\repo\\dev2", false],
])("on Windows, %s is %s: %s", (one, other, isSame) => {
  expect(isSamePath(one, other, win32)).toBe(isSame);
});

it("elsewhere, the case of a path matters", () => {
  expect(isSamePath("/repo/Dev", "/repo/dev", posix)).toBe(false);
});

it.each<[path: string, folder: string, isIn: boolean]>([
  ["C:\\a", "C:\\", true],
  ["c:\\A\\b", "C:\\a", true],
  ["C:\\ab", "C:\\a", false],
  ["D:\\a", "C:\\", false],
])("on Windows, %s is in %s: %s", (path, folder, isIn) => {
  expect(isInside(path, folder, win32)).toBe(isIn);
});

it.each<[path: string, rooted: boolean]>([
  ["C:\\a", true],
  ["c:/a", true],
  ["\\\\nas\\a", true],
  ["\\a", false],
  ["/a", false],
  ["C:a", false],
  ["a", false],
])("%s has a drive or a server: %s", (path, rooted) => {
  expect(isRooted(path)).toBe(rooted);
});

it.each([
  ...[
    "nul",
    "NUL",
    "aux",
    "con",
    "prn.txt",
    "COM1",
    "com1.txt",
    "lpt\u00b9",
    "conin$",
    "CONOUT$.x",
  ],
  ...["con.txt", "LPT9 .env", "aux  .env", "nul "],
  ...["SECRET~1.ENV", "secre~12", "GIT~1", "a~1.x"],
  ...[".env:stream", "a:", ".env::$DATA", ".env.", "a.", ".env ", "..."],
])("Windows reads %j as something else", (name) => {
  expect(isOtherOnWindows(name)).toBe(true);
});

it.each([
  ".",
  ".env",
  "a b",
  " a",
  "console",
  "auxiliary",
  "com10",
  "a.nul",
  "nul-1",
  "aux env",
  ".env~1",
  "secrets~1",
  "secret~1.yaml",
  "a~b",
  "\u00e9",
  "",
])("Windows keeps %j", (name) => {
  expect(isOtherOnWindows(name)).toBe(false);
});

it.each([
  ["\\\\?\\C:\\repo\\.env", "C:\\repo\\.env"],
  ["\\\\?\\UNC\\nas\\share\\.env", "\\\\nas\\share\\.env"],
  ["..\\shared\\.env", "..\\shared\\.env"],
  ["UNC\\.env", "UNC\\.env"],
])("the target %j of a link is %j", (target, plain) => {
  expect(withoutLongPrefix(target)).toBe(plain);
});
