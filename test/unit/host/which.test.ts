import { describe, expect, it } from "vitest";
import { candidates, startable } from "../../../src/host/which.ts";

const PATHEXT = ".COM;.EXE;.BAT;.CMD;.VBS;.JS;.WSF";

describe("the folders in which a tool is searched on Windows", () => {
  it.each<[what: string, path: string, expected: readonly string[]]>([
    ["two folders", String.raw`C:\a;D:\b`, [String.raw`C:\a\t.exe`, String.raw`D:\b\t.exe`]],
    ["in quotes", String.raw`"C:\Program Files\a"`, [String.raw`C:\Program Files\a\t.exe`]],
    ["in quotes, with a semicolon", String.raw`"C:\a;b";C:\c`, ["C:\\a;b\\t.exe", "C:\\c\\t.exe"]],
    ["partly in quotes", String.raw`C:\"a b"\c`, [String.raw`C:\a b\c\t.exe`]],
    ["in a quote that never ends", String.raw`"C:\a`, [String.raw`C:\a\t.exe`]],
    ["on a server", String.raw`\\nas\tools`, [String.raw`\\nas\tools\t.exe`]],
    ["with slashes", "C:/a", [String.raw`C:\a\t.exe`]],
    ["with empty entries and white space", String.raw`; C:\a ;;`, [String.raw`C:\a\t.exe`]],
    ["the current folder", ".", []],
    ["below the current folder", String.raw`bin;node_modules\.bin`, []],
    ["on the current drive", String.raw`\tools;/tools`, []],
    ["in the current folder of a drive", "C:tools;C:", []],
    ["empty", "", []],
  ])("%s", (_, path, expected) => {
    const machine = { env: { PATH: path, PATHEXT: ".EXE" }, platform: "win32" } as const;
    expect(candidates("t", machine)).toEqual(expected);
  });

  it("come from the variable in any case", () => {
    const machine = { env: { Path: "C:\\a", PATHEXT: ".EXE" }, platform: "win32" } as const;
    expect(candidates("t", machine)).toEqual(["C:\\a\\t.exe"]);
  });
});

it.each<[name: string, pathExt: string | undefined, expected: readonly string[]]>([
  ["doctl", PATHEXT, ["doctl.com", "doctl.exe", "doctl.bat", "doctl.cmd"]],
  ["doctl", ".CMD;.EXE", ["doctl.cmd", "doctl.exe"]],
  ["doctl", undefined, ["doctl.com", "doctl.exe", "doctl.bat", "doctl.cmd"]],
  ["doctl", ".PY;.JS", ["doctl.com", "doctl.exe", "doctl.bat", "doctl.cmd"]],
  ["doctl.exe", ".EXE", ["doctl.exe", "doctl.exe.exe"]],
  ["doctl.CMD", ".EXE", ["doctl.CMD", "doctl.CMD.exe"]],
  // A script of another program is not started instead of a tool.
  ["doctl.js", ".JS;.EXE", ["doctl.js.exe"]],
  ["python3.12", ".EXE", ["python3.12.exe"]],
])("%s with PATHEXT %s is one of %j", (name, pathExt, expected) => {
  expect(startable(name, { PATHEXT: pathExt })).toEqual(expected);
});

it("elsewhere a name is itself, in the absolute folders", () => {
  const machine = { env: { PATH: "/usr/bin:bin:.::/a;b" }, platform: "linux" } as const;
  expect(candidates("t.exe", machine)).toEqual(["/usr/bin/t.exe", "/a;b/t.exe"]);
});
