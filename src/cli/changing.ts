import type { Facts } from "../commands/init/observe.ts";
import { statusOf } from "../core/finding.ts";
import { type Look, NOTHING_DONE, type Result } from "../core/flow.ts";
import { EXIT, type ExitStatus } from "../errors/exit-status.ts";
import type { Report } from "../report/report.ts";
import type { Context } from "./command.ts";
import type { ArgsOf, changeOptions } from "./options.ts";

/** The part that is the same in every command that changes something. */
export interface Changing {
  readonly dryRun: boolean;
  /** Asks for leave, unless --yes gives it. */
  readonly approve: (look: Look<Facts>) => Promise<boolean>;
  readonly outcome: (result: Result<Facts>) => {
    readonly report: Report;
    readonly status: ExitStatus;
  };
}

export function changing(
  command: Report["command"],
  args: ArgsOf<typeof changeOptions> & { readonly strict?: boolean },
  { host: { env, cwd, home }, approve }: Context,
): Changing {
  const { "dry-run": dryRun, yes, strict = false } = args;
  const about = { command, dryRun, env, cwd, home };
  return {
    dryRun,
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
