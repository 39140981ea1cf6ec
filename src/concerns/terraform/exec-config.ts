import { join } from "node:path";
import type { ExecConfig } from "../../exec/exec-config.ts";
import { SECRET_TFVARS } from "../config/protected-paths.ts";
import type { ResolvedConfig } from "../config/resolved.ts";
import { needsOf } from "./root/needs.ts";
import type { TerraformRoot } from "./root/root.ts";

/** What `exec` follows from in this config and these roots. */
export function execConfigOf(
  { base, environment, token, roots: written }: ResolvedConfig,
  roots: readonly TerraformRoot[],
): ExecConfig {
  const needs = roots.map((root) => ({ dir: root.config.dir, ...needsOf(root) }));
  const own = needs.filter(
    ({ credentials, lacksTokenVariable }) => credentials === "tfvars" && !lacksTokenVariable,
  );
  return {
    base,
    environment,
    tokenName: token.name,
    envFile: token.envFile,
    hasBackend: written.some(({ backend }) => backend !== undefined),
    variables: [...new Set(own.map(({ variable }) => variable))],
    secretFiles: needs.map(({ dir, variable }) => ({ path: join(dir, SECRET_TFVARS), variable })),
    workspaces: written.flatMap(({ dir, workspace }) =>
      environment === undefined || workspace === undefined ? [] : { dir, workspace },
    ),
  };
}
