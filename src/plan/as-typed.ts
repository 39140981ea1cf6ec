import { shellWord } from "../shell-word.ts";

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
