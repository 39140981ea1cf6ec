import { relative } from "node:path";
import type { Observation } from "../../commands/init/observe.ts";
import { noJson, obstacles, plainWrite, yoursNow } from "../../core/existing.ts";
import { textAt } from "../../core/file-text.ts";
import type { Finding } from "../../core/finding.ts";
import { type Consent, joined, NOTHING, type PlanPart } from "../../core/types.ts";
import { hint } from "../../errors/hint.ts";
import { jsonObject } from "../../lib/json.ts";
import { isInside } from "../../lib/paths.ts";
import { content } from "../../secret/content.ts";
import { judgeBackendSecrets, planBackend } from "./backend/plan.ts";
import { isFixable, judgeCode, planFix, withFix } from "./code.ts";
import { renderMissing, renderNothing, renderRoot } from "./files.ts";
import { finding } from "./findings.ts";
import { MISSING_TF, PUBLIC_TFVARS } from "./root/names.ts";
import { type Needs, needsOf } from "./root/needs.ts";
import type { TerraformRoot } from "./root/observe.ts";
import { isTooOld } from "./root/tool.ts";
import { planSecretVariables } from "./secret-values.ts";

/** The files of one root module. */
export function planTerraform(
  observation: Observation,
  found: TerraformRoot,
  consent: Consent,
): PlanPart {
  const { dir } = found.config;
  const here = relative(observation.config.base, dir) || ".";
  if (!isInside(found.real, observation.top)) {
    const message = `terraform.dir ${here} leads out of the repo, to ${found.real}.`;
    return { findings: [finding("terraform.outside", message, { where: dir })] };
  }
  // What a file declares that cannot be read is unknown, and nothing may be declared twice.
  if (found.module.broken.length > 0) {
    const findings = judgeCode(observation, found, needsOf(found));
    return { findings: [...findings, ...judgeBackendSecrets(observation, found)] };
  }
  const fix = consent.fix && isFixable(found);
  const root = fix ? withFix(found) : found;
  const needs = needsOf(root);
  const plan = joined([
    { findings: judgeCode(observation, root, needs) },
    { findings: judgeBackendSecrets(observation, root) },
    fix ? planFix(observation, found, consent) : NOTHING,
    planConfiguration(observation, root, needs, consent),
    planBackend(observation, root, consent),
    planPublicVariables(observation, root, consent),
    planSecretVariables(observation, root, needs, consent),
    { findings: judgeTool(observation, needs) },
  ]);
  if (plan.changes.length === 0 || root.blocked === undefined) return plan;
  const blocked = finding("file.not-writable", `${here} cannot be written: ${root.blocked}.`, {
    where: dir,
    fix: hint`Fix the folder's permissions or owner.`,
  });
  return { findings: [...plan.findings, blocked] };
}

/** Three files in a root without any; else what is missing, in one. Files of ours follow config. */
function planConfiguration(
  observation: Observation,
  root: TerraformRoot,
  needs: Needs,
  consent: Consent,
): PlanPart {
  const { templates } = observation;
  const { foreign, own, config } = root;
  const isEmpty = foreign.length === 0 && !own.has(MISSING_TF);
  const isOurs = (name: string) => own.get(name)?.edited === false;
  const rendered = renderRoot(config, needs, templates);
  const lacking = new Map([
    ["versions.tf", needs.lacksRequiredProviders],
    ["provider.tf", needs.lacksProvider],
    ["variables.tf", rendered.has("variables.tf")],
  ]);
  const plan = (name: string, text = renderNothing(name, templates)) =>
    planFile(observation, root, name, text, consent);
  const names = [...lacking.keys()].filter(
    (name) => isOurs(name) || (isEmpty && (lacking.get(name) || own.has(name))),
  );
  const plans = names.map((name) => plan(name, lacking.get(name) ? rendered.get(name) : undefined));
  const text = renderMissing(config, without(needs, names), templates);
  if (text !== undefined || isOurs(MISSING_TF)) plans.push(plan(MISSING_TF, text));
  return joined(plans);
}

/** What is still lacking when these files have their part. */
function without(needs: Needs, names: readonly string[]): Needs {
  const hasVariables = names.includes("variables.tf");
  return {
    ...needs,
    lacksRequiredProviders: needs.lacksRequiredProviders && !names.includes("versions.tf"),
    lacksProvider: needs.lacksProvider && !names.includes("provider.tf"),
    lacksTokenVariable: needs.lacksTokenVariable && !hasVariables,
    undeclared: hasVariables ? [] : needs.undeclared,
  };
}

function planFile(
  observation: Observation,
  root: TerraformRoot,
  name: string,
  text: string,
  consent: Consent,
): PlanPart {
  const before = root.at(name);
  const existing = root.own.get(name);
  if (existing?.edited) return { findings: [yoursNow(before.path)] };
  if (textAt(before)?.text.replaceAll("\r\n", "\n") === text) return NOTHING;
  const findings = obstacles(observation, before, consent);
  if (findings.length > 0) return { findings };
  const why = existing ? "generated anew" : (WHY[name] ?? "");
  return { findings, changes: [plainWrite(before, content(text), why)] };
}

const WHY: Readonly<Record<string, string>> = {
  "versions.tf": "the provider and its releases",
  "provider.tf": "no token in code",
  "variables.tf": "declares the variables",
  [MISSING_TF]: "what this root lacked",
};

/** Config decides for the keys that it names; what a person added to the file stays. */
function planPublicVariables(
  observation: Observation,
  root: TerraformRoot,
  consent: Consent,
): PlanPart {
  const { variables } = root.config;
  if (Object.keys(variables).length === 0) return NOTHING;
  const before = root.at(PUBLIC_TFVARS);
  const current = textAt(before)?.text ?? "";
  const existing = jsonObject(current);
  const after = `${JSON.stringify({ ...existing, ...variables }, null, 2)}\n`;
  if (current === after) return NOTHING;
  const findings = obstacles(observation, before, consent);
  if (existing === undefined) findings.push(noJson(before.path));
  const change = plainWrite(before, content(after), "values of terraform.variables");
  return { findings, changes: findings.length > 0 ? [] : [change] };
}

function judgeTool({ terraform }: Observation, { credentials }: Needs): Finding[] {
  if (credentials !== "tfvars" || terraform === undefined || !isTooOld(terraform)) return [];
  const message = `${terraform.name} ${terraform.version} is too old for ephemeral variables.`;
  const fix = hint`Upgrade it, or set terraform.credentials: env`;
  return [finding("terraform.too-old", message, { where: terraform.path, fix })];
}
