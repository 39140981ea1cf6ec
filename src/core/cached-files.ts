import { basename, dirname, join } from "node:path";
import type { Files, Snapshot } from "../host/host.ts";

/**
 * A folder that two readers share is read from the disk once, and what its list does not have is not looked
 * for: most of what we ask about is not there.
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
        // A link on the way may lead out of the repo.
        if (real !== folder) return files.look(path, options);
        return { kind: "absent", path, target: join(real, name) };
      }),
  };
}

/** Not so in an empty list, which may be of a folder that cannot be listed; nor may case decide. */
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
