import { existsSync, lstatSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Script } from "node:vm";
import { isCi } from "../lib/is-ci.ts";
import { isOwn } from "./ours.ts";
import { cacheFolder, isOwnFolder, type Machine, placeIn, type RecordFile } from "./record.ts";

/** This program's files, loaded with what V8 made of them in an earlier run: a fifth of a start. */
export interface CompiledCode {
  /** Runs a file of the program's folder, once. @returns what it exports. */
  load(name: string): unknown;
  /** True where a file was loaded that nothing was kept of, or not by this V8. */
  readonly isNew: boolean;
  /** What was loaded, by name. */
  readonly scripts: ReadonlyMap<string, Script>;
  /** What an earlier run has kept, by name. */
  readonly kept: ReadonlyMap<string, Buffer>;
  readonly place: RecordFile;
}

/**
 * Node loads a file as usual where this is undefined: in a pipeline, whose cache others may fill, and where no
 * run has kept a record yet, as a run that changes nothing leaves nothing. What is kept is not believed where
 * others can write to the folder, or a checkout may bring it.
 *
 * @param folder the program's, absolute. The names of what is kept of it have a hash of their content.
 * @param command the first word of the line: each compiles what it uses.
 */
export function compiledCode(
  folder: string,
  command: string | undefined,
  machine: Machine,
): CompiledCode | undefined {
  const base = cacheFolder(machine);
  if (base === undefined || isCi(machine.env)) return undefined;
  const [word] = /^[a-z]+$/.exec(command ?? "") ?? ["init"];
  const name = `${word}-${process.versions.v8}.code`;
  const place = placeIn(base, "code", { name, about: folder });
  if (!existsSync(dirname(place.folder))) return undefined;
  const kept = keptIn(place);
  const scripts = new Map<string, Script>();
  const loaded = new Map<string, { exports: unknown }>();
  let isNew = false;
  return {
    ...{ load, scripts, kept, place },
    get isNew() {
      return isNew;
    },
  };

  function load(path: string): unknown {
    const known = loaded.get(path);
    if (known !== undefined) return known.exports;
    const module = { exports: {} };
    loaded.set(path, module);
    const filename = join(folder, path);
    const script = scriptOf(path, readFileSync(filename, "utf8"), filename);
    const needs = (id: string) =>
      id.startsWith(".") ? load(join(dirname(path), id)) : process.getBuiltinModule(id);
    script.runInThisContext()(module.exports, needs, module, filename, dirname(filename));
    return module.exports;
  }

  function scriptOf(path: string, text: string, filename: string): Script {
    const wrapped = `(function(exports,require,module,__filename,__dirname){${text}\n})`;
    const cachedData = kept.get(path);
    const script = new Script(wrapped, { filename, ...(cachedData && { cachedData }) });
    // The length of a text is all that V8 compares.
    if (!HASHED.test(path)) return script;
    scripts.set(path, script);
    isNew ||= cachedData === undefined || script.cachedDataRejected === true;
    return script;
  }
}

const HASHED = /-[A-Z0-9]{8}\.cjs$/;

/** @returns nothing for what is not ours or not whole. */
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
