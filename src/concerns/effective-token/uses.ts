import { textIn } from "../../core/file-text.ts";
import type { Machine } from "../../core/machine.ts";
import { AppError } from "../../errors/app-error.ts";
import type { ExecConfig } from "../../exec/exec-config.ts";
import { refuseOtherToken } from "../../exec/guards.ts";
import { tokenState } from "../../exec/prepare.ts";
import { readEnvFile } from "../../exec/read-env-file.ts";
import { isOfLogin, STANDARD_NAMES } from "../../exec/token-sources.ts";
import { execVariables, toolVariables } from "../../exec/variables.ts";
import type { Environment, Snapshot } from "../../host/host.ts";
import { describeOrigin, Secret } from "../../secret/secret.ts";
import type { Variables } from "../../secret/variables.ts";
import { SECRET_TFVARS } from "../config/protected-paths.ts";
import type { ResolvedConfig } from "../config/resolved.ts";
import type { DoctlFacts } from "../doctl/observe.ts";
import { assignmentsIn } from "../env-file/assignments.ts";
import type { EnvFileFacts } from "../env-file/facts.ts";
import { execConfigOf } from "../terraform/exec-config.ts";
import type { TerraformFacts } from "../terraform/root/facts.ts";
import type { TerraformRoot } from "../terraform/root/root.ts";
import type { TokenSource, Value } from "../terraform/root/token-source.ts";
import type { TokenFacts } from "../token/facts.ts";

/** The facts that the result depends on. */
interface Known {
  readonly config: ResolvedConfig;
  readonly machine: Machine;
  readonly token: TokenFacts;
  readonly envFile: EnvFileFacts;
  readonly terraform: TerraformFacts;
  readonly doctl: DoctlFacts | undefined;
}

/** Which token a tool uses in this shell and folder, and why. */
export interface Use {
  /** scripts: a program that reads one environment variable. */
  readonly tool: "doctl" | "terraform" | "scripts";
  /** plain: run directly; exec: run with `do-bootstrap exec --`. */
  readonly via: Via;
  /** The root module; only for terraform. */
  readonly dir: string | undefined;
  /** The variable that is read; only for scripts. */
  readonly variable: string | undefined;
  /** none: the tool has no token or does not start. */
  readonly token: Secret | "none" | "unknown";
  /** The source, as text. */
  readonly from: string;
  /** path:line, if it is a file. */
  readonly where: string | undefined;
}

export type Via = "plain" | "exec";
type Taken = Pick<Use, "token" | "from" | "where">;

/**
 * The token of doctl, each Terraform root and scripts, without and with `exec` (docs/contracts/doctl.md 5,
 * docs/contracts/terraform.md 2).
 */
export function whoWins(known: Known): readonly Use[] {
  return [...usesIn(known, plainShell(known.machine.env), "plain"), ...usesUnderExec(known)];
}

/** The environment that a tool sees. */
export interface Shell {
  /** undefined: not set; null: set and empty. */
  readonly token: (name: string) => Secret | null | undefined;
  readonly text: (name: string) => string | undefined;
}

export function plainShell(env: Environment): Shell {
  return {
    text: (name) => env[name],
    token(name) {
      const value = env[name];
      return value === undefined ? undefined : secretOf(value, { kind: "environment", name });
    },
  };
}

function execShell(env: Environment, variables: Variables): Shell {
  const plain = plainShell(env);
  return {
    text(name) {
      const value = variables.get(name);
      return typeof value === "string" ? value : plain.text(name);
    },
    token(name) {
      const value = variables.get(name);
      if (value === undefined) return plain.token(name);
      return typeof value === "string" ? secretOf(value, { kind: "environment", name }) : value;
    },
  };
}

function secretOf(value: string, origin: Secret["origin"]): Secret | null {
  return value === "" ? null : Secret.of(value, origin);
}

function usesUnderExec(known: Known): readonly Use[] {
  const {
    config,
    terraform: { roots },
    machine: { env },
    envFile: { file: envFile },
    token: { state: token },
    doctl,
  } = known;
  const execConfig = { ...execConfigOf(config, roots), doctl: doctl?.forExec };
  const values = readEnvFile(textIn(envFile));
  const direct = tokenState({ config: execConfig, env, envFile: values });
  const isFromElsewhere =
    token.kind === "found" && ["command", "doctl"].includes(token.token.origin.kind);
  const state = direct.kind === "missing" && isFromElsewhere ? token : direct;
  const stopped = (from: string): readonly Use[] =>
    usesIn(known, plainShell({}), "exec").map((use) => ({ ...use, ...none(from) }));
  if (state.kind !== "found") return stopped("exec stops: no token, or more than one");
  const refusal = otherTokenIn(execConfig, roots, state.token);
  if (refusal !== undefined) return stopped(`exec stops: ${refusal}`);
  const variables = new Map([
    ...toolVariables({ config: execConfig, env, envFile: values, token: state.token, all: false }),
    ...execVariables(execConfig, state.token, []),
  ]);
  return usesIn(known, execShell(env, variables), "exec");
}

function otherTokenIn(
  config: ExecConfig,
  roots: readonly TerraformRoot[],
  token: Secret,
): string | undefined {
  const texts = new Map(
    roots.map(({ at }) => {
      const secrets = at(SECRET_TFVARS);
      return [secrets.path, textIn(secrets)] as const;
    }),
  );
  try {
    refuseOtherToken(config, token, (path) => texts.get(path) ?? "");
    return undefined;
  } catch (error) {
    if (error instanceof AppError) return error.message;
    throw error;
  }
}

function usesIn(known: Known, shell: Shell, via: Via): readonly Use[] {
  const {
    terraform: { roots, sources: tokenSources },
    config,
    envFile: { file: envFile },
    doctl,
  } = known;
  const use = (tool: Use["tool"], taken: Taken, more: Partial<Use> = {}): Use => ({
    tool,
    via,
    dir: undefined,
    variable: undefined,
    ...taken,
    ...more,
  });
  const all = [...new Set([...STANDARD_NAMES, config.token.name])];
  // exec leaves it out, so that doctl can renew the login.
  const isLeftOut = via === "exec" && isOfLogin(known.token.state);
  const names = all.filter((name) => !(isLeftOut && name === "DIGITALOCEAN_ACCESS_TOKEN"));
  return [
    ...(doctl?.tool === undefined ? [] : [use("doctl", doctlTakes(known, shell))]),
    ...roots.map((root, i) =>
      use("terraform", terraformTakes(tokenSources[i], shell, envFile), { dir: root.config.dir }),
    ),
    ...names.map((name) => use("scripts", fromShell([name], shell, envFile), { variable: name })),
  ];
}

/** docs/contracts/doctl.md 5.6 and 5.7: a named context overrides the environment's token. */
export function doctlTakes(
  { doctl, envFile: { file: envFile } }: Pick<Known, "doctl" | "envFile">,
  shell: Shell,
): Taken {
  const config = doctl?.config;
  if (config === undefined) return none("cannot locate doctl's config");
  const { path, state } = config;
  if (state.kind === "broken") return none(`doctl's config is ${state.why}`, path);
  if (doctl?.snap?.isBlind)
    return { token: "unknown", from: "the snap can't read it", where: path };
  const { contexts, lines } = state.config;
  const { name, where } = selectedContext(config, state.config, shell);
  if (name === "default") {
    const given = shell.token("DIGITALOCEAN_ACCESS_TOKEN");
    if (given) return fromSecret(given, envFile);
  }
  // doctl lower-cases only --context and every key (docs/contracts/doctl.md 5, Names).
  const held = contexts.get(name);
  if (held === undefined) return none(`${said(name)} holds no token`, where ?? path);
  return {
    token: held,
    from: `${said(name)} in doctl's config`,
    where: `${path}:${lines.get(name)}`,
  };
}

const said = (context: string) => `context ${context === "" ? '""' : context}`;

/** The context that doctl selects, with its name as written. */
export function selectedContext(
  { path }: { readonly path: string },
  { settings }: KnownConfig,
  shell: Pick<Shell, "text">,
): { readonly name: string; readonly where: string | undefined } {
  const given = shell.text("DIGITALOCEAN_CONTEXT");
  if (given) return { name: given, where: undefined };
  const written = settings.get("context");
  if (written === undefined) return { name: "default", where: undefined };
  return { name: written.value, where: `${path}:${written.line}` };
}

type Config = NonNullable<NonNullable<Known["doctl"]>["config"]>;
type KnownConfig = Extract<Config["state"], { kind: "known" }>["config"];

/** docs/contracts/terraform.md 2: a file overrides TF_VAR_, and an empty value counts as set. */
export function terraformTakes(
  source: TokenSource | undefined,
  shell: Shell,
  envFile: Snapshot,
): Taken {
  const fromEnvironment = () => fromShell(STANDARD_NAMES, shell, envFile);
  const args = ["TF_CLI_ARGS", "TF_CLI_ARGS_plan"].find((name) =>
    shell.text(name)?.includes("-var"),
  );
  if (args !== undefined)
    return { token: "unknown", from: `${args} sets -var options`, where: undefined };
  switch (source?.kind) {
    case undefined:
      return fromEnvironment();
    case "environment":
      return fromEnvironment();
    case "unknown":
      return { token: "unknown", from: source.why, where: source.where };
    case "code":
      return taken(source.value, "the code", source.where, fromEnvironment);
    case "variable": {
      const { name, byDefault, declaredAt, orNull } = source;
      const file = source.files.at(-1);
      const variable = `TF_VAR_${name}`;
      const given = file === undefined ? shell.token(variable) : undefined;
      const value = file?.value ?? (given === null ? "empty" : (given ?? byDefault));
      if (value === "empty" && orNull) return fromEnvironment();
      if (file !== undefined) return taken(file.value, `var.${name}`, file.where, fromEnvironment);
      if (given) return fromSecret(given, envFile);
      if (given === null) return none(`${variable} is empty, and the empty value is sent`);
      if (byDefault === undefined) return none(`var.${name} has no value`);
      if (byDefault === "empty") {
        return none(`the default of var.${name} is empty, and the empty value is sent`, declaredAt);
      }
      return taken(byDefault, `the default of var.${name}`, undefined, fromEnvironment);
    }
  }
}

function taken(
  value: Value,
  from: string,
  where: string | undefined,
  otherwise: () => Taken,
): Taken {
  if (value === "null") return otherwise();
  if (value === "unknown") return { token: "unknown", from, where };
  if (value === "empty") return none(`${from} is empty, and the empty value is sent`, where);
  return { token: value, from, where };
}

function fromShell(names: readonly string[], shell: Shell, envFile: Snapshot): Taken {
  const secret = names.map((name) => shell.token(name)).find((token) => token);
  if (secret) return fromSecret(secret, envFile);
  const verb = names.length === 1 ? "is not" : "are not";
  return none(`${names.join(" and ")} ${verb} in the environment`);
}

function fromSecret(secret: Secret, envFile: Snapshot): Taken {
  const { origin } = secret;
  if (origin.kind === "command" || origin.kind === "doctl") {
    return { token: secret, from: describeOrigin(origin), where: undefined };
  }
  if (origin.kind !== "env-file") {
    const from = "name" in origin ? `${origin.name} in the environment` : "the environment";
    return { token: secret, from, where: undefined };
  }
  const from = `${origin.name} in the env file`;
  return { token: secret, from, where: `${origin.path}:${lineIn(envFile, origin.name)}` };
}

/** The line of a variable's last assignment, from 1. */
export function lineIn(snapshot: Snapshot, name: string): number {
  const text = textIn(snapshot);
  const last = assignmentsIn(text).findLast(({ key }) => key === name);
  return text.slice(0, last?.valueStart ?? 0).split("\n").length;
}

function none(from: string, where?: string): Taken {
  return { token: "none", from, where };
}
