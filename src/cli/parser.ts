import type { AppError } from "../errors/app-error.ts";
import { longForm, ownPart, withSeparator } from "../exec/command-line.ts";
import { redact } from "../secret/redact.ts";
import { looksLikeToken } from "../secret/token-form.ts";
import type { Args, Command } from "./command.ts";
import { COMMANDS, commandNamed } from "./commands.ts";
import { helpFor, isVersionAsked } from "./help.ts";
import { divided, type Given, type Line, typeIn, typeOf } from "./line.ts";
import { globalOptions, type Options } from "./options.ts";
import { readArgs } from "./read-args.ts";
import {
  missingValue,
  notBoolean,
  tokenOnLine,
  unknownCommand,
  unknownOption,
  unusedWord,
} from "./usage.ts";

export type Parsed =
  | { readonly kind: "run"; readonly command: Command; readonly args: Args }
  | { readonly kind: "print"; readonly text: string };

/**
 * Reads a command line. Words that are neither options nor commands are not repeated in errors: they may be a misplaced
 * token.
 *
 * @param columns the maximum line length of the help.
 * @throws AppError USAGE.
 */
export async function parse(argv: readonly string[], columns: number): Promise<Parsed> {
  const help = helpFor(argv, columns);
  if (help !== undefined) return { kind: "print", text: help };
  if (isVersionAsked(argv)) return { kind: "print", text: versionText(argv) };
  const line = divided(withSeparator(argv));
  const named = line.words[0] === undefined ? COMMANDS[0] : commandNamed(line.words[0]);
  const command = named ?? COMMANDS[0];
  // The command that exec runs is not ours, and the error text for `explain` may contain a token.
  const own = command.words === undefined ? argv : ownPart(argv);
  const looked = command.name === "explain" ? line.given.map(({ word }) => word) : own;
  if (looked.some(looksLikeToken)) throw tokenOnLine(command, line);
  try {
    if (named === undefined) throw strayWord(line);
    assertUsable(command, line);
    return { kind: "run", command, args: await argsOf(command, argv) };
  } catch (error) {
    // A secret on the line is more important than the other error.
    throw own.some((word) => redact(word) !== word) ? tokenOnLine(command, line) : error;
  }
}

function versionText(argv: readonly string[]): string {
  const isJson = ownPart(argv).includes("--json");
  return `${isJson ? JSON.stringify({ version: __VERSION__ }) : __VERSION__}\n`;
}

/** The first word is not a command. After an unknown option, it may be that option's value. */
function strayWord(line: Line): AppError {
  const odd = line.given.find(
    ({ name, opposite }) => (typeOf(name) ?? typeOf(opposite)) === undefined,
  );
  return odd === undefined ? unknownCommand(line) : unknownOption(odd, COMMANDS[0], line);
}

/** @throws AppError USAGE for what yargs would refuse with its own messages, or accept silently. */
function assertUsable(command: Command, line: Line): void {
  const known: Options = { ...globalOptions, ...command.options };
  for (const given of line.given) {
    const { name, opposite } = given;
    const isOpposite = !Object.hasOwn(known, name) && typeIn(known, opposite) === "boolean";
    const type = typeIn(known, isOpposite ? opposite : name);
    if (type === undefined) throw unknownOption(given, command, line);
    assertValue(given, isOpposite ? "opposite" : type, command);
  }
  if (command.positional !== undefined) return;
  const [, ...words] = line.words;
  const [extra] = command.words === undefined ? [...words, ...(line.behind ?? [])] : words;
  if (extra !== undefined) throw unusedWord(extra, command, line);
}

function assertValue(
  given: Given,
  type: "boolean" | "string" | "opposite",
  command: Command,
): void {
  const { name, value } = given;
  if (type === "string" && !value) throw missingValue(name, command);
  if (type === "string" || value === undefined) return;
  if (type === "opposite" || (value !== "true" && value !== "false")) throw notBoolean(given);
}

async function argsOf(command: Command, argv: readonly string[]): Promise<Args> {
  const { default: yargs } = await import("yargs");
  const { _: words, ...values } = await yargs()
    .help(false)
    .version(false)
    .exitProcess(false)
    .parserConfiguration({
      "parse-numbers": false,
      "parse-positional-numbers": false,
      "camel-case-expansion": false,
      // Words after -- are never options.
      "populate--": true,
    })
    .options(yargsOptions({ ...globalOptions, ...command.options }))
    .parseAsync(withLongForms(withSeparator(argv)));
  const { positional } = command;
  if (positional === undefined) return readArgs(command, values);
  const { "--": behind, ...options } = values;
  const all = [...words.slice(1), ...((behind ?? []) as readonly string[])];
  return readArgs(command, { ...options, [positional]: all });
}

function withLongForms(argv: readonly string[]): string[] {
  const end = argv.indexOf("--");
  return argv.map((word, at) => (end >= 0 && at > end ? word : longForm(word)));
}

function yargsOptions(options: Options) {
  return Object.fromEntries(
    Object.entries(options).map(([name, { type }]) => [
      // yargs reads --no-browser as browser=false.
      type === "boolean" ? name.replace(/^no-/, "") : name,
      // With requiresArg, a value is taken unchanged, including `-` and quotes.
      { type, ...(type === "string" ? { requiresArg: true as const } : {}) },
    ]),
  );
}
