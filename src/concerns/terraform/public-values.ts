import { join, relative } from "node:path";
import { editText } from "../../core/changes/write-file.ts";
import { textAt } from "../../core/file-text.ts";
import type { Finding } from "../../core/finding.ts";
import { missingPatterns, patternOf, withPatterns } from "../../core/ignore-block.ts";
import { noJson, obstacles } from "../../core/obstacles.ts";
import { joined, NOTHING, type PlanPart } from "../../core/plan.ts";
import { type Hint, type HintPart, hint, run } from "../../errors/hint.ts";
import { jsonObject } from "../../lib/json.ts";
import { isInside } from "../../lib/paths.ts";
import type { ResolvedConfig } from "../config/resolved.ts";
import type { GitFacts, RepoFacts } from "../git/facts.ts";
import { finding } from "./findings.ts";
import { MISSING_TF, PUBLIC_TFVARS } from "./root/names.ts";
import type { TerraformRoot } from "./root/root.ts";

/** The facts that the plan depends on. */
interface Known {
  readonly config: ResolvedConfig;
  readonly repo: RepoFacts;
}

/** Plans the file with the values of terraform.variables, which colleagues and pipelines get from git. */
export function planPublicVariables(known: Known, root: TerraformRoot): PlanPart {
  if (Object.keys(root.config.variables).length === 0) return NOTHING;
  return joined([planValues(known, root), planException(known, root)]);
}

/** The config sets the keys that it names; other keys in the file stay. */
function planValues({ repo }: Known, root: TerraformRoot): PlanPart {
  const { variables } = root.config;
  const before = root.at(PUBLIC_TFVARS);
  const current = textAt(before)?.text ?? "";
  const existing = jsonObject(current);
  const edit = (text: string) =>
    `${JSON.stringify({ ...jsonObject(text), ...variables }, null, 2)}\n`;
  if (current === edit(current)) return NOTHING;
  const findings = obstacles(repo, before);
  if (existing === undefined) findings.push(noJson(before.path));
  const change = editText(before, edit, "values of terraform.variables");
  return { findings, changes: findings.length > 0 ? [] : [change] };
}

/** Overrides an earlier pattern, such as *.tfvars.json, for this file only. */
function exceptionFor({ base }: ResolvedConfig, { real, config: { dir } }: TerraformRoot): string {
  const folder = isInside(real, base) ? real : dir;
  return `!/${patternOf(relative(base, join(folder, PUBLIC_TFVARS)))}`;
}

/** The paths to check with git for a root's values: the file, and a code file next to it. */
export function pathsOfValues({ variables, dir }: TerraformRoot["config"]): readonly string[] {
  if (Object.keys(variables).length === 0) return [];
  return [PUBLIC_TFVARS, MISSING_TF].map((name) => join(dir, name));
}

/**
 * If git ignores the file but not the code next to it, .gitignore gets an exception, but only if all values of the file
 * are in the config. If another pattern overrides the exception, the next run reports it.
 */
function planException({ repo, config }: Known, root: TerraformRoot): PlanPart {
  const { git, gitignore } = repo;
  const [values = "", code = ""] = pathsOfValues(root.config);
  if (git === undefined || !isIgnored(git, values) || git.ignored.has(code)) return NOTHING;
  const { variables } = root.config;
  const others = Object.keys(jsonObject(textAt(root.at(PUBLIC_TFVARS))?.text ?? "") ?? {}).filter(
    (name) => !Object.hasOwn(variables, name),
  );
  const current = textAt(gitignore)?.text;
  const lacking = (text: string) => missingPatterns(text, [exceptionFor(config, root)]);
  const isPrivate = config.file !== undefined && isIgnored(git, config.file);
  if (others.length > 0 || isPrivate) {
    const why = isPrivate
      ? "git ignores the config too"
      : "the file has values that are not in the config";
    const fix = hint`If the file holds no secret: ${addAnyway(values)}, then commit it.`;
    return { findings: [onlyHere(values, `, and ${why}`, fix)] };
  }
  if (git.nested.has(values) || current === undefined || lacking(current).length === 0) {
    const which = run("git", "check-ignore", "-v", "--no-index", { path: values });
    const fix = hint`${addAnyway(values)}, then commit it; ${which} shows the pattern.`;
    return { findings: [onlyHere(values, "", fix)] };
  }
  const findings = obstacles(repo, gitignore);
  if (findings.length > 0) return { findings };
  const edit = (text: string) =>
    lacking(text).length === 0 ? text : withPatterns(text, lacking(text));
  const why = "un-ignore the values of terraform.variables";
  return { changes: [editText(gitignore, edit, why)] };
}

function isIgnored({ ignored, tracked }: GitFacts, path: string): boolean {
  return ignored.has(path) && !tracked.has(path);
}

function addAnyway(path: string): HintPart {
  return run("git", "add", "--force", { path });
}

function onlyHere(path: string, why: string, fix: Hint): Finding {
  const message = `git ignores ${path}${why}. Colleagues and pipelines don't get the values of terraform.variables.`;
  return finding("terraform.values-ignored", message, { where: path, fix });
}
