import { type Many, together } from "../commands/init/environments.ts";
import type { Facts } from "../commands/init/observe.ts";
import { statusOf } from "../core/finding.ts";
import { type Look, NOTHING_DONE, type Result } from "../core/flow.ts";
import { EXIT, type ExitStatus } from "../errors/exit-status.ts";
import type { EnvironmentReport, Report } from "../report/report.ts";
import type { Runtime } from "./runtime.ts";

export interface ChangeOptions {
  readonly dryRun: boolean;
  /** Doesn't ask for approval. */
  readonly yes: boolean;
  /** Warnings count as errors. */
  readonly strict?: boolean | undefined;
}

/** What every command that changes something has in common. */
interface Changing<F> {
  /** Asks for approval, unless `yes` is set. */
  readonly approve: (look: Look<F>) => Promise<boolean>;
  readonly outcome: (result: Result<F>) => Reported<Report>;
}

/** What a task found or did, and its exit status. */
export interface Reported<R> {
  readonly report: R;
  readonly status: ExitStatus;
}

export function changing(
  command: Report["command"],
  { dryRun, yes, strict = false }: ChangeOptions,
  { host: { env, cwd, home }, approve }: Pick<Runtime, "host" | "approve">,
): Changing<Facts> {
  const about = { command, dryRun, env, cwd, home };
  return {
    approve: async (look) => yes || approve({ ...about, ...look, ...NOTHING_DONE }),
    outcome(result) {
      const { findings } = result.plan;
      const hasErrors = findings.some(({ level }) => level === "error");
      return {
        report: { ...about, ...result },
        // A dry run succeeds if a plan could be made.
        status: dryRun && !hasErrors ? EXIT.ok : statusOf(findings, strict),
      };
    },
  };
}

/**
 * Like `changing`, for a command that looks at one environment or at several.
 *
 * @param options.all the report contains what was found in each environment.
 */
export function changingMany(
  command: Report["command"],
  { all, ...options }: ChangeOptions & { readonly all: boolean },
  runtime: Pick<Runtime, "host" | "approve">,
): Changing<Many> {
  const { approve, outcome } = changing(command, options, runtime);
  const { env, cwd, home } = runtime.host;
  const about = { command, dryRun: options.dryRun, env, cwd, home };
  return {
    approve: (look) => approve({ ...look, ...oneOf(look) }),
    outcome: (result) => outcome({ ...result, ...oneOf(result) }),
  };

  function oneOf({ facts, plan }: Look<Many>): Pick<Report, "facts" | "each"> {
    if (!all) return { facts: facts[0] };
    const each = facts.map((one): EnvironmentReport => {
      const name = one.config.environment ?? null;
      const findings = plan.findings.filter(({ environment }) => environment === name);
      const its = { findings, changes: [], commands: [], outside: [] };
      const status = statusOf(findings, options.strict ?? false);
      return { ...about, ...NOTHING_DONE, facts: one, plan: its, status };
    });
    return { facts: together(facts), each };
  }
}
