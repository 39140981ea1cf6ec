import { relative } from "node:path";
import { AppError, asAppError } from "../errors/app-error.ts";
import { hint, run } from "../errors/hint.ts";
import type { Undo } from "../host/host.ts";
import type { ApplyContext, ApplyHost, Change, Stage } from "./change.ts";

/** The git repo that is changed, if there is one. */
export interface RepoGuard {
  /**
   * The first of these files that git does not ignore.
   *
   * @returns repo: the root of the file's repo; undefined for the repo that we work in.
   */
  readonly whoTakes: (
    paths: readonly string[],
  ) => Promise<{ readonly path: string; readonly repo: string | undefined } | undefined>;
  /** The path of the lock that lets only one run at a time change the repo. */
  readonly lock: () => Promise<string | undefined>;
}

/** What apply asks its caller while it makes changes. */
export interface ApplyQuestions {
  readonly guard: RepoGuard;
  /** Called after everything is written. @throws AppError where facts that the changes depend on have changed. */
  readonly isStillTrue: () => Promise<void>;
  readonly progress: (what: string) => void;
}

/**
 * Applies a plan's changes, all or none. The only place that writes to a user's files. Checks that can refuse come
 * first, then the stages in order. Removals come last, in the plan's order.
 *
 * Only one run at a time changes a repo. Otherwise, of two runs that looked at the same time, the later one would undo
 * the ignore rules that protect the earlier one's token.
 *
 * @returns warnings: failures that do not matter (docs/design.md rule 6).
 * @throws AppError, including REPO_BUSY. Everything is then as it was before, except with NotUndone.
 */
export async function apply(
  host: ApplyHost,
  changes: readonly Change[],
  { guard, isStillTrue, progress }: ApplyQuestions,
): Promise<readonly string[]> {
  return allOrNone(host, async (step) => {
    const warnings: string[] = [];
    // Before the lock: a check may wait for a server, and writes nothing to the repo.
    for (const change of changes) {
      warnings.push(...((await change.check?.({ host, progress, step })) ?? []));
    }
    await inTurn(() => allOrNone(host, applyAll));
    return warnings;
  });

  async function inTurn(action: () => Promise<void>): Promise<void> {
    const lock = await guard.lock();
    if (lock === undefined) return action();
    const clock = { ...host.clock, now: host.steadyClock.now };
    const waitingFor = (holder: string) =>
      progress(`Waiting for ${holder}, which is changing this repo`);
    const wait = { clock, waitingFor, busy: "REPO_BUSY", ifPossible: true } as const;
    return host.locked(lock, wait, action);
  }

  async function applyAll(step: Step): Promise<void> {
    for (const folder of new Set(changes.flatMap(({ folder }) => folder ?? []))) {
      await step(host.files.makeDirectory(folder, 0o755));
      await host.files.sweep(folder);
    }
    const applyStage = async (stage: Stage) => {
      for (const change of changes) {
        if (change.stage === stage) await change.apply({ host, progress, step });
      }
    };
    await applyStage("open");
    await assertIgnored();
    for (const stage of ["secret", "login", "removal"] as const) await applyStage(stage);
    // Other programs that write to .gitignore don't use our lock.
    await assertIgnored();
    await isStillTrue();
  }

  /** Checked again after .gitignore was written: a later pattern may override ours. */
  async function assertIgnored(): Promise<void> {
    const places = changes.flatMap(({ secretAt }) => secretAt ?? []);
    if (places.length === 0) return;
    const taken = await guard.whoTakes(
      await Promise.all(places.map((path) => host.files.realpath(path))),
    );
    if (taken === undefined) return;
    const { path, repo } = taken;
    const why = ["check-ignore", "-v", "--no-index"];
    const ask =
      repo === undefined
        ? run("git", ...why, { path })
        : run("git", "-C", { path: repo }, ...why, "--", relative(repo, path));
    throw new AppError("NOT_IGNORED", `${path} would hold the token, and git does not ignore it.`, {
      hint: hint`Nothing was changed. Find the pattern that un-ignores it: ${ask}`,
    });
  }
}

type Step = ApplyContext["step"];

/** Undoes the completed steps if one of the steps fails. */
async function allOrNone<T>(
  { interrupted }: Pick<ApplyHost, "interrupted">,
  action: (step: Step) => Promise<T>,
): Promise<T> {
  const undone: Undo[] = [];
  try {
    return await action(async (done) => {
      undone.push(await done);
      if (interrupted.aborted) throw new AppError("INTERRUPTED", "Interrupted.");
    });
  } catch (error) {
    // A failed undo must not stop the others.
    let stuck = 0;
    for (const undo of undone.reverse()) {
      await undo().catch(() => {
        stuck++;
      });
    }
    if (stuck > 0) throw new NotUndone(error, stuck);
    const isInterrupted = error instanceof AppError && error.code === "INTERRUPTED";
    throw isInterrupted ? new AppError("INTERRUPTED", "Interrupted. Nothing was changed.") : error;
  }
}

/** Some changes could not be undone. For example, a full disk has no room to restore a file either. */
export class NotUndone extends AppError {
  constructor(cause: unknown, many: number) {
    const what = many === 1 ? "one change" : `${many} changes`;
    const { message } = asAppError(cause);
    super("WRITE_FAILED", `${message} Also, ${what} could not be undone.`, {
      hint: hint`Make room on the disk, then run the same command again. It continues from the current state.`,
      cause,
    });
  }
}
