import { relative } from "node:path";
import { appendTo } from "../../core/file-text.ts";
import { patternOf } from "../../core/ignore-block.ts";
import { type Hint, hint, own } from "../../errors/hint.ts";
import type { ResolvedConfig } from "../config/resolved.ts";
import type { RepoFacts } from "../git/facts.ts";

/** Where Spaces keys are created. They are not API tokens: they give access only to buckets. */
export const KEYS_PAGE = "https://cloud.digitalocean.com/spaces/access_keys";

/**
 * How the user creates keys, and where to put them.
 *
 * @param bucket the bucket that the keys must give access to, as text.
 */
export function makeKeys(
  {
    config: { base, token },
    repo: { git, gitignore },
  }: {
    readonly config: Pick<ResolvedConfig, "base" | "token">;
    readonly repo: Pick<RepoFacts, "git" | "gitignore">;
  },
  bucket: string | undefined,
): Hint {
  const envFile = relative(base, token.envFile);
  const isOpen = git !== undefined && !git.ignored.has(token.envFile);
  // If an error stops the run, .gitignore is not written, and the user may continue from here.
  const ignore = appendTo(gitignore, patternOf(envFile));
  if (bucket !== undefined) {
    const first = isOpen ? hint`${ignore}, then create` : hint`create`;
    return hint`${own("backend", "key")} creates a key that opens nothing else. By hand: ${first} a key pair (Read/Write/Delete, ${bucket}) at ${KEYS_PAGE} and put both keys into ${envFile}. (They are not the API token.)`;
  }
  const first = isOpen ? hint`First: ${ignore}. Then create` : hint`Create`;
  return hint`${first} a key pair at ${KEYS_PAGE} and put both keys into ${envFile}. (They are not the API token.)`;
}
