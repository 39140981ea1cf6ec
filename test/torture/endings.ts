import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Workbench } from "../fixtures/workbench.ts";
import { COUNT, figures, type Row, random, SEED } from "./figures.ts";

const HOOK = join(import.meta.dirname, "kill-at.cjs");

export type Signal = "SIGKILL" | "SIGTERM" | "SIGINT" | "SIGHUP";

/** How a run is ended: at a moment before or after a write, or after some ms. */
export interface Ending {
  readonly signal: Signal;
  readonly at: { readonly moment: number | string } | { readonly ms: number };
}

/** The measurements of a complete run. */
export interface WholeRun {
  /** Its moments before and after writes, by name. */
  readonly moments: readonly string[];
  /** Its duration. */
  readonly ms: number;
}

/** How a command is run on a workbench. */
export interface Line {
  readonly args: readonly string[];
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** The exit status (undefined if a signal ended it), and whether the signal hit the run. */
interface Ended {
  readonly status: number | undefined;
  readonly isHit: boolean;
}

/** A fault after an ending: a kind with a column in the figures, or another kind. */
export type Fault<Other extends string> = readonly [
  kind: "lost" | "halfWritten" | "leftOver" | Other,
  what: string,
];

/**
 * Ends a command in every way, and prints the figures.
 *
 * @param first the moment to try first.
 * @param survive ends the command once, runs it again, and checks the result.
 * @returns the faults, each with its ending.
 */
export async function endInEveryWay(
  name: string,
  whole: WholeRun,
  first: string,
  survive: (ending: Ending) => Promise<{ isHit: boolean; faults: readonly Fault<string>[] }>,
): Promise<readonly string[]> {
  const row = { runs: 0, faults: 0, lost: 0, halfWritten: 0, leftOver: 0 } satisfies Row;
  const all: string[] = [];
  for (const ending of endings(whole, first, `${SEED} ${name}`)) {
    const { isHit, faults } = await survive(ending);
    row.runs++;
    if (isHit) row.faults++;
    for (const [kind, what] of faults) {
      if (kind in row) row[kind as keyof Row]++;
      all.push(`${ending.signal} ${momentOf(whole, ending)}: ${kind}: ${what}`);
    }
  }
  figures(`${name}, ended by a signal`, row);
  return all;
}

/** @param log receives the moments of the run; it must not exist before. */
export async function runUntil(
  bench: Workbench,
  { args, input = "", env = {} }: Line,
  { signal, at }: Ending,
  log: string,
): Promise<Ended> {
  if ("moment" in at) {
    const hook = { ...hookInto(log), KILL_AT: `${at.moment}`, KILL_BY: signal };
    const { status } = await bench.run(args, { input, env: { ...env, ...hook } });
    return { status, isHit: (await readFile(log, "utf8").catch(() => "")) !== "" };
  }
  const child = bench.start(args, { env });
  const ended = new Promise<number | undefined>((resolve) =>
    child.once("exit", (code) => resolve(code ?? undefined)),
  );
  // A process that has ended does not read.
  child.stdin?.on("error", () => undefined).end(input);
  const timer = setTimeout(() => child.kill(signal), at.ms);
  const status = await ended;
  clearTimeout(timer);
  return { status, isHit: status !== 0 };
}

/** The variables that make a run write its moments to a file. */
export function hookInto(log: string): Readonly<Record<string, string>> {
  return { NODE_OPTIONS: `--require ${JSON.stringify(HOOK)}`, KILL_LOG: log };
}

/** Uses each moment with SIGKILL once before it repeats any. */
function* endings({ moments, ms }: WholeRun, first: string, seed: string): Generator<Ending> {
  const chance = random(seed);
  const others: readonly Signal[] = ["SIGTERM", "SIGINT", "SIGHUP"];
  const numbers = moments.map((_, at) => at + 1);
  const kills = [moments.indexOf(first) + 1, ...shuffled(numbers, chance)].map(byMoment("SIGKILL"));
  const rest = shuffled(
    others.flatMap((signal) => numbers.map(byMoment(signal))),
    chance,
  );
  for (let turn = 0; turn < COUNT; turn++) {
    yield* [0, 1].flatMap((each) => kills[(2 * turn + each) % kills.length] ?? []);
    const signal = others.concat("SIGKILL")[Math.floor(chance() * 4)] ?? "SIGKILL";
    const atRandom: Ending = { signal, at: { ms: ms * chance() } };
    yield chance() < 0.5 ? atRandom : (rest[turn % rest.length] ?? atRandom);
  }
}

function byMoment(signal: Signal): (moment: number) => Ending {
  return (moment) => ({ signal, at: { moment } });
}

function shuffled<T>(items: readonly T[], chance: () => number): T[] {
  return items
    .map((item) => ({ item, at: chance() }))
    .sort((one, other) => one.at - other.at)
    .map(({ item }) => item);
}

function momentOf({ moments }: WholeRun, { at }: Ending): string {
  if ("ms" in at) return `after ${Math.round(at.ms)} ms`;
  return typeof at.moment === "number" ? `${at.moment}, ${moments[at.moment - 1]}` : at.moment;
}
