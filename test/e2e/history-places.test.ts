import { appendFile, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import type { FindingDocument } from "../../src/report/documents.ts";
import { type Workbench, workbench } from "../fixtures/workbench.ts";

// The help of git init exits with 129.
const { stdout: help } = await execa("git", ["init", "-h"], { reject: false });
const needsReftable = help.includes("--ref-format") ? "" : " (needs git 2.45)";

async function commit(bench: Workbench, path: string, text: string): Promise<void> {
  await bench.write(path, text);
  await bench.git("add", "--all");
  await bench.git("commit", "--quiet", "--message=x");
}

/** The token is in one commit, and the next one removes it. */
async function commitAndRemove(bench: Workbench, path = "old.tf"): Promise<void> {
  await commit(bench, path, bench.token);
  await commit(bench, path, "");
}

async function initAgain(bench: Workbench, ...options: string[]): Promise<void> {
  await rm(join(bench.repo, ".git"), { recursive: true });
  await bench.git("init", "--quiet", "--initial-branch=main", ...options);
}

/** Another repo, made by git beside the workbench's. */
async function beside(bench: Workbench): Promise<string> {
  const other = join(bench.root, "other");
  await commitAndRemove(bench);
  await bench.git("clone", "--quiet", "--bare", ".", other);
  await initAgain(bench);
  return other;
}

const lines = (from: number) =>
  Array.from({ length: 2000 }, (_, i) => `line ${from + i} ${"x".repeat(i % 50)}\n`).join("");

describe("check --history finds a token", () => {
  it.each<[place: string, prepare: (bench: Workbench) => Promise<unknown>, where: RegExp]>([
    [
      "in a delta in a pack",
      async (bench) => {
        await commit(bench, "long.tf", lines(0));
        await commit(bench, "long.tf", `${lines(0)}${bench.token}\n${lines(9)}`);
        await commit(bench, "long.tf", `${lines(0)}\n${lines(9)}`);
        await bench.git("repack", "-adfq", "--depth=50", "--window=50");
        const [pack] = (await readdir(join(bench.repo, ".git/objects/pack"))).filter((name) =>
          name.endsWith(".idx"),
        );
        const listed = await bench.git("verify-pack", "-v", `.git/objects/pack/${pack}`);
        expect(listed).toMatch(/^chain length = 1/m);
      },
      /long\.tf:2001 in commit/,
    ],
    [
      "in objects that are borrowed from another repo (alternates)",
      async (bench) => {
        const objects = join(await beside(bench), "objects");
        await writeFile(join(bench.repo, ".git/objects/info/alternates"), `${objects}\n`);
        await commit(bench, "new.tf", "");
      },
      /old\.tf:1 in commit/,
    ],
    [
      "in a pack from a promisor remote",
      async (bench) => {
        await commitAndRemove(bench);
        await bench.git("repack", "-adq");
        const packs = join(bench.repo, ".git/objects/pack");
        for (const name of await readdir(packs)) {
          if (name.endsWith(".pack"))
            await writeFile(join(packs, name.replace("pack", "promisor")), "");
        }
        await bench.git("config", "remote.origin.promisor", "true");
      },
      /old\.tf:1 in commit/,
    ],
    [
      "in a commit that git replace hides",
      async (bench) => {
        await commitAndRemove(bench);
        const hidden = await bench.git("rev-parse", "HEAD~1");
        await bench.git("replace", hidden.trim(), "HEAD");
      },
      /old\.tf:1 in commit/,
    ],
    [
      "before a graft",
      async (bench) => {
        await commitAndRemove(bench);
        await commit(bench, "new.tf", "x");
        const cut = await bench.git("rev-parse", "HEAD");
        await mkdir(join(bench.repo, ".git/info"), { recursive: true });
        await appendFile(join(bench.repo, ".git/info/grafts"), `${cut.trim()}\n`);
        expect((await bench.git("rev-list", "HEAD")).trim().split("\n")).toHaveLength(1);
      },
      /old\.tf:1 in commit/,
    ],
    [
      "in a note",
      async (bench) => {
        await commit(bench, "a.tf", "");
        await bench.write("../note", bench.token);
        await bench.git("notes", "add", "--file=../note");
      },
      /[0-9a-f]{40}:1 in commit/,
    ],
    [
      "in the index of another worktree",
      async (bench) => {
        await commit(bench, "a.tf", "");
        await bench.git("worktree", "add", "--quiet", "../second");
        await bench.write("../second/staged.tf", bench.token);
        await bench.git("-C", "../second", "add", "staged.tf");
        await rm(join(bench.root, "second/staged.tf"));
      },
      /blob [0-9a-f]+, in no commit/,
    ],
    [
      "in a packed repo with 64-digit hashes",
      async (bench) => {
        await initAgain(bench, "--object-format=sha256");
        await commitAndRemove(bench);
        await bench.git("repack", "-adq");
      },
      /old\.tf:1 in commit/,
    ],
    [
      "in the part that a partial clone has",
      async (bench) => {
        const other = await beside(bench);
        await execa("git", ["-C", other, "config", "uploadpack.allowFilter", "true"]);
        await rm(join(bench.repo, ".git"), { recursive: true });
        const url = `file://${other}`;
        await bench.git("clone", "--quiet", "--filter=blob:none", "--bare", url, ".git");
        await bench.git("config", "core.bare", "false");
        await bench.git("reset", "--quiet");
        // Its blob is fetched; the objects of other commits are not.
        await bench.git("cat-file", "-p", "HEAD~1:old.tf");
      },
      /old\.tf:1 in commit/,
    ],
  ])("%s", async (_, prepare, where) => expect(await found(prepare)).toMatch(where));

  it.skipIf(needsReftable)(`in a branch in a reftable${needsReftable}`, async () => {
    const prepare = async (bench: Workbench) => {
      await initAgain(bench, "--ref-format=reftable");
      await commitAndRemove(bench);
    };
    expect(await found(prepare)).toMatch(/old\.tf:1 in commit/);
  });
});

/** The message of the one finding, which a second run finds again. */
async function found(prepare: (bench: Workbench) => Promise<unknown>): Promise<string> {
  const bench = await workbench();
  await prepare(bench);
  const objects = await readdir(join(bench.repo, ".git/objects"), { recursive: true });
  bench.mayHold(...objects.map((name) => `.git/objects/${name}`));
  const messages = async () => {
    const { stdout, stderr } = await bench.run(["check", "--history", "--json"]);
    const { findings } = JSON.parse(stdout) as { findings: readonly FindingDocument[] };
    expect(findings, stderr).toBeDefined();
    return findings.flatMap(({ id, message }) => (id === "leak.in-history" ? message : []));
  };
  const first = await messages();
  expect(first).toHaveLength(1);
  expect(await messages()).toEqual(first);
  return first[0] ?? "";
}
