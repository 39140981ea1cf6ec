import { readFileSync, type Stats, statSync } from "node:fs";
import { foldersUp } from "../lib/paths.ts";

/** Windows has neither modes nor numbers of users. */
export const HAS_MODES = process.getuid !== undefined;

/** True for what this user made; on Windows for all. */
export function isOwn({ uid }: Pick<Stats, "uid">): boolean {
  return uid === (process.getuid?.() ?? uid);
}

/** True where others can exchange an entry of the directory that is ours: it is theirs, or open to them. */
export function isOpenToOthers(stats: Pick<Stats, "uid" | "mode">): boolean {
  if (!HAS_MODES) return false;
  const isTheirs = !isOwn(stats) && stats.uid !== 0;
  // In a sticky one, such as /tmp, each can exchange what is his own.
  return isTheirs || ((stats.mode & 0o022) !== 0 && (stats.mode & 0o1000) === 0);
}

/**
 * True where another user could exchange what is in a directory, or the directory itself.
 *
 * @param path absolute; the nearest existing folder counts.
 */
export function isExchangeable(path: string): boolean {
  for (const each of foldersUp(path).reverse()) {
    const stats = statSync(each, { throwIfNoEntry: false });
    // Who can make it can make what is below it.
    if (stats === undefined) return false;
    const { uid, gid, mode: written } = stats;
    // Two files are read for it: only where it decides.
    const isOfGroup = (written & 0o1020) === 0o020;
    const mode = isOfGroup && isAlone(gid) ? written & ~0o070 : written;
    if (isOpenToOthers({ uid, mode })) return true;
    // Nobody else gets any further.
    if ((mode & 0o011) === 0) return false;
  }
  return false;
}

/** True for the group of the user's own number, as Linux makes users (login.defs USERGROUPS_ENAB), that nobody else is in. */
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
 * True for a group with a member besides the user of its number (group(5), passwd(5)). Root may do all anyway. What a
 * directory service knows is not in the files.
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
