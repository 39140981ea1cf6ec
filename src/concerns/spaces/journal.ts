import type { Host, RunningProcess, StateKey } from "../../host/host.ts";
import { jsonIn, recordOf } from "../../lib/json.ts";
import type { ResolvedConfig } from "../config/resolved.ts";

/**
 * What a run began to make at DigitalOcean (docs/design.md rule 12). It is kept in the user's state folder from before
 * the first request until all of it is stored or deleted.
 */
export interface Begun {
  /** Identifies the run; the end of the names of its keys. */
  readonly tag: string;
  /** The names of the Spaces keys that it makes. */
  readonly keys: readonly string[];
  /** The names of keys that it deletes once its own is stored. */
  readonly replaces: readonly string[];
  /** The names of the buckets that it makes. */
  readonly buckets: readonly string[];
  /** The UUID of the team, if the API tells it. */
  readonly team: string | undefined;
  /** Milliseconds since the epoch. */
  readonly since: number;
  readonly by: RunningProcess;
  /** The environment of the config. */
  readonly environment: string | undefined;
}

export type JournalHost = Pick<Host, "state" | "thisProcess" | "isOver" | "clock" | "locked">;

/** The place of the journal for an environment of a config. */
export type JournalPlace = Pick<ResolvedConfig, "base" | "environment">;

/**
 * Writes down what this run will make, before it makes it.
 *
 * @returns false if there is no folder for it, and then nothing may be made.
 * @throws AppError WRITE_FAILED
 */
export function begin(
  host: JournalHost,
  place: JournalPlace,
  made: Omit<Begun, "since" | "by" | "environment">,
): Promise<boolean> {
  const { environment } = place;
  const entry = { ...made, environment, since: host.clock.now(), by: host.thisProcess() };
  return edit(host, place, (runs) => [...runs, entry]);
}

/** Changes what is noted of one run. Without a name left, it is forgotten. @throws AppError WRITE_FAILED */
export async function note(
  host: JournalHost,
  place: JournalPlace,
  tag: string,
  change: (begun: Begun) => Partial<Pick<Begun, "keys" | "replaces" | "buckets">>,
): Promise<void> {
  const isKept = ({ keys, replaces, buckets }: Begun) =>
    [keys, replaces, buckets].some((names) => names.length > 0);
  await edit(host, place, (runs) =>
    runs.map((each) => (each.tag === tag ? { ...each, ...change(each) } : each)).filter(isKept),
  );
}

/** Takes the name of a key that is gone out of all that is noted. @throws AppError WRITE_FAILED */
export async function forgetKey(
  host: JournalHost,
  { base, environments }: Pick<ResolvedConfig, "base" | "environments">,
  name: string,
): Promise<void> {
  const without = (names: readonly string[]) => names.filter((each) => each !== name);
  for (const environment of [undefined, ...environments]) {
    const place = { base, environment };
    const runs = read(host, place).filter((each) =>
      [...each.keys, ...each.replaces].includes(name),
    );
    for (const { tag } of runs) {
      await note(host, place, tag, ({ keys, replaces }) => ({
        ...{ keys: without(keys), replaces: without(replaces) },
      }));
    }
  }
}

export const NOTHING_LEFT = { keys: [], replaces: [], buckets: [] } as const;

/** What runs began that have ended without finishing it, in any environment of the config. */
export function unfinished(
  host: JournalHost,
  { base, environments }: Pick<ResolvedConfig, "base" | "environments">,
): readonly Begun[] {
  const { machine, pid } = host.thisProcess();
  // On another machine with the same home folder, such as a container that is gone, nobody can tell.
  const isRunning = ({ by, since }: Begun) =>
    by.machine === machine && (by.pid === pid || !host.isOver({ ...by, since }));
  return [undefined, ...environments]
    .flatMap((environment) => read(host, { base, environment }))
    .filter((each) => !isRunning(each));
}

async function edit(
  host: JournalHost,
  place: JournalPlace,
  change: (runs: readonly Begun[]) => readonly Begun[],
): Promise<boolean> {
  const path = host.state.fileFor(keyOf(place), "lock");
  if (path === undefined) return false;
  return host.locked(path, { clock: host.clock, waitingFor: () => undefined }, async () => {
    const runs = change(read(host, place));
    if (runs.length > 0) return host.state.write(keyOf(place), JSON.stringify({ runs }));
    host.state.remove(keyOf(place));
    return true;
  });
}

function keyOf({ base, environment }: JournalPlace): StateKey {
  return { kind: "keys", folder: base, name: environment ?? "" };
}

function read({ state }: JournalHost, place: JournalPlace): Begun[] {
  const { runs } = recordOf(jsonIn(state.read(keyOf(place)) ?? ""));
  return Array.isArray(runs) ? runs.flatMap((each) => entryOf(each, place)) : [];
}

function entryOf(each: unknown, { environment }: JournalPlace): Begun[] {
  const { tag, keys, replaces, buckets, team, since, by } = recordOf(each);
  const { pid, machine, started } = recordOf(by);
  if (typeof tag !== "string" || typeof since !== "number") return [];
  if (typeof pid !== "number" || typeof machine !== "string") return [];
  return [
    {
      ...{ tag, since, environment },
      ...{ keys: namesIn(keys), replaces: namesIn(replaces), buckets: namesIn(buckets) },
      team: typeof team === "string" ? team : undefined,
      by: { pid, machine, ...(typeof started === "string" ? { started } : {}) },
    },
  ];
}

function namesIn(list: unknown): string[] {
  return Array.isArray(list) ? list.filter((name) => typeof name === "string") : [];
}
