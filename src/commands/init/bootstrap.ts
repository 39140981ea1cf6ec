import { type LockVerdicts, proveLocks } from "../../concerns/spaces/prove-locks.ts";
import { terraformWords } from "../../concerns/terraform/root/typed.ts";
import type { Answer, TrustGiven } from "../../concerns/token/find-token.ts";
import type { Inspection } from "../../concerns/token/verdict.ts";
import type { ApplyHost } from "../../core/apply.ts";
import type { Finding } from "../../core/finding.ts";
import { isBlocked } from "../../core/finding.ts";
import { type CommandResult, runCommands, title, wordsOf } from "../../core/run-commands.ts";
import type { Change, Consent, Plan } from "../../core/types.ts";
import { AppError } from "../../errors/app-error.ts";
import { exec, hint, own } from "../../errors/hint.ts";
import { buildPlan } from "./build.ts";
import { finding } from "./findings.ts";
import { type Observation, type ObservingHost, observe } from "./observe.ts";
import { sweepLeftOvers } from "./sweep.ts";

export interface Request {
  readonly environment: string | undefined;
  /** The text of standard input, with --token-stdin. */
  readonly stdin: string | undefined;
  readonly prompted?: string;
  readonly trust?: TrustGiven;
  /** Instead of the config's token.minTtl. */
  readonly minTtlSeconds: number | undefined;
  /** Of the config's command, kept from one look to the next. */
  readonly answers?: Map<string, Promise<Answer>>;
  readonly locks?: LockVerdicts;
  readonly consent: Consent;
  readonly asFlag: boolean;
  /** `now`: how far it has got, shown where a line can be drawn over. */
  readonly progress: (what: string, now?: string) => void;
}

/** What a look found: the facts, and the plan that follows from them. */
export interface Look {
  readonly observation: Observation;
  readonly plan: Plan;
}

/** The read-only half of the flow (DESIGN §1). */
export async function look(
  host: ObservingHost,
  request: Request,
  inspections = new Map<string, Promise<Inspection>>(),
): Promise<Look> {
  const observation = await observe(host, {
    ...request,
    prompted: request.prompted,
    trust: request.trust,
    fix: request.consent.fix,
    writeConfig: request.consent.writeConfig,
    inspections,
  });
  return { observation, plan: buildPlan(observation, request.consent) };
}

export interface Result extends Look {
  /** What was done; the look is then the second one. */
  readonly applied: readonly Change[];
  /** What did not go as hoped and does not matter. */
  readonly doubts: readonly string[];
  readonly commands: readonly CommandResult[];
}

export interface Person {
  readonly ask:
    | ((observation: Observation, inspections: Map<string, Promise<Inspection>>) => Promise<string>)
    | undefined;
  readonly approve: (look: Look) => Promise<boolean>;
  /** Asked whether the config's command may run; absent where nobody can be asked. */
  readonly trust: ((command: string) => Promise<boolean>) | undefined;
}

/**
 * Look, plan, apply, look again: the second plan must be empty. A plan with errors is not applied; one
 * that concerns a single root of several takes that root out of it.
 *
 * @param ask for a token where there is none: with a person at a terminal only.
 * @param trust asked once whether the config's command may run.
 * @param approve asked before anything is written.
 * @throws AppError DECLINED, NOT_CONVERGED, and those of `apply`.
 */
export async function bootstrap(
  host: ObservingHost & ApplyHost,
  asked: Request,
  { ask, approve, trust }: Person,
): Promise<Result> {
  const inspections = new Map<string, Promise<Inspection>>();
  let request: Request = { ...asked, answers: new Map() };
  let first = await look(host, request, inspections);
  const { token } = first.observation;
  if (token.kind === "withheld" && token.why === "untrusted" && (await trust?.(token.command))) {
    request = { ...request, trust: "kept" };
    first = await look(host, request, inspections);
  }
  if (ask !== undefined && needsToken(first.observation)) {
    request = { ...request, prompted: await ask(first.observation, inspections) };
    first = await look(host, request, inspections);
  }
  if (isBlocked(first.plan.findings)) return { ...first, ...NOTHING_DONE };
  await sweepLeftOvers(host, first.observation);
  if (first.plan.changes.length + first.plan.commands.length === 0) {
    first.observation.keepRecord();
    return { ...first, ...NOTHING_DONE };
  }
  if (!(await approve(first))) {
    throw new AppError("DECLINED", "Nothing was changed.");
  }
  const locks = await proveLocks(host, first.plan.changes, request.progress);
  if (locks.size > 0) {
    request = { ...request, locks };
    const observation = { ...first.observation, locks };
    first = { observation, plan: buildPlan(observation, request.consent) };
  }
  const leftBehind = leftInBuckets(locks);
  const { changes, findings } = first.plan;
  if (isBlocked(findings)) return { ...first, ...NOTHING_DONE, doubts: leftBehind };
  const { git, hosts } = first.observation;
  // Editing YAML takes 10 ms to load, which a finished repo does not need.
  const { apply } = await import("../../core/apply.ts");
  const state = first.observation.token;
  const found = state.kind === "found" ? state.token : undefined;
  const applied = await apply(host, changes, { ...request, hosts, git: git?.git, found });
  const doubts = [...leftBehind, ...applied];
  const results = await runAll(host, first, request.progress);
  const second = await look(host, request, inspections);
  if (second.plan.changes.length > 0) throw notConverged(second.plan);
  second.observation.keepRecord();
  const failures = results.flatMap((result) => commandFailed(result, second.observation));
  const allFindings = [...second.plan.findings, ...failures];
  return {
    observation: second.observation,
    plan: { ...second.plan, findings: allFindings },
    applied: changes,
    doubts,
    commands: results,
  };
}

/** What a lock that works has left; where one does not, its finding says so. */
function leftInBuckets(locks: LockVerdicts): string[] {
  return [...locks].flatMap(([place, { why, left }]) =>
    why === undefined && left !== undefined
      ? `The test object ${left} beside ${place} could not be deleted: delete it by hand.`
      : [],
  );
}

/** Most runs have none, and load nothing for it. */
async function runAll(
  host: ObservingHost,
  { observation, plan: { commands } }: Look,
  progress: Request["progress"],
): Promise<readonly CommandResult[]> {
  if (commands.length === 0) return [];
  const { rootsAtOnce } = await import("../../concerns/terraform/roots-at-once.ts");
  const atOnce = await rootsAtOnce(host, observation.terraform);
  return runCommands(host, commands, { atOnce, progress });
}

/** No token, one that its command does not give, or a dead one in the file that is ours to write: a person can give another. */
function needsToken({ token, inspection }: Observation): boolean {
  if (token.kind === "missing" || token.kind === "withheld") return true;
  const isDead = inspection?.state === "refused";
  return token.kind === "found" && isDead && token.token.origin.kind === "env-file";
}

/** DESIGN §6: a failure of terraform init is a warning. */
function commandFailed({ command, failure }: CommandResult, { roots }: Observation): Finding[] {
  if (failure === undefined) return [];
  const where = roots.length > 1 ? ` in ${command.cwd}` : "";
  const message = `${title(command)} failed${where}: ${failure.why}. The files are in place.`;
  const typed = terraformWords(command.cwd, command.tool.name, wordsOf(command).split(" "));
  const fix =
    command.with.size > 0
      ? hint`${exec(typed, "--explain")} says what that means; then: ${own()}`
      : hint`Fix the error above, then run ${own()} again`;
  return [finding("terraform.failed", message, { where: command.cwd, fix })];
}

/** The part of a result that a mere look has. */
export const NOTHING_DONE = { applied: [], doubts: [], commands: [] } as const;

export function notConverged({ changes }: Pick<Plan, "changes">): AppError {
  const names = changes.map((change) =>
    "before" in change ? change.before.path : `doctl context ${change.context}`,
  );
  return new AppError(
    "NOT_CONVERGED",
    `A second look still finds something to do: ${names.join(", ")}.`,
    { hint: hint`Something else writes to the same files. Run the same command again.` },
  );
}
