import { generate, type Templates } from "../../../core/generated.ts";
import { isSecretSetting } from "../../../hcl/conceal.ts";
import type { Block, Expression, SourceLocation } from "../../../hcl/syntax.ts";
import { jsonIn, recordOf } from "../../../lib/json.ts";
import { Secret } from "../../../secret/secret.ts";
import type { SpacesBackend } from "../../config/resolved.ts";
import { spacesHost } from "../../spaces/host.ts";
import { BACKEND_TF } from "./names.ts";

/**
 * The oldest release, of Terraform and of OpenTofu alike, that knows every setting of the template:
 * skip_s3_checksum came with Terraform 1.6.3, use_lockfile with 1.10 of both. The newest need the
 * same settings (docs/contracts/terraform.md 6), so that one file serves all of them.
 */
export function backendSince({ lock }: Pick<SpacesBackend, "lock">): string {
  return lock ? "1.10" : "1.6.3";
}

/**
 * backend.tf. It follows from config alone: two colleagues and a pipeline agree on it
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

/** Where a state is kept, as code or Terraform's own notes say; undefined: not said in plain text. */
export interface BackendSettings {
  /** Such as "s3". */
  readonly type: string;
  readonly bucket: string | undefined;
  readonly key: string | undefined;
  /** The host of the store. */
  readonly endpoint: string | undefined;
  /** undefined: not said, or nothing that can be read. */
  readonly lock: boolean | undefined;
}

/** A `backend` block. */
export interface BackendBlock extends BackendSettings {
  /** It does not name the whole place: -backend-config does. */
  readonly isPartial: boolean;
  readonly place: SourceLocation;
}

export function describeBackend(block: Block): BackendBlock {
  const { attributes, labels, place } = block;
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
    isPartial: labels[0] !== "local" && !WHOLE.some((names) => names.every(isSet)),
    place,
  };
}

/** The settings that name a whole place: of s3 and its like, of gcs, and of those that have an address. */
const WHOLE = [
  ["bucket", "key"],
  ["bucket", "prefix"],
  ["container_name", "key"],
  ["address"],
  ["conn_str"],
];

/**
 * What `terraform init` noted in .terraform/terraform.tfstate (docs/contracts/terraform.md 6.3).
 */
export interface StoredBackend extends BackendSettings {
  /** Settings with a secret in them, by name. */
  readonly secrets: readonly string[];
}

/** @returns undefined where nothing is noted, or only that the state is in the folder. */
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
    secrets: secretsInValues(settings),
  };
}

/**
 * How a backend is another place than config names, in words.
 *
 * @returns nothing for the same place, and for what is not said in plain text.
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
  return endpoint?.replace(/^(https?:\/\/)?([^/]*@)?/i, "").replace(/\/+$/, "");
}

/** Whether a text may name such a setting: the grammar is not loaded for any other. */
export function mayHoldSecret(text: string): boolean {
  return /_key|_id\b|token|secret|password/.test(text);
}

/** Secrets that stand in a block, in plain text. */
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

/** The same in JSON. */
export function secretsInValues(values: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(values).flatMap(([name, value]) => {
    const isSecret = isSecretSetting(name) && typeof value === "string" && value !== "";
    return [...(isSecret ? [name] : []), ...secretsInValues(recordOf(value))];
  });
}
