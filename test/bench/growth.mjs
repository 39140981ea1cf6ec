import { randomBytes } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { historyRepo } from "./history-repo.mjs";
import { writeRoots } from "./many-roots.mjs";
import { writeTerraformTree } from "./terraform-tree.mjs";

const ROUNDS = 3;
/** What each command is measured with: one of it, ten and a hundred. */
const TIMES = [1, 10, 100];
/** A change in ms that a busy machine makes by itself. */
const NOISE_MS = 5;

/**
 * Times each command with 1, 10 and 100 of what it grows with.
 *
 * @param root an empty folder.
 * @param env without a token; HOME is a folder for this alone.
 * @param ours makes a case for `run` of the arguments of our program.
 * @param run resolves to milliseconds.
 */
export async function measureGrowth(root, { env, ours, run, sandbox, identity }) {
  const tokens = [0, 1].map(() => `dop_v1_${randomBytes(32).toString("hex")}`);
  for (const token of tokens) sandbox.accept(token);
  const [token] = tokens;
  const withToken = { ...env, DIGITALOCEAN_TOKEN: token };
  const groups = [
    { command: "do-bootstrap", of: "roots", unit: 1, arrange: ofInit },
    { command: "do-bootstrap check", of: "roots", unit: 1, arrange: ofCheck },
    { command: "do-bootstrap rotate", of: "roots", unit: 1, arrange: ofRotate },
    { command: "do-bootstrap scopes", of: "files of code", unit: 10, arrange: ofScopes },
    { command: "do-bootstrap check --history", of: "commits", unit: 100, arrange: ofHistory },
  ];
  const rows = [];
  for (const { command, of, unit, arrange } of groups) {
    const counts = TIMES.map((times) => times * unit);
    const cases = [];
    for (const count of counts) {
      cases.push(await arrange(join(root, `${command.replaceAll(" ", "")}-${count}`), count));
    }
    const times = cases.map(() => []);
    // The first round fills the caches of the machine.
    for (let round = -1; round < ROUNDS; round++) {
      for (const [i, each] of cases.entries()) {
        await each.before?.();
        const ms = await run({ ...each, input: each.input?.() });
        if (round >= 0) times[i].push(ms);
      }
    }
    // Other processes only add to a time.
    const best = times.map((all) => Math.min(...all));
    rows.push({ command, of, counts, ms: best, exponent: exponentOf(best) });
  }
  return rows;

  function ofInit(repo, count) {
    const before = () => writeRoots(repo, env, count);
    return ours(["--yes", "--save"], { cwd: repo, env: withToken, before });
  }

  async function ready(repo, count) {
    await writeRoots(repo, env, count);
    await run(ours(["--yes", "--save"], { cwd: repo, env: withToken }));
  }

  async function ofCheck(repo, count) {
    await ready(repo, count);
    // The terraform here installs nothing, so its init always remains.
    return ours(["check"], { cwd: repo, env, status: 3 });
  }

  async function ofRotate(repo, count) {
    await ready(repo, count);
    let rotations = 0;
    return ours(["rotate", "--token-stdin", "--yes"], {
      ...{ cwd: repo, env },
      input: () => tokens[++rotations % 2],
    });
  }

  async function ofScopes(folder, count) {
    await writeTerraformTree(folder, count);
    return ours(["scopes", "."], { cwd: folder, env });
  }

  /** As if nothing was searched before. */
  async function ofHistory(folder, count) {
    await mkdir(folder, { recursive: true });
    await historyRepo(folder, count, { ...env, ...identity });
    const before = () => forgetHistory(env);
    return ours(["check", "--history"], { cwd: folder, env: withToken, before, status: 3 });
  }
}

/** Removes what earlier runs have kept of the objects that they searched. */
export async function forgetHistory({ HOME }) {
  const kept = join(HOME, ".cache/do-bootstrap/history");
  await rm(kept, { recursive: true, force: true });
}

/**
 * n in t = a + b × count^n, approximately, so that the time of a start does not hide the growth. 0: what does not take
 * longer than a busy machine adds.
 */
function exponentOf([one, ten, hundred]) {
  if (hundred - one < NOISE_MS) return 0;
  return Math.log((hundred - one) / Math.max(ten - one, NOISE_MS)) / Math.log(99 / 9);
}
