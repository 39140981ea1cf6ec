import { describe, expect, it } from "vitest";
import {
  type Inspection,
  judge,
  readAnswer,
  whyUnverified,
} from "../../../../src/concerns/token/verdict.ts";
import type { HttpAnswer } from "../../../../src/host/host.ts";

const TEAM = { uuid: "5df3e300", name: "My Team" };
const JSON_TYPE = "application/json; charset=utf-8";

const http = (status: number, body: unknown, contentType = JSON_TYPE): HttpAnswer => ({
  kind: "answer",
  status,
  contentType,
  body: typeof body === "string" ? body : JSON.stringify(body),
});
const failure = (why: (HttpAnswer & { kind: "failure" })["why"]): HttpAnswer => ({
  kind: "failure",
  why,
  detail: "",
});
const problem = (status: number) => http(status, { id: "x", message: "No." });
const infoOf = (facts: object) => http(200, { scopes: ["read", "write"], ...facts });

const ACCOUNT = http(200, { account: { email: "sammy@example.com", team: TEAM } });
const INFO = infoOf({ expires_in_seconds: 2_592_000 });

/** Every answer that proves nothing. */
const NOTHINGS: Record<string, HttpAnswer> = {
  "429": problem(429),
  "500": problem(500),
  "502 with HTML": http(502, "<html>", "text/html"),
  "503": problem(503),
  "200 with HTML": http(200, "<html>login</html>", "text/html"),
  "200 without a content type": http(200, { account: {} }, ""),
  "200 with invalid JSON": http(200, "oops"),
  "200 with an empty body": http(200, ""),
  "301": http(301, ""),
  "302 with JSON": http(302, { account: {} }),
  "307": http(307, ""),
  "a timeout": failure("timeout"),
  "a refused connection": failure("refused"),
  "an unknown host name": failure("dns"),
  "a bad certificate": failure("tls"),
  "a proxy that refuses": failure("proxy"),
  "a closed connection": failure("closed"),
  "a huge answer": failure("too-large"),
};

/** Answers of the info endpoint with an unknown shape. */
const ODD_INFO: Record<string, HttpAnswer> = {
  ...NOTHINGS,
  "403": problem(403),
  "404": problem(404),
  "200 null": http(200, "null"),
  "200 with a list": http(200, []),
  "200 with a string": http(200, '"ok"'),
  "200 without scopes": http(200, { resource_owner_id: 1 }),
  "200 with scopes null": infoOf({ scopes: null }),
  "200 with scopes in one string": infoOf({ scopes: "read write" }),
  "200 with scopes as an object": infoOf({ scopes: { read: true } }),
  "200 with a scope that is a number": infoOf({ scopes: ["read", 1] }),
};

const ask = (account: HttpAnswer, info: HttpAnswer): Inspection =>
  judge(readAnswer(account), readAnswer(info));
const rows = (answers: Record<string, HttpAnswer>) => Object.entries(answers);

const UNKNOWN = { scopes: undefined, expiresInSeconds: undefined };
const KNOWN = { scopes: ["read", "write"], expiresInSeconds: 2_592_000 };
const NOBODY = { team: undefined, email: undefined };
const SAMMY = { team: TEAM, email: "sammy@example.com" };

describe("account 401: refused with any answer of info", () => {
  it.each(rows({ ...ODD_INFO, "200": INFO, "401": problem(401) }))("info %s", (_, info) => {
    const refused = { state: "refused", ...UNKNOWN, ...NOBODY, doubts: [] };
    expect(ask(problem(401), info)).toEqual(refused);
  });

  it.each([
    ["HTML", http(401, "<html>", "text/html")],
    ["no body", http(401, "", "")],
    ["broken JSON", http(401, "{")],
  ])("a 401 with %s counts as refused", (_, account) => {
    expect(ask(account, INFO).state).toBe("refused");
  });
});

describe("account 200, or 403 with a JSON error body", () => {
  it.each([
    ["200", ACCOUNT, SAMMY],
    ["403", problem(403), NOBODY],
  ])("%s and info 200: valid, with all facts and no doubts", (_, account, who) => {
    expect(ask(account, INFO)).toEqual({ state: "alive", ...KNOWN, ...who, doubts: [] });
  });

  it.each(rows({ ...ODD_INFO, "401": problem(401) }))("info %s: valid, with a doubt", (_, info) => {
    const doubts = [expect.stringMatching(/^the token \(GET \/v1\/oauth\/token\/info\): ./)];
    expect(ask(ACCOUNT, info)).toEqual({ state: "alive", ...UNKNOWN, ...SAMMY, doubts });
    expect(ask(problem(403), info)).toEqual({ state: "alive", ...UNKNOWN, ...NOBODY, doubts });
  });
});

/** A 403 that is not from the API and a 200 without an account prove nothing either. */
const ODD_ACCOUNT: Record<string, HttpAnswer> = {
  ...NOTHINGS,
  "403 with HTML": http(403, "<html>Blocked by your company", "text/html"),
  "403 without a message": http(403, {}),
  "403 with a list": http(403, []),
  "404": problem(404),
  "200 without an account": http(200, {}),
  "200 with account null": http(200, { account: null }),
  "200 with a list of accounts": http(200, { account: [] }),
  "200 null": http(200, "null"),
};

describe.each(rows(ODD_ACCOUNT))("account %s", (_, account) => {
  it("and info 401: refused", () => {
    const refused = { state: "refused", ...UNKNOWN, ...NOBODY, doubts: [] };
    expect(ask(account, problem(401))).toEqual(refused);
  });

  it("and info 200: valid, with a doubt", () => {
    const doubts = [expect.stringMatching(/^the account \(GET \/v2\/account\): ./)];
    const { silentApi, ...rest } = ask(account, INFO);
    expect(rest).toEqual({ state: "alive", ...KNOWN, ...NOBODY, doubts });
    expect(rest.doubts).toEqual([`the account (GET /v2/account): ${silentApi?.why}`]);
  });

  it("and any other answer of info: unknown, with two doubts", () => {
    const seen = rows(ODD_INFO).map(([name, info]) => {
      const { doubts, unverified: _, ...rest } = ask(account, info);
      return [name, rest, doubts.length];
    });
    const unknown = { state: "unknown", ...UNKNOWN, ...NOBODY };
    expect(seen).toEqual(Object.keys(ODD_INFO).map((name) => [name, unknown, 2]));
  });
});

describe("why a token could not be verified", () => {
  const api = new URL("https://api.digitalocean.com");
  const proxy = { kind: "failure", why: "proxy", detail: "", variable: "ALL_PROXY" } as const;

  it.each<[string, HttpAnswer, string]>([
    ["dns", failure("dns"), "Can't reach api.digitalocean.com: DNS cannot resolve its name."],
    [
      "refused",
      failure("refused"),
      "Can't reach api.digitalocean.com: the connection was refused.",
    ],
    ["timeout", failure("timeout"), "Can't reach api.digitalocean.com: no answer in time."],
    [
      "tls",
      failure("tls"),
      "Can't reach api.digitalocean.com: its certificate is not trusted (behind a company proxy: NODE_EXTRA_CA_CERTS).",
    ],
    ["closed", failure("closed"), "Can't reach api.digitalocean.com: the connection was closed."],
    [
      "a proxy",
      proxy,
      "Can't reach api.digitalocean.com: the proxy in ALL_PROXY blocks the connection.",
    ],
    ["503", problem(503), "api.digitalocean.com can't verify the token: the server failed (503)."],
    [
      "404",
      problem(404),
      "api.digitalocean.com can't verify the token: it answered 404 with an unknown response format.",
    ],
    [
      "too large",
      failure("too-large"),
      "api.digitalocean.com can't verify the token: it answered with more than 1 MB.",
    ],
  ])("%s", (_, answer, expected) => {
    expect(whyUnverified(ask(answer, failure("timeout")), api)).toBe(expected);
  });

  it("is undefined for a token that is valid or refused", () => {
    for (const [account, info] of [
      [ACCOUNT, failure("dns")],
      [failure("dns"), INFO],
      [failure("dns"), problem(401)],
      [problem(401), failure("dns")],
    ] as const) {
      expect(whyUnverified(ask(account, info), api)).toBeUndefined();
    }
  });
});

describe("expires_in_seconds", () => {
  it.each([
    [1, 1],
    [86_400, 86_400],
    [0, null],
    [-1, null],
    [null, null],
    [undefined, null],
    ["3600", null],
  ])("%j is read as %j", (given, expected) => {
    expect(ask(ACCOUNT, infoOf({ expires_in_seconds: given })).expiresInSeconds).toBe(expected);
  });
});

describe("scopes", () => {
  it.each([[[]], [["read"]], [["read", "write"]], [["account:read", "droplet:create"]]])(
    "%j are kept as they are",
    (scopes) => {
      expect(ask(ACCOUNT, infoOf({ scopes })).scopes).toEqual(scopes);
    },
  );
});

describe("the team", () => {
  it.each([
    ["of the account", TEAM, TEAM],
    ["without a name", { uuid: "1" }, { uuid: "1", name: "1" }],
    ["without a uuid", { name: "My Team" }, undefined],
    ["with a uuid that is a number", { uuid: 1, name: "My Team" }, undefined],
    ["with an empty uuid", { uuid: "", name: "My Team" }, undefined],
    ["that is a string", "My Team", undefined],
    ["that is null", null, undefined],
  ])("%s", (_, team, expected) => {
    expect(ask(http(200, { account: { team } }), INFO).team).toEqual(expected);
  });
});

describe("reading an answer", () => {
  it.each(rows(NOTHINGS))("%s proves nothing, with a reason", (_, answer) => {
    expect(readAnswer(answer)).toMatchObject({
      kind: "nothing",
      why: expect.stringMatching(/\w{3}/),
    });
  });

  it("gives each failure its own reason", () => {
    const reasons = Object.values(NOTHINGS).map((answer) => readAnswer(answer));
    const failures = reasons.slice(-7).map((each) => each.kind === "nothing" && each.why);
    expect(new Set(failures).size).toBe(7);
  });

  it.each(["application/json", "Application/JSON;charset=utf-8", "application/problem+json"])(
    "%s is JSON",
    (contentType) => {
      const body = { a: 1 };
      expect(readAnswer(http(200, body, contentType))).toEqual({ kind: "json", status: 200, body });
    },
  );

  it("repeats no text from the server", () => {
    const answer = readAnswer(http(200, "<b>dop_v1_secret</b>", "text/dop_v1_secret"));
    expect(JSON.stringify(answer)).not.toContain("secret");
  });
});
