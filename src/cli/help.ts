import { asksVersion, ownPart } from "../exec/command-line.ts";
import { wrap } from "../lib/wrap.ts";
import type { Command } from "./command.ts";
import { COMMANDS, commandNamed, MAIN } from "./commands.ts";
import { divided } from "./line.ts";
import { globalOptions, type Options } from "./options.ts";
import { unknownCommand } from "./usage.ts";

/**
 * The help that a line asks for.
 *
 * @param columns the maximum line length.
 * @returns undefined for a line that doesn't ask for help.
 * @throws AppError USAGE for `help` with an unknown command.
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
  // With --help, this is not the command's own option: it asks for the rare options, too.
  const isAll = line.given.some((given) => given.word === "--all");
  return command === undefined ? overview(most, isAll) : commandHelp(command, most, isAll);
}

/** Words that are not commands, but that `help` accepts. */
const ANSWERED: readonly string[] = ["help", "version"];

/** `-v` asks for the version only without a command: after one it may be meant as something else. */
export function isVersionAsked(argv: readonly string[]): boolean {
  const { words, given } = divided(ownPart(argv));
  if (given.some(({ word }) => word === "--version")) return true;
  const others = given.filter(({ name, opposite }) =>
    [name, opposite].every((each) => !Object.hasOwn(globalOptions, each)),
  );
  const asked = [...words, ...others.map(({ word }) => word)];
  return asked.length === 1 && asksVersion(asked[0]);
}

/** Two lines, in the help of every command. */
function everywhere(columns: number): string {
  const options = [
    "--json (one document on standard output)",
    "--debug (log every file, request and tool to standard error)",
    "--color or --no-color",
    "--help",
    "--version",
  ];
  return wrap(`Everywhere: ${options.join(", ")}`, columns).join("\n");
}

function overview(columns: number, isAll: boolean): string {
  const others = COMMANDS.filter((command) => !MAIN.includes(command));
  const shown = others.filter(({ rare }) => isAll || !rare);
  const hidden = others.filter((command) => !shown.includes(command)).map(({ name }) => name);
  return paragraphs([
    "From an empty repo and a DigitalOcean token to a working doctl and Terraform.",
    `Usage: do-bootstrap [COMMAND] [options]    without a command: ${COMMANDS[0].name}`,
    section(
      "Start here:",
      MAIN.flatMap(({ name, describe, examples: [example] }): Row[] => [
        [name, describe],
        ...(example === undefined ? [] : [["", commented(example)] as const]),
      ]),
      columns,
    ),
    [
      section(
        "More commands:",
        shown.map(({ name, describe }) => [name, describe]),
        columns,
      ),
      ...(hidden.length === 0 ? [] : [`  Also: ${hidden.join(", ")}`]),
    ].join("\n"),
    ...(isAll ? COMMANDS.map((command) => rareOf(command, columns)) : []),
    `${everywhere(columns)}\nThe options of a command: do-bootstrap help COMMAND`,
    isAll ? "" : moreLine(COMMANDS, []),
  ]);
}

function rareOf({ name, options }: Command, columns: number): string {
  const rare = Object.entries(options).filter(([, option]) => option.rare);
  return section(`Rare options of ${name}:`, optionRows(Object.fromEntries(rare)), columns);
}

function commented([line, what]: readonly [line: string, what: string]): string {
  return `${line}    # ${what}`;
}

/** The number of options that the short help leaves out, and the command that shows them. */
function moreLine(commands: readonly Command[], words: readonly string[]): string {
  const options = commands.flatMap((command) => Object.values(command.options));
  const count = options.filter(({ rare }) => rare).length;
  if (count === 0) return "";
  const what = count === 1 ? "1 rare option" : `${count} rare options`;
  return `To see ${what}: ${["do-bootstrap", "help", ...words, "--all"].join(" ")}`;
}

function commandHelp(command: Command, columns: number, isAll: boolean): string {
  const { name, aliases = [], words = "", describe, options } = command;
  const own = wordsOf(command);
  const shown = Object.entries(options).filter(([, { rare }]) => isAll || !rare);
  return paragraphs([
    wrap(`${describe}.`, columns).join("\n"),
    aliases.map((alias) => `Also: do-bootstrap ${alias}`).join("\n"),
    `Usage: do-bootstrap ${name}${own} [options]${words}`,
    section("Options:", optionRows(Object.fromEntries(shown)), columns),
    examples(isAll ? command.examples : command.examples.filter(isCommon), columns),
    everywhere(columns),
    isAll ? "" : moreLine([command], [name]),
  ]);

  /** True for an example without a rare option of this command. */
  function isCommon([line]: Command["examples"][number]): boolean {
    const named = line.replace(/ -- .*/, "").match(/(?<=\s--)[a-z-]+/g) ?? [];
    return named.every((option) => !options[option]?.rare);
  }
}

/** One of a few words, or any number of words. */
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

/** Command lines are never wrapped, so that they can be copied. The explanation goes below if it does not fit. */
function examples(all: Command["examples"], columns: number): string {
  const width = Math.max(...all.map(([line]) => line.length));
  const fits = all.every(([, what]) => width + 4 + what.length <= columns);
  if (fits) return section("Examples:", all, columns);
  const lines = all.map(([line, what]) => `  ${line}\n      ${what}`);
  return ["Examples:", ...lines].join("\n");
}

function paragraphs(parts: readonly string[]): string {
  return `${parts.filter(Boolean).join("\n\n")}\n`;
}
