import { describe, expect, it } from "vitest";
import { type KeysApi, keysApi } from "../../../../src/concerns/spaces/access-keys.ts";
import { deleteKeys } from "../../../../src/concerns/spaces/provision.ts";
import type { AppError } from "../../../../src/errors/app-error.ts";
import type { HttpAnswer, HttpRequest } from "../../../../src/host/host.ts";
import { said } from "../../../fixtures/hint.ts";
import { PERSONAL, secret } from "../../samples.ts";

type Answer = readonly [status: number, body?: object | string] | "timeout";

/** The API with these answers, and what it was sent. An answer that was not asked for is a failure. */
function api(...answers: readonly Answer[]): { api: KeysApi; sent: HttpRequest[] } {
  const sent: HttpRequest[] = [];
  const http = async (request: HttpRequest): Promise<HttpAnswer> => {
    const answer = answers[sent.push(request) - 1];
    if (answer === undefined) throw new Error("one request too many");
    if (answer === "timeout") return { kind: "failure", why: "timeout", detail: "10 s" };
    const [status, body = ""] = answer;
    const text = typeof body === "string" ? body : JSON.stringify(body);
    return { kind: "answer", status, contentType: "", body: text };
  };
  return { api: keysApi({ http }, { api: new URL("https://api.example") }, secret()), sent };
}

const key = (name: string) => ({
  ...{ name, access_key: `DO00${name}`, created_at: "2026-11-30T00:00:00Z" },
  grants: [{ bucket: "acme", permission: "readwrite" }],
});
const made = { key: { ...key("new"), secret_key: "s" } };

it("creates a key with its grants, and hides both parts", async () => {
  const { api: its, sent } = api([201, made]);
  const grants = [{ bucket: "acme", permission: "readwrite" }];
  const keys = await its.create("new", grants, "/repo/.env");
  expect([keys.id.reveal(), keys.secret.reveal()]).toEqual(["DO00new", "s"]);
  expect(`${keys.id}${keys.secret}`).not.toContain("DO00new");
  const [{ url, method, headers, body }] = sent as [HttpRequest];
  expect([method, url.href]).toEqual(["POST", "https://api.example/v2/spaces/keys"]);
  expect(headers["Authorization"]).toBe(`Bearer ${PERSONAL}`);
  expect(JSON.parse(body ?? "")).toEqual({ name: "new", grants });
});

const NONE = { id: "not_found", message: "Not Found" };

describe("the list", () => {
  const page = (count: number) => ({
    keys: Array.from({ length: count }, (_, at) => key(`${at}`)),
  });

  it.each<[what: string, answers: readonly Answer[], count: number]>([
    ["is empty where the API answers 404", [[404, NONE]], 0],
    ["has one page", [[200, page(3)]], 3],
    [
      "has several pages",
      [
        [200, page(200)],
        [200, page(200)],
        [200, page(1)],
      ],
      401,
    ],
    [
      "ends where the next page is not there",
      [
        [200, page(200)],
        [404, NONE],
      ],
      200,
    ],
    [
      "goes on where the API gives shorter pages",
      [
        [200, { ...page(100), links: { pages: { next: "…" } } }],
        [200, page(1)],
      ],
      101,
    ],
    ["leaves out what is no key", [[200, { keys: [null, 1, { name: "x" }, key("a")] }]], 1],
  ])("%s", async (_, answers, count) => {
    const { api: its, sent } = api(...answers);
    expect(await its.list()).toHaveLength(count);
    expect(sent).toHaveLength(answers.length);
  });

  it.each<[what: string, answer: Answer]>([
    ["HTML", [200, "<html>"]],
    ["no list", [200, { keys: null }]],
    ["a 404 of a proxy", [404, "<html>"]],
  ])("does not take %s for an empty list", async (_, answer) => {
    await expect(api(answer).api.list()).rejects.toMatchObject({ status: 1 });
  });

  it("reads names, grants and times", async () => {
    const odd = { ...key("b"), grants: null, created_at: "yesterday" };
    const { api: its } = api([200, { keys: [key("a"), odd] }]);
    const all = (await its.list()).map(({ name, grants, createdAt }) => ({
      ...{ name, grants, createdAt },
    }));
    expect(all).toEqual([
      {
        name: "a",
        grants: [{ bucket: "acme", permission: "readwrite" }],
        createdAt: Date.UTC(2026, 10, 30),
      },
      { name: "b", grants: [], createdAt: undefined },
    ]);
  });
});

it("deletes keys by their exact names, and says which were there", async () => {
  const all = ["a", "a", "ab", "b"].map((name, at) => ({ ...key(name), access_key: `id${at}` }));
  const { api: its, sent } = api([200, { keys: all }], [204], [204], [404, NONE]);
  expect(await deleteKeys(its, ["a", "b", "c"])).toEqual(["a", "a", "b"]);
  expect(sent.slice(1).map(({ method, url }) => `${method} ${url.pathname}`)).toEqual([
    "DELETE /v2/spaces/keys/id0",
    "DELETE /v2/spaces/keys/id1",
    "DELETE /v2/spaces/keys/id3",
  ]);
});

it("does not repeat a token that the API sends back", async () => {
  const { api: its } = api([422, { message: `bad ${PERSONAL}` }]);
  const { message } = (await its.list().catch((error: AppError) => error)) as AppError;
  expect(message).toMatch(/answers 422 bad /);
  expect(message).not.toContain(PERSONAL);
});

describe("a failure", () => {
  it.each<[answer: Answer, code: string, status: number, message: RegExp]>([
    ["timeout", "SPACES_UNREACHABLE", 7, /^Can't create .* api\.example is unreachable \(timeout/],
    [
      [403, { message: "You are not authorized" }],
      "spaces.lacks-scopes",
      5,
      /^The token may not create the Spaces key new: api\.example answers 403 You are not auth/,
    ],
    [[401, { message: "no." }], "SPACES_REFUSED", 1, /answers 401 no\.$/],
    [[429, { message: "slow down" }], "SPACES_REFUSED", 1, /answers 429 slow down\.$/],
    [[500, "<html>"], "SPACES_FAILED", 1, /answers 500\.$/],
    [[302], "SPACES_FAILED", 1, /answers 302\.$/],
    [[201, { key: { access_key: "../x", secret_key: "s" } }], "SPACES_FAILED", 1, /gives/],
    [[201, "<html>"], "SPACES_FAILED", 1, /gives an unknown answer\.$/],
    [[201, { key: { access_key: "x" } }], "SPACES_FAILED", 1, /gives an unknown answer\.$/],
  ])("%j", async (answer, code, status, message) => {
    const { api: its } = api(answer);
    const error = await its.create("new", [], "/repo/.env").catch((thrown: AppError) => thrown);
    expect(error).toMatchObject({ code, status, message: expect.stringMatching(message) });
    expect(said((error as AppError).hint)).not.toBe("");
  });
});
