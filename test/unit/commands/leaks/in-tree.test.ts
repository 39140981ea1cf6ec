import { describe, expect, it } from "vitest";
import { eachFileIn, type TreeLimits } from "../../../../src/commands/leaks/in-tree.ts";
import { type Entry, memoryFiles } from "../../memory-files.ts";

const LIMITS: TreeLimits = { fileBytes: 100, allBytes: 1000, files: 30, forMs: 1000 };

async function searched(
  entries: Readonly<Record<string, Entry>>,
  { stepMs = 0, ...limits }: Partial<TreeLimits> & { stepMs?: number } = {},
) {
  let now = 0;
  const clock = {
    now() {
      now += stepMs;
      return now;
    },
    sleep: async () => {},
  };
  const seen: string[] = [];
  const host = { files: memoryFiles("/repo", entries), steadyClock: clock };
  const { unread, passedOver, stopped } = await eachFileIn(
    host,
    "/repo",
    ({ path }) => seen.push(path.replace("/repo/", "")),
    { ...LIMITS, ...limits },
  );
  return { seen, stopped, left: [...unread.map(({ path }) => path), ...passedOver] };
}

describe("the files of a repo that are searched", () => {
  it.each<
    readonly [
      what: string,
      entries: Readonly<Record<string, Entry>>,
      seen: string[],
      left: string[],
    ]
  >([
    ["all of them, the nearer ones first", { "a/b/c": "", z: "" }, ["z", "a/b/c"], []],
    ["files of nested repos", { "a/.git/HEAD": "", "a/x": "" }, ["a/x"], []],
    ["files of a submodule", { "a/.git": "gitdir: x", "a/x": "" }, ["a/x"], []],
    ["no files of .git", { ".git/config": "", x: "" }, ["x"], []],
    [
      "no files that tools download",
      { "a/node_modules/x": "", ".terraform/providers/x": "", ".terraform/x": "" },
      [".terraform/x"],
      ["/repo/.terraform/providers", "/repo/a/node_modules"],
    ],
    ["a file called node_modules", { node_modules: "" }, ["node_modules"], []],
    ["a folder called providers elsewhere", { "providers/x": "" }, ["providers/x"], []],
    ["no files behind a link", { a: { text: "", leadsTo: "/else" } }, [], []],
    [
      "no env file that links outside the repo",
      { "a/.env": { text: "", leadsTo: "/else" } },
      [],
      ["/repo/a/.env"],
    ],
    [
      "a linked file inside the repo, once",
      { ".env": { text: "", leadsTo: "/repo/b" }, b: "" },
      ["b"],
      [],
    ],
    ["no FIFOs", { a: { fifo: "" } }, [], []],
    [
      "no names that are not UTF-8",
      { "a\uFFFD": "", "b\uFFFD/c": "" },
      [],
      ["/repo/a\uFFFD", "/repo/b\uFFFD"],
    ],
    ["no unreadable files", { a: { unusable: "x" }, b: "" }, ["b"], ["/repo/a"]],
  ])("%s", async (_, entries, seen, left) => {
    const found = await searched(entries);
    expect({ ...found, left: found.left.sort() }).toEqual({ seen, left, stopped: undefined });
  });

  const TWENTY = Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`f${at}`, "12345"]));
  it.each<readonly [Partial<TreeLimits> & { stepMs?: number }, number, RegExp | undefined]>([
    [{}, 20, undefined],
    [{ files: 20 }, 20, undefined],
    [{ files: 11 }, 11, /more than 11 files/],
    [{ allBytes: 40 }, 8, /MB/],
    [{ stepMs: 501 }, 8, /more than 1 s/],
  ])("with %j: %i", async (limits, count, why) => {
    const { seen, stopped } = await searched(TWENTY, limits);
    expect(seen).toHaveLength(count);
    if (why === undefined) expect(stopped).toBeUndefined();
    else expect(stopped).toMatch(why);
  });
});
