import { dirname } from "node:path";
import { environmentOutside } from "../../core/outside-environment.ts";
import { toolEnvironment } from "../../core/tool-environment.ts";
import { asAppError } from "../../errors/app-error.ts";
import type { Host, RunningProcess, ToolResult, ToolSearch } from "../../host/host.ts";
import { isCi } from "../../lib/is-ci.ts";
import { content } from "../../secret/content.ts";
import { takerIn } from "../git/repos.ts";
import type { FindTokenOptions, LoginAnswer } from "../token/find-token.ts";
import { type ApiHosts, apiHosts, isOfDigitalOcean } from "../token/hosts.ts";
import { cleanUpLoginLock } from "./cleanup.ts";
import type { Login } from "./config-file.ts";
import { findDoctlConfig } from "./config-path.ts";
import { errandKey, heldIn } from "./context.ts";
import { readConfig } from "./read-config.ts";

/** Earlier than doctl itself renews (docs/contracts/doctl-2.md 4.1): a command takes a while. */
const RENEW_BEFORE_MS = 10 * 60_000;
/** The writer of doctl 1.x needed 15 s for a renewal (docs/contracts/doctl-2.md 4.3). */
const TIME_LIMIT_MS = 120_000;
/** Time from DigitalOcean's answer until doctl writes it (docs/contracts/doctl-2.md 4.3, 5.2). */
const OTHER_WRITES_MS = 2000;

export type LoginHost = Pick<
  Host,
  | "env"
  | "home"
  | "platform"
  | "cwd"
  | "run"
  | "which"
  | "records"
  | "clock"
  | "steadyClock"
  | "files"
  | "locked"
  | "state"
  | "isOver"
>;

interface LoginQuestion {
  readonly search: ToolSearch;
  /** Tools inside this repo are not run. */
  readonly repo: string;
  readonly context: string;
  /** False if the login is about to be removed: it is read without a renewal. */
  readonly isRenewed: boolean;
  readonly progress: (what: string) => void;
}

/** Returns the function that gets the token of a login; undefined in CI, where no one has logged in. */
export function loginSource(
  host: LoginHost,
  {
    repo,
    search = () => host.which("doctl", repo),
    isRenewed = true,
    progress,
  }: Pick<LoginQuestion, "progress" | "repo"> & {
    readonly search?: () => Promise<ToolSearch>;
    readonly isRenewed?: boolean;
  },
): FindTokenOptions["login"] {
  if (isCi(host.env)) return undefined;
  return async (context) =>
    readLogin(host, { search: await search(), repo, context, isRenewed, progress });
}

/**
 * Reads the login of a doctl context. If it is about to expire, doctl renews it on a private config, and the result is
 * merged into the user's config under our lock (docs/design.md rule 6).
 *
 * @throws AppError INTERRUPTED
 */
export async function readLogin(host: LoginHost, question: LoginQuestion): Promise<LoginAnswer> {
  const { search, context, isRenewed, progress } = question;
  const path = await findDoctlConfig(host, search);
  if (path === undefined) return { why: "absent", detail: "cannot locate doctl's config" };
  const state = await readConfig(host, path, progress);
  if (state.kind === "broken") {
    return { why: "unsure", detail: `doctl's config, ${path}, is ${state.why}` };
  }
  const held = heldIn(state.config, context);
  if (held.token === undefined && held.session === undefined) {
    return { why: "absent", detail: `there is no context ${context} in ${path}` };
  }
  if (!isRenewed) return answerOf(held);
  if (!isDue(held, host.clock.now())) {
    // A killed run may have left its merged result.
    const target = await host.files.realpath(path);
    const isLeft = host.state.read(errandKey(target, context, "renewal")) !== undefined;
    if (!isLeft) {
      await cleanUpLoginLock(host, target, context);
      return answerOf(held);
    }
  }
  const renewed = await renew(host, { ...question, path }, held).catch(unsure);
  // A token that is valid for a few more minutes is better than none.
  const { token, session } = held;
  const isAlive = (session?.expiresAt ?? 0) > host.clock.now();
  return "why" in renewed && isAlive && token !== undefined ? answerOf(held) : renewed;
}

function answerOf({ token, session }: Login): LoginAnswer {
  if (token !== undefined) return { token, expiresAt: session?.expiresAt };
  return { why: "absent", detail: "the context has a browser login but no token" };
}

/**
 * Whether the login's token has expired or is about to. False if the context holds a token that is not from its login:
 * a renewal would replace that token.
 */
export function isDue({ token, session }: Login, now: number): boolean {
  const { expiresAt } = session ?? {};
  if (token !== undefined && !token.isOfSession) return false;
  return expiresAt !== undefined && expiresAt - now < RENEW_BEFORE_MS;
}

/** For a folder that is not writable, or another run that takes too long. @throws AppError INTERRUPTED */
function unsure(error: unknown): LoginAnswer {
  const { code, message } = asAppError(error);
  if (code === "INTERRUPTED" || code === "UNEXPECTED") throw error;
  return { why: "unsure", detail: message.replace(/\.$/, "") };
}

async function renew(
  host: LoginHost,
  { search, repo, context, path, progress }: LoginQuestion & { readonly path: string },
  before: Login,
): Promise<LoginAnswer> {
  const { path: doctl } = search;
  if (doctl === undefined) {
    const detail = "its token has expired, and renewal needs doctl, which is not on PATH";
    return { why: "unsure", detail };
  }
  const hosts = apiHosts(host.env);
  const endpoint = before.session?.tokenEndpoint ?? "";
  if (!isOfDigitalOcean(endpoint, hosts)) {
    const detail = `${path} would send the refresh token to ${hostOf(endpoint)}, which is not DigitalOcean`;
    return { why: "unsure", detail };
  }
  const target = await host.files.realpath(path);
  const readOnly = await host.files.whyNotWritable(dirname(target));
  if (readOnly !== undefined) {
    const detail = `its token has expired, and ${path} is not writable (${readOnly}), so a renewed token could not be saved`;
    return { why: "unsure", detail };
  }
  if ((await takerIn(host, undefined, [target])) !== undefined) {
    return {
      why: "unsure",
      detail: `${path} would hold the new token, and git does not ignore it`,
    };
  }
  progress("Renewing the login with doctl");
  const call = { doctl, context, hosts, env: await environmentOutside(host, repo) };
  const clock = { ...host.clock, sleep: host.steadyClock.sleep };
  const steady = { ...host, files: host.files.steady, clock };
  // Loading the YAML editor takes 10 ms.
  const { throughDoctl } = await import("./private-config.ts");
  const { withContext } = await import("./config-file.ts");
  let said: ToolResult | undefined;
  const place = { path, context, doctl, progress };
  const held = await throughDoctl(steady, place, {
    kind: "renewal",
    about: "",
    start: ({ token, session }) => {
      const isStillDue = isDue({ token, session }, host.clock.now());
      const isSame = token?.equals(before.token) === true;
      if (!isSame || !isStillDue || session === undefined) return undefined;
      return withContext("", context, token, session.due) ?? content();
    },
    run: async (file, onStart) => {
      said = await askForAccount(host, { ...call, file, onStart });
      return whyNot(said).why === "ended" ? "late" : undefined;
    },
  });
  const isNew = held.token !== undefined && !held.token.equals(before.token);
  if (isNew || !isDue(held, host.clock.now())) return answerOf(held);
  const failure = whyNot(said);
  return failure.why === "ended" ? ((await renewedByOther()) ?? failure) : failure;

  /** If another doctl renewed at the same time, it has used the refresh token and will write its result soon. */
  async function renewedByOther(): Promise<LoginAnswer | undefined> {
    const until = host.steadyClock.now() + OTHER_WRITES_MS;
    for (;;) {
      const now = await readConfig(steady, path, progress);
      const theirs = now.kind === "known" ? heldIn(now.config, context) : undefined;
      if (theirs?.token && !theirs.token.equals(before.token)) return answerOf(theirs);
      if (host.steadyClock.now() > until) return undefined;
      await host.steadyClock.sleep(200);
    }
  }
}

/** Any API call makes doctl renew the login, even if the answer is a 403. */
function askForAccount(
  { run }: Pick<Host, "run">,
  call: {
    doctl: string;
    file: string;
    context: string;
    hosts: ApiHosts;
    env: Host["env"];
    onStart: (process: RunningProcess) => void;
  },
): Promise<ToolResult> {
  const { doctl, file, context, hosts, env, onStart } = call;
  return run({
    file: doctl,
    args: [
      ...["account", "get", "--config", file, "--context", context],
      ...["--http-retry-max", "1"],
      ...(hosts.redirected ? ["--api-url", hosts.api.href] : []),
    ],
    env: toolEnvironment(env),
    // A version manager's shim would read the repo's settings.
    cwd: "/",
    timeoutMs: TIME_LIMIT_MS,
    isSteady: true,
    onStart,
  });
}

function whyNot(said: ToolResult | undefined): Exclude<LoginAnswer, { token: unknown }> {
  const text = `${said?.stderr}\n${said?.stdout}`;
  const [, cause = ""] = /could not be renewed[:.\s]*(.*)/s.exec(text) ?? [];
  // docs/contracts/doctl-2.md 4.9: the message of a network error starts like that of an expired login.
  if (/\binvalid_grant\b/.test(cause)) {
    return { why: "ended", detail: "DigitalOcean no longer renews it" };
  }
  if (cause !== "") {
    return { why: "unsure", detail: `doctl could not renew it: ${oneLine(cause)}` };
  }
  if (said?.end === "timed-out")
    return { why: "unsure", detail: "doctl did not renew it in 120 s" };
  return { why: "unsure", detail: "doctl did not renew it; renewal needs doctl 2.5 or newer" };
}

const MOST_SHOWN = 200;

function oneLine(text: string): string {
  const [first = ""] = text.trim().split("\n");
  return first.slice(0, MOST_SHOWN).replace(/\.$/, "");
}

function hostOf(address: string): string {
  return URL.canParse(address) ? new URL(address).host : "an unknown host";
}
