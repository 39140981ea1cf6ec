import { onceEach } from "../lib/grouped.ts";
import type { Change } from "./change.ts";
import { folded } from "./changes/write-file.ts";
import type { Finding } from "./finding.ts";
import type { OutsideChange } from "./outside-change.ts";
import type { ToolCommand } from "./run-commands.ts";

/** What has to change, and what to report. */
export interface Plan {
  readonly findings: readonly Finding[];
  readonly changes: readonly Change[];
  /** Run after the changes, reported, and never a reason to undo the changes (docs/design.md rule 10). */
  readonly commands: readonly ToolCommand[];
  /** Made last, after a second look found that all changes were made. */
  readonly outside: readonly OutsideChange[];
}

/** What one concern adds to a plan. */
export type PlanPart = Partial<Plan>;

export const NOTHING: PlanPart = {};

/** Joins parts into one plan. Several edits of one file become one write, and duplicate findings are removed. */
export function joined(parts: readonly PlanPart[]): Plan {
  return {
    findings: onceEach(
      parts.flatMap(({ findings = [] }) => findings),
      ({ id, message, where, environment }) => JSON.stringify([id, message, where, environment]),
    ),
    changes: folded(parts.flatMap(({ changes = [] }) => changes)),
    commands: parts.flatMap(({ commands = [] }) => commands),
    outside: parts.flatMap(({ outside = [] }) => outside),
  };
}

export function isEmpty(plan: Plan): boolean {
  return stepsIn(plan) === 0;
}

/** How many things have to be done. */
export function stepsIn({ changes, commands, outside }: Plan): number {
  return changes.length + commands.length + outside.length;
}
