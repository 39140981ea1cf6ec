import { cp, mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { execa } from "execa";
import { describe, expect, it, type TestContext, vi } from "vitest";
import { parse } from "yaml";
import { configWith, type OAuthServer, oauthServer } from "../fixtures/oauth.ts";
import { ASKS, CONFIRMS, needsScript, start as startOnTerminal } from "../fixtures/terminal.ts";
import { fakeBrowser, fakeDoctl } from "../fixtures/tools.ts";
import { type Workbench, workbench } from "../fixtures/workbench.ts";

const OTHER_TEAM = { uuid: "0af1c3de-other", name: "Other Team" };
const DROPLET = join(import.meta.dirname, "../../examples/droplet");

interface Scene extends Workbench {
  readonly oauth: OAuthServer;
  readonly browser: Awaited<ReturnType<typeof fakeBrowser>>;
  readonly doctl: Awaited<ReturnType<typeof fakeDoctl>>;
  readonly config: string;
  doctlConfig(): Promise<{
    "access-token"?: string;
    "auth-contexts": Record<string, string>;
    "oauth-tokens": Record<string, Record<string, string>>;
    context?: string;
  }>;
}

interface Given {
  readonly edition?: 1 | 2;
  readonly code?: boolean;
  readonly browser?: "signs-in" | "never";
}

/**
 * A machine with doctl 2, a screen, a browser whose user agrees, and the code of examples/droplet.
 */
async function scene(
  { edition = 2, code = true, browser: mode = "signs-in" }: Given = {},
  context: Partial<Pick<TestContext, "onTestFinished">> = {},
): Promise<Scene> {
  const bench = await workbench(context);
  const oauth = oauthServer(bench.sandbox);
  const doctl = await fakeDoctl(bench.bin, { edition });
  const browser = await fakeBrowser(bench.bin, { mode });
  if (code) {
    await cp(join(DROPLET, "infra"), join(bench.repo, "infra"), { recursive: true });
    // The example's config declares these variables.
    const names = ["admin_addresses", "region", "ssh_key"];
    const declared = names.map((name) => `variable "${name}" {}\n`).join("");
    await bench.write("infra/inputs.tf", declared);
  }
  const config = join(bench.home, ".config/doctl/config.yaml");
  const screen = { DISPLAY: ":0" };
  return {
    ...bench,
    ...{ oauth, browser, doctl, config },
    run: (args, options = {}) =>
      bench.run(args, { ...options, env: { ...screen, ...options.env } }),
    start: (args, options = {}) =>
      bench.start(args, { ...options, env: { ...screen, ...options.env } }),
    doctlConfig: async () => parse(await readFile(config, "utf8")),
  };
}

async function put(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text, { mode: 0o600 });
}

describe("login", () => {
  it("requests the scopes that the code needs, and stores no token in the repo", async () => {
    const { run, oauth, doctlConfig, read, repo, home } = await scene();
    const { status, stderr } = await run(["login", "--yes"]);
    expect(stderr).not.toContain("✗");
    expect(status, stderr).toBe(0);
    const [request] = oauth.requests;
    expect(request?.scope?.split(" ")).toEqual(
      expect.arrayContaining(["account:read", "droplet:create", "droplet:delete", "droplet:read"]),
    );
    expect(request?.scope).not.toMatch(/\b(write|database|kubernetes)/);
    expect(stderr).toMatch(/droplet:create +digitalocean_droplet\.web, .*main\.tf:\d+/);
    const config = await doctlConfig();
    expect(config["auth-contexts"]["acme-web"]).toMatch(/^doo_v1_/);
    expect(config["oauth-tokens"]["acme-web"]?.["refresh-token"]).toMatch(/^dor_v1_/);
    expect(parse(await read("do-bootstrap.config.yaml")).token.doctl).toBe("acme-web");
    expect(await read("infra/do-bootstrap.tf")).toContain('provider "digitalocean" {}');
    expect(await readdir(repo)).not.toContain(".env");
    expect(await readdir(join(home, ".local/state/do-bootstrap/login"))).toEqual([]);
    const check = await run(["check"]);
    expect(check.status, check.stdout).toBe(0);
    const again = await run([]);
    expect(again.stderr).toMatch(/nothing to change \(the login of doctl context acme-web, /);
  });

  it("keeps doctl's current context, other contexts and default token", async () => {
    const { run, oauth, config, doctlConfig, token } = await scene();
    const other = oauth.session({ team: OTHER_TEAM });
    await put(config, `access-token: ${token}\n${configWith({ other }, { context: "other" })}`);
    const { status, stderr } = await run(["login", "--yes"]);
    expect(status, stderr).toBe(0);
    const now = await doctlConfig();
    expect(now).toMatchObject({ "access-token": token, context: "other" });
    expect(now["auth-contexts"]["other"]).toBe(other.accessToken);
    expect(now["oauth-tokens"]["other"]?.["refresh-token"]).toBe(other.refreshToken);
  });

  it("starts doctl without the environment's token and settings", async () => {
    const { run, doctl, token } = await scene();
    const env = { DIGITALOCEAN_ACCESS_TOKEN: token, DIGITALOCEAN_CONTEXT: "other" };
    await run(["login", "--yes"], { env });
    const call = (await doctl.calls()).find(({ argv }) => argv[1] === "login" && argv.length > 3);
    expect(call?.env).toEqual([]);
  });

  it("removes the token from the env file and from Terraform's values", async () => {
    const { run, write, read, token, repo } = await scene();
    const piped = await run(["--token-stdin", "--yes"], { input: token });
    expect(piped.status, piped.stderr).toBe(0);
    await write(".env", `PORT=80\n${await read(".env")}`, 0o600);
    const { status, stderr } = await run(["login", "--yes", "--force"]);
    expect(status, stderr).toBe(0);
    expect(await read(".env")).toBe("PORT=80\n");
    expect(await readdir(join(repo, "infra"))).not.toContain(
      "do-bootstrap.secret.auto.tfvars.json",
    );
    expect(await read("infra/do-bootstrap.tf")).toContain('provider "digitalocean" {}');
    expect((await run(["check"])).status).toBe(0);
  });

  it("--for plan requests fewer scopes", async () => {
    const { run, oauth } = await scene();
    await run(["login", "--for", "plan", "--yes"]);
    expect(oauth.requests[0]?.scope).toMatch(/\bdroplet:read\b/);
    expect(oauth.requests[0]?.scope).not.toContain("create");
  });

  it("without Terraform code, the user picks the scopes", async () => {
    const { run, oauth } = await scene({ code: false });
    const { stderr, status } = await run(["login", "--yes"]);
    expect(status, stderr).toBe(0);
    expect(stderr).toContain("choose them on DigitalOcean's page");
    expect(oauth.requests[0]?.scope).toBeUndefined();
  });

  it("an environment gets its own login", async () => {
    const { run, write, read, doctlConfig } = await scene();
    await write("do-bootstrap.config.yaml", "project: acme\nenvironments:\n  prod: {} # live\n");
    const { status, stderr } = await run(["login", "--env", "prod", "--yes"]);
    expect(status, stderr).toBe(0);
    expect(Object.keys((await doctlConfig())["auth-contexts"])).toEqual(["acme-prod"]);
    expect(await read("do-bootstrap.config.yaml")).toBe(
      "project: acme\nenvironments:\n  prod: { token: { doctl: acme-prod } } # live\n",
    );
  });
});

const DOCTL_BIN = process.env["DOCTL_BIN"];
const canLogIn =
  DOCTL_BIN !== undefined &&
  (await execa(resolve(DOCTL_BIN), ["auth", "login", "--help"])).stdout.includes("--scopes");
const real = canLogIn ? "" : " (needs DOCTL_BIN with auth login)";

it.skipIf(!canLogIn)(
  `a real doctl logs in, renews the login for exec, and logs out${real}`,
  { timeout: 240_000 },
  async () => {
    const { run, oauth, doctlConfig, config, bin, home, sandbox } = await scene();
    await rm(join(bin, "doctl"));
    await symlink(resolve(DOCTL_BIN ?? ""), join(bin, "doctl"));
    const login = await run(["login", "--yes"]);
    expect(login.status, login.stderr).toBe(0);
    const first = await doctlConfig();
    expect(first["auth-contexts"]["acme-web"]).toMatch(/^doo_v1_/);
    expect(first.context).toBeUndefined();
    await writeFile(
      config,
      (await readFile(config, "utf8")).replace(
        /expires-at: .*/,
        'expires-at: "2026-01-01T00:00:00Z"',
      ),
    );
    const exec = await run(["exec", "--", "/usr/bin/env"]);
    expect(exec.status, exec.stderr).toBe(0);
    const second = await doctlConfig();
    expect(second["auth-contexts"]["acme-web"]).not.toBe(first["auth-contexts"]["acme-web"]);
    expect(exec.stdout).toContain(`DIGITALOCEAN_TOKEN=${second["auth-contexts"]["acme-web"]}`);
    expect(oauth.requests.map(({ kind, ok }) => [kind, ok])).toEqual([
      ["authorize", true],
      ["code", true],
      ["refresh", true],
    ]);
    const account = ["account", "get", "--api-url", sandbox.url];
    const under = await run(["exec", "--", "doctl", ...account]);
    expect(under.stdout, under.stderr).toContain("sammy@example.com");
    const logout = await run(["logout", "--yes"]);
    expect(logout.status, logout.stderr).toBe(0);
    expect(await readFile(config, "utf8")).not.toMatch(/do[or]_v1_/);
    expect(await readdir(join(home, ".local/state/do-bootstrap/login"))).toEqual([]);
  },
);

const MENU = /◆ +How do you want to sign in to DigitalOcean\?[\s\S]+Paste a token/;
const onScreen = (context: TestContext, bench: Scene, args: readonly string[] = []) =>
  startOnTerminal(context, bench, args, { env: { DISPLAY: ":0" } });

describe.skipIf(needsScript !== "").concurrent(`a user at a terminal${needsScript}`, () => {
  it("without a token, is offered a login first, and needs three keys", async (context) => {
    const bench = await scene({}, context);
    const terminal = onScreen(context, bench);
    await terminal.waitFor(MENU);
    terminal.type("\r");
    await terminal.waitFor(/droplet:create +digitalocean_droplet\.web/);
    await terminal.waitFor(/Make acme-web doctl's current context\?/);
    terminal.type("\r");
    const plan = await terminal.until(CONFIRMS);
    context.expect(plan).toContain("the login of doctl context acme-web, of sammy@example.com");
    context.expect(plan).toContain("~ doctl's current context");
    terminal.type("y");
    context.expect(await terminal.exit, terminal.screen()).toBe(0);
    context.expect(terminal.screen()).toContain("do-bootstrap exec -- terraform -chdir=infra init");
    context.expect(terminal.raw()).not.toMatch(/do[or]_v1_/);
    context.expect((await bench.run(["check"])).status).toBe(0);
    context.expect((await bench.doctlConfig()).context).toBe("acme-web");
  });

  it("can paste a token instead", async (context) => {
    const bench = await scene({}, context);
    const terminal = onScreen(context, bench);
    await terminal.waitFor(MENU);
    terminal.type("\x1b[B\r");
    await terminal.waitFor(ASKS);
    terminal.type(`${bench.token}\r`);
    await terminal.waitFor(CONFIRMS);
    terminal.type("n");
    context.expect(await terminal.exit).toBe(1);
  });

  it("sees which doctl version can log in, if the installed one can't", async (context) => {
    const bench = await scene({ edition: 1 }, context);
    const terminal = onScreen(context, bench);
    const guide = await terminal.until(ASKS);
    context.expect(guide).toContain("With doctl 2.5 or newer you can log in with your browser");
    terminal.type("\x03");
    context.expect(await terminal.exit).toBe(130);
  });

  it("keeps the login after declining the plan, and sees that", async (context) => {
    const bench = await scene({}, context);
    const terminal = onScreen(context, bench, ["login"]);
    await terminal.waitFor(/Make acme-web doctl's current context\?/);
    terminal.type("n");
    await terminal.waitFor(CONFIRMS);
    terminal.type("n");
    context.expect(await terminal.exit).toBe(1);
    const said = terminal.screen().replace(/\s+/g, " ");
    context.expect(said).toContain("Logged in: doctl context acme-web.");
    context.expect((await bench.doctlConfig())["auth-contexts"]["acme-web"]).toMatch(/^doo_/);
    context.expect(await readdir(bench.repo)).toEqual([".git", "infra"]);
  });

  it("is offered an existing login of doctl, and the repo then uses it", async (context) => {
    const bench = await scene({}, context);
    await put(bench.config, configWith({ mine: bench.oauth.session() }));
    const terminal = onScreen(context, bench);
    await terminal.waitFor(/doctl context mine [\s\S]+Use it\?/);
    terminal.type("y");
    await terminal.waitFor(CONFIRMS);
    terminal.type("y");
    context.expect(await terminal.exit, terminal.screen()).toBe(0);
    const written = parse(await bench.read("do-bootstrap.config.yaml"));
    context.expect(written.token.doctl).toBe("mine");
    context.expect(await readdir(bench.repo)).not.toContain(".env");
    context.expect((await bench.run(["check"])).status).toBe(0);
  });

  it("is asked before another login is replaced", async (context) => {
    const bench = await scene({}, context);
    const theirs = bench.oauth.session({ team: OTHER_TEAM });
    await put(bench.config, configWith({ "acme-web": theirs }));
    const terminal = onScreen(context, bench, ["login", "--yes"]);
    await terminal.waitFor(/holds a login for Other Team[\s\S]+Replace it\?/);
    terminal.type("y");
    context.expect(await terminal.exit, terminal.screen()).toBe(0);
    context.expect(await readFile(bench.config, "utf8")).not.toContain(theirs.refreshToken);
  });

  it.for([
    ["y", 0],
    ["n", 3],
  ] as const)("is asked before a token replaces a login: %s", async ([key, status], context) => {
    const bench = await scene({}, context);
    const theirs = bench.oauth.session({ team: OTHER_TEAM });
    await put(bench.config, configWith({ acme: theirs }));
    await bench.write(".do-bootstraprc", "doctl: { context: acme }\n");
    await bench.write(".env", `DIGITALOCEAN_TOKEN=${bench.token}\n`, 0o600);
    const terminal = onScreen(context, bench, ["--yes"]);
    await terminal.waitFor(
      /acme holds a browser login, which doctl renews\.[\s\S]+Replace it with this token\?/,
    );
    terminal.type(key);
    context.expect(await terminal.exit, terminal.screen()).toBe(status);
    const text = await readFile(bench.config, "utf8");
    context.expect(text.includes(theirs.refreshToken)).toBe(key === "n");
    context.expect(text.includes(bench.token)).toBe(key === "y");
  });

  it("Ctrl-C while doctl waits for the browser changes nothing", async (context) => {
    const bench = await scene({ browser: "never" }, context);
    const terminal = onScreen(context, bench, ["login"]);
    await terminal.waitFor(/Waiting for/);
    terminal.type("\x03");
    context.expect(await terminal.exit).toBe(130);
    context.expect(await readdir(bench.repo)).toEqual([".git", "infra"]);
    context.expect(await readdir(join(bench.home, ".local/state/do-bootstrap/login"))).toEqual([]);
  });
});

describe("replacing or ending a login", () => {
  const named = "token: { doctl: acme-web }\n";

  it("rotate starts a new login, and says that the old one is still valid", async () => {
    const { run, oauth, write, config, doctlConfig } = await scene();
    await write("do-bootstrap.config.yaml", named);
    const old = oauth.session();
    await put(config, configWith({ "acme-web": old }));
    const { status, stderr } = await run(["rotate", "--yes"]);
    expect(status, stderr).toBe(0);
    expect(stderr).toContain("[token.still-valid]");
    expect((await doctlConfig())["auth-contexts"]["acme-web"]).not.toBe(old.accessToken);
    expect(await readFile(config, "utf8")).not.toContain(old.refreshToken);
  });

  it("rotate --revoke also revokes the old login", async () => {
    const { run, oauth, write, config, sandbox } = await scene();
    await write("do-bootstrap.config.yaml", named);
    const old = oauth.session();
    await put(config, configWith({ "acme-web": old }));
    const { status, stderr } = await run(["rotate", "--revoke", "--yes"]);
    expect(status, stderr).toBe(0);
    expect(sandbox.requests.map(({ path }) => path)).toContain("/v1/oauth/revoke");
    expect(stderr).not.toContain("[token.not-revoked]");
  });

  it("rotate refuses a piped token", async () => {
    const { run, write, token } = await scene();
    await write("do-bootstrap.config.yaml", named);
    const { status, stderr } = await run(["rotate", "--token-stdin", "--yes"], { input: token });
    expect(status).toBe(2);
    expect(stderr).toContain("rotate starts a new login");
  });

  it.each([
    ["valid", 3600],
    ["expired", -60],
  ])(
    "logout ends a login that is %s without renewing it, and says what remains",
    async (_, left) => {
      const { run, oauth, write, config } = await scene();
      await write("do-bootstrap.config.yaml", named);
      const [ours, other] = [oauth.session({ expiresInSeconds: left }), oauth.session()];
      await put(config, configWith({ "acme-web": ours, other }));
      const { status, stderr } = await run(["logout", "--yes"]);
      expect(status, stderr).toBe(0);
      const text = await readFile(config, "utf8");
      expect(text).not.toContain(ours.accessToken);
      expect(text).not.toContain(ours.refreshToken);
      expect(text).toContain(other.refreshToken);
      expect(stderr).toContain("Authorized Applications");
      expect(oauth.requests).toEqual([]);
      expect((await run(["check"])).stdout).toContain("[token.login-missing]");
    },
  );

  it.each([["login"], ["rotate"]])(
    "%s --dry-run shows the login, and opens no browser",
    async (command) => {
      const { run, oauth, write, repo } = await scene();
      await write("do-bootstrap.config.yaml", named);
      const before = await readdir(repo);
      const { status, stdout, stderr } = await run([command, "--dry-run"]);
      expect(status, stderr).toBe(0);
      expect(stdout).toContain("+ login of doctl context acme-web");
      expect(stderr).toContain("droplet:create");
      expect(oauth.requests).toEqual([]);
      expect(await readdir(repo)).toEqual(before);
    },
  );
});

describe("login fails or stops", () => {
  it.each([
    ["a user who declines", (oauth: OAuthServer) => oauth.deny("access_denied")],
    ["scopes that DigitalOcean doesn't know", (oauth: OAuthServer) => oauth.deny("invalid_scope")],
    ["a server that fails", (oauth: OAuthServer) => oauth.fail({ status: 502, body: "<html>" })],
    ["a server that closes the connection", (oauth: OAuthServer) => oauth.fail("disconnect")],
  ])("%s: changes nothing, and shows doctl's error", async (_, arrange) => {
    const { run, oauth, home, repo } = await scene();
    arrange(oauth);
    const before = await readdir(repo);
    const { status, stderr } = await run(["login", "--yes"]);
    expect(status).toBe(4);
    expect(stderr).toContain("[LOGIN_FAILED]");
    expect(stderr).toContain("Error:");
    expect(await readdir(repo)).toEqual(before);
    expect(await readdir(join(home, ".config/doctl")).catch(() => [])).toEqual([]);
    expect(await readdir(join(home, ".local/state/do-bootstrap/login"))).toEqual([]);
  });

  it("does not store a login of another team than account.team", async () => {
    const { run, oauth, write, config } = await scene();
    await write(
      "do-bootstrap.config.yaml",
      "account: { team: 5df3e3004a17e242b7c20ca6c9fc25b701a47ece }\n",
    );
    oauth.next({ team: OTHER_TEAM });
    const { status, stderr } = await run(["login", "--yes"]);
    expect(status).toBe(4);
    expect(stderr).toContain("[token.wrong-team]");
    await expect(readFile(config)).rejects.toThrow("ENOENT");
  });

  it("--yes does not replace a valid token in the context", async () => {
    const { run, write, token, config, oauth } = await scene();
    await write("do-bootstrap.config.yaml", "token: { doctl: acme-web }\n");
    const before = `auth-contexts:\n  acme-web: ${token}\n`;
    await put(config, before);
    const { status, stderr } = await run(["login", "--yes"]);
    expect(status).toBe(1);
    expect(stderr).toContain("still has its previous login");
    expect(await readFile(config, "utf8")).toBe(before);
    expect(oauth.requests).toEqual([]);
  });

  it("opens no browser when git does not ignore doctl's config", async () => {
    const { run, oauth, repo } = await scene();
    const env = { DIGITALOCEAN_CONFIG: join(repo, "doctl.yaml") };
    const { status, stderr } = await run(["login", "--yes"], { env });
    expect(status).toBe(3);
    expect(stderr).toContain("[doctl.in-git]");
    expect(oauth.requests).toEqual([]);
  });

  it("killed before it is stored: exec ignores the login, login needs no browser again", async () => {
    const { run, start, oauth, home, config, write } = await scene();
    await write("do-bootstrap.config.yaml", "token: { doctl: acme-web }\n");
    await put(config, "context: default\n");
    const lock = join(dirname(config), ".do-bootstrap.lock");
    await put(lock, JSON.stringify({ pid: process.pid, machine: "elsewhere", host: "x", id: "x" }));
    const folder = join(home, ".local/state/do-bootstrap/login");
    const child = start(["login", "--yes"]);
    await vi.waitUntil(
      async () => {
        const name = (await readdir(folder).catch(() => [])).find((each) => each.endsWith(".yaml"));
        return name && (await readFile(join(folder, name), "utf8")).includes("dor_v1_");
      },
      { timeout: 60_000 },
    );
    child.kill("SIGKILL");
    await new Promise((resolve) => child.once("close", resolve));
    await rm(lock);
    expect((await run(["exec", "--", "/bin/true"])).stderr).toContain("[token.login-missing]");
    const { status, stderr } = await run(["login", "--yes"]);
    expect(status, stderr).toBe(0);
    expect(oauth.requests.map(({ kind }) => kind)).toEqual(["authorize", "code"]);
    expect(await readdir(folder)).toEqual([]);
  });

  it("--yes does not replace another valid login in the context; --force does", async () => {
    const { run, oauth, config } = await scene();
    const before = configWith({ "acme-web": oauth.session({ team: OTHER_TEAM }) });
    await put(config, before);
    const { status, stderr } = await run(["login", "--yes"]);
    expect(status).toBe(1);
    expect(stderr).toContain("still has its previous login");
    expect(stderr).toContain("do-bootstrap login --force");
    expect(await readFile(config, "utf8")).toBe(before);
    expect((await run(["login", "--yes", "--force"])).status).toBe(0);
  });

  it("--yes does not replace the repo's login with one of another team", async () => {
    const { run, oauth, write, config } = await scene();
    await write("do-bootstrap.config.yaml", "token: { doctl: acme-web }\n");
    const before = configWith({ "acme-web": oauth.session() });
    await put(config, before);
    oauth.next({ team: OTHER_TEAM });
    const { status, stderr } = await run(["login", "--yes"]);
    expect(status).toBe(1);
    expect(stderr).toContain("still has its previous login");
    expect(await readFile(config, "utf8")).toBe(before);
  });

  it.each([
    ["a doctl without browser login", { edition: 1 as const }, [], 4, "doctl 2.5 or newer"],
    ["CI", {}, [["CI", "true"]], 2, "Can't log in with a browser in CI."],
    ["a config without doctl", {}, [], 2, "doctl: false can't be combined"],
    ["a config with a secret file", {}, [], 2, "terraform.credentials: tfvars can't be combined"],
  ])("%s", async (what, given, env, status, words) => {
    const { run, write, oauth } = await scene(given);
    if (what === "a config without doctl") await write(".do-bootstraprc", "doctl: false\n");
    if (what === "a config with a secret file") {
      await write(".do-bootstraprc", "terraform: { dir: infra, credentials: tfvars }\n");
    }
    const result = await run(["login", "--yes"], { env: Object.fromEntries(env) });
    expect(result.stderr).toContain(words);
    expect(result.status).toBe(status);
    expect(oauth.requests).toEqual([]);
  });

  it("without a browser, prints the address and the ssh command to forward the port", async () => {
    const { start, oauth, sandbox } = await scene();
    const env = { SSH_CONNECTION: "10.0.0.9 5022 10.0.0.7 22", USER: "sammy" };
    const child = start(["login", "--yes", "--callback-port", "0"], { env });
    child.kill();
    const said = { text: "" };
    const login = start(["login", "--yes"], { env });
    login.stderr?.on("data", (chunk) => {
      said.text += chunk;
    });
    const address = await vi.waitUntil(
      () => new RegExp(`${sandbox.url}/v1/oauth/authorize\\S+`).exec(said.text)?.[0],
      { timeout: 60_000 },
    );
    expect(said.text).toContain("ssh -N -L 49190:127.0.0.1:49190 sammy@10.0.0.7");
    expect(new URL(address).searchParams.get("redirect_uri")).toBe(
      "http://127.0.0.1:49190/callback",
    );
    await fetch(address);
    const status = await new Promise((resolve) => login.once("close", resolve));
    expect(status, said.text).toBe(0);
    expect(oauth.requests.map(({ kind }) => kind)).toEqual(["authorize", "code"]);
  });
});
