import type { Command } from "../command.ts";

/** Options of any command that take a value. The next word is not the name of a command. */
export function valued(commands: readonly Pick<Command, "options">[]): string[] {
  const all = commands.flatMap(({ options }) => Object.entries(options));
  const names = all.flatMap(([name, { type, short }]) =>
    type === "string" ? [`--${name}`, ...(short === undefined ? [] : [`-${short}`])] : [],
  );
  return [...new Set(names)];
}
