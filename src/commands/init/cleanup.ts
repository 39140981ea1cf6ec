import { dirname } from "node:path";
import { cleanUpDoctlFolder } from "../../concerns/doctl/cleanup.ts";
import type { Host } from "../../host/host.ts";
import type { Facts } from "./observe.ts";

/** Removes what killed runs left in any folder that a run may write to, even if this run changes nothing. */
export async function cleanUp(
  host: Pick<Host, "files" | "clock" | "locked">,
  { config: { base, envFiles, roots }, doctl }: Facts,
): Promise<void> {
  const dirs = roots.map(({ dir }) => dir);
  const folders = new Set([base, ...envFiles.map((path) => dirname(path)), ...dirs]);
  const target = doctl?.config?.state.snapshot.target;
  await Promise.all([
    ...[...folders].map((folder) => host.files.sweep(folder)),
    ...(target === undefined ? [] : [cleanUpDoctlFolder(host, dirname(target))]),
  ]);
}
