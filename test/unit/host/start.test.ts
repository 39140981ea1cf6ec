import { describe, expect, it } from "vitest";
import { endOfTree, lastOfEach, windowsCommand } from "../../../src/host/start.ts";

const SYSTEM = `${process.env["SystemRoot"] ?? "C:\\Windows"}\\System32`;
const CMD = `${SYSTEM}\\cmd.exe`;
const REPO = "C:\\repo";

describe("what Windows starts for a file", () => {
  it.each(["C:\\bin\\doctl.exe", "C:/bin/doctl.EXE", "\\\\nas\\bin\\more.com"])("%s", (file) => {
    const command = { file, args: ["a b", "%c%"], env: {}, isVerbatim: false };
    expect(windowsCommand(file, ["a b", "%c%"], REPO)).toEqual(command);
  });

  it("a .cmd file, by cmd.exe of the system folder", () => {
    const { file, args, isVerbatim } = windowsCommand("C:\\a b\\doctl.cmd", ["auth", ""], REPO);
    const line = String.raw`""C:\a b\doctl.cmd" "auth" """`;
    expect({ file, args, isVerbatim }).toEqual({
      ...{ file: CMD, isVerbatim: true },
      args: ["/d", "/e:on", "/v:off", "/s", "/c", line],
    });
  });

  it.each<[file: string, args: readonly string[], code: string]>([
    ["terraform", [], "ENOENT"],
    ["terraform.exe", [], "ENOENT"],
    [".\\terraform.exe", [], "ENOENT"],
    ["\\terraform.exe", [], "ENOENT"],
    ["C:terraform.exe", [], "ENOENT"],
    ["", [], "ENOENT"],
    ["C:\\bin\\terraform", [], "ENOEXEC"],
    ["C:\\bin\\terraform.ps1", [], "ENOEXEC"],
    ["C:\\bin\\terraform.js", [], "ENOEXEC"],
    ["C:\\bin\\terraform.exe:stream", [], "ENOEXEC"],
    ["C:\\bin\\a.cmd", ["a\nb"], "EINVAL"],
    ["C:\\bin\\a.bat", ["a\rb"], "EINVAL"],
    ["C:\\bin\\a.bat", ["a\0b"], "EINVAL"],
  ])("not %s with %j: %s", (file, args, code) => {
    expect(() => windowsCommand(file, args, REPO)).toThrow(expect.objectContaining({ code }));
  });
});

it("a program is ended with its children, by Windows' own tool", () => {
  expect(endOfTree(12)).toEqual([`${SYSTEM}\\taskkill.exe`, ["/t", "/f", "/pid", "12"]]);
});

// The program that the .cmd file starts reads \\" as a quote, and cmd.exe reads "" as one that leaves the text quoted.
it.each([
  ["a b", '"a b"'],
  ["a&calc", '"a&calc"'],
  ['say "hi"&calc', '"say ""hi""&calc"'],
  ['\\"&calc', String.raw`"\\""&calc"`],
  ["ends with \\", String.raw`"ends with \\"`],
  ["^(a)|<b>!", '"^(a)|<b>!"'],
  ["%TOKEN%", '"%%cd:~,%TOKEN%%cd:~,%"'],
])("%s is one word for cmd.exe, both times", (word, expected) => {
  const { args } = windowsCommand("C:\\a.cmd", [word], REPO);
  expect(args.at(-1)).toBe(`""C:\\a.cmd" ${expected}"`);
});

describe("a .cmd file from elsewhere finds no program in the current folder", () => {
  const FOUND_ELSEWHERE = { NoDefaultCurrentDirectoryInExePath: "1" };

  it.each<[file: string, cwd: string, env: object]>([
    ["C:\\npm\\cdktf.cmd", "C:\\repo", FOUND_ELSEWHERE],
    ["C:\\repo\\deploy.cmd", "C:\\repo\\sub", FOUND_ELSEWHERE],
    ["D:\\deploy.bat", "C:\\repo", FOUND_ELSEWHERE],
    // The folder's own script may call others beside it.
    ["C:\\repo\\deploy.cmd", "C:\\repo", {}],
    ["C:\\repo\\bin\\deploy.cmd", "c:\\Repo", {}],
    ["C:\\deploy.cmd", "c:\\", {}],
    // Not everything on a drive is the script of its root.
    ["C:\\npm\\cdktf.cmd", "C:\\", FOUND_ELSEWHERE],
    ["\\\\nas\\share\\npm\\cdktf.cmd", "\\\\nas\\share\\", FOUND_ELSEWHERE],
  ])("%s in %s", (file, cwd, env) => {
    expect(windowsCommand(file, [], cwd).env).toEqual(env);
  });
});

it.each<[env: Record<string, string>, expected: Record<string, string>]>([
  [{ TF_VAR_DO_TOKEN: "theirs", TF_VAR_do_token: "ours" }, { TF_VAR_do_token: "ours" }],
  [
    { Path: "a", B: "b", PATH: "c" },
    { B: "b", PATH: "c" },
  ],
  [
    { a: "1", A: "2", b: "3" },
    { A: "2", b: "3" },
  ],
])("Windows has one variable for the names of %j", (env, expected) => {
  expect(lastOfEach(env)).toEqual(expected);
});
