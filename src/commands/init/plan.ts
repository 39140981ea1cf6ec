import { basename } from "node:path";
import { placesIn } from "../../concerns/config/load.ts";
import { planDoctl } from "../../concerns/doctl/plan.ts";
import { judgeConflicts, judgeRootConflicts } from "../../concerns/effective-token/conflicts.ts";
import { planEnvrc } from "../../concerns/env-file/envrc.ts";
import { planEnvFile } from "../../concerns/env-file/plan.ts";
import { planGitignore } from "../../concerns/git/plan.ts";
import { planSpaces } from "../../concerns/spaces/plan.ts";
import { planCloud } from "../../concerns/terraform/cloud/plan.ts";
import { planCommands } from "../../concerns/terraform/commands.ts";
import { planTerraform } from "../../concerns/terraform/plan.ts";
import type { TerraformRoot } from "../../concerns/terraform/root/root.ts";
import { judgeLayout } from "../../concerns/terraform/search/judge.ts";
import { judgeToken } from "../../concerns/token/judge.ts";
import { compareScopes } from "../../concerns/token/needed-scopes.ts";
import { judgeProxy } from "../../concerns/token/proxy.ts";
import type { Consent } from "../../core/consent.ts";
import { type Finding, statusOf } from "../../core/finding.ts";
import { notCheckedOut } from "../../core/obstacles.ts";
import { joined, type Plan } from "../../core/plan.ts";
import { EXIT } from "../../errors/exit-status.ts";
import { hint } from "../../errors/hint.ts";
import { isOfLogin } from "../../exec/token-sources.ts";
import { foldersUp } from "../../lib/paths.ts";
import { finding } from "./findings.ts";
import type { Facts } from "./observe.ts";
import { planConfig, proposedConfig } from "./write-config.ts";

/** What to change and what to report: the results of all concerns. Pure. */
export function planAll(all: Facts, consent: Consent): Plan {
  const isUndecided = all.search?.choice.kind === "several";
  // A config with what was found can be written without a token: the right token depends on the root.
  const proposal = consent.writeConfig ? proposedConfig(all) : undefined;
  if (proposal) return joined([planConfig(all, consent), { findings: [proposal] }]);
  const facts = isUndecided ? withoutRoots(all) : all;
  return joined([
    { findings: [...configNotHere(facts), ...judgeLayout(facts)] },
    { findings: [...judgeToken(facts), ...judgeProxy(facts), ...judgeScopes(facts)] },
    planGitignore(facts),
    planEnvFile(facts, consent),
    planSpaces(facts),
    ...skipFailedRoots(facts.terraform.roots, facts.terraform.roots.map(planRoot)),
    planCloud(facts),
    planDoctl(facts, consent),
    planConfig(facts, consent),
    planEnvrc(facts, consent),
    { findings: judgeConflicts(facts, consent) },
    { findings: aboutTools(facts) },
  ]);

  function planRoot(root: TerraformRoot, at: number): Plan {
    const files = joined([planTerraform(facts, root, consent)]);
    const source = facts.terraform.sources[at];
    return joined([
      files,
      planCommands(facts, root, files),
      { findings: judgeRootConflicts(facts, root, source, consent) },
    ]);
  }
}

/** git has a config that a sparse checkout leaves out. Without it, everything would be prepared differently. */
function configNotHere({ config: { file, base }, repo: { notHere, top } }: Facts): Finding[] {
  if (file !== undefined || notHere.size === 0) return [];
  const places = foldersUp(base, top).flatMap(placesIn);
  // Most package.json files don't contain our config.
  const left = places.find((path) => notHere.has(path) && basename(path) !== "package.json");
  return left === undefined ? [] : [notCheckedOut(left, top)];
}

/** Roots that nobody has chosen are not prepared. */
function withoutRoots(facts: Facts): Facts {
  return { ...facts, terraform: { ...facts.terraform, roots: [], sources: [] } };
}

/**
 * A root that cannot be prepared is skipped, and does not stop the others. If no root can be prepared, or the config
 * contradicts itself, nothing is prepared.
 */
function skipFailedRoots(roots: readonly TerraformRoot[], plans: readonly Plan[]): readonly Plan[] {
  if (plans.every(hasErrors)) return plans;
  return plans.map((plan, at) => {
    if (!hasErrors(plan) || statusOf(plan.findings, false) !== EXIT.findings) return plan;
    const dir = roots[at]?.config.dir ?? "";
    const findings = plan.findings.map((each) =>
      each.level === "error" ? { ...each, skippedRoot: dir } : each,
    );
    return joined([{ findings }]);
  });
}

function hasErrors({ findings }: Plan): boolean {
  return findings.some(({ level }) => level === "error");
}

/** A new repo, whose code needs no scopes yet, says nothing about a token's scopes. */
function judgeScopes({ token: { state, code, inspection } }: Facts): readonly Finding[] {
  if (code.actions.length === 0) return [];
  return compareScopes(inspection, code, isOfLogin(state))?.findings ?? [];
}

function aboutTools({ ignoredTools, terraform: { roots, tools } }: Facts): Finding[] {
  const inRepo = ignoredTools.map((path) =>
    finding("tool.in-repo", "Ignored a tool found inside the repo, for security.", {
      where: path,
      fix: hint`To use this tool, install it outside the repo.`,
    }),
  );
  const without = roots.filter(({ config: { dir } }) => !tools.has(dir));
  if (without.length === 0) return inRepo;
  const wanted = without.find(({ isCertain }) => isCertain)?.tool;
  const missing = wanted === undefined ? "Neither terraform nor tofu is" : `${wanted} is not`;
  const fix =
    wanted === "tofu"
      ? hint`Install OpenTofu: https://opentofu.org/docs/intro/install/`
      : hint`Install Terraform: https://developer.hashicorp.com/terraform/install`;
  const message = `${missing} on PATH, so do-bootstrap does not run init.`;
  return [...inRepo, finding("terraform.missing", message, { fix })];
}
