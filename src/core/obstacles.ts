import { dirname, relative, sep } from "node:path";
import { hint, own } from "../errors/hint.ts";
import type { Snapshot } from "../host/host.ts";
import { isInside } from "../lib/paths.ts";
import type { Consent } from "./consent.ts";
import { textAt } from "./file-text.ts";
import type { Finding } from "./finding.ts";
import { finding } from "./findings.ts";

/** Where a run may write. */
export interface Bounds {
  /** The git root; outside git the config's folder. What lies outside is not the repo's. */
  readonly top: string;
  /** Why a folder cannot be written to, by folder. */
  readonly blocked: ReadonlyMap<string, string>;
}

/** Why a file cannot be written, whatever we would write. */
export function obstacles(
  { blocked, top }: Bounds,
  snapshot: Snapshot,
  { force }: Pick<Consent, "force">,
): Finding[] {
  const { path, target } = snapshot;
  if (textAt(snapshot) === undefined) {
    const why = snapshot.kind === "unusable" ? snapshot.why : nameOf(snapshot);
    return [
      finding("file.unusable", `${path} is ${why}.`, {
        where: path,
        fix: hint`Move ${path} away.`,
      }),
    ];
  }
  // A symlink inside the repo is followed; one that leads out of it is only read (rule 4).
  if (!isInside(target, top) && !force) {
    return [
      finding("file.outside", `${path} leads out of the repo, to ${target}.`, {
        where: path,
        fix: hint`${own("--force")} writes there all the same.`,
      }),
    ];
  }
  // git would obey what is written there; also where a link leads out of the repo, to another one.
  const below = isInside(target, top) ? relative(top, target) : target;
  if (below.split(sep).some((name) => name.toLowerCase() === ".git")) {
    return [
      finding("file.in-git", `${path} leads into git's own folder, to ${target}.`, {
        where: path,
        fix: hint`Remove the link.`,
      }),
    ];
  }
  const why = blocked.get(dirname(target));
  if (why === undefined) return [];
  return [
    finding("file.not-writable", `${path} cannot be written: ${why}.`, {
      where: path,
      fix: hint`Fix the folder's permissions or owner.`,
    }),
  ];
}

/** A generated file that somebody edited is left alone (rule 4). */
export function yoursNow(path: string): Finding {
  const message = `${path} was edited since it was generated: it is yours now.`;
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
  return snapshot.kind === "fifo" ? "a FIFO, which is read and never written" : "not a text file";
}
