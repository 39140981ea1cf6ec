import { expect, it, onTestFinished } from "vitest";
import { type Sandbox, startSandbox } from "../../src/commands/demo/sandbox.ts";
import { oauthServer } from "../fixtures/oauth.ts";

// The tests of logins rely on what the test authorization server refuses.

type Fields = Record<string, string>;

const CLIENT = "ab".repeat(32);
const CALLBACK = "http://127.0.0.1:1/callback";
// The pair of RFC 7636, appendix B.
const VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

it.each([
  ["an unknown client", { client_id: "x" }],
  ["a redirect to another host", { redirect_uri: "https://example.com/callback" }],
  ["a plain challenge", { code_challenge_method: "plain" }],
  ["no challenge", { code_challenge: "" }],
  ["no state", { state: "" }],
])("%s: an error page, no redirect", async (_, changed) => {
  const { sandbox } = await arrange();
  const answer = await authorize(sandbox, changed);
  expect(answer.status).toBe(400);
  expect(answer.headers.get("location")).toBeNull();
});

it.each([
  ["valid", {}, 200],
  ["another verifier", { code_verifier: "x".repeat(43) }, 401],
  ["another client", { client_id: "cd".repeat(32) }, 401],
  ["another redirect", { redirect_uri: `${CALLBACK}2` }, 401],
])("a code works once, for its own request: %s", async (_, changed, status) => {
  const { sandbox } = await arrange();
  const code = await codeFor(sandbox);
  expect((await exchange(sandbox, { code, ...changed })).status).toBe(status);
  expect((await exchange(sandbox, { code })).status).toBe(401);
});

it.each([
  ["an unknown code", { code: "x" }, 401, "invalid_grant"],
  ["another grant", { grant_type: "password" }, 400, "unsupported_grant_type"],
])("no tokens for %s", async (_, fields, status, error) => {
  const { sandbox } = await arrange();
  const answer = await exchange(sandbox, fields);
  expect(answer.status).toBe(status);
  expect(await answer.json()).toMatchObject({ error });
});

it("a refresh token works once, for its client", async () => {
  const { sandbox, oauth } = await arrange();
  const { refresh_token = "" } = await tokensFor(sandbox);
  const renew = async (changed: Fields = {}) =>
    exchange(sandbox, { grant_type: "refresh_token", refresh_token, ...changed });
  expect((await renew({ client_id: "cd".repeat(32) })).status).toBe(401);
  const renewed = (await (await renew()).json()) as Fields;
  expect(renewed).toMatchObject({ token_type: "bearer", expires_in: 3600, scope: "read write" });
  const again = await renew();
  expect(again.status).toBe(401);
  expect(await again.json()).toMatchObject({ error: "invalid_grant" });
  oauth.endSession();
  expect((await renew({ refresh_token: renewed["refresh_token"] ?? "" })).status).toBe(401);
});

it("the API accepts the access token until it expires", async () => {
  const { sandbox, oauth } = await arrange();
  oauth.next({ email: "blue@example.com" });
  const { access_token = "" } = await tokensFor(sandbox);
  const ask = () =>
    fetch(`${sandbox.url}/v2/account`, { headers: { authorization: `Bearer ${access_token}` } });
  expect(await (await ask()).json()).toMatchObject({ account: { email: "blue@example.com" } });
  oauth.expire(access_token);
  expect((await ask()).status).toBe(401);
});

async function authorize({ url }: Sandbox, changed: Fields = {}): Promise<Response> {
  const query = new URLSearchParams({
    ...{ client_id: CLIENT, redirect_uri: CALLBACK, response_type: "code", state: "s" },
    ...{ code_challenge: CHALLENGE, code_challenge_method: "S256" },
    ...changed,
  });
  return fetch(`${url}/v1/oauth/authorize?${query}`, { redirect: "manual" });
}

async function codeFor(sandbox: Sandbox): Promise<string> {
  const { headers } = await authorize(sandbox);
  return new URL(headers.get("location") ?? "").searchParams.get("code") ?? "";
}

async function tokensFor(sandbox: Sandbox): Promise<Fields> {
  const answer = await exchange(sandbox, { code: await codeFor(sandbox) });
  return (await answer.json()) as Fields;
}

async function exchange({ url }: Sandbox, fields: Fields): Promise<Response> {
  const body = new URLSearchParams({
    ...{ grant_type: "authorization_code", client_id: CLIENT, redirect_uri: CALLBACK },
    ...{ code_verifier: VERIFIER, ...fields },
  });
  return fetch(`${url}/v1/oauth/token`, { method: "POST", body });
}

async function arrange() {
  const sandbox = await startSandbox();
  onTestFinished(() => sandbox.close());
  return { sandbox, oauth: oauthServer(sandbox) };
}
