import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { type Git, openGit } from "../../src/concerns/git/git.ts";
import { placesIn } from "../../src/concerns/git/objects.ts";
import type { ToolCall } from "../../src/host/host.ts";
import { nodeHost, ownProcess } from "../../src/host/node.ts";
import { addToIndex, type Workbench, workbench } from "../fixtures/workbench.ts";

describe("git, with more paths than one command line or answer can hold", () => {
  it("finds the tracked files among thousands of paths, in a few calls", async () => {
    const bench = await workbench();
    const paths = Array.from({ length: 2000 }, (_, i) =>
      join(bench.repo, `stacks/service-${i}/.env`),
    );
    await addToIndex(bench, ["stacks/service-7/.env", "stacks/service-1999/.env"]);
    const { git, calls } = await opened(bench);
    expect([...((await git?.tracked(paths))?.keys() ?? [])]).toEqual([paths[7], paths[1999]]);
    const asked = calls.filter(({ args }) => args.includes("ls-files"));
    expect(asked.length).toBeGreaterThan(1);
    expect(asked.length).toBeLessThan(10);
    for (const { args } of asked) expect(args.join(" ").length).toBeLessThan(32_000);
  });

  it("a folder with thousands of tracked files does not hide the file behind it", async () => {
    const bench = await workbench();
    const many = Array.from({ length: 4000 }, (_, i) => `b/${"x".repeat(100)}-${i}`);
    await addToIndex(bench, [".env", ...many]);
    const paths = [".env", "b", "c"].map((name) => join(bench.repo, name));
    const { git } = await opened(bench);
    expect(await git?.tracked(paths)).toEqual(
      new Map(paths.slice(0, 2).map((path) => [path, path])),
    );
  });

  it("a path outside the repo counts as ignored and does not affect other answers", async () => {
    const bench = await workbench();
    await bench.write(".gitignore", "a\n");
    const [a, b, elsewhere] = ["a", "b", "../c"].map((name) => join(bench.repo, name));
    const { git } = await opened(bench);
    const ignored = await git?.ignored([a ?? "", b ?? "", elsewhere ?? ""]);
    expect([...(ignored?.keys() ?? [])]).toEqual([a, elsewhere]);
    expect(await git?.tracked([elsewhere ?? ""])).toEqual(new Map());
  });
});

describe("the work tree", () => {
  const calledFor = (calls: readonly ToolCall[]) =>
    calls.filter((each) => each.args.includes("rev-parse")).length;

  it.each<[string, (bench: Workbench) => Promise<unknown>, asked: number]>([
    ["is not confirmed first if it is the only one", async () => undefined, 0],
    [
      "is confirmed if its config may set another one",
      (bench) => bench.git("config", "core.worktree", bench.repo),
      1,
    ],
    [
      "is confirmed if its config includes another file",
      (bench) => bench.git("config", "include.path", "x"),
      1,
    ],
  ])("%s", async (_, prepare, asked) => {
    const bench = await workbench();
    await prepare(bench);
    const { git, calls } = await opened(bench);
    await git?.tracked([join(bench.repo, "a")]);
    expect(calledFor(calls)).toBe(asked);
  });

  it("is never the enclosing one if git rejects the inner repo", async () => {
    const bench = await workbench();
    await addToIndex(bench, ["sub/.env"]);
    await bench.write("sub/.git/config", "[core]\n");
    const { git } = await opened(bench, join(bench.repo, "sub"));
    const paths = [join(bench.repo, "sub/.env")];
    await expect(git?.tracked(paths)).rejects.toMatchObject({ code: "GIT_FAILED" });
    await expect(git?.ignored(paths)).rejects.toMatchObject({ code: "GIT_FAILED" });
    await expect(git?.confirmed).rejects.toMatchObject({ code: "GIT_FAILED" });
  });
});

describe("the owner of the pattern that ignores a path", () => {
  const OWNERS: readonly [name: string, owner: string | undefined][] = [
    ["by-folder-above", "repo"],
    ["by-own-folder", "repo"],
    ["by-exclude", "user"],
    ["by-home", "user"],
    ["by-repo-and-home", "repo"],
    ["let-in-below", undefined],
    ["let-in-over-exclude", undefined],
    ["by-nobody", undefined],
  ];

  it("is the repo for its .gitignore files, and the user for exclude files", async () => {
    const bench = await workbench();
    await bench.write("../home/.gitconfig", "[core]\nexcludesFile = ~/.gitignore\n");
    await bench.write("../home/.gitignore", "by-home\nby-repo-and-home\n");
    await bench.write(".git/info/exclude", "by-exclude\nlet-in-over-exclude\n");
    await bench.write(".gitignore", "by-folder-above\nby-repo-and-home\nlet-in-below\n");
    await bench.write("sub/.gitignore", "by-own-folder\n!let-in-below\n!let-in-over-exclude\n");
    const { git } = await opened(bench);
    const path = (name: string) => join(bench.repo, "sub", name);
    const owners = await git?.ignored(OWNERS.map(([name]) => path(name)));
    expect(OWNERS.map(([name]) => [name, owners?.get(path(name))])).toEqual(OWNERS);
  });

  it("is found in a linked work tree, from a subfolder", async () => {
    const bench = await workbench();
    await bench.git("commit", "--quiet", "--allow-empty", "--message=x");
    await bench.git("worktree", "add", "--quiet", "../linked");
    await bench.write(".git/info/exclude", "x\n");
    await bench.write("../linked/sub/.gitignore", "y\n");
    const folder = join(bench.root, "linked", "sub");
    const { git } = await opened(bench, folder);
    const owners = await git?.ignored(["x", "y", "z"].map((name) => join(folder, name)));
    expect([...(owners?.values() ?? [])]).toEqual(["user", "repo"]);
  });
});

/** Nested trees that expand to 10 to the power of `depth` files. */
async function unfolding(bench: Workbench, depth: number) {
  const git = async (args: string[], input = "") =>
    (await execa("git", args, { cwd: bench.repo, env: bench.env, input })).stdout;
  const blob = await git(["hash-object", "-w", "--stdin"], "x");
  const tenTimes = (entry: string) =>
    git(["mktree"], Array.from({ length: 10 }, (_, i) => `${entry}\t${i}\n`).join(""));
  let tree = await tenTimes(`100644 blob ${blob}`);
  for (let at = 1; at < depth; at++) tree = await tenTimes(`040000 tree ${tree}`);
  return { commit: await git(["commit-tree", tree, "-m", "x"]), blob };
}

describe("a history that expands", () => {
  it("to more places than the limit is not searched completely", async () => {
    const bench = await workbench();
    const { commit, blob } = await unfolding(bench, 5);
    const { git } = await opened(bench);
    const places = await placesIn(git as Git, [commit], { blobs: [blob] });
    expect(places).toMatchObject({ isTooMuch: true, isWhole: true });
  });

  it("to fewer places is searched completely", async () => {
    const bench = await workbench();
    const { commit, blob } = await unfolding(bench, 3);
    const { git } = await opened(bench);
    const { isTooMuch, ofBlobs } = await placesIn(git as Git, [commit], { blobs: [blob] });
    expect({ isTooMuch, count: ofBlobs.get(blob)?.length }).toEqual({
      isTooMuch: false,
      count: 1000,
    });
  });
});

async function opened(bench: Workbench, folder = bench.repo) {
  const calls: ToolCall[] = [];
  const host = nodeHost(bench.root, ownProcess());
  const run = (call: ToolCall) => {
    calls.push(call);
    return host.run(call);
  };
  return { git: await openGit({ ...host, env: bench.env, run }, folder), calls };
}
