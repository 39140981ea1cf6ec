import { AppError } from "../errors/app-error.ts";
import { hint, own } from "../errors/hint.ts";
import { isCi } from "../lib/is-ci.ts";
import { secretsOf } from "../secret/named.ts";
import { safe } from "../secret/safe.ts";
import type { Secret } from "../secret/secret.ts";
import { revealed, type Variables } from "../secret/variables.ts";
import type { CommandLine } from "./command-line.ts";
import type { ExecConfig } from "./exec-config.ts";
import type { Execution } from "./execute.ts";
import type { Facts } from "./facts.ts";
import {
  refuseDoctlLogin,
  refuseNested,
  refuseOtherHost,
  refuseOtherRoot,
  refuseOtherToken,
  refuseOtherWorkspace,
} from "./guards.ts";
import { FORMATS, isFormat, maskCommands, type Quoted, quote, quoteUnset } from "./quoting.ts";
import { secretsInFile } from "./secrets-in-file.ts";
import { chooseToken, type TokenSources, type TokenState } from "./token-sources.ts";
import {
  contextVariable,
  execVariables,
  keysKept,
  outerExec,
  secretsIn,
  toolVariables,
  variableNames,
} from "./variables.ts";

/**
 * The variables that a line sets for a command or a shell.
 *
 * @throws AppError NO_TOKEN, NESTED_EXEC, DOCTL_LOGIN, OTHER_HOST, OTHER_TOKEN, OTHER_ROOT, OTHER_WORKSPACE.
 */
function prepare({ command, options, words }: CommandLine, facts: Facts): Variables {
  const state = tokenState(facts);
  const token = usable(state);
  refuseNested(facts.env, facts.config, state);
  refuseDoctlLogin(words);
  refuseOtherHost(facts.config, facts.env);
  refuseOtherToken(facts.config, token, facts.textAt);
  refuseOtherRoot(words, facts);
  refuseOtherWorkspace(words, facts);
  const variables = toolVariables({ ...facts, token, all: options["all"] === true });
  if (command === "exec") {
    return new Map([...variables, ...execVariables(facts.config, token, words)]);
  }
  // In a shell started by `exec`, DIGITALOCEAN_CONTEXT belongs to the outer token. And doctl can use a login only
  // through its context.
  const needsContext = outerExec(facts.env) !== undefined || token.origin.kind === "doctl";
  return needsContext ? new Map([...variables, contextVariable(facts.config, token)]) : variables;
}

/**
 * The command that `exec` runs, with its environment.
 *
 * @throws AppError those of `prepare`.
 */
export function executionOf(line: CommandLine, facts: Facts): Execution {
  const variables = prepare(line, facts);
  return {
    words: line.words,
    cwd: facts.cwd,
    base: facts.config.base,
    env: { ...facts.env, ...Object.fromEntries(revealed(variables)) },
    notice: noticeOf(facts),
    secrets: line.options["mask"] === true ? secretsToMask(variables, facts) : undefined,
  };
}

/** All secrets that this project has on the machine, not only those that the command gets: other people read logs. */
function secretsToMask(
  variables: Variables,
  { config, env, envFile, textAt }: Facts,
): readonly string[] {
  const inEnvFile = [...envFile].flatMap(([name, value]) => secretsOf(name, value));
  const inFiles = config.filesToMask.flatMap((path) => secretsInFile(path, textAt(path)));
  return [...new Set([...secretsIn(variables, env), ...inEnvFile, ...inFiles])];
}

/** What `env` prints. */
export interface ShellText extends Quoted {
  /** For standard error, before the text: commands that make a CI runner hide the secrets in its log. */
  readonly masks: string;
  /** For standard error, for a person. */
  readonly notice: string;
}

/**
 * What `env` prints.
 *
 * @throws AppError USAGE, NOT_REPRESENTABLE, and those of `prepare`.
 */
export function shellText(line: CommandLine, facts: Facts): ShellText {
  const { format = "sh", unset, all } = line.options;
  if (typeof format !== "string" || !isFormat(format)) {
    throw new AppError("USAGE", `--format ${format}: invalid value.`, {
      hint: hint`Formats: ${FORMATS.join(", ")}`,
    });
  }
  if (unset === true) {
    const names = variableNames(facts, all === true);
    return { text: quoteUnset(format, names), leftOut: [], masks: "", notice: "" };
  }
  const variables = prepare(line, facts);
  // Outside a runner nobody reads these commands, and they would show secrets on a screen. GitLab has none.
  const isRunner = facts.env["GITHUB_ACTIONS"] === "true";
  const masks = isRunner ? maskCommands(secretsIn(variables, {})) : "";
  return { ...quote(format, revealed(variables)), masks, notice: noticeOf(facts) };
}

/**
 * Warns that the token expires soon, or that the keys for a state are not passed to Terraform; "" in all other cases.
 */
function noticeOf(facts: Facts): string {
  const kept = keysKept(facts).map(
    ({ names, block, place, settings }) =>
      `not passing the ${names} keys: the ${block} at ${place} may use a host other than Spaces (${settings}).`,
  );
  const texts = [facts.warning, ...kept].filter((text) => text !== undefined);
  return texts.map((text) => `do-bootstrap: ${safe(text)}\n`).join("");
}

/** The state of the token, from the sources that need no question. */
export function tokenState({ known, ...facts }: SourceFacts & Pick<Facts, "known">): TokenState {
  return known ?? chooseToken(sourcesIn(facts));
}

type SourceFacts = Pick<Facts, "env" | "envFile"> & {
  readonly config: Pick<ExecConfig, "envFile" | "tokenName" | "environment" | "login">;
};

/** The sources of a token that need no question. */
export function sourcesIn({ config, env, envFile }: SourceFacts): TokenSources {
  return {
    stdin: undefined,
    prompted: undefined,
    inCode: undefined,
    env,
    envFile: { path: config.envFile, values: envFile },
    name: config.tokenName,
    // CI has its own token.
    context: isCi(env) ? undefined : config.login,
    environment: config.environment,
  };
}

/** The reason is explained where speed does not matter: `check`, and commands/exec-session/session.ts. */
function usable(state: TokenState): Secret {
  if (state.kind === "found") return state.token;
  throw new AppError("NO_TOKEN", "No token, or more than one.", { hint: hint`${own("check")}` });
}
