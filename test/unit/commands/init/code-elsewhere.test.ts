import { expect, it } from "vitest";
import { codeElsewhere } from "../../../../src/commands/init/code-elsewhere.ts";
import { type Entry, memoryFiles } from "../../memory-files.ts";

const LIMITS = { entries: 1000, forMs: 1000 };

async function found(entries: Record<string, Entry>, { limits = LIMITS, msPerLook = 0 } = {}) {
  let now = 0;
  const steadyClock = { now: () => (now += msPerLook), sleep: async () => undefined };
  const host = { files: memoryFiles("/repo", entries), steadyClock };
  const empty = {
    tool: "terraform" as const,
    modules: [],
    unseen: [],
    fetched: [],
    contested: [],
    broken: [],
  };
  const tree = { ...empty, folders: ["/repo/infra"] };
  return codeElsewhere(host, { git: undefined, top: "/repo" }, { trees: [tree] }, limits);
}

it.each<[what: string, entries: Record<string, Entry>, folders: readonly string[]]>([
  ["none beside the code that was read", { "infra/main.tf": "", "a.txt": "" }, []],
  ["another folder", { "infra/main.tf": "", "dns/main.tofu": "" }, ["dns"]],
  [
    "a subfolder of a folder that was read",
    { "infra/main.tf": "", "infra/m/x.tf.json": "" },
    ["infra/m"],
  ],
  ["the top folder", { "infra/main.tf": "", "main.tf": "" }, ["."]],
  ["a nested repo", { "n/.git/HEAD": "", "n/main.tf": "" }, ["n"]],
  ["a link", { "a/main.tf": { text: "", leadsTo: "/elsewhere/main.tf" } }, ["a"]],
  ["no downloaded modules", { ".terraform/modules/m/a.tf": "", "node_modules/m/a.tf": "" }, []],
  ["no files that Terraform does not read", { "a/.hidden.tf": "", "a/main.tf~": "" }, []],
])("other folders with code: %s", async (_, entries, folders) => {
  expect(await found(entries)).toEqual({ folders, isWhole: true });
});

it("a search that reaches a limit is reported as incomplete", async () => {
  const entries = { "a/1": "", "b/2": "", "c/main.tf": "" };
  expect(await found(entries, { limits: { ...LIMITS, entries: 3 } })).toMatchObject({
    isWhole: false,
  });
  expect(await found(entries, { msPerLook: 600 })).toMatchObject({ isWhole: false });
});
