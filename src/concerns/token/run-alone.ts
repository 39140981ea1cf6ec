import { delimiter, dirname, isAbsolute, join, relative } from "node:path";
import type { Environment, FileSnapshot, Host, ToolCall, ToolResult } from "../../host/host.ts";
import { isInside, namesPath } from "../../lib/paths.ts";
import { wholeEnvironment } from "../../secret/child-environment.ts";

export interface Alone {
  /** The folder of the config, absolute. */
  readonly base: string;
  /** The git root; outside git the same. */
  readonly top: string;
  /** All that there is of the repo for the command. */
  readonly files: readonly FileSnapshot[];
  /** Where the private folder is made: outside every checkout. */
  readonly parent: string;
}

/**
 * Runs a command in a private folder that holds a copy of some files of the repo, with an environment
 * that does not lead into the repo. What changes in the repo meanwhile, or lies there unnamed, is not
 * run: it is not there.
 *
 * @param program an absolute path, or one relative to `base`.
 * @returns with the variables that the command did not get.
 * @throws AppError WRITE_FAILED
 */
export async function runAlone(
  host: Pick<Host, "env" | "files" | "run">,
  program: string,
  call: Omit<ToolCall, "file" | "cwd" | "env">,
  { base, top, files, parent }: Alone,
): Promise<ToolResult & { readonly withheld: readonly string[] }> {
  const env = await environmentOutside(host, top);
  const withheld = Object.keys(host.env).filter((name) => !(name in env));
  return host.files.withOwnFolder(parent, async (folder) => {
    const copyOf = (path: string) => join(folder, "repo", relative(top, path));
    const cwd = copyOf(base);
    await host.files.makeDirectory(cwd, 0o700);
    for (const { path, bytes, mode } of files) {
      const copy = copyOf(path);
      await host.files.makeDirectory(dirname(copy), 0o700);
      const before = await host.files.look(copy);
      await host.files.replace(before, bytes, (mode & 0o111) === 0 ? 0o600 : 0o700);
    }
    const file = isAbsolute(program) ? program : join(cwd, program);
    return { ...(await host.run({ ...call, file, cwd, env: wholeEnvironment(env) })), withheld };
  });
}

/**
 * The environment without what leads into the repo, such as BASH_ENV or NODE_OPTIONS; PATH loses those
 * folders only. A relative path leads nowhere from the private folder.
 */
async function environmentOutside(
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
    const isIn = await Promise.all(pathsIn(inFull(value, env)).map(leadsIn));
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
