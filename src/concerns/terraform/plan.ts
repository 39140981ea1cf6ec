import { dirname, relative } from "node:path";
import { writeText } from "../../core/changes/write-file.ts";
import type { Consent } from "../../core/consent.ts";
import { textIn } from "../../core/file-text.ts";
import type { Finding } from "../../core/finding.ts";
import { isSameCode } from "../../core/generated.ts";
import type { Machine } from "../../core/machine.ts";
import { leadsOut, linkOut, notCheckedOut, obstacles, yoursNow } from "../../core/obstacles.ts";
import { joined, NOTHING, type PlanPart } from "../../core/plan.ts";
import { hint } from "../../errors/hint.ts";
import { otherApisIn } from "../../exec/guards.ts";
import { readEnvFile } from "../../exec/read-env-file.ts";
import { keysKept } from "../../exec/variables.ts";
import { releaseIn } from "../../hcl/releases.ts";
import { isInside, isTerraformFile } from "../../lib/paths.ts";
import type { ResolvedConfig } from "../config/resolved.ts";
import type { EnvFileFacts } from "../env-file/facts.ts";
import type { RepoFacts } from "../git/facts.ts";
import type { SpacesFacts } from "../spaces/facts.ts";
import type { TokenFacts } from "../token/facts.ts";
import { judgeBackendSecrets, planBackend } from "./backend/plan.ts";
import { isFixable, judgeCode, judgeFixed, planFix, withFix } from "./code.ts";
import { execConfigOf } from "./exec-config.ts";
import { renderConfiguration } from "./files.ts";
import { finding } from "./findings.ts";
import { planPublicVariables } from "./public-values.ts";
import { whyNotTaken, whyTooOld } from "./root/asked-release.ts";
import type { TerraformFacts } from "./root/facts.ts";
import { EPHEMERAL_SINCE, MISSING_TF } from "./root/names.ts";
import { needsOf, type RootNeeds } from "./root/needs.ts";
import type { TerraformRoot } from "./root/root.ts";
import { isTooOld, type TerraformTool } from "./root/tool.ts";
import { terragruntUnits } from "./search/judge.ts";
import { planSecretVariables } from "./secret-values.ts";
import { judgeSpacesKeys } from "./spaces-keys.ts";
import { judgeTracked } from "./tracked.ts";

/** The facts that the plan depends on. */
interface Known {
  readonly config: ResolvedConfig;
  readonly machine: Machine;
  readonly repo: RepoFacts;
  readonly token: TokenFacts;
  readonly envFile: EnvFileFacts;
  readonly spaces: SpacesFacts;
  readonly terraform: TerraformFacts;
}

/** Plans the files of one root module. */
export function planTerraform(known: Known, found: TerraformRoot, consent: Consent): PlanPart {
  const { dir } = found.config;
  const here = relative(known.config.base, dir) || ".";
  if (!isInside(found.real, known.repo.top)) {
    const message = `terraform.dir ${here} resolves outside the repo: ${found.real}.`;
    return { findings: [finding("terraform.outside", message, { where: dir })] };
  }
  const [notHere] = Array.from(known.repo.notHere).filter(
    (path) => dirname(path) === found.real && isTerraformFile(path),
  );
  if (notHere !== undefined) return { findings: [notCheckedOut(notHere, known.repo.top)] };
  if (found.isUnit) return { findings: [terragruntUnits([here])] };
  // What these files declare or set is unknown.
  const outside = found.outside.map((each) => leadsOut(each, linkOut(each) ?? each.path));
  if (outside.length > 0) return { findings: outside };
  // What an unreadable file declares is unknown, and nothing may be declared twice.
  const isBroken = found.module.broken.length > 0;
  if (isBroken || found.calledBy.length > 0) {
    return {
      findings: [
        ...(isBroken ? [] : [calledModule(found, here)]),
        ...judgeCode(known, found, needsOf(found)),
        ...judgeBackendSecrets(known, found),
        ...judgeTracked(known, found),
        ...judgeOtherHosts(known, found),
      ],
    };
  }
  const fix = consent.fix && isFixable(known, found);
  const root = fix ? withFix(found) : found;
  const needs = needsOf(root);
  const plan = joined([
    { findings: judgeCode(known, root, needs) },
    { findings: judgeBackendSecrets(known, root) },
    { findings: judgeTracked(known, root) },
    fix ? joined([{ findings: judgeFixed(known, found) }, planFix(known, found)]) : NOTHING,
    planConfiguration(known, root, needs),
    planBackend(known, root),
    { findings: judgeOtherHosts(known, root) },
    { findings: judgeKeysKept(known, root) },
    { findings: judgeSpacesKeys(known, root) },
    planPublicVariables(known, root),
    planSecretVariables(known, root, needs, consent),
    { findings: judgeRelease(known, root, needs) },
    { findings: judgeUndeclared(root, needs) },
  ]);
  if (plan.changes.length === 0 || root.blocked === undefined) return plan;
  const blocked = finding("file.not-writable", `${here} is not writable: ${root.blocked}.`, {
    where: dir,
    fix: hint`Fix the folder's permissions or owner.`,
  });
  return { findings: [...plan.findings, blocked] };
}

/** Nothing is written to a called module, not even values: Terraform reads them only in a root. */
function calledModule({ calledBy, config: { dir } }: TerraformRoot, here: string): Finding {
  const [first, ...more] = calledBy;
  const others = more.length > 0 ? `, and ${more.length} more` : "";
  const message = `${here} is called as a module (${first}${others}), so nothing is added to it: a provider block would break its callers.`;
  const fix = hint`Set terraform.dir in the config to the folder where you run Terraform, or set terraform: false.`;
  return finding("terraform.called-module", message, { where: dir, fix });
}

/** The token of a root whose code sends it elsewhere is not written. `exec` refuses to pass it on, too. */
export function judgeOtherHosts(
  { config, machine: { env } }: Pick<Known, "config"> & { machine: Pick<Machine, "env"> },
  root: TerraformRoot,
): Finding[] {
  const { otherApis } = execConfigOf(config, [root]);
  return otherApisIn(otherApis, env).map(({ place, message, fix }) =>
    finding("terraform.other-host", message, { where: place, fix }),
  );
}

/** `exec` reports the same when it runs. If one root could send keys elsewhere, no root gets them. */
function judgeKeysKept(
  { config, machine: { env }, envFile: { file }, terraform: { roots } }: Known,
  root: TerraformRoot,
): Finding[] {
  const ofRoot = execConfigOf(config, [root]);
  if (ofRoot.strangeBackends.length + ofRoot.strangeProviders.length === 0) return [];
  const { hasBackend, keyVariables } = execConfigOf(config, roots);
  const all = { ...ofRoot, hasBackend, keyVariables };
  return keysKept({ config: all, env, envFile: readEnvFile(textIn(file)) }).map((kept) => {
    const { names, block, place, settings, endpoint, host } = kept;
    const message = `${place}: this ${block} may use a host other than Spaces (${settings}), so exec and env don't pass the ${names} keys.`;
    const fix = hint`Remove these settings. Or, if you trust the host, set it in your shell: ${{ set: endpoint, to: host || "https://HOST" }}`;
    return finding(block === "backend" ? "backend.not-spaces" : "spaces.other-host", message, {
      where: place,
      fix,
    });
  });
}

/** Our files follow the config. */
function planConfiguration(known: Known, root: TerraformRoot, needs: RootNeeds): PlanPart {
  const texts = renderConfiguration(root, needs, known.terraform.templates);
  return joined([...texts].map(([name, text]) => planFile(known, root, name, text)));
}

function planFile(known: Known, root: TerraformRoot, name: string, text: string): PlanPart {
  const before = root.at(name);
  const existing = root.own.get(name);
  if (existing?.edited) return { findings: [yoursNow(before.path)] };
  if (isSameCode(textIn(before), text) && existing !== undefined) return NOTHING;
  const findings = obstacles(known.repo, before);
  if (findings.length > 0) return { findings };
  const why = existing ? "regenerated" : (WHY[name] ?? "");
  return { findings, changes: [writeText(before, text, why)] };
}

const WHY: Readonly<Record<string, string>> = {
  "versions.tf": "the provider and its version",
  "provider.tf": "no token in code",
  "variables.tf": "declares the variables",
  [MISSING_TF]: "blocks that were missing",
};

/** terraform plan would fail, and nothing else would say why. */
function judgeUndeclared({ config, module, at }: TerraformRoot, needs: RootNeeds): Finding[] {
  const ours = [needs.variable, ...Object.keys(config.variables)];
  return [...module.undeclared]
    .filter(([name]) => !ours.includes(name))
    .map(([name, { file, line }]) => {
      const where = `${at(file).path}:${line}`;
      const message = `${where}: no file declares var.${name}, so terraform plan will fail.`;
      const fix = hint`Declare it (variable "${name}" {}); or give it a value in the config: terraform.variables: { ${name}: … }`;
      return finding("terraform.undeclared", message, { where, fix });
    });
}

/**
 * Compares what we write, and the existing code, with the release that the repo requires and the installed one.
 * Reported before anything is written.
 */
function judgeRelease(known: Known, root: TerraformRoot, needs: RootNeeds): Finding[] {
  const { config, tool, contested } = root;
  const installed = known.terraform.tools.get(config.dir);
  const findings: Finding[] = [];
  const since = EPHEMERAL_SINCE[tool];
  const { credentials, lacksTokenVariable, mayBeEphemeral } = needs;
  const asked = lacksTokenVariable && mayBeEphemeral ? whyTooOld(root, since) : undefined;
  const isEphemeral = credentials === "tfvars" && (mayBeEphemeral || !lacksTokenVariable);
  if (asked !== undefined) {
    const message = `${asked}, but the generated ephemeral variable needs ${since}.`;
    const fix = hint`Raise that version, or set terraform.credentials: env`;
    findings.push(finding("terraform.too-old", message, { where: config.dir, fix }));
  } else if (isEphemeral && installed !== undefined && isTooOld(installed)) {
    const message = `${installed.name} ${installed.version} is too old for ephemeral variables.`;
    const fix = hint`Upgrade it, or set terraform.credentials: env`;
    findings.push(finding("terraform.too-old", message, { where: installed.path, fix }));
  }
  findings.push(...judgeAsked(root, installed));
  const [first] = contested;
  if (first !== undefined) {
    const path = root.at(first).path;
    const message = `Only OpenTofu reads ${path}, and the config does not say which tool you use. What this file declares is not declared a second time.`;
    const fix = hint`Set terraform.tool in the config: tofu or terraform`;
    findings.push(finding("terraform.tool-unsaid", message, { where: path, fix }));
  }
  return findings;
}

/** The repo's version requirements contradict each other or exclude the installed tool. */
function judgeAsked(root: TerraformRoot, installed: TerraformTool | undefined): Finding[] {
  const { config, versionFiles, tool } = root;
  const wrong = versionFiles.flatMap((file) => {
    const release = releaseIn(file);
    const other = release === undefined ? undefined : whyNotTaken(root, release);
    return other === undefined ? [] : { file, other };
  });
  const [first] = wrong;
  if (first !== undefined) {
    const { path, says } = first.file;
    const message = `${path} says ${says}, but ${first.other}.`;
    const fix = hint`Change one of them so that both allow the same version.`;
    return [finding("terraform.tool-version", message, { where: path, fix })];
  }
  if (installed?.name !== tool || installed.version === undefined) return [];
  // Only version managers read a version file; the tool itself does not.
  const why = whyNotTaken({ ...root, versionFiles: [] }, installed.version);
  if (why === undefined) return [];
  const message = `${tool} ${installed.version} is installed, but ${why}.`;
  const fix = hint`Install a matching version, or change the version that the repo requires.`;
  return [finding("terraform.tool-version", message, { where: config.dir, fix })];
}
