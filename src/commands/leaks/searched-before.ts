import type { Host, Records } from "../../host/host.ts";
import { IdSet } from "../../lib/id-set.ts";
import { sha256 } from "../../lib/sha256.ts";
import { SEARCH } from "../../secret/token-search.ts";

/** The objects of a repo in which an earlier run found no token, by hash. */
export interface Searched<Hashes> {
  readonly commits: Hashes;
  readonly others: Hashes;
}

/** In bytes: four million objects. More would take more memory than the search itself. */
const MOST_KEPT = 80_000_000;

/** Changes with anything that decides what is found. Raise the number if the code changes, but no pattern. */
const VERSION = 1;
const searchVersion = () => sha256(`${VERSION} ${SEARCH}`).slice(0, 32);

interface Written {
  readonly search: string;
  /** In base64. */
  readonly commits: string;
  readonly others: string;
}

/**
 * What an earlier run has kept. A hash names its content, so an object that git still has is the same one. It is kept on
 * this machine for the path of this repo, never in the repo.
 *
 * @param width the length of a hash, in bytes.
 */
export function recallSearched(
  records: Pick<Records, "recall">,
  root: string,
  width: number,
): Searched<IdSet> {
  const kept = records.recall(root, "history") as Partial<Written> | null | undefined;
  const isUsable = kept?.search === searchVersion();
  const read = (text: unknown) => {
    const bytes = Buffer.from(isUsable && typeof text === "string" ? text : "", "base64");
    return IdSet.of(bytes.length % width === 0 ? bytes : Buffer.alloc(0), width);
  };
  return { commits: read(kept?.commits), others: read(kept?.others) };
}

/** @param searched the hashes, one after the other. */
export function keepSearched(
  { records, clock }: Pick<Host, "records" | "clock">,
  root: string,
  { commits, others }: Searched<Buffer>,
): void {
  if (commits.length + others.length > MOST_KEPT) return;
  const value: Written = {
    search: searchVersion(),
    commits: commits.toString("base64"),
    others: others.toString("base64"),
  };
  records.keep(root, value, clock.now(), { kind: "history", inputs: [] });
}
