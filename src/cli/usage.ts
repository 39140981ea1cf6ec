import { AppError } from "../errors/app-error.ts";
import { type CommandPart, type Hint, hint, own } from "../errors/hint.ts";
import { nearest } from "../lib/nearest.ts";
import type { Command } from "./command.ts";
import { COMMANDS, commandNamed } from "./commands.ts";
import type { Given, Line } from "./line.ts";
import { globalOptions, type Option } from "./options.ts";

// Errors about a command line. A given value is never repeated: it may be a token.

/** A word on the line looks like a token. */
export function tokenOnLine(command: Command, line: Line): AppError {
  return new AppError("USAGE", "The command line contains a token.", {
    hint: hint`Your shell history now contains the token. Revoke it. ${byInput(command, line)}`,
  });
}

/** `--token X`, whatever X is. */
function tokenOption(shown: string, command: Command, line: Line): AppError {
  const message = `There is no option ${shown}: other users can see the command line, and the shell history keeps it.`;
  return new AppError("USAGE", message, {
    hint: hint`If you typed a token there, revoke it. ${byInput(command, line)}`,
  });
}

function byInput(command: Command, { given }: Line): Hint {
  const to = Object.hasOwn(command.options, "token-stdin") ? command : COMMANDS[0];
  const environment = given.find(({ name }) => name === "env")?.value ?? "";
  const words = PLAIN.test(environment)
    ? ["--env", environment, "--token-stdin"]
    : ["--token-stdin"];
  return hint`Save the new token in a file outside the repo, then run: ${{ line: lineOf(to, ...words), input: "token.txt" }}`;
}

export function unknownOption(given: Given, command: Command, line: Line): AppError {
  const { name } = given;
  // A short option is one letter. What follows may be a value.
  const [shown] = /^-[A-Za-z]/.exec(name) ?? (PLAIN.test(name) ? [`--${name}`] : []);
  const known = [globalOptions, command.options].flatMap(Object.keys);
  const similar = SYNONYMS.get(name) ?? nearest(name, known);
  const isKnown = similar !== undefined && known.includes(similar);
  if (!isKnown && saysToken(name)) return tokenOption(shown ?? "for a token", command, line);
  const owners = COMMANDS.filter(({ options }) => Object.hasOwn(options, name));
  const message = shown === undefined ? "Unknown option." : `Unknown option ${shown}.`;
  const see = helpOf(command);
  if (owners.length > 0) {
    const lines = owners.slice(0, 3).map((each) => lineOf(each, ...valued(name, each)));
    const listed = lines.flatMap((each, at): Hint => [at === 0 ? "" : ", ", each]);
    return new AppError("USAGE", message, { hint: hint`Commands with this option: ${listed}` });
  }
  return new AppError("USAGE", message, {
    hint: isKnown ? hint`Did you mean --${similar}? ${see}` : see,
  });
}

/** What other programs call our options. */
const SYNONYMS: ReadonlyMap<string, string> = new Map([
  ["-y", "yes"],
  ["-n", "dry-run"],
  ["-a", "all"],
  ["-f", "force"],
  ["-v", "debug"],
  ["verbose", "debug"],
  ["environment", "env"],
  ["stdin", "token-stdin"],
]);

function saysToken(name: string): boolean {
  return (
    name.startsWith("-t") ||
    /token|secret|passw|api[-_]?key/i.test(name) ||
    nearest(name, ["token", "access-token"]) !== undefined
  );
}

export function unknownCommand({ words: [word = ""], given }: Line): AppError {
  const isInput = given.some(({ name }) => name === "token-stdin");
  if (isInput) return inputAsValue(COMMANDS[0]);
  const known = [...COMMANDS.flatMap(({ name, aliases = [] }) => [name, ...aliases]), "help"];
  const similar = nearest(word, known);
  const message = PLAIN.test(word) ? `Unknown command ${word}.` : "Unknown command.";
  const see = helpOf(COMMANDS[0]);
  return new AppError("USAGE", message, {
    hint: similar === undefined ? see : hint`Did you mean ${similar}? ${see}`,
  });
}

/** A word for a command that takes none. */
export function unusedWord(word: string, command: Command, { given }: Line): AppError {
  if (given.some(({ name }) => name === "token-stdin")) return inputAsValue(command);
  const message = `${command.name} takes no arguments${PLAIN.test(word) ? `: ${word}` : ""}.`;
  const isEnvironment =
    Object.hasOwn(command.options, "env") && PLAIN.test(word) && commandNamed(word) === undefined;
  const see = helpOf(command);
  return new AppError("USAGE", message, {
    hint: isEnvironment
      ? hint`To choose an environment: ${lineOf(command, "--env", word)}. ${see}`
      : see,
  });
}

/** `--token-stdin token.txt` */
function inputAsValue(command: Command): AppError {
  const message = "--token-stdin takes no value: it reads standard input.";
  return new AppError("USAGE", message, {
    hint: hint`Write ${{ line: lineOf(command, "--token-stdin"), input: "token.txt" }}`,
  });
}

export function missingValue(name: string, command: Command): AppError {
  const completes = command.options[name]?.completes;
  const line = lineOf(command, ...valued(name, command));
  const names = own("completion", "--list", "environments");
  return new AppError("USAGE", `--${name} needs a value.`, {
    hint:
      typeof completes === "object"
        ? hint`Use one of: ${completes.join(", ")}`
        : completes === "environments"
          ? hint`List the names: ${names}. Then: ${line}`
          : hint`Write ${line}. ${helpOf(command)}`,
  });
}

/** An option with its value, as in the help. */
function valued(name: string, { options }: Command): readonly string[] {
  const { type, value = "VALUE" }: Partial<Option> = options[name] ?? {};
  return type === "string" ? [`--${name}`, value] : [`--${name}`];
}

export function notBoolean({ name }: Given): AppError {
  return new AppError("USAGE", `--${name} takes no value.`, { hint: hint`Write --${name}` });
}

function helpOf(command: Command): Hint {
  return hint`See ${lineOf(command, "--help")}`;
}

/** The first command may be omitted on a line. */
function lineOf(command: Command, ...words: readonly string[]): CommandPart {
  return command === COMMANDS[0] ? own(...words) : own(command.name, ...words);
}

/** A word that is safe to show: no token has this form, and few passwords do. */
const PLAIN = /^[A-Za-z][A-Za-z-]{0,30}$/;
