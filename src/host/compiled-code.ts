import { existsSync, lstatSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Script } from "node:vm";
import { isCi } from "../lib/is-ci.ts";
import { loaderIn } from "./load.ts";
import { isOwn } from "./ours.ts";
import { cacheFolder, isOwnFolder, type Machine, placeIn, type RecordFile } from "./record.ts";

/** Loads this program's files with the code that V8 compiled in an earlier run, which saves a fifth of a start. */
export interface CompiledCode {
  /** Runs a file of the program's folder, once. @returns its exports. */
  load(name: string): unknown;
  /** True if a loaded file had no cached code, or V8 rejected it. */
  readonly isNew: boolean;
  /** The loaded files, by name. */
  readonly scripts: ReadonlyMap<string, Script>;
  /** The code that an earlier run cached, by name. */
  readonly kept: ReadonlyMap<string, Buffer>;
  readonly place: RecordFile;
}

/**
 * undefined: Node loads the files as usual. This is so in CI, where others may fill the cache, and before any run has
 * kept a record, since a run that changes nothing leaves nothing behind. Cached code is not used if others can write to
 * its folder, or if a checkout may contain it.
 *
 * @param packageFolder absolute. The names of its cached files contain a hash of their content.
 * @param command the first word of the command line: each command compiles what it uses.
 */
export function compiledCode(
  packageFolder: string,
  command: string | undefined,
  machine: Machine,
): CompiledCode | undefined {
  const base = cacheFolder(machine);
  if (base === undefined || isCi(machine.env)) return undefined;
  const [word] = /^[a-z]+$/.exec(command ?? "") ?? ["init"];
  const name = `${word}-${process.versions.v8}.code`;
  const place = placeIn(base, "code", { name, about: packageFolder });
  if (!existsSync(dirname(place.folder))) return undefined;
  const kept = keptIn(place);
  const scripts = new Map<string, Script>();
  let isNew = false;
  return {
    ...{ load: loaderIn(packageFolder, scriptOf), scripts, kept, place },
    get isNew() {
      return isNew;
    },
  };

  function scriptOf(path: string, text: string, filename: string): Script {
    const cachedData = kept.get(path);
    const script = new Script(text, { filename, ...(cachedData && { cachedData }) });
    // V8 compares only the length of a source text, so only files with a hash in their name are cached.
    if (!HASHED.test(path)) return script;
    scripts.set(path, script);
    isNew ||= cachedData === undefined || script.cachedDataRejected === true;
    return script;
  }
}

const HASHED = /-[A-Z0-9]{8}\.cjs$/;

/** @returns an empty map for a file that is not ours or not complete. */
function keptIn({ folder, ...place }: RecordFile): ReadonlyMap<string, Buffer> {
  try {
    const path = join(folder, place.name);
    if (!isOwnFolder({ folder, ...place }) || !isOwn(lstatSync(path))) return new Map();
    const bytes = readFileSync(path);
    const end = 4 + bytes.readUInt32LE(0);
    const lengths: [string, number][] = JSON.parse(bytes.toString("utf8", 4, end));
    let at = end;
    const parts = lengths.map(([name, length]) => {
      at += length;
      return [name, bytes.subarray(at - length, at)] as const;
    });
    return at === bytes.length ? new Map(parts) : new Map();
  } catch {
    return new Map();
  }
}
