import { basename, dirname, join } from "node:path";
import type { Files, Snapshot } from "../host/host.ts";

/**
 * Reads each path from the disk only once, and doesn't look for files that are missing from their folder's list: most
 * files that we ask about don't exist.
 */
export function lookingOnce(files: Files): Files {
  const snapshots = new Map<string, Promise<Snapshot>>();
  const lists = new Map<string, Promise<readonly string[]>>();
  const folders = new Map<string, Promise<string>>();
  const list = (folder: string) => once(lists, folder, () => files.list(folder));
  return {
    ...files,
    list,
    look: (path, options) =>
      once(snapshots, path, async (): Promise<Snapshot> => {
        const [folder, name] = [dirname(path), basename(path)];
        if (!isMissing(name, await list(folder))) return files.look(path, options);
        const real = await once(folders, folder, () => files.realpath(folder));
        // A link in the path may lead out of the repo.
        if (real !== folder) return files.look(path, options);
        return { kind: "absent", path, target: join(real, name) };
      }),
  };
}

/** False for an empty list, since the folder may be unreadable. Ignores case, since the file system may. */
function isMissing(name: string, names: readonly string[]): boolean {
  const isPlain = /^[\x21-\x7e]+$/.test(name);
  const lower = name.toLowerCase();
  return isPlain && names.length > 0 && !names.some((each) => each.toLowerCase() === lower);
}

function once<T>(known: Map<string, T>, key: string, make: () => T): T {
  const value = known.get(key) ?? make();
  known.set(key, value);
  return value;
}
