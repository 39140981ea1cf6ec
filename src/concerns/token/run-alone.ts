import { dirname, isAbsolute, join, relative } from "node:path";
import { environmentOutside } from "../../core/outside-environment.ts";
import type { FileSnapshot, Host, ToolCall, ToolResult } from "../../host/host.ts";
import { wholeEnvironment } from "../../secret/child-environment.ts";

export interface Alone {
  /** The config's folder, absolute. */
  readonly base: string;
  /** The git root; outside git, the config's folder. */
  readonly top: string;
  /** The only files of the repo that the command gets. */
  readonly files: readonly FileSnapshot[];
  /** Where to create the private folder: outside every checkout. */
  readonly parent: string;
}

/**
 * Runs a command in a private folder with copies of some repo files, in an environment that does not point into the
 * repo. Later changes to the repo, and files that nothing names, are not in the folder, so they cannot run.
 *
 * @param program an absolute path, or one relative to `base`.
 * @returns the result, with the names of the variables that the command did not get.
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
    for (const { path, bytes, mode = 0o700 } of files) {
      const copy = copyOf(path);
      await host.files.makeDirectory(dirname(copy), 0o700);
      const before = await host.files.look(copy);
      await host.files.replace(before, bytes, (mode & 0o111) === 0 ? 0o600 : 0o700);
    }
    const file = isAbsolute(program) ? program : join(cwd, program);
    return { ...(await host.run({ ...call, file, cwd, env: wholeEnvironment(env) })), withheld };
  });
}
