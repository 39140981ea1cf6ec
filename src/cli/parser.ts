import { AppError } from "../errors/app-error.ts";
import { hint, own } from "../errors/hint.ts";
import { ownPart, withSeparator } from "../exec/command-line.ts";
import { nearest } from "../lib/nearest.ts";
import { redact } from "../secret/redact.ts";
import type { Args, Command } from "./command.ts";
import { COMMANDS } from "./commands.ts";
import { helpFor } from "./help.ts";
import { globalOptions, type Options } from "./options.ts";
import { readArgs } from "./read-args.ts";

export type Parsed =
  | { readonly kind: "run"; readonly command: Command; readonly args: Args }
  | { readonly kind: "print"; readonly text: string };

/**
 * Reads a command line.
 *
 * @param columns of the help that it may ask for.
 *
 * @throws AppError USAGE.
 */
export async function parse(argv: readonly string[], columns: number): Promise<Parsed> {
  const help = helpFor(argv, columns);
  if (help !== undefined) return { kind: "print", text: help };
  const { default: yargs } = await import("yargs");
  const line = ownPart(argv);
  refuseOddBooleans(line);
  let parsed: Parsed | undefined;
  const parser = yargs()
    .scriptName("do-bootstrap")
    .locale("en")
    .help(false)
    .parserConfiguration({
      "parse-numbers": false,
      "parse-positional-numbers": false,
      "camel-case-expansion": false,
      // What stands behind -- is nobody's option.
      "populate--": true,
    })
    .options(yargsOptions(globalOptions))
    .version(__VERSION__)
    .strict()
    .exitProcess(false)
    .showHelpOnFail(false)
    .fail((message, error) => {
      // With a message it is the command line's fault, whatever error comes with it.
      throw message ? usage(message, line) : error;
    });
  for (const command of COMMANDS) {
    parser.command({
      command: command === COMMANDS[0] ? [command.name, "$0"] : commandWords(command),
      builder: (commandLine) => commandLine.options(yargsOptions(command.options)),
      handler: (values) => {
        parsed = { kind: "run", command, args: readArgs(command, values) };
      },
    });
  }
  let printed = "";
  await parser.parseAsync([...withSeparator(argv)], {}, (_error, _args, output) => {
    printed = output;
  });
  return parsed ?? { kind: "print", text: `${printed}\n` };
}

function commandWords({ name, positional }: Command): string {
  return positional === undefined ? name : `${name} [${positional}..]`;
}

function yargsOptions(options: Options) {
  return Object.fromEntries(
    Object.entries(options).map(([name, { type }]) => [
      // yargs takes --no-browser for browser=false.
      type === "boolean" ? name.replace(/^no-/, "") : name,
      { type, ...(type === "string" ? { requiresArg: true as const } : {}) },
    ]),
  );
}

/** yargs reads --dry-run=yes as false, and would then write. */
function refuseOddBooleans(argv: readonly string[]): void {
  const booleans = [globalOptions, ...COMMANDS.map(({ options }) => options)].flatMap(
    (options: Options) =>
      Object.entries(options).flatMap(([name, { type }]) =>
        type === "boolean" ? name.replace(/^no-/, "") : [],
      ),
  );
  for (const arg of argv) {
    const [, name = "", value] = /^--(?:no-)?([\w-]+)=(.*)$/s.exec(arg) ?? [];
    if (booleans.includes(name) && value !== "true" && value !== "false") {
      throw new AppError("USAGE", `--${name} takes no value.`, { hint: hint`Write --${name}` });
    }
  }
}

function usage(message: string, argv: readonly string[]): AppError {
  // Whatever was meant by it.
  if (argv.some((arg) => redact(arg) !== arg)) {
    return new AppError("USAGE", "A token stands on the command line.", {
      hint: hint`It is in the shell's history now: revoke it. A new one goes in by ${own("--token-stdin")} < FILE`,
    });
  }
  const unknown = /^Unknown arguments?: ([^,\s]+)/.exec(message)?.[1];
  if (unknown === undefined) {
    return new AppError("USAGE", `${message}.`.replace(/\.\.$/, "."), { hint: HELP });
  }
  const isOption = argv.some((arg) => arg.replace(/=.*$/s, "") === `--${unknown}`);
  const named = COMMANDS.find(({ name }) => argv.includes(name)) ?? COMMANDS[0];
  const known = isOption
    ? [globalOptions, named.options].flatMap(Object.keys)
    : COMMANDS.map(({ name }) => name);
  const dash = isOption ? "--" : "";
  const similar = nearest(unknown, known);
  return new AppError("USAGE", `Unknown ${isOption ? "option" : "command"} ${dash}${unknown}.`, {
    hint: similar === undefined ? HELP : hint`Did you mean ${dash}${similar}? ${HELP}`,
  });
}

const HELP = hint`See ${own("--help")}`;
