import type { Observation } from "../../commands/init/observe.ts";
import { textIn } from "../../core/file-text.ts";
import { readEnvFile } from "../../exec/read-env-file.ts";
import { Secret } from "../../secret/secret.ts";
import type { SpacesKeys } from "./lock-test.ts";

/** Where keys of Spaces are made: they are not API tokens, and open buckets alone. */
export const KEYS_PAGE = "https://cloud.digitalocean.com/spaces/access_keys";

export const KEY_NAMES = ["SPACES_ACCESS_KEY_ID", "SPACES_SECRET_ACCESS_KEY"] as const;

/** What a Terraform run behind `exec` would open the bucket with. */
export type FoundKeys =
  | { readonly kind: "keys"; readonly keys: SpacesKeys; readonly beaten: boolean }
  /** A profile of AWS's tools, which only Terraform can read. */
  | { readonly kind: "profile"; readonly name: string }
  | { readonly kind: "none" };

/** As exec/variables.ts has it: AWS_ names that are given stay what they are; else those of SPACES_. */
export function findKeys({
  env,
  envFile,
  config,
}: Pick<Observation, "env" | "envFile" | "config">): FoundKeys {
  const inFile = readEnvFile(textIn(envFile));
  const at = (name: string): Secret | undefined => {
    if (env[name]) return Secret.of(env[name], { kind: "environment", name });
    const value = inFile.get(name);
    return value
      ? Secret.of(value, { kind: "env-file", name, path: config.token.envFile })
      : undefined;
  };
  const pair = (id: Secret | undefined, secret: Secret | undefined, session?: Secret) =>
    id !== undefined && secret !== undefined ? { id, secret, session } : undefined;
  const ofAws = ["ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"].map((each) =>
    at(`AWS_${each}`),
  );
  const ofSpaces = pair(at(KEY_NAMES[0]), at(KEY_NAMES[1]));
  if (ofAws.some((each) => each !== undefined)) {
    const keys = pair(ofAws[0], ofAws[1], ofAws[2]);
    if (keys === undefined) return { kind: "none" };
    const beaten = ofSpaces !== undefined && !ofSpaces.id.equals(keys.id);
    return { kind: "keys", keys, beaten };
  }
  const profile = env["AWS_PROFILE"] || inFile.get("AWS_PROFILE");
  if (profile) return { kind: "profile", name: profile };
  return ofSpaces === undefined
    ? { kind: "none" }
    : { kind: "keys", keys: ofSpaces, beaten: false };
}
