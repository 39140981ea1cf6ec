import { readFileSync, type Stats, statSync } from "node:fs";
import { foldersUp } from "../lib/paths.ts";

/** Windows has neither modes nor user ids. */
export const HAS_MODES = process.getuid !== undefined;

/** True for what belongs to this user; on Windows always. */
export function isOwn({ uid }: Pick<Stats, "uid">): boolean {
  return uid === (process.getuid?.() ?? uid);
}

/** True if others can replace our entry in the directory: it belongs to them, or they may write to it. */
export function isOpenToOthers(stats: Pick<Stats, "uid" | "mode">): boolean {
  if (!HAS_MODES) return false;
  const isTheirs = !isOwn(stats) && stats.uid !== 0;
  // In a sticky directory, such as /tmp, users can replace only their own entries.
  return isTheirs || ((stats.mode & 0o022) !== 0 && (stats.mode & 0o1000) === 0);
}

/**
 * True if another user could replace what is in a directory, or the directory itself.
 *
 * @param path absolute. For a missing path, its existing ancestors are checked.
 */
export function isExchangeable(path: string): boolean {
  for (const each of foldersUp(path).reverse()) {
    const stats = statSync(each, { throwIfNoEntry: false });
    // It doesn't exist. Whoever can create it can create what is below it.
    if (stats === undefined) return false;
    const { uid, gid, mode: written } = stats;
    // isAlone reads two files, so it is called only if the result depends on it.
    const isOfGroup = (written & 0o1020) === 0o020;
    const mode = isOfGroup && isAlone(gid) ? written & ~0o070 : written;
    if (isOpenToOthers({ uid, mode })) return true;
    // Nobody else can enter, so nothing below can be replaced.
    if ((mode & 0o011) === 0) return false;
  }
  return false;
}

/** True for the user's private group (same id, login.defs USERGROUPS_ENAB) if nobody else is in it. */
function isAlone(gid: number): boolean {
  if (gid !== process.getuid?.()) return false;
  try {
    return !hasOthers(gid, {
      group: readFileSync("/etc/group", "latin1"),
      passwd: readFileSync("/etc/passwd", "latin1"),
    });
  } catch {
    return false;
  }
}

/**
 * True if a group has a member other than the user with the same id (group(5), passwd(5)). Root does not count. Users
 * that only a directory service knows are not in these files.
 */
export function hasOthers(
  gid: number,
  { group, passwd }: { readonly group: string; readonly passwd: string },
): boolean {
  const users = passwd.split("\n").map((line) => line.split(":"));
  const own = users.find(([, , uid]) => uid === `${gid}`)?.[0];
  const members = group
    .split("\n")
    .map((line) => line.split(":"))
    .filter(([, , number]) => number === `${gid}`)
    .flatMap(([, , , names = ""]) => names.split(","));
  const others = users.filter(([, , , number]) => number === `${gid}`).map(([name]) => name);
  return [...members, ...others].some((name) => name && name !== own && name !== "root");
}
