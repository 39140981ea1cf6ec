import { AppError } from "../../errors/app-error.ts";
import { hint, own } from "../../errors/hint.ts";
import type { SpacesKeys } from "../../exec/spaces-keys.ts";
import type { Host, HttpAnswer } from "../../host/host.ts";
import { type Bucket, codeIn, reasonOf, sendToBucket } from "./s3.ts";

type StoreHost = Pick<Host, "http" | "clock">;

/** How long a new key may take until Spaces knows it, and a new bucket until it can be used. */
const MOST_MS = 60_000;
const FIRST_WAIT_MS = 250;

/**
 * Creates a bucket, private and versioned. A bucket of the same owner is used and stays as it is.
 *
 * @param keys a key with full access.
 * @param isBegun a run that was stopped may have created it, so versions are turned on all the same.
 * @returns "made"; "unversioned": made, but Spaces did not turn versions on; "there": it existed.
 * @throws AppError BUCKET_TAKEN, SPACES_FAILED, SPACES_UNREACHABLE, INTERRUPTED.
 */
export async function makeBucket(
  host: StoreHost,
  keys: SpacesKeys,
  place: Bucket,
  isBegun: boolean,
): Promise<"made" | "unversioned" | "there"> {
  const list = () => sendToBucket(host, keys, place, LIST);
  let isThere = false;
  const made = await settled(host, NOT_YET, async () => {
    isThere = isOk(await list());
    // Another owner's bucket answers like a key that is not known yet, and only this request tells.
    return isThere ? undefined : sendToBucket(host, keys, place, { method: "PUT" });
  });
  const isOurs = isThere || (made && codeIn(made) === "BucketAlreadyOwnedByYou");
  if (isOurs && !isBegun) return "there";
  if (made && !isOurs) {
    if (!isOk(made)) throw refused(made, place);
    const ready = await settled(host, ["NoSuchBucket", ...NOT_YET], list);
    if (!isOk(ready)) throw refused(ready, place);
  }
  const versioned = await sendToBucket(host, keys, place, {
    method: "PUT",
    query: "versioning",
    body: VERSIONING,
  });
  return isOk(versioned) ? "made" : "unversioned";
}

const LIST = { method: "GET", query: "list-type=2&max-keys=1" } as const;
/** What Spaces may answer until it knows a new key. */
const NOT_YET = ["InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied"];
const VERSIONING =
  '<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>Enabled</Status></VersioningConfiguration>';

/**
 * Waits until a new key opens a bucket.
 *
 * @throws AppError as makeBucket.
 */
export async function waitForKey(host: StoreHost, keys: SpacesKeys, place: Bucket): Promise<void> {
  const answer = await settled(host, NOT_YET, () => sendToBucket(host, keys, place, LIST));
  if (!isOk(answer)) throw refused(answer, place);
}

/** Asks until the answer is none of these errors, with growing waits. */
async function settled<A extends HttpAnswer | undefined>(
  { clock }: Pick<Host, "clock">,
  passing: readonly string[],
  ask: () => Promise<A>,
): Promise<A> {
  const since = clock.now();
  for (let wait = FIRST_WAIT_MS; ; wait *= 2) {
    const answer = await ask();
    const left = MOST_MS - (clock.now() - since);
    if (answer === undefined || !passing.includes(codeIn(answer)) || left <= 0) return answer;
    await clock.sleep(Math.min(wait, left));
  }
}

function isOk(answer: HttpAnswer | undefined): boolean {
  return answer?.kind === "answer" && answer.status === 200;
}

function refused(answer: HttpAnswer, place: Bucket): AppError {
  const { bucket, region } = place;
  const code = codeIn(answer);
  if (answer.kind === "failure") {
    const message = `Can't use bucket ${bucket}: ${reasonOf(answer, place)}.`;
    const isName = answer.why === "dns";
    return new AppError("SPACES_UNREACHABLE", message, {
      hint: isName
        ? hint`Check that ${region} is a region with Spaces, then run the same command again.`
        : hint`Check the network, then run the same command again.`,
    });
  }
  if (code === "BucketAlreadyExists") {
    const message = `Bucket ${bucket} belongs to somebody else: names of buckets are unique across all of DigitalOcean.`;
    return new AppError("BUCKET_TAKEN", message, {
      hint: hint`Set another name in terraform.backend.bucket, such as ${bucket}-2`,
    });
  }
  const isElsewhere =
    answer.status === 301 || /^(PermanentRedirect|AuthorizationHeaderMalformed)$/.test(code);
  if (isElsewhere) {
    return new AppError(
      "BUCKET_TAKEN",
      `Bucket ${bucket} is not in ${region}, but in another region.`,
      {
        hint: hint`Set its region in terraform.backend.region.`,
      },
    );
  }
  if (code === "NoSuchBucket" || code === "AccessDenied") {
    const why = code === "NoSuchBucket" ? "does not exist" : "does not exist, or is another team's";
    return new AppError("SPACES_FAILED", `Bucket ${bucket} in ${region} ${why}.`, {
      hint: hint`To create it: ${own("--create-backend", bucket)}`,
    });
  }
  return new AppError("SPACES_FAILED", `Can't use bucket ${bucket}: ${reasonOf(answer, place)}.`, {
    hint:
      code === "RequestTimeTooSkewed"
        ? hint`Set the clock of this machine, then run the same command again.`
        : hint`Run the same command again.`,
  });
}
