import { textIn } from "../../core/file-text.ts";
import { ENV_FILE_LOOK, readEnvFile } from "../../exec/read-env-file.ts";
import { KEY_NAMES } from "../../exec/spaces-keys.ts";
import type { Host } from "../../host/host.ts";
import { Secret } from "../../secret/secret.ts";

/** The variables of a pair, under each of its names. */
const PAIRS = [KEY_NAMES, ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]] as const;

/** A pair in an env file. */
export interface PairInFile {
  readonly id: Secret;
  /** undefined: only the id is there. */
  readonly secret: Secret | undefined;
}

/** The pairs of Spaces keys in env files. */
export async function pairsInFiles(
  { files }: Pick<Host, "files">,
  paths: readonly string[],
): Promise<readonly PairInFile[]> {
  const looks = await Promise.all(paths.map((path) => files.look(path, ENV_FILE_LOOK)));
  return looks.flatMap((look) => {
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
}

/** The ids of the keys in env files. */
export async function keysInFiles(
  host: Pick<Host, "files">,
  paths: readonly string[],
): Promise<readonly Secret[]> {
  return (await pairsInFiles(host, paths)).map(({ id }) => id);
}
