import { AppError } from "../errors/app-error.ts";
import { hint } from "../errors/hint.ts";
import type { RepoGuard } from "./apply.ts";
import type { ApplyHost, Change } from "./change.ts";
import { type Finding, isBlocked } from "./finding.ts";
import type { OutsideChange } from "./outside-change.ts";
import { isEmpty, type Plan } from "./plan.ts";
import { type CommandResult, type RunHost, runCommands } from "./run-commands.ts";

/** What a look found: the facts, and the plan that follows from them. */
export interface Look<F> {
  readonly facts: F;
  readonly plan: Plan;
}

export interface Result<F> extends Look<F> {
  /** What was done; the look is then the second one. */
  readonly applied: readonly Change[];
  /** What failed and does not matter. */
  readonly warnings: readonly string[];
  readonly commands: readonly CommandResult[];
  /** What git says of the files that were changed, by path. */
  readonly inGit: ReadonlyMap<string, InGit>;
  /** What was done outside this machine. */
  readonly outside: readonly OutsideChange[];
}

/** The part of a result that a mere look has. */
export const NOTHING_DONE = {
  ...{ applied: [], warnings: [], commands: [], outside: [] },
  inGit: new Map<string, InGit>(),
} as const;

export interface InGit {
  /** By any ignore rule. */
  readonly isIgnored: boolean;
  readonly isTracked: boolean;
}

/** How a command looks and what follows from it; everything else is the flow's. */
export interface Task<F> {
  /**
   * Looks at everything anew: before the changes, and after them, when the plan must be empty.
   *
   * @param written files that were changed meanwhile: `inGit` will be asked about them.
   * @throws AppError for what no plan can be made from.
   */
  look(written: readonly string[]): Promise<Look<F>>;
  /** Takes away what killed runs left, whatever this run does; not asked for in a dry run. */
  cleanUp(facts: F): Promise<unknown>;
  /** What is tried between the yes and the first write, and may lead to another plan. */
  probe?(look: Look<F>): Promise<Look<F> & { readonly warnings: readonly string[] }>;
  /** What the next run has to know of this one where it is killed. */
  readonly journal?: Journal<F>;
  guard(facts: F): RepoGuard;
  /** What git says of files, when all is done; those outside git are left out. */
  inGit?(paths: readonly string[], facts: F): Promise<ReadonlyMap<string, InGit>>;
  /** Asked when all is written. @throws AppError where what the changes rest on is not so any more. */
  isStillTrue?(facts: F): Promise<void>;
  /** How many roots the plan's commands may prepare at a time. */
  rootsAtOnce?(facts: F): Promise<number>;
  /** What is to be done and said when the plan is empty: at once, or after the changes. */
  finish?(
    last: Look<F>,
    commands: readonly CommandResult[],
  ): Promise<readonly Finding[]> | readonly Finding[];
}

interface Journal<F> {
  /** Written before the first change. */
  begin(look: Look<F>): void;
  /** Called when all is done, and where all is as it was. */
  end(): void;
  /** An earlier run left it: where this one fails, it stays. */
  isResumed(): boolean;
}

/** Shows a plan and asks for leave. */
export type Approve<F> = (look: Look<F>) => Promise<boolean>;

export interface FlowOptions {
  readonly dryRun: boolean;
  /** `now`: how far it has got, shown where a line can be drawn over. */
  readonly progress: (what: string, now?: string) => void;
}

/**
 * The one flow of every command that changes something: look, ask, apply, look again. A plan with errors is
 * not applied; one that concerns a single root of several takes that root out of it.
 *
 * @throws AppError DECLINED, NOT_CONVERGED, and those of the task and of `apply`.
 */
export async function runTask<F>(
  task: Task<F>,
  host: ApplyHost & RunHost,
  approve: Approve<F>,
  { dryRun, progress }: FlowOptions,
): Promise<Result<F>> {
  let first = await task.look([]);
  if (dryRun || isBlocked(first.plan.findings)) return { ...first, ...NOTHING_DONE };
  await task.cleanUp(first.facts);
  if (isEmpty(first.plan)) return finished(first, NOTHING_DONE);
  if (!(await approve(first))) throw new AppError("DECLINED", "Nothing was changed.");
  const { warnings: tried = [], ...probed } = (await task.probe?.(first)) ?? {
    warnings: [],
    ...first,
  };
  first = probed;
  if (isBlocked(first.plan.findings)) return { ...first, ...NOTHING_DONE, warnings: tried };
  const applied = first.plan.changes;
  const warnings = [...tried, ...(await applyAll(first))];
  const commands = await runAll(first);
  const paths = applied.flatMap(({ file }) => file ?? []);
  const second = await task.look(paths);
  if (second.plan.changes.length > 0) throw notConverged(second.plan);
  const inGit = (await task.inGit?.(paths, second.facts)) ?? NOTHING_DONE.inGit;
  const outside = await applyOutside(first.plan);
  return finished(second, { applied, warnings, commands, inGit, ...outside });

  async function finished(
    last: Look<F>,
    { failed = [], ...done }: Omit<Result<F>, keyof Look<F>> & { failed?: readonly Finding[] },
  ): Promise<Result<F>> {
    task.journal?.end();
    const atEnd = (await task.finish?.(last, done.commands)) ?? [];
    const findings = [...last.plan.findings, ...failed, ...atEnd];
    return { ...last, plan: { ...last.plan, findings }, ...done };
  }

  async function applyOutside({ outside }: Plan) {
    const done: OutsideChange[] = [];
    const failed: Finding[] = [];
    for (const change of outside) {
      const findings = await change.apply();
      failed.push(...findings);
      if (findings.length === 0) done.push(change);
    }
    return { outside: done, failed };
  }

  async function applyAll({ facts, plan }: Look<F>): Promise<readonly string[]> {
    // A finished repo does not need it.
    const { apply, NotUndone } = await import("./apply.ts");
    task.journal?.begin(first);
    try {
      return await apply(host, plan.changes, {
        guard: task.guard(facts),
        isStillTrue: async () => task.isStillTrue?.(facts),
        progress,
      });
    } catch (error) {
      const isAsItWas = !(error instanceof NotUndone);
      if (isAsItWas && task.journal?.isResumed() === false) task.journal.end();
      throw error;
    }
  }

  /** Most runs have none, and load nothing for it. */
  async function runAll({ facts, plan }: Look<F>): Promise<readonly CommandResult[]> {
    if (plan.commands.length === 0) return [];
    const atOnce = (await task.rootsAtOnce?.(facts)) ?? 1;
    return runCommands(host, plan.commands, { atOnce, progress });
  }
}

function notConverged({ changes }: Plan): AppError {
  const names = changes.map(({ label }) => label);
  return new AppError(
    "NOT_CONVERGED",
    `After the changes, a second check still found changes to make: ${names.join(", ")}.`,
    { hint: hint`Another process is writing to the same files. Run the same command again.` },
  );
}
