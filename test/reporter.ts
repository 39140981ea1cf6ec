import type { Reporter, TestCase, TestModule } from "vitest/node";

/** Ends a run with what was skipped and why, and with a line that CI can read. */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const ended = (state: string) => tests.filter((test) => test.result().state === state);
    const broken = modules.filter((module) => module.errors().length > 0).length;

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

/** The reason that a test or its suite gives in its name: "… (needs DOCTL_BIN)". */
function reasonOf(test: TestCase): string {
  return /\((needs [^)]+)\)/.exec(test.fullName)?.[1] ?? test.fullName;
}
