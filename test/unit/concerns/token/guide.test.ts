import { expect, it } from "vitest";
import { guide } from "../../../../src/concerns/token/guide.ts";
import { apiHosts } from "../../../../src/concerns/token/hosts.ts";

/** The notes that are shown before the question. */
async function told(unread: readonly string[]): Promise<string> {
  const notes: string[] = [];
  const terminal = {
    note: (_: string, text: string) => void notes.push(text),
    line: () => undefined,
    complain: () => undefined,
    ...{
      press: async () => "",
      choose: async () => 0,
      enter: async () => {},
      chooseSome: async () => [],
    },
    confirm: async () => false,
    enter: async () => undefined,
    secret: () => Promise.reject(new Error("The question.")),
  };
  const host = {
    http: () => Promise.reject(new Error("Unexpected HTTP request.")),
    terminal: async () => terminal,
    openPage: async () => false,
  };
  const facts = {
    config: { project: "web", environment: undefined, environments: [] },
    hosts: apiHosts({}),
    rows: [["account", ["read"]] as const, ["domain", ["create"]] as const],
    ...{ unread, refused: undefined, purpose: undefined, top: "/repo", inspections: new Map() },
  };
  const progress = Object.assign(() => undefined, { end: () => undefined });
  await expect(guide(host, progress, facts)).rejects.toThrow("The question.");
  return notes.join("\n");
}

it("says what was not checked for the list of scopes", async () => {
  const text = await told(["modules that are not installed (module.m (a/b/c))"]);
  expect(text).toContain(
    "It may need more scopes. Not checked:\nmodules that are not installed (module.m",
  );
});

it("says nothing about it if everything was checked", async () => {
  expect(await told([])).not.toContain("Not checked");
});
