import type { Host, Snapshot } from "../../host/host.ts";
import { decode } from "../../secret/content.ts";
import type { DoctlConfig } from "./config-file.ts";

/** doctl needs up to 20 s to write its config, and the file is empty meanwhile (docs/contracts/doctl.md 3.2). */
const WRITING_MS = 30_000;
const RETRY_MS = 200;

/** How doctl treats a missing config. */
const NO_CONFIG: DoctlConfig = {
  contexts: new Map(),
  sessions: new Map(),
  selected: "default",
  lines: new Map(),
  settings: new Map(),
};

export type DoctlConfigState =
  | { readonly kind: "known"; readonly snapshot: Snapshot; readonly config: DoctlConfig }
  /** Still empty or unparsable after the time that a running doctl needs to write it. */
  | { readonly kind: "broken"; readonly snapshot: Snapshot; readonly why: string };

/**
 * Reads doctl's config. If it is empty or unparsable, doctl may be writing it, so this waits until 30 s after the last
 * change. It never takes such a file for "no contexts" (docs/contracts/doctl.md 3.15).
 */
export async function readConfig(
  { files, clock, steadyClock }: Pick<Host, "files" | "clock" | "steadyClock">,
  path: string,
  progress: (what: string) => void,
): Promise<DoctlConfigState> {
  let last = Number.NaN;
  let deadline = 0;
  for (;;) {
    const snapshot = await files.look(path);
    if (snapshot.kind === "absent") {
      return { kind: "known", snapshot, config: NO_CONFIG };
    }
    if (snapshot.kind !== "file") {
      return { kind: "broken", snapshot, why: snapshot.kind === "fifo" ? "a FIFO" : snapshot.why };
    }
    const { readDoctlConfig } = await import("./config-file.ts");
    const text = textOf(snapshot.bytes);
    const isEmpty = snapshot.bytes.length === 0;
    const config = isEmpty || text === undefined ? undefined : readDoctlConfig(text);
    if (config !== undefined) return { kind: "known", snapshot, config };
    if (snapshot.mtimeMs !== last) {
      last = snapshot.mtimeMs;
      // The file's timestamp and our clock may disagree, and our clock may be set while we wait.
      const age = Math.max(0, clock.now() - last);
      deadline = steadyClock.now() + WRITING_MS - age;
    }
    if (steadyClock.now() > deadline) {
      return { kind: "broken", snapshot, why: isEmpty ? "empty" : "not YAML that doctl can read" };
    }
    progress("Waiting for doctl to finish writing its config");
    await clock.sleep(RETRY_MS);
  }
}

/** doctl reads only UTF-8 (docs/contracts/doctl.md 4). */
function textOf(bytes: Buffer): string | undefined {
  const decoded = decode(bytes);
  return decoded?.encoding === "utf8" ? decoded.text : undefined;
}
