import { describe, expect, it } from "vitest";
import { needsOf } from "../../../../src/concerns/terraform/root/needs.ts";
import { planSecretVariables } from "../../../../src/concerns/terraform/secret-values.ts";
import { diffOf } from "../../../../src/report/diff.ts";
import { content } from "../../../../src/secret/content.ts";
import {
  afterwards,
  alive,
  consent,
  type Entry,
  type Flags,
  facts,
  found,
  type Given,
  MISSING,
  planned,
  secretFrom,
  textsAfter,
} from "../../../fixtures/facts.ts";
import { said } from "../../../fixtures/hint.ts";
import { OTHER, PERSONAL } from "../../samples.ts";

const NAME = "infra/do-bootstrap.secret.auto.tfvars.json";
const ENVIRONMENT = alive("environment");
const DECLARED = 'variable "do_token" {\n  ephemeral = true\n}\n';

async function plan(given: Given, ...flags: Flags) {
  const known = await facts({ config: "terraform: {}", ...given });
  const [root] = known.terraform.roots;
  if (root === undefined) throw new Error("There is no root.");
  return planSecretVariables(known, root, needsOf(root), consent(...flags));
}

const holds = (entry: Entry, main = "", more: Given = {}): Given => ({
  ...more,
  files: { [NAME]: entry, "infra/main.tf": main },
});
const values = (token: string, more = "") => `{\n  "do_token": "${token}"${more}\n}\n`;

describe("the secret file", () => {
  it.each<[string, Given, Flags, readonly string[]]>([
    ["is new", {}, [], [`+ ${NAME} secret 0600`]],
    ["has the token", holds(values(PERSONAL)), [], []],
    ["has the token, in quotes and spaces", holds(`{"do_token":"  '${PERSONAL}' "}`), [], []],
    [
      "has the token, readable by others",
      holds({ text: values(PERSONAL), mode: 0o644 }),
      [],
      [`~ ${NAME} secret 0600`],
    ],
    [
      "has the token, read-only",
      holds({ text: values(PERSONAL), mode: 0o400 }),
      [],
      [`~ ${NAME} secret 0600`],
    ],
    ["has the token, on Windows", holds({ text: values(PERSONAL), mode: "none" }), [], []],
    ["has another token", holds(values(OTHER)), [], [`~ ${NAME} secret 0600`]],
    ["has only other values", holds('{"a":1}'), [], [`~ ${NAME} secret 0600`]],
    ["is empty", holds(""), [], [`~ ${NAME} secret 0600`]],
    ["is not JSON", holds("do_token = 1"), [], ["error file.unusable"]],
    ["is a FIFO", holds({ fifo: "" }), [], ["error file.unusable"]],
    ["is tracked, which is reported elsewhere", { tracked: [NAME] }, [], []],
    [
      "resolves outside the repo",
      holds({ text: "{}", leadsTo: "/else/x" }),
      [],
      ["error file.outside"],
    ],
    [
      "resolves outside the repo, --force",
      holds({ text: "{}", leadsTo: "/else/x" }),
      ["force"],
      ["error file.outside"],
    ],
    ["is not needed: credentials: env", { config: "terraform: { credentials: env }" }, [], []],
    [
      "is not needed: the provider uses a local",
      holds(undefined, 'provider "digitalocean" {\n  token = local.t\n}\n'),
      [],
      [],
    ],
    ["is not written without a token", { token: MISSING }, [], []],
    ["is not written for a refused token", { token: found("refused", "stdin") }, [], []],
    [
      "is not written for a token that could not be checked",
      { token: found("unknown", "stdin") },
      ["save"],
      [],
    ],
    [
      "is for the repo's own variable",
      holds(values(PERSONAL), 'provider "digitalocean" {\n  token = var.pat\n}\n'),
      [],
      [`~ ${NAME} secret 0600`],
    ],
  ])("%s", async (_, given, flags, expected) => {
    const made = await plan(given, ...flags);
    expect(planned(made)).toEqual(expected);
    const again = await plan(afterwards(given, made), ...flags);
    expect(planned(again)).toEqual(expected.filter((each) => each.startsWith("error")));
  });

  it.each<[string, Entry, object]>([
    ["a new file", undefined, { do_token: OTHER }],
    ["a file with values", '{"a":{"b":[1]},"do_token":"x"}', { a: { b: [1] }, do_token: OTHER }],
    ["a file with unusual names", '{"a\\"b":"${x}"}', { 'a"b': "${x}", do_token: OTHER }],
  ])("the content of %s after the change", async (_, entry, expected) => {
    const made = await plan(holds(entry, "", { token: alive("prompt", { value: OTHER }) }));
    expect(JSON.parse(textsAfter(made)[NAME] ?? "")).toEqual(expected);
  });

  it("no diff shows a value", async () => {
    const token = alive("prompt", { value: OTHER });
    const [change] =
      (await plan(holds(values(PERSONAL, ',\n  "a": "hunter2"'), "", { token }))).changes ?? [];
    const lines = diffOf(change?.diff() ?? { before: content(), after: content() });
    expect(lines.map(({ text }) => text)).toEqual([
      `  "do_token": "${secretFrom("tfvars")}",`,
      `  "do_token": "${secretFrom("tfvars", OTHER)}",`,
    ]);
    expect(change?.json()).toMatchObject({ holdsSecret: true, mode: "0600" });
    expect(change?.why).toMatch(/^var\.do_token/);
  });
});

describe("if the token may not be written", () => {
  it.each<[string, Given, Flags, readonly string[]]>([
    ["our variable is null by default", { token: ENVIRONMENT }, [], []],
    ["CI", { isCi: true }, [], []],
    ["--save", { token: ENVIRONMENT }, ["save"], [`+ ${NAME} secret 0600`]],
    [
      "the repo's variable has no value",
      holds(undefined, DECLARED, { token: ENVIRONMENT }),
      [],
      ["error terraform.variable-unset"],
    ],
    [
      "the repo's variable has no value, and a command gives the token",
      holds(undefined, DECLARED, { token: alive("command") }),
      [],
      ["error terraform.variable-unset"],
    ],
    [
      "the repo's variable has a default",
      holds(undefined, DECLARED.replace("}", "  default = null\n}"), { token: ENVIRONMENT }),
      [],
      [],
    ],
    [
      "the environment sets the repo's variable",
      holds(undefined, DECLARED, { token: ENVIRONMENT, env: { TF_VAR_do_token: "x" } }),
      [],
      [],
    ],
    [
      "the environment sets the repo's variable to an empty value",
      holds(undefined, DECLARED, { token: ENVIRONMENT, env: { TF_VAR_do_token: "" } }),
      [],
      ["error terraform.variable-unset"],
    ],
    ["the file has the token", holds(values(PERSONAL), "", { token: ENVIRONMENT }), [], []],
    [
      "the file has another token",
      holds(values(OTHER), "", { token: ENVIRONMENT }),
      [],
      ["error terraform.stale-secret"],
    ],
    [
      "the file has another token, --save",
      holds(values(OTHER), "", { token: ENVIRONMENT }),
      ["save"],
      [`~ ${NAME} secret 0600`],
    ],
    [
      "the file has an empty value",
      holds(values(""), DECLARED, { token: ENVIRONMENT }),
      [],
      ["error terraform.variable-unset"],
    ],
  ])("%s", async (_, given, flags, expected) => {
    expect(planned(await plan(given, ...flags))).toEqual(expected);
  });

  it.each<[string, Given, readonly string[]]>([
    [
      "another token in the file",
      holds(values(OTHER), "", { token: ENVIRONMENT }),
      ["do-bootstrap --save ", `rm ${NAME}`],
    ],
    [
      "no value",
      holds(undefined, DECLARED, { token: ENVIRONMENT }),
      ['export TF_VAR_do_token="$DIGITALOCEAN_TOKEN"', "do-bootstrap --save"],
    ],
    [
      "no value, and a name that is not valid in a shell",
      {
        files: {
          "infra/main.tf":
            'provider "digitalocean" {\n  token = var.do-token\n}\nvariable "do-token" {}\n',
        },
        token: ENVIRONMENT,
      },
      ["do-bootstrap exec -- terraform -chdir=infra plan passes it", "do-bootstrap --save"],
    ],
  ])("the suggested fix: %s", async (_, given, steps) => {
    const [finding] = (await plan(given)).findings ?? [];
    for (const step of steps) expect(said(finding?.fix, { cwd: "/repo" })).toContain(step);
    expect(JSON.stringify(finding)).not.toMatch(new RegExp(`${PERSONAL}|${OTHER}`));
  });
});
