import { resolve } from "node:path";
import type { Files } from "../host/host.ts";
import { jsonIn, recordOf } from "../lib/json.ts";
import { isInside } from "../lib/paths.ts";
import { allows } from "../lib/version.ts";
import { decode } from "../secret/content.ts";

/** A call of a remote module in the code. */
export interface RemoteCall {
  /** Such as "module.network.module.vpc". */
  readonly address: string;
  readonly source: string;
  /** The version constraint; undefined: none. */
  readonly version: string | undefined;
}

export interface InstalledModules {
  /** The real path of the folder with all installed modules. Nothing outside it is read. */
  readonly within: string;
  /**
   * @returns the folder of the module for this call; undefined if init has not installed it, or has installed another
   *   one.
   */
  readonly folderOf: (call: RemoteCall) => Promise<string | undefined>;
}

/**
 * What `terraform init` has installed, according to its own list. The list is not trusted: it may come from the repo.
 */
export async function installedModules(
  files: Pick<Files, "look" | "realpath">,
  root: string,
  data: string,
): Promise<InstalledModules> {
  const modules = resolve(data, "modules");
  const [within, list] = await Promise.all([
    files.realpath(modules),
    files.look(resolve(modules, "modules.json")),
  ]);
  const text = list.kind === "file" ? decode(list.bytes)?.text : undefined;
  const known = new Map<unknown, Readonly<Record<string, unknown>>>();
  const { Modules: entries } = recordOf(jsonIn(text ?? ""));
  for (const entry of Array.isArray(entries) ? entries : []) {
    const found = recordOf(entry);
    known.set(found["Key"], found);
  }
  return {
    within,
    async folderOf({ address, source, version }) {
      const found = known.get(address.replaceAll(/(^|\.)module\./g, "$1"));
      if (found === undefined) return undefined;
      const { Source: from, Version: release, Dir: dir } = found;
      if (typeof from !== "string" || typeof dir !== "string") return undefined;
      if (!isSameSource(source, from) || !isAllowed(version, release)) return undefined;
      if (dir.length > LONGEST_PATH) return undefined;
      const folder = resolve(root, dir);
      const real = await files.realpath(folder);
      return real !== within && isInside(real, within) ? folder : undefined;
    },
  };
}

const LONGEST_PATH = 4096;

/** A constraint that we can't parse may exclude any release. A prerelease is never allowed. */
function isAllowed(constraint: string | undefined, release: unknown): boolean {
  if (constraint === undefined) return true;
  const isReadable = constraint.split(",").every((term) => CONSTRAINT.test(term.trim()));
  const isRelease = typeof release === "string" && /^\d+\.\d+\.\d+$/.test(release);
  return isReadable && isRelease && allows([constraint], release);
}

const CONSTRAINT = /^(?:>=|<=|!=|~>|=|>|<)?\s*v?\d+(\.\d+){0,2}$/;

/** Compares full forms: Terraform records a source with its short form expanded. */
function isSameSource(written: string, noted: string): boolean {
  return inFull(written.trim()) === inFull(noted);
}

const OWN_REGISTRY = /^registry\.(terraform\.io|opentofu\.org)\//;

function inFull(source: string): string {
  const [path = "", ...query] = source.replace(OWN_REGISTRY, "").split("?");
  const plain = [path.endsWith("/") ? path.slice(0, -1) : path, ...query].join("?");
  const short = /^(?:github\.com|bitbucket\.org)\/[^/?]+\/[^/?]+/.exec(plain)?.[0];
  if (short !== undefined) {
    return `git::https://${short.replace(/\.git$/, "")}.git${plain.slice(short.length)}`;
  }
  const [all, user, host] = /^(?:git::)?([\w.-]+)@([\w.-]+):(?!\/\/)/.exec(plain) ?? [];
  if (all === undefined) return plain;
  return `git::ssh://${user}@${host}/${plain.slice(all.length)}`;
}
