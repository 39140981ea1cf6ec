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

describe("what git has already", () => {
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
      "a state of another name",
      { files: { "infra/prod.tfstate": "{}" }, tracked: ["infra/prod.tfstate"] },
      ["infra/prod.tfstate"],
    ],
    [
      "a plan of another name",
      { files: { "infra/out.plan": "" }, tracked: ["infra/out.plan"] },
      ["infra/out.plan"],
    ],
    ["Terraform's own folder", { tracked: ["infra/.terraform"] }, ["infra/.terraform"]],
    [
      "code with such a name",
      { files: { "infra/tfplan-role.tf": "" }, tracked: ["infra/tfplan-role.tf"] },
      [],
    ],
    ["a state of a folder that is no root", { tracked: ["old/terraform.tfstate"] }, []],
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
      "where config does not use it",
      { tracked: [SECRET], config: "terraform: { dir: infra, credentials: env }" },
    ],
    ["beside code that is not understood", { tracked: [SECRET], files: { "infra/a.tf": "a {" } }],
  ])("the file that is to hold the token: an error, %s", async (_, given) => {
    expect((await judge(given)).map(({ id }) => id)).toEqual(["terraform.secret-tracked"]);
  });

  it.each<[name: string, given: Given, steps: RegExp]>([
    [
      "the only copy",
      { files: { [STATE]: FULL, "infra/a.tf": "" }, tracked: [STATE] },
      /^First move the state.*terraform\.backend.*-migrate-state.*git rm --cached infra\/terraform\.tfstate, then commit/,
    ],
    [
      "what is left of one that was moved",
      { files: { [STATE]: FULL, "infra/a.tf": S3 }, tracked: [STATE] },
      /^git rm --cached infra\/terraform\.tfstate, then commit\. Replace every secret in it/,
    ],
    [
      "an empty one",
      { files: { [STATE]: "{}", "infra/a.tf": "" }, tracked: [STATE] },
      /^git rm --cached/,
    ],
    ["a folder", { tracked: ["infra/.terraform"] }, /^git rm -r --cached infra\/\.terraform,/],
    [
      "in a repo of its own",
      { nested: "infra", tracked: [STATE], files: { "infra/a.tf": S3 } },
      /^git -C infra rm --cached -- terraform\.tfstate,/,
    ],
  ])("how to fix it: %s", async (_, given, steps) => {
    const [found] = await judge(given);
    expect(said(found?.fix, { cwd: "/repo" })).toMatch(steps);
  });
});
