import { dirname, join } from "node:path";
import { TOKEN_LIST } from "../../concerns/token/hosts.ts";
import type { Change } from "../../core/change.ts";
import { RemoveFile } from "../../core/changes/remove-file.ts";
import { writeText } from "../../core/changes/write-file.ts";
import { textAt } from "../../core/file-text.ts";
import type { Finding } from "../../core/finding.ts";
import { type Bounds, obstacles } from "../../core/obstacles.ts";
import { NOTHING, type PlanPart } from "../../core/plan.ts";
import { hint } from "../../errors/hint.ts";
import { KEY_NAMES } from "../../exec/spaces-keys.ts";
import type { Host, Snapshot } from "../../host/host.ts";
import { listed } from "../../lib/few.ts";
import { jsonIn, recordOf } from "../../lib/json.ts";
import type { Facts } from "../init/observe.ts";
import { finding } from "./findings.ts";

/** Beside the config, and in git: a colleague who rotates a token must know where it is. It contains no secret. */
const FILE = "do-bootstrap.pipeline.json";

/**
 * What a secret of a pipeline should hold. It is written down before the secret is stored, so it is also the journal of
 * a run (docs/design.md rule 12): a secret that GitHub lists as it was then has not been stored yet.
 */
export interface StoredSecret {
  readonly kind: "github" | "hcp";
  /** On GitHub HOST/OWNER/NAME, in lower case; at HCP Terraform HOST/ORGANIZATION. */
  readonly repo: string;
  /** The environment on GitHub, such as "prod-apply"; the workspace of HCP Terraform. */
  readonly environment: string;
  readonly name: string;
  /** HCP Terraform: the environment of the config, as in the names of GitHub's. */
  readonly of?: string | undefined;
  /** The fingerprint of the token; undefined for a half of a Spaces key. */
  readonly token?: string | undefined;
  /** The version that was listed when this was decided; null: there was none. undefined: GitHub was not reached. */
  readonly was?: string | null | undefined;
  /** The version that was listed after it was stored; undefined: that run ended before it looked. */
  readonly is?: string | undefined;
  /** The fingerprints of the tokens that it may still hold, if it is older. */
  readonly replaces: readonly string[];
}

/**
 * - "stored": as it should be
 * - "missing": there is no such secret
 * - "older": it was not set since it was decided what it should hold
 * - "unsure": somebody has set it since then, perhaps a run that ended before it looked
 * - "changed": somebody set it later, so what it holds is unknown
 */
export type SecretState = "stored" | "missing" | "older" | "unsure" | "changed";

/** @param listed its version: GitHub's date, a whole second; undefined: it is not listed. */
export function stateOf(
  { was, is }: Pick<StoredSecret, "was" | "is">,
  listed: string | undefined,
): SecretState {
  if (listed === undefined) return "missing";
  if (is !== undefined) return listed === is ? "stored" : "changed";
  return was === undefined || listed === was ? "older" : "unsure";
}

/** Whether it still has to be stored. Storing it again does no harm. */
export function isDue(state: string): boolean {
  return isNotSet(state) || state === "unsure";
}

/** Whether nothing was stored. */
export function isNotSet(state: string): boolean {
  return state === "missing" || state === "older";
}

/** Such as "github.com, acme/web". */
export function shownRepo({ repo }: Pick<StoredSecret, "repo">): string {
  return repo.replace("/", ", ");
}

/** What the name of an environment on GitHub says: "prod-apply" is that for apply of prod. A workspace plans and applies. */
export function placeOf({ kind, of: named = "", environment }: PlaceOfSecret) {
  if (kind === "hcp") return { of: named, purpose: "apply" as const };
  const [, of = "", purpose] = /^(.*)-(plan|apply)$/.exec(environment) ?? [];
  return { of, purpose: purpose === "apply" ? ("apply" as const) : ("plan" as const) };
}

type PlaceOfSecret = Pick<StoredSecret, "kind" | "of" | "environment">;

/** Its workspace, if it is one of HCP Terraform: a person has to confirm that. */
export function workspaceOf({ kind, repo, environment }: Omit<PlaceOfSecret, "of"> & Named) {
  return kind === "hcp" ? [{ repo, workspace: environment }] : [];
}

/** There is nothing to look at or to remove. */
export function noneStored(more: Pick<Finding, "fix"> = {}): Finding {
  const message = "do-bootstrap has stored no secret for a pipeline here.";
  return finding("ci.secrets", message, more);
}

/** Says which entries the record loses. @param what names their places no longer, such as "git remote". */
export function forgotten(what: string, secrets: readonly StoredSecret[]): Finding[] {
  if (secrets.length === 0) return [];
  const named = secrets.map((each) => (each.kind === "hcp" ? nameOf(each) : shownRepo(each)));
  const where = [...new Set(named)];
  const held = secrets.flatMap(({ token, replaces }) => [token ?? [], replaces].flat());
  const tokens = [...new Set(held)];
  const many = secrets.length === 1 ? "the secret" : `${secrets.length} secrets`;
  const which = tokens.length === 0 ? "" : `: ${listed(tokens)}`;
  const message = `No ${what} names ${listed(where)} any more, so ${FILE} forgets ${many} there. Nothing is deleted, and what they hold stays valid${which}.`;
  const fix = hint`If nothing else uses these tokens, delete them: ${TOKEN_LIST}`;
  return [finding("ci.secrets", message, { fix })];
}

export interface StoredSecrets {
  readonly at: Snapshot;
  readonly secrets: readonly StoredSecret[];
  /** What is wrong with the file. */
  readonly findings: readonly Finding[];
  /** Why nothing can be written in its folder, by folder. */
  readonly blocked: ReadonlyMap<string, string>;
}

/** @param base the config's folder. */
export async function readStored(
  { files }: Pick<Host, "files">,
  base: string,
): Promise<StoredSecrets> {
  const at = await files.look(join(base, FILE));
  const folder = dirname(at.target);
  const why = await files.whyNotWritable(folder);
  const blocked = new Map(why === undefined ? [] : [[folder, why]]);
  if (at.kind === "absent") return { at, secrets: [], findings: [], blocked };
  const { schemaVersion, secrets } = recordOf(jsonIn(textAt(at)?.text ?? ""));
  const entries = Array.isArray(secrets) ? secrets.map(entryOf) : [undefined];
  const known = entries.flatMap((entry) => entry ?? []);
  const twice = known.find((each, at) => known.findIndex((other) => isSame(each, other)) < at);
  if (schemaVersion === VERSION && known.length === entries.length && twice === undefined) {
    return { at, secrets: known, findings: [], blocked };
  }
  const message =
    twice === undefined
      ? `${at.path} is not what do-bootstrap writes, so the pipeline's secrets are unknown.`
      : `${at.path} has two entries for ${nameOf(twice)}, so what it holds is unknown.`;
  const fix = hint`Get it back from git. If that does not help, delete it: then rotate no longer reaches these secrets`;
  const findings = [finding("ci.bad-record", message, { where: at.path, fix })];
  return { at, secrets: [], findings, blocked };
}

const VERSION = 1;

/** Only names that do-bootstrap uses: they become part of a path, and a secret is stored or deleted there. */
const NAMES = {
  plan: /^(DIGITALOCEAN_TOKEN_PLAN|(SPACES|AWS)_(ACCESS_KEY_ID|SECRET_ACCESS_KEY))$/,
  apply: /^(DIGITALOCEAN_TOKEN_APPLY|(SPACES|AWS)_(ACCESS_KEY_ID|SECRET_ACCESS_KEY))$/,
};

function entryOf(entry: unknown): StoredSecret | undefined {
  return "workspace" in recordOf(entry) ? hcpEntry(entry) : githubEntry(entry);
}

/** The code must name the same workspace and variable, or nothing is sent there. */
function hcpEntry(entry: unknown): StoredSecret | undefined {
  const { organization: repo, workspace, variable: name, environment: of, token } = recordOf(entry);
  const isOurs =
    matchOf(/^[a-z0-9][a-z0-9.-]*(:\d+)?\/[\w-]+$/i, repo).length > 0 &&
    matchOf(/^[\w-]+$/, workspace).length > 0 &&
    matchOf(/^[a-z_][\w-]*$/i, name).length > 0 &&
    !KEY_NAMES.some((each) => each === name) &&
    matchOf(/^[a-z0-9][a-z0-9_-]*$/, of).length > 0 &&
    token !== undefined;
  const about = aboutContent(entry);
  if (!isOurs || about === undefined) return undefined;
  return { kind: "hcp", repo, environment: workspace, name, of, ...about } as StoredSecret;
}

function githubEntry(entry: unknown): StoredSecret | undefined {
  const { repo, environment, secret: name, token } = recordOf(entry);
  const [, purpose] = matchOf(/^[a-z0-9][a-z0-9_-]*-(plan|apply)$/, environment);
  const isOurs =
    matchOf(/^[\w.-]+\/(?!\.{1,2}\/)[\w.-]+\/(?!\.{1,2}$)[\w.-]+$/, repo).length > 0 &&
    matchOf(NAMES[purpose === "plan" ? "plan" : "apply"], name).length > 0 &&
    purpose !== undefined &&
    // A token in a Spaces key's place would be sent to the store in clear.
    (token !== undefined) === String(name).startsWith("DIGITALOCEAN_TOKEN_");
  const about = aboutContent(entry);
  if (!isOurs || about === undefined) return undefined;
  const lower = String(repo).toLowerCase();
  return { kind: "github", repo: lower, environment, name, ...about } as StoredSecret;
}

/** What a version may be made of. */
export const IS_VERSION = /^[\w.:+-]{1,64}$/;

/** What a secret holds, if all of it is what we write. */
function aboutContent(
  entry: unknown,
): Pick<StoredSecret, "token" | "was" | "is" | "replaces"> | undefined {
  const { token, was, is, replaces = [] } = recordOf(entry);
  const fingerprints = [token ?? "00000000", ...(Array.isArray(replaces) ? replaces : [""])];
  const versions = [was ?? "none", is ?? "none"];
  const isWhole =
    fingerprints.every((each) => matchOf(/^[0-9a-f]{8}$/, each).length > 0) &&
    versions.every((each) => matchOf(IS_VERSION, each).length > 0) &&
    is !== null;
  return isWhole ? ({ token, was, is, replaces } as ReturnType<typeof aboutContent>) : undefined;
}

function matchOf(pattern: RegExp, value: unknown): readonly string[] {
  return (typeof value === "string" && pattern.exec(value)) || [];
}

/**
 * Writes what should be stored, or removes the file if that is nothing. Only a difference in content counts, since a
 * formatter may have changed the text.
 */
export function planStored(
  bounds: Bounds,
  { at, secrets, findings, blocked }: StoredSecrets,
  wanted: readonly StoredSecret[],
): PlanPart {
  const [now, next] = [secrets, wanted].map((each) => textOf(each));
  if (now === next) return NOTHING;
  const wrong = [...findings, ...obstacles({ ...bounds, blocked }, at)];
  if (wrong.length > 0) return { findings: wrong };
  if (wanted.length > 0) {
    return {
      changes: [writeText(at, next ?? "", "which token each secret of the pipeline holds")],
    };
  }
  const why = "no secret of the pipeline is left";
  return at.kind === "file" ? { changes: [new RemoveFile(at, why)] } : NOTHING;
}

function textOf(secrets: readonly StoredSecret[]): string {
  const sorted = [...secrets].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const about =
    "Written by do-bootstrap; commit it. It says which token each secret of the pipeline should hold, by fingerprint. It contains no secret.";
  const entries = sorted.map(({ kind, repo, environment, name, of, token, was, is, replaces }) => ({
    ...(kind === "github"
      ? { repo, environment, secret: name }
      : { organization: repo, workspace: environment, variable: name, environment: of }),
    ...{ token, was, is },
    ...(replaces.length === 0 ? {} : { replaces }),
  }));
  return `${JSON.stringify({ schemaVersion: VERSION, about, secrets: entries }, undefined, 2)}\n`;
}

/** Such as "DIGITALOCEAN_TOKEN_APPLY in prod-apply on github.com, acme/web". */
export function nameOf(secret: Named): string {
  return `${secret.name} in ${secret.environment} on ${shownRepo(secret)}`;
}

/** In documents. */
export function documentOf(
  { kind, repo, environment, name }: Named & Pick<StoredSecret, "kind">,
  why: string,
  what: "" | "-removal" = "",
): object {
  return kind === "github"
    ? { kind: `github-secret${what}`, names: [name], repo, environment, why }
    : {
        kind: `hcp-variable${what}`,
        names: [name],
        organization: repo,
        workspace: environment,
        why,
      };
}

type Named = Pick<StoredSecret, "repo" | "environment" | "name">;

export function isSame(a: Named, b: Named): boolean {
  return keyOf(a) === keyOf(b);
}

function keyOf({ repo, environment, name }: Named): string {
  return [repo, environment, name].join("\n");
}

/**
 * Secrets with new content. Until that is stored, each may still hold what it held.
 *
 * @param isStored whether a secret is known to hold what it should.
 */
export function withNew(
  secrets: readonly StoredSecret[],
  news: readonly Omit<StoredSecret, "replaces" | "is">[],
  isStored: (old: StoredSecret) => boolean,
): readonly StoredSecret[] {
  const changed = news.map((each): StoredSecret => {
    const old = secrets.find((other) => isSame(other, each));
    const held =
      old?.token === undefined ? [] : [old.token, ...(isStored(old) ? [] : old.replaces)];
    return { ...each, replaces: [...new Set(held)].filter((token) => token !== each.token) };
  });
  return [...without(secrets, changed), ...changed];
}

/**
 * Writes down the versions of the secrets that were just stored.
 *
 * @param versionOf the version of a secret that this run has stored; undefined: it has not, or its version is unknown.
 */
export async function planVersions(
  host: Pick<Host, "files">,
  { repo, config }: Pick<Facts, "repo" | "config">,
  versionOf: (secret: StoredSecret) => string | undefined,
): Promise<readonly Change[]> {
  const record = await readStored(host, config.base);
  const secrets = record.secrets.map((each) => {
    const version = versionOf(each);
    return version !== undefined && stateOf(each, version) === "unsure"
      ? { ...each, was: undefined, is: version, replaces: [] }
      : each;
  });
  return planStored(repo, record, secrets).changes ?? [];
}

export function without(
  secrets: readonly StoredSecret[],
  gone: readonly Named[],
): readonly StoredSecret[] {
  return secrets.filter((each) => !gone.some((other) => isSame(each, other)));
}
