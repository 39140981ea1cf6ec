import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { OPENSSL } from "../fixtures/certificate.ts";
import type { AccountOptions } from "../fixtures/spaces/account.ts";
import { CREATE, type KeysBench, keysBench } from "../fixtures/spaces/bench.ts";
import type { Workbench } from "../fixtures/workbench.ts";
import { type Ending, endInEveryWay, hookInto, runUntil } from "./endings.ts";
import { COUNT, figures, random, SEED } from "./figures.ts";

const withTls = OPENSSL ? "" : " (needs openssl)";

interface Command {
  readonly name: string;
  readonly args: readonly string[];
  /** After this, the command has something to do. */
  readonly arrange: (its: KeysBench) => Promise<unknown>;
  /** The moment to end it at first. */
  readonly moment: string;
}

const TOKEN = ["--token-stdin", "--yes"];

const COMMANDS: readonly Command[] = [
  {
    name: "--create-backend",
    args: [...TOKEN, ...CREATE],
    arrange: async () => undefined,
    moment: "after rename .env",
  },
  {
    name: "rotate --spaces",
    args: ["rotate", "--spaces", "--yes"],
    arrange: (its) => its.init(...CREATE),
    moment: "after rename .env",
  },
];

describe.skipIf(withTls !== "").each(COMMANDS)(`$name, ended at any step${withTls}`, (command) => {
  it(
    `by a signal around a write, or at random, ${3 * COUNT} times (seed ${SEED})`,
    async () => {
      const { args, arrange, moment, name } = command;
      const whole = await keysBench();
      await arrange(whole);
      const log = join(whole.root, "moments");
      const since = performance.now();
      await whole.run(args, { input: whole.token, env: hookInto(log) });
      const ms = performance.now() - since;
      const moments = (await readFile(log, "utf8")).split("\n");
      expect(moments).toContain(moment);
      const all = await endInEveryWay(name, { moments, ms }, moment, async (ending: Ending) => {
        return onABench({}, async (its) => {
          await arrange(its);
          const { isHit } = await runUntil(
            { ...its, start: (line, more = {}) => its.start(line, withSpaces(its, more)) },
            { args, input: its.token },
            ending,
            join(its.root, "killed"),
          );
          return { isHit, faults: (await faultsAfter(its)).map((what) => ["leftOver", what]) };
        });
      });
      expect(all).toEqual([]);
    },
    60_000 + COUNT * 30_000,
  );

  it(
    `by SIGKILL while a request is on its way, ${2 * COUNT} times`,
    async () => {
      const chance = random(`${SEED} requests of ${command.name}`);
      const faults: string[] = [];
      for (let turn = 0; turn < 2 * COUNT; turn++) {
        const at = 1 + Math.floor(chance() * 18);
        const when = chance() < 0.5 ? "before" : "after";
        const found = await faultsOf(command, at, when);
        faults.push(...found.map((what) => `${when} request ${at}: ${what}`));
      }
      const lost = { lost: 0, halfWritten: 0, leftOver: faults.length };
      figures(`${command.name}, killed at a request`, {
        ...{ runs: 2 * COUNT, faults: 2 * COUNT },
        ...lost,
      });
      expect(faults).toEqual([]);
    },
    60_000 + COUNT * 30_000,
  );
});

type StartOptions = Parameters<Workbench["start"]>[1];

function withSpaces({ spacesEnv }: KeysBench, { env, ...more }: NonNullable<StartOptions>) {
  return { ...more, env: { ...spacesEnv, ...env } };
}

/** A bench that is gone after its use: a test has hundreds. */
async function onABench<T>(
  options: AccountOptions,
  use: (its: KeysBench) => Promise<T>,
): Promise<T> {
  const cleanups: (() => Promise<void>)[] = [];
  try {
    return await use(await keysBench(options, undefined, (each) => void cleanups.push(each)));
  } finally {
    for (const cleanup of cleanups.reverse()) await cleanup();
  }
}

/** Kills a run when its request arrives, or when it was carried out but not answered. @returns what is then wrong. */
function faultsOf(
  { args, arrange }: Command,
  at: number,
  when: "before" | "after",
): Promise<string[]> {
  let child: ReturnType<Workbench["start"]> | undefined;
  let before = 0;
  const lose = (request: number, now: "before" | "after") => {
    if (child === undefined) {
      before = request;
      return false;
    }
    if (request - before !== at || now !== when) return false;
    child.kill("SIGKILL");
    return true;
  };
  return onABench({ lose }, async (its) => {
    await arrange(its);
    child = its.start(args, { env: its.spacesEnv });
    child.stdin?.on("error", () => undefined).end(its.token);
    await once(child, "exit");
    child = undefined;
    return faultsAfter(its);
  });
}

/** Runs the next command, and says what is then wrong. */
async function faultsAfter(its: KeysBench): Promise<string[]> {
  const faults: string[] = [];
  const check = await its.run(["check", "--json"], { env: { DIGITALOCEAN_TOKEN: its.token } });
  const held = await its.envKeys().catch(() => ({}) as Record<string, string>);
  for (const { id, name } of its.account.keys.values()) {
    if (id === held["SPACES_ACCESS_KEY_ID"]) continue;
    if (!check.stdout.includes(name)) faults.push(`check does not name ${name}`);
  }
  await its.ageJournal();
  const next = await its.init(...CREATE);
  if (next.status !== 0) faults.push(`the next run ends with ${next.status}: ${next.stderr}`);
  const { SPACES_ACCESS_KEY_ID: id, SPACES_SECRET_ACCESS_KEY: secret } = await its.envKeys();
  const keys = [...its.account.keys.values()];
  if (keys.length !== 1) faults.push(`${its.left().keys.join(" and ")} are left`);
  if (keys[0]?.id !== id || keys[0]?.secret !== secret) faults.push("the env file has another key");
  if (!its.account.buckets.has("acme-tfstate")) faults.push("there is no bucket");
  const last = await its.run(["check"]);
  if (/spaces\.|\.do-bootstrap-/.test(last.stdout)) faults.push(`check still says: ${last.stdout}`);
  return faults;
}
