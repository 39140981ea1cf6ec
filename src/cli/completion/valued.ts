import type { Command } from "../command.ts";

/** Options that take a value, of any command: the word behind one of them is not a command's. */
export function valued(commands: readonly Pick<Command, "options">[]): string[] {
  const all = commands.flatMap(({ options }) => Object.entries(options));
  const names = all.flatMap(([name, { type, short }]) =>
    type === "string" ? [`--${name}`, ...(short === undefined ? [] : [`-${short}`])] : [],
  );
  return [...new Set(names)];
}
