import { describe, expect, expectTypeOf, it } from "vitest";
import { command } from "../../../src/cli/command.ts";
import { COMMANDS } from "../../../src/cli/commands.ts";
import { changeOptions, type globalOptions, lookOptions } from "../../../src/cli/options.ts";
import { parse } from "../../../src/cli/parser.ts";
import { readPlainLine } from "../../../src/cli/plain-line.ts";
import { readArgs } from "../../../src/cli/read-args.ts";
import { AppError } from "../../../src/errors/app-error.ts";
import { EXIT } from "../../../src/errors/exit-status.ts";
import { said } from "../../fixtures/hint.ts";

const OF = { describe: "", examples: [] };
const COLOURS: readonly ("red" | "blue")[] = ["red", "blue"];

const every = command({
  ...OF,
  name: "every",
  positional: "FILE",
  completes: "files",
  options: {
    ...changeOptions,
    env: lookOptions.env,
    size: { type: "string", describe: "" },
    shape: { type: "string", describe: "", completes: ["round", "square"] },
    colour: { type: "string", describe: "", completes: COLOURS },
  },
  async run(args) {
    expectTypeOf(args).branded.toEqualTypeOf<{
      readonly json: boolean;
      readonly debug: boolean;
      readonly color: boolean;
      readonly "dry-run": boolean;
      readonly yes: boolean;
      readonly env: string | undefined;
      readonly size: string | undefined;
      readonly shape: "round" | "square" | undefined;
      readonly colour: "red" | "blue" | undefined;
      readonly FILE: readonly string[];
      readonly "--": readonly string[];
    }>();
    // @ts-expect-error an option that the command does not have
    return { status: EXIT.ok, output: String(args.sise) };
  },
});

const one = command({
  ...OF,
  name: "one",
  positional: "WHERE",
  completes: ["here", "there", "nowhere"],
  options: {},
  async run(args) {
    expectTypeOf(args.WHERE).toEqualTypeOf<"here" | "there" | "nowhere">();
    expectTypeOf(args["--"]).toEqualTypeOf<readonly string[]>();
    return { status: EXIT.ok };
  },
});

const perhaps = command({
  ...OF,
  name: "perhaps",
  positional: "WHERE",
  completes: ["here", "there"],
  isOptional: true,
  options: {},
  async run({ WHERE: where }) {
    expectTypeOf(where).toEqualTypeOf<"here" | "there" | undefined>();
    return { status: EXIT.ok };
  },
});

const none = command({
  ...OF,
  name: "none",
  options: {},
  async run(args) {
    expectTypeOf<keyof typeof args>().toEqualTypeOf<keyof typeof globalOptions | "--">();
    return { status: EXIT.ok };
  },
});

const LEFT_OUT = { json: false, debug: false, color: false, "--": [] };

describe("a handler's arguments match its types", () => {
  it("when nothing is given", () => {
    expect(readArgs(every, {})).toStrictEqual({
      ...LEFT_OUT,
      ...{ "dry-run": false, yes: false, FILE: [] },
      ...{ env: undefined, size: undefined, shape: undefined, colour: undefined },
    });
    expect(readArgs(perhaps, {})).toStrictEqual({ ...LEFT_OUT, WHERE: undefined });
    expect(readArgs(none, { _: ["none"], $0: "x" })).toStrictEqual(LEFT_OUT);
  });

  it.each<[typeof every, values: object, args: object]>([
    [every, { yes: true, json: true }, { yes: true, json: true }],
    [every, { yes: false, env: "prod" }, { yes: false, env: "prod" }],
    [every, { size: "7", shape: "round" }, { size: "7", shape: "round" }],
    [every, { size: "" }, { size: "" }],
    [every, { colour: "blue", FILE: ["a", "b"] }, { colour: "blue", FILE: ["a", "b"] }],
    [every, { size: ["1", "2"], yes: [true, false] }, { size: "2", yes: false }],
    [every, { shape: ["oval", "round"] }, { shape: "round" }],
    [every, { size: false, shape: false }, { size: undefined, shape: undefined }],
    [one, { WHERE: ["there"], "--": ["x", "-y"] }, { WHERE: "there", "--": ["x", "-y"] }],
    [perhaps, { WHERE: ["here"] }, { WHERE: "here" }],
  ])("$name %j", (of, values, args) => {
    expect(readArgs(of, { ...values })).toMatchObject(args);
  });
});

const ONE = "one needs one argument: here, there or nowhere.";
const ONES = ["here", "there", "nowhere"].map((word) => `do-bootstrap one ${word}`).join(", ");

it.each<[typeof every, values: object, message: string, hint: string]>([
  [every, { shape: "oval" }, "--shape oval: invalid value.", "round, square"],
  [every, { shape: "" }, "--shape : invalid value.", "round, square"],
  [every, { colour: "Red" }, "--colour Red: invalid value.", "red, blue"],
  [one, {}, ONE, ONES],
  [one, { WHERE: ["everywhere"] }, ONE, ONES],
  [one, { WHERE: ["here", "there"] }, ONE, ONES],
  [
    perhaps,
    { WHERE: ["nowhere"] },
    "perhaps needs one argument: here or there.",
    "do-bootstrap perhaps here, do-bootstrap perhaps there",
  ],
])("refuses a value outside the fixed list: $name %j", (of, values, message, hint) => {
  expect(refusal(() => readArgs(of, { ...values }))).toEqual({
    ...{ code: "USAGE", status: EXIT.usage, message },
    hint: `Use one of: ${hint}`,
  });
});

describe("an invalid value is refused", () => {
  it.each([
    ["scopes --for lunch", "--for lunch: invalid value."],
    ["scopes --format=pdf", "--format pdf: invalid value."],
    ["env --format yaml", "--format yaml: invalid value."],
    ["completion --list tokens", "--list tokens: invalid value."],
    ["hook", "hook needs one argument: install or remove."],
    ["ci", "ci needs one argument: github, gitlab or hcp, for GitHub, GitLab or HCP Terraform."],
  ])("%s: %s", async (line, message) => {
    const argv = line.split(" ");
    expect(refusal(() => readPlainLine(argv))).toMatchObject({ code: "USAGE", message });
    await expect(parse(argv, 80)).rejects.toMatchObject({ code: "USAGE", message });
  });

  it.each([
    ["hook frob", "hook needs one argument: install or remove."],
    [
      "ci github gitlab",
      "ci needs one argument: github, gitlab or hcp, for GitHub, GitLab or HCP Terraform.",
    ],
    ["completion tcsh", "completion needs one argument: bash, zsh or fish."],
  ])("%s: %s", async (line, message) => {
    await expect(parse(line.split(" "), 80)).rejects.toMatchObject({ code: "USAGE", message });
  });
});

it("every fixed list has at least two values", () => {
  const lists = COMMANDS.flatMap(({ completes, options }) => [
    completes,
    ...Object.values(options).map((each) => each.completes),
  ]).filter((each) => typeof each === "object");
  expect(lists.length).toBeGreaterThan(5);
  expect(lists.filter((words) => words.length < 2)).toEqual([]);
});

function refusal(read: () => unknown) {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const { code, status, message, hint } = error;
    return { code, status, message, hint: said(hint) };
  }
}
