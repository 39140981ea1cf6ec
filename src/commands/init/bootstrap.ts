import { browserFrom } from "../../concerns/doctl/auth-login.ts";
import { StoreContext } from "../../concerns/doctl/changes.ts";
import { OTHER_LOGIN } from "../../concerns/doctl/plan.ts";
import { isOfOtherAccount } from "../../concerns/effective-token/conflicts.ts";
import { verdictOn } from "../../concerns/git/observe.ts";
import { guardOf } from "../../concerns/git/repos.ts";
import { NOTHING_LEFT, note } from "../../concerns/spaces/journal.ts";
import { judgeUnfinished } from "../../concerns/spaces/plan.ts";
import { type LockVerdicts, proveLocks } from "../../concerns/spaces/prove-locks.ts";
import type { MadeKeys, ProvisionRequest } from "../../concerns/spaces/provision.ts";
import { lockTestOf } from "../../concerns/terraform/backend/plan.ts";
import { TOKEN_IN_GIT } from "../../concerns/terraform/code.ts";
import { BACKEND_TF } from "../../concerns/terraform/root/names.ts";
import { terraformWords } from "../../concerns/terraform/root/typed.ts";
import type { CommandAnswer } from "../../concerns/token/find-token.ts";
import { inspectOnce } from "../../concerns/token/inspect.ts";
import { lacksToken } from "../../concerns/token/offers.ts";
import { type Inspection, whyUnverified } from "../../concerns/token/verdict.ts";
import type { ApplyHost } from "../../core/change.ts";
import type { Consent } from "../../core/consent.ts";
import { textAt } from "../../core/file-text.ts";
import { type Finding, isBlocked } from "../../core/finding.ts";
import { type Look, NOTHING_DONE, type Result, runTask, type Task } from "../../core/flow.ts";
import { joined, type Plan, type PlanPart } from "../../core/plan.ts";
import { type CommandResult, title, wordsOf } from "../../core/run-commands.ts";
import { AppError } from "../../errors/app-error.ts";
import { exec, hint, own } from "../../errors/hint.ts";
import { readEnvFile } from "../../exec/read-env-file.ts";
import { isOfLogin } from "../../exec/token-sources.ts";
import type { Secret } from "../../secret/secret.ts";
import { cleanUp } from "./cleanup.ts";
import { choicesIn } from "./environments.ts";
import { finding } from "./findings.ts";
import { type LoginRequest, type LoginTalk, logIn, loginRehearsed, loginScopes } from "./log-in.ts";
import { type Facts, type ObserveOptions, type ObservingHost, observe } from "./observe.ts";
import { planAll } from "./plan.ts";
import { askForRoots, askForTrust, askToAdopt, type Prompter } from "./prompter.ts";
import {
  askForKeys,
  findLeft,
  forgetLeft,
  type LeftKeys,
  makesKeys,
  planLeft,
  requestFor,
  stillAtDigitalOcean,
  takenBack,
  withMade,
} from "./spaces.ts";
import { planConfig, proposedConfig } from "./write-config.ts";

export interface Request
  extends Pick<
    ObserveOptions,
    | "environment"
    | "stdin"
    | "minTtlSeconds"
    | "trust"
    | "adopt"
    | "roots"
    | "purpose"
    | "inspections"
    | "wantedKeys"
  > {
  /** Log in with the browser first. */
  readonly login?: LoginRequest | undefined;
  /** Adds to the plan. */
  readonly also?: (facts: Facts) => PlanPart;
  readonly consent: Consent;
  /** `now`: how much is done, shown where the terminal can redraw a line. */
  readonly progress: (what: string, now?: string) => void;
}

/** The read-only half of the flow (docs/design.md §1): the task of `check`. */
export async function look(host: ObservingHost, request: Request): Promise<Look<Facts>> {
  const { facts } = await observe(host, optionsOf(request));
  const plan = planAll(facts, request.consent);
  return { facts, plan: joined([plan, { findings: judgeUnfinished(facts) }]) };
}

/**
 * Prepares a repo: the task of `init`.
 *
 * @param prompter asks for a token if there is none, and whether the config's command may run.
 * @throws AppError those of runTask.
 */
export async function bootstrap(
  host: ObservingHost & ApplyHost,
  request: Request,
  prompter: Prompter<Facts>,
  dryRun: boolean,
): Promise<Result<Facts>> {
  if (dryRun && request.login !== undefined) return rehearseLogin(host, request, prompter);
  if (dryRun) {
    const { facts } = await observe(host, optionsOf(request));
    const left = planLeft(host, facts, await findLeft(host, facts));
    return { facts, plan: joined([planAll(facts, request.consent), left]), ...NOTHING_DONE };
  }
  const { progress } = request;
  let { consent } = request;
  // A config that a person should check first is the only thing that the run writes.
  let proposal: Finding | undefined;
  let options: ObserveOptions = {
    ...optionsOf(request),
    asksOthers: true,
    answers: new Map<string, Promise<CommandAnswer>>(),
    inspections: new Map<string, Promise<Inspection>>(),
  };
  let hasLoggedIn = false;
  let isContextAsked = false;
  let isAskedForKeys = false;
  let made: { readonly keys: MadeKeys; readonly request: ProvisionRequest } | undefined;
  let left: LeftKeys | undefined;
  let keepRecord: () => void = () => undefined;
  /** Findings of the last plan that moved a token out of the code. A look after the change no longer finds them. */
  let inGit: readonly Finding[] = [];
  const task: Task<Facts> = {
    async look(written) {
      let facts = await observed({ written });
      // The second look must not ask about the environments that were just written.
      const chosen = proposal === undefined ? await chosenEnvironment(facts) : undefined;
      if (chosen !== undefined) facts = await observed({ environment: chosen });
      const wanted = await askForRoots(prompter.roots, facts);
      if (wanted === "environments") consent = { ...consent, writeConfig: true };
      else if (wanted !== undefined) facts = await observed({ roots: wanted });
      if (consent.writeConfig) proposal ??= proposedConfig(facts);
      if (proposal !== undefined) {
        return { facts, plan: joined([planConfig(facts, consent), { findings: [proposal] }]) };
      }
      // The right token depends on the root, which is not chosen yet.
      if (facts.search?.choice.kind === "several") return { facts, plan: planAll(facts, consent) };
      const { state } = facts.token;
      const trust = await askForTrust(prompter.trust, state);
      if (trust !== undefined) facts = await observed({ trust });
      facts = await verified(facts);
      const adopted = isLogin() ? undefined : await askToAdopt(prompter.adopt, facts);
      if (adopted?.login !== undefined) facts = await observed({ login: adopted.login });
      else if (adopted !== undefined) facts = await observed({ adopted: adopted.token });
      const { inspections = new Map() } = options;
      if (await isToLogIn(facts)) {
        const login = await logIn(
          host,
          facts,
          request.login ?? BY_MENU,
          talkOf(facts),
          inspections,
        );
        hasLoggedIn = true;
        facts = await observed({ login });
      } else if (prompter.ask !== undefined && needsToken(facts)) {
        facts = await observed({ prompted: await prompter.ask(facts, inspections) });
      }
      if (!isAskedForKeys) {
        isAskedForKeys = true;
        const wantedKeys = await askForKeys(prompter.keys, facts);
        if (wantedKeys !== undefined) facts = await observed({ wantedKeys });
      }
      left ??= await findLeft(host, facts);
      const planned = await askForContext(facts, await planWithLogin(facts));
      const plan = joined([planned, alsoFor(facts)]);
      const fixed = plan.findings.filter(({ id }) => id === TOKEN_IN_GIT);
      if (fixed.length > 0) inGit = fixed;
      return { facts, plan };
    },
    cleanUp: (facts) => cleanUp(host, facts),
    probe,
    guard: ({ repo }) => guardOf(host, repo.git?.git),
    inGit: async (paths, { repo: { git } }) =>
      new Map(git === undefined ? [] : paths.map((path) => [path, verdictOn(path, git)])),
    isStillTrue: ({ token: { state } }) =>
      assertStillFound(host, state.kind === "found" ? state.token : undefined),
    async rootsAtOnce({ terraform }) {
      const { rootsAtOnce } = await import("../../concerns/terraform/roots-at-once.ts");
      return rootsAtOnce(host, [...terraform.tools.values()]);
    },
    async finish({ facts, plan }, commands) {
      keepRecord();
      await forgetLeft(host, facts, left);
      if (made !== undefined) await note(host, made.request, made.keys.tag, () => NOTHING_LEFT);
      const said = new Set(plan.findings.map(({ message }) => message));
      const stillInGit = inGit.filter(({ message }) => !said.has(message));
      return [...stillInGit, ...commands.flatMap((result) => commandFailed(result, facts))];
    },
  };
  const result = await runTask(task, host, approve, { dryRun, progress }).catch(
    async (error: unknown) => {
      if (made === undefined) throw error;
      const { withLeft } = await import("../../concerns/spaces/provision.ts");
      throw withLeft(error, await takenBack(host, made.request, made.keys));
    },
  );
  // A lock that does not work stops the run after the key was made.
  if (made !== undefined && result.applied.length === 0) {
    const stays = stillAtDigitalOcean(await takenBack(host, made.request, made.keys));
    return { ...result, plan: joined([result.plan, { findings: stays }]) };
  }
  return hasLoggedIn
    ? { ...result, outside: [loginRehearsed(result.facts), ...result.outside] }
    : result;

  /** Asks DigitalOcean about an unverified token again, as often as a person wants. */
  async function verified(first: Facts): Promise<Facts> {
    let facts = first;
    while (prompter.retry !== undefined) {
      const { state, inspection, hosts } = facts.token;
      const why = inspection && whyUnverified(inspection, hosts.api);
      if (state.kind !== "found" || why === undefined) break;
      await prompter.retry(why);
      options.inspections?.delete(state.token.fingerprint);
      facts = await observed();
    }
    return facts;
  }

  /** Asks a person whether to replace a login that blocks the plan, once. */
  async function planWithLogin(facts: Facts): Promise<Plan> {
    const plan = planAll(facts, consent);
    const errors = plan.findings.filter(({ level }) => level === "error");
    const [first, ...more] = errors;
    const isInTheWay = first?.id === OTHER_LOGIN && more.length === 0;
    if (!isInTheWay || prompter.replace === undefined) return plan;
    if (!(await prompter.replace(first.message))) return plan;
    consent = { ...consent, replaceLogin: true };
    return planAll(facts, consent);
  }

  /** Asks once, and only if the plan stores the token in doctl. Otherwise a finding reports it. */
  async function askForContext(facts: Facts, plan: Plan): Promise<Plan> {
    const why = plan.findings.find(({ id }) => isOfOtherAccount(id));
    const { context } = facts.doctl?.target ?? {};
    const isStored = plan.changes.some((change) => change instanceof StoreContext);
    if (why === undefined || context === undefined || !(isStored || hasLoggedIn)) return plan;
    if (prompter.makeCurrent === undefined || isBlocked(plan.findings) || isContextAsked)
      return plan;
    isContextAsked = true;
    const isHarmless = why.level === "info";
    if (!(await prompter.makeCurrent(context, { message: why.message, isHarmless }))) return plan;
    consent = { ...consent, use: true };
    return planAll(facts, consent);
  }

  /** A login was requested or chosen. */
  function isLogin(): boolean {
    return request.login !== undefined || options.login !== undefined;
  }

  /** True at most once in a run. */
  async function isToLogIn(facts: Facts): Promise<boolean> {
    if (options.login !== undefined) return false;
    if (request.login !== undefined) return true;
    const isOffered = prompter.ask !== undefined && needsToken(facts);
    return isOffered && (await prompter.offerLogin?.(facts)) === true;
  }

  function talkOf(facts: Facts): LoginTalk {
    return (
      prompter.loginTalk?.(facts) ?? { announce: async () => {}, confirm: undefined, progress }
    );
  }

  async function approve(look: Look<Facts>): Promise<boolean> {
    const isYes = await prompter.approve(look);
    if (isYes || options.login === undefined) return isYes;
    const message = `Logged in: doctl context ${options.login}. Nothing was changed in the repo.`;
    throw new AppError("DECLINED", message, {
      hint: hint`To let this repo use it, set token.doctl: ${options.login} in the config; then run ${own()}`,
    });
  }

  /** A person who is asked for a token without an environment usually means one of the environments. */
  async function chosenEnvironment({ config, token }: Facts): Promise<string | undefined> {
    const isNone = config.environment === undefined && config.environments.length > 0;
    if (prompter.choose === undefined || !isNone || token.state.kind !== "missing")
      return undefined;
    const inspect = inspectOnce(host, token.hosts, options.inspections ?? new Map(), () =>
      progress("Asking DigitalOcean about the token"),
    );
    const choices = await choicesIn(host, inspect);
    return choices && prompter.choose(choices);
  }

  async function observed(more: Partial<ObserveOptions> = {}): Promise<Facts> {
    options = { ...options, ...more };
    const { facts, keepRecord: keep } = await observe(host, options);
    keepRecord = keep;
    options = { ...options, git: facts.repo.git?.git };
    return facts;
  }

  /** The other changes need the keys of the state, so these are made first. */
  async function withKeys(look: Look<Facts>): Promise<Look<Facts>> {
    const wanted = makesKeys(look.facts) ? requestFor(look.facts) : undefined;
    if (wanted === undefined) return look;
    const { provision } = await import("../../concerns/spaces/provision.ts");
    const keys = await provision(host, wanted, progress);
    made = { keys, request: wanted };
    options = { ...options, madeKeys: keys };
    const facts = withMade(look.facts, keys);
    return { facts, plan: joined([planAll(facts, consent), alsoFor(facts)]) };
  }

  /** What is added to the plan. */
  function alsoFor(facts: Facts): PlanPart {
    return joined([planLeft(host, facts, left), request.also?.(facts) ?? {}]);
  }

  /** A lock that does not work is a fact about its root, so the plan is made again with it. */
  async function probe(approved: Look<Facts>) {
    const { facts, plan } = await withKeys(approved);
    const isWritten = new Set(plan.changes.map(({ file }) => file));
    const tests = facts.terraform.roots
      .filter((root) => isWritten.has(root.at(BACKEND_TF).path))
      .flatMap((root) => lockTestOf(facts, root) ?? []);
    const locks = await proveLocks(host, tests, progress);
    if (locks.size === 0) return { facts, plan, warnings: [] };
    options = { ...options, locks };
    const probed = { ...facts, spaces: { ...facts.spaces, locks } };
    const again = joined([planAll(probed, consent), alsoFor(probed)]);
    return { facts: probed, plan: again, warnings: leftInBuckets(locks) };
  }
}

/** The plan after a login is not known before the login. */
async function rehearseLogin(
  host: ObservingHost,
  request: Request & { readonly login?: LoginRequest | undefined },
  { loginTalk }: Prompter<Facts>,
): Promise<Result<Facts>> {
  const { facts } = await observe(host, { ...optionsOf(request), withoutToken: true });
  const { isPrinted = false, port } = request.login ?? {};
  await loginTalk?.(facts).announce(loginScopes(facts), browserFrom(host, { isPrinted, port }));
  return { facts, plan: joined([{ outside: [loginRehearsed(facts)] }]), ...NOTHING_DONE };
}

function optionsOf({ consent, login: _, also: _also, ...request }: Request): ObserveOptions {
  return { ...request, offers: true, fix: consent.fix };
}

/** A login that was chosen from the menu has no options. */
const BY_MENU: LoginRequest = { isPrinted: false, port: undefined, force: false };

/** Test objects that working locks left behind. A lock that does not work has its own finding. */
function leftInBuckets(locks: LockVerdicts): string[] {
  return [...locks].flatMap(([place, { why, left }]) =>
    why === undefined && left !== undefined
      ? `Could not delete the test object ${left} next to ${place}. Delete it yourself.`
      : [],
  );
}

/** A person can enter a token if there is none, or if its source failed. */
function needsToken({ token }: Facts): boolean {
  const { state, inspection } = token;
  const isRefused = inspection?.state === "refused" && isOfLogin(state);
  const isGone = isRefused || (state.kind === "no-login" && state.why !== "unsure");
  return lacksToken(token) || state.kind === "unavailable" || isGone;
}

/**
 * Called after everything is written. If a rotate replaced the token before that, we notice it here; if it comes later,
 * it sees what we wrote.
 *
 * @param found the stored token, if it was found and not given.
 */
async function assertStillFound(
  { files }: Pick<ApplyHost, "files">,
  found: Secret | undefined,
): Promise<void> {
  const origin = found?.origin;
  if (origin?.kind !== "env-file") return;
  const now = await files.look(origin.path);
  // rotate only writes to regular files, not to a FIFO, for example.
  if (now.kind === "unusable") return;
  const value = readEnvFile(textAt(now)?.text ?? "").get(origin.name);
  if (value !== undefined && found?.holds(value)) return;
  const what = `${origin.name} in ${origin.path} was changed by another process during this run.`;
  throw new AppError("CHANGED_MEANWHILE", what, {
    hint: hint`Nothing was changed. Run the same command again.`,
  });
}

/** docs/design.md §6: a failure of terraform init is a warning. */
function commandFailed(
  { command, failure }: CommandResult,
  { terraform: { roots } }: Facts,
): Finding[] {
  if (failure === undefined) return [];
  const where = roots.length > 1 ? ` in ${command.cwd}` : "";
  const message = `${title(command)} failed${where}: ${failure.why}. The files are written.`;
  const typed = terraformWords(command.cwd, command.tool.name, wordsOf(command));
  const fix =
    command.with.size > 0
      ? hint`${exec(typed, "--explain")} explains the error. Then run ${own()}`
      : hint`Fix the error above, then run ${own()}`;
  return [finding("terraform.failed", message, { where: command.cwd, fix })];
}
