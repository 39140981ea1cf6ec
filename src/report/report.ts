import { relative } from "node:path";
import type { Whereabouts } from "../commands/credentials/whereabouts.ts";
import type { Facts } from "../commands/init/observe.ts";
import type { Use } from "../concerns/effective-token/uses.ts";
import type { Result } from "../core/flow.ts";
import type { ExitStatus } from "../errors/exit-status.ts";
import type { Environment } from "../host/host.ts";
import { isInside, shortPath } from "../lib/paths.ts";
import { safe } from "../secret/safe.ts";

/** What a command found or did. The code that prints it decides on the format. */
export interface Report extends Result<Facts> {
  readonly command: "init" | "login" | "check" | "rotate" | "logout" | "uninstall" | "ci";
  readonly dryRun: boolean;
  /** Which token each tool uses; for `check` and for --json. */
  readonly uses?: readonly Use[];
  /** Where the token is stored on this machine; for `check`. */
  readonly places?: readonly Whereabouts[];
  /** With --all: what was found in each environment. Their findings are all in `plan`. */
  readonly each?: readonly EnvironmentReport[];
  readonly env: Environment;
  readonly cwd: string;
  readonly home: string | undefined;
}

/** One environment of a run with --all. */
export interface EnvironmentReport extends Report {
  readonly status: ExitStatus;
}

/** The report with the token that each tool uses. */
export async function withUses(report: Report): Promise<Report> {
  const { whoWins } = await import("../concerns/effective-token/uses.ts");
  const { each } = report;
  if (each === undefined) return { ...report, uses: whoWins(report.facts) };
  return { ...report, each: each.map((one) => ({ ...one, uses: whoWins(one.facts) })) };
}

/** A path as a person in this folder would write it. */
export function shownPath({ cwd, home, facts }: Report, absolute: string): string {
  const isOurs = isInside(absolute, facts.repo.top);
  return safe(isOurs ? relative(cwd, absolute) || "." : shortPath(absolute, cwd, home));
}

/** Shortens paths relative to the person's folder, but not in the middle of another path. */
export function shortened(text: string, { cwd }: { readonly cwd: string | undefined }): string {
  if (cwd === undefined) return text;
  const pieces = text.split(`${cwd}/`);
  return pieces.reduce((before, after) => {
    const begins = before === "" || /[\s'"(=:]$/.test(before);
    return `${before}${begins ? "" : `${cwd}/`}${after}`;
  });
}
