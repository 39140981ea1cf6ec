import { AwsV4Signer } from "aws4fetch";
import type { SpacesKeys } from "../../exec/spaces-keys.ts";
import type { Host, HttpAnswer } from "../../host/host.ts";
import { sha256 } from "../../lib/sha256.ts";
import type { SpacesBackend } from "../config/resolved.ts";
import { spacesHost } from "./host.ts";

export type Bucket = Pick<SpacesBackend, "bucket" | "region">;

export interface S3Request {
  readonly method: "GET" | "PUT" | "DELETE";
  /** The object's name, or "" for the bucket itself. */
  readonly object?: string;
  /** Such as "versioning". */
  readonly query?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const TIME_LIMIT_MS = 10_000;

/** Sends one signed request to a bucket on Spaces. The keys never go to another host (docs/design.md rule 2). */
export async function sendToBucket(
  { http }: Pick<Host, "http">,
  keys: SpacesKeys,
  place: Bucket,
  { method, object = "", query = "", body = "", headers = {} }: S3Request,
): Promise<HttpAnswer> {
  const host = `${place.bucket}.${spacesHost(place)}`;
  const url = new URL(`https://${host}/${object}${query === "" ? "" : `?${query}`}`);
  // A name from the repo's code must not lead to another host.
  if (url.host !== host) throw new Error(`no bucket name: ${JSON.stringify(place.bucket)}`);
  const signer = new AwsV4Signer({
    method,
    url: url.href,
    service: "s3",
    // The region that Terraform signs with; backend.tf has the same.
    region: "us-east-1",
    accessKeyId: keys.id.reveal(),
    secretAccessKey: keys.secret.reveal(),
    ...(keys.session === undefined ? {} : { sessionToken: keys.session.reveal() }),
    headers: {
      "User-Agent": `do-bootstrap/${__VERSION__}`,
      "X-Amz-Content-Sha256": sha256(body),
      ...headers,
    },
  });
  const signed = await signer.sign();
  const request = {
    url: signed.url,
    headers: Object.fromEntries(signed.headers),
    timeoutMs: TIME_LIMIT_MS,
  };
  if (method === "GET") return http(request);
  return http(method === "PUT" ? { ...request, method, body } : { ...request, method });
}

/** The error code in an answer, such as "NoSuchBucket"; "" without one. */
export function codeIn(answer: HttpAnswer): string {
  return answer.kind === "answer" ? (/<Code>(\w+)<\/Code>/.exec(answer.body)?.[1] ?? "") : "";
}

/** Why a request failed, as a part of a sentence. */
export function reasonOf(answer: HttpAnswer, { bucket, region }: Bucket): string {
  if (answer.kind === "failure") {
    return `${spacesHost({ region })} is unreachable (${answer.why}: ${answer.detail})`;
  }
  const code = codeIn(answer);
  const meaning = MEANINGS[code];
  if (meaning !== undefined) return meaning.replace("BUCKET", `${bucket} in ${region}`);
  return `Spaces answers ${answer.status}${code === "" ? "" : ` ${code}`}`;
}

const MEANINGS: Readonly<Record<string, string>> = {
  NoSuchBucket: "bucket BUCKET does not exist",
  InvalidAccessKeyId: "Spaces does not know the access key id",
  SignatureDoesNotMatch: "the secret key does not belong to the access key id",
  AccessDenied: "these keys have no write access to bucket BUCKET",
  RequestTimeTooSkewed:
    "the clock of this machine is wrong: Spaces refuses a request signed with it",
};
