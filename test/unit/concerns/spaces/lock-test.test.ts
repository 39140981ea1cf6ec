import { expect, it } from "vitest";
import { type LockVerdict, tryLock } from "../../../../src/concerns/spaces/lock-test.ts";
import { AppError } from "../../../../src/errors/app-error.ts";
import type { HttpAnswer, HttpRequest } from "../../../../src/host/host.ts";
import { Secret } from "../../../../src/secret/secret.ts";
import { signatureProblem } from "../../../fixtures/spaces/signature.ts";

const KEYS = { id: "DO00EXAMPLE", secret: "s/+cret" };
const secret = (value: string) => Secret.of(value, { kind: "stdin" });
const TEST = {
  backend: { bucket: "acme", region: "ams3", key: "web/x.tfstate", lock: true },
  keys: { id: secret(KEYS.id), secret: secret(KEYS.secret), session: secret("session") },
};
const OBJECT = /^\/web\/x\.tfstate\.do-bootstrap-lock-test-[0-9a-f]{8}$/;

type Answer = number | "timeout" | "dns";

/** @returns the requests and the verdict. Fails if a request has no answer or an answer is not used. */
async function tried(...answers: readonly Answer[]) {
  const sent: HttpRequest[] = [];
  const http = async (request: HttpRequest): Promise<HttpAnswer> => {
    const answer = answers[sent.push(request) - 1];
    if (answer === undefined) throw new Error("one request too many");
    return typeof answer === "number"
      ? { kind: "answer", status: answer, contentType: "", body: "<Code>Odd</Code>" }
      : { kind: "failure", why: answer, detail: "…" };
  };
  const verdict = await tryLock({ http }, TEST);
  expect(sent).toHaveLength(answers.length);
  return { sent, verdict };
}

const said = ({ why, left }: LockVerdict) => [why ?? "works", left === undefined ? "" : "left"];

it.each<[Answer[], RegExp, string]>([
  [[200, 412, 204], /^works$/, ""],
  [[200, 412, 500], /^works$/, "left"],
  [[200, 200, 204], /ignores If-None-Match/, ""],
  [[200, 409, 204], /^Spaces answers 409 Odd$/, ""],
  [[200, "timeout", "timeout"], /is unreachable \(timeout/, "left"],
  [[412], /^Spaces answers 412 Odd$/, ""],
  [[301], /^Spaces answers 301 Odd$/, ""],
  [["dns"], /^ams3\.digitaloceanspaces\.com is unreachable \(dns/, ""],
  [["timeout", 404], /is unreachable \(timeout/, ""],
  [["timeout", "dns"], /is unreachable \(timeout/, "left"],
])("the verdict for the answers %j", async (answers, why, left) => {
  const { verdict } = await tried(...answers);
  expect(said(verdict)).toEqual([expect.stringMatching(why), left]);
});

it("puts one object twice with If-None-Match and deletes it; signs each request", async () => {
  const { sent } = await tried(200, 412, 204);
  expect(sent.map(({ method }) => method)).toEqual(["PUT", "PUT", "DELETE"]);
  expect(new Set(sent.map(({ url }) => url.href)).size).toBe(1);
  for (const { url, method = "", headers, body = "" } of sent) {
    expect([url.protocol, url.host]).toEqual(["https:", "acme.ams3.digitaloceanspaces.com"]);
    expect(url.pathname).toMatch(OBJECT);
    const lower = Object.entries({ ...headers, host: url.host }).map(
      ([name, value]) => [name.toLowerCase(), value] as const,
    );
    const all = Object.fromEntries(lower);
    expect(all["if-none-match"]).toBe(method === "PUT" ? "*" : undefined);
    expect(all["x-amz-security-token"]).toBe("session");
    const signed = { method, url: url.pathname, headers: all, body: Buffer.from(body) };
    expect(signatureProblem(signed, KEYS)).toBeUndefined();
    expect(signatureProblem(signed, { ...KEYS, secret: "another" })).toBe("SignatureDoesNotMatch");
    expect(signatureProblem({ ...signed, method: "GET" }, KEYS)).toBe("SignatureDoesNotMatch");
  }
});

it("an interrupt is not treated as an answer", async () => {
  const http = () => Promise.reject(new AppError("INTERRUPTED", "Interrupted."));
  await expect(tryLock({ http }, TEST)).rejects.toThrow("Interrupted.");
});
