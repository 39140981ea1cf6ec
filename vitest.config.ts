import { availableParallelism } from "node:os";
import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";
import { NEEDS_POSIX } from "./test/fixtures/needs-posix.ts";

const NOT_HERE = process.platform === "win32" ? Object.keys(NEEDS_POSIX) : [];

export default defineConfig(({ mode }) => {
  if (mode === "torture") seedTorture();
  return {
    test: {
      // Once for all: what a project has of its own runs for each.
      globalSetup: "test/global-setup.ts",
      reporters: [["default", { summary: false }], "./test/reporter.ts"],
      // A test mostly waits for a child of its own, so one core less than there are is too few; more
      // than there are save 3 % and make what waits for a terminal slow.
      maxWorkers: Math.max(2, availableParallelism()),
      projects: [
        project({
          name: "unit",
          include: ["test/unit/**/*.test.ts"],
          exclude: NOT_HERE,
          // They start no children, and need no process for each file: 0.1 s.
          isolate: false,
          setupFiles: "test/fixtures/forget.ts",
        }),
        project({
          name: "whole",
          include: ["test/{integration,e2e,torture}/**/*.test.ts"],
          exclude: NOT_HERE,
        }),
        // Apart, since a process takes ten times as long there.
        ...(mode === "wine"
          ? [project({ name: "wine", include: ["test/wine/*.test.ts"], hookTimeout: 60_000 })]
          : []),
      ],
    },
  };
});

function project(
  own: NonNullable<TestProjectInlineConfiguration["test"]>,
): TestProjectInlineConfiguration {
  return {
    define: { __VERSION__: JSON.stringify("0.0.0-test") },
    test: {
      ...own,
      // Only to end what hangs. On a machine with a load of 16, a test takes ten times as long.
      testTimeout: 120_000,
      hookTimeout: 120_000,
      expect: { poll: { timeout: 60_000, interval: 20 } },
      // What is tested is what is published: the built program, loaded as it is.
      server: { deps: { external: [/\/dist\//] } },
      // Starting a child copies the page tables of its parent: 17 ms where that holds 900 MB, as all
      // threads together do, and 3 ms in a process of one test file.
      pool: "forks",
    },
  };
}

/** `npm run test:torture` is another run each time, unless it is told which one to repeat. */
function seedTorture(): void {
  process.env["SEED"] ??= String(Date.now() % 1_000_000);
  process.env["COUNT"] ??= "10";
  console.log(`SEED=${process.env["SEED"]} COUNT=${process.env["COUNT"]}`);
}
