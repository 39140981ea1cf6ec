import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { planConfig } from "../../../../src/commands/init/write-config.ts";
import { validateConfig } from "../../../../src/concerns/config/validate.ts";
import { rootsAmong } from "../../../../src/concerns/terraform/search/layout.ts";
import {
  afterwards,
  alive,
  consent,
  DOCTL_CONFIG,
  type Flags,
  facts,
  type Given,
  MISSING,
  planned,
  textsAfter,
} from "../../../fixtures/facts.ts";
import { OTHER } from "../../samples.ts";

const FILE = "do-bootstrap.config.yaml";
const NO_LAYOUT = { ...rootsAmong([]), units: [], stacks: [], notCheckedOut: [] };
const plan = async (given: Given, ...flags: Flags) =>
  planConfig(await facts(given), consent(...flags));

describe("whether a config is written", () => {
  const at = (entry: NonNullable<Given["files"]>[string]): Given => ({ files: { [FILE]: entry } });
  const outside = at({ text: "", leadsTo: "/else/x.yaml" });

  it.each<[string, Given, Flags, readonly string[]]>([
    ["not requested", {}, [], []],
    ["--write-config", {}, ["writeConfig"], [`+ ${FILE}`]],
    ["the config exists", { config: "" }, ["writeConfig"], []],
    [
      "another config exists",
      { config: "", configFile: ".do-bootstraprc" },
      ["writeConfig"],
      ["info config.exists"],
    ],
    [
      "a config in a subfolder exists",
      { config: "", configFile: `web/${FILE}` },
      ["writeConfig"],
      ["info config.exists"],
    ],
    ["another config exists, not requested", { config: "", configFile: ".do-bootstraprc" }, [], []],
    ["without a token", { token: MISSING }, ["writeConfig"], [`+ ${FILE}`]],
    [
      "a directory in its place",
      at({ unusable: "a directory" }),
      ["writeConfig"],
      ["error file.unusable"],
    ],
    ["a link out of the repo", outside, ["writeConfig"], ["error file.outside"]],
    [
      "a link out of the repo, with --force",
      outside,
      ["writeConfig", "force"],
      ["error file.outside"],
    ],
    ["a read-only folder", { readOnly: ["."] }, ["writeConfig"], ["error file.not-writable"]],
  ])("%s", async (_, given, flags, expected) => {
    expect(planned(await plan(given, ...flags))).toEqual(expected);
  });
});

describe("the written config", () => {
  const written = async (known: Awaited<ReturnType<typeof facts>>) =>
    textsAfter(planConfig(known, consent("writeConfig")))[FILE] ?? "";
  const team = { uuid: "5df3e300-4a17-4e24-8b7c-20ca6c9fc25b", name: "Acme" };

  it.each<[string, Given, object]>([
    ["a new repo", {}, { account: undefined, doctl: undefined, terraform: { dir: "." } }],
    [
      "the team of the token",
      { token: alive("env-file", { team }) },
      { account: { team: team.uuid } },
    ],
    [
      "the repo's own doctl context",
      { files: { [DOCTL_CONFIG]: `access-token: ${OTHER}\n` } },
      { doctl: { context: "repo" } },
    ],
    ["no doctl context if it is the default one", {}, { doctl: undefined }],
  ])("%s", async (_, given, expected) => {
    const config = parse(await written(await facts(given)));
    expect({ account: undefined, doctl: undefined, ...config }).toMatchObject({
      project: "repo",
      token: { name: "DIGITALOCEAN_TOKEN", envFile: ".env" },
      ...expected,
    });
    expect(() => validateConfig(config, FILE)).not.toThrow();
  });

  it.each<[string, string, unknown]>([
    ["one root", "terraform: { dir: a/b }", { dir: "a/b" }],
    ["several", "terraform: [{ dir: a/b }, { dir: no }]", [{ dir: "a/b" }, { dir: "no" }]],
  ])("the folder of each root: %s", async (_, config, expected) => {
    const known = await facts({ config });
    const text = await written({ ...known, config: { ...known.config, file: undefined } });
    expect(parse(text).terraform).toEqual(expected);
    expect(() => validateConfig(parse(text), FILE)).not.toThrow();
  });

  it.each([
    "web",
    "yes",
    "No",
    "null",
    "true",
    "on",
    "12",
    "1e3",
    "0x1f",
    "a b",
    "a: b",
    "a #b",
    "-",
    "~",
    "é",
    'a"b',
  ])("an env file called %j is read back as text by YAML 1.1 and 1.2", async (name) => {
    const known = await facts();
    const config = { ...known.config, token: { ...known.config.token, envFile: `/repo/${name}` } };
    const text = await written({ ...known, config });
    for (const version of ["1.1", "1.2"] as const) {
      expect(parse(text, { version }).token.envFile).toBe(name);
    }
  });

  it.each([
    ["dev", "prod"],
    ["1", "2"],
    ["on", "Off"],
    ["a b", "c (d)"],
  ])("has the environments %j and %j", async (...names) => {
    const dirs = names.map((name) => `envs/${name}`);
    const search = { choice: { kind: "several", dirs } as const, layout: NO_LAYOUT };
    const config = parse(await written(await facts({ search })));
    const environments = validateConfig(config, FILE).environments ?? {};
    expect(Object.values(environments).map(({ terraform }) => terraform)).toEqual(
      dirs.map((dir) => ({ dir })),
    );
  });

  it("a second run reads it and reports nothing", async () => {
    const made = await plan({}, "writeConfig");
    const text = textsAfter(made)[FILE] ?? "";
    const again = { ...afterwards({}, made), config: text };
    expect(planned(await plan(again, "writeConfig"))).toEqual([]);
  });
});
