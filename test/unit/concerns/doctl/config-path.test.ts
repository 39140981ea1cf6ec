import { expect, it } from "vitest";
import { findDoctlConfig } from "../../../../src/concerns/doctl/config-path.ts";

const unused = () => expect.unreachable();

/** Where a doctl with this help keeps its config. */
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
])("the path that doctl's help prints: %s", async (_, line) => {
  expect(await pathFor(`Usage:\n  doctl [command]\n${line}  -h, --help\n`)).toBe("/snap/c.yaml");
});

it.each([
  ["none", ""],
  ["one that is not absolute", '-c, --config string (default "c.yaml")\n'],
  ["another option's", "-u, --api-url string  [default: /snap/c.yaml]\n"],
])("as doctl would compute it, where the help prints %s", async (_, help) => {
  expect(await pathFor(help)).toBe("/home/sammy/.config/doctl/config.yaml");
});
