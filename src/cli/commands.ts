import type { Command } from "./command.ts";
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

/** In the order of the help; the first is what runs where none is named. */
export const COMMANDS: readonly [Command, ...Command[]] = [
  init,
  login,
  check,
  scopes,
  explain,
  exec,
  env,
  hook,
  rotate,
  logout,
  uninstall,
  ci,
  completionOf(() => COMMANDS),
  demo,
];

export function commandNamed(word: string): Command | undefined {
  return COMMANDS.find(({ name, aliases }) => name === word || aliases?.includes(word));
}
