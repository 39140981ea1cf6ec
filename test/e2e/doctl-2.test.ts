import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { execa } from "execa";
import { describe, it, type TestContext, vi } from "vitest";
import { configWith, type OAuthServer, oauthServer, type Session } from "../fixtures/oauth.ts";
import { fakeBrowser, fakeDoctl } from "../fixtures/tools.ts";
import { type RunResult, randomToken, type Workbench, workbench } from "../fixtures/workbench.ts";

// Problems with doctl 2 (docs/contracts/doctl-2.md 8), by the number of the row, and more cases of
// each kind. 8.9 is what worked before and still works.

const OURS = "Sandbox Team";
const THEIRS = "Other Team";
const OTHER_TEAM = { uuid: "0af1c3de-other", name: THEIRS };
const EXPIRED = { expiresInSeconds: -60 };
/** For a repo that needs nothing else. */
const IGNORED = ".env*\n!.env.example\n*.secret.auto.tfvars.json\n";

type Test = Pick<TestContext, "onTestFinished">;
type DoctlSettings = NonNullable<Parameters<typeof fakeDoctl>[1]>;

/** A machine with doctl 2, and a repo with a personal access token of our team. */
interface Scene extends Workbench {
  readonly oauth: OAuthServer;
  /** doctl's config. */
  readonly config: string;
  put(text: string): Promise<void>;
  stored(): Promise<string>;
  doctl(...args: string[]): Promise<{ exitCode?: number; stdout: string; stderr: string }>;
  /** The team whose token doctl uses in a context; "nobody's" if doctl can't use the context. */
  teamIn(context: string): Promise<string>;
  /** What check reports about doctl: findings, and changes to make. */
  saidOfDoctl(): Promise<readonly string[]>;
}

async function scene(test: Test, settings: DoctlSettings = {}): Promise<Scene> {
  const bench = await workbench(test);
  const oauth = oauthServer(bench.sandbox);
  const { path } = await fakeDoctl(bench.bin, { edition: 2, ...settings });
  const config = join(bench.home, ".config/doctl/config.yaml");
  const doctl: Scene["doctl"] = (...args) =>
    execa(path, args, { env: bench.env, extendEnv: false, reject: false });
  await bench.write(".env", `DIGITALOCEAN_TOKEN=${bench.token}\n`, 0o600);
  await bench.write(".gitignore", IGNORED);
  return {
    ...bench,
    ...{ oauth, config, doctl },
    async put(text) {
      await mkdir(dirname(config), { recursive: true });
      await writeFile(config, text, { mode: 0o600 });
    },
    stored: () => readFile(config, "utf8"),
    async teamIn(context) {
      const args = ["account", "get", "--context", context, "-o", "json", "--http-retry-max", "0"];
      const { exitCode, stdout } = await doctl(...args);
      return exitCode === 0 ? JSON.parse(stdout).team.name : "nobody's";
    },
    async saidOfDoctl() {
      const { findings, pending } = JSON.parse((await bench.run(["check", "--json"])).stdout);
      const ids = findings.map(({ id }: { id: string }) => id);
      const changes = pending.map(({ kind }: { kind: string }) => kind);
      // These tests are not about the current context.
      const about = [...ids, ...changes].filter((each) => each !== "doctl.no-account");
      return about.filter((each) => /^doctl[.-]/.test(each));
    },
  };
}

/** Changes the value of one key in all sessions of a config. */
const having = (key: string, value: string) => (text: string) =>
  text.replace(new RegExp(`${key}: .*`, "g"), `${key}: ${value}`);

/**
 * Our token in a context next to an expired login, as an earlier release or `auth init` left it.
 */
function besideLogin(context: string, token: string, session: Session): string {
  const held =
    context.toLowerCase() === "default"
      ? `access-token: ${token}\n`
      : `auth-contexts:\n  ${context}: ${token}\n`;
  return `${held}oauth-tokens:\n${session.entry(context)}\n`;
}

const own = (context: string) => `doctl: { context: ${context.toLowerCase()} }\n`;

describe.concurrent("8.1 an expired login is not overwritten", () => {
  interface Given {
    readonly context?: string;
    readonly doctl?: DoctlSettings;
    /** Changes doctl's config. */
    readonly edit?: (text: string) => string;
    readonly arrange?: (scene: Scene) => unknown;
    /** The login can't be renewed afterwards. */
    readonly isStuck?: true;
  }
  const serverDown = { status: 502, body: "<html>" };
  const elsewhere = having("token-endpoint", "https://evil.example/t");
  const logins: readonly (readonly [what: string, given: Given])[] = [
    ["in a named context", {}],
    ["in default, which the config names", { context: "default" }],
    ["without expires-at", { edit: having("expires-at", '""'), isStuck: true }],
    ["whose server fails", { arrange: ({ oauth }) => oauth.fail(serverDown) }],
    ["with a token endpoint elsewhere", { edit: elsewhere, isStuck: true }],
    [
      "whose token auth remove has deleted",
      { arrange: ({ doctl }) => doctl("auth", "remove", "--context", "prod") },
    ],
    ["with a doctl that is too old", { doctl: { edition: 1 }, isStuck: true }],
    ["without doctl", { arrange: ({ bin }) => rm(join(bin, "doctl")), isStuck: true }],
  ];

  it.for(logins)("a login %s: init does not overwrite it", async ([, given], test) => {
    const { context = "prod", edit = String, arrange } = given;
    const bench = await scene(test, given.doctl);
    const theirs = bench.oauth.session({ ...EXPIRED, team: OTHER_TEAM });
    await bench.put(edit(configWith({ [context]: theirs })));
    await bench.write(".do-bootstraprc", own(context));
    await arrange?.(bench);
    const { status, stderr } = await bench.run(["init", "--yes", "--doctl-config"]);
    test.expect(status, stderr).toBe(3);
    test.expect(stderr).toContain("[doctl.other-login]");
    test.expect(await bench.stored()).not.toContain(bench.token);
    bench.oauth.fail(undefined);
    test.expect(await bench.teamIn(context)).toBe(given.isStuck ? "nobody's" : THEIRS);
  });

  it("check does not advise to overwrite it", async (test) => {
    const bench = await scene(test);
    await bench.put(configWith({ prod: bench.oauth.session({ ...EXPIRED, team: OTHER_TEAM }) }));
    await bench.write(".do-bootstraprc", own("prod"));
    test.expect(await bench.saidOfDoctl()).toEqual(["doctl.other-login"]);
  });

  it("a login of our team: init keeps it and warns", async (test) => {
    const bench = await scene(test);
    await bench.put(configWith({ prod: bench.oauth.session(EXPIRED) }));
    await bench.write(".do-bootstraprc", own("prod"));
    const { status, stderr } = await bench.run(["init", "--yes"]);
    test.expect(stderr).toContain("[doctl.same-team-login]");
    test.expect(status).toBe(0);
    test.expect(await bench.stored()).toContain("refresh-token");
  });
});

describe.concurrent("8.2 no login remains that would overwrite our token", () => {
  it.for([
    ["init --force", "acme-web"],
    ["init --force", "default"],
    ["rotate --token-stdin", "acme-web"],
    ["rotate --token-stdin", "default"],
    ["rotate --token-stdin", "Acme-Web"],
  ] as const)("%s in context %s", async ([line, context], test) => {
    const bench = await scene(test);
    const fresh = randomToken();
    bench.sandbox.accept(fresh);
    const left = bench.oauth.session({ ...EXPIRED, team: OTHER_TEAM });
    await bench.put(besideLogin(context, bench.token, left));
    await bench.write(".do-bootstraprc", own(context));
    const { status, stderr } = await bench.run([...line.split(" "), "--yes"], { input: fresh });
    test.expect(status, stderr).toBe(0);
    test.expect(await bench.teamIn(context)).toBe(OURS);
    test.expect(await bench.stored()).toContain(line.startsWith("rotate") ? fresh : bench.token);
    test.expect(await bench.saidOfDoctl()).toEqual([]);
  });

  it.for(["acme-web", "default"])(
    "check and init warn about a login in %s, and do not renew it",
    async (context, test) => {
      const bench = await scene(test);
      const left = bench.oauth.session({ ...EXPIRED, team: OTHER_TEAM });
      const before = besideLogin(context, bench.token, left);
      await bench.put(before);
      await bench.write(".do-bootstraprc", own(context));
      test.expect(await bench.saidOfDoctl()).toEqual(["doctl.session-left"]);
      const { status, stderr } = await bench.run(["init", "--yes"]);
      test.expect(stderr).toContain("[doctl.session-left]");
      test.expect(status).toBe(0);
      test.expect(await bench.stored()).toBe(before);
      test.expect(bench.oauth.requests).toEqual([]);
    },
  );

  it("init replaces a login that has ended", async (test) => {
    const bench = await scene(test);
    await bench.put(configWith({ prod: bench.oauth.session({ ...EXPIRED, team: OTHER_TEAM }) }));
    await bench.write(".do-bootstraprc", own("prod"));
    bench.oauth.endSession();
    const { status, stderr } = await bench.run(["init", "--yes"]);
    test.expect(status, stderr).toBe(0);
    test.expect(await bench.teamIn("prod")).toBe(OURS);
  });
});

describe.concurrent("8.3 logout removes this login for good, and no other", () => {
  it.for([
    ["logout", "acme-web"],
    ["logout", "default"],
    ["logout", "Acme-Web"],
    ["logout --all", "acme-web"],
    ["uninstall", "acme-web"],
  ] as const)("%s in context %s", async ([line, context], test) => {
    const bench = await scene(test);
    const left = bench.oauth.session({ ...EXPIRED, team: OTHER_TEAM });
    const other = bench.oauth.session({ team: OTHER_TEAM });
    const session = besideLogin(context, bench.token, left);
    await bench.put(`${session}${other.entry("other")}\n`);
    await bench.write(".do-bootstraprc", own(context));
    const { status, stderr } = await bench.run([...line.split(" "), "--yes"]);
    test.expect(status, stderr).toBe(0);
    test.expect(await bench.teamIn(context)).toBe("nobody's");
    test.expect(await bench.stored()).toContain(other.refreshToken);
    test.expect(await bench.stored()).not.toContain(left.refreshToken);
  });

  it.for([
    ["logout", "default"],
    ["logout", "acme-web"],
    ["rotate --token-stdin", "default"],
  ] as const)(
    "%s: .env has a token of the login in %s, and the login stays",
    async ([line, context], test) => {
      const bench = await scene(test);
      const login = bench.oauth.session();
      const before = configWith({ [context]: login });
      await bench.put(before);
      await bench.write(".env", `DIGITALOCEAN_TOKEN=${login.accessToken}\n`, 0o600);
      const args = [...line.split(" "), "--yes"];
      const { status, stderr } = await bench.run(args, { input: bench.token });
      test.expect(status, stderr).toBe(0);
      test.expect(await bench.read(".env")).not.toContain(login.accessToken);
      test.expect(await bench.stored()).toBe(before);
    },
  );
});

describe.concurrent("8.4 exec refuses doctl auth login, which would overwrite doctl's login", () => {
  it.for([
    "doctl auth login",
    "doctl auth login --context neu",
    "doctl --context=neu auth login --scopes read",
    "BIN/doctl auth login",
    // An option before the command, which the fake does not support.
    "doctl --callback-port 0 auth login",
  ])("%s: refused", async (line, test) => {
    const bench = await scene(test);
    await fakeBrowser(bench.bin);
    const before = configWith({ default: bench.oauth.session({ team: OTHER_TEAM }) });
    await bench.put(before);
    const words = `${line.replace("BIN", bench.bin)} --oauth-server ${bench.sandbox.url}`;
    const { status, stderr } = await bench.run(["exec", "--", ...words.split(" ")]);
    test.expect(await bench.stored()).toBe(before);
    test.expect(stderr).toContain("[DOCTL_LOGIN]");
    test.expect(status).toBe(125);
    test.expect(bench.oauth.requests).toEqual([]);
  });
});

describe.concurrent("8.5 an expired login is also renewed with exec", () => {
  it.for(["--context other", "--context=OTHER"])("doctl %s", async (context, test) => {
    const bench = await scene(test);
    await bench.put(configWith({ other: bench.oauth.session({ ...EXPIRED, team: OTHER_TEAM }) }));
    const line = ["exec", "--", "doctl", "account", "get", ...context.split(" ")];
    const { status, stdout, stderr } = await bench.run(line);
    test.expect(status, stderr).toBe(0);
    test.expect(stdout).toContain(THEIRS);
  });

  it("also when the shell has a token", async (test) => {
    const bench = await scene(test);
    await bench.put(configWith({ other: bench.oauth.session({ ...EXPIRED, team: OTHER_TEAM }) }));
    const env = { DIGITALOCEAN_ACCESS_TOKEN: bench.token };
    const line = ["exec", "--", "doctl", "--context", "other", "account", "get"];
    test.expect((await bench.run(line, { env })).stdout).toContain(THEIRS);
  });

  const refused = (stdout: string) => /\[token\.refused\]\n.*/.exec(stdout)?.[0];

  it("token.command with doctl auth token: check advises login", async (test) => {
    const bench = await scene(test);
    await bench.put(configWith({ default: bench.oauth.session(EXPIRED) }));
    await bench.write(".env", "");
    await bench.write(".do-bootstraprc", "token: { command: [doctl, auth, token] }\n");
    const { stdout } = await bench.run(["check", "--trust"]);
    test.expect(refused(stdout)).toContain("do-bootstrap login");
  });

  it.for(["the env file", "the environment"])(
    "an expired login's token in %s: check advises login",
    async (place, test) => {
      const bench = await scene(test);
      const { accessToken } = bench.oauth.session(EXPIRED);
      const isInFile = place === "the env file";
      await bench.write(".env", isInFile ? `DIGITALOCEAN_TOKEN=${accessToken}\n` : "", 0o600);
      const env = isInFile ? {} : { DIGITALOCEAN_TOKEN: accessToken };
      const { stdout } = await bench.run(["check"], { env });
      test.expect(refused(stdout)).toContain("do-bootstrap login");
    },
  );
});

describe.concurrent("8.6 uses the config that this doctl reads", () => {
  /** A doctl that starts with another HOME. */
  async function elsewhere(test: Test, path: string) {
    const bench = await scene(test);
    const start = `#!/bin/sh\nHOME="$HOME/own" exec ${bench.bin}/doctl "$@"\n`;
    await bench.write(`../${path}`, start, 0o755);
    const its = "home/own/.config/doctl/config.yaml";
    bench.mayHold(`../${its}`);
    const env = { PATH: `${dirname(join(bench.root, path))}${delimiter}${bench.bin}` };
    const run = (...args: string[]): Promise<RunResult> => bench.run(args, { env });
    return { ...bench, run, its: join(bench.root, its) };
  }

  it.for([
    ["a snap", "snap/bin/doctl"],
    ["a wrapper", "wrapped/doctl"],
  ] as const)("%s", async ([, path], test) => {
    const { run, its, config, token } = await elsewhere(test, path);
    const { status, stderr } = await run("init", "--yes");
    test.expect(status, stderr).toBe(0);
    test.expect(await readFile(its, "utf8")).toBe(`access-token: "${token}"\n`);
    await test.expect(stat(config)).rejects.toThrow("ENOENT");
    const [use] = JSON.parse((await run("check", "--json")).stdout).uses;
    test.expect(use).toMatchObject({ tool: "doctl", via: "plain", where: `${its}:1` });
    await run("logout", "--yes");
    test.expect(await readFile(its, "utf8")).toBe('access-token: ""\n');
  });
});

describe.concurrent("8.7 explain understands doctl 2", () => {
  it("a call for which the token lacks a scope", async (test) => {
    const bench = await scene(test);
    bench.sandbox.accept(bench.token, { scopes: ["droplet:read"] });
    const line = ["exec", "--explain", "--", "doctl", "account", "get"];
    const { status, stderr } = await bench.run(line);
    test.expect(status).toBe(1);
    test.expect(stderr).toContain("✗ The token lacks account:read.");
  });

  it("a login that can't be renewed", async (test) => {
    const bench = await scene(test);
    await bench.put(configWith({ default: bench.oauth.session(EXPIRED) }));
    bench.oauth.endSession();
    const { stderr } = await bench.doctl("account", "get");
    test.expect(stderr).toContain("could not be renewed");
    const { status, stdout } = await bench.run(["explain", "-"], { input: stderr });
    test.expect(status).toBe(0);
    test.expect(stdout).toContain("A refresh token works once");
  });

  // As build O printed it on a terminal.
  it("a login that timed out, with the whole screen output", async (test) => {
    const underlined = [..."http://127.0.0.1:9/v1/oauth/authorize?state=x"].map(
      (each) => `\x1b[4m${each}\x1b[0m`,
    );
    const input = `Visit the following URL to authorize doctl. The link below expires after 1 second.\n\n  ${underlined.join("")}\n\nWaiting for authorization... ✘\n\nError: Unable to authenticate with DigitalOcean: timed out after 1s waiting for browser authorization\n`;
    const { status, stdout } = await (await scene(test)).run(["explain", "-"], { input });
    test.expect(status).toBe(0);
    test.expect(stdout).toContain("Nobody finished the login in time.");
  });
});

describe.concurrent("8.8 a login's token does not last", () => {
  it.for([
    ["init --save with a token in the environment", ["init", "--yes", "--save"], "environment"],
    ["init --save with token.command", ["init", "--yes", "--save", "--trust"], "command"],
    ["rotate", ["rotate", "--token-stdin", "--force", "--yes"], "stdin"],
  ] as const)("%s writes it to .env and warns", async ([, args, from], test) => {
    const bench = await scene(test);
    const { accessToken } = bench.oauth.session();
    if (from !== "stdin") await bench.write(".env", "");
    await bench.write("../token", accessToken, 0o600);
    await bench.write(
      "../bin/get",
      `#!${process.execPath}\nprocess.stdout.write("${accessToken}")\n`,
      0o755,
    );
    bench.mayHold("../bin/get");
    if (from === "command") await bench.write(".do-bootstraprc", "token: { command: [get] }\n");
    const env = from === "environment" ? { DIGITALOCEAN_TOKEN: accessToken } : {};
    const { status, stderr } = await bench.run(args, { env, input: accessToken });
    test.expect(status, stderr).toBe(0);
    test.expect(await bench.read(".env")).toContain(accessToken);
    test.expect(stderr).toContain("[token.of-session]");
  });

  it.for([
    ["default", "alone"],
    ["other", "alone"],
    ["other", "beside a token in the shell"],
  ] as const)(
    "check's output about a login in %s (%s) stays the same after a renewal",
    async ([context, beside], test) => {
      const bench = await scene(test);
      const login = bench.oauth.session({ team: OTHER_TEAM });
      const config = configWith({ [context]: login }, { context });
      await bench.put(config);
      const env = beside === "alone" ? {} : { DIGITALOCEAN_ACCESS_TOKEN: bench.token };
      const before = await bench.run(["check"], { env });
      await bench.put(having("expires-at", '"2026-01-01T00:00:00Z"')(config));
      test.expect(await bench.teamIn(context)).toBe(THEIRS);
      test.expect(await bench.stored()).not.toContain(login.accessToken);
      test.expect((await bench.run(["check"], { env })).stdout).toBe(before.stdout);
    },
  );
});

describe.concurrent("8.9 what worked before still works", () => {
  it("init refuses to replace a valid login of another team", async (test) => {
    const bench = await scene(test);
    const before = configWith({ prod: bench.oauth.session({ team: OTHER_TEAM }) });
    await bench.put(before);
    await bench.write(".do-bootstraprc", own("prod"));
    const { status, stderr } = await bench.run(["init", "--yes"]);
    test.expect(stderr).toContain("[doctl.other-login]");
    test.expect(status).toBe(3);
    test.expect(await bench.stored()).toBe(before);
  });

  it("check does not renew an expired login next to another team's valid token", async (test) => {
    const bench = await scene(test);
    const other = randomToken();
    bench.sandbox.accept(other, { team: OTHER_TEAM });
    const before = besideLogin("prod", other, bench.oauth.session(EXPIRED));
    await bench.put(before);
    await bench.write(".do-bootstraprc", own("prod"));
    test.expect(await bench.saidOfDoctl()).toEqual(["doctl.other-login"]);
    test.expect(await bench.stored()).toBe(before);
  });

  it("init keeps a valid login of our team and warns", async (test) => {
    const bench = await scene(test);
    const before = configWith({ default: bench.oauth.session() });
    await bench.put(before);
    const { status, stderr } = await bench.run(["init", "--yes"]);
    test.expect(stderr).toContain("[doctl.same-team-login]");
    test.expect(status).toBe(0);
    test.expect(await bench.stored()).toBe(before);
  });

  it.for([
    ["valid", 3600],
    ["expired", -60],
  ] as const)(
    "init does not overwrite default with another team's %s login",
    async ([, expiresInSeconds], test) => {
      const bench = await scene(test);
      await bench.put(
        configWith({ default: bench.oauth.session({ team: OTHER_TEAM, expiresInSeconds }) }),
      );
      const { status, stderr } = await bench.run(["init", "--yes"]);
      test.expect(status, stderr).toBe(0);
      test.expect(await bench.teamIn("default")).toBe(THEIRS);
      test.expect(await bench.teamIn("acme-web")).toBe(OURS);
    },
  );

  it("exec -- doctl auth token prints our token", async (test) => {
    const bench = await scene(test);
    await bench.put(
      configWith({ other: bench.oauth.session({ team: OTHER_TEAM }) }, { context: "other" }),
    );
    const { stdout } = await bench.run(["exec", "--", "doctl", "auth", "token"]);
    test.expect(stdout).toBe(`${bench.token}\n`);
  });

  it("exec -- doctl auth login --help prints help", async (test) => {
    const { stdout } = await (await scene(test)).run([
      "exec",
      "--",
      "doctl",
      "auth",
      "login",
      "--help",
    ]);
    test.expect(stdout).toContain("--scopes");
  });

  it("init waits while doctl writes a renewed login", async (test) => {
    const bench = await scene(test, { writeDelayMs: 800 });
    await bench.put(configWith({ other: bench.oauth.session({ ...EXPIRED, team: OTHER_TEAM }) }));
    const doctl = bench.teamIn("other");
    await vi.waitUntil(async () => (await stat(bench.config)).size === 0, {
      timeout: 60_000,
      interval: 5,
    });
    const { status, stderr } = await bench.run(["init", "--yes"]);
    test.expect(status, stderr).toBe(0);
    test.expect(await doctl).toBe(THEIRS);
    test.expect(await bench.teamIn("other")).toBe(THEIRS);
    test.expect(await bench.teamIn("acme-web")).toBe(OURS);
  });

  it.for([
    ["✓", {}],
    ["+", { DOCTL_ASCII: "1" }],
  ] as const)("recognizes doctl's successful token check by %s", async ([, env], test) => {
    const bench = await scene(test);
    const { status, stderr } = await bench.run(["init", "--yes"], { env });
    test.expect(status, stderr).toBe(0);
    test.expect(stderr).not.toContain("doctl could not check");
    test.expect(await readdir(dirname(bench.config))).toEqual(["config.yaml"]);
  });

  it("recognizes doctl's refusal of a token", async (test) => {
    const bench = await scene(test);
    bench.sandbox.answer("GET /v1/oauth/token/info", { status: 401, body: "{}" });
    const { status, stderr } = await bench.run(["init", "--yes"]);
    test.expect(stderr).toContain("[DOCTL_REFUSED_TOKEN]");
    test.expect(status).toBe(4);
  });

  it("works in a home folder with a bracket in its name", async (test) => {
    const bench = await scene(test);
    const home = join(bench.root, "a]b");
    await mkdir(home);
    const config = "a]b/.config/doctl/config.yaml";
    bench.mayHold(`../${config}`);
    const { status, stderr } = await bench.run(["init", "--yes"], { env: { HOME: home } });
    test.expect(status, stderr).toBe(0);
    test.expect(await readFile(join(bench.root, config), "utf8")).toContain(bench.token);
  });

  it("explain reads the JSON of doctl 2", async (test) => {
    const bench = await scene(test);
    bench.sandbox.accept(bench.token, { scopes: ["droplet:read"] });
    await bench.put(`access-token: ${bench.token}\n`);
    const { stdout: said } = await bench.doctl("account", "get", "-o", "json");
    const input = said.replace(bench.sandbox.url, "https://api.digitalocean.com");
    const { stdout } = await bench.run(["explain", "-"], { input });
    test.expect(stdout).toContain("✗ The token lacks account:read.");
  });
});
