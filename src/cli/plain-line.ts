import { readOptions } from "../exec/command-line.ts";
import type { Args, Command } from "./command.ts";
import { COMMANDS } from "./commands.ts";
import { globalOptions } from "./options.ts";

/**
 * Reads a line without anything unusual in it, as most are: loading and asking yargs takes 30 ms.
 *
 * @returns undefined for what is left to yargs: help, mistakes, negations, values of booleans.
 */
export function readPlainLine(
  argv: readonly string[],
): { readonly kind: "run"; readonly command: Command; readonly args: Args } | undefined {
  const named = COMMANDS.find(({ name }) => name === argv[0]);
  const command = named ?? COMMANDS[0];
  const own = named === undefined ? argv : argv.slice(1);
  const read = readOptions(own, { ...globalOptions, ...command.options });
  if (read === undefined) return undefined;
  const { options, words } = read;
  if (words.length === 0) return { kind: "run", command, args: options };
  // Options may stand behind a positional word, which is for yargs to say.
  if (command.words === undefined) return undefined;
  return { kind: "run", command, args: { ...options, "--": words } };
}
