import { delimiter, isAbsolute } from "node:path";
import type { Environment, Host } from "../host/host.ts";
import { isInside, namesPath } from "../lib/paths.ts";

/**
 * The environment without what leads into the repo, such as BASH_ENV or NODE_OPTIONS; PATH loses those
 * folders only. Where a relative path leads is not looked at.
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
    // A shell would run what stands in it.
    if (/^(BASH_)?ENV$/.test(name) && /[$`]/.test(full)) return [];
    const isIn = await Promise.all(pathsIn(full).map(leadsIn));
    const isOfFolder = name === "PWD" || name === "OLDPWD";
    const isOut = !isOfFolder && !isIn.includes(true) && !namesPath(value, top);
    return isOut ? [[name, value] as const] : [];
  });
  return Object.fromEntries((await Promise.all(kept)).flat());
}

/** As a shell expands BASH_ENV and ENV. */
function inFull(value: string, env: Environment): string {
  return value
    .replace(/\$(?:(\w+)|\{(\w+)\})/g, (all, plain, braced) => env[plain ?? braced] ?? all)
    .replace(/(?<=^|[\s:=])~(?=\/)/g, () => env["HOME"] ?? "~");
}

/** Such as of -I/a, file:///a, --require=/a:/b. */
function pathsIn(value: string): string[] {
  const parts = [value, ...value.split(/[\s:;,="']+/)];
  const paths = parts.flatMap((part) =>
    isAbsolute(part) ? part : (/\/.*/s.exec(part)?.[0] ?? []),
  );
  return [...new Set(paths)];
}
