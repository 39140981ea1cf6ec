import { asksVersion, ownPart } from "../exec/command-line.ts";
import { wrap } from "../lib/wrap.ts";
import type { Command } from "./command.ts";
import { COMMANDS, commandNamed } from "./commands.ts";
import { divided } from "./line.ts";
import { globalOptions, type Options } from "./options.ts";
import { unknownCommand } from "./usage.ts";

/**
 * The help that a line asks for.
 *
 * @param columns what a line of it may have at most.
 * @returns undefined for a line that asks for none.
 * @throws AppError USAGE for `help` and a word that is no command.
 */
export function helpFor(argv: readonly string[], columns: number): string | undefined {
  const line = divided(ownPart(argv));
  const [first, second] = line.words;
  const isWord = first === "help";
  if (!isWord && !line.given.some(({ word }) => word === "--help")) return undefined;
  const word = isWord ? second : first;
  const command = word === undefined ? undefined : commandNamed(word);
  if (isWord && word !== undefined && command === undefined && !ANSWERED.includes(word)) {
    throw unknownCommand({ ...line, words: [word] });
  }
  const most = Math.min(columns, 100);
  return command === undefined ? overview(most) : commandHelp(command, most);
}

/** Words that are no commands, and have no options. */
const ANSWERED: readonly string[] = ["help", "version"];

/** `-v` is of the whole program: behind a command it would be taken for something else. */
export function isVersionAsked(argv: readonly string[]): boolean {
  const { words, given } = divided(ownPart(argv));
  if (given.some(({ word }) => word === "--version")) return true;
  const others = given.filter(({ name, opposite }) =>
    [name, opposite].every((each) => !Object.hasOwn(globalOptions, each)),
  );
  const asked = [...words, ...others.map(({ word }) => word)];
  return asked.length === 1 && asksVersion(asked[0]);
}

/** In two lines, as it stands in the help of each command. */
function everywhere(columns: number): string {
  const options = [
    "--json (one document on standard output)",
    "--debug (every file, request and tool, on standard error)",
    "--color or --no-color",
    "--help",
    "--version",
  ];
  return wrap(`Everywhere: ${options.join(", ")}`, columns).join("\n");
}

function overview(columns: number): string {
  return paragraphs([
    "From an empty repo and a DigitalOcean token to a working doctl and Terraform.",
    `Usage: do-bootstrap [COMMAND] [options]    without a command: ${COMMANDS[0].name}`,
    section(
      "Commands:",
      COMMANDS.map(({ name, describe }) => [name, describe]),
      columns,
    ),
    examples(COMMANDS[0], columns),
    `${everywhere(columns)}\nThe options of a command: do-bootstrap help COMMAND`,
  ]);
}

function commandHelp(command: Command, columns: number): string {
  const { name, aliases = [], words = "", describe, options } = command;
  const own = wordsOf(command);
  return paragraphs([
    wrap(`${describe}.`, columns).join("\n"),
    aliases.map((alias) => `Also: do-bootstrap ${alias}`).join("\n"),
    `Usage: do-bootstrap ${name}${own} [options]${words}`,
    section("Options:", optionRows(options), columns),
    examples(command, columns),
    everywhere(columns),
  ]);
}

/** One of a few words, or any number of others. */
function wordsOf({ positional, completes }: Command): string {
  if (positional === undefined) return "";
  return typeof completes === "object" ? ` ${completes.join("|")}` : ` [${positional}…]`;
}

type Row = readonly [name: string, text: string];

function optionRows(options: Options): Row[] {
  return Object.entries(options).map(([name, { short, value, describe }]) => [
    `${short === undefined ? "" : `-${short}, `}--${name}${value === undefined ? "" : ` ${value}`}`,
    describe,
  ]);
}

function section(title: string, rows: readonly Row[], columns: number): string {
  if (rows.length === 0) return "";
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.flatMap(([name, text]) =>
    wrap(text, columns - width - 4).map(
      (line, i) => `  ${(i === 0 ? name : "").padEnd(width)}  ${line}`,
    ),
  );
  return [title, ...lines].join("\n");
}

/** What is to be copied stays in one line, and what it does goes below where it does not fit. */
function examples(command: Command, columns: number): string {
  const width = Math.max(...command.examples.map(([line]) => line.length));
  const fits = command.examples.every(([, what]) => width + 4 + what.length <= columns);
  if (fits) return section("Examples:", command.examples, columns);
  const lines = command.examples.map(([line, what]) => `  ${line}\n      ${what}`);
  return ["Examples:", ...lines].join("\n");
}

function paragraphs(parts: readonly string[]): string {
  return `${parts.filter(Boolean).join("\n\n")}\n`;
}
