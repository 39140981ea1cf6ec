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

/** The installed tool: the one that config names, else terraform, else tofu. */
export async function findTerraform(
  host: Pick<Host, "env" | "run" | "which">,
  wanted: TerraformRootConfig["tool"],
  notIn: string,
): Promise<{ tool: TerraformTool | undefined; skipped: readonly string[] }> {
  const skipped: string[] = [];
  for (const name of wanted === undefined ? (["terraform", "tofu"] as const) : [wanted]) {
    const found = await host.which(name, notIn);
    skipped.push(...found.skipped);
    if (found.path === undefined) continue;
    return {
      tool: { name, path: found.path, version: await versionOf(host, found.path) },
      skipped,
    };
  }
  return { tool: undefined, skipped };
}

/** True for a tool that does not know ephemeral variables (docs/contracts/terraform.md 3.2). */
export function isTooOld(tool: TerraformTool): boolean {
  return isToolOlder(tool, EPHEMERAL_SINCE[tool.name]);
}

/** A tool that did not say its release counts as new enough. */
export function isToolOlder({ version }: Pick<TerraformTool, "version">, since: string): boolean {
  return version !== undefined && isOlder(version, since);
}

async function versionOf({ run, env }: Pick<Host, "env" | "run">, file: string) {
  const { stdout } = await run({
    file,
    args: ["version", "-json"],
    env: toolEnvironment(env, { CHECKPOINT_DISABLE: "1" }),
    // Not in the repo, whose lock file it would read.
    cwd: "/",
    timeoutMs: 10_000,
  });
  return /"terraform_version"\s*:\s*"(\d+\.\d+\.\d+)/.exec(stdout)?.[1];
}
