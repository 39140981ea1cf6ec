import type { SpacesBackend } from "../config/resolved.ts";

/** The host of a region's buckets. */
export function spacesHost({ region }: Pick<SpacesBackend, "region">): string {
  return `${region}.digitaloceanspaces.com`;
}
