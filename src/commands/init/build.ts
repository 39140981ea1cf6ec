import { planDoctl } from "../../concerns/doctl/plan.ts";
import { judgeConflicts, judgeRootConflicts } from "../../concerns/effective-token/conflicts.ts";
import { planEnvrc } from "../../concerns/env-file/envrc.ts";
import { planEnvFile } from "../../concerns/env-file/plan.ts";
import { planGitignore } from "../../concerns/git/plan.ts";
import { planCloud } from "../../concerns/terraform/cloud/plan.ts";
import { planCommands } from "../../concerns/terraform/commands.ts";
import { planTerraform } from "../../concerns/terraform/plan.ts";
import type { TerraformRoot } from "../../concerns/terraform/root/observe.ts";
import { judgeToken } from "../../concerns/token/judge.ts";
import { compareScopes } from "../../concerns/token/needed-scopes.ts";
import { type Finding, statusOf } from "../../core/finding.ts";
import { type Consent, joined, type Plan } from "../../core/types.ts";
import { EXIT } from "../../errors/exit-status.ts";
import { hint } from "../../errors/hint.ts";
import { finding } from "./findings.ts";
import type { Observation } from "./observe.ts";
import { planConfig } from "./write-config.ts";

/** What has to change, and what is worth saying, given what was observed. Pure. */
export function buildPlan(observation: Observation, consent: Consent): Plan {
  return joined([
    { findings: [...judgeToken(observation), ...judgeScopes(observation)] },
    planGitignore(observation, consent),
    planEnvFile(observation, consent),
    ...setAside(observation.roots, observation.roots.map(planRoot)),
    planCloud(observation, consent),
    planDoctl(observation, consent),
    planConfig(observation, consent),
    planEnvrc(observation, consent),
    { findings: judgeConflicts(observation) },
    { findings: aboutTools(observation) },
  ]);

  function planRoot(root: TerraformRoot, at: number): Plan {
    const files = joined([planTerraform(observation, root, consent)]);
    const source = observation.tokenSources[at];
    return joined([
      files,
      planCommands(observation, root, files),
      { findings: judgeRootConflicts(observation, root, source, consent) },
    ]);
  }
}

/**
 * One of several roots that cannot be prepared is left as it is, and stops no other. Where that is so of
 * every root, or the config contradicts itself, nothing is prepared.
 */
function setAside(roots: readonly TerraformRoot[], plans: readonly Plan[]): readonly Plan[] {
  if (plans.every(hasErrors)) return plans;
  return plans.map((plan, at) => {
    if (!hasErrors(plan) || statusOf(plan.findings, false) !== EXIT.findings) return plan;
    const dir = roots[at]?.config.dir ?? "";
    const findings = plan.findings.map((each) =>
      each.level === "error" ? { ...each, skippedRoot: dir } : each,
    );
    return { findings, changes: [], commands: [] };
  });
}

function hasErrors({ findings }: Plan): boolean {
  return findings.some(({ level }) => level === "error");
}

/** A new repo, whose code asks for nothing yet, is no measure of a token. */
function judgeScopes({ code, inspection }: Observation): readonly Finding[] {
  if (code.actions.length === 0) return [];
  return compareScopes(inspection, code.needs)?.findings ?? [];
}

function aboutTools({ skippedTools, config, roots, terraform }: Observation): Finding[] {
  const inRepo = skippedTools.map((path) =>
    finding("tool.in-repo", "A tool inside the repo was passed over: a repo is data.", {
      where: path,
      fix: hint`Install the tool outside the repo, if this one was meant.`,
    }),
  );
  if (roots.length === 0 || terraform !== undefined) return inRepo;
  const wanted = config.roots.find(({ tool }) => tool !== undefined)?.tool;
  const missing = wanted === undefined ? "Neither terraform nor tofu is" : `${wanted} is not`;
  const fix =
    wanted === "tofu"
      ? hint`Install OpenTofu: https://opentofu.org/docs/intro/install/`
      : hint`Install Terraform: https://developer.hashicorp.com/terraform/install`;
  const message = `${missing} on PATH; the files are ready for it.`;
  return [...inRepo, finding("terraform.missing", message, { fix })];
}
