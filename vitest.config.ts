import { defineConfig } from "vitest/config";

export default defineConfig({
  define: { __VERSION__: JSON.stringify("0.0.0-test") },
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: "test/global-setup.ts",
    reporters: [["default", { summary: false }], "./test/reporter.ts"],
    testTimeout: 30_000,
    pool: "threads",
  },
});
