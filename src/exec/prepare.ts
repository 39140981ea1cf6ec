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
 * The variables that a line sets, for a command or for a shell.
 *
 * @throws AppError NO_TOKEN, NESTED_EXEC, DOCTL_LOGIN, OTHER_TOKEN, OTHER_WORKSPACE.
 */
function prepare({ command, options, words }: CommandLine, facts: Facts): Variables {
  const state = tokenState(facts);
  const token = usable(state);
  refuseNested(facts.env, facts.config, state);
  refuseDoctlLogin(words);
  refuseOtherToken(facts.config, token, facts.textAt);
  refuseOtherWorkspace(words, facts);
  const variables = toolVariables({ ...facts, token, all: options["all"] === true });
  if (command === "exec") {
    return new Map([...variables, ...execVariables(facts.config, token, words)]);
  }
  // In a shell that `exec` has started, the context is that of the outer token; a login is nowhere but in its context.
  const needsContext = outerExec(facts.env) !== undefined || token.origin.kind === "doctl";
  return needsContext ? new Map([...variables, contextVariable(facts.config, token)]) : variables;
}

/**
 * What `exec` runs.
 *
 * @throws AppError those of `prepare`.
 */
export function executionOf(line: CommandLine, facts: Facts): Execution {
  const variables = prepare(line, facts);
  return {
    words: line.words,
    env: { ...facts.env, ...Object.fromEntries(revealed(variables)) },
    notice: noticeOf(facts),
    secrets: line.options["mask"] === true ? secretsToMask(variables, facts) : undefined,
  };
}

/** All that the machine has for this project, not only what the command gets: a log is for others to read. */
function secretsToMask(
  variables: Variables,
  { config, env, envFile, textAt }: Facts,
): readonly string[] {
  const inEnvFile = [...envFile].flatMap(([name, value]) => secretsOf(name, value));
  const inFiles = config.filesToMask.flatMap((path) => secretsInFile(path, textAt(path)));
  return [...new Set([...secretsIn(variables, env), ...inEnvFile, ...inFiles])];
}

/** What `env` prints, and says. */
export interface ShellText extends Quoted {
  /** For standard error, before the text: what makes a runner hide the secrets in its log. */
  readonly masks: string;
  /** The same, for a person. */
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
  // Elsewhere nobody reads the commands, and they would be secrets on a screen. GitLab has none.
  const isRunner = facts.env["GITHUB_ACTIONS"] === "true";
  const masks = isRunner ? maskCommands(secretsIn(variables, {})) : "";
  return { ...quote(format, revealed(variables)), masks, notice: noticeOf(facts) };
}

/** That the token may not live long enough, and why Terraform will say that it has no keys; "" in all other cases. */
function noticeOf(facts: Facts): string {
  const kept = keysKept(facts);
  const keys =
    kept &&
    `not passing the ${kept.names} keys: the backend at ${kept.place} may use a host other than Spaces (${kept.settings}).`;
  const texts = [facts.warning, keys].filter((text) => text !== undefined);
  return texts.map((text) => `do-bootstrap: ${safe(text)}\n`).join("");
}

/** Which token there is without anybody being asked. */
export function tokenState({ known, ...facts }: SourceFacts & Pick<Facts, "known">): TokenState {
  return known ?? chooseToken(sourcesIn(facts));
}

type SourceFacts = Pick<Facts, "env" | "envFile"> & {
  readonly config: Pick<ExecConfig, "envFile" | "tokenName" | "environment" | "login">;
};

/** Where a token may come from without anybody being asked. */
export function sourcesIn({ config, env, envFile }: SourceFacts): TokenSources {
  return {
    stdin: undefined,
    prompted: undefined,
    inCode: undefined,
    env,
    envFile: { path: config.envFile, values: envFile },
    name: config.tokenName,
    // A pipeline's token is its own.
    context: isCi(env) ? undefined : config.login,
    environment: config.environment,
  };
}

/** Why there is none is said, in the words of `check`, where time does not matter: plan/exec.ts. */
function usable(state: TokenState): Secret {
  if (state.kind === "found") return state.token;
  throw new AppError("NO_TOKEN", "No token, or more than one.", { hint: hint`${own("check")}` });
}
