import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  computedPath,
  findDoctlConfig,
  knownDoctlConfig,
} from "../../../../src/concerns/doctl/config-path.ts";
import type { ToolSearch } from "../../../../src/host/host.ts";

const unused = () => expect.unreachable();

/** The config path of a doctl that prints this help. */
function pathFor(help: string): Promise<string | undefined> {
  const host = {
    ...({ env: {}, home: "/home/sammy", platform: "linux", cwd: "/repo" } as const),
    ...{ records: { recall: unused, keep: unused }, clock: { now: unused, sleep: unused } },
    run: async () => ({ end: "exited", exitCode: 0, stdout: help, stderr: "" }) as const,
  };
  return findDoctlConfig(host, { path: "/snap/bin/doctl", program: undefined });
}

it.each([
  ["up to 1.x", '  -c, --config string   Specify a custom config file (default "/snap/c.yaml")\n'],
  ["since 2.0", "  -c, --config string  [default: /snap/c.yaml]\n      The config file.\n"],
])("uses the path in doctl's help: %s", async (_, line) => {
  expect(await pathFor(`Usage:\n  doctl [command]\n${line}  -h, --help\n`)).toBe("/snap/c.yaml");
});

it.each(["/home/a]b/c.yaml", "/home/a b/c.yaml", "/home/[a]/c.yaml"])(
  "reads a path with brackets or spaces: %s",
  async (path) => {
    const line = `  -c, --config string  [default: ${path}]\n      The config file.\n`;
    expect(await pathFor(line)).toBe(path);
  },
);

it.each([
  ["spaces and letters of any language", "/home/a b/ö.yaml"],
  ["a backslash", "/home/a\\b.yaml"],
  ["a quote", '/home/"a"/c.yaml'],
])("reads a path that Go has quoted: with %s", async (_, path) => {
  const line = `  -c, --config string   Specify a custom config file (default ${JSON.stringify(path)})\n`;
  expect(await pathFor(line)).toBe(path);
});

it("on Windows, computes the path if the help prints one of the current drive", async () => {
  const host = {
    ...({ env: { APPDATA: "C:\\r" }, home: "C:\\h", platform: "win32", cwd: "C:\\repo" } as const),
    ...{ records: { recall: unused, keep: unused }, clock: { now: unused, sleep: unused } },
    run: async () => ({ end: "exited", exitCode: 0, stdout: HELP_OF_DRIVE, stderr: "" }) as const,
  };
  const found = await findDoctlConfig(host, { path: "C:\\doctl.exe", program: undefined });
  expect(found).toBe(join("C:\\r", "doctl", "config.yaml"));
});

const HELP_OF_DRIVE = '  -c, --config string   Specify it (default "\\\\Users\\\\c.yaml")\n';

it.each([
  ["no path", ""],
  ["an escape that only Go has", '-c, --config string (default "/a\\x07.yaml")\n'],
  ["a relative path", '-c, --config string (default "c.yaml")\n'],
  ["another option's path", "-u, --api-url string  [default: /snap/c.yaml]\n"],
])("computes the path like doctl if the help prints %s", async (_, help) => {
  expect(await pathFor(help)).toBe("/home/sammy/.config/doctl/config.yaml");
});

describe("the config path, without starting doctl", () => {
  const HOME = { HOME: "/home/sammy" };
  const tool = (path?: string, program?: string, skipped: readonly string[] = []) => ({
    ...{ path, program, skipped },
  });
  const BINARY = tool("/usr/bin/doctl", "/usr/bin/doctl");
  const BEHIND = tool("/usr/bin/doctl", "/usr/bin/doctl", ["/repo/bin/doctl"]);
  const SNAP = tool("/snap/bin/doctl");
  const SHIM = tool("/home/sammy/shims/doctl");
  const NONE = tool();
  const own = (path: string) => ({ ...HOME, DIGITALOCEAN_CONFIG: path });

  it.each<[string, Record<string, string>, ToolSearch, unknown]>([
    ["a doctl whose path is recorded", HOME, BINARY, "/home/sammy/c.yaml"],
    ["a path recorded for another HOME", { HOME: "/root" }, BINARY, undefined],
    ["another doctl", HOME, tool("/opt/doctl", "/opt/doctl"), undefined],
    ["a snap, which has to be asked each time", HOME, SNAP, undefined],
    ["a shim", HOME, SHIM, undefined],
    ["no doctl", HOME, NONE, undefined],
    ["DIGITALOCEAN_CONFIG", own("/x.yaml"), BINARY, "/x.yaml"],
    ["DIGITALOCEAN_CONFIG with a shim", own("/x.yaml"), SHIM, "/x.yaml"],
    [
      "DIGITALOCEAN_CONFIG with a snap, which may be unable to read it",
      own("/x.yaml"),
      SNAP,
      undefined,
    ],
    ["a relative DIGITALOCEAN_CONFIG", own("x.yaml"), BINARY, undefined],
    ["another doctl inside the repo, earlier on PATH", HOME, BEHIND, undefined],
    ["DIGITALOCEAN_CONFIG without doctl", own("/x.yaml"), NONE, undefined],
  ])("%s", async (_, env, doctl, expected) => {
    let kept: unknown;
    const records = {
      recall: (path: string) => (path === BINARY.program ? kept : undefined),
      keep: (_: string, value: unknown) => {
        kept = value;
      },
    };
    const stdout = "  -c, --config string  [default: /home/sammy/c.yaml]\n";
    const host = {
      ...({ env: HOME, home: HOME.HOME, platform: "linux", cwd: "/repo", records } as const),
      clock: { now: () => 1, sleep: unused },
      run: async () => ({ end: "exited", exitCode: 0, stdout, stderr: "" }) as const,
    };
    await findDoctlConfig(host, BINARY);
    expect(knownDoctlConfig({ env, platform: host.platform, records }, doctl)).toBe(expected);
  });

  it.each<[is: string, path: string, expected: unknown]>([
    ["of a drive", "C:\\c.yaml", "C:\\c.yaml"],
    ["without a drive, so of the current one", "\\c.yaml", undefined],
    ["with slashes, without a drive", "/c.yaml", undefined],
  ])("on Windows, a path %s", (_, path, expected) => {
    const doctl = tool("C:\\doctl.exe", "C:\\doctl.exe");
    const records = { recall: () => undefined, keep: () => undefined };
    const host = { env: { DIGITALOCEAN_CONFIG: path }, platform: "win32", records } as const;
    expect(knownDoctlConfig(host, doctl)).toBe(expected);
  });
});

describe("the config path of a doctl that is not asked", () => {
  const home = "/h";
  it.each<[NodeJS.Platform, Record<string, string>, home: string | undefined, folder: unknown]>([
    ["linux", {}, home, "/h/.config"],
    ["linux", { XDG_CONFIG_HOME: "/xdg" }, home, "/xdg"],
    ["linux", {}, undefined, undefined],
    ["darwin", { XDG_CONFIG_HOME: "/xdg" }, home, "/h/Library/Application Support"],
    ["darwin", {}, undefined, undefined],
    ["win32", { APPDATA: "C:\\roaming" }, home, "C:\\roaming"],
    ["win32", { APPDATA: "C:\\roaming", XDG_CONFIG_HOME: "/xdg" }, undefined, "C:\\roaming"],
    ["win32", {}, home, undefined],
    ["win32", { APPDATA: "" }, home, undefined],
    ["win32", { APPDATA: "roaming" }, home, undefined],
    ["win32", { APPDATA: "\\roaming" }, home, undefined],
  ])("%s with %j and the home %s: %s", (platform, env, home, folder) => {
    const file = typeof folder === "string" ? join(folder, "doctl", "config.yaml") : undefined;
    expect(computedPath({ env, home, platform })).toBe(file);
  });
});
