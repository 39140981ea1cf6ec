import { describe, expect, it } from "vitest";
import { readPlaces } from "../../../../src/commands/credentials/token-places.ts";
import { unreadPlaces } from "../../../../src/commands/credentials/unread-places.ts";
import {
  DOCTL_CONFIG,
  type Entry,
  facts,
  filesOf,
  type Given,
  planned,
} from "../../../fixtures/facts.ts";

async function unread(given: Given) {
  const known = await facts(given);
  return unreadPlaces(known, await readPlaces({ files: filesOf(given) }, known));
}

const denied: Entry = { unusable: "not readable (EACCES)" };

describe("unreadable places that may hold a token", () => {
  it.each<[string, Given, readonly string[]]>([
    ["none", {}, []],
    ["the env file", { files: { ".env": denied } }, ["error file.unusable"]],
    [
      "an env file beside it, too large to read",
      { files: { ".env.a": { unusable: "larger than 4 MB" } } },
      ["error file.unusable"],
    ],
    [
      "an env file that links outside the repo",
      { files: { ".env": { text: "A=1", leadsTo: "/else/.env" } } },
      ["error file.outside"],
    ],
    ["a link to nothing", { files: { ".env": { leadsTo: "/else/.env" } } }, []],
    ["a directory", { files: { ".env": { unusable: "a directory" } } }, []],
    ["a device", { files: { ".env": { unusable: "a device" } } }, []],
    ["a socket", { files: { ".env": { unusable: "a socket" } } }, []],
    ["a FIFO that was read", { files: { ".env": { fifo: "" } } }, []],
    [
      "a root's tfvars file",
      { config: "terraform: {}", files: { "infra/a.tfvars": denied } },
      ["error file.unusable"],
    ],
    ["doctl's config", { files: { [DOCTL_CONFIG]: denied } }, ["error doctl.config-broken"]],
    ["doctl's config, empty", { files: { [DOCTL_CONFIG]: "" } }, ["error doctl.config-broken"]],
    [
      "doctl's config, with doctl: false",
      { config: "doctl: false", files: { [DOCTL_CONFIG]: "" } },
      [],
    ],
    ["doctl's config can't be located", { home: false }, []],
    [
      "two of them",
      { files: { ".env": denied, [DOCTL_CONFIG]: "" } },
      ["error file.unusable", "error doctl.config-broken"],
    ],
  ])("%s", async (_, given, expected) => {
    expect(planned({ findings: await unread(given) })).toEqual(expected);
  });
});
