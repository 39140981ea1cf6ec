import { dirname } from "node:path";
import {
  authLogin,
  type Browser,
  browserFrom,
  canLogIn,
  cannotLogIn,
} from "../../concerns/doctl/auth-login.ts";
import type { Login } from "../../concerns/doctl/config-file.ts";
import { findDoctlConfig } from "../../concerns/doctl/config-path.ts";
import { heldIn } from "../../concerns/doctl/context.ts";
import { broken, judgePlace } from "../../concerns/doctl/plan.ts";
import { readConfig } from "../../concerns/doctl/read-config.ts";
import { askRepos, wouldTake } from "../../concerns/git/repos.ts";
import { inspectOnce } from "../../concerns/token/inspect.ts";
import { allNeeded } from "../../concerns/token/needed-scopes.ts";
import type { Inspection } from "../../concerns/token/verdict.ts";
import { failureOf } from "../../core/finding.ts";
import type { OutsideChange } from "../../core/outside-change.ts";
import { environmentOutside } from "../../core/outside-environment.ts";
import { AppError } from "../../errors/app-error.ts";
import { hint, own } from "../../errors/hint.ts";
import type { Host } from "../../host/host.ts";
import { content } from "../../secret/content.ts";
import type { Secret } from "../../secret/secret.ts";
import type { Facts, ObservingHost } from "./observe.ts";

type LoginHost = ObservingHost & Pick<Host, "run">;

/** A login in the browser, with a person's options. */
export interface LoginRequest {
  /** Print the URL instead of opening it. */
  readonly isPrinted: boolean;
  readonly port: number | undefined;
  /** Replace another login without asking. */
  readonly force: boolean;
}

/** Whether to offer a login to a person: "old" if doctl is missing or too old. */
export async function loginOffer(
  host: ObservingHost,
  facts: Pick<Facts, "config" | "repo" | "machine">,
): Promise<"yes" | "old" | "no"> {
  if (facts.machine.isCi || contradictionIn(facts) !== undefined) return "no";
  return (await canLogIn(host, await host.which("doctl", facts.repo.toolsNotIn))) ? "yes" : "old";
}

/** A login in the report of a dry run. */
export function loginRehearsed({ config: { loginContext: context } }: Facts): OutsideChange {
  const why = "opens your browser; afterwards the repo is prepared for this login";
  return {
    ...{ label: `login of doctl context ${context}`, sign: "+", why },
    asked: `log in to doctl context ${context}`,
    json: () => ({ kind: "login", context, why }),
    apply: async () => [],
  };
}

/** What a person is told and asked during a login. */
export interface LoginTalk {
  /** Called before doctl starts, with the requested scopes; none: the person chooses them. */
  readonly announce: (scopes: readonly string[], browser: Browser) => Promise<void>;
  /** Asks whether another login may be replaced; undefined: nobody can be asked. */
  readonly confirm: ((question: string) => Promise<boolean>) | undefined;
  readonly progress: (what: string) => void;
}

/**
 * Logs in through doctl, checks whose login it is, and merges it into doctl's config. If an earlier run got a login but
 * was killed before the merge, that login is used.
 *
 * @param inspections cached answers about tokens, extended here.
 * @returns the context with the login.
 * @throws AppError NO_LOGIN where this doctl cannot log in, LOGIN_FAILED, DECLINED; the id of a finding for a login of
 *   another team; those of throughDoctl.
 */
export async function logIn(
  host: LoginHost,
  facts: Facts,
  request: LoginRequest,
  talk: LoginTalk,
  inspections: Map<string, Promise<Inspection>>,
): Promise<string> {
  const { config, repo, token, machine } = facts;
  if (machine.isCi) throw notInCi();
  const search = await host.which("doctl", repo.toolsNotIn);
  if (search.path === undefined || !(await canLogIn(host, search))) throw cannotLogIn(search.path);
  const { path: doctl } = search;
  const context = config.loginContext;
  refuseContradiction(facts, context);
  const path = await findDoctlConfig(host, search);
  if (path === undefined) throw noPlace();
  await refuseBadPlace(host, facts, path);
  const { progress } = talk;
  const inspect = inspectOnce(host, token.hosts, inspections, () =>
    progress("Asking DigitalOcean about the login"),
  );
  const state = await readConfig(host, path, progress);
  if (state.kind === "broken") throw failureOf(broken(path, state.why));
  let mayReplace = request.force;
  // A token that somebody stored there may be the only copy. For a stored login, the question depends on whose the new
  // one is.
  const { token: held } = heldIn(state.config, context);
  if (held !== undefined && !held.isOfSession && (await inspect(held)).state !== "refused") {
    await askToReplace(`doctl context ${context} holds a token (${held.fingerprint}).`);
  }
  const scopes = loginScopes(facts);
  const browser = browserFrom(host, request);
  const env = await environmentOutside(host, repo.toolsNotIn);
  const place = { path, context, doctl, progress };
  const { throughDoctl } = await import("../../concerns/doctl/private-config.ts");
  await throughDoctl(host, place, {
    kind: "login",
    about: scopes.join(" "),
    start: () => content("context: default\n"),
    run: async (file, onStart) => {
      await talk.announce(scopes, browser);
      const { hosts } = token;
      await authLogin(host, { doctl, context, file, scopes, browser, hosts, env, onStart });
      return undefined;
    },
    accept,
  });
  return context;

  async function accept({ token: ours }: { token: Secret }, before: Login): Promise<void> {
    const inspection = await inspect(ours);
    if (inspection.state === "refused") throw refused();
    const { judgeToken } = await import("../../concerns/token/judge.ts");
    const found = { kind: "found", token: ours, shadowed: [] } as const;
    const judged = judgeToken({ token: { state: found, inspection }, config, machine });
    const wrong = judged.find(({ id }) => STOPPING.includes(id));
    if (wrong !== undefined) throw failureOf(wrong);
    if (before.session === undefined || hasEnded(facts, context)) return;
    const theirs = before.token && (await inspect(before.token));
    const isSame =
      theirs?.team !== undefined &&
      theirs.team.uuid === inspection.team?.uuid &&
      theirs.email === inspection.email;
    if (isSame) return;
    const whose = theirs?.team === undefined ? "an unknown account" : theirs.team.name;
    await askToReplace(
      `doctl context ${context} holds a login for ${whose}. The new login is for ${inspection.team?.name ?? "an unknown team"}.`,
    );
  }

  async function askToReplace(what: string): Promise<void> {
    if (mayReplace) return;
    mayReplace = (await talk.confirm?.(`${what}\nReplace it?`)) === true;
    if (mayReplace) return;
    throw new AppError("DECLINED", `doctl context ${context} still has its previous login.`, {
      hint: hint`To replace it: ${own("login", "--force")}; to use another context, set token.doctl in the config`,
    });
  }
}

/** Findings that make a login unusable, whatever the code needs. */
const STOPPING = ["token.wrong-team", "token.team-unknown", "token.unverified"];

/** DigitalOcean no longer renews the old login, so nothing is lost. */
function hasEnded({ token: { state } }: Facts, context: string): boolean {
  return state.kind === "no-login" && state.why === "ended" && state.context === context;
}

function refused(): AppError {
  return new AppError("LOGIN_FAILED", "DigitalOcean rejects the token of the new login (401).", {
    hint: hint`Nothing was changed. Try again: ${own("login")}`,
  });
}

/** Refuses, before a person logs in, a place where the tokens would be lost or not ignored by git. @throws AppError */
async function refuseBadPlace(host: LoginHost, facts: Facts, path: string): Promise<void> {
  const target = await host.files.realpath(path);
  const readOnly = await host.files.whyNotWritable(dirname(target));
  if (readOnly !== undefined) throw notWritable(path, readOnly);
  const { repo, doctl } = facts;
  const verdicts = await askRepos(host, repo.git?.git, [target]);
  const taken = [...verdicts.values()].find(wouldTake);
  const [inGit] = judgePlace({ doctl: doctl && { ...doctl, taken: taken ?? doctl.taken } });
  if (inGit !== undefined) throw failureOf(inGit);
}

/** The scopes that the code needs, and the one to see whose account it is. None without code. */
export function loginScopes({ token: { code } }: Facts): readonly string[] {
  if (code.actions.length === 0) return [];
  const scopes = allNeeded(code.needs);
  return scopes.includes("account:read") ? scopes : ["account:read", ...scopes];
}

/** The setting that would make the config invalid once it names a login. */
function contradictionIn({ config: { doctl, roots } }: Pick<Facts, "config">): string | undefined {
  if (doctl === false) return "doctl: false";
  const hasFile = roots.some(({ credentials }) => credentials === "tfvars");
  return hasFile ? "terraform.credentials: tfvars" : undefined;
}

/** @throws AppError CONFIG_INVALID */
function refuseContradiction(facts: Facts, context: string): void {
  const { file } = facts.config;
  const remedy = contradictionIn(facts);
  if (remedy === undefined) return;
  const message = `${file}: ${remedy} can't be combined with a doctl login (context ${context}).`;
  throw new AppError("CONFIG_INVALID", message, {
    hint: hint`Remove it from the config, then log in: ${own("login")}`,
  });
}

function notInCi(): AppError {
  return new AppError("USAGE", "Can't log in with a browser in CI.", {
    hint: hint`Add an API token to the pipeline's secrets as DIGITALOCEAN_TOKEN.`,
  });
}

function noPlace(): AppError {
  return new AppError("NO_LOGIN", "Can't log in: can't locate doctl's config.", {
    hint: hint`Set HOME or DIGITALOCEAN_CONFIG.`,
  });
}

/** docs/contracts/doctl-2.md 2.15, 4.12: the grant would be used up, and the login lost. */
function notWritable(path: string, why: string): AppError {
  const message = `Can't log in: ${path} is not writable (${why}), so the login could not be saved.`;
  return new AppError("NO_LOGIN", message, {
    hint: hint`Make the folder writable: ${{ listing: { path: dirname(path) }, isFolder: true }}; or set DIGITALOCEAN_CONFIG to another file.`,
  });
}
