import { unzipSync } from "fflate";

/** What says to be larger, a member or all of them, is not unpacked. */
const MAX_MEMBER_BYTES = 64 * 1024 * 1024;
const MAX_BYTES = 256 * 1024 * 1024;

/** True for the beginning of a plan that Terraform saved: a zip whose first member is `tfplan`. */
export function isSavedPlan(beginning: Buffer): boolean {
  return (
    beginning.toString("latin1", 0, 4) === "PK\u0003\u0004" &&
    beginning.toString("latin1", 30, 36) === "tfplan"
  );
}

/** What a saved plan holds; `isWhole`: that is all of it. */
export function membersOf(plan: Buffer): {
  readonly members: readonly Buffer[];
  readonly isWhole: boolean;
} {
  let isWhole = true;
  let total = 0;
  try {
    const members = unzipSync(plan, {
      filter({ originalSize }) {
        total += originalSize;
        const isSmall = originalSize <= MAX_MEMBER_BYTES && total <= MAX_BYTES;
        isWhole &&= isSmall;
        return isSmall;
      },
    });
    return { members: Object.values(members).map((bytes) => Buffer.from(bytes)), isWhole };
  } catch {
    return { members: [], isWhole: false };
  }
}
