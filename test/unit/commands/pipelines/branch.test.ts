import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import {
  type Branches,
  branchPattern,
  chooseBranch,
  defaultBranch,
  readBranches,
} from "../../../../src/commands/pipelines/branch.ts";
import { generate } from "../../../../src/core/generated.ts";
import { said } from "../../../fixtures/hint.ts";

/**
 * Notation of the tables: "main*" is checked out, "origin/x" is on the remote, "origin/HEAD=x" is its
 * default branch, "(new)*" is checked out and has no commit yet.
 */
function branches(...words: readonly string[]): Branches {
  const lines = words
    .filter((word) => !word.startsWith("("))
    .map((word) => {
      const [name = "", target] = word.replace(/\*$/, "").split("=");
      const isRemote = /^(origin|fork|up\/stream|upstream)\//.test(name);
      const ref = `refs/${isRemote ? "remotes" : "heads"}/${name}`;
      const symref = target === undefined ? "" : ref.replace(/HEAD$/, target);
      return [ref, symref, word.endsWith("*") ? "*" : " "].join("\0");
    });
  const found = readBranches(lines.map((line) => `${line}\n`).join(""));
  const [, unborn] = /^\((.+)\)\*$/.exec(words[0] ?? "") ?? [];
  return unborn === undefined ? found : { ...found, current: unborn };
}

describe("the default branch, from git's refs", () => {
  it.each<[name: string, words: string, branch: string, isKnown: boolean]>([
    ["a clone of a repo on master", "master* origin/HEAD=master origin/master", "master", true],
    ["a feature branch", "fix* origin/HEAD=trunk origin/trunk origin/main", "trunk", true],
    ["an unusual name", "x* origin/HEAD=production origin/production", "production", true],
    ["a name with slashes", "x* origin/HEAD=release/1.x origin/release/1.x", "release/1.x", true],
    ["the only remote has another name", "x* upstream/HEAD=dev upstream/dev", "dev", true],
    ["a remote whose name has a slash", "x* up/stream/HEAD=dev up/stream/dev", "dev", true],
    ["two remotes: origin's", "x* fork/HEAD=main origin/HEAD=master", "master", true],
    ["two remotes that agree, without origin", "x* fork/HEAD=dev upstream/HEAD=dev", "dev", true],
    ["two remotes that disagree", "x* fork/HEAD=a upstream/HEAD=b fork/master", "master", true],
    ["fetched, not cloned: only master", "x* origin/master origin/fix", "master", true],
    ["fetched, not cloned: only develop", "x* origin/develop origin/x", "develop", true],
    ["main and develop, main checked out", "main* origin/main origin/develop", "main", false],
    [
      "main and develop, develop checked out",
      "develop* origin/main origin/develop",
      "develop",
      false,
    ],
    ["main and develop, another checked out", "x* origin/develop origin/main", "main", false],
    ["no common name on the remote", "prod* origin/prod origin/main2", "prod", false],
    ["a branch whose last part is a common name", "x* origin/feature/main", "x", false],
    ["main here, master on the remote", "main* origin/master", "master", true],
    ["no remote: master", "master*", "master", true],
    ["no remote: another is checked out", "main fix*", "main", true],
    ["no remote and no common name", "prod*", "prod", false],
    ["no remote, main and master", "main master*", "master", false],
    ["before the first commit", "(trunk)*", "trunk", true],
    ["before the first commit, unusual name", "(prod)*", "prod", false],
    ["no branch is checked out", "", "main", false],
  ])("%s", (_, words, name, isKnown) => {
    expect(defaultBranch(branches(...words.split(" ").filter(Boolean)))).toEqual({ name, isKnown });
  });
});

describe("the branch of the pipeline", () => {
  const CLONE = ["main*", "local", "origin/HEAD=main", "origin/main", "origin/prod"];
  const choose = (words: readonly string[], wanted?: string) =>
    chooseBranch(branches(...words), { wanted, existing: "" });

  it.each<[name: string, words: readonly string[], wanted: string | undefined, id: string]>([
    ["the default", CLONE, undefined, ""],
    ["a branch on the remote", CLONE, "prod", ""],
    ["a local branch", CLONE, "local", ""],
    ["the remote's default, whose ref is gone", ["origin/HEAD=gone", "x*"], "gone", ""],
    ["an unknown branch", CLONE, "prd", "ci.no-branch"],
    ["a branch with the remote's name before it", CLONE, "origin/prod", "ci.no-branch"],
    ["a name in another case", CLONE, "Main", "ci.no-branch"],
    ["an unknown branch, without a remote", ["main*"], "prod", "ci.no-branch"],
    ["any branch before the first commit", ["(main)*"], "prod", ""],
    ["an unknown default", ["x*", "origin/main", "origin/master"], undefined, "ci.branch-unknown"],
  ])("%s", (_, words, wanted, id) => {
    const { findings } = choose(words, wanted);
    expect(findings.map((each) => each.id)).toEqual(id === "" ? [] : [id]);
  });

  it.each<[name: string, written: string, ids: readonly string[]]>([
    ["exists", "prod", []],
    ["is unknown, as in a single-branch checkout", "gone", ["ci.branch-unknown"]],
    ["has unusual characters that git allows", "c++'\"]#\u{1f680}", ["ci.branch-unknown"]],
  ])("the branch in the existing file %s", (_, name, ids) => {
    const line = `  push:\n    branches: [${branchPattern(name)}]\n`;
    const existing = generate(`# template: 2\n${line}`, {});
    const { branch, findings } = chooseBranch(branches(...CLONE), { wanted: undefined, existing });
    expect([branch, findings.map(({ id }) => id)]).toEqual([name, ids]);
  });

  it.each(["a${{b}}", "a b", "-a"])("the existing file's branch %j is not used", (name) => {
    const existing = generate(`# template: 2\n    branches: ["${name}"]\n`, {});
    expect(chooseBranch(branches(...CLONE), { wanted: undefined, existing }).branch).toBe("main");
  });

  it.each<[words: readonly string[], wanted: string | undefined, step: string]>([
    [CLONE, "prd", "ci github --branch main"],
    [CLONE, "prd", "git fetch origin prd:refs/remotes/origin/prd"],
    [["fork/x", "x*"], "prd", "git fetch fork prd:"],
    [["main*"], "prd", "git branch prd"],
    [["x*", "fork/main", "fork/master"], undefined, "git remote set-head fork --auto"],
    [["prod*"], undefined, "ci github --branch NAME"],
  ])("how to fix it: %j, %j", (words, wanted, step) => {
    const [finding] = choose(words, wanted).findings;
    expect(said(finding?.fix, { cwd: "/repo" })).toContain(step);
  });

  it.each([
    ..."~ ^ : ? * [ \\".split(" ").map((each) => `a${each}b`),
    ...["a b", "a..b", "a@{b", "-a", "/a", "a/", "a//b", "a/.b", "a.lock", "a.", "@", "a\nb", ""],
    ...["a${{b}}", "a\uFFFD"],
  ])("%j is refused", (name) => {
    expect(() => choose(CLONE, name)).toThrow(
      /is not a valid branch name|is not supported in a pipeline/,
    );
  });
});

describe("a branch name from the repo", () => {
  it.each([
    ["main", '"main"'],
    ["1.10", '"1.10"'],
    ["release/1.x", '"release/1.x"'],
    ['a"]', '"a\\"]"'],
    ["a'#&,|>{}%@`$(id)", '"a\'#&,|>{}%@`$(id)"'],
    ["c++", '"c\\\\+\\\\+"'],
    ["!a!", '"\\\\!a!"'],
    ["ünï", '"\\U000000fcn\\U000000ef"'],
    ["🚀", '"\\U0001f680"'],
    ["a\u2028on", '"a\\U00002028on"'],
    ["a\u202eb", '"a\\U0000202eb"'],
    ["{{name}}", '"{{name}}"'],
  ])("%j stays in its quotes", (name, written) => {
    expect(branchPattern(name)).toBe(written);
    const [pattern] = parse(`branches: [${written}]\n`).branches;
    // GitHub removes the backslashes.
    expect(pattern.replace(/\\(.)/g, "$1")).toBe(name);
  });
});
