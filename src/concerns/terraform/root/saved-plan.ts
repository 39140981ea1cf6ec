import { unzipSync } from "fflate";

/** A member that says to be larger is not unpacked. */
const MAX_MEMBER_BYTES = 64 * 1024 * 1024;

/** True for the beginning of a plan that Terraform saved: a zip whose first member is `tfplan`. */
export function isSavedPlan(beginning: Buffer): boolean {
  return (
    beginning.toString("latin1", 0, 4) === "PK\u0003\u0004" &&
    beginning.toString("latin1", 30, 36) === "tfplan"
  );
}

/** What a saved plan holds; empty for one that is broken. */
export function membersOf(plan: Buffer): readonly Buffer[] {
  try {
    const members = unzipSync(plan, {
      filter: ({ originalSize }) => originalSize <= MAX_MEMBER_BYTES,
    });
    return Object.values(members).map((bytes) => Buffer.from(bytes));
  } catch {
    return [];
  }
}
