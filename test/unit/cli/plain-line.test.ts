import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Args } from "../../../src/cli/command.ts";
import { COMMANDS } from "../../../src/cli/commands.ts";
import { globalOptions } from "../../../src/cli/options.ts";
import { parse } from "../../../src/cli/parser.ts";
import { readPlainLine } from "../../../src/cli/plain-line.ts";
import { AppError } from "../../../src/errors/app-error.ts";

/** The command and the arguments that the line sets. */
function given({ command, args }: { command: { name: string }; args: Args }) {
  const own = Object.entries(args).filter(
    ([, value]) => value !== false && (!Array.isArray(value) || value.length > 0),
  );
  return { command: command.name, args: Object.fromEntries(own) };
}

async function asked(argv: readonly string[]) {
  const parsed = await parse(argv, 80);
  return parsed.kind === "run" ? given(parsed) : parsed.kind;
}

describe("a plain line is read without yargs, with the same result", () => {
  it.each<[string, string, Record<string, unknown>]>([
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
    ["scopes .", "scopes", { DIR: ["."] }],
    [
      "scopes --for plan a b 7 0x1 true",
      "scopes",
      { for: "plan", DIR: ["a", "b", "7", "0x1", "true"] },
    ],
    ["explain 403 Forbidden", "explain", { TEXT: ["403", "Forbidden"] }],
    ["hook --dry-run install", "hook", { "dry-run": true, ACTION: "install" }],
    ["ci github", "ci", { WHERE: "github" }],
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
  "scopes -- x",
  "scopes x --plan y",
  "hook install --yes",
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

/** The result, or the message of the refusal. */
async function outcome<T>(read: () => T): Promise<Awaited<T> | string> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof AppError) return error.message;
    throw error;
  }
}

it("yargs gives the same result for any plain line", async () => {
  const options = [globalOptions, ...COMMANDS.map((command) => command.options)].flatMap(
    Object.keys,
  );
  const word = fc.oneof(
    fc.constantFrom(...COMMANDS.map(({ name }) => name), "--", "prod", "7", "", "1e3", "install"),
    fc.constantFrom(...options).map((name) => `--${name}`),
    fc.constantFrom(...options).map((name) => `--${name}=x`),
  );
  let read = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(word, { maxLength: 5 }), async (argv) => {
      const plain = await outcome(() => {
        const line = readPlainLine(argv);
        return line && given(line);
      });
      if (plain === undefined) return;
      read++;
      expect(await outcome(() => asked(argv))).toEqual(plain);
    }),
    { numRuns: 1500 },
  );
  expect(read).toBeGreaterThan(50);
});
