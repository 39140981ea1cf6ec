import { MISSING_TF } from "../terraform/files.ts";
import { type Needs, needsOf } from "../terraform/needs.ts";
import type { TerraformRoot } from "../terraform/observe-root.ts";
import { finding } from "./findings.ts";
import type { Observation } from "./observe.ts";
import { type Command, type Finding, NOTHING, type Plan, type PlanPart } from "./types.ts";

/** `init` and `workspace select` for one root, where they have something to do (DESIGN rule 10). */
export function planCommands(observation: Observation, root: TerraformRoot, files: Plan): PlanPart {
  const { terraform, config, env } = observation;
  const { dir, init, workspace } = root.config;
  if (terraform === undefined) return NOTHING;
  const isConfigured = root.foreign.length + root.own.size > 0 || files.changes.length > 0;
  if (!isConfigured || root.module.broken.length > 0) return NOTHING;

  const needs = needsOf(root);
  const command = (args: readonly string[], why: string): Command => ({
    tool: terraform,
    args: [...args, "-no-color"],
    cwd: dir,
    why,
    // They need no token; and with TF_WORKSPACE, init fails on a backend that has others (7.4).
    without: [
      "TF_WORKSPACE",
      ...[needs, ...root.module.providers].map(({ variable }) => `TF_VAR_${variable}`),
      config.token.name,
      ...Object.keys(env).filter((name) => name.startsWith("DIGITALOCEAN_")),
    ],
  });
  const requirementsChange = files.changes.some(
    (change) =>
      change.kind === "write" &&
      REQUIREMENTS.some((name) => change.before.path.endsWith(`/${name}`)),
  );
  const commands: Command[] = [];
  if (init && (!root.isInitialised || requirementsChange)) {
    commands.push(command(["init", "-input=false"], "installs the provider"));
  }
  if (workspace !== undefined && workspace !== root.workspace) {
    commands.push(
      command(["workspace", "select", "-or-create", workspace], `workspace ${workspace}`),
    );
  }
  return { findings: judgeEnvironment(observation, root, needs), commands };
}

const REQUIREMENTS = ["versions.tf", MISSING_TF];

/** Inherited variables that change what Terraform does here (contracts/terraform.md 2 and 7). */
function judgeEnvironment(
  { env }: Observation,
  root: TerraformRoot,
  { credentials, variable }: Needs,
): Finding[] {
  const { workspace } = root.config;
  const findings: Finding[] = [];
  const say = (name: string, what: string) =>
    findings.push(
      finding("terraform.environment", `${name} is set: ${what}`, { fix: `unset ${name}` }),
    );

  const selected = env["TF_WORKSPACE"];
  if (selected && workspace !== undefined && selected !== workspace) {
    say("TF_WORKSPACE", `Terraform uses workspace ${selected}, not ${workspace}.`);
  }
  if (env["TF_DATA_DIR"]) say("TF_DATA_DIR", "without it, Terraform will find nothing installed.");
  for (const name of Object.keys(env).filter((name) => /^TF_CLI_ARGS(_|$)/.test(name))) {
    if (env[name]) say(name, "its arguments are added to each terraform command.");
  }
  const given = `TF_VAR_${variable}`;
  if (credentials === "tfvars" && env[given] !== undefined) {
    say(given, "it is the weakest source, and any tfvars file beats it.");
  }
  return findings;
}
