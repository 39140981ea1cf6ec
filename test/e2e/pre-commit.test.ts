import { cp, mkdir, readFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { preCommitScript } from "../../src/commands/hook/hooks.ts";
import { onPath } from "../fixtures/on-path.ts";
import { randomToken, unguardedToken, type Workbench, workbench } from "../fixtures/workbench.ts";

const PRE_COMMIT = onPath("pre-commit");
const needsPreCommit = PRE_COMMIT ? "" : " (needs pre-commit)";

it("the script that .pre-commit-hooks.yaml names is the one that the build writes", async () => {
  const script = await readFile("integrations/pre-commit", "utf8");
  expect(script).toBe(preCommitScript(await readFile("templates/hooks/guard", "utf8")));
  expect(await readFile(".pre-commit-hooks.yaml", "utf8")).toMatch(
    /entry: integrations\/pre-commit/,
  );
});

describe.skipIf(needsPreCommit)(`with the real pre-commit${needsPreCommit}`, () => {
  const ways: [what: string, way: (repo: PreCommitRepo) => Promise<Said>][] = [
    ["a commit of a new file", (repo) => repo.commit({ "a.txt": `x ${repo.token}\n` })],
    [
      "a commit with the token in UTF-16",
      (repo) => repo.commit({ wide: Buffer.from(repo.token, "utf16le") }),
    ],
    ["a commit message", (repo) => repo.commit({ "a.txt": "a\n" }, `about ${repo.spoken}`)],
    [
      "a merge",
      async (repo) => {
        await repo.besides("other", { "b.txt": repo.token });
        return repo.git("merge", "--no-ff", "--quiet", "other");
      },
    ],
    [
      "the first push",
      async (repo) => {
        await repo.commit({ "b.txt": repo.token }, "x", "--no-verify");
        return repo.git("push", "--quiet", "origin", "main");
      },
    ],
    [
      "a later push, with the token in a commit that the next one undoes",
      async (repo) => {
        await repo.git("push", "--quiet", "origin", "main");
        await repo.commit({ "b.txt": repo.token }, "x", "--no-verify");
        await repo.commit({ "b.txt": "gone\n" });
        return repo.git("push", "--quiet", "origin", "main");
      },
    ],
    [
      "the push of a new branch",
      async (repo) => {
        await repo.git("push", "--quiet", "origin", "main");
        await repo.git("switch", "--quiet", "--create", "topic");
        await repo.commit({ "b.txt": repo.token }, "x", "--no-verify");
        return repo.git("push", "--quiet", "origin", "topic");
      },
    ],
    [
      "run by hand for all files",
      async (repo) => {
        await repo.commit({ "b.txt": repo.token }, "x", "--no-verify");
        return repo.preCommit("run", "--all-files");
      },
    ],
    [
      "run in CI for a range of commits",
      async (repo) => {
        await repo.git("push", "--quiet", "origin", "main");
        await repo.commit({ "b.txt": repo.token }, "x", "--no-verify");
        await repo.git("push", "--quiet", "--no-verify", "origin", "main");
        return repo.preCommit("run", "--from-ref", "HEAD~1", "--to-ref", "HEAD");
      },
    ],
  ];

  it.each(ways)("blocks %s", async (_, way) => {
    const repo = await preCommitRepo();
    const { status, said } = await way(repo);
    expect(said).toMatch(/blocked this change because it contains a DigitalOcean token:\n {2}\S/);
    expect(said).not.toContain(repo.token.slice(10, 30));
    expect(said).not.toContain(repo.spoken.slice(10, 30));
    expect(status).not.toBe(0);
  });

  it.each<[what: string, way: (repo: PreCommitRepo) => Promise<Said>]>([
    [
      "a commit, a push and a run by hand",
      async (repo) => {
        await repo.commit({ "a.txt": "harmless\n" });
        await repo.git("push", "--quiet", "origin", "main");
        return repo.preCommit("run", "--all-files");
      },
    ],
    [
      "a new message for a commit beside a file that has a token",
      async (repo) => {
        await repo.commit({ "b.txt": repo.token }, "x", "--no-verify");
        return repo.git("commit", "--amend", "--quiet", "--message=y");
      },
    ],
    [
      "the removal of a token",
      async (repo) => {
        await repo.commit({ "b.txt": repo.token }, "x", "--no-verify");
        return repo.commit({ "b.txt": "gone\n" });
      },
    ],
    [
      "a cherry-pick, which only hook install and the push search",
      async (repo) => {
        await repo.besides("other", { "b.txt": repo.token });
        return repo.git("cherry-pick", "other");
      },
    ],
  ])("allows %s", async (_, way) => {
    const { status, said } = await way(await preCommitRepo());
    expect(status, said).toBe(0);
  });

  it("needs neither Node nor do-bootstrap on PATH", async () => {
    const repo = await preCommitRepo();
    const names = ["node", "do-bootstrap"].map((name) => `command -v ${name}`);
    const { exitCode } = await execa("sh", ["-c", names.join(" || ")], {
      ...repo.at,
      reject: false,
    });
    expect(exitCode).not.toBe(0);
    expect((await repo.commit({ "a.txt": repo.token })).status).not.toBe(0);
  });
});

interface Said {
  readonly status: number | undefined;
  readonly said: string;
}

type PreCommitRepo = Awaited<ReturnType<typeof preCommitRepo>>;

/** A repo with a remote, where pre-commit is installed for our hooks by the path and commit of a repo. */
async function preCommitRepo() {
  const bench = await workbench();
  const env = {
    ...bench.env,
    PATH: await toolsWithoutNode(bench),
    PRE_COMMIT_HOME: join(bench.root, "pc"),
  };
  const at = { cwd: bench.repo, env, extendEnv: false };
  const run = async (file: string, args: readonly string[]): Promise<Said> => {
    const { exitCode, all } = await execa(file, args, { ...at, reject: false, all: true });
    return { status: exitCode, said: all };
  };
  const git = (...args: string[]) => run("git", args);
  const commit = async (
    files: Record<string, string | Buffer>,
    message = "x",
    ...words: string[]
  ) => {
    for (const [path, text] of Object.entries(files)) await bench.write(path, text);
    await git("add", "--all");
    return git("commit", "--quiet", `--message=${message}`, ...words);
  };

  const ours = await ourRepo(bench);
  // What docs/leaks.md shows.
  const [, shown = ""] =
    /```yaml\n(default_install_[\s\S]*?)```/.exec(await readFile("docs/leaks.md", "utf8")) ?? [];
  const config = shown
    .replace(/repo: <.*>/, `repo: ${ours.path}`)
    .replace(/rev: <.*>/, `rev: ${ours.rev}`);
  await commit({ ".pre-commit-config.yaml": config });
  const remote = join(bench.root, "remote.git");
  await execa("git", ["init", "--quiet", "--bare", remote], { env, extendEnv: false });
  await git("remote", "add", "origin", remote);
  const installed = await run(PRE_COMMIT ?? "", ["install"]);
  expect(installed.status, installed.said).toBe(0);
  return {
    ...{ at, git, commit, token: randomToken(), spoken: unguardedToken() },
    preCommit: (...args: string[]) => run(PRE_COMMIT ?? "", args),
    /** Commits to another branch, without hooks. */
    async besides(branch: string, files: Record<string, string>) {
      await git("switch", "--quiet", "--create", branch);
      await commit(files, "x", "--no-verify");
      await git("switch", "--quiet", "main");
      await commit({ "c.txt": "c\n" }, "x", "--no-verify");
    },
  };
}

/** A copy of the files that pre-commit uses, in a git repo. */
async function ourRepo(bench: Workbench): Promise<{ path: string; rev: string }> {
  const path = join(bench.root, "ours");
  await mkdir(path);
  for (const name of [".pre-commit-hooks.yaml", "integrations/pre-commit"]) {
    await cp(name, join(path, name));
  }
  const git = async (...args: string[]) =>
    (await execa("git", args, { cwd: path, env: bench.env, extendEnv: false })).stdout;
  await git("init", "--quiet");
  await git("add", "--all");
  await git("commit", "--quiet", "--message=x");
  return { path, rev: await git("rev-parse", "HEAD") };
}

/** A folder with links to every tool of this machine except Node. */
async function toolsWithoutNode({ root, bin }: Workbench): Promise<string> {
  const folder = join(root, "tools");
  const words = ["-sf", "/usr/bin/*", folder].join(" ");
  await mkdir(folder);
  await execa("sh", ["-c", `ln ${words} && rm -f ${folder}/node ${folder}/nodejs`]);
  await execa("rm", ["-f", join(bin, "node")]);
  return [folder, bin].join(delimiter);
}
