import { describe, expect, it } from "vitest";
import { planEnvrc } from "../../../../src/concerns/env-file/envrc.ts";
import {
  afterwards,
  consent,
  type Flags,
  facts,
  type Given,
  planned,
  textsAfter,
} from "../../../fixtures/facts.ts";
import { older } from "../../../fixtures/generated.ts";
import { said } from "../../../fixtures/hint.ts";

const plan = async (given: Given, ...flags: Flags) =>
  planEnvrc(await facts(given), consent(...flags));
const PROD = "environments: { prod: { token: { envFile: 'conf/.env prod' } } }";
const envrc = (entry: NonNullable<Given["files"]>[string]): Given => ({
  files: { ".envrc": entry },
});
const generated = async (given: Given) => textsAfter(await plan(given, "envrc"))[".envrc"] ?? "";

const OURS = await generated({});
const OF_PROD = await generated({ config: PROD, environment: "prod" });
const OLD = older(OURS, "watch_file", "# file");
const EDITED = `${OURS}export A=1\n`;

describe("writing .envrc", () => {
  it.each<[string, Given, Flags, readonly string[]]>([
    ["without --envrc", {}, [], []],
    ["--envrc", {}, ["envrc"], ["+ .envrc"]],
    ["an up-to-date file", envrc(OURS), ["envrc"], []],
    ["an up-to-date file, with CRLF", envrc(OURS.replaceAll("\n", "\r\n")), ["envrc"], []],
    ["an older template, --envrc", envrc(OLD), ["envrc"], ["~ .envrc"]],
    ["an older template, without --envrc: updated", envrc(OLD), [], ["~ .envrc"]],
    [
      "ours, for the selected environment",
      { ...envrc(OF_PROD), config: PROD, environment: "prod" },
      [],
      [],
    ],
    [
      "ours, older, for the selected environment",
      { ...envrc(older(OF_PROD, "watch_file", "# file")), config: PROD, environment: "prod" },
      [],
      ["~ .envrc"],
    ],
    ["ours, for an environment that is not selected", envrc(OF_PROD), [], []],
    [
      "ours, for an environment that is not selected, --envrc",
      envrc(OF_PROD),
      ["envrc"],
      ["~ .envrc"],
    ],
    [
      "ours, for no environment, while one is selected",
      { ...envrc(OLD), config: PROD, environment: "prod" },
      [],
      [],
    ],
    ["edited", envrc(EDITED), [], []],
    ["edited, --envrc: it still loads the token", envrc(EDITED), ["envrc"], []],
    ["someone else's", envrc("export A=1\n"), [], []],
    ["someone else's, --envrc", envrc("export A=1\n"), ["envrc"], ["warning file.not-ours"]],
    [
      "someone else's, --force: not replaced",
      envrc("export A=1\n"),
      ["envrc", "force"],
      ["warning file.not-ours"],
    ],
    [
      "someone else's, which runs do-bootstrap env",
      envrc('eval "$(do-bootstrap env)"\n'),
      ["envrc"],
      [],
    ],
    [
      "someone else's, with do-bootstrap env in a comment",
      envrc("# do-bootstrap env\n"),
      ["envrc"],
      ["warning file.not-ours"],
    ],
    ["a directory", envrc({ unusable: "a directory" }), ["envrc"], ["error file.unusable"]],
    ["a directory, without --envrc", envrc({ unusable: "a directory" }), [], []],
    [
      "a link to outside the repo",
      envrc({ text: "", leadsTo: "/else/.envrc" }),
      ["envrc"],
      ["error file.outside"],
    ],
    ["a read-only folder", { readOnly: ["."] }, ["envrc"], ["error file.not-writable"]],
  ])("%s", async (_, given, flags, expected) => {
    const made = await plan(given, ...flags);
    expect(planned(made)).toEqual(expected);
    const left = expected.filter((each) => !each.endsWith(".envrc"));
    expect(planned(await plan(afterwards(given, made), ...flags))).toEqual(left);
  });
});

it.each<[string, Given, readonly string[]]>([
  ["no environment", {}, ["watch_file .env", 'eval "$(do-bootstrap env)"']],
  [
    "an environment, and a file whose name needs quotes",
    { config: PROD, environment: "prod" },
    ["watch_file 'conf/.env prod'", 'eval "$(do-bootstrap env --env prod)"'],
  ],
])("the generated lines: %s", async (_, given, expected) => {
  const lines = (await generated(given)).split("\n");
  expect(lines.filter((line) => !/^(#|$)/.test(line))).toEqual(expected);
});

it("the line to add to someone else's .envrc has the same environment", async () => {
  const [finding] = (await plan(envrc("export A=1\n"), "envrc")).findings ?? [];
  expect(said(finding?.fix, { environment: "prod" })).toBe(
    'Add this line: eval "$(do-bootstrap env --env prod)"',
  );
});
