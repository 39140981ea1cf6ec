import { describe, expect, it } from "vitest";
import { planGitignore } from "../../../../src/concerns/git/plan.ts";
import { afterwards, facts, type Given, planned } from "../../../fixtures/facts.ts";
import { said } from "../../../fixtures/hint.ts";

const plan = async (given: Given) => planGitignore(await facts(given));
const STATE = { config: "terraform: {}", notIgnored: ["infra/terraform.tfstate"] };
const OUTSIDE = { leadsTo: "/elsewhere/.gitignore", text: "" };

describe("what .gitignore lacks", () => {
  it.each<[string, Given, readonly string[]]>([
    ["nothing", {}, []],
    ["nothing, whatever its text says: git has the last word", { files: { ".gitignore": "" } }, []],
    ["the env file", { notIgnored: [".env"] }, ["~ .gitignore"]],
    [
      "it is not there yet",
      { notIgnored: [".env"], files: { ".gitignore": undefined } },
      ["+ .gitignore"],
    ],
    ["our temporary files", { notIgnored: [".env.do-bootstrap-0.local"] }, ["~ .gitignore"]],
    ["a state in a root", STATE, ["~ .gitignore"]],
    [
      "a plan in the second root",
      { config: "terraform: [{ dir: a }, { dir: b }]", notIgnored: ["b/tfplan"] },
      ["~ .gitignore"],
    ],
    [
      "the env file of another environment",
      {
        config: "environments: { prod: { token: { envFile: .env.prod } } }",
        notIgnored: [".env.prod"],
      },
      ["~ .gitignore"],
    ],
    [
      "a pattern that is there, and another that lets the file in",
      { notIgnored: [".env"], files: { ".gitignore": ".env\n!.env\n" } },
      ["error git.not-ignored"],
    ],
    [
      "the same, and one that is not there: nothing is written before the first is fixed",
      { notIgnored: [".env", ".env.local"], files: { ".gitignore": ".env\r\n!.env\r\n" } },
      ["error git.not-ignored"],
    ],
    [
      "what a repo inside this one would take: its .gitignore is not ours to write",
      { ...STATE, nested: "infra" },
      ["error git.not-ignored"],
    ],
    [
      "the same, and our pattern is there, which does not reach into it",
      { ...STATE, nested: "infra", files: { ".gitignore": "*.tfstate*\n" } },
      ["error git.not-ignored"],
    ],
    ["a repo inside this one that ignores all", { config: "terraform: {}", nested: "infra" }, []],
    [
      "what the user's own rules alone ignore: colleagues have no such rule",
      { ignoredHere: [".env"] },
      ["~ .gitignore"],
    ],
    [
      "the same, and the line is there: the rule hides the whole folder",
      { ignoredHere: [".env"], files: { ".gitignore": ".env\n" } },
      [],
    ],
    [
      "the same in a repo inside this one",
      { config: "terraform: {}", nested: "infra", ignoredHere: ["infra/tfplan"] },
      [],
    ],
    [
      "a .gitignore that git ignores",
      { notIgnored: ["infra/tfplan"], config: "terraform: {}", ignored: [".gitignore"] },
      ["info git.rules-ignored", "~ .gitignore"],
    ],
    [
      "the same, and git has it",
      { notIgnored: [".env"], ignored: [".gitignore"], tracked: [".gitignore"] },
      ["~ .gitignore"],
    ],
    [
      "a .gitignore that git ignores, and that has no lines of ours",
      { ignored: [".gitignore"] },
      [],
    ],
    [
      "what a tracked file is called: git ignores it all the same, and its finding is another",
      { tracked: [".env"] },
      [],
    ],
  ])("%s", async (_, given, expected) => {
    expect(planned(await plan(given))).toEqual(expected);
  });
});

it("an overruled pattern is shown by the file that git would take", async () => {
  const config = "terraform: [{ dir: a }, { dir: b }]";
  const files = { ".gitignore": "*.tfplan\n!b/*.tfplan\n" };
  const { findings } = await plan({ config, files, notIgnored: ["b/plan.tfplan"] });
  expect(findings?.map(({ where }) => where)).toEqual(["/repo/b/plan.tfplan"]);
});

describe("outside git the text decides", () => {
  it.each<[string, Given, readonly string[]]>([
    ["without our lines", {}, ["info git.none", "~ .gitignore"]],
    [
      "with them",
      { files: { ".gitignore": ".env\n .env.local \n.env.*.local" } },
      ["info git.none"],
    ],
    ["with some of them", { files: { ".gitignore": ".env\n" } }, ["info git.none", "~ .gitignore"]],
  ])("%s", async (_, given, expected) => {
    expect(planned(await plan({ git: false, ...given }))).toEqual(expected);
  });
});

describe("a .gitignore that cannot be written", () => {
  it.each<[string, Given, readonly string[]]>([
    [
      "a directory",
      { files: { ".gitignore": { unusable: "a directory" } } },
      ["error file.unusable"],
    ],
    ["a FIFO", { files: { ".gitignore": { fifo: "" } } }, ["error file.unusable"]],
    ["UTF-16", { files: { ".gitignore": { text: Buffer.from("a\0") } } }, ["error file.unusable"]],
    ["a link out of the repo", { files: { ".gitignore": OUTSIDE } }, ["error file.outside"]],
    [
      "a link into git's own folder",
      { files: { ".gitignore": { leadsTo: "/repo/.GIT/config", text: "" } } },
      ["error file.in-git"],
    ],
    [
      "a link into another repo's, with --force",
      { files: { ".gitignore": { leadsTo: "/other/.git/hooks/x", text: "" } } },
      ["error file.in-git"],
    ],
    ["a folder that is read-only", { readOnly: ["."] }, ["error file.not-writable"]],
  ])("%s", async (_, given, expected) => {
    expect(planned(await plan({ notIgnored: [".env"], ...given }))).toEqual(expected);
    // Where nothing is to be written, it does not matter.
    expect(planned(await plan(given))).toEqual([]);
  });
});

it.each<[string, Given, string]>([
  [
    "another pattern",
    { notIgnored: [".env"], files: { ".gitignore": ".env\n!.env\n" } },
    "git check-ignore -v --no-index .env",
  ],
  ["a repo of its own, by its own pattern", { ...STATE, nested: "infra" }, "*.tfstate*"],
  [
    "a repo of its own with an env file, by its place there",
    { config: "token: { envFile: app/.env }", nested: "app", notIgnored: ["app/.env"] },
    ": .env",
  ],
  ["no repo", { git: false }, "git init"],
])("how to fix it: %s", async (_, given, step) => {
  const [finding] = (await plan(given)).findings ?? [];
  expect(said(finding?.fix, { cwd: "/repo" })).toContain(step);
});

it.each<[string, Given]>([
  ["LF", { files: { ".gitignore": "a\n" } }],
  ["CRLF", { files: { ".gitignore": "a\r\n" } }],
  ["no last newline", { files: { ".gitignore": "a" } }],
  ["none", { files: { ".gitignore": undefined } }],
])("outside git, nothing is left to add after the change: %s", async (_, given) => {
  const before = { git: false, config: "terraform: {}", ...given } as const;
  expect(planned(await plan(afterwards(before, await plan(before))))).toEqual(["info git.none"]);
});
