import { describe, expect, it } from "vitest";
import { makeBucket, waitForKey } from "../../../../src/concerns/spaces/bucket.ts";
import type { AppError } from "../../../../src/errors/app-error.ts";
import type { HttpAnswer, HttpRequest } from "../../../../src/host/host.ts";
import { secret } from "../../samples.ts";

const KEYS = { id: secret("DO00"), secret: secret("s"), session: undefined };
const PLACE = { bucket: "acme", region: "nyc3" };

/** "200", "403 AccessDenied", or a failure of the network: "dns". */
type Answer = string;

/** What is sent and how long is waited, with these answers; the last one again and again. */
async function run(
  act: (host: Parameters<typeof makeBucket>[0]) => Promise<unknown>,
  answers: readonly Answer[],
) {
  const sent: string[] = [];
  let now = 0;
  const http = async ({ method, url }: HttpRequest): Promise<HttpAnswer> => {
    const text = answers[Math.min(sent.length, answers.length - 1)] ?? "";
    sent.push(`${method ?? "GET"}${url.search === "?versioning" ? " versioning" : ""}`);
    expect(url.href).toMatch(/^https:\/\/acme\.nyc3\.digitaloceanspaces\.com\//);
    const [status = "", code] = text.split(" ");
    if (status === "dns") return { kind: "failure", why: "dns", detail: "ENOTFOUND" };
    const body = code === undefined ? "" : `<Error><Code>${code}</Code></Error>`;
    return { kind: "answer", status: Number(status), contentType: "", body };
  };
  const sleep = async (ms: number) => {
    now += ms;
  };
  const result = await act({ http, clock: { now: () => now, sleep } }).catch(
    (error: AppError) => `${error.code}: ${error.message}`,
  );
  return { result, sent: sent.join(", "), waitedMs: now };
}

const NONE = "404 NoSuchBucket";

describe("a bucket", () => {
  it.each<[what: string, answers: Answer[], result: string, sent: string]>([
    ["that exists is not touched", ["200"], "there", "GET"],
    [
      "is created, and its versions turned on",
      [NONE, "200", "200", "200"],
      "made",
      "GET, PUT, GET, PUT versioning",
    ],
    [
      "is waited for until it is seen",
      [NONE, "200", NONE, "403 AccessDenied", "200", "200"],
      "made",
      "GET, PUT, GET, GET, GET, PUT versioning",
    ],
    [
      "without versions is made all the same",
      [NONE, "200", "200", "501 NotImplemented"],
      "unversioned",
      "GET, PUT, GET, PUT versioning",
    ],
    [
      "is asked for again while Spaces does not know the key",
      ["403 InvalidAccessKeyId", "403 InvalidAccessKeyId", NONE, "200", "200", "200"],
      "made",
      "GET, PUT, GET, PUT, GET, PUT versioning",
    ],
    [
      "that another run of this team makes at the same time is used",
      [NONE, "409 BucketAlreadyOwnedByYou"],
      "there",
      "GET, PUT",
    ],
  ])("%s", async (_, answers, result, sent) => {
    const done = await run((host) => makeBucket(host, KEYS, PLACE, false), answers);
    expect([done.result, done.sent]).toEqual([result, sent]);
  });

  it.each<[what: string, answers: Answer[], result: RegExp]>([
    [
      "another team's",
      ["403 AccessDenied", "409 BucketAlreadyExists"],
      /^BUCKET_TAKEN: .*somebody/,
    ],
    ["in another region", ["301 PermanentRedirect"], /^BUCKET_TAKEN: .*another region/],
    [
      "in a region without Spaces",
      ["dns"],
      /^SPACES_UNREACHABLE: .*unreachable \(dns: ENOTFOUND\)/,
    ],
    ["with a wrong clock", ["403 RequestTimeTooSkewed"], /^SPACES_FAILED: .*clock/],
    ["with a key that Spaces never learns", ["403 InvalidAccessKeyId"], /^SPACES_FAILED: .*know/],
    ["on a server that fails", ["500"], /^SPACES_FAILED: .*answers 500/],
  ])("%s: a clear error, after a minute at most", async (_, answers, result) => {
    const done = await run((host) => makeBucket(host, KEYS, PLACE, false), answers);
    expect(done.result).toMatch(result);
    expect(done.waitedMs).toBeLessThanOrEqual(60_000);
  });
});

describe("a new key", () => {
  it.each<[what: string, answers: Answer[], result: RegExp]>([
    ["that works", ["200"], /^undefined$/],
    ["that works after some time", ["403 InvalidAccessKeyId", "403 AccessDenied", "200"], /^undef/],
    ["for a bucket that is not there", [NONE], /^SPACES_FAILED: .*acme in nyc3 does not exist\.$/],
    [
      "for a bucket that it may not open",
      ["403 AccessDenied"],
      /^SPACES_FAILED: .*does not exist, or is another team's\.$/,
    ],
  ])("%s", async (_, answers, result) => {
    const done = await run((host) => waitForKey(host, KEYS, PLACE), answers);
    expect(`${done.result}`).toMatch(result);
  });
});
