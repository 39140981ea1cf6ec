import { existsSync } from "node:fs";
import type { Reporter, TestCase, TestModule } from "vitest/node";
import { type ArgvWatch, watchArgv } from "./fixtures/leak-search.ts";
import { leaksOfRun } from "./fixtures/leaks-of-run.ts";
import { NEEDS_POSIX } from "./fixtures/needs-posix.ts";
import { noted, suite } from "./fixtures/suite.ts";
import type { Row } from "./torture/figures.ts";

/**
 * At the end of a run, prints the torture suite's figures, the skip reasons, the tokens found in wrong
 * places, and a result line for CI.
 */
export default class SummaryReporter implements Reporter {
  #watch: ArgvWatch | undefined;

  onTestRunStart(): void {
    if (existsSync("/proc/self/cmdline")) this.#watch = watchArgv();
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const ended = (state: string) => tests.filter((test) => test.result().state === state);
    // A hook of a suite that fails skips its tests.
    const broken = modules.filter((module) => {
      const hasFailed = [...module.children.allTests()].some(
        (test) => test.result().state === "failed",
      );
      return module.errors().length > 0 || (module.state() === "failed" && !hasFailed);
    }).length;

    const rows = tests.flatMap((test) => Object.entries(test.meta().figures ?? {}));
    if (rows.length > 0) console.log(tableOf(rows));

    const skipped = new Map<string, number>();
    for (const test of ended("skipped")) {
      const reason = reasonOf(test);
      skipped.set(reason, (skipped.get(reason) ?? 0) + 1);
    }
    for (const [reason, count] of skipped) console.log(`skipped ${count}: ${reason}`);
    if (process.platform === "win32") {
      for (const [file, why] of Object.entries(NEEDS_POSIX)) console.log(`skipped ${file}: ${why}`);
    }
    this.#watch?.stop();
    const argv = this.#watch?.seen ?? [];
    const { leaks, figures } = leaksOfRun({ suite: suite(), searched: noted(), argv });
    for (const leak of leaks) console.log(`leak: ${leak}`);
    console.log(figures);
    const failed = ended("failed").length + broken + unhandledErrors.length + leaks.length;
    if (leaks.length > 0) process.exitCode = 1;
    console.log(`${ended("passed").length} passed, ${failed} failed`);
  }
}

/** A Markdown table for docs/torture.md. */
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

/** The skip reason in the name of a test or suite: "… (needs DOCTL_BIN)". */
function reasonOf(test: TestCase): string {
  return /\((needs [^)]+)\)/.exec(test.fullName)?.[1] ?? test.fullName;
}
