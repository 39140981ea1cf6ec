import { EXIT } from "../errors.ts";
import type { TerraformRoot } from "../terraform/observe-root.ts";
import { inEnvironment } from "./as-typed.ts";
import { judgeConflicts, judgeRootConflicts } from "./conflicts.ts";
import { planDoctl } from "./doctl.ts";
import { planEnvFile } from "./env-file.ts";
import { planEnvrc } from "./envrc.ts";
import { finding, statusOf } from "./findings.ts";
import { planGitignore } from "./gitignore.ts";
import { compareScopes } from "./needs.ts";
import type { Observation } from "./observe.ts";
import { planTerraform } from "./terraform.ts";
import { planCloud } from "./terraform-cloud.ts";
import { planCommands } from "./terraform-commands.ts";
import { judgeToken } from "./token.ts";
import { type Consent, type Finding, joined, type Plan } from "./types.ts";
import { planConfig } from "./write-config.ts";

/** What has to change, and what is worth saying, given what was observed. Pure. */
export function buildPlan(observation: Observation, consent: Consent): Plan {
  const plan = joined([
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
  const { environment } = observation.config;
  const findings = plan.findings.map(({ fix, ...rest }) =>
    fix === undefined ? rest : { ...rest, fix: inEnvironment(fix, environment) },
  );
  return { ...plan, findings };

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
      each.level === "error" ? { ...each, setsAside: dir } : each,
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
      fix: "Install the tool outside the repo, if this one was meant.",
    }),
  );
  if (roots.length === 0 || terraform !== undefined) return inRepo;
  const wanted = config.roots.find(({ tool }) => tool !== undefined)?.tool;
  const missing = wanted === undefined ? "Neither terraform nor tofu is" : `${wanted} is not`;
  const fix =
    wanted === "tofu"
      ? "Install OpenTofu: https://opentofu.org/docs/intro/install/"
      : "Install Terraform: https://developer.hashicorp.com/terraform/install";
  const message = `${missing} on PATH; the files are ready for it.`;
  return [...inRepo, finding("terraform.missing", message, { fix })];
}
