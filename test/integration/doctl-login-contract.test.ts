import { chown, lstat, readdir, readFile, rename, stat } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { stripVTControlCharacters } from "node:util";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Sandbox, SandboxReply } from "../../src/commands/demo/sandbox.ts";
import {
  arrange,
  cleanUp,
  DOCTL_BIN,
  type Env,
  fakeDoctlPath,
  mode,
  type Outcome,
  put,
  realHelp,
  type Scene,
  settings,
  tempDir,
} from "../fixtures/doctl-scene.ts";
import { configWith, type OAuthServer, oauthServer } from "../fixtures/oauth.ts";
import { fakeBrowser } from "../fixtures/tools.ts";

// The facts of docs/contracts/doctl-2.md, sections 2 to 4 (the numbers below): a browser login, its
// entries in the config, and how doctl renews it.
// DOCTL_BIN=/path/to/doctl also checks them against a real doctl that has `auth login`.

// A build with the old writer takes 10 s for each write.
const TIMEOUT = 120_000;
const isRoot = process.getuid?.() === 0;
const NOBODY = 65_534;

const loginHelp = await realHelp("auth", "login");
/** Builds before the release have --scope (2.1). */
const realScopes = /--scopes?\b/.exec(loginHelp)?.[0];
/** Only builds with the old writer were measured; the output of 2.x releases is unknown. */
const isRelease = /\[default: /.test(loginHelp);

const REJECTED = /rejected the doctl application.*[0-9a-f]{64}/s;
const NOT_RENEWED = /could not be renewed.*auth login/s;
const page = (status: number): SandboxReply => ({ status, body: "<html>no</html>" });
const json = (status: number, body: object, headers = {}): SandboxReply => ({
  ...{ status, headers },
  body: JSON.stringify(body),
});
const TOKEN_FAILURES: [name: string, reply: SandboxReply, text: RegExp][] = [
  ["400 JSON", json(400, { error: "invalid_request", error_description: "No" }), /invalid_request/],
  ["429, later", json(429, { id: "too_many" }, { "retry-after": "60" }), /exchanging.*too_many/s],
  ["500 JSON", json(500, { error: "server_error" }), /exchanging.*server_error/s],
  ["502 HTML", page(502), /502 Bad Gateway/],
  ["200 HTML", page(200), /decoding/],
  ["200 without a token", json(200, {}), /did not return/],
  ["a closed connection", "disconnect", /EOF/],
  ["no answer", "hang", /Client\.Timeout|deadline exceeded/],
];

afterAll(cleanUp);

/** Facts that the real doctl could not confirm. */
const unseen: string[] = [];
afterAll(() => {
  if (!DOCTL_BIN) return;
  const facts = realScopes ? unseen.join("; ") || "none" : "all, as it has no auth login";
  console.log(`facts of doctl-2.md that ${DOCTL_BIN} could not confirm: ${facts}`);
});

describe.each<[name: string, isReal: boolean]>([
  ["the fake doctl 2.x", false],
  ["a real doctl", true],
])("%s", (_, isReal) => {
  const absent = DOCTL_BIN ? " (needs a doctl with auth login)" : " (needs DOCTL_BIN)";
  const cannot = isReal && !realScopes;
  const scopes = (isReal && realScopes) || "--scopes";
  let bin = "";
  /** Waits only half a second for the token endpoint. */
  let impatient = "";
  /** Its config stays empty long enough for the test to see it. */
  let slowWriter = "";
  /** Waits after it got the new tokens, before it writes them. */
  let slowRenewal = "";

  /** The doctl for a failure of the token endpoint. */
  const doctlFor = (reply: SandboxReply) => (reply === "hang" ? impatient : bin);

  /** @param needs what a real doctl needs to confirm it; undefined: nothing. */
  function fact(title: string, needs: string | undefined, test: () => Promise<void>): void {
    const hidden = isReal && needs !== undefined;
    if (hidden) unseen.push(title);
    it.skipIf(hidden)(hidden ? `${title} (needs ${needs})` : title, test);
  }
  const newWriter = isReal && !isRelease ? "a doctl that removes cleared settings" : undefined;
  const knownWriter = isRelease ? "a doctl whose writer was measured" : undefined;
  const slowReal = isRelease ? "a doctl that writes slowly" : undefined;
  const otherUser = isRoot ? "a user other than root" : undefined;

  const options = { concurrent: true, timeout: TIMEOUT };
  describe.skipIf(cannot)(`keeps the contract${cannot ? absent : ""}`, options, () => {
    beforeAll(async () => {
      if (isReal) bin = impatient = slowWriter = slowRenewal = DOCTL_BIN ?? "";
      else {
        bin = await fakeDoctlPath({ edition: 2 });
        impatient = await fakeDoctlPath({ edition: 2, tokenTimeoutMs: 500 });
        slowWriter = await fakeDoctlPath({ edition: 2, writeDelayMs: 2000 });
        slowRenewal = await fakeDoctlPath({ edition: 2, renewDelayMs: 20_000 });
      }
    });

    describe("§2 auth login: its requests", options, () => {
      it.each([
        [scopes],
        ["--save-scope"],
        ["--no-browser"],
        ["--callback-port"],
        ["--timeout"],
        ["--client-id"],
        ["--oauth-server"],
      ])("the help has %s (2.1)", async (flag) => {
        const { run } = await arrange(bin);
        const { code, stdout } = await run(["auth", "login", "--help"]);
        expect(code).toBe(0);
        expect(stdout).toContain(flag);
      });

      it("--timeout needs a unit (2.1)", async () => {
        const { login } = await arrangeLogin(bin);
        const { code, stderr } = await login(["--timeout", "3"]);
        expect(code).toBe(255);
        expect(stderr).toContain("missing unit in duration");
      });

      it("no request before the browser, then one for the tokens (2.2)", async () => {
        const { sandbox, startLogin } = await arrangeLogin(bin);
        const { doctl, address } = await startLogin([]);
        expect(sandbox.requests).toEqual([]);
        await visit(address);
        expect((await doctl).exitCode).toBe(0);
        expect(routes(sandbox)).toEqual(["GET /v1/oauth/authorize", "POST /v1/oauth/token"]);
      });

      it("the request to sign in (2.3)", async () => {
        const { login, browser } = await arrangeLogin(bin);
        await login([]);
        const query = queryOf(await browser.addresses());
        expect(query).toEqual({
          client_id: expect.stringMatching(/^[0-9a-f]{64}$/),
          redirect_uri: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/callback$/),
          response_type: "code",
          state: expect.stringMatching(/^[\w-]{43}$/),
          code_challenge: expect.stringMatching(/^[\w-]{43}$/),
          code_challenge_method: "S256",
        });
      });

      it("the request for the tokens: a form without a secret (2.4)", async () => {
        const { sandbox, login } = await arrangeLogin(bin);
        const forms = formsOf(sandbox);
        await login([]);
        expect(forms.map((form) => [...form.keys()].sort())).toEqual([
          ["client_id", "code", "code_verifier", "grant_type", "redirect_uri"],
        ]);
        expect(forms[0]?.get("grant_type")).toBe("authorization_code");
        expect(forms[0]?.get("code_verifier")).toMatch(/^[\w-]{43}$/);
      });

      it.each([
        ["given words with one space between", ["a:read   b:read"], "a:read b:read"],
        ["given commas, unchanged", ["a:read,b:read"], "a:read,b:read"],
        ["the saved default", [], "c:read d:read"],
        ["given words, which override the saved default", ["a:read"], "a:read"],
      ])("the scope is %s (2.6)", async (_, given, scope) => {
        const { config, login, oauth } = await arrangeLogin(bin);
        await put(config, "oauth-default-scopes: c:read d:read\n");
        await login(given.flatMap((words) => [scopes, words]));
        expect(oauth.requests[0]).toEqual({ kind: "authorize", scope, ok: true });
      });

      it("no scope: the user chooses; old settings under auth.login are ignored (2.6, 2.8)", async () => {
        const { config, login, oauth } = await arrangeLogin(bin);
        await put(config, "auth:\n  login:\n    scope: a:read\n    scopes: a:read\n");
        await login([]);
        expect(oauth.requests[0]?.scope).toBeUndefined();
      });

      it("--save-scope stores the scopes (2.6)", async () => {
        const { config, login } = await arrangeLogin(bin);
        await login([scopes, "account:read", "--save-scope"]);
        expect(await settings(config)).toMatchObject({ "oauth-default-scopes": "account:read" });
      });

      fact("--save-scope without scopes clears them (2.6)", newWriter, async () => {
        const { config, login } = await arrangeLogin(bin);
        await put(config, "oauth-default-scopes: account:read\n");
        await login([scopes, "", "--save-scope"]);
        expect((await settings(config))["oauth-default-scopes"] ?? "").toBe("");
      });

      it.each([
        ["--save-scope without scopes", ["--save-scope"]],
        ["an empty --client-id", ["--client-id", ""]],
      ])("%s: exit 1, no request (2.7)", async (_, args) => {
        const { home, sandbox, login, browser } = await arrangeLogin(bin);
        expect((await login(args)).code).toBe(1);
        expect(await browser.addresses()).toEqual([]);
        expect(sandbox.requests).toEqual([]);
        expect(await readdir(home)).toEqual([]);
      });

      it("--client-id sets the application that signs in (2.1)", async () => {
        const { config, login, browser } = await arrangeLogin(bin);
        const clientId = "ab".repeat(32);
        await login(["--client-id", clientId]);
        expect(queryOf(await browser.addresses())["client_id"]).toBe(clientId);
        expect((await sessionsIn(config))["default"]).toMatchObject({ "client-id": clientId });
      });

      it.each([
        ["nothing", "", [], {}, "default"],
        ["context: in the file", "context: team\n", [], {}, "default"],
        ["DIGITALOCEAN_CONTEXT", "", [], { DIGITALOCEAN_CONTEXT: "team" }, "default"],
        ["--context, in lower case", "", ["--context", "New"], {}, "new"],
        ["--context, stored", "", ["--context", "team"], {}, "team"],
      ])(
        "the context comes from %s and is selected (2.5)",
        async (_, more, args, env: Env, context) => {
          const { config, login } = await arrangeLogin(bin);
          await put(config, `access-token: OLD\nauth-contexts: {team: T}\n${more}`);
          expect((await login(args, env)).code).toBe(0);
          const written = await settings(config);
          expect(written["context"]).toBe(context);
          expect(tokensIn(written)).toMatchObject({
            default: "OLD",
            team: "T",
            [context]: expect.stringMatching(/^doo_v1_/),
          });
          expect(Object.keys(await sessionsIn(config))).toEqual([context]);
        },
      );
    });

    describe("§2 auth login: the browser", options, () => {
      it.each(["xdg-open", "x-www-browser", "www-browser"])("%s is opened (2.9)", async (name) => {
        const { login, browser, path } = await arrangeLogin(bin);
        await rename(browser.path, join(path, name));
        expect((await login([])).code).toBe(0);
        expect(await browser.addresses()).toHaveLength(1);
      });

      it.each([
        ["no browser", "absent"],
        ["a failed browser", "fails"],
      ] as const)("%s: exit 1 at once, although the URL was printed (2.9)", async (_, browser) => {
        const { home, sandbox, login } = await arrangeLogin(bin, browser);
        const { code, stdout } = await login([]);
        expect(code).toBe(1);
        expect(addressIn(stdout)).toBeDefined();
        expect(sandbox.requests).toEqual([]);
        expect(await readdir(home)).toEqual([]);
      });

      it("--no-browser: prints the URL on stdout while it waits (2.10, 2.11)", async () => {
        const { startLogin, browser } = await arrangeLogin(bin);
        const { doctl, address } = await startLogin([]);
        await visit(address);
        expect((await doctl).exitCode).toBe(0);
        expect(await browser.addresses()).toEqual([]);
      });

      it("--callback-port sets the port that it listens on (2.11)", async () => {
        const { startLogin } = await arrangeLogin(bin);
        const port = await freePort();
        const { doctl, address } = await startLogin(["--callback-port", String(port)]);
        expect(address.searchParams.get("redirect_uri")).toBe(`http://127.0.0.1:${port}/callback`);
        await visit(address);
        expect((await doctl).exitCode).toBe(0);
      });

      it.each([
        ["a wrong state", () => "code=x&state=wrong", "did not match"],
        ["no state", () => "code=x", "did not match"],
        ["no code", (state: string) => `state=${state}`, "did not include"],
      ])(
        "the first request to /callback counts, other paths do not: %s (2.12)",
        async (_, query, words) => {
          const { home, startLogin } = await arrangeLogin(bin);
          const { doctl, address } = await startLogin([]);
          const { redirect_uri: callback = "", state = "" } = queryOf([address.href]);
          expect((await fetch(new URL("/other", callback))).status).toBe(404);
          await fetch(`${callback}?${query(state)}`);
          const { exitCode, stderr } = await doctl;
          expect(exitCode).toBe(1);
          expect(stderr).toContain(words);
          expect(await readdir(home)).toEqual([]);
        },
      );

      it.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
        "killed by %s while it waits: nothing is written (2.14)",
        async (signal) => {
          const { home, startLogin } = await arrangeLogin(bin);
          const { doctl } = await startLogin([]);
          doctl.kill(signal);
          expect(await doctl).toMatchObject({ isTerminated: true, signal });
          expect(await readdir(home)).toEqual([]);
        },
      );
    });

    describe("§2 auth login: failures", options, () => {
      it.each([
        ["access_denied", /Unable to authenticate.*access_denied.*Not today/s],
        ["invalid_scope", /Unable to authenticate.*invalid_scope.*Not today/s],
        ["invalid_client", REJECTED],
        ["unauthorized_client", REJECTED],
        ["invalid_redirect_uri", REJECTED],
      ])("%s in the redirect", async (error, text) => {
        const { home, oauth, login } = await arrangeLogin(bin);
        oauth.deny(error, "Not today");
        const { code, stderr } = await login([]);
        expect(code).toBe(1);
        expect(stderr).toMatch(text);
        expect(await readdir(home)).toEqual([]);
      });

      it.each([
        ...TOKEN_FAILURES,
        ["invalid_client", json(401, { error: "invalid_client" }), REJECTED] as const,
        ["unauthorized_client", json(400, { error: "unauthorized_client" }), REJECTED] as const,
      ])("the token endpoint: %s", async (_, reply, text) => {
        const { home, oauth, login } = await arrangeLogin(doctlFor(reply));
        oauth.fail(reply);
        const { code, stderr } = await login([]);
        expect(code).toBe(1);
        expect(stderr).toMatch(text);
        expect(count(oauth, "code")).toBe(1);
        expect(await readdir(home)).toEqual([]);
      });

      it.each([
        [400, "invalid_request", { error: "invalid_request", error_description: "Not today" }],
        [401, "unauthorized", { id: "unauthorized", message: "Not today" }],
      ])("the token endpoint: %i %s is reported with its message", async (status, id, body) => {
        const { oauth, login } = await arrangeLogin(bin);
        oauth.fail(json(status, body));
        expect((await login([])).stderr).toMatch(new RegExp(`exchanging.*${id}.*Not today`, "s"));
      });

      it.each([
        ["an error page instead of a redirect", "signs-in"],
        ["a browser that is closed", "never"],
      ] as const)("%s: waits until --timeout", async (_, browser) => {
        const { home, sandbox, login } = await arrangeLogin(bin, browser);
        sandbox.answer("GET /v1/oauth/authorize", page(400));
        const { code, stderr } = await login(["--timeout", "1s"]);
        expect(code).toBe(1);
        expect(stderr).toContain("timed out after");
        expect(await readdir(home)).toEqual([]);
      });

      it("a port that is in use or invalid", async () => {
        const { login, sandbox } = await arrangeLogin(bin);
        for (const port of [new URL(sandbox.url).port, "70000"]) {
          const { code, stderr } = await login(["--callback-port", port]);
          expect(code).toBe(1);
          expect(stderr).toContain("listening for");
        }
      });

      it("-o json: progress is text and the error is JSON, both on stdout (2.13)", async () => {
        const { oauth, login } = await arrangeLogin(bin);
        oauth.deny("access_denied");
        const { code, stdout, stderr } = await login(["-o", "json"]);
        expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
        expect(addressIn(stdout)).toBeDefined();
        const [error] = JSON.parse(stdout.slice(stdout.lastIndexOf('{"errors"'))).errors;
        expect(error.detail).toContain("access_denied");
      });

      it("the config's folder is missing: fails after the mark, the grant is lost (2.15)", async () => {
        const { home, oauth, login } = await arrangeLogin(bin);
        const file = join(home, "gone", "config.yaml");
        const { code, stdout, stderr } = await login(["--config", file]);
        expect(code).toBe(1);
        expect(stdout).toMatch(/[✔✓]/);
        expect(stderr).toMatch(/^Error: open .*: no such file or directory\n$/);
        expect(oauth.requests.at(-1)).toMatchObject({ kind: "code", ok: true });
        expect(await readdir(home)).toEqual([]);
      });

      fact("the config is not writable: fails after the mark (2.15)", otherUser, async () => {
        const { config, oauth, startLogin, asSomebody } = await arrangeLogin(bin);
        await put(config, "access-token: OLD\n", 0o400);
        const { doctl, address } = await startLogin([], {}, await asSomebody());
        await visit(address);
        const { exitCode, stdout, stderr } = await doctl;
        expect(exitCode).toBe(1);
        expect(stdout).toMatch(/[✔✓]/);
        expect(stderr).toMatch(/^Error: open .*: permission denied\n$/);
        expect(oauth.requests.at(-1)).toMatchObject({ kind: "code", ok: true });
        expect(await readFile(config, "utf8")).toBe("access-token: OLD\n");
      });
    });

    describe("§3 the config after a login", options, () => {
      it.each([
        ["default", []],
        ["team", ["--context", "team"]],
      ])("of the context %s", async (context, args) => {
        const { config, sandbox, login, browser } = await arrangeLogin(bin);
        await put(config, "# mine\nauth-contexts: {other: T}\nkept: x\n", 0o644);
        await login([scopes, "account:read droplet:read", ...args]);
        const written = await settings(config);
        expect(written).toMatchObject({ context, kept: "x" });
        expect(tokensIn(written)).toMatchObject({ other: "T" });
        expect(await sessionsIn(config)).toEqual({
          [context]: {
            "client-id": queryOf(await browser.addresses())["client_id"],
            "expires-at": expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
            issuer: sandbox.url,
            "refresh-token": expect.stringMatching(/^dor_v1_[0-9a-f]{64}$/),
            scope: "account:read droplet:read",
            "token-endpoint": `${sandbox.url}/v1/oauth/token`,
          },
        });
        expect(await mode(config)).toBe(0o600);
        expect(await readFile(config, "utf8")).not.toContain("#");
      });

      it("the access token works and has the server's expiry", async () => {
        const { config, oauth, login, account } = await arrangeLogin(bin);
        oauth.next({ expiresInSeconds: 600 });
        await login([]);
        expect((await account()).code).toBe(0);
        expect(count(oauth, "refresh")).toBe(0);
        const { "expires-at": expiresAt = "" } = (await sessionsIn(config))["default"] ?? {};
        const left = (Date.parse(expiresAt) - Date.now()) / 1000;
        expect(left).toBeGreaterThan(500);
        expect(left).toBeLessThanOrEqual(600);
      });

      it("email and team are printed, not stored (3.2)", async () => {
        const { config, oauth, login } = await arrangeLogin(bin);
        const team = { uuid: "b6f0", name: "Blue Team" };
        oauth.next({ email: "blue@example.com", team });
        const { stdout } = await login([]);
        const file = await readFile(config, "utf8");
        for (const each of ["blue@example.com", "Blue Team"]) {
          expect(stdout).toContain(each);
          expect(file).not.toContain(each);
        }
      });

      it("the scope is the one that the server granted", async () => {
        const { config, oauth, login } = await arrangeLogin(bin);
        oauth.next({ scopes: ["account:read"] });
        await login([scopes, "account:read droplet:read"]);
        expect((await sessionsIn(config))["default"]?.scope).toBe("account:read");
      });

      it("without a refresh token: no session (3.3)", async () => {
        const { config, oauth, login } = await arrangeLogin(bin);
        oauth.next({ withoutRefresh: true });
        expect((await login([])).code).toBe(0);
        expect(await sessionsIn(config)).toEqual({});
        expect(tokensIn(await settings(config))["default"]).toMatch(/^doo_v1_/);
      });

      fact("without a refresh token: an older session stays (3.3)", knownWriter, async () => {
        const { config, oauth, login } = await arrangeLogin(bin);
        const old = oauth.session();
        await put(config, configWith({ default: old }));
        oauth.next({ withoutRefresh: true });
        expect((await login([])).code).toBe(0);
        expect(await refreshTokensIn(config)).toEqual({ default: old.refreshToken });
        expect(tokensIn(await settings(config))["default"]).not.toBe(old.accessToken);
      });

      it("without an expiry: none is stored, and the session is not renewed (3.3)", async () => {
        const { config, oauth, login, account } = await arrangeLogin(bin);
        oauth.next({ withoutExpiry: true });
        await login([]);
        expect((await sessionsIn(config))["default"]).toMatchObject({ "expires-at": "" });
        oauth.expire(String(tokensIn(await settings(config))["default"]));
        expect((await account()).code).toBe(1);
        expect(count(oauth, "refresh")).toBe(0);
      });

      it("a login into default does not store the environment's token (3.4)", async () => {
        const { config, login } = await arrangeLogin(bin);
        expect((await login([], { DIGITALOCEAN_ACCESS_TOKEN: "ENV" })).code).toBe(0);
        expect(await readFile(config, "utf8")).not.toContain("ENV");
      });

      fact(
        "--context team overwrites default's token with the environment's (3.4)",
        knownWriter,
        async () => {
          const { config, login } = await arrangeLogin(bin);
          await put(config, "access-token: OLD\n");
          const env = { DIGITALOCEAN_ACCESS_TOKEN: "ENV" };
          expect((await login(["--context", "team"], env)).code).toBe(0);
          expect(tokensIn(await settings(config))["default"]).toBe("ENV");
        },
      );

      fact("auth init keeps the session beside the new token (3.6)", knownWriter, async () => {
        const { config, sandbox, oauth, init } = await arrangeLogin(bin);
        const session = oauth.session();
        await put(config, configWith({ default: session }));
        sandbox.accept("PAT");
        expect((await init(["--context", "default", "-t", "PAT"])).code).toBe(0);
        expect(tokensIn(await settings(config))["default"]).toBe("PAT");
        expect(await refreshTokensIn(config)).toEqual({ default: session.refreshToken });
      });

      fact("auth remove keeps the session (3.6)", knownWriter, async () => {
        const { config, oauth, run } = await arrangeLogin(bin);
        const [team, rest] = [oauth.session(), oauth.session()];
        await put(config, configWith({ default: rest, team }));
        expect((await run(["auth", "remove", "--context", "team"])).code).toBe(0);
        expect(Object.keys(tokensIn(await settings(config)))).toEqual(["default"]);
        expect(await refreshTokensIn(config)).toMatchObject({ team: team.refreshToken });
      });

      it.each([
        ["another token", "access-token: PAT\n", "default"],
        ["a removed context", "access-token: PAT\n", "team"],
      ])("a session that remains overrides the context: %s (3.7)", async (_, text, context) => {
        const { config, oauth, account } = await arrangeLogin(bin);
        const session = oauth.session({ expiresInSeconds: -10 });
        await put(config, `${text}oauth-tokens:\n${session.entry(context)}\n`);
        expect((await account(["--context", context])).code).toBe(0);
        expect(tokensIn(await settings(config))[context]).toMatch(/^doo_v1_/);
      });

      it("auth init without a token validates the access token without renewing it (3.8)", async () => {
        const { config, oauth, init } = await arrangeLogin(bin);
        await put(config, configWith({ default: oauth.session() }));
        expect((await init([])).code).toBe(0);
        const expired = configWith({ default: oauth.session({ expiresInSeconds: -10 }) });
        await put(config, expired);
        const { code, stderr } = await init([]);
        expect(code).toBe(1);
        expect(stderr).toContain(": 401 ");
        expect(oauth.requests).toEqual([]);
        expect(await readFile(config, "utf8")).toBe(expired);
      });

      it("auth switch keeps the sessions, and auth list shows them like tokens (3.9)", async () => {
        const { config, oauth, run } = await arrangeLogin(bin);
        const [team, rest] = [oauth.session(), oauth.session({ expiresInSeconds: -10 })];
        await put(config, configWith({ default: rest, team }));
        const before = await sessionsIn(config);
        expect((await run(["auth", "list"])).stdout).toBe("default (current)\nteam\n");
        expect((await run(["auth", "switch", "--context", "team"])).code).toBe(0);
        expect(await sessionsIn(config)).toEqual(before);
        expect(oauth.requests).toEqual([]);
      });
    });

    describe("§4 renewal", options, () => {
      it.each([
        ["is not renewed", 130, false],
        ["is renewed", 119, true],
        ["is renewed", -10, true],
      ])("a session %s with %i s left (4.1)", async (_, expiresInSeconds, renews) => {
        const { config, oauth, account } = await arrangeLogin(bin);
        const session = oauth.session({ expiresInSeconds });
        await put(config, configWith({ default: session }));
        expect((await account()).code).toBe(0);
        expect(count(oauth, "refresh")).toBe(renews ? 1 : 0);
        const { default: refreshToken } = await refreshTokensIn(config);
        expect(refreshToken !== session.refreshToken).toBe(renews);
      });

      it.each([[["auth", "list"]], [["auth", "token"]], [["version"]], [["--help"]]])(
        "%j does not renew (4.1, 4.2)",
        async (args) => {
          const { config, oauth, run } = await arrangeLogin(bin);
          const session = oauth.session({ expiresInSeconds: -10 });
          const before = configWith({ default: session });
          await put(config, before);
          const { code, stdout } = await run(args);
          expect(code).toBe(0);
          if (args[1] === "token") expect(stdout).toBe(`${session.accessToken}\n`);
          expect(oauth.requests).toEqual([]);
          expect(await readFile(config, "utf8")).toBe(before);
        },
      );

      it("requests tokens, writes them, then calls the API with them (4.3)", async () => {
        const { config, sandbox, oauth, account } = await arrangeLogin(bin);
        const session = oauth.session({ expiresInSeconds: -10, scopes: ["account:read"] });
        await put(config, configWith({ default: session, team: oauth.session() }));
        const before = await sessionsIn(config);
        const atCall: unknown[] = [];
        sandbox.serve("GET /v2/account", (request, response) => {
          void settings(config).then((written) => {
            atCall.push(request.headers.authorization, tokensIn(written)["default"]);
            response.writeHead(200).end('{"account":{"email":"a@example.com"}}');
          });
        });
        expect((await account(["-o", "json"])).code).toBe(0);
        expect(routes(sandbox)).toEqual(["POST /v1/oauth/token", "GET /v2/account"]);
        const { default: token } = tokensIn(await settings(config));
        expect(token).not.toBe(session.accessToken);
        expect(atCall).toEqual([`Bearer ${token}`, token]);
        const after = await sessionsIn(config);
        expect(after["team"]).toEqual(before["team"]);
        expect(after["default"]).toMatchObject({
          issuer: sandbox.url,
          scope: "account:read",
          "token-endpoint": `${sandbox.url}/v1/oauth/token`,
        });
        expect(Date.parse(after["default"]?.["expires-at"] ?? "")).toBeGreaterThan(Date.now());
      });

      it("posts to the stored endpoint on any host; a 307 forwards the refresh token (4.4)", async () => {
        const { config, sandbox, oauth, account } = await arrangeLogin(bin);
        const other = await arrange(bin);
        const session = oauth.session({ expiresInSeconds: -10 });
        const forms = formsOf(other.sandbox);
        const text = configWith({ default: session });
        const expected = ["client_id", "grant_type", "refresh_token"];

        await put(config, text.replace(/token-endpoint: .*/, `token-endpoint: ${there(other)}`));
        await account();
        expect(forms.map((form) => [...form.keys()].sort())).toEqual([expected]);

        await put(config, text);
        sandbox.answer("POST /v1/oauth/token", {
          status: 307,
          headers: { location: there(other) },
        });
        await account();
        const sent = forms.map((form) => form.get("refresh_token"));
        expect(sent).toEqual([session.refreshToken, session.refreshToken]);
      });

      it("an answer without a refresh token keeps the old one (4.5)", async () => {
        const { config, oauth, account } = await arrangeLogin(bin);
        const session = oauth.session({ expiresInSeconds: -10 });
        await put(config, configWith({ default: session }));
        oauth.next({ withoutRefresh: true });
        expect((await account()).code).toBe(0);
        const { default: renewed } = await sessionsIn(config);
        expect(renewed?.["refresh-token"]).toBe(session.refreshToken);
        expect(Date.parse(renewed?.["expires-at"] ?? "")).toBeGreaterThan(Date.now());
      });

      it.each([
        ["no renewal with -t", ["-t", "T"], {}, false],
        ["no renewal with the environment's token", [], { DIGITALOCEAN_ACCESS_TOKEN: "T" }, false],
        ["a renewal with an empty environment token", [], { DIGITALOCEAN_ACCESS_TOKEN: "" }, true],
      ])("%s (4.6)", async (_, args, env: Env, renews) => {
        const { config, sandbox, oauth, account } = await arrangeLogin(bin);
        sandbox.accept("T");
        await put(config, configWith({ default: oauth.session({ expiresInSeconds: -10 }) }));
        expect((await account(args, env)).code).toBe(0);
        expect(count(oauth, "refresh")).toBe(renews ? 1 : 0);
      });

      it("a named context ignores the environment's token, but it blocks the renewal (4.7)", async () => {
        const { config, sandbox, oauth, account } = await arrangeLogin(bin);
        sandbox.accept("T");
        const team = oauth.session({ expiresInSeconds: -10 });
        await put(config, configWith({ team }));
        const args = ["--context", "team"];
        const { code, stderr } = await account(args, { DIGITALOCEAN_ACCESS_TOKEN: "T" });
        expect(code).toBe(1);
        expect(stderr).toMatch(/\b401\b/);
        expect(sandbox.requests[0]?.headers.authorization).toBe(`Bearer ${team.accessToken}`);
        expect(count(oauth, "refresh")).toBe(0);
        expect((await account(args)).code).toBe(0);
        expect(count(oauth, "refresh")).toBe(1);
      });

      it.each([
        ["no value: no renewal", () => '""', false],
        [
          "a time that is not RFC 3339: no renewal",
          (time: string) => time.replace("T", " "),
          false,
        ],
        ["a time without quotes: a renewal", (time: string) => time.replaceAll('"', ""), true],
      ])("expires-at has %s (4.8)", async (_, edit, renews) => {
        const { config, oauth, account } = await arrangeLogin(bin);
        const text = configWith({ default: oauth.session({ expiresInSeconds: -10 }) });
        await put(config, text.replace(/(?<=expires-at: ).*/, edit));
        await account();
        expect(count(oauth, "refresh")).toBe(renews ? 1 : 0);
      });

      it("DIGITALOCEAN_CONTEXT=team renews only team (4.8)", async () => {
        const { config, oauth, account } = await arrangeLogin(bin);
        const expired = () => oauth.session({ expiresInSeconds: -10 });
        const sessions = { default: expired(), team: expired() };
        await put(config, configWith(sessions));
        expect((await account([], { DIGITALOCEAN_CONTEXT: "team" })).code).toBe(0);
        const { default: kept, team } = await refreshTokensIn(config);
        expect(kept).toBe(sessions.default.refreshToken);
        expect(team).not.toBe(sessions.team.refreshToken);
      });
    });

    describe("§4 renewal: failures", options, () => {
      it.each([
        ["an ended session", json(401, { error: "invalid_grant" })],
        ...TOKEN_FAILURES.map(([name, reply]) => [name, reply] as const),
      ] as const)("%s: exit 1, no change, no API call, no retry (4.9)", async (_, reply) => {
        const { config, sandbox, oauth, account } = await arrangeLogin(doctlFor(reply));
        const before = configWith({ default: oauth.session({ expiresInSeconds: -10 }) });
        await put(config, before);
        oauth.fail(reply);
        const { code, stderr } = await account();
        expect(code).toBe(1);
        expect(stderr).toMatch(NOT_RENEWED);
        expect(routes(sandbox)).toEqual(["POST /v1/oauth/token"]);
        expect(await readFile(config, "utf8")).toBe(before);
      });

      it("connection refused: exit 1 (4.9)", async () => {
        const { config, sandbox, oauth, account } = await arrangeLogin(bin);
        const text = configWith({ default: oauth.session({ expiresInSeconds: -10 }) });
        const nobody = "http://127.0.0.1:1/v1/oauth/token";
        await put(config, text.replace(/(?<=token-endpoint: ).*/, nobody));
        const { code, stderr } = await account();
        expect(code).toBe(1);
        expect(stderr).toMatch(NOT_RENEWED);
        expect(stderr).toContain("connection refused");
        expect(sandbox.requests).toEqual([]);
      });

      it("-o json: one JSON document on stdout (4.9)", async () => {
        const { config, oauth, account } = await arrangeLogin(bin);
        await put(config, configWith({ default: oauth.session({ expiresInSeconds: -10 }) }));
        oauth.endSession();
        const { code, stdout, stderr } = await account(["-o", "json"]);
        expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
        expect(JSON.parse(stdout).errors[0].detail).toContain("could not be renewed");
      });

      it("two at once: one renews, the other fails, the next one works (4.10)", async () => {
        const { config, oauth, account } = await arrangeLogin(bin);
        await put(config, configWith({ default: oauth.session({ expiresInSeconds: -10 }) }));
        void oauth.gather(2);
        const both = await Promise.all([account(), account()]);
        const [failed] = both.filter(({ code }) => code !== 0);
        expect(both.map(({ code }) => code).sort()).toEqual([0, 1]);
        expect(failed?.stderr).toMatch(NOT_RENEWED);
        expect(failed?.stderr).toContain("invalid_grant");
        expect((await account()).code).toBe(0);
      });

      fact("another run while the first one writes: no token (4.10)", slowReal, async () => {
        const { config, oauth, account, startAccount } = await arrangeLogin(slowWriter);
        await put(config, configWith({ default: oauth.session({ expiresInSeconds: -10 }) }));
        const first = startAccount();
        await isEmptied(config);
        const { code, stderr } = await account();
        expect(code).toBe(1);
        expect(stderr).toContain("access token is required");
        expect((await first).exitCode).toBe(0);
      });

      fact(
        "killed between grant and write: the session is lost (4.11)",
        "a doctl that waits before it writes",
        async () => {
          const { config, oauth, account, startAccount } = await arrangeLogin(slowRenewal);
          const before = configWith({ default: oauth.session({ expiresInSeconds: -10 }) });
          await put(config, before);
          const doctl = startAccount();
          await vi.waitUntil(() => count(oauth, "refresh") === 1, { timeout: TIMEOUT });
          doctl.kill("SIGKILL");
          expect((await doctl).signal).toBe("SIGKILL");
          expect(await readFile(config, "utf8")).toBe(before);
          expect((await account()).stderr).toContain("invalid_grant");
        },
      );

      fact("killed while it writes: everything is lost (4.11)", slowReal, async () => {
        const { config, oauth, startAccount } = await arrangeLogin(slowWriter);
        const sessions = {
          default: oauth.session({ expiresInSeconds: -10 }),
          team: oauth.session(),
        };
        await put(config, configWith(sessions));
        const doctl = startAccount();
        await isEmptied(config);
        doctl.kill("SIGKILL");
        expect((await doctl).signal).toBe("SIGKILL");
        expect(await readFile(config, "utf8")).toBe("");
      });

      fact(
        "a config that is not writable: the refresh token is used up before the failure (4.12)",
        otherUser,
        async () => {
          const { config, sandbox, oauth, account, asSomebody } = await arrangeLogin(bin);
          const before = configWith({ default: oauth.session({ expiresInSeconds: -10 }) });
          await put(config, before, 0o400);
          const somebody = await asSomebody();
          const first = await account([], {}, somebody);
          expect(first.code).toBe(1);
          expect(first.stderr).toMatch(/permission denied/);
          expect(oauth.requests).toMatchObject([{ kind: "refresh", ok: true }]);
          expect((await account([], {}, somebody)).stderr).toContain("invalid_grant");
          expect(routes(sandbox)).not.toContain("GET /v2/account");
          expect(await readFile(config, "utf8")).toBe(before);
        },
      );
    });
  });
});

describe("the fake's own settings", () => {
  it("never leaves loopback: no request to DigitalOcean's URL", async () => {
    const { startLogin, browser } = await arrangeLogin(await fakeDoctlPath({ edition: 2 }));
    const { doctl, address } = await startLogin([
      "--oauth-server",
      "https://cloud.digitalocean.com",
    ]);
    expect(address.origin).toBe("https://cloud.digitalocean.com");
    const { redirect_uri: callback, state } = queryOf([address.href]);
    await fetch(`${callback}?code=x&state=${state}`);
    expect((await doctl).stderr).toMatch(/lookup cloud\.digitalocean\.com: no such host\n$/);
    expect(await browser.addresses()).toEqual([]);
  });

  it("1.x has no auth login", async () => {
    const { login } = await arrangeLogin(await fakeDoctlPath({ edition: 1 }));
    expect((await login([])).stdout).toContain("unknown flag: --oauth-server");
  });

  it("reads the file again before it writes, so another's changes stay (2/5.1)", async () => {
    const doctl = await fakeDoctlPath({ edition: 2, renewDelayMs: 1000 });
    const { config, oauth, startAccount } = await arrangeLogin(doctl);
    const sessions = { default: oauth.session({ expiresInSeconds: -10 }) };
    await put(config, configWith(sessions));
    const call = startAccount();
    await vi.waitUntil(() => count(oauth, "refresh") === 1, { timeout: TIMEOUT });
    await put(config, configWith({ ...sessions, team: oauth.session() }));
    expect((await call).exitCode).toBe(0);
    expect(Object.keys(tokensIn(await settings(config)))).toEqual(["default", "team"]);
  });
});

type StartOptions = NonNullable<Parameters<Scene["start"]>[2]>;
type Running = ReturnType<Scene["start"]>;

/** A machine with a browser, and an authorization server. */
interface LoginScene extends Scene {
  readonly oauth: OAuthServer;
  readonly browser: Awaited<ReturnType<typeof fakeBrowser>>;
  /** The folder with the browser and node. */
  readonly path: string;
  /** `auth login` at the sandbox. */
  login(args: readonly string[], env?: Env): Promise<Outcome>;
  /** The same without a browser; resolves when the URL is printed. */
  startLogin(
    args: readonly string[],
    env?: Env,
    options?: StartOptions,
  ): Promise<{ doctl: Running; address: URL }>;
  /** `account get`, without retries. */
  account(args?: readonly string[], env?: Env, options?: StartOptions): Promise<Outcome>;
  startAccount(): Running;
  /** Gives the files to another user, since permissions don't stop root. */
  asSomebody(): Promise<StartOptions>;
}

async function arrangeLogin(
  bin: string,
  mode: "signs-in" | "never" | "fails" | "absent" = "signs-in",
): Promise<LoginScene> {
  const scene = await arrange(bin);
  const { sandbox, home } = scene;
  const path = await tempDir();
  const browser = await fakeBrowser(path, mode === "absent" ? {} : { mode });
  if (mode === "absent") await rename(browser.path, join(path, "other"));
  // A browser that never returns should fail the test soon.
  const loginArgs = ["auth", "login", "--oauth-server", sandbox.url, "--timeout", "20s"];
  const accountArgs = ["account", "get", "--api-url", sandbox.url, "--http-retry-max", "0"];
  return {
    ...scene,
    ...{ oauth: oauthServer(sandbox), browser, path },
    login: (args, env) => scene.run([...loginArgs, ...args], { PATH: path, ...env }),
    async startLogin(args, env, options) {
      const doctl = scene.start([...loginArgs, "--no-browser", ...args], env, options);
      let printed = "";
      doctl.stdout.setEncoding("utf8").on("data", (chunk) => {
        printed += chunk;
      });
      const address = await vi.waitUntil(() => addressIn(printed), { timeout: TIMEOUT });
      return { doctl, address };
    },
    account: (args = [], env, options) => scene.run([...accountArgs, ...args], env, options),
    startAccount: () => scene.start(accountArgs),
    async asSomebody() {
      if (!isRoot) return {};
      for (const folder of [home, dirname(bin)]) await giveAway(folder);
      return { uid: NOBODY };
    },
  };
}

async function giveAway(folder: string): Promise<void> {
  for (const name of ["", ...(await readdir(folder, { recursive: true }))]) {
    const path = join(folder, name);
    if (!(await lstat(path)).isSymbolicLink()) await chown(path, NOBODY, NOBODY);
  }
}

/** The complete URL in doctl's output so far. */
function addressIn(stdout: string): URL | undefined {
  const plain = stripVTControlCharacters(stdout);
  const address = /https?:\S+\/v1\/oauth\/authorize\?\S+(?=\s)/.exec(plain)?.[0];
  return address === undefined ? undefined : new URL(address);
}

/** Acts like a browser whose user agrees. */
async function visit(address: URL): Promise<void> {
  await (await fetch(address)).text();
}

function queryOf([address = ""]: readonly string[]): Record<string, string> {
  return Object.fromEntries(new URL(address).searchParams);
}

function routes({ requests }: Sandbox): string[] {
  return requests.map(({ method, path }) => `${method} ${path}`);
}

function count({ requests }: OAuthServer, kind: OAuthServer["requests"][number]["kind"]): number {
  return requests.filter((request) => request.kind === kind).length;
}

/** Records what the token endpoint receives from now on; it answers 500. */
function formsOf(sandbox: Sandbox): URLSearchParams[] {
  const forms: URLSearchParams[] = [];
  sandbox.serve("POST /v1/oauth/token", (request, response) => {
    void text(request).then((body) => {
      forms.push(new URLSearchParams(body));
      response.writeHead(500).end("{}");
    });
  });
  return forms;
}

function there({ sandbox }: Scene): string {
  return `${sandbox.url}/v1/oauth/token`;
}

/** The tokens in a config, by context. */
function tokensIn(written: Record<string, unknown>): Record<string, unknown> {
  const named = written["auth-contexts"] as Record<string, unknown> | undefined;
  return { default: written["access-token"], ...named };
}

async function sessionsIn(file: string): Promise<Record<string, Record<string, string>>> {
  const sessions = (await settings(file))["oauth-tokens"];
  return (sessions as Record<string, Record<string, string>> | undefined) ?? {};
}

async function refreshTokensIn(file: string): Promise<Record<string, string | undefined>> {
  const sessions = Object.entries(await sessionsIn(file));
  return Object.fromEntries(sessions.map(([name, each]) => [name, each["refresh-token"]]));
}

async function isEmptied(file: string): Promise<void> {
  await vi.waitUntil(async () => (await stat(file)).size === 0, { timeout: TIMEOUT, interval: 5 });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
