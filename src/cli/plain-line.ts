import { readOptions } from "../exec/command-line.ts";
import { looksLikeToken } from "../secret/token-form.ts";
import type { Args, Command } from "./command.ts";
import { COMMANDS, commandNamed } from "./commands.ts";
import { globalOptions } from "./options.ts";
import { readArgs } from "./read-args.ts";

/**
 * Reads a line without anything unusual in it, as most are. Loading and using yargs takes 30 ms.
 *
 * @returns undefined for a line that is left to yargs: help, tokens, errors, options after words, negations, values of
 *   booleans.
 * @throws AppError USAGE for a word that is not in a closed list.
 */
export function readPlainLine(
  argv: readonly string[],
): { readonly kind: "run"; readonly command: Command; readonly args: Args } | undefined {
  if (argv.some(looksLikeToken)) return undefined;
  const named = argv[0] === undefined ? undefined : commandNamed(argv[0]);
  const command = named ?? COMMANDS[0];
  const own = named === undefined ? argv : argv.slice(1);
  const read = readOptions(own, { ...globalOptions, ...command.options });
  if (read === undefined) return undefined;
  const { options, words } = read;
  const given = wordsOf(command, own, words);
  if (given === undefined) return undefined;
  return { kind: "run", command, args: readArgs(command, { ...options, ...given }) };
}

function wordsOf(
  { words: takesAny, positional }: Command,
  line: readonly string[],
  words: readonly string[],
): Readonly<Record<string, readonly string[]>> | undefined {
  if (words.length === 0 || takesAny !== undefined) return { "--": words };
  // Options may follow such a word. yargs handles that.
  const isPlain = !line.includes("--") && words.every((word) => !word.startsWith("-"));
  return positional !== undefined && isPlain ? { [positional]: words } : undefined;
}
