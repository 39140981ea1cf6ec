import { dirname, isAbsolute, join, relative } from "node:path";
import { environmentOutside } from "../../core/outside-environment.ts";
import type { FileSnapshot, Host, ToolCall, ToolResult } from "../../host/host.ts";
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
