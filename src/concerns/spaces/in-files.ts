import { basename, join } from "node:path";
import { textIn } from "../../core/file-text.ts";
import { ENV_FILE_LOOK, readEnvFile } from "../../exec/read-env-file.ts";
import { KEY_NAMES } from "../../exec/spaces-keys.ts";
import type { Host } from "../../host/host.ts";
import { Secret } from "../../secret/secret.ts";
import { isEnvFile } from "../config/protected-paths.ts";
import type { ResolvedConfig } from "../config/resolved.ts";
import type { SpacesFacts } from "./facts.ts";

/** The names of a pair of Spaces keys. */
export const PAIRS = [KEY_NAMES, ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]] as const;

/** A pair in an env file. */
export interface PairInFile {
  readonly id: Secret;
  /** undefined: only the id is there. */
  readonly secret: Secret | undefined;
}

/** The keys that this repo uses on this machine. */
export interface KeysHere {
  /** Those in the env files of the config, and in others beside them. */
  readonly pairs: readonly PairInFile[];
  /** Env files that may hold a key but could not be read. */
  readonly unread: readonly string[];
  /** Whether an id is in one of these files, or is what this run found. */
  readonly holds: (id: Secret) => boolean;
}

/** Looks at all env files of the config and those beside it. */
export async function keysHere(
  { files }: Pick<Host, "files">,
  { base, envFiles }: Pick<ResolvedConfig, "base" | "envFiles">,
  { keys }: Pick<SpacesFacts, "keys">,
): Promise<KeysHere> {
  const beside = (await files.list(base)).filter(isEnvFile).map((name) => join(base, name));
  const paths = [...new Set([...envFiles, ...beside])];
  const looks = await Promise.all(paths.map((path) => files.look(path, ENV_FILE_LOOK)));
  const pairs = looks.flatMap((look) => {
    const values = readEnvFile(textIn(look));
    const at = (name: string) => {
      const value = values.get(name);
      return value ? Secret.of(value, { kind: "env-file", name, path: look.path }) : undefined;
    };
    return PAIRS.flatMap(([ofId, ofSecret]) => {
      const id = at(ofId);
      return id === undefined ? [] : { id, secret: at(ofSecret) };
    });
  });
  const found = keys.kind === "keys" ? [keys.keys.id] : [];
  return {
    pairs,
    unread: looks.flatMap(({ kind, path }) => (kind === "unusable" ? basename(path) : [])),
    holds: (id) => [...pairs.map((pair) => pair.id), ...found].some((each) => each.equals(id)),
  };
}
