import { shellWord } from "../lib/shell-word.ts";

/**
 * A command of Terraform's as a person would type it.
 *
 * @param dir the root module's folder, as seen from where it is typed.
 */
export function terraformIn(dir: string, tool: string, words: string): string {
  return dir === "." || dir === ""
    ? `${tool} ${words}`
    : `${tool} -chdir=${shellWord(dir)} ${words}`;
}

/** The same with what `exec` passes on. */
export function behindExec(environment: string | undefined, command: string, option = ""): string {
  return `do-bootstrap exec${option}${environmentOption(environment)} -- ${command}`;
}

/** An environment's name is a slug: it needs no quotes. */
export function environmentOption(environment: string | undefined): string {
  return environment === undefined ? "" : ` --env ${environment}`;
}

// Of those that ask for an environment; exec and env are written with theirs.
const COMMAND =
  /(?<![\w./-])do-bootstrap(?![\w./-])( (?:init|check|rotate|logout|uninstall)\b)?(?! (?:exec|env|scopes|explain|ci|hook|demo|completion|--env)\b)/g;

/** A hint whose commands are about the environment that was looked at. */
export function inEnvironment(hint: string, environment: string | undefined): string {
  if (environment === undefined) return hint;
  return hint.replace(COMMAND, (command) => `${command}${environmentOption(environment)}`);
}
