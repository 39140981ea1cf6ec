import { bootstrap as bootstrapRepo, look, type Request } from "../commands/init/bootstrap.ts";
import { environmentsOf, judgeOneToken, type Many } from "../commands/init/environments.ts";
import { withoutCheckout } from "../commands/init/in-ci.ts";
import type { LoginRequest } from "../commands/init/log-in.ts";
import type { Facts } from "../commands/init/observe.ts";
import type { ExposedFiles } from "../commands/leaks/in-git.ts";
import { usableToken } from "../concerns/token/storing.ts";
import { type Finding, findingsIn, statusOf } from "../core/finding.ts";
import { type Look, NOTHING_DONE, type Result } from "../core/flow.ts";
import { isEmpty, type Plan } from "../core/plan.ts";
import { title } from "../core/run-commands.ts";
import { AppError } from "../errors/app-error.ts";
import { EXIT, type ExitStatus } from "../errors/exit-status.ts";
import { type Hint, hint } from "../errors/hint.ts";
import type { CommandLine } from "../exec/command-line.ts";
import type { ShellText } from "../exec/prepare.ts";
import { onceEach } from "../lib/grouped.ts";
import type { ExplainReport } from "../report/explanations.ts";
import type { EnvironmentReport, Report } from "../report/report.ts";
import type { ScopesReport } from "../report/scopes.ts";
import type { Purpose } from "../scopes/code-actions.ts";
import { changing, type Reported } from "./changing.ts";
import type { BootstrapOptions, CheckOptions, Options, ScopesOptions } from "./options.ts";
import type { Runtime } from "./runtime.ts";

// The tasks that both the library and the command line call. Each returns what it found or did, and the exit status.

/** Options without what the runtime already has. */
type Asked<O> = Omit<O, Exclude<keyof Options, "environment"> | "prompter">;

/** @throws AppError those of bootstrap and look in commands/init/bootstrap.ts. */
export async function bootstrap(
  runtime: Runtime,
  { dryRun = false, yes = false, strict, ...options }: Asked<BootstrapOptions> & { yes?: boolean },
): Promise<Reported<Report>> {
  const { approve, outcome } = changing("init", { dryRun, yes, strict }, runtime);
  const request = requestOf(options, runtime, dryRun ? "once" : "kept");
  const prompter = { ...prompterOf(runtime, yes), approve };
  const result = await bootstrapRepo(runtime.host, request, prompter, dryRun);
  return outcome(await withTokenFile(result, options.token, runtime));
}

/**
 * Warns if the token came from a file of the repo.
 *
 * @param input what standard input contained.
 */
export async function withTokenFile<F extends Facts | Many>(
  result: Result<F>,
  input: string | undefined,
  { host }: Pick<Runtime, "host">,
): Promise<Result<F>> {
  if (host.inputFile() === undefined) return result;
  const { facts, plan } = result;
  const { repo } = "repo" in facts ? facts : facts[0];
  const { tokenFileInGit } = await import("../commands/leaks/in-git.ts");
  const findings = await tokenFileInGit(host, repo.git?.git, input);
  return { ...result, plan: { ...plan, findings: [...plan.findings, ...findings] } };
}

/** What `login` and `rotate` have in common. */
export interface LoginOptions extends Pick<BootstrapOptions, "environment"> {
  readonly login: LoginRequest;
  readonly dryRun: boolean;
  readonly yes: boolean;
  readonly strict?: boolean;
}

/**
 * Logs in through doctl, and prepares the repo for that login.
 *
 * @throws AppError those of logIn in commands/init/log-in.ts, and of bootstrap.
 */
export async function login(
  runtime: Runtime,
  options: LoginOptions & { readonly purpose: Purpose },
): Promise<Reported<Report>> {
  const { approve, outcome } = changing("login", options, runtime);
  const request = { ...loginRequest(options, runtime), purpose: options.purpose };
  const prompter = { ...prompterOf(runtime, options.yes), approve };
  return outcome(await bootstrapRepo(runtime.host, request, prompter, options.dryRun));
}

/**
 * Like `login`, for a login that replaces an earlier one.
 *
 * @param revoke asks DigitalOcean to revoke the earlier one afterwards.
 * @throws AppError as `login`.
 */
export async function rotateLogin(
  runtime: Runtime,
  { revoke, ...options }: LoginOptions & { readonly revoke: boolean },
): Promise<Reported<Report>> {
  const { rotateLogin: rotate } = await import("../commands/credentials/rotate-login.ts");
  const { approve, outcome } = changing("rotate", options, runtime);
  const request = { ...loginRequest(options, runtime), revoke };
  return outcome(
    await rotate(runtime.host, request, { ...prompterOf(runtime), approve }, options.dryRun),
  );
}

function loginRequest({ environment, login }: LoginOptions, runtime: Runtime): Request {
  return { ...requestOf({ environment }, runtime, "kept"), login };
}

/** @param yes skips the questions about what can stay as it is. */
function prompterOf(runtime: Runtime, yes = false) {
  const { askForToken: ask, askForRoots: roots, offerLogin, loginTalk, replace } = runtime;
  const { adopt, choose, trust } = runtime;
  const { retry, makeCurrent, askForKeys: keys } = yes ? NO_EXTRAS : runtime;
  const of = { ask, roots, retry, offerLogin, loginTalk, replace, makeCurrent, keys };
  return { ...of, adopt, choose, trust };
}

const NO_EXTRAS = { retry: undefined, makeCurrent: undefined, askForKeys: undefined };

/** @throws AppError those of look in commands/init/bootstrap.ts. */
export async function check(
  runtime: Runtime,
  { history = false, remote = false, strict = false, all = false, ...options }: Asked<CheckOptions>,
): Promise<Reported<Report>> {
  const { env, cwd, home } = runtime.host;
  const about = { ...NOTHING_DONE, command: "check", dryRun: false, env, cwd, home } as const;
  const request = { ...requestOf(options, runtime, "once"), inspections: new Map() };
  const [first, ...more] = await environmentsOf(runtime.host, {
    environment: options.environment,
    all,
  });
  const found = await lookAt(first);
  const each = all ? [found] : undefined;
  for (const name of more) each?.push(await lookAt(name));
  const whole = each === undefined ? found.plan : planOfAll(each.map(({ plan }) => plan));
  const searched = each?.find(({ facts }) => hasOddToken(facts)) ?? found;
  const looks = each ?? [found];
  const exposed = await exposedFiles(looks, runtime);
  const plan = history
    ? await withLeaks({ facts: searched.facts, plan: whole }, runtime)
    : await withExposed(looks, whole, exposed);
  const seen = [
    ...judgeOneToken(looks.map(({ facts }) => facts)),
    ...(remote ? await lookAtPipeline(looks, runtime) : []),
  ];
  const placed = await Promise.all(looks.map((one) => withPlaces(one, exposed, runtime)));
  const [{ facts, places = [] } = found] = placed;
  const report: Report = {
    ...{ ...about, facts, plan: { ...plan, findings: [...plan.findings, ...seen] } },
    ...(all ? { each: placed } : { places }),
  };
  return { report, status: statusOfCheck(report.plan) };

  async function lookAt(environment: string | undefined): Promise<EnvironmentReport> {
    const { facts, plan: whole } = await look(runtime.host, { ...request, environment });
    const plan = facts.machine.isCi ? withoutCheckout(whole) : whole;
    const findings = all ? findingsIn(environment, plan.findings) : plan.findings;
    return { ...about, facts, plan: { ...plan, findings }, status: statusOfCheck(plan) };
  }

  function statusOfCheck(plan: Plan): ExitStatus {
    const status = statusOf(plan.findings, strict);
    return status === EXIT.ok && !isEmpty(plan) ? EXIT.findings : status;
  }
}

/** A token without a known prefix. A search finds it only if it is given the token. */
function hasOddToken({ token: { state } }: Facts): boolean {
  return state.kind === "found" && !state.token.hasPrefix;
}

/** What several environments need is listed once. */
function planOfAll(plans: readonly Plan[]): Plan {
  const changes = plans.flatMap((plan) => plan.changes);
  const commands = plans.flatMap((plan) => plan.commands);
  return {
    findings: plans.flatMap(({ findings }) => findings),
    changes: onceEach(changes, ({ sign, label, why }) => [sign, label, why].join("\n")),
    commands: onceEach(commands, (command) => [title(command), command.cwd].join("\n")),
    outside: [],
  };
}

function requestOf(
  {
    environment,
    token,
    minTtlSeconds,
    trust,
    roots,
    adopt = false,
    spacesKey = false,
    createBackend = [],
    ...consent
  }: Asked<BootstrapOptions>,
  { progress }: Runtime,
  trusted: "once" | "kept",
): Request {
  return {
    ...{ environment, stdin: token, minTtlSeconds, roots, adopt, progress },
    ...(trust ? { trust: trusted } : {}),
    ...(spacesKey || createBackend.length > 0 ? { wantedKeys: { create: createBackend } } : {}),
    consent: {
      force: consent.force ?? false,
      replaceLogin: false,
      use: consent.use ?? false,
      save: consent.save ?? false,
      fix: consent.fix ?? false,
      writeConfig: consent.writeConfig ?? false,
      envrc: consent.envrc ?? false,
      doctlConfig: consent.doctlConfig ?? false,
      asFlag: consent.accessTokenFlag ?? false,
    },
  };
}

async function withLeaks({ facts, plan }: Look<Facts>, { host, progress }: Runtime): Promise<Plan> {
  const { findLeaks } = await import("../commands/leaks/leaks.ts");
  const leaks = await findLeaks(host, facts, progress);
  return { ...plan, findings: [...plan.findings, ...leaks] };
}

/** The files with one of these tokens that git has or would add. */
async function exposedFiles(
  each: readonly Look<Facts>[],
  { host }: Runtime,
): Promise<ExposedFiles | undefined> {
  const { searchForOwn } = await import("../commands/leaks/in-git.ts");
  return searchForOwn(
    host,
    each.map(({ facts }) => facts),
  );
}

async function lookAtPipeline(
  looks: readonly Look<Facts>[],
  { host, progress }: Runtime,
): Promise<readonly Finding[]> {
  const { checkRemote } = await import("../commands/pipelines/check-remote.ts");
  progress("Asking where the pipeline's secrets are");
  const held = looks.flatMap(({ facts: { token } }) => usableToken(token)?.fingerprint ?? []);
  const [first] = looks;
  const roots = looks.flatMap(({ facts }) => facts.terraform.roots);
  return first === undefined ? [] : checkRemote(host, { ...first.facts, roots }, new Set(held));
}

async function withExposed(
  each: readonly Look<Facts>[],
  plan: Plan,
  exposed: ExposedFiles | undefined,
): Promise<Plan> {
  if (exposed === undefined) return plan;
  const { judgeExposed } = await import("../commands/leaks/in-git.ts");
  const all = each.map(({ facts }) => facts);
  return { ...plan, findings: [...plan.findings, ...judgeExposed(all, exposed, plan.findings)] };
}

async function withPlaces(
  one: EnvironmentReport,
  exposed: ExposedFiles | undefined,
  { host }: Runtime,
): Promise<EnvironmentReport> {
  const { whereTokenIs } = await import("../commands/credentials/whereabouts.ts");
  return { ...one, places: await whereTokenIs(host, one.facts, exposed?.files ?? []) };
}

/**
 * @param options.plan may be "-", for standard input.
 * @throws AppError those of lookAtScopes.
 */
export async function scopes(
  { host, progress }: Runtime,
  { environment, dirs = [], purpose = "apply", plan, strict = false }: Asked<ScopesOptions>,
): Promise<Reported<Omit<ScopesReport, "format">>> {
  const { lookAtScopes } = await import("../commands/scopes/scopes.ts");
  const found = await lookAtScopes(host, { environment, dirs, purpose, plan, progress });
  return {
    report: { ...found, command: "scopes", cwd: host.cwd },
    status: statusOf(found.findings, strict),
  };
}

/**
 * @param example how a person passes a text.
 * @throws AppError USAGE for an empty text, NOTHING_TO_EXPLAIN, and those of explainText.
 */
export async function explain(
  { host, progress }: Runtime,
  { environment, text, example }: Asked<Options> & { text: string; example: Hint },
): Promise<Reported<ExplainReport>> {
  if (text.trim() === "") {
    throw new AppError("USAGE", "No error text was given.", {
      hint: hint`For example: ${example}`,
    });
  }
  const { explainText } = await import("../commands/scopes/explain-error.ts");
  const { FINDING_IDS: findings } = await import("../report/finding-ids.ts");
  const explanations = await explainText(host, { environment, text, progress, findings });
  if (explanations.length === 0) {
    const message = "The text contains no known error of DigitalOcean, doctl or Spaces.";
    throw new AppError("NOTHING_TO_EXPLAIN", message, {
      hint: hint`Pass the full output of the tool: ${example}`,
    });
  }
  return { status: EXIT.ok, report: { command: "explain", explanations, cwd: host.cwd } };
}

/** @throws AppError those of openSession and shellText. */
export async function environment(
  { host, progress, trust }: Runtime,
  line: CommandLine,
): Promise<ShellText> {
  const { openSession } = await import("../commands/exec-session/session.ts");
  const { shellText } = await import("../exec/prepare.ts");
  return shellText(line, await openSession(host, line, progress, trust));
}
