import { randomBytes } from "node:crypto";
import { AppError } from "../../errors/app-error.ts";
import { hint } from "../../errors/hint.ts";
import type { SpacesKeys } from "../../exec/spaces-keys.ts";
import type { Host } from "../../host/host.ts";
import { listed } from "../../lib/few.ts";
import type { Secret } from "../../secret/secret.ts";
import type { ApiHosts } from "../token/hosts.ts";
import { deleteKeys, type Grant, keysApi } from "./access-keys.ts";
import { makeBucket, waitForKey } from "./bucket.ts";
import { begin, forget, type JournalPlace } from "./journal.ts";
import type { Bucket } from "./s3.ts";

export type ProvisionHost = Pick<
  Host,
  "http" | "clock" | "files" | "state" | "thisProcess" | "isOver"
>;

export interface ProvisionRequest extends JournalPlace {
  readonly token: Secret;
  readonly hosts: Pick<ApiHosts, "api">;
  /** The key is for these buckets only. */
  readonly buckets: readonly Bucket[];
  /** Create those of these names that do not exist. */
  readonly create: readonly string[];
  /** The key's grants; by default reading and writing the buckets. */
  readonly grants?: readonly Grant[];
  /** The names of keys that are deleted once the new one is stored. */
  readonly replaces?: readonly string[];
  /** What the key's name begins with. */
  readonly prefix: string;
  /** The env file that will keep the pair. */
  readonly envFile: string;
}

/** A key pair that this run has made, and that is not stored yet. */
export interface MadeKeys {
  readonly name: string;
  readonly keys: SpacesKeys;
  /** The buckets that this run has made. */
  readonly buckets: readonly string[];
  /** Those of them whose versions Spaces did not turn on. */
  readonly unversioned: readonly string[];
}

/**
 * Makes the buckets that are missing, with a temporary key that is deleted at once, then a key that opens these buckets
 * only. Every step is written down before it is begun. After a failure, the keys are deleted.
 *
 * @throws AppError those of KeysApi and makeBucket; NO_STATE_FOLDER.
 */
export async function provision(
  host: ProvisionHost,
  request: ProvisionRequest,
  progress: (what: string) => void,
): Promise<MadeKeys> {
  const { token, hosts, buckets, create, prefix, envFile, replaces = [] } = request;
  const api = keysApi(host, hosts, token);
  const tag = randomBytes(4).toString("hex");
  const name = `${prefix}-${tag}`;
  const temporary = create.length > 0 ? [`${TEMPORARY}-${tag}`] : [];
  const names = [...temporary, name];
  const all = { keys: [...names, ...replaces], buckets: create };
  if (!begin(host, request, all)) throw noFolder();
  try {
    const made = [];
    for (const each of temporary) made.push(...(await makeBuckets(each)));
    progress("Creating a Spaces key");
    const readWrite = buckets.map(({ bucket }) => ({ bucket, permission: "readwrite" }));
    const keys = await api.create(name, request.grants ?? readWrite, envFile);
    progress("Waiting until Spaces knows the new key");
    for (const place of buckets) await waitForKey(host, keys, place);
    forget(host, request, temporary);
    return {
      name,
      keys,
      buckets: made.map(({ bucket }) => bucket),
      unversioned: made.flatMap(({ bucket, how }) => (how === "unversioned" ? bucket : [])),
    };
  } catch (error) {
    throw await afterFailure(host, request, names, error);
  }

  async function makeBuckets(name: string) {
    progress("Creating a temporary Spaces key");
    const keys = await api.create(name, [{ bucket: "", permission: "fullaccess" }], envFile);
    const made: { bucket: string; how: "made" | "unversioned" }[] = [];
    for (const place of buckets.filter(({ bucket }) => create.includes(bucket))) {
      progress(`Creating bucket ${place.bucket}`);
      const how = await makeBucket(host, keys, place);
      if (how !== "there") made.push({ bucket: place.bucket, how });
    }
    progress("Deleting the temporary Spaces key");
    await api.remove(keys.id);
    return made;
  }
}

/** The key that creates a bucket. */
const TEMPORARY = "do-bootstrap-temporary";

/**
 * Deletes the keys of a run that failed, and adds to the error what could not be deleted.
 *
 * @returns the error to throw.
 */
export async function afterFailure(
  host: ProvisionHost,
  request: ProvisionRequest,
  names: readonly string[],
  error: unknown,
): Promise<unknown> {
  try {
    await deleteKeys(keysApi(host, request.hosts, request.token), names);
    forget(host, request, [...names, ...(request.replaces ?? [])]);
    return error;
  } catch {
    if (!(error instanceof AppError)) return error;
    const left = `These Spaces keys may be left: ${listed(names)}. The next run deletes them.`;
    const { code, status, message, hint: fix } = error;
    const more = fix === undefined ? {} : { hint: fix };
    return new AppError({ id: code, status }, `${message} ${left}`, { ...more, cause: error });
  }
}

function noFolder(): AppError {
  const message =
    "There is no folder outside git checkouts to note what is created at DigitalOcean, so nothing is created.";
  return new AppError("NO_STATE_FOLDER", message, {
    hint: hint`Set HOME, or XDG_STATE_HOME, to a folder that only you can write to and that is outside any git checkout.`,
  });
}
