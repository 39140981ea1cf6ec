import { AppError } from "../errors/app-error.ts";
import { EXIT, type ExitStatus } from "../errors/exit-status.ts";
import type { Hint } from "../errors/hint.ts";

/** Something that is worth saying of what was looked at. */
export interface Finding {
  /** Stable; each room lists its own. */
  readonly id: string;
  readonly level: Level;
  /** What a run ends with where this is its worst error. */
  readonly status: ExitStatus;
  readonly message: string;
  /** The one command, or the one step, that fixes it. */
  readonly fix?: Hint;
  /** A path, with a line where there is one. */
  readonly where?: string;
  /** A person reads it in one paragraph with the others of this title. */
  readonly paragraph?: { readonly title: string; readonly item: string };
  /** The root that is skipped because of this error, while the others are prepared. */
  readonly skippedRoot?: string;
  /** An error of what stays as it is when all is done: it stops no change. */
  readonly isLeft?: true;
  /**
   * The environment that it is about, where that is not the run's: with --all, or one that the run left as it is.
   * null: what a run without --env uses.
   */
  readonly environment?: string | null;
}

type Level = "error" | "warning" | "info";

/** The findings of a room: a stable id, its level, and the exit status that it stands for. */
export type FindingIds<Id extends string = string> = Readonly<
  Record<Id, readonly [Level, ExitStatus]>
>;

/** @returns what makes findings of these ids and no others. */
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

/** True for an error that nothing can be done with; one that concerns a single root stops no other. */
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

/** A finding as the failure of a command that cannot go on with it. */
export function failureOf({ id, status, message, fix }: Finding): AppError {
  return new AppError({ id, status }, message, fix === undefined ? {} : { hint: fix });
}

/** docs/design.md §5: of several, the first in this order. */
const ORDER: readonly ExitStatus[] = [
  EXIT.usage,
  EXIT.token,
  EXIT.expiry,
  EXIT.network,
  EXIT.scope,
  EXIT.findings,
];

/** The exit status of what was found; warnings count with `strict` only. */
export function statusOf(findings: readonly Finding[], strict: boolean): ExitStatus {
  const counted = findings.filter(
    ({ level }) => level === "error" || (strict && level === "warning"),
  );
  const found = new Set<ExitStatus>(counted.map(({ status }) => status));
  return ORDER.find((status) => found.has(status)) ?? EXIT.ok;
}
