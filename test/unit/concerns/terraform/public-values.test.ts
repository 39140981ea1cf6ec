import { describe, expect, it } from "vitest";
import { planPublicVariables } from "../../../../src/concerns/terraform/public-values.ts";
import { joined } from "../../../../src/core/plan.ts";
import { facts, type Given, planned, textsAfter } from "../../../fixtures/facts.ts";

const VALUES = "infra/do-bootstrap.auto.tfvars.json";
const CODE = "infra/do-bootstrap.tf";
const DONE = { [VALUES]: '{\n  "region": "nyc3"\n}\n' };
const BLOCK = "# do-bootstrap: keep secrets and state out of git\n.env\n# do-bootstrap: end\n";
const LEFT = ["warning terraform.values-ignored"];
const CONFIG = "terraform: { dir: infra, variables: { region: nyc3 } }";

async function plan(given: Given) {
  const known = await facts({ config: CONFIG, ...given });
  return joined(known.terraform.roots.map((root) => planPublicVariables(known, root)));
}

describe("the values of terraform.variables", () => {
  it.each<[string, Given, readonly string[]]>([
    ["git does not ignore them", {}, [`+ ${VALUES}`]],
    ["are up to date", { files: DONE }, []],
    ["are not in the config", { config: "terraform: { dir: infra }", ignored: [VALUES] }, []],
    ["git ignores them", { ignored: [VALUES] }, [`+ ${VALUES}`, "~ .gitignore"]],
    [
      "git ignores them, and they are up to date",
      { files: DONE, ignored: [VALUES] },
      ["~ .gitignore"],
    ],
    ["git ignores and tracks them", { files: DONE, ignored: [VALUES], tracked: [VALUES] }, []],
    ["git ignores them and the code", { ignored: [VALUES, CODE] }, [`+ ${VALUES}`]],
    ["outside git", { git: false, ignored: [VALUES] }, [`+ ${VALUES}`]],
    [
      "git ignores them because of a line after ours",
      {
        files: { ...DONE, ".gitignore": "!/infra/do-bootstrap.auto.tfvars.json\n*.json\n" },
        ignored: [VALUES],
      },
      LEFT,
    ],
    [
      "git ignores them, and the file also has the user's values",
      { files: { [VALUES]: '{\n  "password": "x",\n  "region": "nyc3"\n}\n' }, ignored: [VALUES] },
      LEFT,
    ],
    [
      "git ignores them and the config",
      { files: DONE, ignored: [VALUES, "do-bootstrap.config.yaml"] },
      LEFT,
    ],
    [
      "git ignores them, and .gitignore cannot be written",
      { files: { ...DONE, ".gitignore": { fifo: "" } }, ignored: [VALUES] },
      LEFT,
    ],
    [
      "git ignores them, and the folder is read-only",
      { files: DONE, readOnly: ["."], ignored: [VALUES] },
      ["error file.not-writable"],
    ],
  ])("%s", async (_, given, expected) => {
    expect(planned(await plan(given))).toEqual(expected);
  });

  it("two roots: our block gets a line for each root's file", async () => {
    const roots = ["a", "b [x]"];
    const dirs = roots.map((dir) => `{ dir: "${dir}", variables: { x: 1 } }`);
    const ignored = roots.map((dir) => `${dir}/do-bootstrap.auto.tfvars.json`);
    const files = { ".gitignore": `*.json\n${BLOCK}` };
    const texts = textsAfter(await plan({ config: `terraform: [${dirs}]`, ignored, files }));
    const lines = ["!/a/", "!/b \\[x\\]/"].map((each) => `${each}do-bootstrap.auto.tfvars.json\n`);
    const end = "# do-bootstrap: end";
    expect(texts[".gitignore"]).toBe(`*.json\n${BLOCK.replace(end, lines.join("") + end)}`);
  });
});
