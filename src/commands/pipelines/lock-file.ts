import { join } from "node:path";
import { LOCK_FILE } from "../../concerns/terraform/root/names.ts";
import { textIn } from "../../core/file-text.ts";
import type { Finding } from "../../core/finding.ts";
import { hint, run } from "../../errors/hint.ts";
import type { ObservingHost } from "../init/observe.ts";
import { finding } from "./findings.ts";
import { type Root, toolOf } from "./roots.ts";

/** Reports lock files in git that a runner's `init -lockfile=readonly` would refuse. */
export async function judgeLockFiles(
  { files }: Pick<ObservingHost, "files">,
  roots: readonly Root[],
  tracked: ReadonlySet<string>,
): Promise<Finding[]> {
  const found = new Map<string, Finding>();
  for (const each of roots) {
    const path = join(each.root.config.dir, LOCK_FILE);
    if (!tracked.has(path) || !needsProvider(each) || found.has(path)) continue;
    const problem = problemIn(textIn(await files.look(path)));
    if (problem === undefined) continue;
    const message = `${path} ${problem}, so init would fail in the pipeline.`;
    const tool = toolOf(each);
    const lock = run(tool, "providers", "lock", "-platform=linux_amd64");
    const fix = hint`In its folder, run ${{ inTurn: [run(tool, "init"), lock] }}, then commit the lock file.`;
    found.set(path, finding("ci.lock-file", message, { where: path, fix }));
  }
  return [...found.values()];
}

function needsProvider({ root: { module, own } }: Root): boolean {
  return own.size > 0 || module.providers.length > 0 || Boolean(module.requiredProviders?.source);
}

/** zh hashes are for every platform. A single h1 hash is only for the machine that wrote the file. */
export function problemIn(text: string): string | undefined {
  const start = text.search(/^provider "[^"\n]*\/digitalocean\/digitalocean"/m);
  if (start < 0) return "does not list the digitalocean provider";
  const end = text.indexOf("\n}", start);
  const block = text.slice(start, end < 0 ? undefined : end);
  if (block.includes('"zh:') || block.split('"h1:').length > 2) return undefined;
  return "may have no hash for linux_amd64: it has hashes for one platform only";
}
