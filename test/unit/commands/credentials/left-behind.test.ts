import { zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import {
  holdersIn,
  leftBehind,
  leftOutside,
  searchTree,
  treeAfter,
} from "../../../../src/commands/credentials/left-behind.ts";
import {
  changePlace,
  changesOf,
  naming,
  placesFound,
  readPlaces,
} from "../../../../src/commands/credentials/token-places.ts";
import { joined } from "../../../../src/core/plan.ts";
import { hint } from "../../../../src/errors/hint.ts";
import type { Secret } from "../../../../src/secret/secret.ts";
import {
  DOCTL_CONFIG,
  type Entry,
  facts,
  filesOf,
  planned,
  secretFrom,
  textsAfter,
} from "../../../fixtures/facts.ts";
import { OTHER, PERSONAL, secret } from "../../samples.ts";

const NEW = PERSONAL.replaceAll("0", "9");
const written = (text: string) => text.replaceAll("OLD", PERSONAL).replaceAll("NEW", NEW);
const BROKEN_PLAN = { text: Buffer.from(zipSync({ tfplan: Buffer.from("x") })).subarray(0, 60) };
const CLOCK = { now: () => 0, sleep: async () => {} };

/** What rotate and logout change in these files, and what they report as left. */
async function outcome(entries: Readonly<Record<string, Entry>>, token: Secret | undefined) {
  const given = {
    config: "doctl: false",
    files: { ".env": undefined, ...entries },
  };
  const known = await facts(given);
  const host = { files: filesOf(given), steadyClock: CLOCK, home: "/home/sammy" };
  const olds = [secret()];
  const places = await readPlaces(host, known);
  const tree = await searchTree(host, known, olds);
  const others = await placesFound(host, holdersIn(tree), places);
  const plan = joined([
    ...naming(others, olds).map((held) =>
      changesOf(changePlace(known, held, token && (() => token))),
    ),
    ...naming(places, olds).map((held) => changePlace(known, held, token && (() => token))),
  ]);
  const left = leftBehind(treeAfter(tree, plan.changes, olds), places, {
    what: "It",
    todo: hint`Take it out.`,
  });
  return { texts: textsAfter(plan), left, plan };
}

describe("a secret file with the token outside a value of its own", () => {
  it.each<readonly [name: string, text: string, rotated: string, loggedOut: string]>([
    [".env", "#T=OLD\r\nT=OLD\r\n", "#T=NEW\r\nT=NEW\r\n", "#T=\r\n"],
    [".env", "A='Bearer OLD'\n", "A='Bearer NEW'\n", "A='Bearer '\n"],
    [".env", "A=https://OLD:OLD@x # OLD\n", "A=https://NEW:NEW@x # NEW\n", "A=https://:@x # \n"],
    [".env", 'A="x\nOLD y\n"\n', 'A="x\nNEW y\n"\n', 'A="x\n y\n"\n'],
    ["x/.env.prod", "export T=OLD\n", "export T=NEW\n", ""],
    [".envrc", "export T=OLD # OLD\n", "export T=NEW # NEW\n", "export T= # \n"],
    ["x/.envrc", "cmd --token OLD\n", "cmd --token NEW\n", "cmd --token \n"],
    ["x/a.tfvars", '# OLD\na = "x-OLD"\n', '# NEW\na = "x-NEW"\n', '# \na = "x-"\n'],
    ["x/a.tfvars.json", '{"a": "x OLD", "b": 1}', '{"a": "x NEW", "b": 1}', '{"a": "x ", "b": 1}'],
    // Invalid JSON: values cannot be edited, but the token is replaced.
    ["x/b.tfvars.json", '{"a": "x OLD",', '{"a": "x NEW",', '{"a": "x ",'],
  ])("%s: %j", async (name, text, rotated, loggedOut) => {
    const entries = { [name]: written(text) };
    for (const [token, expected] of [
      [secretFrom("stdin", NEW), rotated],
      [undefined, loggedOut],
    ] as const) {
      const { texts, left, plan } = await outcome(entries, token);
      expect(texts).toEqual({ [name]: written(expected) });
      expect(left).toEqual([]);
      const shownText = JSON.stringify(plan.changes.map((change) => change.diff()));
      for (const value of [PERSONAL, NEW]) expect(shownText).not.toContain(value);
    }
  });

  it("a file that had a secret is not meant for other clones", async () => {
    const { plan } = await outcome({ ".env": written("#T=OLD\n") }, undefined);
    expect(plan.changes.map(({ isForClones }) => isForClones)).toEqual([false]);
  });
});

describe("what still contains the token is reported", () => {
  it.each<
    readonly [what: string, entries: Readonly<Record<string, Entry>>, left: readonly string[]]
  >([
    ["nothing", { ".env": "T=OLD\n", "a.md": OTHER }, []],
    ["a text", { "a.md": "x\nOLD OLD\nOLD\n" }, ["/repo/a.md:2,3"]],
    ["a backup", { ".env~": "T=OLD" }, ["/repo/.env~:1"]],
    ["an example", { ".env.example": "T=OLD" }, ["/repo/.env.example:1"]],
    [
      "a form that is not edited",
      { ".env": `A=${PERSONAL.replace("_", "%5f")}\n` },
      ["/repo/.env:1"],
    ],
    ["a binary file", { "x/.env.swp": "\0OLD\0" }, ["/repo/x/.env.swp:1"]],
    ["a list that would break", { "x/a.tfvars": 'a = ["OLD"]\n' }, ["/repo/x/a.tfvars:1"]],
    ["a state", { "terraform.tfstate": '{"t":"OLD"}' }, ["/repo/terraform.tfstate:1"]],
    ["another module's code", { "x/main.tf": 'token = "OLD"\n' }, ["/repo/x/main.tf:1"]],
    ["a plan that cannot be unpacked", { "x/a.bin": BROKEN_PLAN }, ["/repo/x/a.bin"]],
    ["an unreadable file", { "a.md": { unusable: "x" } }, ["/repo/a.md"]],
    // Another finding reports it.
    ["an env file that cannot be read", { ".env": { unusable: "x" } }, []],
    ["a link to a file outside the repo", { a: { text: "OLD", leadsTo: "/else" } }, []],
  ])("%s", async (_, entries, expected) => {
    const all = Object.entries(entries).map(([name, entry]) => [
      name,
      typeof entry === "string" ? written(entry) : entry,
    ]);
    const { left } = await outcome(Object.fromEntries(all), undefined);
    const placeIn = (message: string) =>
      /is (?:still )?in (\S+)\.$/.exec(message)?.[1] ??
      /^Could not search (\S+) for the token: it is /.exec(message)?.[1];
    expect(left.map(({ message }) => placeIn(message))).toEqual(expected);
    expect(left.every(({ level }) => level === "warning")).toBe(true);
  });

  it.each<readonly [what: string, given: Parameters<typeof facts>[0], where: string | undefined]>([
    ["nothing", { env: { A: "x" } }, undefined],
    ["a variable of the shell", { env: { A: ` ${PERSONAL}\n` } }, "A in this shell"],
    [
      "a doctl context, which has its own change",
      { files: { [DOCTL_CONFIG]: `access-token: ${PERSONAL}\n` } },
      undefined,
    ],
    [
      "a comment of doctl's config",
      { files: { [DOCTL_CONFIG]: `# ${PERSONAL}\naccess-token: ${PERSONAL}\n` } },
      "outside its contexts",
    ],
    [
      "another key of doctl's config",
      { files: { [DOCTL_CONFIG]: `x: { y: ${PERSONAL} }\n` } },
      "outside its contexts",
    ],
  ])("outside the repo: %s", async (_, given, where) => {
    const left = leftOutside(await facts(given), [secret()], {
      what: "It",
      todo: hint`Take it out.`,
    });
    expect(left.map(({ message }) => message)).toEqual(
      where === undefined ? [] : [expect.stringContaining(where)],
    );
  });

  it("names 20 of 30 files and counts the rest", async () => {
    const entries = Object.fromEntries(
      Array.from({ length: 30 }, (_, at) => [`n${at}.md`, PERSONAL]),
    );
    const { left } = await outcome(entries, undefined);
    expect(left).toHaveLength(21);
    expect(left.at(-1)?.message).toContain("10 more files");
  });

  it("a file found only by search does not stop the change if it can't be edited", async () => {
    const { plan } = await outcome(
      { ".env": written("T=OLD\n"), "x/a.tfvars": written('a = ["OLD"]\n') },
      undefined,
    );
    expect(planned(plan)).toEqual(["~ .env removal 0600"]);
  });
});
