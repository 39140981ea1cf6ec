import { describe, expect, it } from "vitest";
import { planGitignore } from "../../../../src/concerns/git/plan.ts";
import { afterwards, facts, type Given, planned } from "../../../fixtures/facts.ts";
import { said } from "../../../fixtures/hint.ts";

const plan = async (given: Given) => planGitignore(await facts(given));
const STATE = { config: "terraform: {}", notIgnored: ["infra/terraform.tfstate"] };
const OUTSIDE = { leadsTo: "/elsewhere/.gitignore", text: "" };

describe("rules that .gitignore is missing", () => {
  it.each<[string, Given, readonly string[]]>([
    ["nothing", {}, []],
    [
      "nothing, as git ignores the files, although .gitignore is empty",
      { files: { ".gitignore": "" } },
      [],
    ],
    ["the env file", { notIgnored: [".env"] }, ["~ .gitignore"]],
    [
      "the env file, and there is no .gitignore yet",
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
      "a pattern that a later one negates",
      { notIgnored: [".env"], files: { ".gitignore": ".env\n!.env\n" } },
      ["error git.not-ignored"],
    ],
    [
      "a negated pattern and a missing one: no change before the first is fixed",
      { notIgnored: [".env", ".env.local"], files: { ".gitignore": ".env\r\n!.env\r\n" } },
      ["error git.not-ignored"],
    ],
    [
      "a file in a nested repo, whose .gitignore we do not edit",
      { ...STATE, nested: "infra" },
      ["error git.not-ignored"],
    ],
    [
      "a file in a nested repo, which our pattern does not cover",
      { ...STATE, nested: "infra", files: { ".gitignore": "*.tfstate*\n" } },
      ["error git.not-ignored"],
    ],
    ["a nested repo that ignores the files", { config: "terraform: {}", nested: "infra" }, []],
    ["a file that only the user's own rules ignore", { ignoredHere: [".env"] }, ["~ .gitignore"]],
    [
      "a file that only the user's own rules ignore, with the line present",
      { ignoredHere: [".env"], files: { ".gitignore": ".env\n" } },
      [],
    ],
    [
      "a file in a nested repo that only the user's own rules ignore",
      { config: "terraform: {}", nested: "infra", ignoredHere: ["infra/tfplan"] },
      [],
    ],
    [
      "a .gitignore that git ignores",
      { notIgnored: ["infra/tfplan"], config: "terraform: {}", ignored: [".gitignore"] },
      ["info git.rules-ignored", "~ .gitignore"],
    ],
    [
      "a .gitignore that git ignores and tracks",
      { notIgnored: [".env"], ignored: [".gitignore"], tracked: [".gitignore"] },
      ["~ .gitignore"],
    ],
    ["a .gitignore that git ignores, with nothing to add", { ignored: [".gitignore"] }, []],
    ["nothing for a tracked env file, which has its own finding", { tracked: [".env"] }, []],
  ])("%s", async (_, given, expected) => {
    expect(planned(await plan(given))).toEqual(expected);
  });
});

it("a negated pattern is reported with the file that git does not ignore", async () => {
  const config = "terraform: [{ dir: a }, { dir: b }]";
  const files = { ".gitignore": "*.tfplan\n!b/*.tfplan\n" };
  const { findings } = await plan({ config, files, notIgnored: ["b/plan.tfplan"] });
  expect(findings?.map(({ where }) => where)).toEqual(["/repo/b/plan.tfplan"]);
});

describe("outside git, the text of .gitignore decides", () => {
  it.each<[string, Given, readonly string[]]>([
    ["without our lines", {}, ["info git.none", "~ .gitignore"]],
    [
      "with our lines",
      { files: { ".gitignore": ".env\n .env.local \n.env.*.local" } },
      ["info git.none"],
    ],
    [
      "with some of our lines",
      { files: { ".gitignore": ".env\n" } },
      ["info git.none", "~ .gitignore"],
    ],
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
    ["a link to outside the repo", { files: { ".gitignore": OUTSIDE } }, ["error file.outside"]],
    [
      "a link into the .git folder",
      { files: { ".gitignore": { leadsTo: "/repo/.GIT/config", text: "" } } },
      ["error file.in-git"],
    ],
    [
      "a link into another repo's .git folder",
      { files: { ".gitignore": { leadsTo: "/other/.git/hooks/x", text: "" } } },
      ["error file.in-git"],
    ],
    ["a read-only folder", { readOnly: ["."] }, ["error file.not-writable"]],
  ])("%s", async (_, given, expected) => {
    expect(planned(await plan({ notIgnored: [".env"], ...given }))).toEqual(expected);
    // It is no error if nothing has to be written.
    expect(planned(await plan(given))).toEqual([]);
  });
});

it.each<[string, Given, string]>([
  [
    "a pattern that negates ours",
    { notIgnored: [".env"], files: { ".gitignore": ".env\n!.env\n" } },
    "git check-ignore -v --no-index .env",
  ],
  ["a nested repo, with the pattern to add", { ...STATE, nested: "infra" }, "*.tfstate*"],
  [
    "a nested repo with an env file, with the path inside it",
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
  ["no .gitignore", { files: { ".gitignore": undefined } }],
])("outside git, nothing is left to add after the change: %s", async (_, given) => {
  const before = { git: false, config: "terraform: {}", ...given } as const;
  expect(planned(await plan(afterwards(before, await plan(before))))).toEqual(["info git.none"]);
});
