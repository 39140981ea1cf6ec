import { join } from "node:path";
import { PUBLIC_TFVARS } from "../../concerns/terraform/root/names.ts";
import { needsOf } from "../../concerns/terraform/root/needs.ts";
import { namesIn, readsByItself } from "../../concerns/terraform/root/values.ts";
import { textAt } from "../../core/file-text.ts";
import type { Finding } from "../../core/finding.ts";
import { type Hint, type HintPart, hint, run } from "../../errors/hint.ts";
import { pathFrom } from "../../lib/paths.ts";
import { finding } from "./findings.ts";
import type { Reach } from "./reach.ts";
import type { Root } from "./roots.ts";

type Provider = "github" | "gitlab";

/**
 * Reports the values that init and plan would ask for in a pipeline, where nobody answers.
 *
 * @param settings the -backend-config files in git, absolute, by the root's folder.
 */
export function judgeInputs(
  provider: Provider,
  roots: readonly Root[],
  reach: Pick<Reach, "lost">,
  settings: ReadonlyMap<string, readonly string[]>,
): Finding[] {
  const byMessage = new Map<string, Finding>();
  const findings = roots.flatMap((each) => [
    ...judgeBackend(provider, each, settings.get(each.root.config.dir) ?? []),
    ...judgeVariables(provider, each, reach),
  ]);
  for (const each of findings) byMessage.set(each.message, each);
  return [...byMessage.values()];
}

/** True for a backend block in the code that does not say where the state is. */
export function lacksSettings({ root: { config, module } }: Root): boolean {
  return config.backend === undefined && (module.backend?.missing.length ?? 0) > 0;
}

function judgeBackend(provider: Provider, each: Root, files: readonly string[]): Finding[] {
  const { backend } = each.root.module;
  if (!lacksSettings(each) || backend === undefined) return [];
  const { dir } = each.root.config;
  const message = `${dir}: the ${backend.type} backend has no ${backend.missing.join(", ")}, so init would fail in the pipeline.`;
  const shown = files.length > 0 ? files.slice(0, 1) : backend.missing;
  const settings = shown.map((each) => (files.length > 0 ? pathFrom(dir, each) : `${each}=VALUE`));
  const value = settings.map((each) => `-backend-config=${each}`).join(" ");
  const give =
    provider === "github"
      ? hint`add TF_CLI_ARGS_init: ${value} to env of the Init steps (do-bootstrap then treats the file as edited)`
      : hint`${forJobs(each, "TF_CLI_ARGS_init")} with the value ${value}`;
  const fix = hint`Put non-secret settings into the backend block. For secret ones: ${give}.`;
  return [finding("ci.partial-backend", message, { where: dir, fix })];
}

/**
 * Reports variables without a default, and without a value in a file that is in git and that Terraform reads
 * automatically.
 */
function judgeVariables(provider: Provider, each: Root, { lost }: Pick<Reach, "lost">): Finding[] {
  const { root } = each;
  const { config, module, tfvars, at } = root;
  if (module.broken.length > 0 || module.cloud !== undefined) return [];
  const files = tfvars.filter((name) => readsByItself(name) && !lost.has(join(config.dir, name)));
  const given = new Set(files.flatMap((name) => namesIn(name, textAt(at(name))?.text ?? "")));
  const isInConfig = (name: string) =>
    Object.hasOwn(config.variables, name) && !lost.has(join(config.dir, PUBLIC_TFVARS));
  const ofToken = needsOf(root).variable;
  const names = [...module.variables].flatMap(([name, { hasDefault }]) =>
    hasDefault || name === ofToken || given.has(name) || isInConfig(name) || !isVariable(name)
      ? []
      : name,
  );
  const [first] = names;
  if (first === undefined) return [];
  const message = `${config.dir}: the pipeline has no value for ${names.map((name) => `var.${name}`).join(", ")}, so plan would fail.`;
  const secret = secretName(first);
  const environment = `${environmentOf(each)}-plan`;
  const give =
    provider === "github"
      ? hint`${run("gh", "secret", "set", secret, "--env", environment)}, the same for ${environmentOf(each)}-apply, and add TF_VAR_${first}: \${{ secrets.${secret} }} to env of the Plan and Apply steps (do-bootstrap then treats the file as edited)`
      : /^\w+$/.test(first)
        ? forJobs(each, `TF_VAR_${first}`)
        : hint`rename ${first}: GitLab does not allow this variable name`;
  const fix = hint`Put a non-secret value into terraform.variables in the config. For a secret: ${give}.`;
  return [finding("ci.no-value", message, { where: config.dir, fix })];
}

/** A .tf.json file may contain any text as a name, but Terraform accepts only these. */
function isVariable(name: string): boolean {
  return /^[\p{L}_][\p{L}\p{N}_-]*$/u.test(name);
}

/** A valid GitHub secret name: letters, digits and _, without GitHub's own prefix. */
function secretName(variable: string): string {
  const name = variable.toUpperCase().replace(/[^A-Z\d_]/g, "_");
  return name.startsWith("GITHUB_") ? `TF_VAR_${name}` : name;
}

function environmentOf({ config }: Root): string {
  return config.environment ?? "digitalocean";
}

/** GitLab's variables are automatically in the environment of a job. */
function forJobs(each: Root, name: string): Hint {
  const set = (purpose: string): HintPart =>
    run("glab", "variable", "set", name, "-s", `${environmentOf(each)}-${purpose}`);
  return hint`${set("plan")} < FILE, and ${set("apply")} < FILE`;
}
