import { randomBytes } from "node:crypto";
import { expect, it } from "vitest";
import { IdSet } from "../../../src/lib/id-set.ts";

it.each([20, 32])("has exactly the hashes of %i bytes that were added, in order", (width) => {
  const some = Array.from({ length: 3000 }, () => randomBytes(width));
  const others = Array.from({ length: 3000 }, () => randomBytes(width));
  const set = new IdSet(width, 1);
  for (const hash of [...some, ...some]) set.add(hash);
  expect(set.size).toBe(some.length);
  expect(some.map((hash) => set.indexOf(hash))).toEqual(some.map((_, i) => i));
  expect(others.filter((hash) => set.has(hash))).toEqual([]);
  const hex = some.map((hash) => hash.toString("hex"));
  expect(set.toHex(() => true)).toEqual(hex);
  expect(set.toHex((bytes, at) => bytes[at] === some[7]?.[0], 7, 8)).toEqual([hex[7]]);
  const again = IdSet.of(
    set.select(() => true),
    width,
  );
  expect(again.toHex(() => true)).toEqual(hex);
  expect(IdSet.fromHex(hex, width).has(some[9] ?? Buffer.alloc(width))).toBe(true);
});

it("tells hashes apart that begin alike", () => {
  const alike = Array.from({ length: 200 }, (_, i) => Buffer.alloc(20, i ? 1 : 0).fill(i, 19));
  const set = IdSet.of(Buffer.concat(alike), 20);
  expect(set.size).toBe(200);
  expect(set.has(Buffer.alloc(20, 1).fill(201, 19))).toBe(false);
});
