import { basename, dirname, relative, sep } from "node:path";
import { type Hint, hint, own, run } from "../errors/hint.ts";
import type { Snapshot } from "../host/host.ts";
import { isInside } from "../lib/paths.ts";
import { textAt } from "./file-text.ts";
import type { Finding } from "./finding.ts";
import { finding } from "./findings.ts";

/** Where a run may write. */
export interface Bounds {
  /** The git root; outside git, the config's folder. Everything outside it does not belong to the repo. */
  readonly top: string;
  /** Why a folder cannot be written to, by folder. */
  readonly blocked: ReadonlyMap<string, string>;
  /** Files that git has but this sparse checkout leaves out: other clones have them. */
  readonly notHere: ReadonlySet<string>;
}

/** Why a file cannot be written, whatever the content. */
export function obstacles({ blocked, top, notHere }: Bounds, snapshot: Snapshot): Finding[] {
  const { path, target } = snapshot;
  const link = linkOut(snapshot);
  // The git of another repo would also obey what is written there.
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

/** A file that a sparse checkout leaves out. git has it, so it is neither created nor replaced. */
export function notCheckedOut(path: string, top: string): Finding {
  const [folder = ".", name] = [dirname, basename].map((part) => part(relative(top, path)));
  // In cone mode, which takes folders, the files at the top are always checked out.
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

/** The link in a file's path whose target is outside the repo. Nothing is read or written through it. */
export function linkOut(snapshot: Snapshot): string | undefined {
  return "link" in snapshot ? snapshot.link : undefined;
}

/** The same link, if there is something at its end that would be read. */
export function unreadByLink(snapshot: Snapshot): string | undefined {
  return snapshot.kind === "unusable" ? snapshot.link : undefined;
}

/**
 * A file that is neither read nor written, because a link puts it outside the repo (docs/design.md rule 4).
 *
 * @param instead what else a person can do.
 */
export function leadsOut({ path, target }: Snapshot, link: string, instead?: Hint): Finding {
  const by = link === path ? "" : ` (through the link ${link})`;
  const remove = hint`Remove the link (${{ remove: { path: link } }}) and put a real file there`;
  return finding("file.outside", `${path} resolves outside the repo: ${target}${by}.`, {
    where: path,
    fix: instead === undefined ? hint`${remove}.` : hint`${remove}. ${instead}`,
  });
}

/** Where to put a token instead if the env file is reached through such a link. */
export const INSTEAD_OF_ENV_FILE = hint`Or set the token in the environment, or token.command in the config.`;

/** A generated file that was edited is left unchanged (rule 4). */
export function yoursNow(path: string): Finding {
  const message = `${path} was edited after it was generated, so it is not changed.`;
  return finding("terraform.edited", message, { where: path });
}

/** A JSON file of values that we would add to, but that does not contain a JSON object. */
export function noJson(path: string): Finding {
  return finding("file.unusable", `${path} is not a JSON object.`, {
    where: path,
    fix: hint`Fix it, or move ${path} away.`,
  });
}

function nameOf(snapshot: Snapshot): string {
  if (snapshot.kind === "fifo") return "a FIFO, which do-bootstrap does not write to";
  if (snapshot.kind !== "file") return "not a text file";
  const text = snapshot.bytes.toString("latin1");
  if (WIDE.test(text)) return "a text in UTF-16, and has to be in UTF-8";
  return PARTLY_WIDE.test(text) ? "partly in UTF-16, and has to be in UTF-8" : "not a text file";
}

/** The > of Windows PowerShell, with or without a mark. Nothing that reads env files or JSON reads it. */
const WIDE = /^(?:\xff\xfe|\xfe\xff|(?:[\t\n\r -~]\0){4}|(?:\0[\t\n\r -~]){4})/;
/** Its >> writes so at the end of a file in UTF-8. */
const PARTLY_WIDE = /(?:[\t\n\r -~]\0){4}/;
