import { randomBytes } from "node:crypto";
import { AppError, asAppError } from "../../errors/app-error.ts";
import { hint } from "../../errors/hint.ts";
import type { SpacesKeys } from "../../exec/spaces-keys.ts";
import type { Host } from "../../host/host.ts";
import { listed } from "../../lib/few.ts";
import type { Secret } from "../../secret/secret.ts";
import type { ApiHosts } from "../token/hosts.ts";
import { type Grant, isRefusal, type KeysApi, keysApi } from "./access-keys.ts";
import { makeBucket, waitForKey } from "./bucket.ts";
import { begin, type JournalHost, type JournalPlace, NOTHING_LEFT, note } from "./journal.ts";
import type { Bucket } from "./s3.ts";

export type ProvisionHost = JournalHost & Pick<Host, "http">;

export interface ProvisionRequest extends JournalPlace {
  readonly token: Secret;
  readonly hosts: Pick<ApiHosts, "api">;
  /** The UUID of the token's team, if the API tells it. */
  readonly team: string | undefined;
  /** The key is for these buckets only. */
  readonly buckets: readonly Bucket[];
  /** Create those of these names that do not exist. */
  readonly create: readonly string[];
  /** Those that a run that was stopped may have created. */
  readonly begun: readonly string[];
  /** The key's grants; by default reading and writing the buckets. */
  readonly grants?: readonly Grant[];
  /** The names of keys that are deleted once the new one is stored. */
  readonly replaces?: readonly string[];
  /** What the key's name begins with. */
  readonly prefix: string;
  /** The env file that will keep the pair. */
  readonly envFile: string;
  /** All env files of the config. */
  readonly envFiles: readonly string[];
}

/** A key pair that this run has made, and that is not stored yet. */
export interface MadeKeys {
  /** Identifies it in the journal. */
  readonly tag: string;
  readonly name: string;
  readonly keys: SpacesKeys;
  /** The buckets that this run has made. */
  readonly buckets: readonly string[];
  /** Those of them whose versions Spaces did not turn on. */
  readonly unversioned: readonly string[];
}

/**
 * Makes the buckets that are missing, with a temporary key that is deleted at once, then a key that opens these buckets
 * only. Every step is noted before it is begun. After a failure, the keys are deleted.
 *
 * @throws AppError those of KeysApi and makeBucket; NO_STATE_FOLDER.
 */
export async function provision(
  host: ProvisionHost,
  request: ProvisionRequest,
  progress: (what: string) => void,
): Promise<MadeKeys> {
  const { token, hosts, team, buckets, create, prefix, envFile, replaces = [] } = request;
  const api = keysApi(host, hosts, token);
  const tag = randomBytes(4).toString("hex");
  const name = `${prefix}-${tag}`;
  const noted = { tag, team, keys: [], replaces, buckets: create };
  if (!(await begin(host, request, noted))) throw noFolder();
  const made: { bucket: string; how: "made" | "unversioned" }[] = [];
  /** The keys that exist, and those whose request had no clear answer. */
  const asked = new Set<string>();
  try {
    if (create.length > 0) await makeBuckets(`${TEMPORARY}-${tag}`);
    progress("Creating a Spaces key");
    const readWrite = buckets.map(({ bucket }) => ({ bucket, permission: "readwrite" }));
    const keys = await createKey(name, request.grants ?? readWrite);
    progress("Waiting until Spaces accepts the new key");
    await Promise.all(buckets.map((place) => waitForKey(host, keys, place)));
    return {
      ...{ tag, name, keys },
      buckets: made.map(({ bucket }) => bucket),
      unversioned: made.flatMap(({ bucket, how }) => (how === "unversioned" ? bucket : [])),
    };
  } catch (error) {
    const stay = made.map(({ bucket }) => bucket);
    const left = await takeBack(host, request, { tag, names: [...asked], buckets: stay });
    throw withLeft(error, [...left, ...stay.map((bucket) => `bucket ${bucket}`)]);
  }

  async function createKey(name: string, grants: readonly Grant[]): Promise<SpacesKeys> {
    asked.add(name);
    await noteAsked();
    return api.create(name, grants, envFile).catch((error: unknown) => {
      if (error instanceof AppError && isRefusal(error)) asked.delete(name);
      throw error;
    });
  }

  async function makeBuckets(name: string): Promise<void> {
    progress("Creating a temporary Spaces key");
    const keys = await createKey(name, [{ bucket: "", permission: "fullaccess" }]);
    for (const place of buckets.filter(({ bucket }) => create.includes(bucket))) {
      progress(`Creating bucket ${place.bucket}`);
      const how = await makeBucket(host, keys, place, request.begun.includes(place.bucket));
      if (how !== "there") made.push({ bucket: place.bucket, how });
    }
    progress("Deleting the temporary Spaces key");
    await api.remove(keys.id);
    asked.delete(name);
    await noteAsked();
  }

  function noteAsked(): Promise<void> {
    return note(host, request, tag, () => ({ keys: [...asked] }));
  }
}

/** The key that creates a bucket. */
export const TEMPORARY = "do-bootstrap-temporary";

/**
 * Deletes the keys of this run after a failure.
 *
 * @param run.buckets the buckets that it has made, which stay and remain noted.
 * @returns what may be left, as text.
 */
export async function takeBack(
  host: ProvisionHost,
  { hosts, token, ...place }: JournalPlace & Pick<ProvisionRequest, "hosts" | "token">,
  { tag, names, buckets }: { tag: string; names: readonly string[]; buckets: readonly string[] },
): Promise<string[]> {
  try {
    const gone = await deleteKeys(keysApi(host, hosts, token), names);
    // A request without an answer may still be carried out.
    const left = names.filter((name) => !gone.includes(name));
    await note(host, place, tag, () => ({ ...NOTHING_LEFT, keys: left, buckets }));
    return left.map((name) => `Spaces key ${name}`);
  } catch {
    return names.map((name) => `Spaces key ${name}`);
  }
}

/** The same error, which also says what may be left at DigitalOcean. */
export function withLeft(error: unknown, left: readonly string[]): unknown {
  if (left.length === 0) return error;
  const { code, status, message, hint: fix } = asAppError(error);
  const more = fix === undefined ? {} : { hint: fix };
  const text = `${message} At DigitalOcean there may be: ${listed(left)}. The next run goes on with it.`;
  return new AppError({ id: code, status }, text, { ...more, cause: error });
}

/**
 * Deletes keys by their exact names.
 *
 * @returns the names of those that were there.
 * @throws AppError those of KeysApi.
 */
export async function deleteKeys(api: KeysApi, names: readonly string[]): Promise<string[]> {
  const found = (await api.list()).filter(({ name }) => names.includes(name));
  for (const { id } of found) await api.remove(id);
  return found.map(({ name }) => name);
}

function noFolder(): AppError {
  const message =
    "There is no folder outside git checkouts to note what is created at DigitalOcean, so nothing is created.";
  return new AppError("NO_STATE_FOLDER", message, {
    hint: hint`Set HOME, or XDG_STATE_HOME, to a folder that only you can write to and that is outside any git checkout.`,
  });
}
