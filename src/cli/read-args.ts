import { AppError } from "../errors/app-error.ts";
import { type Hint, hint, own } from "../errors/hint.ts";
import { listed } from "../lib/few.ts";
import type { Args, Command } from "./command.ts";
import { globalOptions, type Option } from "./options.ts";

/**
 * The arguments for a command's handler, whichever parser read the line. What was not given is false, undefined or an
 * empty list.
 *
 * @param values by option name; the command's own words under `positional`, other words under `--`.
 * @throws AppError USAGE for a word that is not in a closed list.
 */
export function readArgs(command: Command, values: Readonly<Record<string, unknown>>): Args {
  const { positional, options } = command;
  const known: readonly [string, Option][] = Object.entries({ ...globalOptions, ...options });
  const read = known.map(([name, option]) => [
    name,
    readOption(name, option, valueIn(values, name)),
  ]);
  return {
    ...Object.fromEntries(read),
    ...(positional === undefined ? {} : { [positional]: readWords(command, values[positional]) }),
    "--": wordsIn(values["--"]),
  };
}

/** For `--no-browser`, yargs sets `browser` to false. */
function valueIn(values: Readonly<Record<string, unknown>>, name: string): unknown {
  const [, negated] = /^no-(.+)$/.exec(name) ?? [];
  return values[name] ?? (negated === undefined ? undefined : values[negated] === false);
}

function readOption(name: string, { type, completes }: Option, value: unknown) {
  // If an option is given twice, the last one counts.
  const last: unknown = Array.isArray(value) ? value.at(-1) : value;
  if (type === "boolean") return last === true;
  if (typeof last !== "string") return undefined;
  if (typeof completes !== "object" || completes.includes(last)) return last;
  throw new AppError("USAGE", `--${name} ${last}: invalid value.`, {
    hint: hint`Use one of: ${completes.join(", ")}`,
  });
}

function readWords(command: Command, value: unknown): string | readonly string[] | undefined {
  const words = wordsIn(value);
  if (typeof command.completes !== "object") return words;
  const [word, ...more] = words;
  if (word === undefined && command.isOptional) return undefined;
  if (word !== undefined && more.length === 0 && command.completes.includes(word)) return word;
  throw needsWord(command.name, command.completes, command.needs);
}

function wordsIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

/**
 * @param words at least two.
 * @param what the meaning of the word, for a person.
 */
export function needsWord(command: string, words: readonly string[], what?: string): AppError {
  const lines = words.flatMap((word, at): Hint => [at === 0 ? "" : ", ", own(command, word)]);
  return new AppError(
    "USAGE",
    `${command} needs one argument: ${listed(words, "or")}${what === undefined ? "" : `, ${what}`}.`,
    {
      hint: hint`Use one of: ${lines}`,
    },
  );
}
