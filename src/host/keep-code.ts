import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { CompiledCode } from "./compiled-code.ts";
import { dropOwn, writeOwn } from "./keep.ts";
import { makeOwnFolder } from "./record.ts";

/** Keeps what V8 has compiled, also of functions, for the next run of the same command. Where that is not possible it is slow again. */
export function keepCode({ scripts, place }: CompiledCode): void {
  try {
    if (!makeOwnFolder(place)) return;
    const own = `-${process.versions.v8}.code`;
    for (const name of readdirSync(place.folder)) {
      // Of another Node.
      if (name.endsWith(".code") && !name.endsWith(own)) dropOwn(join(place.folder, name));
    }
    const parts = [...scripts].map(([name, script]) => [name, script.createCachedData()] as const);
    const names = JSON.stringify(parts.map(([name, { length }]) => [name, length]));
    const head = Buffer.alloc(4 + Buffer.byteLength(names));
    head.writeUInt32LE(head.length - 4);
    head.write(names, 4);
    writeOwn(place, Buffer.concat([head, ...parts.map(([, bytes]) => bytes)]));
  } catch {
    // A home without room or leave to write.
  }
}
