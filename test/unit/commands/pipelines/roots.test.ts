import { expect, it } from "vitest";
import { judgeRoots, toolOf, toolVersions } from "../../../../src/commands/pipelines/roots.ts";
import { facts } from "../../../fixtures/facts.ts";

const BACKEND = 'terraform {\n  backend "s3" {}\n}\n';
const NEWEST = /^1\.\d+\.\d+$/;

it.each<
  [
    what: string,
    files: Readonly<Record<string, string | undefined>>,
    tool: string,
    version: string | RegExp,
    ids: readonly string[],
  ]
>([
  ["no version file", {}, "terraform", NEWEST, ["ci.to-do"]],
  ["tfenv's file", { ".terraform-version": "1.9.8" }, "terraform", "1.9.8", []],
  ["asdf's file", { ".tool-versions": "terraform 1.9.8\n" }, "terraform", "1.9.8", []],
  ["mise's file", { "mise.toml": '[tools]\nterraform = "1.9.8"\n' }, "terraform", "1.9.8", []],
  [
    "a file with a range beside one with a release",
    { ".terraform-version": "latest:^1.9", ".tool-versions": "terraform 1.9.8\n" },
    "terraform",
    "1.9.8",
    [],
  ],
  [
    "a file with a range",
    { ".terraform-version": "latest:^1.9" },
    "terraform",
    NEWEST,
    ["ci.version-file"],
  ],
  ["OpenTofu's version file", { ".opentofu-version": "1.11.1" }, "tofu", "1.11.1", []],
  [
    ".tofu files only",
    { "main.tf": undefined, "main.tofu": BACKEND },
    "tofu",
    NEWEST,
    ["ci.to-do"],
  ],
])("a pipeline's tool, by %s", async (_, files, tool, version, ids) => {
  const inRoot = Object.entries({ "main.tf": BACKEND, ...files }).map(([name, text]) => [
    `infra/${name}`,
    text,
  ]);
  const given = { config: "terraform: {}", files: Object.fromEntries(inRoot) };
  const { config, terraform } = await facts(given);
  const roots = terraform.roots.map((root) => ({ config, root }));
  const versions = toolVersions(roots);
  const [first] = roots;
  if (first === undefined) throw new Error("Expected one root.");
  expect(toolOf(first)).toBe(tool);
  const release = versions.get(first)?.release ?? "";
  if (typeof version === "string") expect(release).toBe(version);
  else expect(release).toMatch(version);
  expect(judgeRoots(roots, versions, new Map()).map(({ id }) => id)).toEqual(ids);
});
