import { loadConfig } from "../../concerns/config/load.ts";
import { computedPath } from "../../concerns/doctl/config-path.ts";
import { findGitFolder } from "../../concerns/git/git.ts";
import type { Host } from "../../host/host.ts";

/** What a shell completes that only the machine knows. */
export const LISTS = ["environments", "contexts"] as const;
export type List = (typeof LISTS)[number];

type ListHost = Pick<Host, "cwd" | "env" | "files" | "home" | "platform" | "records">;

/**
 * The names to complete with, and nothing else of the files that they stand in. No tool is run, git
 * included, and nothing is waited for.
 *
 * @returns none where a file cannot be read: this is no place for an error.
 */
export async function namesFor(list: List, host: ListHost): Promise<readonly string[]> {
  try {
    const names = list === "environments" ? await environments(host) : await contexts(host);
    // Anything else could come to life in a shell.
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
