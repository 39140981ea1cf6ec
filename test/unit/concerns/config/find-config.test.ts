import { expect, it } from "vitest";
import { findConfig } from "../../../../src/concerns/config/find-config.ts";
import { memoryFiles } from "../../memory-files.ts";

const HOME = "/home/sammy";

it.each<[what: string, folder: string, files: Record<string, string>, isProject: boolean]>([
  ["a folder", "/repo", {}, true],
  ["HOME", HOME, {}, false],
  ["HOME, which is a repo", HOME, { [`${HOME}/.git/HEAD`]: "" }, false],
  ["the root of a disk", "/", {}, false],
  // A drive of its own on Windows, or a container.
  ["the root of a disk, which is a repo", "/", { "/.git/HEAD": "" }, true],
])("%s: %s %j is a project: %s", async (_, folder, entries, isProject) => {
  const unused = () => expect.unreachable();
  const host = {
    ...{ cwd: folder, home: HOME, files: memoryFiles("/", entries) },
    ...{ records: { recall: () => undefined, keep: unused } },
    clock: { now: () => 0, sleep: unused },
  };
  const found = findConfig(host, folder, undefined);
  if (isProject) expect((await found).config.base).toBe(folder);
  else await expect(found).rejects.toThrow(`${folder} is not a project folder.`);
});
