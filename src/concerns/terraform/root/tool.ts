import { toldBy } from "../../../core/told.ts";
import { toolEnvironment } from "../../../core/tool-environment.ts";
import type { ToolName } from "../../../hcl/code-files.ts";
import type { Host, ToolSearch } from "../../../host/host.ts";
import { isOlder } from "../../../lib/version.ts";
import { EPHEMERAL_SINCE } from "./names.ts";
import type { TerraformRoot } from "./root.ts";

export interface TerraformTool {
  readonly name: ToolName;
  readonly path: string;
  /** Such as "1.11.4"; undefined if the tool did not report it. */
  readonly version: string | undefined;
}

/** The location of a root's tool. */
export interface LocatedTool extends Pick<TerraformTool, "name" | "path"> {
  /** From `which`; undefined: a version manager's shim, which chooses the program by the root's folder. */
  readonly program: string | undefined;
}

type AskingHost = Pick<Host, "env" | "run" | "records" | "clock">;

/**
 * Finds the installed tool for each root: the tool that the root is for. If that is not certain, the other one is the
 * fallback.
 *
 * @param notIn tools inside this folder are not used.
 */
export async function locateTools(
  { which }: Pick<Host, "which">,
  roots: readonly TerraformRoot[],
  notIn: string,
): Promise<{ located: ReadonlyMap<string, LocatedTool>; skipped: readonly string[] }> {
  const searches = new Map<ToolName, ToolSearch>();
  const located = new Map<string, LocatedTool>();
  for (const { tool, isCertain, config } of roots) {
    const other: ToolName = tool === "terraform" ? "tofu" : "terraform";
    for (const name of isCertain ? [tool] : [tool, other]) {
      const search = searches.get(name) ?? (await which(name, notIn));
      searches.set(name, search);
      const { path, program } = search;
      if (path === undefined) continue;
      located.set(config.dir, { name, path, program });
      break;
    }
  }
  const skipped = [...searches.values()].flatMap((search) => search.skipped);
  return { located, skipped };
}

/**
 * Asks the tool of each root for its release. A shim runs in the root's folder, once for all roots with the same
 * version settings. It does not run at all if it may obey files from the repo.
 *
 * @param brings whether the repo has files that a shim may obey in that root.
 */
export async function askTools(
  host: AskingHost,
  roots: readonly TerraformRoot[],
  located: ReadonlyMap<string, LocatedTool>,
  brings: (dir: string) => boolean,
): Promise<ReadonlyMap<string, TerraformTool>> {
  const answers = new Map<string, Promise<string | undefined>>();
  const tools = roots.map(async ({ config: { dir }, module, versionFiles }) => {
    const tool = located.get(dir);
    if (tool === undefined) return [];
    const { name, path, program } = tool;
    const told = JSON.stringify([versionFiles, module.requiredVersions]);
    const key = program ?? `${path}\n${told}`;
    const ask = () =>
      program === undefined && brings(dir)
        ? Promise.resolve(undefined)
        : toldBy(host, program, "version", () => versionOf(host, path, program ? "/" : dir));
    const answer = answers.get(key) ?? ask();
    answers.set(key, answer);
    return [[dir, { name, path, version: await answer }] as const];
  });
  return new Map((await Promise.all(tools)).flat());
}

/** Stops version managers from prompting, installing or recording anything. */
export const AS_IT_IS = {
  TFENV_AUTO_INSTALL: "false",
  TOFUENV_AUTO_INSTALL: "false",
  TENV_AUTO_INSTALL: "false",
  TENV_SKIP_LAST_USE: "true",
  MISE_AUTO_INSTALL: "false",
  MISE_EXEC_AUTO_INSTALL: "false",
  MISE_NOT_FOUND_AUTO_INSTALL: "false",
  MISE_YES: "false",
};

/** True for a tool without ephemeral variables (docs/contracts/terraform.md 3.2). */
export function isTooOld(tool: TerraformTool): boolean {
  return isToolOlder(tool, EPHEMERAL_SINCE[tool.name]);
}

/** A tool that did not report its release counts as new enough. */
export function isToolOlder({ version }: Pick<TerraformTool, "version">, since: string): boolean {
  return version !== undefined && isOlder(version, since);
}

async function versionOf({ run, env }: AskingHost, file: string, cwd: string) {
  const { stdout } = await run({
    file,
    args: ["version", "-json"],
    env: toolEnvironment(env, { CHECKPOINT_DISABLE: "1", ...AS_IT_IS }),
    // In the repo, the tool would read a lock file.
    cwd,
    timeoutMs: 10_000,
  });
  return /"terraform_version"\s*:\s*"(\d+\.\d+\.\d+)/.exec(stdout)?.[1];
}
