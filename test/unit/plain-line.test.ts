import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Args, Option } from "../../src/cli/command.ts";
import { COMMANDS } from "../../src/cli/commands.ts";
import { globalOptions } from "../../src/cli/options.ts";
import { parse } from "../../src/cli/parser.ts";
import { readPlainLine } from "../../src/cli/plain-line.ts";

/** What a command is given; `_` and `$0` are yargs' own. */
function given({ command, args }: { command: { name: string }; args: Args }) {
  const { _, $0, ...own } = args;
  return { command: command.name, args: own };
}

async function asked(argv: readonly string[]) {
  const parsed = await parse(argv, 80);
  return parsed.kind === "run" ? given(parsed) : parsed.kind;
}

describe("a plain line is read without yargs, and the same", () => {
  it.each<[string, string, Args]>([
    ["", "init", {}],
    ["--yes", "init", { yes: true }],
    ["init", "init", {}],
    ["init --env prod --dry-run", "init", { env: "prod", "dry-run": true }],
    ["--env=prod --json", "init", { env: "prod", json: true }],
    ["check --strict --debug", "check", { strict: true, debug: true }],
    ["check --color", "check", { color: true }],
    ["demo", "demo", {}],
    ["exec --all -- ls -l --json", "exec", { all: true, "--": ["ls", "-l", "--json"] }],
    ["env --format fish", "env", { format: "fish" }],
  ])("do-bootstrap %s", async (line, command, args) => {
    const argv = line.split(" ").filter(Boolean);
    const read = readPlainLine(argv);
    expect(read && given(read)).toEqual({ command, args });
    expect(await asked(argv)).toEqual({ command, args });
  });
});

it.each([
  "--help",
  "check --help",
  "--version",
  "--no-color",
  "chekc",
  "init extra",
  "check -- x",
  "--dry-run=yes",
  "--yes=true",
  "--env",
  "--env --yes",
  "--env=",
  "--strict x",
  "-y",
])("do-bootstrap %s is left to yargs", (line) => {
  expect(readPlainLine(line.split(" "))).toBeUndefined();
});

it("whatever is read, yargs reads the same", async () => {
  const options = [globalOptions, ...COMMANDS.map((command) => command.options)].flatMap(
    (each: Readonly<Record<string, Option>>) => Object.keys(each),
  );
  const word = fc.oneof(
    fc.constantFrom(...COMMANDS.map(({ name }) => name), "--", "prod", "7", ""),
    fc.constantFrom(...options).map((name) => `--${name}`),
    fc.constantFrom(...options).map((name) => `--${name}=x`),
  );
  let read = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(word, { maxLength: 5 }), async (argv) => {
      const plain = readPlainLine(argv);
      if (plain === undefined) return;
      read++;
      expect(await asked(argv)).toEqual(given(plain));
    }),
    { numRuns: 1500 },
  );
  expect(read).toBeGreaterThan(50);
});
