import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { leaksInHistory } from "../../src/commands/leaks/in-history.ts";
import { openGit } from "../../src/concerns/git/git.ts";
import type { Environment } from "../../src/host/host.ts";
import { nodeHost, ownProcess } from "../../src/host/node.ts";
import { Secret } from "../../src/secret/secret.ts";
import { randomToken, type Workbench, workbench } from "../fixtures/workbench.ts";

const process = ownProcess();

/** The paths with a token, and the objects that git was asked to print for the search. */
async function look(bench: Workbench, own?: string, env: Environment = {}) {
  const surface = { ...process, env: { ...bench.env, ...env }, cwd: () => bench.repo };
  const host = nodeHost(join(import.meta.dirname, "../.."), surface);
  const git = await openGit(host, bench.repo);
  if (git === undefined) throw new Error("no git");
  const asked: string[] = [];
  const watched: typeof git = {
    ...git,
    ask(args, more) {
      if (args.includes("--batch") && more?.input !== undefined)
        asked.push(...more.input.split("\n").filter(Boolean));
      return git.ask(args, more);
    },
  };
  const search = {
    own: own === undefined ? undefined : Secret.of(own, { kind: "stdin" }),
    unpacking: { left: 1e6 },
  };
  const { leaks, isWhole } = await leaksInHistory(host, watched, search);
  return {
    found: leaks.map(({ path, commits }) => `${path} ${commits.length}`).sort(),
    asked: new Set(asked),
    isWhole,
  };
}

const cacheOf = (bench: Workbench) => join(bench.home, ".cache/do-bootstrap/history");

async function kept(bench: Workbench): Promise<string> {
  const [name = ""] = await readdir(cacheOf(bench));
  return join(cacheOf(bench), name);
}

async function commit(bench: Workbench, path: string, text: string): Promise<string> {
  await bench.write(path, text);
  await bench.git("add", "--all");
  await bench.git("commit", "--quiet", "--message=x");
  return (await bench.git("rev-parse", `HEAD:${path}`)).trim();
}

async function scene() {
  const bench = await workbench();
  const leak = await commit(bench, "old.tf", bench.token);
  const clean = await commit(bench, "old.tf", "none");
  const first = await look(bench);
  expect(first.found).toEqual(["old.tf 1"]);
  expect(first.asked).toContain(clean);
  return { bench, leak, clean, all: first.asked };
}

describe("a second check --history", () => {
  it("reads only what held a token before, and finds it again", async () => {
    const { bench, leak, clean } = await scene();
    const { found, asked } = await look(bench);
    expect(found).toEqual(["old.tf 1"]);
    expect(asked).toContain(leak);
    expect(asked).not.toContain(clean);
    // The token, and the commit that a report names.
    expect(asked.size).toBeLessThanOrEqual(2);
  });

  it("reads what is new, and finds a known token in a new commit", async () => {
    const { bench, leak, clean } = await scene();
    const next = await commit(bench, "new.tf", `x ${randomToken()}`);
    await commit(bench, "again.tf", bench.token);
    const { found, asked } = await look(bench);
    expect(found).toEqual(["again.tf 1", "new.tf 1", "old.tf 1"]);
    expect([asked.has(next), asked.has(leak), asked.has(clean)]).toEqual([true, true, false]);
  });

  it("forgets objects that are gone, and reads them if they come back", async () => {
    const { bench, clean } = await scene();
    const size = (await readFile(await kept(bench))).length;
    await bench.git("checkout", "--quiet", "--orphan", "other");
    await commit(bench, "old.tf", "other");
    await bench.git("branch", "--quiet", "-D", "main");
    await bench.git("reflog", "expire", "--expire=now", "--all");
    await bench.git("gc", "--quiet", "--prune=now");
    expect((await look(bench)).found).toEqual([]);
    expect((await readFile(await kept(bench))).length).toBeLessThan(size);
    expect(await commit(bench, "old.tf", "none")).toBe(clean);
    expect((await look(bench)).asked).toContain(clean);
  });

  it.each<[what: string, spoil: (bench: Workbench) => Promise<unknown>]>([
    ["the memory is deleted", (bench) => rm(cacheOf(bench), { recursive: true })],
    [
      "the memory is cut off",
      async (bench) => {
        const path = await kept(bench);
        await writeFile(path, (await readFile(path)).subarray(0, 300));
      },
    ],
    [
      "the memory is of another search",
      async (bench) => {
        const path = await kept(bench);
        const text = await readFile(path, "utf8");
        const other = text.replace(/"search":"."?/, '"search":"z');
        expect(other).not.toBe(text);
        await writeFile(path, other);
      },
    ],
    [
      "the memory has no hashes",
      async (bench) => {
        const path = await kept(bench);
        const text = await readFile(path, "utf8");
        await writeFile(path, text.replace(/"others":"[^"]*"/, '"others":[]'));
      },
    ],
    [
      "the memory is of another program",
      async (bench) => {
        const path = await kept(bench);
        const text = await readFile(path, "utf8");
        await writeFile(path, text.replace(/"version":"[^"]*"/, '"version":"9.9.9"'));
      },
    ],
  ])("reads everything if %s", async (_, spoil) => {
    const { bench, clean } = await scene();
    await spoil(bench);
    const { found, asked } = await look(bench);
    expect(found).toEqual(["old.tf 1"]);
    expect(asked).toContain(clean);
  });

  it("reads everything for a token of mere digits, which the first did not know", async () => {
    const { bench } = await scene();
    const digits = randomToken().slice(7);
    await commit(bench, "digits", `x ${digits}`);
    expect((await look(bench)).found).toEqual(["old.tf 1"]);
    expect((await look(bench, digits)).found).toEqual(["digits 1", "old.tf 1"]);
    expect((await look(bench)).found).toEqual(["old.tf 1"]);
  });

  it("reads everything in CI", async () => {
    const { bench, clean } = await scene();
    expect((await look(bench, undefined, { CI: "true" })).asked).toContain(clean);
  });

  it("keeps no token", async () => {
    const { bench } = await scene();
    const text = await readFile(await kept(bench), "utf8");
    expect(text).not.toContain(bench.token.slice(7, 30));
    expect(Object.keys(JSON.parse(text).value)).toEqual(["search", "commits", "others"]);
  });

  it("believes no memory inside the repo", async () => {
    const { bench, clean } = await scene();
    const text = await readFile(await kept(bench));
    const name = (await kept(bench)).split("/").at(-1) ?? "";
    await rm(cacheOf(bench), { recursive: true });
    for (const folder of [".cache", ".git"])
      await bench.write(`${folder}/do-bootstrap/history/${name}`, text);
    expect((await look(bench)).asked).toContain(clean);
  });

  it("reads a broken object again", async () => {
    const { bench } = await scene();
    const blob = await commit(bench, "long", "0123456789\n".repeat(30_000));
    const path = join(bench.repo, ".git/objects", blob.slice(0, 2), blob.slice(2));
    const whole = await readFile(path);
    await rm(path);
    await writeFile(path, whole.subarray(0, whole.length / 2));
    expect((await look(bench)).isWhole).toBe(false);
    expect((await look(bench)).isWhole).toBe(false);
    await writeFile(path, whole);
    expect((await look(bench)).isWhole).toBe(true);
  });
});
