import { describe, expect, it } from "vitest";
import { searchGit } from "../../../../src/commands/leaks/in-git.ts";
import type { Git } from "../../../../src/concerns/git/git.ts";
import type { ToolResult } from "../../../../src/host/host.ts";
import { Secret } from "../../../../src/secret/secret.ts";
import { type Entry, memoryFiles } from "../../memory-files.ts";

const VALUE = `dop_v1_${"0123456789abcdef".repeat(4)}`;
const TOKEN = Secret.of(VALUE, { kind: "stdin" });
const LIMITS = { gitMs: 5000, forMs: 1000, fileBytes: 200, allBytes: 1000, submodules: 1 };

interface Repo {
  readonly tree: Readonly<Record<string, Entry>>;
  /** In the index. */
  readonly staged?: Readonly<Record<string, string>>;
  readonly stderr?: string;
  readonly end?: ToolResult["end"];
  readonly exitCode?: number;
  readonly submodules?: readonly string[];
}

/** A git that finds every file. */
function gitOf({ tree, staged = {}, stderr = "", end = "exited", ...more }: Repo): Git {
  return {
    root: "/repo",
    skipped: [],
    confirmed: Promise.resolve(),
    ignored: async () => new Map(),
    tracked: async () => new Map(),
    spell: async (name) => name,
    async ask([verb = "", which = ""], options) {
      const { onStdout } = options ?? {};
      const done = (text: string, result: Partial<ToolResult> = {}): ToolResult => {
        onStdout?.(Buffer.from(text));
        return { end: "exited", exitCode: 0, stdout: "", stderr: "", ...result };
      };
      if (verb === "grep") {
        const names = Object.keys(which === "--cached" ? staged : tree);
        const text = names.map((each) => `${each}\0`).join("");
        // The output may end in the middle of a name.
        const { exitCode = 0 } = more;
        return done(end === "timed-out" ? `${text}cut/of` : text, {
          ...{ end, stderr, exitCode: end === "exited" ? exitCode : undefined },
        });
      }
      // There is no commit.
      if (verb === "cat-file" && which === "blob") return done("", { exitCode: 128 });
      if (verb === "cat-file") {
        const asked = (options?.input ?? "").trim().split("\n");
        const texts = asked.map((oid) => Object.values(staged)[Number.parseInt(oid, 16) - 1] ?? "");
        return done(
          texts.map((text, at) => `${asked[at]} blob ${text.length}\n${text}\n`).join(""),
        );
      }
      const { submodules = [] } = more;
      const entry = (mode: string, at: number, path: string) =>
        `${mode} ${String(at + 1).padStart(40, "0")} 0\t${path}\0`;
      return done(
        [
          ...Object.keys(staged).map((path, at) => entry("100644", at, path)),
          ...submodules.map((path, at) => entry("160000", 100 + at, path)),
        ].join(""),
      );
    },
  };
}

async function searched(repo: Repo, { stepMs = 0, ...limits } = {}) {
  let now = 0;
  const steadyClock = {
    now() {
      now += stepMs;
      return now;
    },
    sleep: async () => {},
  };
  const files = memoryFiles("/repo", repo.tree);
  const notAsked = async () => ({ path: undefined, program: undefined, skipped: [] });
  const host = { env: {}, files, steadyClock, which: notAsked, run: () => Promise.reject() };
  const all = { ...LIMITS, ...limits };
  const {
    files: found,
    unread,
    denied,
    stopped,
  } = await searchGit(host, gitOf(repo), [TOKEN], all);
  return {
    found: found.map(({ path, state }) => `${path.replace("/repo/", "")} ${state}`),
    left: [...unread.map(({ path, why }) => `${path} ${why}`), ...denied],
    stopped,
  };
}

describe("the search for the token in git", () => {
  const text = `x ${VALUE}\n`;
  it.each<
    readonly [
      what: string,
      repo: Repo,
      limits: object,
      expected: Partial<Awaited<ReturnType<typeof searched>>>,
    ]
  >([
    [
      "the working tree and the index",
      { tree: { a: text, b: "" }, staged: { b: text } },
      {},
      { found: ["a new", "b staged"], left: [], stopped: undefined },
    ],
    [
      "git times out: files found so far count",
      { tree: { a: text }, end: "timed-out" },
      {},
      { found: ["a new"], stopped: "git took more than 5 s" },
    ],
    [
      "git fails",
      { tree: {}, exitCode: 128, stderr: "fatal: bad object x" },
      {},
      { found: [], stopped: "git failed: fatal: bad object x" },
    ],
    [
      "too many bytes",
      { tree: { a: text, b: text } },
      { allBytes: 10 },
      { found: ["a new"], stopped: `there are more than ${10 / 1024 / 1024} MB to read` },
    ],
    [
      "too much time",
      { tree: { a: text, b: text } },
      { stepMs: 600 },
      { found: ["a new"], stopped: "it took more than 1 s" },
    ],
    [
      "a file that cannot be read",
      { tree: { a: { unusable: "not readable (EACCES)" } } },
      {},
      { found: [], left: ["/repo/a not readable (EACCES)"] },
    ],
    [
      "a file that git can't read",
      { tree: {}, stderr: "error: 'a': Permission denied\n" },
      {},
      { left: ["'a': Permission denied"] },
    ],
    [
      "a large file of the index",
      { tree: {}, staged: { a: `${text}${"x".repeat(200)}` } },
      {},
      { found: [], left: ["/repo/a too large in git"] },
    ],
    [
      "too many submodules",
      { tree: {}, submodules: ["m", "n"] },
      {},
      { stopped: "there are more than 1 submodules" },
    ],
  ])("%s", async (_, repo, limits, expected) => {
    expect(await searched(repo, limits)).toMatchObject(expected);
  });
});
