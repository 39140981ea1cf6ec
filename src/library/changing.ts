import type { Facts } from "../commands/init/observe.ts";
import { statusOf } from "../core/finding.ts";
import { type Look, NOTHING_DONE, type Result } from "../core/flow.ts";
import { EXIT, type ExitStatus } from "../errors/exit-status.ts";
import type { Report } from "../report/report.ts";
import type { Runtime } from "./runtime.ts";

export interface ChangeOptions {
  readonly dryRun: boolean;
  /** Does not ask for leave. */
  readonly yes: boolean;
  /** Warnings count as errors. */
  readonly strict?: boolean | undefined;
}

/** The part that is the same in every command that changes something. */
interface Changing {
  /** Asks for leave, unless `yes` gives it. */
  readonly approve: (look: Look<Facts>) => Promise<boolean>;
  readonly outcome: (result: Result<Facts>) => Reported<Report>;
}

/** What a task found or did, and the exit status that says so. */
export interface Reported<R> {
  readonly report: R;
  readonly status: ExitStatus;
}

export function changing(
  command: Report["command"],
  { dryRun, yes, strict = false }: ChangeOptions,
  { host: { env, cwd, home }, approve }: Pick<Runtime, "host" | "approve">,
): Changing {
  const about = { command, dryRun, env, cwd, home };
  return {
    approve: async (look) => yes || approve({ ...about, ...look, ...NOTHING_DONE }),
    outcome(result) {
      const { findings } = result.plan;
      const hasErrors = findings.some(({ level }) => level === "error");
      return {
        report: { ...about, ...result },
        // A rehearsal is done once a plan could be made.
        status: dryRun && !hasErrors ? EXIT.ok : statusOf(findings, strict),
      };
    },
  };
}
