import type { Command } from "../command.ts";
import { globalOptions, type Options } from "../options.ts";
import { bashScript } from "./bash.ts";
import { fishScript } from "./fish.ts";
import { zshScript } from "./zsh.ts";

/** The options that every command has. */
const ANSWERED: Options = {
  help: { type: "boolean", describe: "Show the help of the command" },
  version: { type: "boolean", describe: "Show the version" },
};

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript };

/** A shell's completion script, from the same data as the parser and the help. */
export function completionScript(shell: keyof typeof SCRIPTS, all: readonly Command[]): string {
  const common = { ...globalOptions, ...ANSWERED };
  const named = all.flatMap(({ aliases = [], ...command }) => [
    command,
    ...aliases.map((name) => ({ ...command, name })),
  ]);
  const commands = named.map((command) => ({
    ...command,
    options: { ...command.options, ...common },
  }));
  return SCRIPTS[shell](commands);
}
