import { relative } from "node:path";
import { type Content, content } from "../content.ts";
import type { Snapshot } from "../host/host.ts";
import { isInside } from "../paths.ts";
import { PUBLIC_TFVARS, renderRoot, SECRET_TFVARS } from "../terraform/files.ts";
import { isOurs, type TerraformRoot } from "../terraform/observe-root.ts";
import { isTooOld } from "../terraform/tool.ts";
import { readToken } from "../token/format.ts";
import { Secret } from "../token/secret.ts";
import { contentAt, obstacles, textAt } from "./existing.ts";
import { finding } from "./findings.ts";
import type { Observation } from "./observe.ts";
import { mayStore, usableToken } from "./storing.ts";
import { type Consent, type Finding, joined, NOTHING, type Plan, type WriteFile } from "./types.ts";

/** The files of one root module. */
export function planTerraform(
  observation: Observation,
  root: TerraformRoot,
  consent: Consent,
): Plan {
  const { dir } = root.config;
  const here = relative(observation.config.base, dir) || ".";
  const target = root.at("versions.tf").target;
  if (!isInside(target, observation.top)) {
    const message = `terraform.dir ${here} leads out of the repo, to ${target}.`;
    return { findings: [finding("terraform.outside", message, { where: dir })], changes: [] };
  }
  if (!isOurs(root)) {
    const message = `${here} has Terraform files of its own (${root.foreign.slice(0, 3).join(", ")}): left alone.`;
    return { findings: [finding("terraform.existing-root", message, { where: dir })], changes: [] };
  }
  const plan = joined([
    planConfiguration(observation, root, consent),
    planPublicVariables(root),
    planSecretVariables(observation, root, consent),
  ]);
  const tooOld = judgeTool(observation, root);
  if (plan.changes.length === 0 || root.blocked === undefined) {
    return { findings: [...plan.findings, ...tooOld], changes: plan.changes };
  }
  const blocked = finding("file.not-writable", `${here} cannot be written: ${root.blocked}.`, {
    where: dir,
    fix: "Mend the folder's permissions or owner.",
  });
  return { findings: [...plan.findings, blocked], changes: [] };
}

function planConfiguration(observation: Observation, root: TerraformRoot, consent: Consent): Plan {
  const findings: Finding[] = [];
  const changes: WriteFile[] = [];
  for (const [name, text] of renderRoot(root.config, observation.templates)) {
    const before = root.at(name);
    const existing = root.own.get(name);
    if (existing?.edited) {
      const message = `${name} was edited since it was generated: left alone.`;
      findings.push(finding("terraform.edited", message, { where: before.path }));
      continue;
    }
    // In a root that has grown, a file of ours that is gone was put elsewhere on purpose.
    if (existing === undefined && root.foreign.length > 0) continue;
    if (textAt(before)?.text.replaceAll("\r\n", "\n") === text) continue;
    const blocking = obstacles(observation, before, consent);
    findings.push(...blocking);
    if (blocking.length > 0) continue;
    changes.push(write(before, content(text), existing ? "a newer template" : (WHY[name] ?? "")));
  }
  return { findings, changes };
}

const WHY: Readonly<Record<string, string>> = {
  "versions.tf": "the provider and its releases",
  "provider.tf": "no token in code",
  "variables.tf": "declares the variables",
};

/** Config decides for the keys that it names; what a person added to the file stays. */
function planPublicVariables(root: TerraformRoot): Plan {
  const { variables } = root.config;
  if (Object.keys(variables).length === 0) return NOTHING;
  const before = root.at(PUBLIC_TFVARS);
  const existing = jsonObject(textAt(before)?.text);
  const after = `${JSON.stringify({ ...existing, ...variables }, null, 2)}\n`;
  if (textAt(before)?.text === after) return NOTHING;
  return {
    findings: [],
    changes: [write(before, content(after), "values of terraform.variables")],
  };
}

function planSecretVariables(
  observation: Observation,
  root: TerraformRoot,
  consent: Consent,
): Plan {
  const { variable, credentials } = root.config;
  const before = root.at(SECRET_TFVARS);
  const existing = jsonObject(textAt(before)?.text);
  const held = secretIn(existing, variable, before.path);
  const token = usableToken(observation);
  if (credentials !== "tfvars" || token === undefined) return NOTHING;

  if (!mayStore(token, observation, consent)) {
    if (held === undefined || held.equals(token)) return NOTHING;
    const message = `${before.path} holds another token (${held.fingerprint}), and beats the environment's (${token.fingerprint}).`;
    const fix = `do-bootstrap --save puts the environment's in its place; or: rm ${before.path}`;
    return {
      findings: [finding("terraform.stale-secret", message, { where: before.path, fix })],
      changes: [],
    };
  }
  const after = secretContent(existing, variable, token);
  const isUpToDate =
    before.kind === "file" &&
    token.equals(held) &&
    (before.mode === 0o600 || observation.platform === "win32");
  if (isUpToDate) return NOTHING;

  const findings = obstacles(observation, before, consent);
  if (observation.git?.tracked.has(before.path)) {
    const message = `git tracks ${before.path}, which is to hold the token.`;
    const fix = `git rm --cached ${relative(observation.config.base, before.path)}`;
    findings.push(finding("terraform.secret-tracked", message, { where: before.path, fix }));
  }
  if (findings.length > 0) return { findings, changes: [] };
  const shownBefore =
    held === undefined ? contentAt(before) : secretContent(existing, variable, held);
  const why = `var.${variable}; git ignores it`;
  return {
    findings,
    changes: [{ kind: "write", before, after, shownBefore, mode: 0o600, why }],
  };
}

function judgeTool({ terraform }: Observation, { config }: TerraformRoot): Finding[] {
  if (config.credentials !== "tfvars" || terraform === undefined || !isTooOld(terraform)) return [];
  const message = `${terraform.name} ${terraform.version} is too old for ephemeral variables.`;
  const fix = "Upgrade it, or set terraform.credentials: env";
  return [finding("terraform.too-old", message, { where: terraform.path, fix })];
}

function secretIn(
  existing: Readonly<Record<string, unknown>>,
  variable: string,
  path: string,
): Secret | undefined {
  const value = existing[variable];
  if (typeof value !== "string" || value === "") return undefined;
  const format = readToken(value);
  return Secret.of("value" in format ? format.value : value, { kind: "tfvars", path });
}

/**
 * The secret file with one variable set. JSON is literal where HCL is not: no template in a value
 * can come to life (contracts/terraform.md 2.3). Every value is a secret to a diff.
 */
function secretContent(
  existing: Readonly<Record<string, unknown>>,
  variable: string,
  token: Secret,
): Content {
  const hidden = ([key, value]: [string, unknown]) => [
    `  ${JSON.stringify(key)}: `,
    ...(key === variable
      ? ['"', token, '"']
      : [Secret.of(JSON.stringify(value), { kind: "tfvars", path: key })]),
  ];
  const lines = Object.entries({ ...existing, [variable]: "" }).map(hidden);
  return content(
    "{\n",
    ...lines.flatMap((line, i) => (i === 0 ? line : [",\n", ...line])),
    "\n}\n",
  );
}

function jsonObject(text: string | undefined): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text ?? "");
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : {};
  } catch {
    return {};
  }
}

function write(before: Snapshot, after: Content, why: string): WriteFile {
  const mode = before.kind === "file" ? before.mode : 0o644;
  return { kind: "write", before, after, shownBefore: contentAt(before), mode, why };
}
