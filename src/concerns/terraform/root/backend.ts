import { generate, type Templates } from "../../../core/generated.ts";
import type { Stranger } from "../../../exec/exec-config.ts";
import { isSecretSetting } from "../../../hcl/conceal.ts";
import type { Block, Expression, SourceLocation } from "../../../hcl/syntax.ts";
import { jsonIn, recordOf } from "../../../lib/json.ts";
import { Secret } from "../../../secret/secret.ts";
import type { SpacesBackend } from "../../config/resolved.ts";
import { spacesHost } from "../../spaces/host.ts";
import { BACKEND_TF } from "./names.ts";

/**
 * The oldest release of Terraform and OpenTofu that supports every setting of the template: skip_s3_checksum came with
 * Terraform 1.6.3, use_lockfile with 1.10 of both. The newest releases need the same settings
 * (docs/contracts/terraform.md 6), so one file works for all of them.
 */
export function backendSince({ lock }: Pick<SpacesBackend, "lock">): string {
  return lock ? "1.10" : "1.6.3";
}

/**
 * Renders backend.tf. It depends only on the config, so that colleagues and pipelines get the same file
 * (docs/design.md §6).
 */
export function renderBackend(backend: SpacesBackend, templates: Templates): string {
  const { bucket, region, key, lock } = backend;
  return generate(templates[BACKEND_TF], {
    since: backendSince(backend),
    bucket,
    region,
    key,
    lock: lock ? "use_lockfile                = true" : "",
  });
}

/** Where a state is kept, according to the code or Terraform's notes. undefined: not given as a literal. */
export interface BackendSettings {
  /** Such as "s3". */
  readonly type: string;
  readonly bucket: string | undefined;
  readonly key: string | undefined;
  /** The host of the store. */
  readonly endpoint: string | undefined;
  /** undefined: not set, or not readable. */
  readonly lock: boolean | undefined;
  /** Settings that may send keys to a host other than Spaces. Only a backend of type s3 reads our keys. */
  readonly strangers: readonly Stranger[];
}

/** A `backend` block. */
export interface BackendBlock extends BackendSettings {
  /** The block does not specify the whole location, so -backend-config has to. */
  readonly isPartial: boolean;
  /** Missing settings without which init fails. */
  readonly missing: readonly string[];
  readonly place: SourceLocation;
}

/**
 * Describes a root's `backend` blocks. With several, an override file decides, so the strangers of all of them count.
 */
export function describeBackends(blocks: readonly Block[]): BackendBlock | undefined {
  const all = blocks.map(describeBackend);
  const one = all.find(({ type }) => type !== "local") ?? all[0];
  return one && { ...one, strangers: all.flatMap(({ strangers }) => strangers) };
}

function describeBackend(block: Block): BackendBlock {
  const { attributes, labels, blocks, place } = block;
  const text = (expression: Expression | undefined) =>
    typeof expression?.literal === "string" ? expression.literal : undefined;
  const lock = attributes.get("use_lockfile")?.literal;
  const isSet = (name: string) => attributes.has(name);
  const endpoint = attributes.get("endpoints")?.fields?.get("s3") ?? attributes.get("endpoint");
  return {
    type: labels[0] ?? "",
    bucket: text(attributes.get("bucket")),
    key: text(attributes.get("key")),
    endpoint: hostOf(text(endpoint)),
    lock: typeof lock === "boolean" ? lock : undefined,
    strangers: strangersIn(labels[0], [
      ...[...attributes].map(([name, { literal, fields }]) => [name, fields ?? literal] as const),
      ...blocks.map(({ type }) => [type, undefined] as const),
    ]),
    isPartial: labels[0] !== "local" && !WHOLE.some((names) => names.every(isSet)),
    missing: (REQUIRED.get(labels[0] ?? "") ?? []).filter((name) => !isSet(name)),
    place,
  };
}

/** The backend is on Spaces, and no setting may send keys elsewhere. */
export function isOnSpaces({ type, strangers }: BackendSettings): boolean {
  return type === "s3" && strangers.length === 0;
}

/** Settings that cannot send keys elsewhere. Any other setting may, even one of a later release. */
const HARMLESS =
  /^(bucket|key|region|use_lockfile|encrypt|acl|workspace_key_prefix|max_retries|(use|force)_path_style|skip_\w+)$/;
/** A region's host over TLS, without a user, a port or other parts. */
const SPACES_URL = /^https:\/\/[a-z]{3}\d\.digitaloceanspaces\.com\/?$/;

type Setting = readonly [name: string, value: unknown];

function strangersIn(type: string | undefined, settings: readonly Setting[]): Stranger[] {
  if (type !== "s3") return [];
  const all = settings.flatMap(([name, value]): readonly Setting[] => {
    const fields = name === "endpoints" ? fieldsOf(value) : undefined;
    return fields?.map(([field, url]) => [`${name}.${field}`, url] as const) ?? [[name, value]];
  });
  const isSpaces = ([name, value]: Setting) =>
    /^(endpoint|endpoints\.s3)$/.test(name) && typeof value === "string" && SPACES_URL.test(value);
  const strange = all.filter(
    (each) => !HARMLESS.test(each[0]) && !isUnset(each) && !isSpaces(each),
  );
  if (strange.length === 0 && !all.some(isSpaces)) return [{ setting: "no Spaces endpoint" }];
  return strange.map(([setting, value]) => {
    const text = typeof value === "string" ? value : "";
    // AWS may see its own keys.
    if (!NAMES_HOST.test(setting) || AWS_URL.test(text)) return { setting };
    return { setting, host: PLAIN_URL.test(text) ? text : "" };
  });
}

/** Settings with a host, or with a file that names one. */
const NAMES_HOST = /endpoint|proxy|bundle|insecure|^shared_/;
const AWS_URL = /^https:\/\/[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com(\.cn)?\/?$/;
export const PLAIN_URL = /^https?:\/\/[\w.-]+(:\d+)?\/?$/;

function fieldsOf(value: unknown): readonly Setting[] | undefined {
  if (value instanceof Map) {
    return [...(value as ReadonlyMap<string, Expression>)].map(
      ([name, { literal, fields }]) => [name, fields ?? literal] as const,
    );
  }
  return value instanceof Object ? Object.entries(value) : undefined;
}

/** Terraform records every known setting, even unset ones. */
function isUnset([, value]: Setting): boolean {
  return value === null || value === "" || value === false;
}

/** A line of backend.tf from any release of its template. */
const OUR_LINE =
  /^\s*(#.*|(terraform|backend "s3") \{|\}|required_version\s+= "[^"]*"|endpoints\s+= \{ s3 = "https:\/\/[a-z]{3}\d\.digitaloceanspaces\.com" \}|(bucket|key|region|use_lockfile|skip_\w+)\s+= ("[\w./:~-]*"|true|false))?\s*$/;

/** Whether a generated file has a backend that we would not write. The header does not prove the rest of the file. */
export function isForgedBackend(text: string): boolean {
  if (!/\b(backend|cloud)\b\s*("|\{)/.test(text)) return false;
  const lines = text.split("\n");
  const isOnce = (start: RegExp) => lines.filter((line) => start.test(line)).length === 1;
  const isWhole = isOnce(/^\s*backend\b/) && isOnce(/^\s*endpoints\b/);
  return !isWhole || !lines.every((line) => OUR_LINE.test(line));
}

/** Settings that together specify the whole location: for s3 and similar, for gcs, and for backends with an address. */
const WHOLE = [
  ["bucket", "key"],
  ["bucket", "prefix"],
  ["container_name", "key"],
  ["address"],
  ["conn_str"],
];

/**
 * The required settings of each backend type (docs/contracts/terraform.md 5.11). For S3, this includes the region,
 * which a pipeline's environment does not set.
 */
const REQUIRED: ReadonlyMap<string, readonly string[]> = new Map([
  ["s3", ["bucket", "key", "region"]],
  ["gcs", ["bucket"]],
  ["azurerm", ["storage_account_name", "container_name", "key"]],
  ["http", ["address"]],
  ["consul", ["path"]],
  ["kubernetes", ["secret_suffix"]],
  ["oss", ["bucket"]],
  ["cos", ["bucket", "region"]],
  ["oci", ["bucket", "namespace"]],
]);

/** The backend that `terraform init` recorded in .terraform/terraform.tfstate (docs/contracts/terraform.md 6.3). */
export interface StoredBackend extends BackendSettings {
  /** Names of the settings that hold a secret. */
  readonly secrets: readonly string[];
}

/** @returns undefined if nothing is recorded, or only that the state is local. */
export function readStoredBackend(text: string): StoredBackend | undefined {
  const { type, config } = recordOf(recordOf(jsonIn(text))["backend"]);
  if (typeof type !== "string" || type === "local") return undefined;
  const settings = recordOf(config);
  const textOf = (value: unknown) => (typeof value === "string" ? value : undefined);
  return {
    type,
    bucket: textOf(settings["bucket"]),
    key: textOf(settings["key"]),
    endpoint: hostOf(textOf(recordOf(settings["endpoints"])["s3"] ?? settings["endpoint"])),
    lock: settings["use_lockfile"] === true,
    strangers: strangersIn(type, Object.entries(settings)),
    secrets: secretsInValues(settings),
  };
}

/**
 * How a backend differs from the one in the config, as text.
 *
 * @returns nothing for the same location, or for settings that are not literals.
 */
export function differences(found: BackendSettings, wanted: SpacesBackend): readonly string[] {
  if (found.type !== "s3") return [`it is of type ${found.type}`];
  const endpoint = spacesHost(wanted);
  return [
    ...differs("bucket", found.bucket, wanted.bucket),
    ...differs("key", found.key, wanted.key),
    ...differs("endpoint", found.endpoint, endpoint),
  ];
}

function differs(name: string, found: string | undefined, wanted: string): string[] {
  return found === undefined || found === wanted ? [] : [`${name} is ${found}, not ${wanted}`];
}

function hostOf(endpoint: string | undefined): string | undefined {
  return endpoint?.replace(/^(https?:\/\/)?([^/]*@)?/i, "").replace(/(?<!\/)\/+$/, "");
}

/** Whether a text may contain a secret setting. Other texts are not parsed. */
export function mayHoldSecret(text: string): boolean {
  return /_key|_id\b|token|secret|password/.test(text);
}

/** Secrets in a block, in plain text. */
export function secretsInBlock({
  attributes,
  blocks,
}: Block): { name: string; place: SourceLocation }[] {
  return [...secretsIn(attributes), ...blocks.flatMap(secretsInBlock)];
}

export function secretsIn(
  attributes: ReadonlyMap<string, Expression>,
): { name: string; place: SourceLocation }[] {
  return [...attributes].flatMap(([name, { literal, fields, place }]) => {
    const isSecret = isSecretSetting(name) && literal instanceof Secret;
    return [...(isSecret ? [{ name, place }] : []), ...(fields ? secretsIn(fields) : [])];
  });
}

/** The same for JSON. */
export function secretsInValues(values: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(values).flatMap(([name, value]) => {
    const isSecret = isSecretSetting(name) && typeof value === "string" && value !== "";
    return [...(isSecret ? [name] : []), ...secretsInValues(recordOf(value))];
  });
}
