import { join } from "node:path";
import { textIn } from "../../core/file-text.ts";
import type { ExecConfig, StrangeBlock } from "../../exec/exec-config.ts";
import { SECRET_TFVARS } from "../config/protected-paths.ts";
import type { ResolvedConfig } from "../config/resolved.ts";
import { isForgedBackend } from "./root/backend.ts";
import { isForSpaces, keyVariablesOf } from "./root/keys.ts";
import { needsOf } from "./root/needs.ts";
import { providerOf } from "./root/provider.ts";
import type { StrangeProvider } from "./root/provider-hosts.ts";
import type { TerraformRoot } from "./root/root.ts";

/** What `exec` needs to know of this config and these roots, except doctl. */
export function execConfigOf(
  { base, environment, token, envFiles, roots: written, othersRoots }: ResolvedConfig,
  roots: readonly TerraformRoot[],
): ExecConfig {
  const needs = roots.map((root) => ({ dir: root.config.dir, root, ...needsOf(root) }));
  const own = needs.filter(
    ({ root, credentials, lacksTokenVariable }) =>
      (credentials === "tfvars" && !lacksTokenVariable) || hasVariable(root),
  );
  return {
    base,
    environment,
    tokenName: token.name,
    login: token.doctl,
    envFile: token.envFile,
    hasBackend: written.some(({ backend }) => backend !== undefined) || roots.some(isForSpaces),
    strangeBackends: roots.flatMap(strangeBackend),
    strangeProviders: roots.flatMap(({ module, at }) => module.strangeProviders.map(placedAt(at))),
    otherApis: roots.flatMap(({ module, at }) => module.otherApis.map(placedAt(at))),
    keyVariables: roots.flatMap(keyVariablesOf),
    variables: [...new Set(own.map(({ variable }) => variable))],
    secretFiles: needs.map(({ dir, variable }) => ({ path: join(dir, SECRET_TFVARS), variable })),
    filesToMask: [
      ...envFiles.filter((path) => path !== token.envFile),
      ...roots.flatMap(({ config: { dir }, tfvars }) =>
        [SECRET_TFVARS, ...tfvars].map((name) => join(dir, name)),
      ),
    ],
    workspaces: written.flatMap(({ dir, workspace }) =>
      environment === undefined || workspace === undefined ? [] : { dir, workspace },
    ),
    othersRoots: environment === undefined ? [] : othersRoots,
    doctl: undefined,
  };
}

function placedAt(at: TerraformRoot["at"]) {
  return ({ place, strangers }: StrangeProvider): StrangeBlock => ({
    place: `${at(place.file).path}:${place.line}`,
    strangers,
  });
}

/** Whether the root's own code takes the token from a variable. Terraform prompts for a variable without a value. */
function hasVariable(root: TerraformRoot): boolean {
  const { variable } = providerOf(root).block ?? {};
  return variable !== undefined && root.module.variables.has(variable);
}

/**
 * Places where a root's code, or Terraform's notes beside it, may send keys to a host other than Spaces
 * (docs/design.md rule 2). If the notes have the hash of a block, Terraform uses the settings in the notes.
 */
function strangeBackend({ module, own, at, storedBackend }: TerraformRoot): StrangeBlock[] {
  const { backend } = module;
  const forged = [...own.keys()].find((name) => isForgedBackend(textIn(at(name))));
  const all: StrangeBlock[] = [];
  if (backend !== undefined) {
    const place = `${at(backend.place.file).path}:${backend.place.line}`;
    all.push({ place, strangers: backend.strangers });
  }
  if (storedBackend !== undefined) {
    all.push({ place: storedBackend.path, strangers: storedBackend.strangers });
  }
  if (forged !== undefined) {
    const setting = "not as we write it";
    all.push({ place: at(forged).path, strangers: [{ setting, host: "" }] });
  }
  return all.filter(({ strangers }) => strangers.length > 0);
}
