import { link, lstat, mkdir, readdir, readFile, stat, symlink } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import {
  arrange,
  cleanUp,
  DOCTL_BIN,
  defaultConfig,
  type Edition,
  type Env,
  fakeDoctlPath,
  initArgs,
  mode,
  type Outcome,
  put,
  realHelp,
  type Scene,
  settings,
  tempDir,
} from "../fixtures/doctl-scene.ts";
import { fakeDoctl } from "../fixtures/tools.ts";
import { unguardedToken } from "../fixtures/workbench.ts";

// The facts of docs/contracts/doctl.md (the numbers below) that do-bootstrap relies on, and the
// differences in 2.x from docs/contracts/doctl-2.md (the numbers after "2/").
// DOCTL_BIN=/path/to/doctl checks them against a real doctl too.

const WRITE_TIMEOUT = 90_000;
const TIMEOUT = 30_000;
const NO_TOKEN = "Error: Unable to read DigitalOcean access token: unknown terminal\n";
const isRoot = process.getuid?.() === 0;

/** Differences between the editions. */
const EDITIONS = {
  1: {
    configInHelp: /--config string .*\(default "(.*)"\)/,
    validated: "Validating token... ✔\n\n",
    refused: "Validating token... ✘\n\n",
    noConfig: /^doctl: .*Config initialization failed/,
    configFailed:
      /^doctl: \d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d Config initialization failed: While parsing config: yaml: /,
    /** The stream on which `auth switch` and `auth remove` report success. */
    said: (text: string) => ({ stdout: text, stderr: "" }),
    accountRefused:
      /^Error: GET http:\S+\/v2\/account: 401 \(request "[^"]+"\) Unable to authenticate you\n$/,
  },
  2: {
    configInHelp: /-c, --config string {2}\[default: (.*)\]$/m,
    validated: "Validating token... ✓\n\n",
    refused: "Validating token... ✗\n\n",
    noConfig: /^Error: /,
    configFailed: /^Error: /,
    said: (text: string) => ({ stdout: "", stderr: text }),
    accountRefused:
      /^Error: Unauthorized\n.*Unable to authenticate you\n.*status 401\n.*request ID .*doctl account get/s,
  },
} as const;

/** 2/1.6 */
const REFUSED_FIELDS = {
  title: "Unauthorized",
  reason: "Unable to authenticate you",
  status: 401,
  request_id: expect.any(String),
  next_step: expect.any(String),
};

/** Settings that doctl must keep when it writes others. */
const KEPT =
  "# mine\nkept: x\ncompute: {ssh: {ssh-user: me}}\nauth-contexts:\n  my.team: T3\n  Prod: T2\n";
const parsedKept = {
  "auth-contexts": { Prod: "T2", "my.team": "T3" },
  compute: { ssh: { "ssh-user": "me" } },
  kept: "x",
};

afterAll(cleanUp);

/** From its help: a build between the releases may have parts of 2.x. */
const REAL: Edition = EDITIONS[2].configInHelp.test(await realHelp()) ? 2 : 1;
const isBetweenReleases = REAL === 1 && /--scopes?\b/.test(await realHelp("auth", "login"));

describe.each<[name: string, edition: Edition, isReal: boolean]>([
  ["the fake doctl 1.x", 1, false],
  ["the fake doctl 2.x", 2, false],
  ["a real doctl", REAL, true],
])("%s", (_, edition, isReal) => {
  const needs = isReal ? " (needs DOCTL_BIN)" : "";
  describe.skipIf(isReal && !DOCTL_BIN)(`keeps the contract${needs}`, () => {
    const its = EDITIONS[edition];
    const isRelease = !(isReal && isBetweenReleases);
    const configInHelp = (help: string) => its.configInHelp.exec(help)?.[1];
    let bin = "";
    /** Its config stays empty long enough for the test to see it. */
    let slow = "";
    beforeAll(async () => {
      bin = isReal ? (DOCTL_BIN ?? "") : await fakeDoctlPath({ edition, writeDelayMs: 5 });
      slow = isReal ? bin : await fakeDoctlPath({ edition, writeDelayMs: 1000 });
    });

    describe("§1 locations", () => {
      it("--help names the default config below HOME", async () => {
        const { home, run } = await arrange(bin);
        const { code, stdout } = await run(["--help"]);
        expect(code).toBe(0);
        expect(configInHelp(stdout)).toBe(defaultConfig(home));
      });

      it.skipIf(process.platform === "darwin")("XDG_CONFIG_HOME overrides HOME", async () => {
        const { home, run } = await arrange(bin);
        const { stdout } = await run(["--help"], { XDG_CONFIG_HOME: join(home, "xdg") });
        expect(configInHelp(stdout)).toBe(join(home, "xdg", "doctl", "config.yaml"));
      });

      it("--help works with a malformed config, and shows the default with another one", async () => {
        const { config, run } = await arrange(bin);
        await put(config, "{{{");
        const { code, stdout } = await run(["--help"], { DIGITALOCEAN_CONFIG: "other.yaml" });
        expect(code).toBe(0);
        expect(configInHelp(stdout)).toBe(config);
      });

      it.skipIf(process.platform === "darwin").each([
        ["no HOME", { HOME: "" }, "neither $XDG_CONFIG_HOME nor $HOME are defined"],
        ["relative XDG", { XDG_CONFIG_HOME: "x" }, "path in $XDG_CONFIG_HOME is relative"],
      ])("%s: every command fails, on stdout", async (_, env: Env, text) => {
        const { run } = await arrange(bin);
        for (const command of [["--help"], ["version"], ["auth", "list"]]) {
          expect(await run(command, env)).toEqual(failure(1, "", `Error: ${text}\n`));
        }
      });

      it.each([
        ["--config", (file: string) => ({ args: ["--config", file], env: {} })],
        ["-c", (file: string) => ({ args: [`-c${file}`], env: {} })],
        ["env", (file: string) => ({ args: [], env: { DIGITALOCEAN_CONFIG: file } })],
      ])("%s chooses another file, and a broken default file is not read", async (_, choose) => {
        const { home, config, token } = await arrange(bin);
        const other = join(home, "other.yaml");
        await put(config, "{{{");
        await put(other, "access-token: other\n");
        const { args, env } = choose(other);
        expect(await token(args, env)).toBe("other");
      });

      it("reads DIGITALOCEAN_ACCESS_TOKEN, not DIGITALOCEAN_TOKEN or DO_TOKEN", async () => {
        const { token } = await arrange(bin);
        expect(await token([], { DIGITALOCEAN_TOKEN: "T", DO_TOKEN: "T" })).toBe("");
        expect(await token([], { DIGITALOCEAN_ACCESS_TOKEN: "T" })).toBe("T");
      });

      it("reading commands create nothing", async () => {
        const { home, run } = await arrange(bin);
        await run(["auth", "list"]);
        await run(["auth", "token"]);
        expect(await readdir(home)).toEqual([]);
      });
    });

    it.runIf(isRelease)(
      "auth login --help: the flag --scopes exists if it signs in (2/2.1)",
      async () => {
        const { run } = await arrange(bin);
        const { code, stdout } = await run(["auth", "login", "--help"]);
        expect(code).toBe(0);
        expect(/--scopes\b/.test(stdout)).toBe(edition === 2);
      },
    );

    describe("§2 exit codes", () => {
      it.each([
        [["version", "--nope"], "unknown flag: --nope"],
        [
          ["auth", "list", "--token-validation-server", "x"],
          "unknown flag: --token-validation-server",
        ],
        [["auth", "token", "--context"], "flag needs an argument: --context"],
        [["version", "--http-retry-max", "x"], 'invalid argument "x" for "--http-retry-max" flag'],
      ])("255 on a bad flag: %j", async (args, text) => {
        const { run } = await arrange(bin);
        const { code, stdout, stderr } = await run(args);
        expect(code).toBe(255);
        expect(stdout).toContain(text);
        expect(stderr).toContain(`Error: ${text}`);
      });

      it("255 on an unknown command", async () => {
        const { run } = await arrange(bin);
        expect((await run(["nope"])).code).toBe(255);
      });
    });

    describe("§2 auth init when the server does not accept the token", () => {
      it.concurrent.each([
        [401, json(401, "Unable to authenticate you"), /401 \(request "ID"\) Unable to auth/],
        [403, json(403, "You may not"), /403 \(request "ID"\) You may not$/],
        [429, json(429, "API rate limit exceeded"), /429 \(request "ID"\) API rate limit/],
        [500, json(500, "Unexpected"), /500 \(request "ID"\) Unexpected$/],
        ["502 HTML", page(502), /502 <html>no<\/html>$/],
        ["200 HTML", page(200), /: invalid character '<' looking for beginning of value$/],
        ["200 empty", { status: 200 }, /: EOF$/],
        ["200 cut", { status: 200, body: '{"scopes":' }, /: unexpected EOF$/],
        ["200 not JSON", { status: 200, body: "{oops" }, /beginning of object key string$/],
        ["no answer", "disconnect", /: Get "http:\S+": (EOF|read tcp .* connection reset.*)$/],
      ] as const)("%s: exit 1, a cross, the config unchanged", async (_, reply, text) => {
        const { home, sandbox, init } = await arrange(bin);
        sandbox.answer("GET /v1/oauth/token/info", reply);
        const { code, stdout, stderr } = await init(["-t", unguardedToken()]);
        expect({ code, stdout }).toEqual({ code: 1, stdout: progress("default", its.refused) });
        expect(stderr).toMatch(/^Error: Unable to use supplied token to access API: /);
        expect(stderr.trimEnd()).toMatch(text);
        expect(await readdir(home)).toEqual([]);
      });

      it("connection refused", async () => {
        const { init } = await arrange(bin);
        // Another test may already use the port of a closed sandbox.
        const nobody = ["--token-validation-server", "http://127.0.0.1:1"];
        const { code, stderr } = await init([...nobody, "-t", unguardedToken()]);
        expect(code).toBe(1);
        expect(stderr).toMatch(/dial tcp 127\.0\.0\.1:\d+: connect: connection refused\n$/);
      });

      it("a refused token does not change the stored one or the mode (1.5)", async () => {
        const { config, init } = await arrange(bin);
        await put(config, "access-token: OLD\n", 0o644);
        expect((await init(["-t", unguardedToken()])).code).toBe(1);
        expect(await readFile(config, "utf8")).toBe("access-token: OLD\n");
        expect(await mode(config)).toBe(0o644);
      });

      it("-o json: progress and error are both on stdout (2.1)", async () => {
        const { sandbox, init } = await arrange(bin);
        sandbox.answer("GET /v1/oauth/token/info", page(404));
        const { code, stdout, stderr } = await init(["-t", unguardedToken(), "-o", "json"]);
        expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
        const [report, ...lines] = stdout.trimEnd().split("\n").reverse();
        expect(`${lines.reverse().join("\n")}\n`).toBe(progress("default", its.refused));
        expect(JSON.parse(report ?? "").errors[0].detail).toMatch(/: 404 <html>no<\/html>$/);
      });

      it("a 500 is retried, a 401 is not (2.3)", async () => {
        const { sandbox, init } = await arrange(bin);
        await init(["-t", unguardedToken(), "--http-retry-max", "1"]);
        expect(sandbox.requests).toHaveLength(1);
        sandbox.answer("GET /v1/oauth/token/info", json(500, "Unexpected"));
        const { stderr } = await init(["-t", unguardedToken(), "--http-retry-max", "1"]);
        expect(sandbox.requests).toHaveLength(3);
        expect(stderr).toMatch(
          /500 \(request "ID"\) Unexpected; giving up after 2 attempt\(s\)\n$/,
        );
      });

      it.each([
        ["0", true],
        ["1", false],
      ])("a redirect to another host with --http-retry-max %s", async (retries, leaks) => {
        const { sandbox, init } = await arrange(bin);
        const other = await arrange(bin);
        const location = other.sandbox.url.replace("127.0.0.1", "localhost");
        sandbox.answer("GET /v1/oauth/token/info", { status: 302, headers: { location } });
        await init(["-t", unguardedToken(), "--http-retry-max", retries]);
        expect(other.sandbox.requests).toHaveLength(1);
        expect(other.sandbox.requests[0]?.headers.authorization !== undefined).toBe(leaks);
      });

      it("a server that never answers: no time limit", async () => {
        const { home, sandbox, start } = await arrange(bin);
        sandbox.answer("GET /v1/oauth/token/info", "hang");
        const doctl = start(initArgs(sandbox, ["-t", unguardedToken()]));
        await vi.waitUntil(() => sandbox.requests.length === 1, { timeout: TIMEOUT });
        doctl.kill("SIGKILL");
        const { signal, stdout } = await doctl;
        expect(signal).toBe("SIGKILL");
        expect(stdout).toBe(progress("default", "Validating token... "));
        expect(await readdir(home)).toEqual([]);
      });

      it("no token: no prompt without a terminal (2.6)", async () => {
        const { init } = await arrange(bin);
        expect(await init([])).toEqual(failure(1, NO_TOKEN));
      });

      it("an empty flag counts as set, an empty env token does not (2.7)", async () => {
        const { config, token } = await arrange(bin);
        await put(config, "access-token: FILE\n");
        expect(await token(["-t", ""], { DIGITALOCEAN_ACCESS_TOKEN: "ENV" })).toBe("");
        expect(await token([], { DIGITALOCEAN_ACCESS_TOKEN: "" })).toBe("FILE");
      });
    });

    describe("§2, §3 one `auth init --access-token` that succeeds", () => {
      const token = unguardedToken();
      let scene: Scene;
      let outcome: Outcome;
      beforeAll(async () => {
        scene = await arrange(bin);
        scene.sandbox.accept(token);
        outcome = await scene.init(["--access-token", token]);
      }, WRITE_TIMEOUT);

      it("exits 0 with a check mark and prints nothing else", () => {
        expect(outcome).toEqual({
          code: 0,
          stdout: progress("default", its.validated),
          stderr: "",
        });
      });

      it("calls /v1/oauth/token/info once, with the token", () => {
        expect(scene.sandbox.requests).toMatchObject([
          { path: "/v1/oauth/token/info", headers: { authorization: `Bearer ${token}` } },
        ]);
      });

      it("creates the file with mode 0600 (1.5)", async () => {
        expect(await mode(scene.config)).toBe(0o600);
      });

      if (edition === 1) {
        it("writes the settings that it resolved (3.8)", async () => {
          expect(await settings(scene.config)).toMatchObject({
            "access-token": token,
            "api-url": "",
            auth: { init: { "token-validation-server": scene.sandbox.url } },
            config: scene.config,
            context: "default",
            "http-retry-max": 0,
            output: "text",
          });
        });

        it("sorts its keys", async () => {
          const keys = Object.keys(await settings(scene.config));
          expect(keys.indexOf("access-token")).toBeLessThan(keys.indexOf("auth"));
          expect(keys.indexOf("config")).toBeLessThan(keys.indexOf("output"));
        });
      } else {
        it("writes the token and nothing else (2/5.3, 2/5.8)", async () => {
          expect(await settings(scene.config)).toEqual({ "access-token": token });
        });
      }

      it("matches our own file: the same `auth token` from the same key", async () => {
        const ours = await arrange(bin);
        await put(ours.config, `access-token: "${token}"\n`);
        expect(await ours.token()).toBe(await scene.token());
        expect((await settings(ours.config))["access-token"]).toBe(
          (await settings(scene.config))["access-token"],
        );
      });
    });

    describe("§3 writing", () => {
      it.concurrent("a private --config: the default file is unchanged; a link is followed (§4, 5.5)", {
        timeout: WRITE_TIMEOUT,
      }, async () => {
        const { home, config, sandbox, init } = await arrange(bin);
        const token = unguardedToken();
        sandbox.accept(token);
        await put(config, "access-token: OLD # mine\n", 0o644);
        const target = join(home, "target.yaml");
        const hardLink = join(home, "hard.yaml");
        const symbolic = join(home, "link.yaml");
        await put(target, `access-token: "${token}"\n`, 0o644);
        await link(target, hardLink);
        await symlink(target, symbolic);

        const { code } = await init(["--config", symbolic, "--context", "default"]);

        expect(code).toBe(0);
        expect(await readFile(config, "utf8")).toBe("access-token: OLD # mine\n");
        expect(await mode(config)).toBe(0o644);
        expect((await lstat(symbolic)).isSymbolicLink()).toBe(true);
        expect((await settings(target))["access-token"]).toBe(token);
        expect(await mode(target)).toBe(0o600);
        expect((await stat(hardLink)).ino).toBe((await stat(target)).ino);
      });

      const tooQuick = isReal && edition === 2;
      const why = tooQuick ? " (needs a doctl that writes slowly)" : "";
      it.skipIf(tooQuick).concurrent.each(["SIGKILL", "SIGTERM", "SIGINT"] as const)(
        `killed by %s after the check mark, it leaves only an empty private file (3.13)${why}`,
        { timeout: WRITE_TIMEOUT },
        async (signal) => {
          const { home, config, sandbox, start } = await arrange(slow);
          const token = unguardedToken();
          sandbox.accept(token);
          await put(config, "access-token: OLD\n");
          const file = join(home, "private.yaml");
          await put(file, `access-token: "${token}"\n`);
          const before = await readdir(home);
          const doctl = start(initArgs(sandbox, ["--config", file, "--context", "default"]));
          let printed = "";
          doctl.stdout.setEncoding("utf8").on("data", (chunk) => {
            printed += chunk;
          });
          await vi.waitUntil(() => printed.includes(its.validated), {
            timeout: TIMEOUT,
            interval: 5,
          });
          // 3.2: empty for the whole of the write.
          const isEmpty = async () => (await stat(file)).size === 0;
          await vi.waitUntil(isEmpty, { timeout: TIMEOUT, interval: 5 });
          doctl.kill(signal);

          expect(await doctl).toMatchObject({ isTerminated: true, signal });
          expect((await stat(file)).size).toBe(0);
          expect(await readFile(config, "utf8")).toBe("access-token: OLD\n");
          expect(await readdir(home)).toEqual(before);
        },
      );

      /** A token stored while the environment set another context, output and API. */
      async function storedBesideSettings() {
        const scene = await arrange(bin);
        const { config, sandbox, init } = scene;
        const token = unguardedToken();
        sandbox.accept(token);
        await put(config, "", 0o644);
        const env = {
          DIGITALOCEAN_API_URL: sandbox.url,
          DIGITALOCEAN_OUTPUT: "json",
          DIGITALOCEAN_CONTEXT: "foo",
        };
        expect((await init(["--context", "Default", "-t", token], env)).code).toBe(0);
        return { ...scene, token };
      }

      if (edition === 1) {
        it.concurrent("flags and env are written permanently; an empty 0644 file becomes 0600 (3.8, 1.5)", {
          timeout: WRITE_TIMEOUT,
        }, async () => {
          const { config, token, sandbox, run } = await storedBesideSettings();
          expect(await settings(config)).toMatchObject({
            "access-token": token,
            "api-url": sandbox.url,
            output: "json",
            context: "foo",
          });
          expect(await mode(config)).toBe(0o600);
          await run(["account", "get", "--context", "default"]);
          expect(sandbox.requests.at(-1)?.path).toBe("/v2/account");
        });

        it.concurrent("auth switch follows the stored config: key and persists an env token (3.9, 3.10, 3.11)", {
          timeout: WRITE_TIMEOUT,
        }, async () => {
          const { home, config, run } = await arrange(bin);
          const other = join(home, "other.yaml");
          const before = `Config: ${other}\nauth-contexts:\n  Prod: T2\n  my.team: T3\nkept: x # no\n`;
          await put(config, before);
          expect(
            await run(["auth", "switch", "--context", "PROD"], {
              DIGITALOCEAN_ACCESS_TOKEN: "ENV",
            }),
          ).toEqual({ code: 0, stdout: "Now using context [prod] by default\n", stderr: "" });
          expect(await readFile(config, "utf8")).toBe(before);
          expect(await settings(other)).toMatchObject({
            "access-token": "ENV",
            "auth-contexts": { default: "true", prod: "T2", "my.team": "T3" },
            config: other,
            context: "prod",
            kept: "x",
          });
        });

        it.concurrent("auth remove leaves the removed context selected; dotted names get nested (5.9, §5)", {
          timeout: WRITE_TIMEOUT,
        }, async () => {
          const { config, run } = await arrange(bin);
          await put(
            config,
            "access-token: T\nauth-contexts: {prod: T2, my.team: T3}\ncontext: prod\n",
          );
          expect(await run(["auth", "remove", "--context", "default"])).toEqual({
            code: 0,
            stdout: "Context deleted successfully\n",
            stderr: "",
          });
          expect(await settings(config)).toMatchObject({
            "access-token": "",
            "auth-contexts": { my: { team: "T3" }, prod: "T2" },
            context: "prod",
          });
          expect((await run(["auth", "list"])).stdout).toBe("default\nmy\nprod (current)\n");
        });

        const name = "the sessions of 2.x are kept and not renewed (2/3.5)";
        it.runIf(isRelease).concurrent(name, { timeout: WRITE_TIMEOUT }, async () => {
          const { config, sandbox, run } = await arrange(bin);
          const session = {
            "expires-at": "2020-01-01T00:00:00Z",
            "refresh-token": "R",
            "token-endpoint": `${sandbox.url}/v1/oauth/token`,
          };
          await put(
            config,
            JSON.stringify({
              "access-token": "EXPIRED",
              "auth-contexts": { prod: "T2" },
              "oauth-tokens": { default: session },
            }),
          );
          const { stderr } = await run(["account", "get", "--api-url", sandbox.url]);
          expect(stderr).toMatch(/: 401 /);
          expect(sandbox.requests.map(({ path }) => path)).toEqual(["/v2/account"]);
          await run(["auth", "switch", "--context", "prod"]);
          expect(await settings(config)).toMatchObject({
            context: "prod",
            "oauth-tokens": { default: session },
          });
        });
      } else {
        it.concurrent("flags and env are not written; an empty 0644 file becomes 0600 (2/5.3, 1.5)", async () => {
          const { config, token, run } = await storedBesideSettings();
          expect(await settings(config)).toEqual({ "access-token": token });
          expect(await mode(config)).toBe(0o600);
          expect((await run(["auth", "switch"], tokenInEnv("ENV"))).code).toBe(0);
          expect(await settings(config)).toEqual({ "access-token": token, context: "default" });
        });

        it.concurrent.each([
          ["the flag", (token: string) => ({ args: ["-t", token], env: {} })],
          ["the environment (2/5.4)", (token: string) => ({ args: [], env: tokenInEnv(token) })],
        ])("auth init writes a token from %s and keeps unknown settings", async (_, give) => {
          const { config, sandbox, init } = await arrange(bin);
          const token = unguardedToken();
          sandbox.accept(token);
          const { args, env } = give(token);
          await put(config, `${KEPT}access-token: OLD\n`);
          expect((await init(args, env)).code).toBe(0);
          expect(await settings(config)).toEqual({ ...parsedKept, "access-token": token });
          expect(await readFile(config, "utf8")).not.toContain("#");
        });

        it.concurrent("auth switch changes only its key: other keys, case and dots stay (2/5.3)", async () => {
          const { config, run } = await arrange(bin);
          await put(config, KEPT);
          expect(
            await run(["auth", "switch", "--context", "PROD"], {
              DIGITALOCEAN_ACCESS_TOKEN: "ENV",
            }),
          ).toEqual({ code: 0, ...its.said("Now using context [prod] by default\n") });
          expect(await settings(config)).toEqual({ ...parsedKept, context: "prod" });
        });

        it.concurrent("it reads and writes the file of a stored config: key (2/5.5)", async () => {
          const { home, config, run } = await arrange(bin);
          const other = join(home, "other.yaml");
          const before = `config: ${other}\n${KEPT}`;
          await put(config, before);
          await put(other, KEPT);
          expect((await run(["auth", "switch", "--context", "prod"])).code).toBe(0);
          expect(await readFile(config, "utf8")).toBe(before);
          expect(await settings(other)).toEqual({ ...parsedKept, context: "prod" });
        });

        it.concurrent("auth remove removes one context and leaves it selected (5.9)", async () => {
          const { config, run } = await arrange(bin);
          await put(config, `${KEPT}context: prod\n`);
          expect(await run(["auth", "remove", "--context", "Prod"])).toEqual({
            code: 0,
            ...its.said("Context deleted successfully\n"),
          });
          expect(await settings(config)).toEqual({
            ...parsedKept,
            "auth-contexts": { "my.team": "T3" },
            context: "prod",
          });
        });

        it.concurrent("DOCTL_ASCII: plain marks (2/1.4)", async () => {
          const { sandbox, init } = await arrange(bin);
          sandbox.accept("T");
          const ascii = async (token: string) =>
            (await init(["-t", token], { DOCTL_ASCII: "1" })).stdout;
          expect(await ascii("T")).toBe(progress("default", "Validating token... +\n\n"));
          expect(await ascii("BAD")).toBe(progress("default", "Validating token... x\n\n"));
        });
      }

      it("a stored config: key with a missing folder: prints success, exit 1 (3.10)", async () => {
        const { home, config, run } = await arrange(bin);
        const gone = join(home, "gone", "config.yaml");
        await put(config, `config: ${gone}\nauth-contexts: {prod: T2}\n`);
        const { stdout, stderr } = its.said("Now using context [prod] by default\n");
        expect(await run(["auth", "switch", "--context", "prod"])).toEqual(
          failure(1, `${stderr}Error: open ${gone}: no such file or directory\n`, stdout),
        );
      });

      it.each([
        [["auth", "remove"], "You must provide a context name"],
        [["auth", "remove", "--context", "nope"], "Context not found"],
        [["auth", "switch", "--context", "nope"], "context does not exist"],
      ])("%j fails and writes nothing (5.9, 5.10)", async (args, text) => {
        const { home, run } = await arrange(bin);
        expect(await run(args)).toEqual(failure(1, `Error: ${text}\n`));
        const { code, stdout, stderr } = await run([...args, "-o", "json"]);
        expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
        expect(stdout).toMatch(/^\{.*\}\n$/);
        expect(JSON.parse(stdout).errors).toMatchObject([{ detail: text }]);
        expect(await readdir(home)).toEqual([]);
      });
    });

    describe("§4 odd config files", () => {
      it.concurrent.each([
        ["malformed", "{{{"],
        ["two files in one (3.5)", "access-token: a: b\n"],
        ["a top-level list", "- a\n- b\n"],
        ["plain text", "hello\n"],
        ["invalid UTF-8", Buffer.from("access-token: \xff\n", "latin1")],
        ["a tab indent", "auth-contexts:\n\tprod: T\n"],
        ["an open quote", 'access-token: "T\n'],
      ])("%s: every command fails and the file is unchanged", async (_, text) => {
        const { config, run, init } = await arrange(bin);
        await put(config, text);
        for (const command of [["auth", "list"], ["auth", "token"], ["version"]]) {
          const { code, stdout, stderr } = await run(command);
          expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
          expect(stderr).toMatch(its.configFailed);
        }
        expect((await init(["-t", unguardedToken()])).stderr).toMatch(its.configFailed);
        expect(await readFile(config)).toEqual(Buffer.from(text));
      });

      it("a directory", async () => {
        const { config, run } = await arrange(bin);
        await mkdir(config, { recursive: true });
        const { code, stderr } = await run(["version"]);
        expect(code).toBe(1);
        expect(stderr).toMatch(its.noConfig);
        expect(stderr).toMatch(/: read .*: is a directory\n$/);
      });

      it.skipIf(isRoot)("unreadable (needs a user other than root)", async () => {
        const { config, run } = await arrange(bin);
        await put(config, "access-token: T\n", 0o000);
        const { code, stderr } = await run(["version"]);
        expect(code).toBe(1);
        expect(stderr).toMatch(its.noConfig);
        expect(stderr).toMatch(/: open .*: permission denied\n$/);
      });

      it.each([
        ["absent", null],
        ["empty", ""],
        ["a comment", "# nothing\n"],
      ])("%s: works, and shows only the default context", async (_, text) => {
        const { config, run } = await arrange(bin);
        if (text !== null) await put(config, text);
        expect(await run(["auth", "list"])).toEqual({
          code: 0,
          stdout: "default (current)\n",
          stderr: "",
        });
      });

      it.each([
        ["a BOM and CRLF", "\uFEFFaccess-token: T\r\ncontext: default\r\n", "T"],
        ["a repeated key: the last wins", "access-token: a\naccess-token: b\n", "b"],
        ["a number", "access-token: 12345\n", "12345"],
        ["a boolean", "access-token: true\n", "true"],
        ["a YAML 1.1 boolean", "access-token: yes\n", "true"],
        ["an octal number", "access-token: 012\n", "10"],
        ["a null", "access-token: ~\n", ""],
        ["a list", "access-token: [a]\n", ""],
        ["a comment after it", "access-token: T # mine\n", "T"],
        ["upper-case keys", "Access-Token: T\n", "T"],
        ["a flow map", '{"access-token": "T"}\n', "T"],
        ["a folded quoted string", 'access-token: "dop_\\\n  v1"\n', "dop_v1"],
        ["a value on the next line", "access-token:\n  T\n", "T"],
      ])("access-token with %s", async (_, text, expected) => {
        const { config, token } = await arrange(bin);
        await put(config, text);
        expect(await token()).toBe(expected);
      });

      const cannotOpen = [
        [
          "--config in a missing directory",
          async (home: string) => ({
            file: join(home, "gone", "c.yaml"),
            text: "no such file or directory",
          }),
          false,
        ],
        [
          "a file that is not writable",
          async (home: string) => {
            const file = join(home, "c.yaml");
            await put(file, "", 0o400);
            return { file, text: "permission denied" };
          },
          isRoot,
        ],
      ] as const;
      for (const [name, prepare, skipped] of cannotOpen) {
        const needs = skipped ? " (needs a user other than root)" : "";
        it.skipIf(skipped)(`auth init, ${name}: fails after the check mark${needs}`, async () => {
          const { home, sandbox, init } = await arrange(bin);
          const token = unguardedToken();
          sandbox.accept(token);
          const { file, text } = await prepare(home);
          const before = await readdir(home);
          expect(await init(["-t", token, "--config", file])).toEqual(
            failure(1, `Error: open ${file}: ${text}\n`, progress("default", its.validated)),
          );
          expect(await readdir(home)).toEqual(before);
        });
      }
    });

    describe("§5 contexts, and which token is used", () => {
      it.each([
        ["flag", ["--context", "prod", "-t", "NEW"], {}],
        ["env token (5.3)", ["--context", "prod"], { DIGITALOCEAN_ACCESS_TOKEN: "NEW" }],
        ["env context (5.4)", ["-t", "NEW"], { DIGITALOCEAN_CONTEXT: "prod" }],
      ])(
        "a named context cannot be created with a token in %s (5.1)",
        async (_, args, env: Env) => {
          const { home, sandbox, init } = await arrange(bin);
          sandbox.accept("NEW");
          expect(await init(args, env)).toEqual(failure(1, NO_TOKEN));
          expect(await readdir(home)).toEqual([]);
          expect(sandbox.requests).toEqual([]);
        },
      );

      it.concurrent.each([
        ["--context (5.2)", "", ["--context", "Prod", "-t", "NEW"], {}],
        ["the file (5.4)", "context: prod\n", [], { DIGITALOCEAN_ACCESS_TOKEN: "NEW" }],
      ])(
        `a stored context named by %s keeps its token, and the default one ${edition === 1 ? "is overwritten" : "too (2/1.11)"}`,
        { timeout: WRITE_TIMEOUT },
        async (_, text, args, env: Env) => {
          const { config, sandbox, init } = await arrange(bin);
          sandbox.accept("OLD");
          await put(config, `access-token: MINE\nauth-contexts:\n  prod: OLD\n${text}`);
          expect(await init(args, env)).toEqual({
            code: 0,
            stdout: progress("prod", its.validated),
            stderr: "",
          });
          expect(sandbox.requests[0]?.headers.authorization).toBe("Bearer OLD");
          const written = await settings(config);
          expect(written).toMatchObject({
            "access-token": edition === 1 ? "NEW" : "MINE",
            "auth-contexts": { prod: "OLD" },
          });
          const unwritten = edition === 1 ? "default" : undefined;
          expect(written["context"]).toBe(text === "" ? unwritten : "prod");
        },
      );

      it("a seeded private file needs no token in argv or env (5.5)", {
        timeout: WRITE_TIMEOUT,
      }, async () => {
        const { home, sandbox, init, token } = await arrange(bin);
        const secret = unguardedToken();
        sandbox.accept(secret);
        const file = join(home, "private.yaml");
        await put(file, `auth-contexts:\n  prod: "${secret}"\n`);
        const { code, stdout } = await init(["--config", file, "--context", "prod"]);
        expect({ code, stdout }).toEqual({ code: 0, stdout: progress("prod", its.validated) });
        expect(sandbox.requests[0]?.headers.authorization).toBe(`Bearer ${secret}`);
        expect(await token(["--config", file, "--context", "prod"])).toBe(secret);
        expect(await readdir(home)).toEqual(["private.yaml"]);
      });

      const FILE = "access-token: FILE\nauth-contexts:\n  foo: FOO\n";
      it.each([
        [
          "default: flag, env, file",
          "",
          ["-t", "FLAG"],
          { DIGITALOCEAN_ACCESS_TOKEN: "E" },
          "FLAG",
        ],
        ["default: env, file", "", [], { DIGITALOCEAN_ACCESS_TOKEN: "E" }, "E"],
        ["default: file", "", [], {}, "FILE"],
        ["named by flag: flag token ignored", "", ["--context", "foo", "-t", "F"], {}, "FOO"],
        ["named by env: env token ignored", "", [], namedByEnv("foo"), "FOO"],
        ["named by file: both ignored", "context: foo\n", ["-t", "F"], tokenInEnv("E"), "FOO"],
        [
          "--context default overrides the file",
          "context: foo\n",
          ["--context", "default"],
          {},
          "FILE",
        ],
        [
          "--context overrides env",
          "",
          ["--context", "default"],
          { DIGITALOCEAN_CONTEXT: "foo" },
          "FILE",
        ],
        [
          "env overrides the file",
          "context: foo\n",
          [],
          { DIGITALOCEAN_CONTEXT: "default" },
          "FILE",
        ],
        ["an unknown context: an empty line (5.8)", "", ["--context", "nope"], tokenInEnv("E"), ""],
      ])("%s (5.6, 5.7)", async (_, text, args, env: Env, expected) => {
        const { config, token } = await arrange(bin);
        await put(config, FILE + text);
        expect(await token(args, env)).toBe(expected);
      });

      it("an unknown context: account get fails (5.8)", async () => {
        const { sandbox, run } = await arrange(bin);
        expect(
          await run(["account", "get", "--api-url", sandbox.url, "--context", "nope", "-t", "T"]),
        ).toEqual(
          failure(
            1,
            "Error: Unable to initialize DigitalOcean API client: " +
              "access token is required. (hint: run 'doctl auth init')\n",
          ),
        );
      });

      it.each([
        ["key and flag are lower-cased", "Prod: T", ["--context", "PROD"], {}, "", "T"],
        ["env is not lower-cased", "Prod: T", [], { DIGITALOCEAN_CONTEXT: "Prod" }, "", ""],
        ["context: in the file is not lower-cased", "Prod: T", [], {}, "context: Prod\n", ""],
        ["a dot reads", "my.team: T", ["--context", "my.team"], {}, "", "T"],
        ["other characters", '"é a:b/c": T', ["--context", "é a:b/c"], {}, "", "T"],
        ["a number", "123: T", ["--context", "123"], {}, "", "T"],
      ])("names: %s", async (_, entry, args, env: Env, more, expected) => {
        const { config, token } = await arrange(bin);
        await put(config, `auth-contexts:\n  ${entry}\n${more}`);
        expect(await token(args, env)).toBe(expected);
      });
    });

    describe("§6 a minimal hand-written config", () => {
      const MINIMAL = 'access-token: "T"\nauth-contexts:\n  prod: "T2"\ncontext: prod\n';

      it("auth list", async () => {
        const { config, run } = await arrange(bin);
        await put(config, MINIMAL);
        expect(await run(["auth", "list"])).toEqual({
          code: 0,
          stdout: "default\nprod (current)\n",
          stderr: "",
        });
        const { stdout } = await run(["auth", "list", "-o", "json"]);
        expect(JSON.parse(stdout)).toEqual([
          { name: "default", current: false },
          { name: "prod", current: true },
        ]);
      });

      it("auth token prints the token and a newline", async () => {
        const { config, run } = await arrange(bin);
        await put(config, MINIMAL);
        expect((await run(["auth", "token"])).stdout).toBe("T2\n");
        expect((await run(["auth", "token", "--context", "default"])).stdout).toBe("T\n");
      });

      it("account get sends the current context's token (7.3)", async () => {
        const { config, sandbox, run } = await arrange(bin);
        sandbox.accept("T2", { email: "prod@example.com" });
        await put(config, MINIMAL);
        const args = ["account", "get", "--api-url", sandbox.url];
        const { code, stdout } = await run([...args, "-o", "json"]);
        expect(code).toBe(0);
        expect(JSON.parse(stdout)).toMatchObject({
          email: "prod@example.com",
          team: { name: "Sandbox Team" },
        });
        const text = (await run(args)).stdout.split("\n");
        expect(text).toEqual([
          expect.stringMatching(/^User Email\s+Team\s+Droplet Limit\s+Email Verified\s+User UUID/),
          expect.stringMatching(/^prod@example\.com\s+Sandbox Team\s+25\s+true\s+\w+\s+active$/),
          "",
        ]);
      });
    });

    describe("§7 other commands", () => {
      it("account get names the status, on stdout with -o json (7.4, 2/1.5, 2/1.6)", async () => {
        const { sandbox, run } = await arrange(bin);
        const args = ["account", "get", "--api-url", sandbox.url, "-t", unguardedToken()];
        const detail =
          /^GET http:\S+\/v2\/account: 401 \(request "[^"]+"\) Unable to authenticate you$/;
        const plain = await run(args);
        expect({ code: plain.code, stdout: plain.stdout }).toEqual({ code: 1, stdout: "" });
        expect(plain.stderr).toMatch(its.accountRefused);
        const inJson = await run([...args, "-o", "json"]);
        expect({ code: inJson.code, stderr: inJson.stderr }).toEqual({ code: 1, stderr: "" });
        const [error] = JSON.parse(inJson.stdout).errors;
        expect(error.detail).toMatch(detail);
        if (edition === 2) expect(error).toMatchObject(REFUSED_FIELDS);
      });

      it.each([
        ["env", "", { DIGITALOCEAN_OUTPUT: "json" }],
        ["the file", "output: json\n", {}],
      ])(
        "output from %s: JSON errors, but account get's table stays",
        async (_, text, env: Env) => {
          const { config, sandbox, run } = await arrange(bin);
          sandbox.accept("T");
          await put(config, `access-token: T\n${text}`);
          const args = ["account", "get", "--api-url", sandbox.url];
          expect((await run(args, env)).stdout).toMatch(/^User Email/);
          expect((await run([...args, "-t", "BAD"], env)).stdout).toMatch(/^\{"errors":/);
          expect((await run(["auth", "list"], env)).stdout).toMatch(/^\[/);
        },
      );

      it("account get without an account object: a panic, but {} in JSON (7.5)", async () => {
        const { sandbox, run } = await arrange(bin);
        sandbox.answer("GET /v2/account", { status: 200, body: "{}" });
        const args = ["account", "get", "--api-url", sandbox.url, "-t", unguardedToken()];
        const { code, stderr } = await run(args);
        expect(code).toBe(2);
        expect(stderr).toMatch(/^panic: runtime error: /);
        expect(await run([...args, "-o", "json"])).toEqual({ code: 0, stdout: "{}", stderr: "" });
      });

      it("version (7.1)", async () => {
        const { run } = await arrange(bin);
        const { code, stdout } = await run(["version"]);
        expect(code).toBe(0);
        expect(stdout).toMatch(/^doctl version \d+\.\d+\.\d+-\w+\n/);
        const inJson = JSON.parse((await run(["version", "-o", "json"])).stdout);
        expect(inJson).toMatchObject({ version: expect.any(String), latestRelease: "" });
      });
    });
  });
});

describe("the fake's own settings", () => {
  it("logs each call with the names of its DIGITALOCEAN_* variables", async () => {
    const doctl = await fakeDoctl(await tempDir());
    const { run } = await arrange(doctl.path);
    await run(["auth", "token"], { DIGITALOCEAN_ACCESS_TOKEN: unguardedToken(), DO_TOKEN: "x" });
    expect(await doctl.calls()).toEqual([
      { argv: ["auth", "token"], env: ["DIGITALOCEAN_ACCESS_TOKEN"] },
    ]);
  });

  it.each([
    [["compute", "droplet", "list"]],
    [["auth", "nope"]],
    [["auth", "list", "more"]],
    [["account", "get", "--format", "Email"]],
    [[]],
  ])("an unexpected call, %j: exit 255, and calls() throws", async (args) => {
    const doctl = await fakeDoctl(await tempDir());
    const { run } = await arrange(doctl.path);
    const { code, stderr } = await run(args);
    expect(code).toBe(255);
    expect(stderr).toContain(`fake doctl: unexpected call: ${args.join(" ")}\n`);
    await expect(doctl.calls()).rejects.toThrow("unexpected call");
  });

  it("never leaves loopback: it fails at once, like without DNS", async () => {
    const { run } = await arrange((await fakeDoctl(await tempDir())).path);
    const { code, stderr } = await run(["auth", "init", "-t", unguardedToken()]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/dial tcp: lookup cloud\.digitalocean\.com: no such host\n$/);
    expect((await run(["account", "get", "-t", "T"])).stderr).toMatch(
      /dial tcp: lookup api\.digitalocean\.com: no such host\n$/,
    );
  });

  it("hang: prints the first line and never ends", async () => {
    const doctl = await fakeDoctl(await tempDir(), { mode: "hang" });
    const { sandbox, start } = await arrange(doctl.path);
    const call = start(initArgs(sandbox, ["-t", unguardedToken()]));
    const printed = await new Promise((resolve) => call.stdout.once("data", resolve));
    call.kill("SIGKILL");
    expect(String(printed)).toBe("Using token for context default\n");
    expect((await call).signal).toBe("SIGKILL");
    expect(sandbox.requests).toEqual([]);
  });

  it("megabytes: prints 5 MB before the check mark", async () => {
    const doctl = await fakeDoctl(await tempDir(), { mode: "megabytes", writeDelayMs: 0 });
    const { sandbox, init } = await arrange(doctl.path);
    sandbox.accept("T");
    const { code, stdout } = await init(["-t", "T"]);
    expect(code).toBe(0);
    expect(stdout.length).toBeGreaterThan(4.9e6);
    expect(stdout.endsWith(EDITIONS[1].validated)).toBe(true);
  });

  it("die-by-signal: killed before it validates", async () => {
    const doctl = await fakeDoctl(await tempDir(), { mode: "die-by-signal" });
    const { sandbox, start } = await arrange(doctl.path);
    sandbox.accept("T");
    expect((await start(initArgs(sandbox, ["-t", "T"]))).signal).toBe("SIGKILL");
    expect(sandbox.requests).toEqual([]);
  });

  it("old-wording: no check mark, exit 0 after writing", async () => {
    const doctl = await fakeDoctl(await tempDir(), { mode: "old-wording", writeDelayMs: 0 });
    const { config, sandbox, init } = await arrange(doctl.path);
    sandbox.accept("T");
    const { code, stdout } = await init(["-t", "T"]);
    expect(code).toBe(0);
    expect(stdout).not.toContain("✔");
    expect((await settings(config))["access-token"]).toBe("T");
  });
});

function progress(context: string, verdict: string): string {
  return `Using token for context ${context}\n\n${verdict}`;
}

function failure(code: number, stderr: string, stdout = ""): Outcome {
  return { code, stdout, stderr };
}

function json(status: number, message: string) {
  return { status, body: JSON.stringify({ id: "x", message, request_id: "ID" }) };
}

function page(status: number) {
  return { status, body: "<html>no</html>", headers: { "content-type": "text/html" } };
}

function tokenInEnv(token: string): Env {
  return { DIGITALOCEAN_ACCESS_TOKEN: token };
}

function namedByEnv(context: string): Env {
  return { DIGITALOCEAN_CONTEXT: context, ...tokenInEnv("E") };
}
