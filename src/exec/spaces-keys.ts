import type { Environment } from "../host/host.ts";
import { Secret } from "../secret/secret.ts";

export const KEY_NAMES = ["SPACES_ACCESS_KEY_ID", "SPACES_SECRET_ACCESS_KEY"] as const;

/** The credentials of a bucket: a pair of Spaces keys, not the API token. */
export interface SpacesKeys {
  readonly id: Secret;
  readonly secret: Secret;
  readonly session: Secret | undefined;
}

/** The credentials that an S3 client, such as Terraform's backend, would use. */
export type FoundKeys =
  | {
      readonly kind: "keys";
      readonly keys: SpacesKeys;
      /** The prefix of the variables that contain them. */
      readonly names: "AWS" | "SPACES";
      /** There is also a different pair under SPACES_ names, which is not used. */
      readonly overrides: boolean;
    }
  /** A profile of the AWS tools, which only they can read. */
  | { readonly kind: "profile"; readonly name: string }
  | {
      readonly kind: "none";
      /** Only one of the two SPACES_ keys, which is not enough. The client itself reports that. */
      readonly half?: { readonly id: Secret } | { readonly secret: Secret };
    };

/** The places to look for keys. The environment comes before the env file. */
export interface KeyPlaces {
  readonly env: Environment;
  /** The variables of the env file. */
  readonly envFile: ReadonlyMap<string, string>;
  /** The env file, absolute. */
  readonly path: string;
}

/**
 * The pair under SPACES_ names. DigitalOcean's provider reads only those (docs/contracts/terraform.md 1).
 *
 * @returns undefined if one of the two is missing.
 */
export function providerKeys(places: KeyPlaces): Pick<SpacesKeys, "id" | "secret"> | undefined {
  const [id, secret] = KEY_NAMES.map((name) => keyAt(places, name));
  return id !== undefined && secret !== undefined ? { id, secret } : undefined;
}

function keyAt({ env, envFile, path }: KeyPlaces, name: string): Secret | undefined {
  if (env[name]) return Secret.of(env[name], { kind: "environment", name });
  const value = envFile.get(name);
  return value ? Secret.of(value, { kind: "env-file", name, path }) : undefined;
}

/**
 * The keys that an S3 client uses under `exec`. AWS_ names win, since an S3 client reads only those
 * (docs/contracts/terraform.md 6.1). Without any, the SPACES_ keys are passed under AWS_ names.
 */
export function findKeys(places: KeyPlaces): FoundKeys {
  const { env } = places;
  const at = (name: string) => keyAt(places, name);
  const pair = (id: Secret | undefined, secret: Secret | undefined, session?: Secret) =>
    id !== undefined && secret !== undefined ? { id, secret, session } : undefined;
  const ofAws = ["ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"].map((each) =>
    at(`AWS_${each}`),
  );
  const [id, secret] = KEY_NAMES.map(at);
  const ofSpaces = pair(id, secret);
  if (ofAws.some((each) => each !== undefined)) {
    const keys = pair(ofAws[0], ofAws[1], ofAws[2]);
    if (keys === undefined) return { kind: "none" };
    const overrides = ofSpaces !== undefined && !ofSpaces.id.equals(keys.id);
    return { kind: "keys", keys, names: "AWS", overrides };
  }
  // Only from the environment: an env file must not choose one of the user's logins.
  const profile = env["AWS_PROFILE"];
  if (profile) return { kind: "profile", name: profile };
  if (ofSpaces !== undefined) {
    return { kind: "keys", keys: ofSpaces, names: "SPACES", overrides: false };
  }
  if (id !== undefined) return { kind: "none", half: { id } };
  return secret === undefined ? { kind: "none" } : { kind: "none", half: { secret } };
}
