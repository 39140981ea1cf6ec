import type { Snapshot } from "../host/host.ts";

/** The permission bits of a file with a secret: its own, without those of others. */
export function ownersBits(before: Snapshot): number {
  return (modeOf(before) ?? 0o600) & 0o700;
}

/** True if the permission bits let other users in. Windows has none. */
export function isOpen(before: Snapshot): boolean {
  return ((modeOf(before) ?? 0) & 0o077) !== 0;
}

function modeOf(before: Snapshot): number | undefined {
  return before.kind === "file" ? before.mode : undefined;
}
