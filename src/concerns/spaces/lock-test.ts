import { randomBytes } from "node:crypto";
import type { SpacesKeys } from "../../exec/spaces-keys.ts";
import type { Host, HttpAnswer } from "../../host/host.ts";
import type { SpacesBackend } from "../config/resolved.ts";
import { spacesHost } from "./host.ts";
import { reasonOf, sendToBucket } from "./s3.ts";

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

const BODY = "Test object written by do-bootstrap. Safe to delete.\n";

/**
 * Tests what a lock depends on: the second of two writes of a new object with `If-None-Match: *` must fail with 412. A
 * store that ignores the header lets two runs proceed (docs/contracts/terraform.md 6.8). The test object is next to the
 * state and is deleted afterwards.
 *
 * @throws AppError INTERRUPTED.
 */
export async function tryLock(
  host: Pick<Host, "http">,
  { backend, keys }: LockTest,
): Promise<LockVerdict> {
  const object = `${backend.key}.do-bootstrap-lock-test-${randomBytes(4).toString("hex")}`;
  const first = await send("PUT");
  const isWritten = first.kind === "answer" && first.status === 200;
  if (!isWritten) {
    return {
      why: reasonOf(first, backend),
      left: mayBeWritten(first) ? await cleared() : undefined,
    };
  }
  const second = await send("PUT");
  return { why: verdict(second), left: await cleared() };

  function verdict(answer: HttpAnswer): string | undefined {
    if (answer.kind === "answer" && answer.status === 412) return undefined;
    if (answer.kind === "answer" && answer.status === 200) {
      return `${spacesHost(backend)} ignores If-None-Match: it accepted a second write of the same object, so a lock would not work`;
    }
    return reasonOf(answer, backend);
  }

  async function cleared(): Promise<string | undefined> {
    const answer = await send("DELETE");
    const isGone = answer.kind === "answer" && [200, 204, 404].includes(answer.status);
    return isGone ? undefined : object;
  }

  function send(method: "PUT" | "DELETE"): Promise<HttpAnswer> {
    if (method === "DELETE") return sendToBucket(host, keys, backend, { method, object });
    const headers = { "If-None-Match": "*" };
    return sendToBucket(host, keys, backend, { method, object, body: BODY, headers });
  }
}

/** Whether the request may have been processed before the failure. */
function mayBeWritten(answer: HttpAnswer): boolean {
  return answer.kind === "failure" && ["timeout", "closed", "headers"].includes(answer.why);
}
