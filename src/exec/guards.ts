import { join, resolve } from "node:path";
import { AppError } from "../errors/app-error.ts";
import { type Hint, hint, own, run } from "../errors/hint.ts";
import type { Environment } from "../host/host.ts";
import { dataFolder, isSamePath } from "../lib/paths.ts";
import { describeOrigin, type Secret } from "../secret/secret.ts";
import type { ExecConfig, StrangeBlock } from "./exec-config.ts";
import type { Facts } from "./facts.ts";
import { programOf } from "./program-name.ts";
import { type TokenState, tokenInValues } from "./token-sources.ts";
import { outerExec } from "./variables.ts";

/**
 * Inside another `exec`, the environment's token comes from the outer one. It must not be used for another environment,
 * or in a folder that has its own token.
 *
 * @throws AppError NESTED_EXEC.
 */
export function refuseNested(env: Environment, config: ExecConfig, token: TokenState): void {
  const outer = outerExec(env);
  if (outer === undefined) return;
  const { environment = "", base } = config;
  const apart = hint`Run the two commands one after the other, not nested.`;
  if (outer.environment !== environment) {
    const [outside, inside] = [outer.environment, environment].map((name) =>
      name === "" ? "no environment" : `environment ${name}`,
    );
    const message = `This command is for ${inside}, but runs inside do-bootstrap exec for ${outside}.`;
    throw new AppError("NESTED_EXEC", message, { hint: apart });
  }
  if (token.kind !== "found") return;
  const isOuters = token.token.origin.kind === "environment";
  if (outer.base !== base && isOuters && config.login !== undefined) {
    const message = `This command runs inside do-bootstrap exec from ${outer.base}, but this repo uses another token: the login of doctl context ${config.login}.`;
    throw new AppError("NESTED_EXEC", message, { hint: apart });
  }
  const rival = token.shadowed[0];
  if (outer.base !== base && rival !== undefined) {
    const message = `This command runs inside do-bootstrap exec from ${outer.base}, but ${describeOrigin(rival.origin)} holds another token (${rival.fingerprint}).`;
    throw new AppError("NESTED_EXEC", message, { hint: apart });
  }
}

// doctl options that take a value: the global ones, and those of the refused commands, which may also come before the
// command.
const TAKES_VALUE =
  /^(-[tuco]|--(access-token|api-url|config|output|context|http-retry-max|http-retry-wait-max|http-retry-wait-min|token-validation-server|callback-port|client-id|oauth-server|scopes?|timeout))$/;

/**
 * With a token in its environment, doctl overwrites its default context with that token when it stores a login
 * (docs/contracts/doctl.md 3.9, docs/contracts/doctl-2.md 3.4).
 *
 * @throws AppError DOCTL_LOGIN.
 */
export function refuseDoctlLogin(words: readonly string[]): void {
  const [file = "", ...args] = words;
  if (programOf(file) !== "doctl") return;
  const [group, verb = ""] = args.filter(
    (word, at) => !word.startsWith("-") && !TAKES_VALUE.test(args[at - 1] ?? ""),
  );
  const isHelp = args.includes("--help") || args.includes("-h");
  if (group !== "auth" || isHelp || !/^(init|login|switch|remove|rm)$/.test(verb)) return;
  throw new AppError(
    "DOCTL_LOGIN",
    `doctl auth ${verb} under exec would overwrite doctl's default context with this token.`,
    {
      hint:
        verb === "init"
          ? hint`To store this token in doctl: ${own()}`
          : verb === "login"
            ? hint`To log in for this repo: ${own("login")}`
            : hint`Run it without exec: ${{ line: run("doctl", "auth", verb, "--context", "NAME"), without: "DIGITALOCEAN_ACCESS_TOKEN" }}`,
    },
  );
}

/**
 * An auto.tfvars file overrides the environment, so Terraform would use a different token from other tools.
 *
 * @param textAt the text of a secret file, "" if it does not exist.
 * @throws AppError OTHER_TOKEN.
 */
export function refuseOtherToken(
  { secretFiles }: ExecConfig,
  token: Secret,
  textAt: (path: string) => string,
): void {
  for (const { path, variable } of secretFiles) {
    const text = textAt(path);
    const held = text === "" ? undefined : tokenIn(text, variable, path);
    if (held === undefined || held.equals(token)) continue;
    const message = `${path} holds a different token (${held.fingerprint}) from ${describeOrigin(token.origin)} (${token.fingerprint}). Terraform would use the one in the file.`;
    throw new AppError("OTHER_TOKEN", message, {
      hint: hint`${own("--save")} replaces it with the token in use; or: ${{ remove: { path } }}`,
    });
  }
}

/**
 * A provider block can name the host that gets the token. Only the process environment may do that (docs/design.md
 * rule 2), for example for a test server.
 *
 * @throws AppError OTHER_HOST.
 */
export function refuseOtherHost(
  { otherApis }: Pick<ExecConfig, "otherApis">,
  env: Environment,
): void {
  const [first] = otherApisIn(otherApis, env);
  if (first === undefined) return;
  throw new AppError("OTHER_HOST", `${first.message} It gets no token.`, { hint: first.fix });
}

/** Provider blocks that would send the token to a host that the environment does not name. */
export function otherApisIn(
  otherApis: readonly StrangeBlock[],
  env: Environment,
): readonly { readonly place: string; readonly message: string; readonly fix: Hint }[] {
  const allowed = originOf(env[API_URL] ?? "");
  return otherApis.flatMap(({ place, strangers }) => {
    const [{ setting, host = "" } = { setting: "" }] = strangers;
    const origin = originOf(host);
    if (origin !== undefined && origin === allowed) return [];
    const whom = origin ?? "a host that can't be read";
    const remove = hint`Remove ${setting}, so that the token goes to DigitalOcean.`;
    return {
      place,
      message: `${place}: this provider block sends the token to ${whom} (${setting}).`,
      fix:
        origin === undefined
          ? remove
          : hint`${remove} Or, if you trust the host, set it in the environment: ${{ set: API_URL, to: origin }}`,
    };
  });
}

const API_URL = "DIGITALOCEAN_API_URL";

function originOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).origin : undefined;
}

/** Terraform commands that read or write a state. */
const ON_STATE = /^(apply|console|destroy|import|output|plan|refresh|show|state|taint|untaint)$/;

/**
 * Environments may share a root, whose selected workspace stays when the next command is for another environment. Its
 * token would then be used with the wrong state. TF_WORKSPACE selects the workspace of one command, and is trusted.
 *
 * @throws AppError OTHER_WORKSPACE.
 */
export function refuseOtherWorkspace(
  words: readonly string[],
  { config, env, cwd, textAt }: Pick<Facts, "config" | "env" | "cwd" | "textAt">,
): void {
  const isAt = rootOnState(words, cwd);
  const root = config.workspaces.find((each) => isAt(each.dir));
  if (root === undefined || env["TF_WORKSPACE"]) return;
  const selected = textAt(selectionFile(root.dir, env)).trim() || "default";
  if (selected === root.workspace) return;
  const message = `Workspace ${selected} is selected in ${root.dir}, but environment ${config.environment} uses ${root.workspace}. Its token would be used with another environment's state.`;
  throw new AppError("OTHER_WORKSPACE", message, {
    hint: hint`${own()} selects ${root.workspace}.`,
  });
}

/**
 * Terraform in a root that only another environment has: its resources would be changed with this environment's token.
 *
 * @throws AppError OTHER_ROOT.
 */
export function refuseOtherRoot(
  words: readonly string[],
  { config, cwd }: Pick<Facts, "config" | "cwd">,
): void {
  const isAt = rootOnState(words, cwd);
  const other = config.othersRoots.find((each) => isAt(each.dir));
  if (other === undefined) return;
  const message = `${other.dir} is a root of environment ${other.environment}, not of ${config.environment}.`;
  const [, ...names] = words;
  throw new AppError("OTHER_ROOT", message, {
    hint: hint`${own("exec", "--env", other.environment)} -- ${run(words[0] ?? "", ...names)}`,
  });
}

/** Tells whether a line of Terraform reads or writes a state in a folder; for any other line, in none. */
function rootOnState(
  [file = "", ...args]: readonly string[],
  cwd: string,
): (folder: string) => boolean {
  const isTerraform = /^(terraform|tofu)$/.test(programOf(file));
  const isOnState = ON_STATE.test(args.find((word) => !word.startsWith("-")) ?? "");
  const [, chdir = "."] = args.map((word) => /^-chdir=(.+)$/s.exec(word)).find(Boolean) ?? [];
  const dir = resolve(cwd, chdir);
  return (folder) => isTerraform && isOnState && isSamePath(folder, dir);
}

/** The file with the name of a root's selected workspace (docs/contracts/terraform.md 7.5, 7.6). */
export function selectionFile(dir: string, env: Environment): string {
  return join(dataFolder(dir, env), "environment");
}

function tokenIn(text: string, variable: string, path: string): Secret | undefined {
  try {
    return tokenInValues(JSON.parse(text), variable, path);
  } catch {
    // Terraform will report the error.
    return undefined;
  }
}
