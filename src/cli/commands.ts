import type { Command } from "./command.ts";
import { backend } from "./commands/backend.ts";
import { check } from "./commands/check.ts";
import { ci } from "./commands/ci.ts";
import { completionOf } from "./commands/completion.ts";
import { demo } from "./commands/demo.ts";
import { env } from "./commands/env.ts";
import { exec } from "./commands/exec.ts";
import { explain } from "./commands/explain.ts";
import { hook } from "./commands/hook.ts";
import { init } from "./commands/init.ts";
import { login } from "./commands/login.ts";
import { logout, uninstall } from "./commands/logout.ts";
import { rotate } from "./commands/rotate.ts";
import { scopes } from "./commands/scopes.ts";

/** The commands that everybody needs. The help lists them first. */
export const MAIN = [init, check, exec] as const;

/** In the order of the help. The first one runs if no command is named. */
export const COMMANDS: readonly [Command, ...Command[]] = [
  ...MAIN,
  login,
  scopes,
  env,
  hook,
  backend,
  rotate,
  logout,
  explain,
  uninstall,
  ci,
  completionOf(() => COMMANDS),
  demo,
];

export function commandNamed(word: string): Command | undefined {
  return COMMANDS.find(({ name, aliases }) => name === word || aliases?.includes(word));
}
