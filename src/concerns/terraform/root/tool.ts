import { toldBy } from "../../../core/told.ts";
import { toolEnvironment } from "../../../core/tool-environment.ts";
import type { Host } from "../../../host/host.ts";
import { isOlder } from "../../../lib/version.ts";
import type { TerraformRootConfig } from "../../config/resolved.ts";
import { EPHEMERAL_SINCE } from "./names.ts";

export interface TerraformTool {
  readonly name: "terraform" | "tofu";
  readonly path: string;
  /** Such as "1.11.4"; undefined when the tool did not say. */
  readonly version: string | undefined;
}

/**
 * The installed tool: the one that config names, else terraform, else tofu.
 *
 * @param folder where a version manager's shim is asked which release it would start.
 */
export async function findTerraform(
  host: AskingHost & Pick<Host, "which">,
  { wanted, notIn, folder }: Wanted,
): Promise<{ tool: TerraformTool | undefined; skipped: readonly string[] }> {
  const skipped: string[] = [];
  for (const name of wanted === undefined ? (["terraform", "tofu"] as const) : [wanted]) {
    const found = await host.which(name, notIn);
    skipped.push(...found.skipped);
    if (found.path === undefined) continue;
    const { path, program } = found;
    const ask = async () => versionOf(host, path, program === undefined ? await folder() : "/");
    const version = await toldBy(host, program, "version", ask);
    return { tool: { name, path, version }, skipped };
  }
  return { tool: undefined, skipped };
}

/** What tfenv, tenv and mise would install to answer. */
export const NO_DOWNLOAD = {
  TFENV_AUTO_INSTALL: "false",
  TENV_AUTO_INSTALL: "false",
  MISE_NOT_FOUND_AUTO_INSTALL: "false",
};

interface Wanted {
  readonly wanted: TerraformRootConfig["tool"];
  /** No tool of that folder. */
  readonly notIn: string;
  readonly folder: () => Promise<string>;
}

type AskingHost = Pick<Host, "env" | "run" | "records" | "clock">;

/** True for a tool that does not know ephemeral variables (docs/contracts/terraform.md 3.2). */
export function isTooOld(tool: TerraformTool): boolean {
  return isToolOlder(tool, EPHEMERAL_SINCE[tool.name]);
}

/** A tool that did not say its release counts as new enough. */
export function isToolOlder({ version }: Pick<TerraformTool, "version">, since: string): boolean {
  return version !== undefined && isOlder(version, since);
}

async function versionOf({ run, env }: AskingHost, file: string, cwd: string) {
  const { stdout } = await run({
    file,
    args: ["version", "-json"],
    env: toolEnvironment(env, { CHECKPOINT_DISABLE: "1", ...NO_DOWNLOAD }),
    // In the repo the tool itself would read a lock file.
    cwd,
    timeoutMs: 10_000,
  });
  return /"terraform_version"\s*:\s*"(\d+\.\d+\.\d+)/.exec(stdout)?.[1];
}
