import { type Hint, hint, own, run } from "../errors/hint.ts";
import { short, statusNumber, type Words } from "./error-text.ts";

/** The cause of an error of Spaces, or of a tool that uses it. */
export type SpacesFailure =
  | "keys"
  | "no-keys"
  | "bucket"
  | "taken"
  | "denied"
  | "lock"
  | "condition"
  | "checksum"
  | "clock"
  | "busy"
  | "sts"
  | "aws"
  | "region"
  | "other";

export interface SaidOfSpaces {
  readonly kind: "spaces";
  readonly why: SpacesFailure;
  /** The error code, such as "NoSuchBucket". */
  readonly message: string;
  /** For "lock": its ID, if the text has "Lock Info". */
  readonly lock?: string;
}

const LOCK_ID = /^[ \t]{1,9}ID:[ \t]{1,19}([\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12})[ \t]*$/m;

/** S3's codes, which Spaces uses, too. Any other code is "other". */
const CODES: Readonly<Record<string, SpacesFailure>> = {
  InvalidAccessKeyId: "keys",
  SignatureDoesNotMatch: "keys",
  NoSuchBucket: "bucket",
  BucketAlreadyExists: "taken",
  BucketAlreadyOwnedByYou: "taken",
  AccessDenied: "denied",
  Forbidden: "denied",
  PreconditionFailed: "condition",
  ConditionalRequestConflict: "condition",
  XAmzContentSHA256Mismatch: "checksum",
  NotImplemented: "checksum",
  RequestTimeTooSkewed: "clock",
  RequestExpired: "clock",
  SlowDown: "busy",
  ServiceUnavailable: "busy",
  InternalError: "busy",
};

/** For clients that print no code, for example after an answer without a body. */
const STATUSES: Readonly<Record<number, SpacesFailure>> = {
  403: "denied",
  409: "condition",
  412: "condition",
  501: "checksum",
  500: "busy",
  502: "busy",
  503: "busy",
  504: "busy",
};

/** No keys were sent: messages of the S3 backend, the provider, and AWS's own clients. */
const NO_KEYS =
  /No valid credential sources found|Spaces credentials not configured|Unable to locate credentials|NoCredentialProviders/;

/** The S3 backend asks AWS who owns the keys, unless a setting turns this off (docs/contracts/terraform.md 6). */
const STS =
  /retrieving caller identity from STS|Retrieving AWS account details|AWS account ID not previously found/;

/** The S3 backend requires one of AWS's regions. */
const REGION = /Invalid AWS Region: [a-z]{3}\d\b|Missing region value/;

/** The error code as printed by AWS's SDK for Go, in XML, by the aws CLI and by s3cmd. */
const CODE: readonly RegExp[] = [
  /\bapi error (\w+)/,
  /<Code>(\w+)<\/Code>/,
  /An error occurred \((\w+)\) when calling the \w+ operation/,
  /\bS3 error: \d{3} \((\w+)\)/,
];

const OF_S3 =
  /operation error S3\b|digitaloceanspaces\.com|status code: \d{3}, request id: [^\n,]{0,99}, host id:|when calling the \w*(?:Bucket|Object|Multipart|UploadPart)\w* operation|\bS3 error: \d{3}|<(?:BucketName|HostId)>/;

/** Finds an error of Spaces; undefined: there is none. */
export function spacesIn(text: string): SaidOfSpaces | undefined {
  const said = (why: SpacesFailure, message: string) =>
    ({ kind: "spaces", why, message: short(message) }) as const;
  const sts = STS.exec(text)?.[0];
  if (sts !== undefined) return said("sts", sts);
  const region = REGION.exec(text)?.[0];
  if (region !== undefined) return said("region", region);
  const noKeys = NO_KEYS.exec(text)?.[0];
  if (noKeys !== undefined) return said("no-keys", noKeys);
  // Terraform's S3 backend has its own message for this (docs/contracts/terraform.md 6.5).
  if (/S3 bucket "[^"\n]*" does not exist/.test(text)) return said("bucket", "NoSuchBucket");
  const code = codeIn(text);
  const isKnown = code !== undefined && code in CODES && /api error|<Code>/.test(text);
  const isS3 = isKnown || OF_S3.test(text);
  if (!isS3) return undefined;
  const ofAddress = /digitaloceanspaces\.com[^\s"]{0,999}"?: ([45]\d\d)\b/.exec(text)?.[1];
  const status = ofAddress === undefined ? statusNumber(text) : Number(ofAddress);
  if (code === undefined && (status === undefined || status < 400 || isOfApi(text))) {
    return undefined;
  }
  if (/\.amazonaws\.com\b/.test(text) && !text.includes("digitaloceanspaces.com")) {
    return said("aws", code ?? `${status}`);
  }
  const why = CODES[code ?? ""] ?? STATUSES[status ?? 0] ?? "other";
  const isLock = why === "condition" && /state lock|\.tflock|lock file/i.test(text);
  const lock = isLock ? LOCK_ID.exec(text)?.[1] : undefined;
  return {
    ...said(isLock ? "lock" : why, code ?? `${status}`),
    ...(lock === undefined ? {} : { lock }),
  };
}

function codeIn(text: string): string | undefined {
  for (const pattern of CODE) {
    const code = pattern.exec(text)?.[1];
    if (code !== undefined && code !== "UnknownError") return code;
  }
  // The provider's older SDK prints "CODE: MESSAGE" before the status.
  const end = text.search(/status code: \d{3}, request id:/);
  if (end < 0) return undefined;
  const before = text.slice(Math.max(0, end - 400), end).matchAll(/\b([A-Z]\w{2,60}): /g);
  const words = Array.from(before, ([, word = ""]) => word).filter((word) => word !== "Error");
  return words.find((word) => word in CODES) ?? words[0];
}

/** An API call with a Spaces address in it. */
function isOfApi(text: string): boolean {
  return text.includes("//api.digitalocean.com/");
}

const KEYS = hint`Spaces keys are not the API token. Put SPACES_ACCESS_KEY_ID and SPACES_SECRET_ACCESS_KEY into the env file; ${own("exec")} passes them.`;

/** Explains an error of Spaces. None of them is about the API token. */
export function spacesWords({ why, message, lock }: SaidOfSpaces): Words {
  return {
    what: WHAT[why].replace("CODE", () => message),
    fix: lock === undefined ? FIX[why] : held(lock),
  };
}

function held(lock: string): Hint {
  return hint`Wait until that run has finished. "Lock Info" shows who started it. If it was killed and nobody else uses this state: ${run("terraform", "force-unlock", lock)}`;
}

const WHAT: Readonly<Record<SpacesFailure, string>> = {
  keys: "Spaces rejected the keys (CODE).",
  "no-keys": "No Spaces keys were given (CODE). The API token does not give access to buckets.",
  bucket: "The bucket does not exist, or is in another region.",
  taken: "The bucket name is already taken (CODE). Bucket names must be unique across Spaces.",
  denied:
    "These keys have no permission for this operation on the bucket (CODE). The API token is not the problem.",
  lock: "Another run holds the lock of this state (CODE). The token and the keys are not the problem.",
  condition:
    "Spaces rejected a conditional write (CODE), usually because another run wrote that file in the meantime. The token is not the problem.",
  checksum:
    "The server rejected the client's checksums or signature (CODE), a common problem with newer AWS clients and non-AWS storage. The token and the keys are not the problem.",
  clock: "Spaces rejected the request time (CODE): this machine's clock is wrong.",
  busy: "Spaces had an error or was too busy (CODE). The token and the code are not the problem.",
  sts: "The S3 backend asked AWS about the keys (STS, IAM), but AWS does not know Spaces keys. The token is not the problem.",
  aws: "The request went to AWS instead of Spaces (CODE), usually because the endpoint is missing. The token is not the problem.",
  region:
    "The S3 backend has no region, or a region that AWS does not know (CODE). The token and the keys are not the problem.",
  other:
    "Spaces rejected the request (CODE). The cause is the bucket or the Spaces keys, not the API token.",
};

const BACKEND = hint`If you set terraform.backend in the config, ${own()} writes a backend.tf with all settings that Spaces needs.`;

const FIX: Readonly<Record<SpacesFailure, Hint>> = {
  keys: KEYS,
  "no-keys": hint`Put SPACES_ACCESS_KEY_ID and SPACES_SECRET_ACCESS_KEY into the env file: ${own("exec", "--", "terraform", "plan")} passes them, and sets AWS_* for an S3 backend.`,
  bucket: hint`Check its name and region. Create a bucket for state in advance: in the control panel (Spaces Object Storage), or with digitalocean_spaces_bucket in another root.`,
  taken: hint`Choose another name. If you already own the bucket, import it.`,
  denied: hint`Check the permissions of these keys for that bucket: https://cloud.digitalocean.com/spaces/access_keys. ${own("check")} shows whether AWS_* overrides them.`,
  lock: hint`${held("LOCK_ID")}, with the ID from "Lock Info".`,
  condition: hint`Run the same command again. If it concerns a state, first make sure that no other run is active.`,
  checksum: hint`${own("exec", "--", "terraform", "plan")} sets AWS_REQUEST_CHECKSUM_CALCULATION and AWS_RESPONSE_CHECKSUM_VALIDATION to when_required; the backend block also needs skip_s3_checksum = true. ${BACKEND}`,
  clock: hint`Set the clock, and run the same command again.`,
  busy: hint`Run the same command again in a few minutes. https://status.digitalocean.com shows outages.`,
  sts: hint`If this is the backend of a state on Spaces, it needs skip_credentials_validation and skip_requesting_account_id (= true). ${BACKEND}`,
  aws: hint`If the state is on Spaces, the backend needs endpoints = { s3 = "https://REGION.digitaloceanspaces.com" }. ${BACKEND}`,
  region: hint`If the state is on Spaces, the backend needs region = "us-east-1" (the endpoint says where the bucket is). ${BACKEND}`,
  other: hint`The error code gives the reason. Check the bucket's name and region and the keys (SPACES_ACCESS_KEY_ID and SPACES_SECRET_ACCESS_KEY). It is not about token scopes.`,
};
