import { inflateRawSync } from "node:zlib";

/** Of all that one plan holds; states and plans of large set-ups are some MB. */
const MAX_UNPACKED_BYTES = 128 * 1024 * 1024;

/** True for the beginning of a plan that Terraform saved: a zip whose first member is `tfplan`. */
export function isSavedPlan(beginning: Buffer): boolean {
  return (
    beginning.toString("latin1", 0, 4) === "PK\u0003\u0004" &&
    beginning.toString("latin1", 30, 36) === "tfplan"
  );
}

/** How many bytes may still be unpacked, for all plans of a run together. */
export interface Unpacking {
  left: number;
}

/**
 * What a saved plan holds. No size that the file states is believed: bytes are counted as they are unpacked.
 *
 * @returns isWhole: false for one that is broken or too large, of which some members may be missing.
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
      // What fails has been unpacked for nothing, and is spent.
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

/** The members by the directory at the end of a zip. @throws for one that is broken. */
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
