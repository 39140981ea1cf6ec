import { basename, join } from "node:path";
import type { Finding } from "../../../core/finding.ts";
import { exec, hint, own, run } from "../../../errors/hint.ts";
import { few } from "../../../lib/few.ts";
import { nearest } from "../../../lib/nearest.ts";
import type { ResolvedConfig } from "../../config/resolved.ts";
import { hasOthersCode } from "./choose.ts";
import type { FoundRoots } from "./find.ts";
import { finding } from "./findings.ts";
import { environmentsAmong, mayBeRoot } from "./layout.ts";

/** The facts that the findings depend on. */
interface Known {
  readonly config: Pick<ResolvedConfig, "base" | "file" | "environments">;
  readonly search: FoundRoots | undefined;
}

/** The findings about where the repo keeps its Terraform code. */
export function judgeLayout(known: Known): Finding[] {
  const { search } = known;
  if (search === undefined) return [];
  const { choice, layout } = search;
  // Modules that a found root calls may be left out. Only folders that may be other roots are reported.
  const isOther = (dir: string) =>
    mayBeRoot(dir) && !layout.callers.has(dir) && !choice.dirs.some((each) => each === dir);
  const left = layout.notCheckedOut.filter((dir) => choice.kind !== "found" || isOther(dir));
  return [
    ...judgeChoice(known, search),
    ...judgeOtherTools(layout),
    ...(left.length > 0 ? [leftOut(left)] : []),
  ];
}

/** The findings about Terragrunt and Terraform Stacks. */
export function judgeOtherTools({ units, stacks }: FoundRoots["layout"]): Finding[] {
  const found: Finding[] = [];
  if (units.length > 0) found.push(terragruntUnits(units));
  if (stacks.length > 0) {
    const message = `${few(stacks, MOST)}: HCP Terraform runs these Terraform Stacks, so no files are written there.`;
    const fix = hint`Set the token as a sensitive variable in HCP Terraform. ${own("scopes")} also counts the components in this repo.`;
    found.push(finding("terraform.stack", message, { fix }));
  }
  return found;
}

function leftOut(dirs: readonly string[]): Finding {
  const message = `This sparse checkout leaves out Terraform code: ${few(dirs, MOST)}.`;
  const add = run("git", "sparse-checkout", "add", ...dirs.slice(0, MOST));
  return finding("terraform.not-here", message, { fix: hint`${add}, then run ${own()} again.` });
}

/** Terragrunt units: what we do for them, and what we don't. */
export function terragruntUnits(dirs: readonly string[]): Finding {
  const message = `Terragrunt: no files are written into ${few(dirs, MOST)}, because Terragrunt would copy them over the module's files.`;
  const fix = hint`${exec(["terragrunt", "plan"])} passes the token. ${own("scopes")} also counts the modules in this repo that the units call.`;
  return finding("terraform.terragrunt", message, { fix });
}

function judgeChoice({ config }: Known, { choice, layout, base }: FoundRoots): Finding[] {
  switch (choice.kind) {
    case "several":
      return [severalRoots(choice.dirs, config.file)];
    case "chosen":
      return config.file === undefined ? [] : [unnamedRoots(choice.dirs, config.file)];
    case "found":
      return choice.others.length === 0 ? [] : [otherRoots(choice)];
    case "none":
      if (layout.beside.length > 0) return [rootsBeside(layout.beside)];
      return hasOthersCode(layout) ? [] : [noRoot(layout.aside)];
    case "usual":
      return [];
    case "claimed":
      return config.environments.length === 0 ? [] : [ofEnvironments(config.environments)];
    case "config":
      return choice.absent.flatMap((dir) => misspelt(dir, choice.unnamed, base));
  }
}

function severalRoots(dirs: readonly string[], file: string | undefined): Finding {
  const environments = environmentsAmong(dirs);
  const message = `This repo has ${dirs.length} Terraform root modules (${few(dirs, MOST)}). Which ones should do-bootstrap prepare?`;
  const all = hint`To prepare all of them with one token: ${own("--all-roots")}`;
  if (file !== undefined) {
    const fix = hint`Add to ${file}: ${rootsKey(dirs, file)}. ${all}`;
    return finding("terraform.several-roots", message, { fix });
  }
  const each = environments.length > 0 ? "with one environment each" : "that lists them";
  const fix = hint`${own("--write-config")} writes a config ${each}; delete the ones that you don't want. ${all}`;
  return finding("terraform.several-roots", message, { fix });
}

/** An existing config belongs to the user, and the next run uses only what it lists. */
function unnamedRoots(dirs: readonly string[], file: string): Finding {
  const message = `${file} does not list the root modules of this run, so the next run will ask again.`;
  const fix = hint`Add to the config: ${rootsKey(dirs, file)}`;
  return finding("terraform.unnamed-roots", message, { where: file, fix });
}

function otherRoots({ dirs, others }: { dirs: readonly string[]; others: readonly string[] }) {
  const message = `This run covers only ${few(dirs, MOST)}. Other root modules in this repo: ${few(others, MOST)}.`;
  const fix = hint`To prepare all of them and list them in a config: ${own("--all-roots")}`;
  return finding("terraform.other-roots", message, { fix });
}

/** Without --env, the user may think that the run has prepared all environments. */
function ofEnvironments(names: readonly string[]): Finding {
  const message = `Every root module here belongs to an environment (${few(names, MOST)}). Without --env, none of them is prepared.`;
  const [first = ""] = names;
  return finding("terraform.no-root", message, {
    fix: hint`${own("--env", first)} prepares the first one.`,
  });
}

function noRoot(aside: readonly string[]): Finding {
  const count =
    aside.length > 1 ? "count only if the config lists them" : "counts only if the config lists it";
  const only = aside.length === 0 ? "" : ` (${few(aside, MOST)} ${count})`;
  const message = `This repo has no Terraform root module for DigitalOcean${only}, so no .tf files are written.`;
  const fix = hint`${own("--terraform")} writes a root module here. Without Terraform, set terraform: false in the config.`;
  return finding("terraform.no-root", message, { fix });
}

/** The repo's code is not below this run's folder. */
function rootsBeside(dirs: readonly string[]): Finding {
  const message = `This folder has no Terraform root module, so no .tf files are written here. Root modules in the repo: ${few(dirs, MOST)}.`;
  const up = dirs.map((dir) => /^(\.\.\/?)+/.exec(dir)?.[0].replace(/\/$/, "") ?? "..");
  const top = up.reduce((longest, each) => (each.length > longest.length ? each : longest));
  const fix = hint`To prepare the whole repo: ${{ inTurn: [run("cd", top), own()] }}. To create a root module here: ${own("--terraform")}`;
  return finding("terraform.no-root", message, { fix });
}

/** A folder in the config that does not exist, while a root has a similar name. */
function misspelt(dir: string, roots: readonly string[], base: string): Finding[] {
  const near = roots.filter((root) => isNear(dir, root));
  const [longer, another] = roots.filter((root) => isPartOf(dir, root));
  const meant = nearest(dir, near) ?? (another === undefined ? longer : undefined);
  if (meant === undefined) return [];
  const message = `terraform.dir: folder ${dir} does not exist. Did you mean ${meant}?`;
  const path = join(base, dir);
  const fix = hint`Set terraform.dir: ${meant}. To create a new root module, make the folder first: ${run("mkdir", "-p", { path })}`;
  return [finding("terraform.misspelt-dir", message, { where: path, fix })];
}

/** Compares name by name: environments/qa is not a typo of environments/dev, nor dev2 of dev1. */
function isNear(dir: string, root: string): boolean {
  const [names, others] = [dir.split("/"), root.split("/")];
  if (names.length !== others.length) return false;
  const withoutDigits = (text: string) => text.replace(/\d+/g, "0");
  if (withoutDigits(dir) === withoutDigits(root)) return false;
  return names.every((name, at) => nearest(name, [others[at] ?? ""]) !== undefined);
}

/** Whether the root has all of these names in this order: prod is part of environments/prod. */
function isPartOf(dir: string, root: string): boolean {
  const names = dir.split("/");
  for (const name of root.split("/")) if (name === names[0]) names.shift();
  return names.length === 0;
}

/** The key as the user adds it to the config: quoted in JSON, inside "do-bootstrap" in package.json. */
function rootsKey(dirs: readonly string[], file: string): string {
  const isJson = file.endsWith(".json");
  const [key, dirKey] = isJson ? ['"terraform"', '"dir"'] : ["terraform", "dir"];
  const roots = dirs.map((dir) => `{ ${dirKey}: ${JSON.stringify(dir)} }`).join(", ");
  return `${key}: [${roots}]${basename(file) === "package.json" ? ', in "do-bootstrap"' : ""}`;
}

const MOST = 5;
