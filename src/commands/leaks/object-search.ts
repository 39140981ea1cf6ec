import type { GitObject, ObjectReader } from "../../concerns/git/objects.ts";
import { isSavedPlan } from "../../concerns/terraform/root/saved-plan.ts";
import type { Secret } from "../../secret/secret.ts";
import { worthSearching } from "../../secret/token-prefilter.ts";
import { OVERLAP } from "../../secret/token-search.ts";
import { holdsToken, type TokenMatch, tokenMatchesIn } from "./token-match.ts";

/** A larger object is not read completely, so the line is not known. */
const MAX_READ_BYTES = 256 * 1024 * 1024;

const NOTHING: Buffer = Buffer.alloc(0);

export type ObjectMatch = TokenMatch & Pick<GitObject, "oid" | "type">;

/** What the first reading of objects has found. */
export interface ObjectSearch {
  /** One for each stream of objects. */
  newReader(): ObjectReader;
  /** Objects with a token, and saved plans, which must be read whole. */
  readonly suspects: ReadonlyMap<string, GitObject>;
  /** Matches in objects that are too large for that. */
  readonly large: readonly ObjectMatch[];
  /** Saved plans that are too large to be unpacked. */
  readonly packed: ReadonlySet<string>;
  readonly commits: readonly string[];
}

/** Searches streams of objects for tokens, part by part. */
export function searchObjects(own: Secret | undefined): ObjectSearch {
  const suspects = new Map<string, GitObject>();
  const large: ObjectMatch[] = [];
  const inLarge = new Set<string>();
  const packed = new Set<string>();
  const commits: string[] = [];
  return { newReader, suspects, large, packed, commits };

  function newReader(): ObjectReader {
    // For a token of mere digits, no chunk can be skipped.
    const isWorth = own === undefined || own.hasPrefix ? worthSearching() : () => true;
    let isSearched = true;
    let open: GitObject | undefined;
    let kept = NOTHING;
    return {
      onChunk(chunk) {
        isSearched = isWorth(chunk);
      },
      onPart(object, part, isLast) {
        const isStart = object !== open;
        if (isStart && object.type === "commit") commits.push(object.oid);
        open = object;
        // A broken object ends before its last part.
        const before = isStart ? NOTHING : kept;
        // The first parts may be a few bytes each.
        const isEarly = before.length < OVERLAP;
        const isCopied = before.length > 0 && (isSearched || isEarly || part.length < OVERLAP);
        const bytes = isCopied ? Buffer.concat([before, part]) : part;
        kept = isLast ? NOTHING : bytes.subarray(-OVERLAP);
        const isPlan = isEarly && isSavedPlan(bytes);
        if (isPlan || isSearched) look(object, bytes, isPlan);
      },
    };
  }

  function look(object: GitObject, bytes: Buffer, isPlan: boolean): void {
    const { oid, type, size } = object;
    if (isPlan && size > MAX_READ_BYTES) packed.add(oid);
    if (!isPlan && !holdsToken(bytes, own)) return;
    if (size <= MAX_READ_BYTES) suspects.set(oid, object);
    else
      for (const { kind, token } of tokenMatchesIn(bytes, own, oid)) {
        // A match in the overlap of two parts is found twice.
        const key = `${oid} ${token.fingerprint}`;
        if (!inLarge.has(key)) large.push({ kind, token, oid, type, line: undefined });
        inLarge.add(key);
      }
  }
}
