import { RemoveFile } from "../../core/changes/remove-file.ts";
import { WriteFile } from "../../core/changes/write-file.ts";
import type { Consent } from "../../core/consent.ts";
import { contentAt, textAt } from "../../core/file-text.ts";
import type { Finding } from "../../core/finding.ts";
import type { Machine } from "../../core/machine.ts";
import { noJson, obstacles } from "../../core/obstacles.ts";
import { NOTHING, type PlanPart } from "../../core/plan.ts";
import { exec, hint, own } from "../../errors/hint.ts";
import { tokenInValues } from "../../exec/token-sources.ts";
import { jsonObject } from "../../lib/json.ts";
import { type Content, content } from "../../secret/content.ts";
import { Secret } from "../../secret/secret.ts";
import { SECRET_TFVARS } from "../config/protected-paths.ts";
import type { ResolvedConfig } from "../config/resolved.ts";
import type { RepoFacts } from "../git/facts.ts";
import type { TokenFacts } from "../token/facts.ts";
import { mayStore, usableToken } from "../token/storing.ts";
import { finding } from "./findings.ts";
import type { RootNeeds } from "./root/needs.ts";
import type { TerraformRoot } from "./root/root.ts";
import { terraformWords } from "./root/typed.ts";

/** The facts that the plan depends on. */
interface Known {
  readonly config: ResolvedConfig;
  readonly machine: Machine;
  readonly repo: RepoFacts;
  readonly token: TokenFacts;
}

/** Plans the secret file that sets the token's variable. */
export function planSecretVariables(
  known: Known,
  root: TerraformRoot,
  { credentials, variable }: RootNeeds,
  consent: Consent,
): PlanPart {
  const token = usableToken(known.token);
  if (known.config.token.doctl !== undefined && token?.origin.kind === "doctl") {
    return withoutValue(known, root, variable);
  }
  if (credentials !== "tfvars" || token === undefined) return NOTHING;
  const before = root.at(SECRET_TFVARS);
  // judgeTracked reports this, with or without a token.
  if (known.repo.git?.tracked.has(before.path)) return NOTHING;
  const parsed = jsonObject(textAt(before)?.text ?? "");
  const existing = parsed ?? {};
  const held = tokenInValues(existing, variable, before.path);

  if (!mayStore(token, known.machine, consent)) {
    if (held === undefined) return { findings: judgeVariable(known, root, variable) };
    if (held.equals(token)) return NOTHING;
    const message = `${before.path} holds another token (${held.fingerprint}), which overrides the one in the environment (${token.fingerprint}).`;
    const fix = hint`${own("--save")} replaces it with the token from the environment; or: ${{ remove: { path: before.path } }}`;
    return {
      findings: [finding("terraform.stale-secret", message, { where: before.path, fix })],
    };
  }
  const isUpToDate =
    before.kind === "file" && token.equals(held) && (before.mode ?? 0o600) === 0o600;
  if (isUpToDate) return NOTHING;

  const findings = obstacles(known.repo, before);
  if (parsed === undefined) findings.push(noJson(before.path));
  if (findings.length > 0) return { findings };
  const shownBefore =
    held === undefined ? contentAt(before) : secretContent({ ...existing, [variable]: held });
  const why = `var.${variable}; git ignores it`;
  const edit = () => secretContent({ ...existing, [variable]: token });
  return {
    findings,
    changes: [new WriteFile({ before, edit, shownBefore, mode: 0o600, why })],
  };
}

/** A value here would override the login's token, and `exec` would stop. */
function withoutValue(known: Known, root: TerraformRoot, variable: string): PlanPart {
  const before = root.at(SECRET_TFVARS);
  const { [variable]: value, ...rest } = jsonObject(textAt(before)?.text ?? "") ?? {};
  if (before.kind !== "file" || typeof value !== "string" || value === "") return NOTHING;
  const findings = obstacles(known.repo, before);
  if (findings.length > 0) return { findings };
  const why = `the login of doctl context ${known.config.token.doctl} replaces the token`;
  if (Object.keys(rest).length === 0) return { changes: [new RemoveFile(before, why)] };
  const shownBefore = secretContent({ ...rest, [variable]: value });
  const edit = () => secretContent(rest);
  const change = new WriteFile({ before, edit, shownBefore, mode: 0o600, why, takesAway: true });
  return { changes: [change] };
}

/** The repo's own variable has no value if the token may not be written, so plan would fail. */
function judgeVariable(
  { machine: { env }, config }: Known,
  { module, at, config: { dir }, tool }: TerraformRoot,
  variable: string,
): Finding[] {
  const declared = module.variables.get(variable);
  if (declared === undefined || declared.hasDefault || env[`TF_VAR_${variable}`]) return [];
  const where = `${at(declared.place.file).path}:${declared.place.line}`;
  const message = `${where}: var.${variable} has no value here because the token is not written to disk.`;
  const step = { set: `TF_VAR_${variable}`, from: config.token.name };
  // A shell variable cannot have a dash in its name.
  const fix = /^\w+$/.test(variable)
    ? hint`${step}; or write it: ${own("--save")}`
    : hint`${exec(terraformWords(dir, tool, ["plan"]))} passes it; or write it: ${own("--save")}`;
  return [finding("terraform.variable-unset", message, { where, fix })];
}

/**
 * The secret file. It is JSON because JSON is literal: unlike in HCL, a value cannot contain a template
 * (docs/contracts/terraform.md 2.3). Every value is a secret in a diff.
 */
function secretContent(values: Readonly<Record<string, unknown>>): Content {
  const hidden = ([key, value]: [string, unknown]) => [
    `  ${JSON.stringify(key)}: `,
    ...(value instanceof Secret
      ? ['"', value, '"']
      : [Secret.of(JSON.stringify(value), { kind: "tfvars", path: key })]),
  ];
  const lines = Object.entries(values).map(hidden);
  return content(
    "{\n",
    ...lines.flatMap((line, i) => (i === 0 ? line : [",\n", ...line])),
    "\n}\n",
  );
}
