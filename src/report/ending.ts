import { dirname, join } from "node:path";
import type { Facts } from "../commands/init/observe.ts";
import { plainDoctl } from "../concerns/doctl/plan.ts";
import { plainShell, terraformTakes } from "../concerns/effective-token/uses.ts";
import { lacksBackendKeys, stateElsewhere } from "../concerns/terraform/backend/plan.ts";
import { bucketsOf, hasSpacesBackend } from "../concerns/terraform/root/keys.ts";
import { LOCK_FILE } from "../concerns/terraform/root/names.ts";
import type { TerraformRoot } from "../concerns/terraform/root/root.ts";
import { terraformWords, toolOf } from "../concerns/terraform/root/typed.ts";
import { hasKeysInExecOnly, PUT_KEYS, stepToKeys } from "../concerns/terraform/spaces-keys.ts";
import { type Finding, isBlocked } from "../core/finding.ts";
import { stepsIn } from "../core/plan.ts";
import { exec, type Hint, hint, own, run } from "../errors/hint.ts";
import { few } from "../lib/few.ts";
import { onceEach } from "../lib/grouped.ts";
import { wrap } from "../lib/wrap.ts";
import { safe } from "../secret/safe.ts";
import { hintText } from "./hint-text.ts";
import type { Page } from "./paint.ts";
import { type Report, shownPath } from "./report.ts";

/** The end of a report: what works now, and the next steps (docs/design.md rule 11). */
export interface Ending {
  /** Such as "doctl as sammy@example.com" and "terraform in infra". */
  readonly works: readonly string[];
  /** Each with its command, in order. */
  readonly left: readonly Hint[];
  /** The command to try next, if nothing is left to do. */
  readonly next: Hint | undefined;
  /** Files to commit, as absolute paths. */
  readonly commit: readonly string[];
}

/** @returns only the files to commit for a command that removes things. */
export function endingOf(report: Report): Ending {
  const { command, facts } = report;
  const commit = toCommit(report);
  const isSetUp = ["init", "login", "check"].includes(command) && report.each === undefined;
  const isStopped = isBlocked(report.plan.findings) && report.applied.length === 0;
  const isRehearsed = report.dryRun && stepsIn(report.plan) > 0;
  if (!isSetUp || isStopped || isRehearsed || facts.search?.choice.kind === "several") {
    return { works: [], left: [], next: undefined, commit };
  }
  // Nobody runs plan in a called module.
  const roots = facts.terraform.roots.filter(({ calledBy }) => calledBy.length === 0);
  const steps = new Map(roots.map((root) => [root, stepFor(report, root)]));
  const ready = roots.filter((root) => steps.get(root) === undefined);
  const left = [...steps.values()].filter((step) => step !== undefined);
  const [first] = ready;
  const withTool = ready.filter(({ config: { dir } }) => facts.terraform.tools.has(dir));
  return {
    works: [...doctlWorks(report), ...terraformWorks(report, withTool)],
    left: onceEach([...missingTools(report), ...left], (step) => JSON.stringify(step)),
    next: first && wordsFor(report, first, ["plan"]),
    commit,
  };
}

/** How to call doctl with this token, and the account. */
function doctlWorks({ facts: { doctl, token }, env }: Report): string[] {
  const { inspection, state } = token;
  const { target, tool } = doctl ?? {};
  const isIn = tool !== undefined && target?.holding === "this" && state.kind === "found";
  if (!isIn || doctl === undefined || inspection?.state !== "alive") return [];
  if (inspection.silentApi !== undefined) return [];
  const { context } = target;
  const how = plainDoctl(doctl, env) === context ? "" : ` --context ${context}`;
  const whom = inspection.email ?? inspection.team?.name;
  return [`doctl${how}${whom === undefined ? "" : ` (as ${whom})`}`];
}

function terraformWorks(report: Report, ready: readonly TerraformRoot[]): string[] {
  const { facts } = report;
  const tools = new Set(ready.map((root) => toolOf(facts.terraform.tools, root)));
  return [...tools].map((tool) => {
    const its = ready.filter((root) => toolOf(facts.terraform.tools, root) === tool);
    const dirs = its.map(({ config }) => shownPath(report, config.dir));
    const where = dirs.length === 1 && dirs[0] === "." ? "" : ` in ${few(dirs)}`;
    const isBehind = its.some((root) => isBehindExec(report, root));
    return `${tool}${where}${isBehind ? " (with exec)" : ""}`;
  });
}

/** One step for all roots with the same tool. */
function missingTools({ facts: { terraform } }: Report): Hint[] {
  const without = terraform.roots.filter(
    ({ config: { dir }, calledBy }) => calledBy.length === 0 && !terraform.tools.has(dir),
  );
  if (without.length === 0) return [];
  const isTofu = without.every(({ tool, isCertain }) => isCertain && tool === "tofu");
  return [
    isTofu
      ? hint`Install OpenTofu: https://opentofu.org/docs/intro/install/`
      : hint`Install Terraform: https://developer.hashicorp.com/terraform/install`,
  ];
}

/** What has to be done before the first plan of a root; undefined: nothing that we know. */
function stepFor(report: Report, root: TerraformRoot): Hint | undefined {
  const { facts, plan } = report;
  const { dir } = root.config;
  const path = shownPath(report, dir);
  const shown = path === "." ? "this folder" : path;
  const isOf = (each: Finding) => each.where === dir || each.skippedRoot === dir;
  const errors = plan.findings.filter((each) => each.level === "error" && isOf(each));
  if (errors.length > 0) return hint`Fix the error in ${shown}, then run ${own()}`;
  const hasFailed = report.commands.some(({ command, failure }) => failure && command.cwd === dir);
  if (hasFailed) return hint`Fix the error above, then run ${own()}`;
  if (root.module.broken.length > 0) {
    return hint`Fix the Terraform code in ${shown}, which cannot be read, then run ${own()}`;
  }
  const isWarned = (of: string) =>
    plan.findings.some(({ id, where = "" }) => id === of && dirname(where) === dir);
  if (isWarned("terraform.undeclared")) {
    return hint`Declare the variables that the warnings above name, then run ${own()}`;
  }
  if (isWarned("spaces.other-host")) {
    return hint`Remove the spaces_endpoint that the warning above names, then run ${own()}`;
  }
  if (lacksBackendKeys(facts, root)) return stepToBackendKeys(facts, root);
  const keys = stepToKeys(facts, root);
  if (keys !== undefined) return keys;
  if (stateElsewhere(root) !== undefined) return wordsFor(report, root, ["init", "-migrate-state"]);
  return isReady(facts, root) ? undefined : wordsFor(report, root, ["init"]);
}

function stepToBackendKeys({ spaces: { keys } }: Facts, root: TerraformRoot): Hint {
  const canMake = bucketsOf([root]).length > 0 && keys.kind === "none";
  return canMake ? hint`${own("backend", "key")}` : PUT_KEYS;
}

/** A provider, its lock file, and every called module are installed. */
function isReady({ token: { code } }: Facts, root: TerraformRoot): boolean {
  const tree = code.trees.find(({ folders: [folder] }) => folder === root.real);
  return root.isInitialised && (tree?.unseen ?? []).length === 0;
}

function wordsFor(report: Report, root: TerraformRoot, verb: readonly string[]): Hint {
  const words = terraformWords(root.config.dir, toolOf(report.facts.terraform.tools, root), verb);
  return hint`${isBehindExec(report, root) ? exec(words) : run(...words)}`;
}

/** Without exec, Terraform would find no keys for its state, or would use a different token or none. */
function isBehindExec({ facts, env }: Report, root: TerraformRoot): boolean {
  const { token, terraform, envFile } = facts;
  if (root.config.backend !== undefined) return true;
  // HCP Terraform has its own token.
  if (root.module.cloud !== undefined) return false;
  if (hasSpacesBackend(root) && !isInShell(facts.spaces.keys)) return true;
  if (hasKeysInExecOnly(facts, root)) return true;
  const source = terraform.sources[terraform.roots.indexOf(root)];
  const { token: taken } = terraformTakes(source, plainShell(env), envFile.file);
  if (taken === "unknown") return false;
  return token.state.kind === "found" && !(taken !== "none" && taken.equals(token.state.token));
}

/** An S3 client finds the keys without `exec`: under AWS_ names in the environment, or in a profile. */
function isInShell(found: Facts["spaces"]["keys"]): boolean {
  if (found.kind !== "keys") return true;
  const { id, secret } = found.keys;
  const isThere = [id, secret].every(({ origin }) => origin.kind === "environment");
  return isThere && found.names === "AWS";
}

/**
 * Changed files to commit, and a config that clones don't have yet. Changed files with a secret only if git tracks
 * them.
 */
function toCommit(report: Report): string[] {
  const { git } = report.facts.repo;
  if (git === undefined) return [];
  const written = report.applied.flatMap(({ isForClones, file }) => {
    const known = file === undefined ? undefined : report.inGit.get(file);
    const isTaken = known?.isTracked || (isForClones && known?.isIgnored === false);
    return isTaken && file !== undefined ? file : [];
  });
  const isForClones = ["init", "login", "ci"].includes(report.command);
  const hasRun = report.commands.some(({ failure }) => failure === undefined);
  // An earlier run may have written a file that nobody has committed yet.
  const needed = isForClones && (written.length > 0 || hasRun) ? forClones(report) : [];
  const isNew = (path: string) => !git.tracked.has(path) && !git.ignored.has(path);
  return [...new Set([...written, ...needed.filter(isNew)])];
}

/** The files of ours that exist and that a clone needs. */
function forClones({ facts: { config, repo, envFile, terraform } }: Report): string[] {
  const shared = [repo.gitignore, envFile.example].filter(({ kind }) => kind === "file");
  const inRoots = terraform.roots.flatMap(({ own, hasLockFile, config: { dir } }) => [
    ...[...own].flatMap(([name, { edited }]) => (edited ? [] : join(dir, name))),
    ...(hasLockFile ? [join(dir, LOCK_FILE)] : []),
  ]);
  return [...shared.map(({ path }) => path), ...inRoots, ...(config.file ? [config.file] : [])];
}

/** More steps would only repeat the same for other roots. */
const MOST_SHOWN = 6;

/** A single step is shown as "Next", several are numbered. */
export function stepLines({ left, next }: Pick<Ending, "left" | "next">, page: Page): string[] {
  const [first = next, ...others] = left;
  if (first === undefined) return [];
  if (others.length === 0) return stepIn(first, "  Next: ", page);
  const shown = left.slice(0, MOST_SHOWN);
  const more = left.length - shown.length;
  return [
    "  Left to do:",
    ...shown.flatMap((step, at) => stepIn(step, `    ${at + 1}. `, page)),
    ...(more > 0 ? [`    … and ${more} more like these`] : []),
  ];
}

/** A sentence is wrapped, but a command is not, so that it can be copied. */
function stepIn(step: Hint, head: string, page: Page): string[] {
  const text = safe(hintText(step, page.edge));
  const isSentence = typeof step[0] === "string" && step[0] !== "";
  const lines = isSentence ? wrap(text, page.columns - head.length) : [text];
  return lines.map(
    (line, at) => (at === 0 ? head : " ".repeat(head.length)) + page.paint("bold", line),
  );
}
