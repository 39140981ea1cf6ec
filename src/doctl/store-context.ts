import { dirname, join } from "node:path";
import { type Content, decode, encode } from "../content.ts";
import { AppError } from "../errors.ts";
import type { Host, Undo } from "../host/host.ts";
import type { Secret } from "../token/secret.ts";
import { readDoctlConfig, withContext, withoutContext } from "./config-file.ts";
import { readConfig } from "./read-config.ts";

/**
 * Stores a token in one context of doctl's config, under a lock: what another run or doctl wrote
 * since we looked is read again and kept.
 *
 * @param expected fingerprint of what the context held when the plan was made.
 * @returns what undoes it.
 * @throws AppError CHANGED_MEANWHILE, DOCTL_CONFIG_BUSY, WRITE_FAILED.
 */
export async function storeContext(
  host: Pick<Host, "files" | "clock" | "locked">,
  store: {
    path: string;
    context: string;
    token: Secret;
    expected: string | undefined;
    progress: (what: string) => void;
  },
): Promise<Undo> {
  const { context, token } = store;
  return edit(host, store, (text) => withContext(text, context, token));
}

/** Takes a context's token out of doctl's config: as storeContext. */
export async function removeContext(
  host: Pick<Host, "files" | "clock" | "locked">,
  removal: Omit<Parameters<typeof storeContext>[1], "token">,
): Promise<Undo> {
  return edit(host, { ...removal, token: undefined }, (text) =>
    withoutContext(text, removal.context),
  );
}

async function edit(
  host: Pick<Host, "files" | "clock" | "locked">,
  {
    path,
    context,
    token,
    expected,
    progress,
  }: Omit<Parameters<typeof storeContext>[1], "token"> & { token: Secret | undefined },
  edited: (text: string) => Content | undefined,
): Promise<Undo> {
  const real = await host.files.realpath(path);
  return host.locked(join(dirname(real), ".do-bootstrap.lock"), async () => {
    const state = await readConfig(host, path, progress);
    if (state.kind === "broken") throw unreadable(path, state.why);
    const held = state.config.contexts.get(context);
    const isDone = token === undefined ? held === undefined : token.equals(held);
    if (held?.fingerprint !== expected && !isDone) {
      throw new AppError(
        "CHANGED_MEANWHILE",
        `doctl context ${context} got another token meanwhile.`,
        { hint: "Run the same command again." },
      );
    }
    const before = state.snapshot;
    const text = before.kind === "file" ? (decode(before.bytes)?.text ?? "") : "";
    const after = edited(text);
    if (after === undefined) throw unreadable(path, "not YAML that doctl can read");
    const bytes = encode(after);
    assertNothingLost(state.config.contexts, bytes, context, token);
    return host.files.replace(before, bytes, 0o600);
  });
}

function assertNothingLost(
  before: ReadonlyMap<string, Secret>,
  bytes: Buffer,
  context: string,
  token: Secret | undefined,
): void {
  const now = readDoctlConfig(bytes.toString("utf8"))?.contexts;
  const kept = [...before].every(([name, held]) => name === context || held.equals(now?.get(name)));
  const stored = now?.get(context);
  if (kept && (token === undefined ? stored === undefined : token.equals(stored))) return;
  throw new AppError("WRITE_FAILED", "doctl's config could not be edited without a loss.", {
    hint: "Nothing was changed. Please report this with the file's keys (not its values).",
  });
}

function unreadable(path: string, why: string): AppError {
  return new AppError("DOCTL_CONFIG_BUSY", `${path} is ${why}.`, {
    hint: "Wait for the doctl that writes it, then run the same command again.",
  });
}
