import { delimiter, isAbsolute } from "node:path";
import type { Environment, Host } from "../host/host.ts";
import { isInside, namesPath } from "../lib/paths.ts";

/**
 * The environment without variables whose value leads into the repo, such as BASH_ENV or NODE_OPTIONS. PATH only loses
 * the folders in the repo, and relative ones. Other relative paths are not checked.
 *
 * @param top the repo, without symlinks.
 */
export async function environmentOutside(
  { env, files }: Pick<Host, "env" | "files">,
  top: string,
): Promise<Environment> {
  const leadsIn = async (path: string) =>
    isInside(path, top) || isInside(await files.realpath(path), top);
  const kept = Object.entries(env).map(async ([name, value = ""]) => {
    if (/^path$/i.test(name)) {
      const folders = value.split(delimiter).filter(isAbsolute);
      const isIn = await Promise.all(folders.map(leadsIn));
      return [[name, folders.filter((_, at) => !isIn[at]).join(delimiter)] as const];
    }
    const full = inFull(value, env);
    // A shell would run the commands in it.
    if (/^(BASH_)?ENV$/.test(name) && /[$`]/.test(full)) return [];
    const isIn = await Promise.all(pathsIn(full).map(leadsIn));
    const isOfFolder = name === "PWD" || name === "OLDPWD";
    const isOut = !isOfFolder && !isIn.includes(true) && !namesPath(value, top);
    return isOut ? [[name, value] as const] : [];
  });
  return Object.fromEntries((await Promise.all(kept)).flat());
}

/** Expands a value as a shell expands BASH_ENV and ENV. */
function inFull(value: string, env: Environment): string {
  return value
    .replace(/\$(?:(\w+)|\{(\w+)\})/g, (all, plain, braced) => env[plain ?? braced] ?? all)
    .replace(/(?<=^|[\s:=])~(?=\/)/g, () => env["HOME"] ?? "~");
}

/** Finds the paths in values such as -I/a, file:///a, --require=/a:/b. */
function pathsIn(value: string): string[] {
  const parts = [value, ...value.split(/[\s:;,="']+/)];
  const paths = parts.flatMap((part) =>
    isAbsolute(part) ? part : (/\/.*/s.exec(part)?.[0] ?? []),
  );
  return [...new Set(paths)];
}
