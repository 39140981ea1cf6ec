import { loadConfig } from "../../concerns/config/load.ts";
import { computedPath } from "../../concerns/doctl/config-path.ts";
import { findGitFolder } from "../../concerns/git/git.ts";
import type { Host } from "../../host/host.ts";

/** The lists of names that depend on the machine. */
export const LISTS = ["environments", "contexts"] as const;
export type List = (typeof LISTS)[number];

type ListHost = Pick<Host, "cwd" | "env" | "files" | "home" | "platform" | "records">;

/**
 * The names to complete with, and nothing else from the files that contain them. Runs no tool, not even git, and waits
 * for nothing.
 *
 * @returns none if a file cannot be read: completion must not print errors.
 */
export async function namesFor(list: List, host: ListHost): Promise<readonly string[]> {
  try {
    const names = list === "environments" ? await environments(host) : await contexts(host);
    // A shell might expand or execute other names.
    return names.filter((name) => /^[\w@+][\w.@+-]*$/.test(name));
  } catch {
    return [];
  }
}

async function environments(host: ListHost): Promise<readonly string[]> {
  const top = (await findGitFolder(host, host.cwd)) ?? host.cwd;
  const { written } = await loadConfig(host, host.cwd, top);
  return Object.keys(written.environments ?? {});
}

async function contexts(host: ListHost): Promise<readonly string[]> {
  const path = host.env["DIGITALOCEAN_CONFIG"] || computedPath(host);
  if (path === undefined) return [];
  const snapshot = await host.files.look(path);
  if (snapshot.kind !== "file") return [];
  const { readDoctlConfig } = await import("../../concerns/doctl/config-file.ts");
  return [...(readDoctlConfig(snapshot.bytes.toString("utf8"))?.contexts.keys() ?? [])];
}
