import { chmod, mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { dir } from "tmp-promise";
import { describe, expect, it, onTestFinished } from "vitest";
import { keep } from "../../src/host/keep.ts";
import { recall } from "../../src/host/record.ts";
import { stateOf } from "../../src/host/state.ts";

type At = (path: string) => string;

/** A HOME with a repo, another folder, and state and cache folders at `base`. */
async function scene(base: string) {
  const { path: root, cleanup } = await dir({ prefix: "do-bootstrap-", unsafeCleanup: true });
  onTestFinished(() => cleanup());
  const at: At = (path) => join(root, path);
  await mkdir(at("home/acme/.git"), { recursive: true });
  await mkdir(at("other/real"), { recursive: true });
  const env = { XDG_STATE_HOME: at(base), XDG_CACHE_HOME: at(base) };
  const machine = { env, platform: "linux" } as const;
  const state = stateOf(machine);
  const folder = at("home/acme");
  const trust = { kind: "trusted", folder, name: "x" } as const;
  const record = { kind: "exec", path: folder } as const;
  return {
    at,
    tree: () => readdir(root, { recursive: true }),
    /** Writes a trust record and a cache record. */
    write() {
      keep(machine, record, "value", { inputs: [], since: Date.now() });
      return state.write(trust, "yes");
    },
    read: () => [state.read(trust), recall(machine, record)],
    safe: () => state.isSafe(folder),
    runFolder: () => state.runFolder(folder),
  };
}

/** Lets others reach a folder and write to it. */
async function opened(at: At, path: string): Promise<void> {
  await chmod(at("."), 0o755);
  await chmod(at(path), 0o777);
}

describe("stored state and cache records are not used", () => {
  it.each<[what: string, base: string, arrange: (at: At) => Promise<unknown>]>([
    ["HOME becomes a checkout", "home/state", (at) => mkdir(at("home/.git"))],
    ["HOME becomes a worktree", "home/state", (at) => writeFile(at("home/.git"), "gitdir: /x\n")],
    ["it is inside another repo", "other/a/state", (at) => mkdir(at("other/.git"))],
    ["it is inside a Jujutsu checkout", "other/state", (at) => mkdir(at("other/.jj"))],
    ["it is inside a Mercurial checkout", "other/state", (at) => mkdir(at("other/.hg"))],
    ["it is inside a Sapling checkout", "other/state", (at) => mkdir(at("other/.sl"))],
    ["it is inside a Subversion checkout", "other/state", (at) => mkdir(at("other/.svn"))],
    ["others can write to its parent folder", "other/state", (at) => opened(at, "other")],
    ["others can write to its folder", "other/state", (at) => opened(at, "other/state")],
  ])("any more if %s", async (_, base, arrange) => {
    const { at, tree, write, read, safe, runFolder } = await scene(base);
    expect(write()).toBe(true);
    expect(read()).toEqual(["yes", "value"]);
    expect([safe(), runFolder()]).toEqual([true, at(`${base}/do-bootstrap/run`)]);
    await arrange(at);
    const before = await tree();
    expect(read()).toEqual([undefined, undefined]);
    expect([write(), safe(), runFolder()]).toEqual([false, false, undefined]);
    expect(await tree()).toEqual(before);
  });

  it.each<[what: string, base: string, arrange?: (at: At) => Promise<unknown>]>([
    ["HOME is the repo", "home/acme/state"],
    ["HOME is a folder in the repo", "home/acme/.home/state"],
    ["it is in git's own folder", "home/acme/.git/state"],
    [
      "a link in the repo points outside",
      "home/acme/out/x",
      (at) => symlink(at("other"), at("home/acme/out")),
    ],
    [
      "a link points into another repo",
      "home/in/x",
      async (at) => {
        await mkdir(at("other/.git"));
        await symlink(at("other/real"), at("home/in"));
      },
    ],
  ])("or written if %s", async (_, base, arrange) => {
    const { at, tree, write, read, safe, runFolder } = await scene(base);
    await arrange?.(at);
    const before = await tree();
    expect([write(), safe(), runFolder()]).toEqual([false, false, undefined]);
    expect(read()).toEqual([undefined, undefined]);
    expect(await tree()).toEqual(before);
  });
});
