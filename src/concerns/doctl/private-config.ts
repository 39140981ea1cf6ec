import { dirname, join } from "node:path";
import { AppError, asAppError } from "../../errors/app-error.ts";
import { EXIT } from "../../errors/exit-status.ts";
import { hint } from "../../errors/hint.ts";
import type { Host, RunningProcess, Snapshot, StateKey } from "../../host/host.ts";
import { jsonIn, recordOf } from "../../lib/json.ts";
import { sha256 } from "../../lib/sha256.ts";
import { type Content, decode, encode } from "../../secret/content.ts";
import type { Secret } from "../../secret/secret.ts";
import { loginLock } from "./cleanup.ts";
import { type Login, readDoctlConfig } from "./config-file.ts";
import { isSnap } from "./config-path.ts";
import { type ErrandKind, errandKey, heldIn } from "./context.ts";
import { readConfig } from "./read-config.ts";
import { type EditingHost, storeContext } from "./store-context.ts";

/** A task that doctl does for us on a private config. */
export interface Errand {
  readonly kind: ErrandKind;
  /** What the task asks for. The result of an earlier run is used only if it asked for the same. */
  readonly about: string;
  /** The initial content of doctl's config; undefined: nothing is left to do. */
  readonly start: (held: Login) => Content | undefined;
  /**
   * Starts doctl on that config.
   *
   * @param onStart receives its process.
   * @returns "late" if another doctl was faster.
   * @throws AppError if it failed and wrote no login.
   */
  readonly run: (
    file: string,
    onStart: (process: RunningProcess) => void,
  ) => Promise<"late" | undefined>;
  /** Checks the new login. @throws AppError if it must not be merged. */
  readonly accept?: (login: Brought, held: Login) => Promise<void>;
}

const KINDS: readonly ErrandKind[] = ["login", "renewal"];

type Brought = Login & { readonly token: Secret };

export interface ContextPlace {
  /** The user's doctl config. */
  readonly path: string;
  readonly context: string;
  /** The doctl to start. A snap can read only its own folder. */
  readonly doctl: string;
  readonly progress: (what: string) => void;
}

type PrivateHost = EditingHost & Pick<Host, "state" | "isOver">;

/** doctl's time limit for an answer (docs/contracts/doctl-2.md 4.9), plus a write. */
const ANSWER_MS = 35_000;
/** How long to wait for a doctl that a killed run started. It ends by itself. */
const EARLIER_MS = 120_000;
const RETRY_MS = 100;

/**
 * Lets doctl write to a private config, and merges the result into the user's. doctl would empty the user's file first,
 * and two doctls at once lose a login (docs/design.md rule 6). The result of a killed run is merged by the next run
 * that asks for the same.
 *
 * @returns what the context holds now.
 * @throws AppError those of the errand; WRITE_FAILED without a private folder; DOCTL_CONFIG_BUSY, CHANGED_MEANWHILE.
 */
export async function throughDoctl(
  host: PrivateHost,
  place: ContextPlace,
  errand: Errand,
): Promise<Login> {
  const { path, context, progress } = place;
  const target = await host.files.realpath(path);
  const { key, kept } = workplace(host, target, context, errand.kind);
  if (kept === undefined) throw noFolder();
  const file = isSnap(place.doctl) ? besideConfig(target, kept) : kept;
  return alone(host, { target, context, progress }, async () => {
    await earlierEnded();
    if (isNotNoted()) await written();
    const left = await brought();
    const held = await heldNow();
    if (left !== undefined && noted()["about"] === errand.about) {
      // A login that is already merged may have left its lock and temporary files next to doctl's config.
      if (isAsBegun(held) || left.token.equals(held.token)) return merge(left);
    }
    const start = errand.start(held);
    if (start === undefined) {
      await drop();
      return held;
    }
    const note = { ...digestsOf(held), about: errand.about };
    const mayRun = isNotNoted() && isAsBegun(held) && (await host.files.look(file)).kind === "file";
    // If a doctl of a killed run may still be running, the file must not be replaced: it will write to it.
    if (!mayRun) await begin(note, start);
    const onStart = (doctl: RunningProcess) =>
      void host.state.write(key, JSON.stringify({ ...note, doctl }));
    let login: Brought | undefined;
    try {
      const end = await errand.run(file, onStart);
      if (mayRun) await written();
      login = (await brought()) ?? (mayRun && end === "late" ? await broughtLate() : undefined);
    } finally {
      // A login that doctl wrote is kept for the next run.
      if (login === undefined && (await brought()) === undefined) await drop();
    }
    return login === undefined ? held : merge(login);
  });

  function noted(): Readonly<Record<string, unknown>> {
    return recordOf(jsonIn(host.state.read(key) ?? ""));
  }

  /** A doctl that a killed run started may be about to write. */
  async function earlierEnded(): Promise<void> {
    const until = host.steadyClock.now() + EARLIER_MS;
    for (;;) {
      const doctl = noted()["doctl"] as RunningProcess | undefined;
      if (doctl === undefined || host.isOver(doctl)) return;
      if (host.steadyClock.now() > until) return;
      progress("Waiting for a doctl process that an earlier run started");
      await host.clock.sleep(RETRY_MS);
    }
  }

  async function begin(note: object, start: Content): Promise<void> {
    // The file must never belong to another login than the note says.
    await removeFile(host, file);
    host.state.write(key, JSON.stringify(note));
    const before = await host.files.look(file);
    await host.files.replace(before, encode(start), 0o600);
  }

  /** True if a run was killed right after it started doctl for the same task, before it noted the process. */
  function isNotNoted(): boolean {
    const { about, doctl } = noted();
    return about === errand.about && doctl === undefined;
  }

  /** Waits for a doctl that is still writing. */
  async function written(): Promise<void> {
    await readConfig(host, file, progress);
  }

  async function broughtLate(): Promise<Brought | undefined> {
    const until = host.steadyClock.now() + ANSWER_MS;
    for (;;) {
      const login = await brought();
      if (login !== undefined || host.steadyClock.now() > until) return login;
      await host.clock.sleep(RETRY_MS);
    }
  }

  /** The login in the private config, if the context did not have it when doctl was started. */
  async function brought(): Promise<Brought | undefined> {
    const now = await host.files.steady.look(file);
    const { token: began } = noted();
    if (began === undefined || now.kind !== "file") return undefined;
    const config = readDoctlConfig(decode(now.bytes)?.text ?? "");
    const { token, session } = config === undefined ? NOTHING : heldIn(config, context);
    if (token === undefined || token.digest === began) return undefined;
    return { token, session };
  }

  function isAsBegun(held: Login): boolean {
    const begun = noted();
    return Object.entries(digestsOf(held)).every(([name, each]) => begun[name] === each);
  }

  async function merge(login: Brought): Promise<Login> {
    const held = await heldNow();
    try {
      await errand.accept?.(login, held);
    } catch (error) {
      // If DigitalOcean was unreachable, the next run checks the login.
      if (asAppError(error).status !== EXIT.network) await drop();
      throw error;
    }
    const expected = held.token?.fingerprint;
    await host.files.makeDirectory(dirname(target), 0o700);
    await storeContext(host, { path, context, progress, ...login, expected });
    await drop();
    return login;
  }

  async function heldNow(): Promise<Login> {
    const state = await readConfig(host, path, progress);
    if (state.kind === "known") return heldIn(state.config, context);
    throw new AppError("DOCTL_CONFIG_BUSY", `${path} is ${state.why}.`, {
      hint: hint`Wait for the running doctl to finish, then run the same command again.`,
    });
  }

  async function drop(): Promise<void> {
    await removeFile(host, file);
    host.state.remove(key);
  }
}

const NOTHING: Login = { token: undefined, session: undefined };

/** Removes what killed runs left for a context whose logins are being removed. */
export async function dropPrivateConfigs(
  host: PrivateHost,
  { path, context, progress }: Pick<ContextPlace, "path" | "context" | "progress">,
): Promise<void> {
  const target = await host.files.realpath(path);
  const left = leftOf(host, target, context);
  if (left.length === 0) return;
  await alone(host, { target, context, progress }, async () => {
    for (const { key, files } of left) {
      for (const file of files) await removeFile(host, file);
      host.state.remove(key);
    }
  });
}

/** Finds what killed runs left for some contexts. Writes and removes nothing. */
export async function keptConfigs(
  host: Pick<Host, "files" | "state">,
  path: string,
  contexts: readonly string[],
): Promise<readonly Snapshot[]> {
  const target = await host.files.realpath(path);
  const left = contexts.flatMap((context) => leftOf(host, target, context));
  return Promise.all(left.flatMap(({ files }) => files).map((file) => host.files.look(file)));
}

/** The notes for a context, and the files that doctl may have written for it. */
function leftOf(
  host: Pick<Host, "state">,
  target: string,
  context: string,
): readonly { readonly key: StateKey; readonly files: readonly string[] }[] {
  return (
    KINDS.filter((kind) => host.state.read(errandKey(target, context, kind)) !== undefined)
      // `workplace` creates the folder, so it is called only if there is a note.
      .map((kind) => workplace(host, target, context, kind))
      .map(({ key, kept }) => ({
        key,
        files: kept === undefined ? [] : [kept, besideConfig(target, kept)],
      }))
  );
}

/** The key depends on the resolved path, so two spellings of one config share it. */
function workplace(
  host: Pick<Host, "state">,
  target: string,
  context: string,
  kind: ErrandKind,
): { key: StateKey; kept: string | undefined } {
  const key = errandKey(target, context, kind);
  return { key, kept: host.state.fileFor(key, "yaml") };
}

/** Only one run at a time uses the logins of a context. */
async function alone<T>(
  host: PrivateHost,
  { target, context, progress }: { target: string } & Pick<ContextPlace, "context" | "progress">,
  action: () => Promise<T>,
): Promise<T> {
  const lock = await loginLock(host, target, context);
  if (lock === undefined) throw noFolder();
  const wait = {
    clock: { ...host.clock, now: host.steadyClock.now },
    waitingFor: (holder: string) =>
      progress(`Waiting for ${holder}, which is using the same login`),
  };
  return host.locked(lock, wait, async () => {
    await host.files.sweep(dirname(lock));
    return action();
  });
}

/** Uses `steady`, so that an interrupted run removes the file, too. */
async function removeFile({ files }: Pick<Host, "files">, file: string): Promise<void> {
  const now = await files.steady.look(file);
  if (now.kind === "file") await files.steady.remove(now);
}

/** Digests instead of secrets, because the note is stored as plain text. */
function digestsOf({ token, session }: Login) {
  return { token: token?.digest ?? null, session: session?.refreshToken.digest ?? null };
}

function besideConfig(target: string, kept: string): string {
  return join(dirname(target), `.do-bootstrap-login-${sha256(kept).slice(0, 12)}.yaml`);
}

function noFolder(): AppError {
  return new AppError("WRITE_FAILED", "No private folder available for the doctl login.", {
    hint: hint`Set HOME, or XDG_STATE_HOME, to a folder that only you can write to and that is outside any git checkout.`,
  });
}
