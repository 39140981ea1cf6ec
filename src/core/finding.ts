import { AppError } from "../errors/app-error.ts";
import { EXIT, type ExitStatus } from "../errors/exit-status.ts";
import type { Hint } from "../errors/hint.ts";

/** Something worth reporting about what was checked. */
export interface Finding {
  /** Stable. Each room lists its own. */
  readonly id: string;
  readonly level: Level;
  /** The exit status of a run if this is its worst error. */
  readonly status: ExitStatus;
  readonly message: string;
  /** The one command or step that fixes it. */
  readonly fix?: Hint;
  /** A path, with a line if there is one. */
  readonly where?: string;
  /** For a person, findings with the same title are printed in one paragraph, with its own fix if it has one. */
  readonly paragraph?: { readonly title: string; readonly item: string; readonly fix?: Hint };
  /** The root that is skipped because of this error, while the others are prepared. */
  readonly skippedRoot?: string;
  /** An error about something that the run leaves unchanged: it blocks no change. */
  readonly isLeft?: true;
  /**
   * The environment that the finding is about, if it is not the run's: with --all, or one that the run left unchanged.
   * null: what a run without --env uses.
   */
  readonly environment?: string | null;
}

type Level = "error" | "warning" | "info";

/** The findings of a room: a stable id, its level, and its exit status. */
export type FindingIds<Id extends string = string> = Readonly<
  Record<Id, readonly [Level, ExitStatus]>
>;

/** @returns a function that makes findings with these ids only. */
export function findingsOf<Id extends string>(ids: FindingIds<Id>) {
  return (
    id: Id,
    message: string,
    more: Pick<Finding, "fix" | "where" | "paragraph"> = {},
  ): Finding => {
    const [level, status] = ids[id];
    return { id, level, status, message, ...more };
  };
}

/** True if an error blocks the whole plan. An error about a single root does not block the others. */
export function isBlocked(findings: readonly Finding[]): boolean {
  return findings.some(
    ({ level, skippedRoot, isLeft }) => level === "error" && skippedRoot === undefined && !isLeft,
  );
}

/** @param environment undefined: what a run without --env uses. */
export function findingsIn(
  environment: string | undefined,
  findings: readonly Finding[],
): readonly Finding[] {
  return findings.map((each) => ({ ...each, environment: environment ?? null }));
}

/** A finding as the error of a command that cannot continue. */
export function failureOf({ id, status, message, fix }: Finding): AppError {
  return new AppError({ id, status }, message, fix === undefined ? {} : { hint: fix });
}

/** docs/design.md §5: of several statuses, the first in this order. */
const ORDER: readonly ExitStatus[] = [
  EXIT.usage,
  EXIT.token,
  EXIT.expiry,
  EXIT.network,
  EXIT.scope,
  EXIT.findings,
];

/** The exit status for these findings. Warnings count with `strict` only. */
export function statusOf(findings: readonly Finding[], strict: boolean): ExitStatus {
  const counted = findings.filter(
    ({ level }) => level === "error" || (strict && level === "warning"),
  );
  const found = new Set<ExitStatus>(counted.map(({ status }) => status));
  return ORDER.find((status) => found.has(status)) ?? EXIT.ok;
}
