import { basename, dirname, join, resolve } from "node:path";
import type { FileSnapshot, Files, Snapshot } from "../../src/host/host.ts";
import { isInside } from "../../src/lib/paths.ts";

/** What is at a path: a text, or an entry with more details; undefined: nothing. */
export type Entry =
  | string
  | undefined
  /**
   * `leadsTo`: absolute target of the link at this path. Without a text the target does not exist. Mode "none": as on
   * Windows.
   */
  | { readonly text?: string | Buffer; readonly mode?: number | "none"; readonly leadsTo?: string }
  | { readonly fifo: string }
  | { readonly unusable: string };

/** Files with secrets, which are 0600 unless a test sets a mode. */
const PRIVATE = /\/\.env(\.(?!example$)\w+)?$|\.secret\.|\/doctl\//;

export function fileSnapshot(
  path: string,
  text: string | Buffer,
  { mode = PRIVATE.test(path) ? 0o600 : 0o644, target = path } = {},
): FileSnapshot {
  const bytes = typeof text === "string" ? Buffer.from(text) : text;
  return { kind: "file", path, target, bytes, mode, uid: 0, gid: 0, mtimeMs: 0, atimeMs: 0 };
}

function snapshot(path: string, target: string, entry: Entry): Snapshot {
  if (entry === undefined) return { kind: "absent", path, target };
  if (typeof entry === "string") return fileSnapshot(path, entry, { target });
  if ("fifo" in entry) return { kind: "fifo", path, target, bytes: Buffer.from(entry.fifo) };
  if ("unusable" in entry) return { kind: "unusable", path, target, why: entry.unusable };
  const { text, mode } = entry;
  if (text === undefined) return { kind: "absent", path, target };
  if (mode === "none") return { ...fileSnapshot(path, text, { target }), mode: undefined };
  return fileSnapshot(path, text, { target, ...(mode === undefined ? {} : { mode }) });
}

/** Read-only files in memory. @param top base of relative paths, also of `readOnly` folders. */
export function memoryFiles(
  top: string,
  entries: Readonly<Record<string, Entry>>,
  readOnly: readonly string[] = [],
): Files {
  const byPath = new Map<string, Entry>();
  for (const [name, entry] of Object.entries(entries)) {
    if (entry !== undefined) byPath.set(resolve(top, name), entry);
  }
  const namesIn = new Map<string, Set<string>>();
  for (const path of byPath.keys()) {
    for (let at = path; at !== dirname(at); at = dirname(at)) {
      const names = namesIn.get(dirname(at)) ?? new Set();
      namesIn.set(dirname(at), names.add(basename(at)));
    }
  }
  const blocked = readOnly.map((folder) => resolve(top, folder));
  const real = (path: string): string => {
    const entry = byPath.get(path);
    const link = typeof entry === "object" && "leadsTo" in entry ? entry.leadsTo : undefined;
    const above = dirname(path);
    return link ?? (above === path ? path : join(real(above), basename(path)));
  };
  const linkOn = (path: string): string =>
    real(dirname(path)) === dirname(path) ? path : linkOn(dirname(path));
  const unexpected = () => {
    throw new Error("Memory files are read-only.");
  };
  return {
    get steady() {
      return this;
    },
    async look(path) {
      const isFolder = namesIn.has(resolve(path));
      const entry = byPath.get(path) ?? (isFolder ? { unusable: "a directory" } : undefined);
      const target = real(path);
      const link = isInside(path, top) && !isInside(target, top) ? linkOn(path) : undefined;
      const seen = snapshot(path, target, entry);
      if (link === undefined) return seen;
      if (seen.kind === "absent") return { ...seen, link };
      return { kind: "unusable", path, target, why: "not in the repo", link };
    },
    async list(folder) {
      return [...(namesIn.get(resolve(folder)) ?? [])].sort();
    },
    async leftOvers() {
      return [];
    },
    async entries(folder) {
      return (await this.list(folder)).map((name) => {
        const path = join(folder, name);
        if (real(path) !== join(real(folder), name)) return { name, kind: "link" };
        const entry = byPath.get(path);
        if (entry === undefined) return { name, kind: "directory" };
        const isOther = typeof entry === "object" && "fifo" in entry;
        return { name, kind: isOther ? "other" : "file" };
      });
    },
    realpath: async (path) => real(path),
    whyNotWritable: async (folder) => (blocked.includes(folder) ? "it is read-only" : undefined),
    ...{ replace: unexpected, remove: unexpected },
    ...{
      makeDirectory: unexpected,
      sweep: unexpected,
      withDoctlFile: unexpected,
      withOwnFolder: unexpected,
    },
  };
}
