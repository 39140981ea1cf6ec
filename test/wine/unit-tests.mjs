// Runs unit tests in Windows' Node, with vitest's own runner and matchers. vitest itself can't start there: its
// bundler is a native program that Wine does not load. Bundled by unit.test.ts, which gives `FILES`.
import {
  ASYMMETRIC_MATCHERS_OBJECT,
  addCustomEqualityTesters,
  chai,
  customMatchers,
  getState,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
  setState,
} from "@vitest/expect";
import { startTests } from "@vitest/runner";

export {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  it,
  onTestFinished,
} from "@vitest/runner";

chai.use(JestExtend);
chai.use(JestChaiExpect);
chai.use(JestAsymmetricMatchers);

export const expect = (value, message) => chai.expect(value, message);
Object.assign(expect, chai.expect, globalThis[ASYMMETRIC_MATCHERS_OBJECT]);
Object.assign(expect, {
  getState: () => getState(expect),
  setState: (state) => setState(state, expect),
  addEqualityTesters: addCustomEqualityTesters,
  extend: (matchers) => chai.expect.extend(expect, matchers),
  unreachable: (message) => chai.assert.fail(message ?? "expected not to be reached"),
});
expect.setState({ assertionCalls: 0 });
expect.extend(customMatchers);

/** Types are checked elsewhere. */
export const expectTypeOf = () =>
  new Proxy(() => undefined, { get: () => expectTypeOf, apply: expectTypeOf });

/**
 * @param files by name, a function that imports the tests.
 * @returns the failures of each file, and how many tests passed.
 */
export async function run(files) {
  const config = {
    ...{ root: process.cwd(), setupFiles: [], name: "windows", passWithNoTests: false },
    ...{ allowOnly: false, maxConcurrency: 5, testTimeout: 60_000, hookTimeout: 60_000, retry: 0 },
    ...{ tags: [], strictTags: false, testNamePattern: undefined },
    sequence: { hooks: "stack", setupFiles: "list", seed: 1 },
  };
  const runner = { config, importFile: (path) => files[path](), pool: "forks" };
  const results = {};
  for (const path of Object.keys(files)) {
    const [file] = await startTests([{ filepath: path }], runner);
    const tests = testsIn(file);
    const failed = tests.filter(({ result }) => result?.state === "fail");
    const own = file.result?.errors ?? [];
    results[path] = {
      passed: tests.filter(({ result }) => result?.state === "pass").length,
      failures: [
        ...own.map(({ message }) => message),
        ...failed.map(({ name, result }) => `${name}: ${result.errors?.[0]?.message}`),
      ],
    };
  }
  return results;
}

function testsIn(task) {
  return task.type === "test" ? [task] : task.tasks.flatMap(testsIn);
}
