import { inflateRawSync } from "node:zlib";

/** Limit for the unpacked content of one plan. States and plans of large setups have a few MB. */
const MAX_UNPACKED_BYTES = 128 * 1024 * 1024;

/** Recognizes a saved Terraform plan by its first bytes: a zip whose first member is `tfplan`. */
export function isSavedPlan(beginning: Buffer): boolean {
  return (
    // Most files differ in the first byte.
    beginning[0] === 0x50 &&
    beginning.toString("latin1", 0, 4) === "PK\u0003\u0004" &&
    beginning.toString("latin1", 30, 36) === "tfplan"
  );
}

/** How many bytes may still be unpacked, for all plans of a run together. */
export interface Unpacking {
  left: number;
}

/**
 * Unpacks a saved plan. Does not trust the sizes in the file: counts the bytes while unpacking.
 *
 * @returns isWhole: false if the plan is broken or too large, so members may be missing.
 */
export function membersOf(
  plan: Buffer,
  unpacking: Unpacking,
): { readonly members: readonly Buffer[]; readonly isWhole: boolean } {
  const members: Buffer[] = [];
  let left = Math.min(MAX_UNPACKED_BYTES, unpacking.left);
  try {
    for (const { packed, method } of packedIn(plan)) {
      if (left <= 0) return { members, isWhole: false };
      // A failed inflate uses up the reserved bytes.
      unpacking.left -= left;
      const member = method === STORED ? packed : inflateRawSync(packed, { maxOutputLength: left });
      unpacking.left += left - member.length;
      left -= member.length;
      members.push(member);
    }
    return { members, isWhole: true };
  } catch {
    return { members, isWhole: false };
  }
}

const STORED = 0;
const DEFLATED = 8;
const END_BYTES = 22;

/** Lists the members from the directory at the end of a zip. @throws if the zip is broken. */
function* packedIn(zip: Buffer): Generator<{ packed: Buffer; method: number }> {
  const end = zip.lastIndexOf("PK\u0005\u0006", zip.length - END_BYTES, "latin1");
  if (end < 0) throw new Error("broken");
  const count = zip.readUInt16LE(end + 10);
  let at = zip.readUInt32LE(end + 16);
  for (let i = 0; i < count; i++) {
    const method = zip.readUInt16LE(at + 10);
    const size = zip.readUInt32LE(at + 20);
    const local = zip.readUInt32LE(at + 42);
    const from = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
    if (![STORED, DEFLATED].includes(method) || from + size > zip.length) throw new Error("broken");
    yield { packed: zip.subarray(from, from + size), method };
    at += 46 + zip.readUInt16LE(at + 28) + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
}
