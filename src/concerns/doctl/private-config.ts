import { basename, dirname, join } from "node:path";
import { AppError } from "../../errors/app-error.ts";
import { hint } from "../../errors/hint.ts";
import type { Host, StateKey } from "../../host/host.ts";
import { jsonIn, recordOf } from "../../lib/json.ts";
import { sha256 } from "../../lib/sha256.ts";
import { type Content, decode, encode } from "../../secret/content.ts";
import type { Secret } from "../../secret/secret.ts";
import { LOCK } from "./cleanup.ts";
import { type Login, readDoctlConfig } from "./config-file.ts";
import { isSnap } from "./config-path.ts";
import { heldIn } from "./context.ts";
import { readConfig } from "./read-config.ts";
import { type EditingHost, storeContext } from "./store-context.ts";

/** What a doctl is to do for us. */
export interface Errand {
  /** What it finds in its config; undefined: there is nothing to do any more. */
  readonly start: (held: Login) => Content | undefined;
  /** Starts it on that config. @throws AppError where it failed, and has brought nothing. */
  readonly run: (file: string) => Promise<void>;
  /** Looks at what it has brought. @throws AppError where that is not to be merged. */
  readonly accept?: (login: Login & { readonly token: Secret }, held: Login) => Promise<void>;
}

export interface ContextPlace {
  /** The user's doctl config. */
  readonly path: string;
  readonly context: string;
  /** The doctl that is started: a snap reads only in a folder of its own. */
  readonly doctl: string;
  readonly progress: (what: string) => void;
}

/**
 * Lets a doctl write on a private config, and merges what it brings into the user's: its writer would empty that
 * file first, and two at once lose a login (docs/design.md rule 6). What a run that was killed has left is merged by
 * the next one.
 *
 * @returns what the context holds now.
 * @throws AppError those of the errand; WRITE_FAILED without a folder for it; DOCTL_CONFIG_BUSY, CHANGED_MEANWHILE.
 */
export async function throughDoctl(
  host: EditingHost & Pick<Host, "state">,
  place: ContextPlace,
  errand: Errand,
): Promise<Login> {
  const { path, context, progress } = place;
  const key: StateKey = { kind: "login", folder: path, name: context };
  const kept = host.state.fileFor(key, "yaml");
  if (kept === undefined) throw noFolder();
  const target = await host.files.realpath(path);
  const file = isSnap(place.doctl) ? besideConfig(target, context) : kept;
  const wait = {
    clock: { ...host.clock, now: host.steadyClock.now },
    waitingFor: (holder: string) => progress(`Waiting for ${holder}, which is at the same login`),
  };
  const folder = await host.files.realpath(dirname(kept));
  return host.locked(join(folder, basename(kept) + LOCK), wait, async () => {
    const left = await brought();
    if (left !== undefined) {
      const merged = await mergeLeft(left);
      if (merged !== undefined) return merged;
    }
    const held = await heldNow();
    const start = errand.start(held);
    if (start === undefined) return held;
    host.state.write(key, JSON.stringify(digestsOf(held)));
    const before = await host.files.look(file);
    await host.files.replace(before, encode(start), 0o600);
    let login: Brought | undefined;
    try {
      await errand.run(file);
      login = await brought();
    } finally {
      // What it has got is kept for the next run.
      if (login === undefined && (await brought()) === undefined) await drop();
    }
    if (login === undefined) return held;
    return merge(login, held);
  });

  /** A login that the context did not have when its doctl was started. */
  async function brought(): Promise<Brought | undefined> {
    const begun = jsonIn(host.state.read(key) ?? "");
    const now = await host.files.steady.look(file);
    if (begun === undefined || now.kind !== "file") return undefined;
    const config = readDoctlConfig(decode(now.bytes)?.text ?? "");
    const { token, session } = config === undefined ? NOTHING : heldIn(config, context);
    if (token === undefined || token.digest === recordOf(begun)["token"]) return undefined;
    return { token, session };
  }

  /** @returns undefined where the context has got another login since. */
  async function mergeLeft(login: Brought): Promise<Login | undefined> {
    const held = await heldNow();
    const begun = recordOf(jsonIn(host.state.read(key) ?? ""));
    const isAsBegun = Object.entries(digestsOf(held)).every(([name, each]) => begun[name] === each);
    if (isAsBegun) return merge(login, held);
    await drop();
    return undefined;
  }

  async function merge(login: Brought, held: Login): Promise<Login> {
    try {
      await errand.accept?.(login, held);
    } catch (error) {
      await drop();
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
      hint: hint`Wait for the doctl that writes it, then run the same command again.`,
    });
  }

  async function drop(): Promise<void> {
    await removeFile(host, file);
    host.state.remove(key);
  }
}

type Brought = Login & { readonly token: Secret };

const NOTHING: Login = { token: undefined, session: undefined };

/** Takes away what a run that was killed has left of a login: it is to end. */
export async function dropPrivateConfig(
  host: Pick<Host, "files" | "state">,
  { path, context }: Pick<ContextPlace, "path" | "context">,
): Promise<void> {
  const key: StateKey = { kind: "login", folder: path, name: context };
  if (host.state.read(key) === undefined) return;
  const target = await host.files.realpath(path);
  const kept = host.state.fileFor(key, "yaml");
  for (const file of [kept, besideConfig(target, context)]) {
    if (file !== undefined) await removeFile(host, file);
  }
  host.state.remove(key);
}

/** A run that was interrupted does it, too. */
async function removeFile({ files }: Pick<Host, "files">, file: string): Promise<void> {
  const now = await files.steady.look(file);
  if (now.kind === "file") await files.steady.remove(now);
}

/** Free of secrets: it is kept as it is. */
function digestsOf({ token, session }: Login) {
  return { token: token?.digest ?? null, session: session?.refreshToken.digest ?? null };
}

function besideConfig(target: string, context: string): string {
  return join(dirname(target), `.do-bootstrap-login-${sha256(context).slice(0, 12)}.yaml`);
}

function noFolder(): AppError {
  return new AppError("WRITE_FAILED", "There is no folder where doctl could log in for us.", {
    hint: hint`Set HOME, or XDG_STATE_HOME, to a folder outside every checkout that you alone can write to.`,
  });
}
