import { describe, expect, it } from "vitest";
import { judgeTracked } from "../../../../src/concerns/terraform/tracked.ts";
import { facts, type Given, MISSING } from "../../../fixtures/facts.ts";
import { said } from "../../../fixtures/hint.ts";

const SECRET = "infra/do-bootstrap.secret.auto.tfvars.json";
const STATE = "infra/terraform.tfstate";
const S3 = 'terraform {\n  backend "s3" {}\n}\n';
const FULL = '{"resources":[{}]}';

async function judge(given: Given) {
  const known = await facts({ config: "terraform: { dir: infra }", ...given });
  return known.terraform.roots.flatMap((root) => judgeTracked(known, root));
}

describe("files that git tracks", () => {
  it.each<[name: string, given: Given, expected: readonly string[]]>([
    ["nothing", { files: { [STATE]: FULL } }, []],
    ["a state", { tracked: [STATE] }, [STATE]],
    ["a state that is not on the disk (sparse)", { tracked: ["infra/tfplan"] }, ["infra/tfplan"]],
    [
      "a state and its backup: one finding",
      { tracked: [STATE, `${STATE}.backup`] },
      [`${STATE}, /repo/${STATE}.backup`],
    ],
    [
      "a state with another name",
      { files: { "infra/prod.tfstate": "{}" }, tracked: ["infra/prod.tfstate"] },
      ["infra/prod.tfstate"],
    ],
    [
      "a plan with another name",
      { files: { "infra/out.plan": "" }, tracked: ["infra/out.plan"] },
      ["infra/out.plan"],
    ],
    ["the .terraform folder", { tracked: ["infra/.terraform"] }, ["infra/.terraform"]],
    [
      "code with a similar name",
      { files: { "infra/tfplan-role.tf": "" }, tracked: ["infra/tfplan-role.tf"] },
      [],
    ],
    ["a state in a folder that is not a root", { tracked: ["old/terraform.tfstate"] }, []],
    ["outside git", { git: false, files: { [STATE]: FULL } }, []],
  ])("%s", async (_, given, expected) => {
    const found = await judge(given);
    expect(found.map(({ message }) => message)).toEqual(
      expected.map((paths) => expect.stringContaining(`git tracks /repo/${paths}. Adding `)),
    );
    expect(new Set(found.map(({ id }) => id)).has("terraform.state-tracked")).toBe(
      expected.length > 0,
    );
  });

  it.each<[name: string, given: Given]>([
    ["up to date or not", { tracked: [SECRET] }],
    ["without a token to write", { tracked: [SECRET], token: MISSING }],
    [
      "if the config does not use it",
      { tracked: [SECRET], config: "terraform: { dir: infra, credentials: env }" },
    ],
    ["next to code that can't be parsed", { tracked: [SECRET], files: { "infra/a.tf": "a {" } }],
  ])("a tracked secret file is an error: %s", async (_, given) => {
    expect((await judge(given)).map(({ id }) => id)).toEqual(["terraform.secret-tracked"]);
  });

  it.each<[name: string, given: Given, steps: RegExp]>([
    [
      "the only copy",
      { files: { [STATE]: FULL, "infra/a.tf": "" }, tracked: [STATE] },
      /^First move the state.*terraform\.backend.*-migrate-state.*git rm --cached infra\/terraform\.tfstate, then commit/,
    ],
    [
      "what is left of a migrated state",
      { files: { [STATE]: FULL, "infra/a.tf": S3 }, tracked: [STATE] },
      /^git rm --cached infra\/terraform\.tfstate, then commit\. Replace every secret in it/,
    ],
    [
      "an empty state",
      { files: { [STATE]: "{}", "infra/a.tf": "" }, tracked: [STATE] },
      /^git rm --cached/,
    ],
    [
      "another spelling in the index",
      { tracked: ["infra/.terraform"], indexed: { "infra/.terraform": "Infra/.terraform" } },
      /^git rm -r --cached Infra\/\.terraform,/,
    ],
    ["a folder", { tracked: ["infra/.terraform"] }, /^git rm -r --cached infra\/\.terraform,/],
    [
      "in a nested repo",
      { nested: "infra", tracked: [STATE], files: { "infra/a.tf": S3 } },
      /^git -C infra rm --cached -- terraform\.tfstate,/,
    ],
    [
      "another spelling in the index of a nested repo",
      {
        ...{ nested: "infra", tracked: [STATE], files: { "infra/a.tf": S3 } },
        indexed: { [STATE]: "infra/Terraform.tfstate" },
      },
      /^git -C infra rm --cached -- Terraform\.tfstate,/,
    ],
  ])("how to fix it: %s", async (_, given, steps) => {
    const [found] = await judge(given);
    expect(said(found?.fix, { cwd: "/repo" })).toMatch(steps);
  });
});
