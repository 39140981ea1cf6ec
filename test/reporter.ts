import type { Reporter, TestCase, TestModule } from "vitest/node";
import type { Row } from "./torture/figures.ts";

/** Ends a run with the torture suite's figures, what was skipped and why, and a line that CI can read. */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const ended = (state: string) => tests.filter((test) => test.result().state === state);
    const broken = modules.filter((module) => module.errors().length > 0).length;

    const rows = tests.flatMap((test) => Object.entries(test.meta().figures ?? {}));
    if (rows.length > 0) console.log(tableOf(rows));

    const skipped = new Map<string, number>();
    for (const test of ended("skipped")) {
      const reason = reasonOf(test);
      skipped.set(reason, (skipped.get(reason) ?? 0) + 1);
    }
    for (const [reason, count] of skipped) console.log(`skipped ${count}: ${reason}`);
    const failed = ended("failed").length + broken + unhandledErrors.length;
    console.log(`${ended("passed").length} passed, ${failed} failed`);
  }
}

/** In Markdown, to be put into docs/torture.md as it is. */
function tableOf(rows: readonly (readonly [scene: string, row: Row])[]): string {
  const cells = [
    ["scene", "runs", "faults", "lost", "half-written", "left over"],
    ...rows.map(([scene, { runs, faults, lost, halfWritten, leftOver }]) =>
      [scene, runs, faults, lost, halfWritten, leftOver].map(String),
    ),
  ];
  const width = (column: number) => Math.max(...cells.map((row) => row[column]?.length ?? 0));
  const line = (row: readonly string[]) => {
    const padded = row.map((cell, at) =>
      at === 0 ? cell.padEnd(width(at)) : cell.padStart(width(at)),
    );
    return `| ${padded.join(" | ")} |`;
  };
  const [head = [], ...body] = cells;
  const rule = head.map((_, at) =>
    at === 0 ? "-".repeat(width(at)) : `${"-".repeat(width(at) - 1)}:`,
  );
  return ["", ...[head, rule, ...body].map(line), ""].join("\n");
}

/** The reason that a test or its suite gives in its name: "… (needs DOCTL_BIN)". */
function reasonOf(test: TestCase): string {
  return /\((needs [^)]+)\)/.exec(test.fullName)?.[1] ?? test.fullName;
}
