import type { Host, RunningProcess, StateKey } from "../../host/host.ts";
import { jsonIn, recordOf } from "../../lib/json.ts";

/** What a run began to make at DigitalOcean, kept in the user's state folder until it is finished (rule 12). */
export interface Begun {
  /** The names of Spaces keys. */
  readonly keys: readonly string[];
  /** The names of buckets. */
  readonly buckets: readonly string[];
  readonly by: RunningProcess;
}

type JournalHost = Pick<Host, "state" | "thisProcess" | "isOver">;

/** The place of the journal for an environment of a config. */
export interface JournalPlace {
  /** The folder of the config. */
  readonly base: string;
  readonly environment: string | undefined;
}

/**
 * Writes down what this run will make, before it makes it.
 *
 * @returns false if there is no folder for it, and then nothing may be made.
 * @throws AppError WRITE_FAILED
 */
export function begin(
  host: JournalHost,
  place: JournalPlace,
  made: Pick<Begun, "keys" | "buckets">,
): boolean {
  return write(host, place, [...read(host, place), { ...made, by: host.thisProcess() }]);
}

/** Forgets keys that are stored or deleted. A bucket is forgotten with the last key of its run. */
export function forget(host: JournalHost, place: JournalPlace, names: readonly string[]): void {
  const rest = read(host, place)
    .map((each) => ({ ...each, keys: each.keys.filter((name) => !names.includes(name)) }))
    .filter(({ keys }) => keys.length > 0);
  write(host, place, rest);
}

/** What runs began that have ended without finishing it. */
export function unfinished(
  host: JournalHost,
  place: JournalPlace,
): Pick<Begun, "keys" | "buckets"> {
  const { machine, pid } = host.thisProcess();
  // On another machine with the same home folder, such as a container that is gone, nobody can tell.
  const isRunning = ({ by }: Begun) => by.machine === machine && !host.isOver(by);
  const left = read(host, place).filter((each) => each.by.pid !== pid && !isRunning(each));
  return {
    keys: left.flatMap(({ keys }) => keys),
    buckets: [...new Set(left.flatMap(({ buckets }) => buckets))],
  };
}

function keyOf({ base, environment }: JournalPlace): StateKey {
  return { kind: "keys", folder: base, name: environment ?? "" };
}

function read({ state }: JournalHost, place: JournalPlace): Begun[] {
  const { runs } = recordOf(jsonIn(state.read(keyOf(place)) ?? ""));
  if (!Array.isArray(runs)) return [];
  return runs.flatMap((each): Begun[] => {
    const { keys, buckets, by } = recordOf(each);
    const { pid, machine, started } = recordOf(by);
    if (typeof pid !== "number" || typeof machine !== "string") return [];
    const its = { pid, machine, ...(typeof started === "string" ? { started } : {}) };
    return [{ keys: namesIn(keys), buckets: namesIn(buckets), by: its }];
  });
}

function namesIn(list: unknown): string[] {
  return Array.isArray(list) ? list.filter((name) => typeof name === "string") : [];
}

function write({ state }: JournalHost, place: JournalPlace, runs: readonly Begun[]): boolean {
  if (runs.length > 0) return state.write(keyOf(place), JSON.stringify({ runs }));
  state.remove(keyOf(place));
  return true;
}
