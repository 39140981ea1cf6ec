import { AppError } from "../errors/app-error.ts";
import { hint } from "../errors/hint.ts";
import type { RepoGuard } from "./apply.ts";
import type { ApplyHost, Change } from "./change.ts";
import { type Finding, isBlocked } from "./finding.ts";
import type { OutsideChange } from "./outside-change.ts";
import { isEmpty, type Plan } from "./plan.ts";
import { type CommandResult, type RunHost, runCommands } from "./run-commands.ts";

/** The facts, and the plan that follows from them. */
export interface Look<F> {
  readonly facts: F;
  readonly plan: Plan;
}

export interface Result<F> extends Look<F> {
  /** What was done; facts and plan are then from the second look. */
  readonly applied: readonly Change[];
  /** Failures that do not matter. */
  readonly warnings: readonly string[];
  readonly commands: readonly CommandResult[];
  /** What git says about the changed files, by path. */
  readonly inGit: ReadonlyMap<string, InGit>;
  /** What was done outside this machine. */
  readonly outside: readonly OutsideChange[];
}

/** The part of a result that is empty if nothing was done. */
export const NOTHING_DONE = {
  ...{ applied: [], warnings: [], commands: [], outside: [] },
  inGit: new Map<string, InGit>(),
} as const;

export interface InGit {
  /** By any ignore rule, not only ours. */
  readonly isIgnored: boolean;
  readonly isTracked: boolean;
}

/** What is specific to a command. The flow does the rest. */
export interface Task<F> {
  /**
   * Reads everything again: before the changes, and after them, when the plan must be empty.
   *
   * @param written files that were changed in between: `inGit` will be asked about them.
   * @throws AppError where no plan can be made.
   */
  look(written: readonly string[]): Promise<Look<F>>;
  /** Removes what killed runs left behind, even if this run changes nothing. Not called in a dry run. */
  cleanUp(facts: F): Promise<unknown>;
  /** Tried after approval and before the first write. May change the plan. */
  probe?(look: Look<F>): Promise<Look<F> & { readonly warnings: readonly string[] }>;
  /** What the next run must know about this one if it is killed. */
  readonly journal?: Journal<F>;
  guard(facts: F): RepoGuard;
  /** What git says about files after the changes. Files outside git are left out. */
  inGit?(paths: readonly string[], facts: F): Promise<ReadonlyMap<string, InGit>>;
  /** Called after everything is written. @throws AppError where facts that the changes depend on have changed. */
  isStillTrue?(facts: F): Promise<void>;
  /** How many roots the plan's commands may prepare at the same time. */
  rootsAtOnce?(facts: F): Promise<number>;
  /** The files that change because of what was done outside this machine. A run that ends before that is repeated. */
  afterwards?(facts: F): Promise<readonly Change[]>;
  /** Called once the plan is empty: immediately, or after the changes. */
  finish?(
    last: Look<F>,
    commands: readonly CommandResult[],
  ): Promise<readonly Finding[]> | readonly Finding[];
}

interface Journal<F> {
  /** Written before the first change. */
  begin(look: Look<F>): void;
  /** Called when everything is done, or when everything was undone. */
  end(): void;
  /** An earlier run left the journal. If this run fails, it stays. */
  isResumed(): boolean;
}

/** Shows a plan and asks for approval. */
export type Approve<F> = (look: Look<F>) => Promise<boolean>;

export interface FlowOptions {
  readonly dryRun: boolean;
  /** `now`: the current progress, shown where the terminal can redraw a line. */
  readonly progress: (what: string, now?: string) => void;
}

/**
 * The one flow of every command that changes something: look, ask, apply, look again. A plan with errors is not
 * applied. An error about a single root only takes that root out of the plan.
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
  const last = await applyLast(second.facts);
  // A file that was changed before is listed once.
  const isNew = ({ file }: Change) => file === undefined || !paths.includes(file);
  return finished(second, {
    ...{
      applied: [...applied, ...last.applied.filter(isNew)],
      warnings: [...warnings, ...last.warnings],
    },
    ...{ commands, inGit: new Map([...inGit, ...last.inGit]), ...outside },
  });

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

  async function applyLast(facts: F): Promise<Pick<Result<F>, "applied" | "warnings" | "inGit">> {
    const changes = (await task.afterwards?.(facts)) ?? [];
    if (changes.length === 0) return NOTHING_DONE;
    const { apply } = await import("./apply.ts");
    const guard = task.guard(facts);
    const made = await apply(host, changes, {
      guard,
      isStillTrue: async () => undefined,
      progress,
    });
    const paths = changes.flatMap(({ file }) => file ?? []);
    const about = (await task.inGit?.(paths, facts)) ?? NOTHING_DONE.inGit;
    return { applied: changes, warnings: made, inGit: about };
  }

  async function applyAll({ facts, plan }: Look<F>): Promise<readonly string[]> {
    // A prepared repo doesn't need this code.
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

  /** Most runs have no commands, and load nothing for them. */
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
