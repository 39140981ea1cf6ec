import { randomBytes } from "node:crypto";
import { AwsV4Signer } from "aws4fetch";
import type { SpacesKeys } from "../../exec/spaces-keys.ts";
import type { Host, HttpAnswer } from "../../host/host.ts";
import { sha256 } from "../../lib/sha256.ts";
import type { SpacesBackend } from "../config/resolved.ts";
import { spacesHost } from "./host.ts";

export interface LockTest {
  readonly backend: SpacesBackend;
  readonly keys: SpacesKeys;
}

/** The result of a lock test. `why`: why a lock file would not work or cannot be tested; undefined: it works. */
export interface LockVerdict {
  readonly why: string | undefined;
  /** A test object that could not be deleted. */
  readonly left: string | undefined;
}

const TIME_LIMIT_MS = 10_000;
const BODY = "Test object written by do-bootstrap. Safe to delete.\n";

/**
 * Tests what a lock depends on: the second of two writes of a new object with `If-None-Match: *` must fail with 412. A
 * store that ignores the header lets two runs proceed (docs/contracts/terraform.md 6.8). The test object is next to the
 * state and is deleted afterwards.
 *
 * @throws AppError INTERRUPTED.
 */
export async function tryLock(
  { http }: Pick<Host, "http">,
  { backend, keys }: LockTest,
): Promise<LockVerdict> {
  const object = `${backend.key}.do-bootstrap-lock-test-${randomBytes(4).toString("hex")}`;
  const first = await send("PUT");
  const isWritten = first.kind === "answer" && first.status === 200;
  if (!isWritten) {
    return { why: whyNot(first, backend), left: mayBeWritten(first) ? await cleared() : undefined };
  }
  const second = await send("PUT");
  return { why: verdict(second), left: await cleared() };

  function verdict(answer: HttpAnswer): string | undefined {
    if (answer.kind === "answer" && answer.status === 412) return undefined;
    if (answer.kind === "answer" && answer.status === 200) {
      return `${spacesHost(backend)} ignores If-None-Match: it accepted a second write of the same object, so a lock would not work`;
    }
    return whyNot(answer, backend);
  }

  async function cleared(): Promise<string | undefined> {
    const answer = await send("DELETE");
    const isGone = answer.kind === "answer" && [200, 204, 404].includes(answer.status);
    return isGone ? undefined : object;
  }

  async function send(method: "PUT" | "DELETE"): Promise<HttpAnswer> {
    const body = method === "PUT" ? BODY : "";
    const { url, headers } = await new AwsV4Signer({
      method,
      url: `https://${backend.bucket}.${spacesHost(backend)}/${object}`,
      service: "s3",
      // The region that Terraform signs with; backend.tf has the same.
      region: "us-east-1",
      accessKeyId: keys.id.reveal(),
      secretAccessKey: keys.secret.reveal(),
      ...(keys.session === undefined ? {} : { sessionToken: keys.session.reveal() }),
      headers: {
        "User-Agent": `do-bootstrap/${__VERSION__}`,
        "X-Amz-Content-Sha256": sha256(body),
        ...(method === "PUT" ? { "If-None-Match": "*" } : {}),
      },
    }).sign();
    const request = { url, method, headers: Object.fromEntries(headers), timeoutMs: TIME_LIMIT_MS };
    return http(method === "PUT" ? { ...request, body } : request);
  }
}

/** Whether the request may have been processed before the failure. */
function mayBeWritten(answer: HttpAnswer): boolean {
  return answer.kind === "failure" && ["timeout", "closed", "headers"].includes(answer.why);
}

function whyNot(answer: HttpAnswer, { bucket, region }: SpacesBackend): string {
  if (answer.kind === "failure") {
    return `${region}.digitaloceanspaces.com is unreachable (${answer.why}: ${answer.detail})`;
  }
  const code = /<Code>(\w+)<\/Code>/.exec(answer.body)?.[1] ?? "";
  const meaning = MEANINGS[code];
  if (meaning !== undefined) return meaning.replace("BUCKET", `${bucket} in ${region}`);
  return `Spaces answers ${answer.status}${code === "" ? "" : ` ${code}`}`;
}

const MEANINGS: Readonly<Record<string, string>> = {
  NoSuchBucket: "bucket BUCKET does not exist",
  InvalidAccessKeyId: "Spaces does not know the access key id",
  SignatureDoesNotMatch: "the secret key does not belong to the access key id",
  AccessDenied: "these keys have no write access to bucket BUCKET",
};
