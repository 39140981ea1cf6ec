import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it, vi } from "vitest";
import { parse } from "yaml";
import { configWith, type OAuthServer, oauthServer, type Session } from "../fixtures/oauth.ts";
import { START_LINE } from "../fixtures/program.ts";
import { fakeBrowser, fakeDoctl } from "../fixtures/tools.ts";
import { type RunOptions, type Workbench, workbench } from "../fixtures/workbench.ts";

const OTHER_TEAM = { uuid: "0af1c3de-other", name: "Other Team" };
const PRINT_ENV = ["exec", "--", "/usr/bin/env"];

/** A machine with doctl 2 and two logins; the repo's config names the first. */
interface Scene extends Workbench {
  readonly oauth: OAuthServer;
  readonly ours: Session;
  readonly theirs: Session;
  readonly config: string;
  /** doctl's config, as it is now. */
  doctlConfig(): Promise<{
    "auth-contexts": Record<string, string>;
    "oauth-tokens": Record<string, Record<string, string>>;
    context: string;
  }>;
  /** The environment of a command that exec runs. */
  environment(options?: RunOptions): Promise<Readonly<Record<string, string>>>;
}

interface Given {
  /** For acme-web's access token. */
  readonly expiresInSeconds?: number;
  readonly repoConfig?: string;
  readonly renewDelayMs?: number;
  readonly edition?: 1 | 2;
}

async function scene(given: Given = {}): Promise<Scene> {
  const { expiresInSeconds = 3600, repoConfig = "token: { doctl: acme-web }\n" } = given;
  const bench = await workbench();
  const oauth = oauthServer(bench.sandbox);
  await fakeDoctl(bench.bin, {
    edition: given.edition ?? 2,
    renewDelayMs: given.renewDelayMs ?? 0,
  });
  const ours = oauth.session({ expiresInSeconds });
  const theirs = oauth.session({ expiresInSeconds: -60, team: OTHER_TEAM });
  const config = join(bench.home, ".config/doctl/config.yaml");
  await mkdir(join(config, ".."), { recursive: true });
  const sessions = { "acme-web": ours, other: theirs };
  await writeFile(config, configWith(sessions, { context: "other" }), { mode: 0o600 });
  await bench.write(".do-bootstraprc", repoConfig);
  return {
    ...bench,
    ...{ oauth, ours, theirs, config },
    doctlConfig: async () => parse(await readFile(config, "utf8")),
    async environment(options) {
      const { stdout, stderr, status } = await bench.run(PRINT_ENV, options);
      expect(status, stderr).toBe(0);
      const lines = stdout.split("\n").map((line) => /^(\w+)=(.*)$/.exec(line) ?? []);
      return Object.fromEntries(lines.map(([, name = "", value = ""]) => [name, value]));
    },
  };
}

describe("a valid login", () => {
  it("exec passes its token and its context", async () => {
    const { environment, ours, oauth } = await scene();
    const env = await environment();
    expect(env["DIGITALOCEAN_TOKEN"]).toBe(ours.accessToken);
    expect(env["DIGITALOCEAN_CONTEXT"]).toBe("acme-web");
    expect(env).not.toHaveProperty("DIGITALOCEAN_ACCESS_TOKEN");
    expect(oauth.requests).toEqual([]);
  });

  it("a repo needs nothing else: check finds no problem", async () => {
    const { run, ours } = await scene();
    const init = await run(["--yes"]);
    expect(init.stderr).not.toContain("✗");
    expect(init.status, init.stderr).toBe(0);
    const { status, stdout } = await run(["check"]);
    expect(status, stdout).toBe(0);
    expect(stdout).toContain("the login of doctl context acme-web, of sammy@example.com");
    expect(stdout).not.toContain(ours.accessToken.slice(0, 12));
  });

  it("check names a missing scope, and says that login requests it", async () => {
    const { run, write, oauth, config } = await scene();
    const small = oauth.session({ scopes: ["account:read", "droplet:read"] });
    await writeFile(config, configWith({ "acme-web": small }), { mode: 0o600 });
    await write("main.tf", 'resource "digitalocean_tag" "a" {\n  name = "a"\n}\n');
    const { status, stdout } = await run(["check"]);
    expect(status).toBe(5);
    expect(stdout).toMatch(/lacks 3 scopes: tag:create, tag:read, tag:delete/);
    expect(stdout.replace(/\s+/g, " ")).toContain("→ do-bootstrap login requests them too");
  });

  it("env prints its token and context for a shell, and --unset removes the context", async () => {
    const { run, ours } = await scene();
    const { stdout } = await run(["env", "--yes"]);
    const names = Array.from(stdout.matchAll(/^export (\w+)=/gm), ([, name]) => name);
    expect(names).toEqual(["DIGITALOCEAN_TOKEN", "DIGITALOCEAN_CONTEXT"]);
    const inShell = { DIGITALOCEAN_TOKEN: ours.accessToken, DIGITALOCEAN_CONTEXT: "acme-web" };
    const unset = await run(["env", "--unset"], { env: inShell });
    expect(unset.stdout).toContain("DIGITALOCEAN_CONTEXT");
  });

  it("a token that env put into the shell is renewed after it expires", async () => {
    const { environment, oauth, ours } = await scene({ expiresInSeconds: -60 });
    const shell = { DIGITALOCEAN_TOKEN: ours.accessToken, DIGITALOCEAN_CONTEXT: "acme-web" };
    const env = await environment({ env: shell });
    expect(env["DIGITALOCEAN_TOKEN"]).not.toBe(ours.accessToken);
    expect(oauth.requests).toMatchObject([{ kind: "refresh", ok: true }]);
  });

  it("empties another variable that doctl would read instead", async () => {
    const { environment, token } = await scene({
      repoConfig: "token: { doctl: acme-web, name: ACME_DO_TOKEN }\n",
    });
    const env = await environment({ env: { DIGITALOCEAN_ACCESS_TOKEN: token } });
    expect(env["DIGITALOCEAN_ACCESS_TOKEN"]).toBe("");
  });

  it("exec says when its token expires sooner than token.minTtl", async () => {
    const { run } = await scene({ repoConfig: "token: { doctl: acme-web, minTtl: 2h }\n" });
    const { status, stderr } = await run(["exec", "--", "/bin/true"]);
    expect(status).toBe(0);
    expect(stderr).toMatch(
      /this login's token expires in 5\d(\.\d)? minutes?, sooner than token\.minTtl \(2 hours\)/,
    );
    expect((await run(["check"])).stdout).not.toContain("token.expires-soon");
  });
});

describe("a login that is about to expire", () => {
  it.each([
    ["has expired", -60],
    ["expires in 5 minutes", 300],
  ])("%s: doctl renews it, and the rest of doctl's config stays", async (_, left) => {
    const { environment, doctlConfig, ours, theirs, home } = await scene({
      expiresInSeconds: left,
    });
    const before = await doctlConfig();
    const env = await environment();
    const now = await doctlConfig();
    expect(env["DIGITALOCEAN_TOKEN"]).toBe(now["auth-contexts"]["acme-web"]);
    expect(env["DIGITALOCEAN_TOKEN"]).not.toBe(ours.accessToken);
    expect(now["oauth-tokens"]["acme-web"]?.["refresh-token"]).not.toBe(ours.refreshToken);
    expect(now["oauth-tokens"]["other"]).toEqual(before["oauth-tokens"]["other"]);
    expect(now["auth-contexts"]["other"]).toBe(theirs.accessToken);
    expect(now.context).toBe("other");
    expect(await readdir(join(home, ".local/state/do-bootstrap/login"))).toEqual([]);
  });

  it("the next command does not renew it again", async () => {
    const { environment, oauth } = await scene({ expiresInSeconds: -60 });
    const [first, second] = [await environment(), await environment()];
    expect(second["DIGITALOCEAN_TOKEN"]).toBe(first["DIGITALOCEAN_TOKEN"]);
    expect(oauth.requests).toHaveLength(1);
  });

  it("of several commands at once, one renews it and all work", async () => {
    const { environment, oauth } = await scene({ expiresInSeconds: -60, renewDelayMs: 300 });
    const all = await Promise.all([environment(), environment(), environment()]);
    expect(new Set(all.map((env) => env["DIGITALOCEAN_TOKEN"])).size).toBe(1);
    expect(oauth.requests).toEqual([expect.objectContaining({ kind: "refresh", ok: true })]);
  });

  it("waits for another doctl that is already renewing it", async () => {
    const { environment, oauth, bin, sandbox, env } = await scene({
      expiresInSeconds: -60,
      renewDelayMs: 700,
    });
    const args = ["account", "get", "--context", "acme-web", "--api-url", sandbox.url];
    // Only the first gets tokens, and stores them after the second was refused.
    const isAtIt = oauth.gather(2);
    const doctl = execa(join(bin, "doctl"), args, { env, extendEnv: false });
    await isAtIt;
    const given = await environment();
    expect((await doctl).exitCode).toBe(0);
    expect(oauth.requests.map(({ ok }) => ok)).toEqual([true, false]);
    expect(given["DIGITALOCEAN_TOKEN"]).toMatch(/^doo_v1_/);
  });

  it("a run killed after the renewal loses nothing: the next run stores the new login", async () => {
    const bench = await scene({ expiresInSeconds: -60 });
    const { oauth, doctlConfig, environment } = bench;
    const renewed = await killedBeforeMerge(bench);
    expect((await doctlConfig())["auth-contexts"]["acme-web"]).toBe(bench.ours.accessToken);
    const env = await environment();
    expect(env["DIGITALOCEAN_TOKEN"]).toBe(renewed);
    expect((await doctlConfig())["auth-contexts"]["acme-web"]).toBe(renewed);
    expect(oauth.requests).toHaveLength(1);
  });

  it("a killed run leaves its doctl running: the next run waits for it", async () => {
    const { start, oauth, environment } = await scene({
      expiresInSeconds: -60,
      renewDelayMs: 1500,
    });
    const child = start(PRINT_ENV);
    await vi.waitUntil(() => oauth.requests.length === 1, { timeout: 60_000 });
    child.kill("SIGKILL");
    expect((await environment())["DIGITALOCEAN_TOKEN"]).toMatch(/^doo_v1_/);
    expect(oauth.requests).toHaveLength(1);
  });

  it("uses renewed tokens that expire within the renewal margin", async () => {
    const { environment, oauth, doctlConfig } = await scene({ expiresInSeconds: -60 });
    oauth.next({ expiresInSeconds: 300 });
    for (const _ of [1, 2]) {
      const env = await environment();
      const { "auth-contexts": contexts } = await doctlConfig();
      expect(env["DIGITALOCEAN_TOKEN"]).toBe(contexts["acme-web"]);
    }
  });

  it("is not renewed when git does not ignore doctl's config", async () => {
    const { run, oauth, config, repo } = await scene({ expiresInSeconds: -60 });
    const inRepo = join(repo, "doctl.yaml");
    await writeFile(inRepo, await readFile(config), { mode: 0o600 });
    const { status, stderr } = await run(PRINT_ENV, { env: { DIGITALOCEAN_CONFIG: inRepo } });
    expect(status).toBe(125);
    expect(stderr).toContain("would hold the new token, and git does not ignore it");
    expect(oauth.requests).toEqual([]);
    await rm(inRepo);
  });

  it("doctl runs outside the repo, so a version manager's shim reads no file there", async () => {
    const { environment, bin, root } = await scene({ expiresInSeconds: -60 });
    await rename(join(bin, "doctl"), join(bin, "doctl.real"));
    const shim = `#!/bin/sh\npwd >> "${join(root, "folders")}"\nexec "${join(bin, "doctl.real")}" "$@"\n`;
    await writeFile(join(bin, "doctl"), shim, { mode: 0o755 });
    await environment();
    expect(new Set((await readFile(join(root, "folders"), "utf8")).trim().split("\n"))).toEqual(
      new Set(["/"]),
    );
  });

  it("uses the remaining minutes when there is no folder for a private config", async () => {
    const { environment, home, ours } = await scene({ expiresInSeconds: 300 });
    await mkdir(join(home, ".git"));
    expect((await environment())["DIGITALOCEAN_TOKEN"]).toBe(ours.accessToken);
  });

  it.each([
    ["has ended", (oauth: OAuthServer) => oauth.endSession(), 125, "token.login-ended"],
    [
      "cannot be renewed now",
      (oauth: OAuthServer) => oauth.fail({ status: 502, body: "<html>" }),
      ...[125, "token.login-unsure"],
    ],
  ] as const)(
    "a login that %s is an error, and doctl's config stays",
    async (_, arrange, status, id) => {
      const { run, oauth, config } = await scene({ expiresInSeconds: -60 });
      arrange(oauth);
      const before = await readFile(config, "utf8");
      const result = await run(PRINT_ENV);
      expect(result.status).toBe(status);
      expect(result.stderr).toContain(`[${id}]`);
      expect(result.stderr).toContain("do-bootstrap login");
      expect(await readFile(config, "utf8")).toBe(before);
    },
  );

  it("says that renewal needs a newer doctl", async () => {
    const { run } = await scene({ expiresInSeconds: -60, edition: 1 });
    expect((await run(PRINT_ENV)).stderr).toContain("renewal needs doctl 2.5 or newer");
  });

  it("uses the remaining minutes when the renewal fails", async () => {
    const { environment, oauth, ours } = await scene({ expiresInSeconds: 300 });
    oauth.fail({ status: 502, body: "<html>" });
    expect((await environment())["DIGITALOCEAN_TOKEN"]).toBe(ours.accessToken);
  });

  const closed = process.getuid?.() === 0 ? " (needs a user other than root)" : "";
  it.skipIf(closed !== "")(
    `is not renewed when doctl's config can't be written${closed}`,
    async () => {
      const { run, oauth, config } = await scene({ expiresInSeconds: -60 });
      await chmod(join(config, ".."), 0o500);
      const { status, stderr } = await run(PRINT_ENV);
      expect(status).toBe(125);
      expect(stderr).toContain("a renewed token could not be saved");
      expect(oauth.requests).toEqual([]);
    },
  );

  it("sends its refresh token only to DigitalOcean", async () => {
    const { run, oauth, config } = await scene({ expiresInSeconds: -60 });
    const text = await readFile(config, "utf8");
    const elsewhere = text.replaceAll(
      /token-endpoint: .*/g,
      "token-endpoint: https://evil.example/t",
    );
    await writeFile(config, elsewhere);
    const { status, stderr } = await run(PRINT_ENV);
    expect(status).toBe(125);
    expect(stderr).toContain("evil.example, which is not DigitalOcean");
    expect(oauth.requests).toEqual([]);
  });
});

describe("a login and another token", () => {
  const named = "token: { doctl: acme-web }\n";

  it("in the shell, with --env: uses neither", async () => {
    const { run, token } = await scene({
      repoConfig: "environments: { prod: { token: { doctl: acme-web } } }\n",
    });
    const exec = ["exec", "--env", "prod", "--", "/usr/bin/env"];
    const { status, stderr } = await run(exec, { env: { DIGITALOCEAN_TOKEN: token } });
    expect(status).toBe(125);
    expect(stderr).toContain("[token.conflict]");
    expect(stderr).toContain("unset DIGITALOCEAN_TOKEN");
  });

  it("in another repo's exec: refuses it", async () => {
    const { run, git, repo, token } = await scene();
    const inner = `cd inner && ${START_LINE} exec -- /usr/bin/env`;
    await git("init", "--quiet", "inner");
    await writeFile(join(repo, "inner/.do-bootstraprc"), named);
    await writeFile(join(repo, ".do-bootstraprc"), "{}\n");
    const env = { DIGITALOCEAN_TOKEN: token };
    const { status, stderr } = await run(["exec", "--", "/bin/sh", "-c", inner], { env });
    expect(status).toBe(125);
    expect(stderr).toContain("[NESTED_EXEC]");
  });

  it("in the shell, without --env: uses it, warns, and keeps the login", async () => {
    const { run, token, config } = await scene();
    const before = await readFile(config, "utf8");
    const env = { DIGITALOCEAN_TOKEN: token };
    const { stdout } = await run(["check"], { env });
    expect(stdout).toContain("[token.shadowed]");
    expect(stdout).toContain("unset DIGITALOCEAN_TOKEN");
    await run(["--yes", "--force"], { env });
    expect(await readFile(config, "utf8")).toBe(before);
  });

  it("piped: stores it, and a second run has nothing to do", async () => {
    const { run, token, write } = await scene();
    await write(".gitignore", "");
    const piped = await run(["--token-stdin", "--yes"], { input: token });
    expect(piped.status, piped.stderr).toBe(0);
    expect((await run(["--yes"])).stderr).not.toContain("made");
  });

  it("logout removes this login and keeps the other", async () => {
    const { run, write, token, config, ours, theirs } = await scene();
    await write(".env", `DIGITALOCEAN_TOKEN=${token}\n`, 0o600);
    const { status, stderr } = await run(["logout", "--yes"]);
    expect(status, stderr).toBe(0);
    const text = await readFile(config, "utf8");
    expect(text).not.toContain(ours.refreshToken);
    expect(text).toContain(theirs.refreshToken);
  });

  it("logout removes a login whose access token is missing", async () => {
    const { run, config, ours } = await scene();
    const text = (await readFile(config, "utf8")).replace(/^ {2}acme-web: "?doo.*\n/m, "");
    await writeFile(config, text);
    const { status, stderr } = await run(["logout", "--yes"]);
    expect(status, stderr).toBe(0);
    expect(await readFile(config, "utf8")).not.toContain(ours.refreshToken);
  });

  it("rotate --revoke revokes the login's token, not the shell's", async () => {
    const { run, token, sandbox, bin } = await scene();
    await fakeBrowser(bin);
    const env = { DIGITALOCEAN_TOKEN: token, DISPLAY: ":0" };
    const { status, stderr } = await run(["rotate", "--revoke", "--yes"], { env });
    expect(status, stderr).toBe(0);
    expect(sandbox.requests.filter(({ path }) => path === "/v1/oauth/revoke")).toHaveLength(1);
    const { stdout } = await run(["check"], { env });
    expect(stdout).not.toContain("[token.refused]");
  });

  it("rotate --all skips environments with a login", async () => {
    const { run, token } = await scene({
      repoConfig:
        "environments: { prod: { token: { doctl: acme-web } }, dev: { token: { doctl: other } } }\n",
    });
    const { status, stderr } = await run(["rotate", "--all", "--token-stdin"], { input: token });
    expect(status, stderr).toBe(0);
    expect(stderr.match(/\[environment\.skipped\]/g)).toHaveLength(2);
  });
});

describe("without a usable login", () => {
  it.each([
    ["check", 4],
    ["exec", 125],
  ])("%s says to run login", async (command, status) => {
    const { run } = await scene({ repoConfig: "token: { doctl: elsewhere }\n" });
    const result = await run(command === "exec" ? PRINT_ENV : [command]);
    expect(result.status).toBe(status);
    expect(result.stdout + result.stderr).toContain("token.login-missing");
    expect(result.stdout + result.stderr).toContain("do-bootstrap login");
  });

  it("CI does not use a login: the token must come from the pipeline", async () => {
    const { run, oauth } = await scene();
    const { status, stdout } = await run(["check"], { env: { CI: "true" } });
    expect(status).toBe(4);
    expect(stdout).toContain("(token.doctl) is not used in CI");
    expect(oauth.requests).toEqual([]);
  });

  it("a context with a personal access token is used like any other source", async () => {
    const { environment, config, token } = await scene();
    await writeFile(config, `auth-contexts:\n  acme-web: ${token}\n`, { mode: 0o600 });
    expect(await environment()).toMatchObject({
      DIGITALOCEAN_TOKEN: token,
      DIGITALOCEAN_ACCESS_TOKEN: token,
      DIGITALOCEAN_CONTEXT: "acme-web",
    });
  });

  it("uses a token in the env file, and warns that it overrides the login", async () => {
    const { run, write, token } = await scene();
    await write(".env", `DIGITALOCEAN_TOKEN=${token}\n`, 0o600);
    const { stdout } = await run(["check"]);
    expect(stdout).toContain("[token.shadowed]");
  });
});

describe("a login's token given as the token", () => {
  it("warns before writing it to a file", async () => {
    const { run, ours } = await scene({ repoConfig: "{}\n" });
    const given = { input: ours.accessToken };
    const { stdout, status } = await run(["--token-stdin", "--dry-run"], given);
    expect(status).toBe(0);
    expect(stdout).toContain("[token.of-session]");
  });

  it("is refused in CI", async () => {
    const { run, ours } = await scene({ repoConfig: "{}\n" });
    const env = { CI: "true", DIGITALOCEAN_TOKEN: ours.accessToken };
    const { status, stdout } = await run(["check"], { env });
    expect(status).toBe(4);
    expect(stdout).toContain("[token.session-in-ci]");
  });
});

/** @returns the access token that doctl got before the kill. */
async function killedBeforeMerge(bench: Scene): Promise<string> {
  const folder = join(bench.home, ".local/state/do-bootstrap/login");
  // Another run's lock stops ours before the merge.
  const lock = join(bench.config, "..", ".do-bootstrap.lock");
  const holder = { pid: process.pid, start: "", host: "elsewhere", id: "x" };
  await writeFile(lock, JSON.stringify(holder), { mode: 0o600 });
  const child = bench.start(PRINT_ENV);
  const read = async () => {
    const name = (await readdir(folder).catch(() => [])).find((each) => each.endsWith(".yaml"));
    const text = name === undefined ? "" : await readFile(join(folder, name), "utf8");
    const held = /acme-web: "?(doo_v1_\w+)/.exec(text)?.[1];
    return held === bench.ours.accessToken ? undefined : held;
  };
  const renewed = await vi.waitUntil(read, { timeout: 60_000 });
  child.kill("SIGKILL");
  await new Promise((resolve) => child.once("close", resolve));
  await rm(lock);
  return renewed;
}
