import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { onPath } from "../fixtures/on-path.ts";
import { unguardedToken, type Workbench, workbench } from "../fixtures/workbench.ts";

const TOOLS = ["awk", "tr", "sh", "sed", "cat", "sleep"];

/**
 * A repo with the guard, a remote, and branches that were made without it: `leaky` adds a token,
 * `undone` adds one and removes it, `evil` is a merge that adds one itself.
 */
const HISTORY = `
git init --quiet --bare ../remote.git
git remote add origin ../remote.git
c() { git add --all && git commit --quiet --no-verify --message="$1"; }
echo a >a; c start; git branch --quiet start
git push --quiet --no-verify origin HEAD:refs/heads/old
git checkout --quiet -b clean; echo c >c; c clean
git checkout --quiet -b leaky start; echo "t = $T" >leak.tf; c leaky
git checkout --quiet -b undone start; echo "t = $T" >gone.tf; c undone; git rm --quiet gone.tf; c removal
git checkout --quiet -b messy start; echo m >m; c "$T"
git checkout --quiet -b conflict start; echo "t = $T" >a; c conflict
git checkout --quiet -b shared start; echo "$T" >shared; c shared
git push --quiet --no-verify origin shared; git fetch --quiet origin
echo more >>shared; c more
git checkout --quiet -b evil start; echo e >e; c e
git merge --quiet --no-verify --no-ff --no-commit clean; echo "$T" >>a; c evil
git checkout --quiet -b two start; echo d >d; c two; echo "t = $T" >leak2.tf; c leak2
git checkout --quiet -b trunk start; echo b >b; c trunk; git tag base
git format-patch --quiet -1 leaky -o ../patch; git format-patch --quiet -1 messy -o ../message
git format-patch --quiet -1 clean -o ../fine
`;

let bench: Workbench;
let token: string;
const cleanups: (() => Promise<void>)[] = [];

beforeAll(async () => {
  bench = await workbench({ onTestFinished: (cleanup) => cleanups.push(cleanup) });
  token = unguardedToken();
  for (const name of TOOLS) {
    const path = onPath(name) ?? "";
    await writeFile(join(bench.bin, name), `#!/bin/sh\nexec ${path} "$@"\n`, { mode: 0o755 });
  }
  const { exitCode, said } = await sh(`set -e; ${HISTORY}`);
  expect(exitCode, said).toBe(0);
  await bench.run(["hook", "install"]);
});
afterAll(async () => {
  for (const cleanup of cleanups) await cleanup();
});

async function sh(script: string) {
  const env = { ...bench.env, T: token, GIT_EDITOR: ":", GIT_MERGE_AUTOEDIT: "no" };
  const options = { cwd: bench.repo, env, extendEnv: false, reject: false } as const;
  const { exitCode, stderr, stdout } = await execa("/bin/sh", ["-c", script], options);
  return { exitCode, said: `${stderr}\n${stdout}` };
}

const RESET = `
/bin/rm -rf .git/rebase-* .git/sequencer .git/*_HEAD .git/*_MSG .git/refs/tags/v1
git checkout --quiet --force --detach base; git clean --quiet --force -d; git -C ../remote.git branch -D x`;

async function attempt(script: string) {
  await sh(RESET);
  return sh(script);
}

describe("the guard blocks a token in", () => {
  it.each<[operation: string, script: string, place: string]>([
    ["commit, in the message", 'git commit --allow-empty -m "x $T"', "the message:1"],
    ["commit --amend, in the message", 'git commit --amend -m x -m "$T"', "the message:3"],
    [
      "commit, in a message from an editor",
      `GIT_EDITOR='sh -c "echo $T >\\$1" x' git commit --allow-empty`,
      "the message:1",
    ],
    [
      "commit, in a comment that stays in the message",
      `GIT_EDITOR='sh -c "echo x >\\$1; echo \\"# $T\\" >>\\$1" x' git -c commit.cleanup=whitespace commit --allow-empty`,
      "the message:2",
    ],
    ["merge", "git merge --no-edit leaky", "leak.tf:1"],
    ["merge, in the message", 'git merge --no-ff -m "$T" clean', "the message:1"],
    ["merge of several branches", "git merge --no-edit clean leaky", "leak.tf:1"],
    ["merge --squash and commit", "git merge --squash leaky && git commit -m x", "leak.tf:1"],
    [
      "merge with a conflict",
      'echo x >a; git commit -qam x; git merge conflict; echo "$T" >a; git add a; git merge --continue',
      "a:1",
    ],
    ["pull", "git pull --no-rebase --no-edit . leaky", "leak.tf:1"],
    ["cherry-pick", "git cherry-pick leaky", "leak.tf:1"],
    ["cherry-pick, in the message", "git cherry-pick messy", "the message:1"],
    ["cherry-pick of several commits", "git cherry-pick clean leaky", "leak.tf:1"],
    ["cherry-pick --edit", "git cherry-pick --edit leaky", "leak.tf:1"],
    [
      "cherry-pick with a conflict",
      'echo x >a; git commit -qam x; git cherry-pick conflict; echo "$T" >a; git add a; git cherry-pick --continue',
      "a:1",
    ],
    [
      "cherry-pick --no-commit and commit",
      "git cherry-pick -n leaky; git commit -m x",
      "leak.tf:1",
    ],
    ["revert of its removal", "git revert --no-edit undone", "gone.tf:1"],
    ["rebase", "git checkout -q --detach leaky; git rebase trunk", "leak.tf:1"],
    ["rebase, in the message", "git checkout -q --detach messy; git rebase trunk", "the message:1"],
    ["rebase --apply", "git checkout -q --detach leaky; git rebase --apply trunk", "leak.tf:1"],
    [
      "rebase --interactive, squashed",
      "git checkout -q --detach two; GIT_SEQUENCE_EDITOR='sed -i 2s/pick/squash/' git rebase -i --onto trunk start",
      "leak2.tf:1",
    ],
    ["am", "git am ../patch/*", "leak.tf:1"],
    ["am, in the message", "git am ../message/*", "the message:1"],
    ["push", "git push origin leaky:refs/heads/x", "leak.tf:1"],
    ["push, removed in a later commit", "git push origin undone:refs/heads/x", "gone.tf:1"],
    ["push, in a message", "git push origin messy:refs/heads/x", "the message of commit HASH:3"],
    ["push, in the changes of a merge", "git push origin evil:refs/heads/x", "a:2"],
    [
      "push, in an author's name",
      'git commit -q --no-verify --allow-empty --author="$T <a@b>" -m x; git push origin HEAD:refs/heads/x',
      "the message of commit HASH:1",
    ],
    ["push, in a tag", 'git tag -a v1 -m "$T" clean; git push origin v1', "the message of a tag:6"],
    [
      "push, in a tag of a tag",
      'git tag -a t1 -m "$T" clean; git tag -a v1 -m fine t1; git push origin v1',
      "the message of a tag:6",
    ],
    [
      "push, in a file with a tag",
      'git tag v1 $(echo "$T" | git hash-object -w --stdin); git push origin v1',
      "a file with a tag:1",
    ],
    ["push, in a tree with a tag", "git tag v1 leaky^{tree}; git push origin v1", "leak.tf:1"],
    [
      "push, with a refspec that contains spaces",
      "git checkout -q --detach leaky; git commit -q --no-verify --amend -m 'two words'; git push origin ':/two words:refs/heads/x'",
      "leak.tf:1",
    ],
    [
      "push, in a first commit that git log would not show",
      'git checkout -q --orphan first; echo "$T" >z; git add z; git commit -q --no-verify -m x; git checkout -q --detach; git branch -q -D first; git -c log.showRoot=false push origin HEAD:refs/heads/x',
      "z:1",
    ],
    [
      "push, of a commit with a replacement",
      "git replace leaky clean; git push origin leaky:refs/heads/x; s=$?; git replace -d leaky; exit $s",
      "leak.tf:1",
    ],
    [
      "push, in the name of a branch",
      'git push origin "clean:refs/heads/$T"',
      "the name of a branch or tag:1",
    ],
    [
      "push, in a note",
      'git notes add -f -m "$T" clean; git push origin refs/notes/commits',
      expect.any(String) as unknown as string,
    ],
    [
      "push, after a fast-forward",
      "git merge -q --ff-only leaky 2>&1; git reset -q --hard leaky; git push origin HEAD:refs/heads/x",
      "leak.tf:1",
    ],
    ["push to a URL", 'git push "$PWD/../remote.git" leaky:refs/heads/x', "leak.tf:1"],
  ])("%s", async (_, script, place) => {
    const { exitCode, said } = await attempt(script);
    expect(exitCode, said).not.toBe(0);
    const places = said
      .match(/(?<=^ {2})(?=\S)(?!to |https).*$/gm)
      ?.map((each) => each.replace(/commit [0-9a-f]{7,}/, "commit HASH"));
    expect(places, said).toContainEqual(place);
    // git itself repeats the message of a commit that it couldn't apply.
    const ours = said.replace(/^(hint:|Could not apply|error: could not apply).*/gm, "");
    expect(ours).not.toContain(token.slice(10));
  });
});

describe("the guard allows", () => {
  it.each<[operation: string, script: string]>([
    ["commit --no-verify", 'echo "$T" >x; git add x; git commit --no-verify -m "$T"'],
    ["merge --no-verify", "git merge --no-verify --no-edit leaky"],
    ["am without hooks", "git -c core.hooksPath=/dev/null am ../patch/*"],
    ["push --no-verify", "git push --no-verify origin leaky:refs/heads/x"],
    ["cherry-pick without hooks", "git -c core.hooksPath=/dev/null cherry-pick leaky"],
    ["a clean merge", "git merge --no-edit clean"],
    ["a clean cherry-pick", "git cherry-pick clean"],
    ["a clean revert", "git revert --no-edit HEAD"],
    ["a clean rebase", "git checkout -q --detach clean; git rebase trunk"],
    ["a clean patch", "git am ../fine/*"],
    ["a push of clean commits", "git push origin clean:refs/heads/x"],
    ["a push of what the remote has, and more", "git push origin shared:refs/heads/x"],
    [
      "a push of tags for a file and a folder",
      "git tag v1 clean:c; git tag tree clean^{tree}; git push origin v1 tree; git tag -d tree",
    ],
    ["the deletion of a branch", "git push -q origin clean:refs/heads/x; git push origin :x"],
    [
      "a comment in a message",
      `GIT_EDITOR='sh -c "echo hello >\\$1; echo \\"# $T\\" >>\\$1" x' git commit --allow-empty`,
    ],
    [
      "commit --verbose of a removal",
      `git reset -q --hard leaky; git rm -q leak.tf; GIT_EDITOR='sed -i 1s/^/gone/' git commit --verbose`,
    ],
  ])("%s", async (_, script) => {
    const { exitCode, said } = await attempt(script);
    expect(exitCode, said).toBe(0);
  });

  it("an existing pre-push hook, which still reads the pushed refs", async () => {
    const path = join(bench.repo, ".git/hooks/pre-push");
    const text = await bench.read(".git/hooks/pre-push");
    await writeFile(path, `${text}while read -r a b c d; do echo "pushes $c"; done\n`);
    const { said } = await attempt("git push origin clean:refs/heads/x");
    expect(said.match(/^pushes .*/gm)).toEqual(["pushes refs/heads/x"]);
    expect((await sh("git push origin clean:refs/heads/x")).said).not.toContain("pushes");
    await writeFile(path, text);
  });
});
