import { basename, dirname, relative, sep } from "node:path";
import { type Hint, hint, own, run } from "../errors/hint.ts";
import type { Snapshot } from "../host/host.ts";
import { isInside } from "../lib/paths.ts";
import { textAt } from "./file-text.ts";
import type { Finding } from "./finding.ts";
import { finding } from "./findings.ts";

/** Where a run may write. */
export interface Bounds {
  /** The git root; outside git the config's folder. What lies outside is not the repo's. */
  readonly top: string;
  /** Why a folder cannot be written to, by folder. */
  readonly blocked: ReadonlyMap<string, string>;
  /** Files that git has and this sparse checkout does not: they are there for everybody else. */
  readonly notHere: ReadonlySet<string>;
}

/** Why a file cannot be written, whatever we would write. */
export function obstacles({ blocked, top, notHere }: Bounds, snapshot: Snapshot): Finding[] {
  const { path, target } = snapshot;
  const link = linkOut(snapshot);
  // Another repo's git would obey what is written there, too.
  if (link !== undefined) return [isOfGit(target) ? inGit(snapshot) : leadsOut(snapshot, link)];
  if (textAt(snapshot) === undefined) {
    const why = snapshot.kind === "unusable" ? snapshot.why : nameOf(snapshot);
    return [
      finding("file.unusable", `${path} is ${why}.`, {
        where: path,
        fix: hint`Move ${path} away.`,
      }),
    ];
  }
  if (!isInside(target, top)) {
    return [
      finding("file.outside", `${path} is outside the repo, in ${dirname(target)}.`, {
        where: path,
        fix: hint`${own("hook", "install", "--force")} writes there anyway.`,
      }),
    ];
  }
  if (isOfGit(relative(top, target))) return [inGit(snapshot)];
  if (snapshot.kind === "absent" && notHere.has(target)) return [notCheckedOut(path, top)];
  const why = blocked.get(dirname(target));
  if (why === undefined) return [];
  return [
    finding("file.not-writable", `${path} cannot be written: ${why}.`, {
      where: path,
      fix: hint`Fix the folder's permissions or owner.`,
    }),
  ];
}

function isOfGit(path: string): boolean {
  return path.split(sep).some((name) => name.toLowerCase() === ".git");
}

/** A file that a sparse checkout leaves out: git has it, so that it is neither made anew nor replaced. */
export function notCheckedOut(path: string, top: string): Finding {
  const [folder = ".", name] = [dirname, basename].map((part) => part(relative(top, path)));
  // In cone mode, which takes folders, the files at the top are always there.
  const pattern = folder === "." ? `/${name}` : folder.split(sep).join("/");
  const message = `This sparse checkout leaves out ${path}.`;
  const fix = hint`${run("git", "sparse-checkout", "add", pattern)}`;
  return finding("file.not-checked-out", message, { where: path, fix });
}

/** git would obey what is written there. */
function inGit({ path, target }: Snapshot): Finding {
  return finding("file.in-git", `${path} is a link into git's own folder: ${target}.`, {
    where: path,
    fix: hint`Remove the link.`,
  });
}

/** The link on the way to a file that leads out of the repo: nothing is read or written by it. */
export function linkOut(snapshot: Snapshot): string | undefined {
  return "link" in snapshot ? snapshot.link : undefined;
}

/** The same, where there is something at its end that would be read. */
export function unreadByLink(snapshot: Snapshot): string | undefined {
  return snapshot.kind === "unusable" ? snapshot.link : undefined;
}

/**
 * A file that is not read, nor written, as a link leads out of the repo (docs/design.md rule 4).
 *
 * @param instead what else a person can do.
 */
export function leadsOut({ path, target }: Snapshot, link: string, instead?: Hint): Finding {
  const by = link === path ? "" : ` (through the link ${link})`;
  const remove = hint`Remove the link (${{ remove: { path: link } }}) and put a real file there`;
  return finding("file.outside", `${path} resolves outside the repo: ${target}${by}.`, {
    where: path,
    fix: instead === undefined ? hint`${remove}.` : hint`${remove}, or ${instead}.`,
  });
}

/** Where a token may be instead, of which a link leads to the file. */
export const INSTEAD_OF_ENV_FILE = hint`set the token in the environment or use token.command in the config`;

/** A generated file that somebody edited is left alone (rule 4). */
export function yoursNow(path: string): Finding {
  const message = `${path} was edited after it was generated, so it was not changed.`;
  return finding("terraform.edited", message, { where: path });
}

/** A file of values that we would add to, were it what its name says. */
export function noJson(path: string): Finding {
  return finding("file.unusable", `${path} is not a JSON object.`, {
    where: path,
    fix: hint`Fix it, or move ${path} away.`,
  });
}

function nameOf(snapshot: Snapshot): string {
  return snapshot.kind === "fifo"
    ? "a FIFO, which do-bootstrap does not write to"
    : "not a text file";
}
