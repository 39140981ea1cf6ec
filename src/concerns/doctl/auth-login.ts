import { toldBy } from "../../core/told.ts";
import { toolEnvironment } from "../../core/tool-environment.ts";
import { AppError } from "../../errors/app-error.ts";
import { hint, own, run } from "../../errors/hint.ts";
import type { Environment, Host, RunningProcess, ToolSearch } from "../../host/host.ts";
import { childEnvironment } from "../../secret/child-environment.ts";
import type { ApiHosts } from "../token/hosts.ts";

/** doctl gives the user 5 minutes (docs/contracts/doctl-2.md 2.1); its write took 10 s. */
const TIME_LIMIT_MS = 8 * 60_000;
/** Over ssh the port must be known in advance. This one is rarely used. */
const PORT_OVER_SSH = 49_190;

export interface LoginCall {
  /** The executable. */
  readonly doctl: string;
  readonly context: string;
  /** doctl's config. */
  readonly file: string;
  /** Empty: the user picks them on DigitalOcean's page. */
  readonly scopes: readonly string[];
  readonly browser: Browser;
  readonly hosts: ApiHosts;
  /** The environment without anything that points into the repo. */
  readonly env: Environment;
  readonly onStart: (process: RunningProcess) => void;
}

export interface Browser {
  /** Print the address instead of opening it. */
  readonly isPrinted: boolean;
  /** The port that the browser is redirected to; undefined: any free port. */
  readonly port: number | undefined;
}

/** Whether this doctl supports a browser login with single scopes (docs/contracts/doctl-2.md 2.1). */
export async function canLogIn(
  host: Pick<Host, "run" | "env" | "records" | "clock">,
  { path, program }: Pick<ToolSearch, "path" | "program">,
): Promise<boolean> {
  if (path === undefined) return false;
  const answer = await toldBy(host, program, "auth login", async () => {
    const { stdout, end } = await host.run({
      ...{ file: path, args: ["auth", "login", "--help"], cwd: "/", timeoutMs: 10_000 },
      env: toolEnvironment(host.env),
    });
    return end === "exited" ? `${/--scopes\b/.test(stdout)}` : undefined;
  });
  return answer === "true";
}

/** Chooses how the user gets the address into a browser. */
export function browserFrom(
  { env, platform }: Pick<Host, "env" | "platform">,
  asked: { isPrinted: boolean; port: number | undefined },
): Browser {
  const isFar = Boolean(env["SSH_CONNECTION"]);
  const hasScreen = platform !== "linux" || Boolean(env["DISPLAY"] || env["WAYLAND_DISPLAY"]);
  const isPrinted = asked.isPrinted || isFar || !hasScreen;
  return { isPrinted, port: asked.port ?? (isFar ? PORT_OVER_SSH : undefined) };
}

/**
 * What the user has to do before the address works; undefined: nothing.
 *
 * @returns a sentence and a command line.
 */
export function stepBefore(
  { env }: Pick<Host, "env">,
  { isPrinted, port }: Browser,
): { readonly text: string; readonly command: string } | undefined {
  if (!isPrinted || port === undefined) return undefined;
  const [, , server = "THIS-MACHINE"] = (env["SSH_CONNECTION"] ?? "").split(" ");
  const user = env["USER"] || env["LOGNAME"];
  const target = user ? `${user}@${server}` : server;
  const text =
    "The browser must be able to reach this machine. First, on the machine with the browser, run:";
  return { text, command: `ssh -N -L ${port}:127.0.0.1:${port} ${target}` };
}

/**
 * Runs `doctl auth login`: doctl requests a login from DigitalOcean, and the user approves it in a browser.
 *
 * @throws AppError LOGIN_FAILED; doctl has already printed the reason.
 */
export async function authLogin({ run: start }: Pick<Host, "run">, call: LoginCall): Promise<void> {
  const { doctl, context, file, scopes, browser, hosts, env, onStart } = call;
  const { end, exitCode } = await start({
    file: doctl,
    args: [
      ...["auth", "login", "--config", file, "--context", context],
      ...(scopes.length > 0 ? ["--scopes", scopes.join(" ")] : []),
      ...(browser.isPrinted ? ["--no-browser"] : []),
      ...(browser.port === undefined ? [] : ["--callback-port", `${browser.port}`]),
      ...(hosts.redirected ? ["--oauth-server", hosts.oauth.origin] : []),
    ],
    // doctl would also save a token or a context from the environment (docs/contracts/doctl-2.md 3.4).
    env: childEnvironment(env, { may: (name) => !/^(DIGITALOCEAN_|SPACES_|AWS_)/i.test(name) }),
    cwd: "/",
    timeoutMs: TIME_LIMIT_MS,
    isDialogue: true,
    onStart,
  });
  if (end === "exited" && exitCode === 0) return;
  const why = end === "exited" ? "see doctl's error above" : "doctl was stopped";
  throw new AppError("LOGIN_FAILED", `Login failed: ${why}. Nothing was changed.`, {
    hint: hint`To try again: ${own("login")}. If no browser opens: ${own("login", "--no-browser")}`,
  });
}

/** @param doctl undefined: it is not installed. */
export function cannotLogIn(doctl: string | undefined): AppError {
  const why =
    doctl === undefined
      ? "login needs doctl, which is not on PATH"
      : "this version of doctl can't request individual scopes; login needs doctl 2.5 or newer";
  return new AppError("NO_LOGIN", `Can't log in: ${why}.`, {
    hint:
      doctl === undefined
        ? hint`Install doctl 2.5 or newer (https://docs.digitalocean.com/reference/doctl/how-to/install/); or paste a token: ${own()}`
        : hint`Upgrade doctl (${run("doctl", "version")}); or paste a token: ${own()}`,
  });
}
