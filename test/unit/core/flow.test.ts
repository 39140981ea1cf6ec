import { describe, expect, it } from "vitest";
import type { Change } from "../../../src/core/change.ts";
import { type Finding, isBlocked } from "../../../src/core/finding.ts";
import { runTask, type Task } from "../../../src/core/flow.ts";
import type { OutsideChange } from "../../../src/core/outside-change.ts";
import { joined, type Plan, type PlanPart } from "../../../src/core/plan.ts";
import type { ToolCommand } from "../../../src/core/run-commands.ts";
import { AppError } from "../../../src/errors/app-error.ts";
import type { Undo } from "../../../src/host/host.ts";
import { planned } from "../../fixtures/facts.ts";
import { said } from "../../fixtures/hint.ts";

type Host = Parameters<typeof runTask>[1];

/** What happens in a run. Everything else succeeds. */
interface Scenario {
  /** The plan of each look, in order; any further plan is empty. */
  readonly plans?: readonly PlanPart[];
  readonly dryRun?: boolean;
  readonly answer?: boolean;
  readonly probed?: PlanPart & { readonly warnings?: readonly string[] };
  /** undefined: there is no journal; true: an earlier run left it. */
  readonly resumed?: boolean;
  /** The secret's path that git does not ignore. */
  readonly taken?: { readonly path: string; readonly repo: string | undefined };
  /** git ignores it at first, and no longer when asked again. */
  readonly takenLater?: boolean;
  /** The path of the repo's lock. */
  readonly lock?: string;
  readonly changedMeanwhile?: boolean;
  /** A signal arrives during this step. */
  readonly interruptedAt?: string;
  /** Exit statuses of commands, by their arguments. */
  readonly exits?: Readonly<Record<string, number>>;
  readonly atOnce?: number;
}

interface Outcome {
  /** What was done, in order. */
  readonly log: readonly string[];
  readonly done: Awaited<ReturnType<typeof runTask>> | undefined;
  readonly error: AppError | undefined;
}

/** The log of the current run's fakes. */
let log: string[] = [];

async function run(scenario: Scenario): Promise<Outcome> {
  log = [];
  const { answer = true, dryRun = false } = scenario;
  const approve = async () => {
    log.push("ask");
    return answer;
  };
  const options = { dryRun, progress: () => undefined };
  const outcome = await runTask(taskOf(scenario), hostOf(scenario), approve, options).then(
    (done) => ({ done, error: undefined }),
    (error: unknown) => ({ done: undefined, error: error as AppError }),
  );
  return { log, ...outcome };
}

function taskOf(scenario: Scenario): Task<string> {
  const { plans = [], probed, resumed, taken, changedMeanwhile = false, atOnce } = scenario;
  const { takenLater = false, lock } = scenario;
  let looks = 0;
  return {
    async look() {
      log.push("look");
      const plan = joined([plans[looks] ?? {}]);
      looks++;
      return { facts: `look ${looks}`, plan };
    },
    async cleanUp() {
      log.push("clean up");
    },
    guard: () => ({
      async whoTakes(paths) {
        const isFirst = !log.some((line) => line.startsWith("git?"));
        log.push(`git? ${paths.join(" ")}`);
        return isFirst && takenLater ? undefined : taken;
      },
      lock: async () => lock,
    }),
    async isStillTrue() {
      log.push("true?");
      if (changedMeanwhile) throw new AppError("CHANGED_MEANWHILE", "It is not.");
    },
    finish({ facts }, commands) {
      log.push(`finish after ${facts}`);
      return commands.flatMap(({ failure }) => (failure ? finding("terraform.failed") : []));
    },
    ...(probed && {
      async probe({ facts }) {
        log.push("probe");
        return { facts, plan: joined([probed]), warnings: probed.warnings ?? [] };
      },
    }),
    ...(resumed !== undefined && {
      journal: {
        begin: ({ facts }) => log.push(`begin after ${facts}`),
        end: () => log.push("end"),
        isResumed: () => resumed,
      },
    }),
    ...(atOnce !== undefined && { rootsAtOnce: async () => atOnce }),
  };
}

function hostOf({ interruptedAt, exits = {} }: Scenario): Host {
  const signal = new AbortController();
  const unexpected = (name: string) => () => {
    throw new Error(`unexpected: ${name}`);
  };
  const step =
    (name: string) =>
    async (path: string): Promise<Undo> =>
      done(`${name} ${path}`);
  const host: Partial<Record<keyof Host, unknown>> = {
    env: {},
    cwd: "/repo",
    interrupted: signal.signal,
    clock: { now: () => 0, sleep: unexpected("clock.sleep") },
    steadyClock: { now: () => 0, sleep: unexpected("steadyClock.sleep") },
    http: unexpected("http"),
    which: unexpected("which"),
    async locked(path: string, _: unknown, action: () => Promise<unknown>) {
      log.push(`lock ${path}`);
      return action().finally(() => log.push("unlock"));
    },
    files: {
      makeDirectory: step("mkdir"),
      sweep: async (path: string) => void log.push(`sweep ${path}`),
      realpath: async (path: string) => `/real${path}`,
      replace: unexpected("files.replace"),
    },
    async run({ args }: { readonly args: readonly string[] }) {
      const words = args.join(" ");
      log.push(`run ${words}`);
      if (interruptedAt === words) throw new AppError("INTERRUPTED", "Interrupted.");
      return { end: "exited", exitCode: exits[words] ?? 0, stdout: "", stderr: `${words} said` };
    },
  };
  onStep = (name) => name === interruptedAt && signal.abort();
  return host as unknown as Host;
}

let onStep: (name: string) => unknown = () => undefined;

/** Logs a step and returns its undo. */
function done(name: string, undoFails = false): Undo {
  log.push(name);
  onStep(name);
  return async () => {
    log.push(`undo ${name}`);
    if (undoFails) throw new Error("The disk is full.");
  };
}

interface Kind {
  readonly stage?: Change["stage"];
  readonly fails?: boolean;
  readonly undoFails?: boolean;
  /** The warning of check. */
  readonly warns?: string;
  readonly refuses?: boolean;
  readonly folder?: string;
}

/** A change with one step for each word of its name: "a b". */
function change(name: string, kind: Kind = {}): Change {
  const { stage = "open", warns, refuses = false, folder } = kind;
  const asks = warns !== undefined || refuses;
  return {
    ...{ stage, label: name, file: `/repo/${name}`, why: "", sign: "+", isForClones: false },
    ...(folder === undefined ? {} : { folder }),
    secretAt: stage === "secret" ? `/repo/${name}` : undefined,
    diff: () => undefined,
    json: () => ({}),
    async apply({ step }) {
      for (const each of name.split(" ")) await step(Promise.resolve(done(each, kind.undoFails)));
      if (kind.fails) throw new AppError("WRITE_FAILED", `${name} failed.`);
    },
    ...(asks && {
      async check() {
        log.push(`check ${name}`);
        if (refuses) throw new AppError("DOCTL_REFUSED_TOKEN", "It is refused.");
        return [warns ?? ""];
      },
    }),
  };
}

function finding(id: string, level: Finding["level"] = "warning", more: object = {}): Finding {
  return { id, level, status: 3, message: id, ...more };
}

function command(words: string, cwd = "/repo/infra"): ToolCommand {
  const tool = { name: "terraform", path: "/bin/terraform" };
  return { tool, args: words.split(" "), cwd, why: "", without: [], secrets: [], with: new Map() };
}

const A = { changes: [change("a")] };
const SECRET = { changes: [change("s", { stage: "secret" })] };

/** A change that cannot be undone; `fails`: it reports a finding instead. */
function outside(name: string, fails = false): OutsideChange {
  return {
    label: name,
    why: "",
    asked: name,
    json: () => ({}),
    async apply() {
      log.push(name);
      return fails ? [finding("z")] : [];
    },
  };
}
const REVOKE = { outside: [outside("revoke")] };
const ERROR = { findings: [finding("x", "error")] };
/** The log before the first write, and after the last one. */
const BEFORE = "look, clean up, ask";
const AFTER = "true?, look, finish after look 2";

describe("the steps of a run", () => {
  it.each<[string, Scenario, string]>([
    ["a dry run", { dryRun: true, plans: [A] }, "look"],
    ["a dry run with nothing to do", { dryRun: true }, "look"],
    ["errors", { plans: [{ ...A, ...ERROR }] }, "look"],
    [
      "errors: an earlier run's journal stays",
      { plans: [{ ...A, ...ERROR }], resumed: true },
      "look",
    ],
    [
      "an error of a skipped root",
      { plans: [{ ...A, findings: [finding("x", "error", { skippedRoot: "/r" })] }] },
      `${BEFORE}, a, ${AFTER}`,
    ],
    ["warnings", { plans: [{ ...A, findings: [finding("x")] }] }, `${BEFORE}, a, ${AFTER}`],
    ["nothing to do", {}, "look, clean up, finish after look 1"],
    [
      "nothing to do, with a journal",
      { resumed: true },
      "look, clean up, end, finish after look 1",
    ],
    [
      "nothing to do, with a warning",
      { plans: [{ findings: [finding("x")] }] },
      "look, clean up, finish after look 1",
    ],
    ["declined", { plans: [A], answer: false, resumed: true }, BEFORE],
    ["approved", { plans: [A] }, `${BEFORE}, a, ${AFTER}`],
    [
      "approved, with a journal",
      { plans: [A], resumed: false },
      "look, clean up, ask, begin after look 1, a, true?, look, end, finish after look 2",
    ],
    ["an outside change, a dry run", { dryRun: true, plans: [{ ...A, ...REVOKE }] }, "look"],
    ["an outside change, declined", { plans: [{ ...A, ...REVOKE }], answer: false }, BEFORE],
    [
      "an outside change: last, but before the journal ends",
      { plans: [{ ...A, ...REVOKE }], resumed: false },
      "look, clean up, ask, begin after look 1, a, true?, look, revoke, end, finish after look 2",
    ],
    [
      "an outside change, and a second look that finds more",
      { plans: [{ ...A, ...REVOKE }, { changes: [change("b")] }], resumed: false },
      "look, clean up, ask, begin after look 1, a, true?, look",
    ],
    [
      "an outside change, and a signal",
      { plans: [{ ...A, ...REVOKE }], interruptedAt: "a" },
      `${BEFORE}, a, undo a`,
    ],
    ["a probe", { plans: [A], probed: A }, `${BEFORE}, probe, a, ${AFTER}`],
    [
      "a probe that changes the plan",
      { plans: [A], probed: { changes: [change("b")] } },
      `${BEFORE}, probe, b, ${AFTER}`,
    ],
    [
      "a probe that finds errors",
      { plans: [A], probed: { ...A, ...ERROR }, resumed: false },
      `${BEFORE}, probe`,
    ],
    [
      "a probe that skips a root",
      { plans: [A], probed: { findings: [finding("x", "error", { skippedRoot: "/r" })] } },
      `${BEFORE}, probe, ${AFTER}`,
    ],
    [
      "a second look that finds more",
      { plans: [A, { changes: [change("b")] }], resumed: false },
      "look, clean up, ask, begin after look 1, a, true?, look",
    ],
    [
      "a second look that finds a command",
      { plans: [A, { commands: [command("init")] }] },
      `${BEFORE}, a, ${AFTER}`,
    ],
    [
      "only a command",
      { plans: [{ commands: [command("init")] }] },
      `${BEFORE}, true?, run init, look, finish after look 2`,
    ],
    [
      "changes and commands",
      { plans: [{ ...A, commands: [command("init"), command("workspace select x")] }] },
      `${BEFORE}, a, true?, run init, run workspace select x, look, finish after look 2`,
    ],
    [
      "a failed command stops its root's other commands",
      {
        plans: [{ commands: [command("init"), command("workspace"), command("other", "/repo/b")] }],
        exits: { init: 1 },
      },
      `${BEFORE}, true?, run init, run other, look, finish after look 2`,
    ],
    [
      "a signal during a command: the files stay",
      { plans: [{ ...A, commands: [command("init")] }], interruptedAt: "init" },
      `${BEFORE}, a, true?, run init`,
    ],
  ])("%s", async (_, scenario, expected) => {
    expect((await run(scenario)).log.join(", ")).toBe(expected);
  });
});

describe("the result of a run", () => {
  it.each<[string, Scenario, string]>([
    ["declined", { plans: [A], answer: false }, "DECLINED"],
    ["a second look that finds more", { plans: [A, A] }, "NOT_CONVERGED"],
    ["a step that fails", { plans: [{ changes: [change("a", { fails: true })] }] }, "WRITE_FAILED"],
    [
      "a check that refuses",
      { plans: [{ changes: [change("a", { refuses: true })] }] },
      "DOCTL_REFUSED_TOKEN",
    ],
    ["facts that changed meanwhile", { plans: [A], changedMeanwhile: true }, "CHANGED_MEANWHILE"],
    ["a signal", { plans: [A], interruptedAt: "a" }, "INTERRUPTED"],
    [
      "a signal during a command",
      { plans: [{ commands: [command("init")] }], interruptedAt: "init" },
      "INTERRUPTED",
    ],
    [
      "git does not ignore the secret's file",
      { plans: [SECRET], taken: { path: "/repo/s", repo: undefined } },
      "NOT_IGNORED",
    ],
  ])("%s: an error", async (_, scenario, code) => {
    const { done, error } = await run(scenario);
    expect(done).toBeUndefined();
    expect(error).toMatchObject({ code });
  });

  it.each<[string, Scenario, object]>([
    ["a dry run: the plan", { dryRun: true, plans: [A] }, { facts: "look 1", applied: [] }],
    ["errors: the plan", { plans: [ERROR] }, { facts: "look 1", applied: [], plan: ERROR }],
    [
      "approved: the second look and the changes made",
      { plans: [A] },
      { facts: "look 2", applied: A.changes, plan: { changes: [] } },
    ],
    ["nothing to do", {}, { facts: "look 1", applied: [], commands: [], warnings: [] }],
    [
      "warnings of checks",
      { plans: [{ changes: [change("a", { warns: "w" })] }] },
      { warnings: ["w"] },
    ],
    [
      "warnings of the probe and of checks",
      { plans: [A], probed: { changes: [change("a", { warns: "w" })], warnings: ["t"] } },
      { warnings: ["t", "w"] },
    ],
    [
      "a probe that stops it",
      { plans: [A], probed: { ...ERROR, warnings: ["t"] } },
      { facts: "look 1", applied: [], warnings: ["t"], plan: ERROR },
    ],
    [
      "outside changes that were made, and findings of the failed ones",
      { plans: [{ ...A, outside: [outside("revoke", true), outside("grant")] }] },
      { outside: [{ label: "grant" }], plan: { findings: [finding("z")] } },
    ],
    [
      "what is left to do: findings of the second look",
      { plans: [A, { findings: [finding("y")] }] },
      { plan: { findings: [finding("y")] } },
    ],
  ])("%s", async (_, scenario, expected) => {
    const { done, error } = await run(scenario);
    expect(error).toBeUndefined();
    expect(done).toMatchObject(expected);
  });

  it("a failed command is reported and undoes nothing", async () => {
    const plan = { ...A, commands: [command("init -input=false"), command("workspace select x")] };
    const { done, log } = await run({ plans: [plan], exits: { "init -input=false": 1 } });
    const results = done?.commands.map(({ command: { args }, failure }) => [args[0], failure]);
    const failure = { why: "exit status 1", output: ["init -input=false said"] };
    expect(results).toEqual([["init", failure]]);
    expect(planned(done?.plan ?? {})).toEqual(["warning terraform.failed"]);
    expect(log.filter((each) => each.startsWith("undo"))).toEqual([]);
  });

  it("a plan that does not converge names the remaining changes", async () => {
    const { error } = await run({ plans: [A, { changes: [change("b"), change("c")] }] });
    expect(error?.message).toMatch(/b, c/);
  });
});

describe("the order of a plan's changes", () => {
  const orderOf = (changes: readonly Change[], more: Scenario = {}) =>
    run({ plans: [{ changes }], ...more }).then(({ log }) =>
      log.slice(log.indexOf("ask") + 1, log.indexOf("true?")).join(", "),
    );

  it.each<[string, readonly Change[], string]>([
    [
      "by stage; git is asked before the secrets and at the end",
      [
        change("r", { stage: "removal" }),
        change("l", { stage: "login" }),
        change("s", { stage: "secret" }),
        change("o"),
      ],
      "o, git? /real/repo/s, s, l, r, git? /real/repo/s",
    ],
    ["the plan's order within a stage", [change("b"), change("a")], "b, a"],
    ["its own order for the steps of a change", [change("a b"), change("c")], "a, b, c"],
    [
      "git is asked about all secrets at once",
      [change("s", { stage: "secret" }), change("t", { stage: "secret" })],
      "git? /real/repo/s /real/repo/t, s, t, git? /real/repo/s /real/repo/t",
    ],
    [
      "checks that can refuse come first",
      [change("o"), change("l", { stage: "login", warns: "" })],
      "check l, o, l",
    ],
    [
      "then folders, each once",
      [
        change("a", { folder: "/repo/x" }),
        change("b", { folder: "/repo/x" }),
        change("c", { folder: "/repo/y", warns: "" }),
      ],
      "check c, mkdir /repo/x, sweep /repo/x, mkdir /repo/y, sweep /repo/y, a, b, c",
    ],
  ])("%s", async (_, changes, expected) => {
    expect(await orderOf(changes)).toBe(expected);
  });
});

describe("all or none", () => {
  const [a, s] = [change("a"), change("s", { stage: "secret" })];
  const fails = (name: string, kind: Kind = {}) => change(name, { fails: true, ...kind });

  it.each<[string, readonly Change[], Scenario, string]>([
    ["a check refuses: nothing is started", [a, change("b", { refuses: true })], {}, "check b"],
    ["the first fails", [fails("a")], {}, "a, undo a"],
    [
      "the last fails: what was done is undone in reverse",
      [a, change("b c"), fails("d")],
      {},
      "a, b, c, d, undo d, undo c, undo b, undo a",
    ],
    [
      "a secret fails",
      [a, s, fails("t", { stage: "secret" })],
      {},
      "a, git? /real/repo/s /real/repo/t, s, t, undo t, undo s, undo a",
    ],
    ["a removal fails", [fails("r", { stage: "removal" }), a], {}, "a, r, undo r, undo a"],
    [
      "created folders are removed too",
      [change("a", { folder: "/repo/x" }), fails("b")],
      {},
      "mkdir /repo/x, sweep /repo/x, a, b, undo b, undo a, undo mkdir /repo/x",
    ],
    [
      "git does not ignore a secret: none is written",
      [a, s],
      { taken: { path: "/repo/s", repo: undefined } },
      "a, git? /real/repo/s, undo a",
    ],
    [
      "git stops ignoring a secret while it is written: it is undone",
      [a, s],
      { taken: { path: "/repo/s", repo: undefined }, takenLater: true },
      "a, git? /real/repo/s, s, git? /real/repo/s, undo s, undo a",
    ],
    [
      "with a lock, everything is done and undone under the lock",
      [a, s],
      { changedMeanwhile: true, lock: "/repo/.git/l" },
      "lock /repo/.git/l, a, git? /real/repo/s, s, git? /real/repo/s, true?, undo s, undo a, unlock",
    ],
    [
      "facts changed meanwhile",
      [a, s],
      { changedMeanwhile: true },
      "a, git? /real/repo/s, s, git? /real/repo/s, true?, undo s, undo a",
    ],
    [
      "a signal in the middle",
      [a, change("b"), change("c")],
      { interruptedAt: "b" },
      "a, b, undo b, undo a",
    ],
    [
      "a signal in the middle of a change",
      [change("a b c")],
      { interruptedAt: "b" },
      "a, b, undo b, undo a",
    ],
    [
      "a signal while a folder is made",
      [change("a", { folder: "/repo/x" })],
      { interruptedAt: "mkdir /repo/x" },
      "mkdir /repo/x, undo mkdir /repo/x",
    ],
    [
      "a failed undo does not stop the others",
      [a, change("b", { undoFails: true }), fails("c")],
      {},
      "a, b, c, undo c, undo b, undo a",
    ],
  ])("%s", async (_, changes, scenario, expected) => {
    const { log, error } = await run({ plans: [{ changes }], ...scenario });
    expect(error).toBeInstanceOf(AppError);
    expect(log.slice(3).join(", ")).toBe(expected);
  });

  it.each<[string, readonly Change[], string, RegExp]>([
    ["a failed change that was undone", [a, fails("b")], "WRITE_FAILED", /^b failed\.$/],
    [
      "one failed undo",
      [change("a", { undoFails: true }), fails("b")],
      "WRITE_FAILED",
      /^b failed\. .*one change/,
    ],
    [
      "two failed undos",
      [change("a", { undoFails: true }), fails("b", { undoFails: true })],
      "WRITE_FAILED",
      /2 changes/,
    ],
  ])("the message for %s", async (_, changes, code, message) => {
    const { error } = await run({ plans: [{ changes }] });
    expect(error?.code).toBe(code);
    expect(error?.message).toMatch(message);
  });

  it.each<[string, boolean, RegExp]>([
    ["everything was undone", false, /^Interrupted\. Nothing was changed\.$/],
    ["one undo failed", true, /^Interrupted\. Also, one change could not be undone\.$/],
  ])("the message for a signal: %s", async (_, undoFails, message) => {
    const changes = [change("a", { undoFails })];
    const { error } = await run({ plans: [{ changes }], interruptedAt: "a" });
    expect(error?.message).toMatch(message);
  });

  it.each<[string, string | undefined, string]>([
    ["this repo", undefined, "git check-ignore -v --no-index s"],
    ["another repo", "/repo/sub dir", "git -C 'sub dir' check-ignore -v --no-index -- s"],
  ])("how to see why git does not ignore a file: in %s", async (_, repo, step) => {
    const path = repo === undefined ? "/repo/s" : `${repo}/s`;
    const { error } = await run({ plans: [{ changes: [s] }], taken: { path, repo } });
    expect(error).toMatchObject({ code: "NOT_IGNORED", status: 3 });
    expect(said(error?.hint, { cwd: "/repo" })).toContain(step);
  });
});

describe("the journal", () => {
  const notUndone = [change("a", { undoFails: true }), change("b", { fails: true })];

  it.each<[string, Scenario, boolean]>([
    ["everything is done", { plans: [A], resumed: false }, true],
    ["everything is done by a resumed run", { plans: [A], resumed: true }, true],
    ["nothing is left to do for a resumed run", { resumed: true }, true],
    [
      "a step failed and everything was undone",
      { plans: [{ changes: [change("a", { fails: true })] }], resumed: false },
      true,
    ],
    [
      "a step failed in a resumed run",
      { plans: [{ changes: [change("a", { fails: true })] }], resumed: true },
      false,
    ],
    ["not everything could be undone", { plans: [{ changes: notUndone }], resumed: false }, false],
    ["an interrupted run", { plans: [A], resumed: false, interruptedAt: "a" }, true],
    [
      "an interrupted run that was resumed",
      { plans: [A], resumed: true, interruptedAt: "a" },
      false,
    ],
    [
      "a command was interrupted",
      { plans: [{ ...A, commands: [command("init")] }], resumed: false, interruptedAt: "init" },
      false,
    ],
    ["a second look finds more", { plans: [A, A], resumed: false }, false],
  ])("whether it is ended: %s", async (_, scenario, expected) => {
    const { log } = await run(scenario);
    expect(log.filter((each) => each === "end")).toEqual(expected ? ["end"] : []);
  });

  it.each<[string, Scenario]>([
    ["a dry run", { plans: [A], dryRun: true, resumed: false }],
    ["errors", { plans: [{ ...A, ...ERROR }], resumed: false }],
    ["declined", { plans: [A], answer: false, resumed: false }],
    ["a probe that stops it", { plans: [A], probed: ERROR, resumed: false }],
  ])("is not started: %s", async (_, scenario) => {
    const { log } = await run(scenario);
    expect(log.filter((each) => /^begin|end$/.test(each))).toEqual([]);
  });
});

it.each([
  [1, ["init a", "init b"]],
  [2, ["init a", "init b"]],
])("%i roots at once: all commands are run", async (atOnce, expected) => {
  const commands = [command("init a", "/repo/a"), command("init b", "/repo/b")];
  const { done, log } = await run({ plans: [{ commands }], atOnce });
  expect(log.filter((each) => each.startsWith("run"))).toEqual(
    expected.map((each) => `run ${each}`),
  );
  expect(done?.commands.map(({ command: { cwd } }) => cwd)).toEqual(["/repo/a", "/repo/b"]);
});

it("only an error that is not about a skipped root blocks a plan", () => {
  const skipped = finding("x", "error", { skippedRoot: "/r" });
  const plan: Plan = joined([{ findings: [skipped, finding("y")] }]);
  expect(isBlocked(plan.findings)).toBe(false);
  expect(isBlocked([skipped, finding("z", "error")])).toBe(true);
});
