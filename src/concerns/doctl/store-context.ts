import { dirname, join } from "node:path";
import { AppError } from "../../errors/app-error.ts";
import { hint } from "../../errors/hint.ts";
import type { Host, Snapshot, Undo } from "../../host/host.ts";
import { type Content, decode, encode } from "../../secret/content.ts";
import type { Secret } from "../../secret/secret.ts";
import { LOCK } from "./cleanup.ts";
import {
  type DoctlConfig,
  type Login,
  readDoctlConfig,
  type Session,
  withContext,
  withoutContext,
  withSelected,
} from "./config-file.ts";
import { heldIn } from "./context.ts";
import { type DoctlConfigState, readConfig } from "./read-config.ts";

export type EditingHost = Pick<Host, "files" | "clock" | "steadyClock" | "locked">;

/** doctl's config. */
interface Place {
  readonly path: string;
  readonly progress: (what: string) => void;
}

interface Edit extends Place, Login {
  readonly context: string;
}

type KnownState = Extract<DoctlConfigState, { kind: "known" }>;

/**
 * Stores a login in one context of doctl's config, under a lock. Changes that another run or doctl made since the plan
 * are read again and kept.
 *
 * @param expected fingerprint of the token that the context held when the plan was made.
 * @returns a function that undoes it.
 * @throws AppError CHANGED_MEANWHILE, DOCTL_CONFIG_BUSY, WRITE_FAILED.
 */
export function storeContext(
  host: EditingHost,
  {
    expected,
    session,
    ...store
  }: Omit<Edit, "session"> & {
    token: Secret;
    session?: Session | undefined;
    expected: string | undefined;
  },
): Promise<Undo> {
  return edit(host, { ...store, session }, expected);
}

/** Removes a context's token from doctl's config. Parameters and errors as in storeContext. */
export function removeContext(
  host: EditingHost,
  { expected, ...removal }: Omit<Edit, keyof Login> & { expected: string | undefined },
): Promise<Undo> {
  return edit(host, { ...removal, token: undefined, session: undefined }, expected);
}

/**
 * Selects a context, like `doctl auth switch`.
 *
 * @param context in lower case.
 * @param expected the context that was selected when the plan was made.
 * @returns a function that undoes it.
 * @throws AppError as storeContext.
 */
export function selectContext(
  host: EditingHost,
  { context, expected, ...place }: Place & { readonly context: string; readonly expected: string },
): Promise<Undo> {
  const select = (from: string, to: string) =>
    alone(host, place, () =>
      rewrite(host, place, ({ config: { selected }, snapshot }) => {
        if (selected === to) return undefined;
        if (selected !== from) {
          const what = `Another process selected doctl context ${selected} during this run.`;
          throw new AppError("CHANGED_MEANWHILE", what, {
            hint: hint`Run the same command again.`,
          });
        }
        return bytesOf(withSelected(textOf(snapshot), to), place.path);
      }),
    );
  return select(expected, context).then(() => async () => {
    await select(context, expected);
  });
}

function edit(host: EditingHost, change: Edit, expected: string | undefined): Promise<Undo> {
  return alone(host, change, async (folder) => {
    await host.files.sweep(folder);
    const { held, undo } = await write(host, change, ({ token: held }) => {
      const isDone = isSame(held, change.token);
      if (held?.fingerprint === expected || isDone) return;
      throw new AppError(
        "CHANGED_MEANWHILE",
        `Another process changed the token of doctl context ${change.context} during this run.`,
        { hint: hint`Run the same command again.` },
      );
    });
    const clock = { ...host.clock, sleep: host.steadyClock.sleep };
    const steady = { ...host, files: host.files.steady, clock };
    return () => alone(steady, change, () => putBack(steady, change, { held, undo }));
  });
}

async function alone<T>(
  host: EditingHost,
  { path, progress }: Place,
  action: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = dirname(await host.files.realpath(path));
  const waitingFor = (holder: string) =>
    progress(`Waiting for ${holder}, which is writing doctl's config`);
  const wait = { clock: { ...host.clock, now: host.steadyClock.now }, waitingFor };
  return host.locked(join(folder, LOCK), wait, () => action(folder));
}

/** Restores the whole file, or only this context if another run has written since. */
async function putBack(
  host: EditingHost,
  change: Edit,
  { held, undo }: { held: Login; undo: Undo },
): Promise<void> {
  await undo();
  await write(host, { ...change, ...held }, ({ token: now }) => {
    if (isSame(now, change.token) || isSame(now, held.token)) return;
    throw new AppError(
      "CHANGED_MEANWHILE",
      `Another run now uses doctl context ${change.context}.`,
    );
  });
}

/** doctl takes no lock: if it wrote between our read and our write, we try again. */
const TRIES = 5;

/**
 * @param allow throws if the context's content must not be replaced.
 * @returns the previous login, and a function that restores the file.
 */
async function write(
  host: EditingHost,
  change: Edit,
  allow: (held: Login) => void,
): Promise<{ held: Login; undo: Undo }> {
  let held: Login = { token: undefined, session: undefined };
  const undo = await rewrite(host, change, ({ config, snapshot }) => {
    held = heldIn(config, change.context);
    allow(held);
    if (isSameLogin(held, change)) return undefined;
    const bytes = edited(snapshot, change);
    assertNothingLost(config, bytes, change);
    return bytes;
  });
  return { held, undo };
}

/** @param next returns the new content of the file; undefined: no change. */
async function rewrite(
  host: EditingHost,
  { path, progress }: Place,
  next: (now: KnownState) => Uint8Array | undefined,
): Promise<Undo> {
  for (let left = TRIES; ; left--) {
    const state = await readConfig(host, path, progress);
    if (state.kind === "broken") throw unreadable(path, state.why);
    const bytes = next(state);
    if (bytes === undefined) return async () => undefined;
    try {
      return await host.files.replace(state.snapshot, bytes, 0o600);
    } catch (error) {
      const isTheirs = error instanceof AppError && error.code === "CHANGED_MEANWHILE";
      if (!isTheirs || left === 0) throw error;
    }
  }
}

function edited(before: Snapshot, { path, context, token, session }: Edit): Uint8Array {
  const text = textOf(before);
  const after =
    token === undefined
      ? withoutContext(text, context, session)
      : withContext(text, context, token, session);
  return bytesOf(after, path);
}

function textOf(snapshot: Snapshot): string {
  return snapshot.kind === "file" ? (decode(snapshot.bytes)?.text ?? "") : "";
}

function bytesOf(after: Content | undefined, path: string): Uint8Array {
  if (after === undefined) throw unreadable(path, "not YAML that doctl can read");
  return encode(after);
}

function isSame(one: Secret | undefined, other: Secret | undefined): boolean {
  return one === undefined ? other === undefined : one.equals(other);
}

function isSameLogin(one: Login, other: Login): boolean {
  const { session } = one;
  const isSameSession = session === undefined ? !other.session : session.equals(other.session);
  return isSame(one.token, other.token) && isSameSession;
}

/** Checks that all other contexts and browser logins are unchanged, and that this one is as intended. */
function assertNothingLost(before: DoctlConfig, bytes: Uint8Array, change: Edit): void {
  const now = readDoctlConfig(Buffer.from(bytes).toString("utf8"));
  const names = new Set([...before.contexts.keys(), ...before.sessions.keys(), change.context]);
  const isKept = [...names].every((name) => {
    const wanted = name === change.context ? change : heldIn(before, name);
    return now !== undefined && isSameLogin(heldIn(now, name), wanted);
  });
  if (isKept) return;
  throw new AppError("WRITE_FAILED", "Could not edit doctl's config without losing data.", {
    hint: hint`Nothing was changed. Please report this with the file's keys (not its values).`,
  });
}

function unreadable(path: string, why: string): AppError {
  return new AppError("DOCTL_CONFIG_BUSY", `${path} is ${why}.`, {
    hint: hint`Wait for the running doctl to finish, then run the same command again.`,
  });
}
