import { join } from "node:path";
import { isForSecrets } from "../../concerns/config/protected-paths.ts";
import type { FileSnapshot, Host, Snapshot } from "../../host/host.ts";

/** The size of a repo. A larger folder cannot be searched quickly. */
const LIMITS = {
  fileBytes: 32 * 1024 * 1024,
  allBytes: 512 * 1024 * 1024,
  files: 100_000,
  forMs: 30_000,
};
/** How many files are in memory at the same time. */
const AT_ONCE = 8;
export type TreeLimits = typeof LIMITS;

/** How complete the search of a folder was. */
export interface TreeSearch {
  /** What could not be read, and the reason in words. */
  readonly unread: readonly { readonly path: string; readonly why: string }[];
  /** Folders with downloads of tools, which are never searched. */
  readonly passedOver: readonly string[];
  /** Why the search stopped early, in words. */
  readonly stopped: string | undefined;
}

/**
 * Reads every file in a folder and its subfolders, whether git tracks or ignores it. Includes nested repos, but not
 * `.git`, node_modules and Terraform providers. Links are not followed: a target in the folder is read there. A link
 * out of the repo, and a FIFO, are listed as unread if they have the name of a secret file.
 *
 * @param top absolute, without links.
 */
export async function eachFileIn(
  { files, steadyClock }: Pick<Host, "files" | "steadyClock">,
  top: string,
  visit: (file: FileSnapshot) => void,
  { fileBytes, allBytes, files: most, forMs }: TreeLimits = LIMITS,
): Promise<TreeSearch> {
  const unread: { path: string; why: string }[] = [];
  const passedOver: string[] = [];
  const until = steadyClock.now() + forMs;
  let [count, bytes] = [0, 0];
  const folders = [top];
  // The loop also visits the folders that are added during it.
  for (const folder of folders) {
    const entries = await files.entries(folder);
    if (typeof entries === "string") {
      unread.push({ path: folder, why: entries });
      continue;
    }
    const paths: string[] = [];
    for (const { name, kind } of entries) {
      const path = join(folder, name);
      if (name === ".git") continue;
      if (name.includes("\uFFFD")) {
        unread.push({ path, why: "not readable (its name is not UTF-8)" });
        continue;
      }
      const isOdd = kind === "link" || kind === "other";
      if (isOdd && isForSecrets(name)) unread.push(...(await whyUnread(path, kind)));
      if (kind === "directory") (isDownloaded(path) ? passedOver : folders).push(path);
      if (kind === "file") paths.push(path);
    }
    while (paths.length > 0) {
      const stopped = whyStop();
      if (stopped !== undefined) return { unread, passedOver, stopped };
      const some = paths.splice(0, Math.min(AT_ONCE, most - count));
      count += some.length;
      for (const found of await Promise.all(some.map(look))) {
        if (found.kind === "unusable") unread.push({ path: found.path, why: found.why });
        if (found.kind !== "file") continue;
        bytes += found.bytes.length;
        visit(found);
      }
    }
  }
  return { unread, passedOver, stopped: undefined };

  function look(path: string): Promise<Snapshot> {
    return files.look(path, { maxBytes: fileBytes });
  }

  async function whyUnread(path: string, kind: "link" | "other"): Promise<typeof unread> {
    const found = await look(path);
    if (found.kind !== "unusable") return [];
    return kind === "other" || found.link !== undefined ? [{ path, why: found.why }] : [];
  }

  function whyStop(): string | undefined {
    if (count >= most) return `there are more than ${most} files`;
    if (bytes >= allBytes) return `there are more than ${allBytes / 1024 / 1024} MB`;
    return steadyClock.now() > until ? `it took more than ${forMs / 1000} s` : undefined;
  }
}

function isDownloaded(path: string): boolean {
  return /[\\/](node_modules|\.terraform[\\/]providers)$/.test(path);
}
