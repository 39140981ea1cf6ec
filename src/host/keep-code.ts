import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { CompiledCode } from "./compiled-code.ts";
import { dropOwn, writeOwn } from "./keep.ts";
import { hasOwnFile } from "./package.ts";
import { makeOwnFolder } from "./record.ts";

/**
 * Keeps the code that V8 compiled, including functions, for the next run of the same command. If that fails, the next
 * run is just slower.
 */
export function keepCode({ scripts, kept, place }: CompiledCode): void {
  try {
    if (!makeOwnFolder(place)) return;
    const own = `-${process.versions.v8}.code`;
    for (const name of readdirSync(place.folder)) {
      // From another version of Node.
      if (name.endsWith(".code") && !name.endsWith(own)) dropOwn(join(place.folder, name));
    }
    const parts = new Map([...kept].filter(([each]) => hasOwnFile(place.about, `dist/${each}`)));
    for (const [each, script] of scripts) {
      const isKnown = parts.has(each) && script.cachedDataRejected === false;
      if (!isKnown) parts.set(each, script.createCachedData());
    }
    const names = JSON.stringify([...parts].map(([each, { length }]) => [each, length]));
    const head = Buffer.alloc(4 + Buffer.byteLength(names));
    head.writeUInt32LE(head.length - 4);
    head.write(names, 4);
    writeOwn(place, Buffer.concat([head, ...parts.values()]));
  } catch {
    // No space in the home folder, or no permission to write.
  }
}
