import { join, relative, sep } from "node:path";
import { PUBLIC_TFVARS } from "../../concerns/terraform/root/names.ts";
import { needsOf } from "../../concerns/terraform/root/needs.ts";
import { namesIn, readsByItself } from "../../concerns/terraform/root/values.ts";
import { textAt } from "../../core/file-text.ts";
import type { Finding } from "../../core/finding.ts";
import { type Hint, type HintPart, hint, run } from "../../errors/hint.ts";
import { finding } from "./findings.ts";
import type { Reach } from "./reach.ts";
import type { Root } from "./roots.ts";

type Provider = "github" | "gitlab";

/**
 * What init and plan would ask for in a pipeline, where nobody answers.
 *
 * @param settings files for -backend-config that git has, absolute, by the folder of the root.
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

/** True for a backend block of the code's own that does not say where the state is. */
export function lacksSettings({ root: { config, module } }: Root): boolean {
  return config.backend === undefined && (module.backend?.missing.length ?? 0) > 0;
}

function judgeBackend(provider: Provider, each: Root, files: readonly string[]): Finding[] {
  const { backend } = each.root.module;
  if (!lacksSettings(each) || backend === undefined) return [];
  const { dir } = each.root.config;
  const message = `${dir}: the ${backend.type} backend leaves out ${backend.missing.join(", ")}, and init in a pipeline asks nobody.`;
  const [file = ""] = files;
  const value =
    files.length > 0 ? relative(dir, file).split(sep).join("/") : `${backend.missing[0]}=VALUE`;
  const give = giving(provider, each, "TF_CLI_ARGS_init", "the steps Init");
  const fix = hint`What is no secret can stand in the block. Else ${give}, with the value -backend-config=${value}`;
  return [finding("ci.partial-backend", message, { where: dir, fix })];
}

/** Without a default, and without a value in a file that git has and Terraform reads by itself. */
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
    hasDefault || name === ofToken || given.has(name) || isInConfig(name) ? [] : name,
  );
  const [first] = names;
  if (first === undefined) return [];
  const message = `${config.dir}: the pipeline has no value for ${names.map((name) => `var.${name}`).join(", ")}, so plan fails there.`;
  const give = giving(provider, each, `TF_VAR_${first}`, "the steps Plan and Apply");
  const fix = hint`What is no secret goes into terraform.variables of the config. A secret: ${give}`;
  return [finding("ci.no-value", message, { where: config.dir, fix })];
}

/** How a variable gets into the environment of a job; GitHub's are named one by one in the file. */
function giving(provider: Provider, { config }: Root, name: string, steps: string): Hint {
  if (provider === "github") {
    return hint`add ${name} to env of ${steps} in the file that is written, which is yours then`;
  }
  const environment = config.environment ?? "digitalocean";
  const set = (purpose: string): HintPart =>
    run("glab", "variable", "set", name, "-s", `${environment}-${purpose}`);
  return hint`${set("plan")} < FILE, and ${set("apply")} < FILE`;
}
