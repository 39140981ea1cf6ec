import { relative } from "node:path";
import { type WriteFile, writeText } from "../../../core/changes/write-file.ts";
import { textIn } from "../../../core/file-text.ts";
import type { Finding } from "../../../core/finding.ts";
import { isSameCode } from "../../../core/generated.ts";
import { obstacles, yoursNow } from "../../../core/obstacles.ts";
import { joined, NOTHING, type PlanPart } from "../../../core/plan.ts";
import { exec, type HintPart, hint, own, run, unset } from "../../../errors/hint.ts";
import { KEY_NAMES } from "../../../exec/spaces-keys.ts";
import type { SourceLocation } from "../../../hcl/syntax.ts";
import type { ResolvedConfig, SpacesBackend } from "../../config/resolved.ts";
import type { EnvFileFacts } from "../../env-file/facts.ts";
import type { RepoFacts } from "../../git/facts.ts";
import { type SpacesFacts, willHaveKeys } from "../../spaces/facts.ts";
import { KEYS_PAGE, makeKeys } from "../../spaces/keys.ts";
import type { LockTest, LockVerdict } from "../../spaces/lock-test.ts";
import { placeOf } from "../../spaces/prove-locks.ts";
import { whyTooOld } from "../root/asked-release.ts";
import { backendSince, differences, renderBackend } from "../root/backend.ts";
import type { TerraformFacts } from "../root/facts.ts";
import { hasSpacesBackend } from "../root/keys.ts";
import { BACKEND_TF } from "../root/names.ts";
import type { TerraformRoot } from "../root/root.ts";
import { isToolOlder, type TerraformTool } from "../root/tool.ts";
import { terraformWords, toolOf } from "../root/typed.ts";
import { finding } from "./findings.ts";

/** The facts that the plan depends on. */
interface Known {
  readonly config: ResolvedConfig;
  readonly repo: RepoFacts;
  readonly envFile: EnvFileFacts;
  readonly spaces: SpacesFacts;
  readonly terraform: TerraformFacts;
}

/** Plans backend.tf, and judges where the state is. */
export function planBackend(known: Known, root: TerraformRoot): PlanPart {
  const { backend } = root.config;
  if (backend === undefined) {
    return {
      findings: [
        ...judgeLeftover(known, root),
        ...judgeSharing(known.config, root),
        ...judgeOwnKeys(known, root),
      ],
    };
  }
  const { cloud } = root.module;
  if (cloud !== undefined) {
    const where = placeIn(root, cloud);
    const message = `${where}: HCP Terraform stores the state of this root, but the config sets terraform.backend.`;
    const fix = hint`Remove terraform.backend from the config, or remove this block from the code.`;
    return { findings: [finding("cloud.backend", message, { where, fix })] };
  }
  return joined([
    planFile(known, root, backend),
    { findings: judgeKeys(known, backend) },
    { findings: judgeMove(known, root) },
    { findings: judgeTool(known.terraform.tools.get(root.config.dir), backend) },
  ]);
}

/** The lock that must be tested before this root's backend.tf is written. */
export function lockTestOf(known: Known, root: TerraformRoot): LockTest | undefined {
  const { backend } = root.config;
  return backend && planFile(known, root, backend).lockTest;
}

/** Never overwrites a user's backend block, and never adds a second one. */
function planFile(
  known: Known,
  root: TerraformRoot,
  backend: SpacesBackend,
): PlanPart & { readonly lockTest?: LockTest } {
  const { module, foreign } = root;
  const before = root.at(BACKEND_TF);
  const edited = root.own.get(BACKEND_TF)?.edited ? [yoursNow(before.path)] : [];
  if (edited.length > 0 || module.backend !== undefined) {
    return { findings: [...edited, ...judgeBlock(root, backend)] };
  }
  if (foreign.includes(BACKEND_TF)) {
    const message = `${before.path} is your own file and has no backend block, so no backend is written.`;
    const fix = hint`Rename the file.`;
    return { findings: [finding("backend.other", message, { where: before.path, fix })] };
  }
  const since = backendSince(backend);
  const why = whyTooOld(root, since);
  if (why !== undefined) {
    const message = `${before.path} is not written: it needs ${since}, but ${why}.`;
    const fix = hint`Raise that version, or remove terraform.backend from the config.`;
    return { findings: [finding("terraform.too-old", message, { where: before.path, fix })] };
  }
  const text = renderBackend(backend, known.terraform.templates);
  if (isSameCode(textIn(before), text)) return NOTHING;
  const findings = obstacles(known.repo, before);
  if (findings.length > 0) return { findings };
  const change = writeText(before, text, "the state is on Spaces");
  if (!backend.lock) return { changes: [change] };

  const verdict = known.spaces.locks.get(placeOf(backend));
  if (verdict !== undefined) return afterTest(change, backend, verdict);
  const found = known.spaces.keys;
  if (found.kind !== "keys" && willHaveKeys(known.spaces)) {
    return { findings: [untested(backend)], changes: [change] };
  }
  if (found.kind !== "keys") {
    const why = found.kind === "none" ? "there are no Spaces keys" : "AWS_PROFILE is not read";
    const message = `Can't test the lock of ${backend.bucket}: ${why}. do-bootstrap writes no untested lock.`;
    const fix = hint`Set ${KEY_NAMES.join(" and ")}, or remove terraform.backend.lock.`;
    return { findings: [finding("backend.lock", message, { where: before.path, fix })] };
  }
  return {
    findings: [untested(backend)],
    changes: [change],
    lockTest: { backend, keys: found.keys },
  };
}

function untested({ bucket }: SpacesBackend): Finding {
  const message = `The lock of ${bucket} is not tested yet. init tests it first: it writes an object next to the state twice, then deletes it.`;
  return finding("backend.lock-untested", message);
}

function afterTest(
  change: WriteFile,
  { bucket }: SpacesBackend,
  { why, left }: LockVerdict,
): PlanPart {
  if (why === undefined) return { changes: [change] };
  const rest = left === undefined ? "" : ` The test object ${left} may still be in the bucket.`;
  const message = `No lock for ${bucket}: ${why}.${rest}`;
  const fix = hint`Fix the problem, or remove terraform.backend.lock. Without a lock, two runs can overwrite each other's state.`;
  const where = change.before.path;
  return { findings: [finding("backend.lock", message, { where, fix })] };
}

function judgeBlock(root: TerraformRoot, backend: SpacesBackend): Finding[] {
  const { module } = root;
  if (module.backend === undefined) return [];
  const unlocked = backend.lock && module.backend.lock !== true ? ["use_lockfile is not set"] : [];
  const other = [...differences(module.backend, backend), ...unlocked];
  if (other.length === 0) return [];
  const where = placeIn(root, module.backend.place);
  const message = `${where}: this root has its own backend block, which is not changed. It differs from the config: ${other.join("; ")}.`;
  const fix = hint`Make them match, or remove terraform.backend from the config.`;
  return [finding("backend.other", message, { where, fix })];
}

/** Without backend.tf, a new clone would start with an empty state. */
function judgeLeftover(known: Known, root: TerraformRoot): Finding[] {
  if (root.own.get(BACKEND_TF)?.edited !== false) return [];
  const where = root.at(BACKEND_TF).path;
  const message = `${where} still stores the state on Spaces, but the config has no terraform.backend. The file is not changed: the state would not move by itself.`;
  const move = terraformWords(root.config.dir, toolOf(known.terraform.tools, root), [
    "init",
    "-migrate-state",
  ]);
  const fix = hint`Restore terraform.backend. Or delete the file, then run ${run(...move)} to move the state.`;
  return [finding("backend.other", message, { where, fix })];
}

/**
 * The config's own backend is rejected if environments share it. For a backend in the code, only its literals are
 * known: -backend-config may tell the environments of a partial block apart.
 */
export function judgeSharing(
  { environment }: Pick<Known["config"], "environment">,
  { config, module }: TerraformRoot,
): Finding[] {
  const { dir, sharedWith, backend: ours, workspace = "default" } = config;
  const { backend, cloud } = module;
  if (environment === undefined || sharedWith.length === 0) return [];
  if (ours !== undefined || cloud !== undefined) return [];
  if (backend?.isPartial) return [];
  const names = [environment, ...sharedWith].join(" and ");
  const message = `Environments ${names} share one state for ${dir} (workspace ${workspace}). Each would destroy the other's resources.`;
  const fix = hint`Give each its own workspace, such as environments.${environment}.terraform.workspace: ${environment}`;
  return [finding("backend.shared", message, { where: dir, fix })];
}

/** Reported once for several roots in one bucket. */
function judgeKeys(known: Known, { bucket, region }: SpacesBackend): Finding[] {
  const found = known.spaces.keys;
  if (found.kind === "none" && willHaveKeys(known.spaces)) return [];
  const { base, token } = known.config;
  const envFile = relative(base, token.envFile);
  if (found.kind === "none") {
    const message = `No Spaces keys found for bucket ${bucket}: ${KEY_NAMES.join(" and ")} are neither in the environment nor in ${envFile}.`;
    const fix = makeKeys(known, `bucket ${bucket} in ${region}`);
    return [finding("backend.no-keys", message, { fix })];
  }
  if (found.kind === "profile") {
    const message = `AWS_PROFILE is set, so Terraform uses the keys of profile ${found.name} for Spaces.`;
    return [finding("backend.other-keys", message, { fix: hint`${unset("AWS_PROFILE")}` })];
  }
  if (!found.overrides) return [];
  const message =
    "AWS_ACCESS_KEY_ID differs from SPACES_ACCESS_KEY_ID, and Terraform uses it for Spaces.";
  const fix = hint`${unset("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")}`;
  return [finding("backend.other-keys", message, { fix })];
}

/** Like judgeKeys, for a backend block in the user's own code. */
function judgeOwnKeys(known: Known, root: TerraformRoot): Finding[] {
  if (!lacksBackendKeys(known, root)) return [];
  const { base, token } = known.config;
  const block = root.module.backend;
  const where = block === undefined ? root.at(BACKEND_TF).path : placeIn(root, block.place);
  const message = `${where}: no Spaces keys found for this backend: ${KEY_NAMES.join(" and ")} are neither in the environment nor in ${relative(base, token.envFile)}.`;
  const fix = makeKeys(known, block?.bucket === undefined ? undefined : `bucket ${block.bucket}`);
  return [finding("backend.no-keys", message, { where, fix })];
}

/** Terraform would find no keys for the state, even under `exec`. */
export function lacksBackendKeys({ spaces }: Pick<Known, "spaces">, root: TerraformRoot): boolean {
  const { keys } = spaces;
  // A backend from the config uses the keys of this repo, not a profile.
  if (root.config.backend !== undefined) return !willHaveKeys(spaces);
  if (!hasSpacesBackend(root) || root.module.cloud !== undefined) return false;
  const hasOthers = root.initSecrets.length + (root.storedBackend?.secrets.length ?? 0) > 0;
  return keys.kind === "none" && !hasOthers;
}

/** Where the state is that must be moved first, as text; undefined: it is where the config says. */
export function stateElsewhere({
  config: { backend },
  module,
  storedBackend,
  hasLocalState,
}: TerraformRoot): string | undefined {
  if (backend === undefined) return undefined;
  // With a different backend block in the code, the config does not decide where the state is.
  if (module.backend !== undefined && differences(module.backend, backend).length > 0) {
    return undefined;
  }
  if (storedBackend === undefined) return hasLocalState ? "in this folder" : undefined;
  if (differences(storedBackend, backend).length === 0) return undefined;
  const { type, bucket, key } = storedBackend;
  return bucket === undefined ? `in a backend of type ${type}` : `in ${bucket}/${key}`;
}

/** Explained, never run: Terraform asks before it copies the state, and the user has to answer. */
function judgeMove(known: Known, root: TerraformRoot): Finding[] {
  const from = stateElsewhere(root);
  const { backend } = root.config;
  if (from === undefined || backend === undefined) return [];
  const message = `The state of ${hereOf(known, root)} is ${from}. The config stores it in ${backend.bucket}/${backend.key}. Move it once; until then do-bootstrap does not run terraform init.`;
  const fix = hint`${inExec(known, root, "init", "-migrate-state")} asks, then copies the state and keeps the old one. To start with an empty state, use -reconfigure instead.`;
  return [finding("backend.migrate", message, { where: root.config.dir, fix })];
}

function judgeTool(terraform: TerraformTool | undefined, backend: SpacesBackend): Finding[] {
  const since = backendSince(backend);
  if (terraform === undefined || !isToolOlder(terraform, since)) return [];
  const message = `${terraform.name} ${terraform.version} is too old for ${BACKEND_TF}, which needs ${since}.`;
  const fix = backend.lock
    ? hint`Upgrade it, or remove terraform.backend.lock (then 1.6.3 is enough).`
    : hint`Upgrade it.`;
  return [finding("terraform.too-old", message, { where: terraform.path, fix })];
}

/**
 * Keys that Terraform would copy: a backend setting in plain text ends up in every plan file
 * (docs/contracts/terraform.md 6.3).
 */
export function judgeBackendSecrets(known: Known, root: TerraformRoot): Finding[] {
  const { module, initSecrets, storedBackend } = root;
  const places = new Map<string, string[]>();
  const found = [
    ...module.backendSecrets.map(({ name, place }) => ({ name, where: placeIn(root, place) })),
    ...initSecrets,
  ];
  for (const { name, where } of found) places.set(where, [...(places.get(where) ?? []), name]);
  const findings = [...places].map(([where, names]) => {
    const message = `${where}: ${names.join(", ")} in plain text. terraform init copies it to .terraform/terraform.tfstate and into every plan file.`;
    const fix = hint`Create new keys and delete these, because others may have them (${KEYS_PAGE}). Then remove them from the file: ${own("exec")} passes keys in the environment.`;
    return finding("backend.secret", message, { where, fix });
  });
  if (storedBackend === undefined || storedBackend.secrets.length === 0) return findings;
  const { path, secrets } = storedBackend;
  const message = `${path} holds ${secrets.join(", ")} in plain text, from an earlier terraform init. Every plan file since then holds it too.`;
  const fix = hint`Create new keys and delete these (${KEYS_PAGE}). Then: ${{ remove: { path } }}; after that: ${inExec(known, root, "init", "-reconfigure")}`;
  return [...findings, finding("backend.secret", message, { where: path, fix })];
}

/** A Terraform command run with the bucket's keys. */
function inExec(known: Known, root: TerraformRoot, ...words: string[]): HintPart {
  return exec(terraformWords(root.config.dir, toolOf(known.terraform.tools, root), words));
}

function hereOf({ config }: Known, root: TerraformRoot): string {
  return relative(config.base, root.config.dir) || ".";
}

function placeIn(root: TerraformRoot, { file, line }: SourceLocation): string {
  return `${root.at(file).path}:${line}`;
}
