import type { Observation } from "../../commands/init/observe.ts";
import { textIn } from "../../core/file-text.ts";
import { readEnvFile } from "../../exec/read-env-file.ts";
import { type FoundKeys, findKeys as find } from "../../exec/spaces-keys.ts";

/** Where keys of Spaces are made: they are not API tokens, and open buckets alone. */
export const KEYS_PAGE = "https://cloud.digitalocean.com/spaces/access_keys";

export function findKeys({
  env,
  envFile,
  config,
}: Pick<Observation, "env" | "envFile" | "config">): FoundKeys {
  return find({ env, envFile: readEnvFile(textIn(envFile)), path: config.token.envFile });
}
