import {
  chmod,
  lstat,
  mkdir,
  readdir,
  readFile,
  rename,
  stat,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { authInit } from "../../src/concerns/doctl/auth-init.ts";
import { nodeFiles } from "../../src/host/files.ts";
import { run } from "../../src/host/run.ts";
import { Secret } from "../../src/secret/secret.ts";
import { fakeDoctl } from "../fixtures/tools.ts";
import { aged, fileTree } from "../fixtures/tree.ts";
import { randomToken, unguardedToken, type Workbench, workbench } from "../fixtures/workbench.ts";

const DOCTL_BIN = process.env["DOCTL_BIN"];
const OTHER_TEAM = { uuid: "0af1c3de-other", name: "Other Team" };

/** Tokens of our team, of another team, and one that is not valid. */
const SAME = randomToken();
const OTHER = randomToken();
const DEAD = randomToken();

type Install = (bench: Workbench) => Promise<unknown>;
const installs: [string, Install][] = [
  ["fake", (bench) => fakeDoctl(bench.bin)],
  ["real", (bench) => symlink(resolve(DOCTL_BIN ?? ""), join(bench.bin, "doctl"))],
];

describe.each(installs)("with a %s doctl", (name, install) => {
  const needs = name === "real" && !DOCTL_BIN ? " (needs DOCTL_BIN)" : "";
  describe.skipIf(needs !== "")(`keeps valid logins unless --force${needs}`, () => {
    const byOurs = { status: 0, said: [] };
    const plainFails = { status: 0, said: ["doctl.no-account"] };
    const plainIsOther = { status: 0, said: ["doctl.other-account"] };
    const ours = (context: string) => `auth-contexts:\n  ${context}: "T"\n`;
    const quoted = (context: string) => `auth-contexts:\n  "${context}": "T"\n`;
    // T is our token; `after` undefined: not a byte changes.
    it.each([
      ["nothing is stored", "", undefined, [], byOurs, 'access-token: "T"\n'],
      ["default has this token", "access-token: T\n", "", [], byOurs, undefined],
      [
        "default has a valid token of the same team",
        ...[`access-token: ${SAME}\n`, "", [], { status: 0, said: ["doctl.same-team-login"] }],
        undefined,
      ],
      [
        "default has a valid token of the same team, with --force",
        `access-token: ${SAME}\n`,
        "",
        ["--force"],
        byOurs,
        'access-token: "T"\n',
      ],
      [
        "default has another team's token",
        ...[
          `access-token: ${OTHER}\n`,
          "",
          [],
          plainIsOther,
          `access-token: ${OTHER}\n${ours("acme-web")}`,
        ],
      ],
      [
        "default has an invalid token",
        ...[
          `access-token: ${DEAD}\n`,
          "",
          [],
          plainFails,
          `access-token: ${DEAD}\n${ours("acme-web")}`,
        ],
      ],
      [
        "the project's context has an invalid token",
        ...[`access-token: ${OTHER}\nauth-contexts:\n  acme-web: ${DEAD}\n`, "", [], plainIsOther],
        `access-token: ${OTHER}\n${ours("acme-web")}`,
      ],
      [
        "a configured context",
        "access-token: T\n",
        "prod",
        [],
        byOurs,
        `access-token: T\n${quoted("prod")}`,
      ],
      [
        "a configured context has an invalid token",
        `auth-contexts:\n  prod: ${DEAD}\n`,
        "prod",
        [],
        plainFails,
        ours("prod"),
      ],
      [
        "a configured context has another valid token",
        ...[`auth-contexts:\n  prod: ${OTHER}\n`, "prod", []],
        ...[{ status: 3, said: ["doctl.other-login"] }, undefined],
      ],
      [
        "a configured context has another valid token, with --force",
        `auth-contexts:\n  prod: ${OTHER}\n`,
        "prod",
        ["--force"],
        plainFails,
        ours("prod"),
      ],
      [
        "the configured context is default",
        `access-token: ${DEAD}\n`,
        "default",
        [],
        byOurs,
        'access-token: "T"\n',
      ],
    ] as Row[])("%s", async (_, before, context, args, { status, said }, after) => {
      const { bench, config, init } = await arrange(install);
      if (context) await bench.write(".do-bootstraprc", `doctl: { context: ${context} }\n`);
      const written = before.replace(": T", `: ${bench.token}`);
      if (written !== "") await put(config, written);
      const tree = await aged(bench.root);
      const result = await init(...args);
      expect(result.status, result.stderr).toBe(status);
      expect(result.stderr.match(/(?<=\[)doctl\.[\w-]+(?=\]$)/gm) ?? []).toEqual(said);
      const now = await fileTree(bench.root);
      if (after === undefined) expect(now[config]).toBe(tree[config]);
      else expect(await readFile(config, "utf8")).toBe(fill(after, bench));
      if (status !== 0) expect(now[join(bench.repo, ".env")]).toBeUndefined();
    });

    it.each<[what: string, before: string, args: string[], expected: object]>([
      ["of another account", `access-token: ${OTHER}\n`, ["--use"], { selected: "web", said: [] }],
      ["with a refused token", `access-token: ${DEAD}\n`, ["--use"], { selected: "web", said: [] }],
      ["without a token", "", ["--use"], { selected: "web", said: [] }],
      [
        "of another account, which is selected",
        `auth-contexts:\n  play: ${OTHER}\ncontext: play\n`,
        ["--use"],
        { selected: "web", said: [] },
      ],
      [
        "of another account, without --use",
        `access-token: ${OTHER}\n`,
        [],
        { selected: undefined, said: ["doctl.other-account"] },
      ],
      ["of the same team", `access-token: ${SAME}\n`, [], { selected: undefined, said: [] }],
    ])("a current context %s: %j %j", async (_, before, args, expected) => {
      const { bench, config, init } = await arrange(install);
      await bench.write(".do-bootstraprc", "doctl: { context: web }\n");
      if (before !== "") await put(config, before);
      const { status, stderr } = await init(...args);
      expect(status, stderr).toBe(0);
      const { context: selected } = parse(await readFile(config, "utf8"));
      const { stdout } = await bench.run(["check", "--json"]);
      const said = JSON.parse(stdout)
        .findings.map(({ id }: { id: string }) => id)
        .filter((id: string) => /^doctl\..*-account$/.test(id));
      expect({ selected, said }).toEqual(expected);
      const env = { ...bench.env, DIGITALOCEAN_ACCESS_TOKEN: "" };
      const token = await execa("doctl", ["auth", "token"], { env, extendEnv: false });
      expect(token.stdout === bench.token).toBe(args.includes("--use"));
    });

    it.each<[what: string, before: string, said: string[]]>([
      ["has no token", "", []],
      ["is another environment's context", `auth-contexts:\n  shop: ${OTHER}\ncontext: shop\n`, []],
      ["is of another account", `access-token: ${OTHER}\n`, ["doctl.other-account"]],
    ])("in a repo with environments, the current context %s", async (_, before, said) => {
      const { bench, config, init } = await arrange(install);
      const environments = "environments: { dev: {}, prod: { doctl: { context: shop } } }\n";
      await bench.write(".do-bootstraprc", `doctl: { context: web }\n${environments}`);
      if (before !== "") await put(config, before);
      const { status, stderr } = await init("--env", "dev");
      expect(status, stderr).toBe(0);
      expect(stderr.match(/(?<=\[)doctl\..*-account(?=\]$)/gm) ?? []).toEqual(said);
    });

    it("keeps everything else in the config, except an outdated config: key", async () => {
      const { bench, config, init } = await arrange(install);
      await bench.write(".do-bootstraprc", "doctl: { context: web }\n");
      const rest = [
        "# my logins",
        `access-token: ${OTHER} # of the company`,
        "auth-contexts:",
        `    play: '${SAME}'`,
        `    "123": ${DEAD}`,
        "context: play",
        "",
        "droplet.create.region: nyc3",
        "odd:",
        "  - {a: 1, b: yes}",
        "",
      ];
      await put(config, ["config: /elsewhere/config.yaml", ...rest].join("\n"), 0o644);
      expect((await init()).status).toBe(0);
      const mine = [...rest.slice(0, 5), `    "web": "${bench.token}"`, ...rest.slice(5)].join(
        "\n",
      );
      expect(normalised(await readFile(config, "utf8"))).toBe(normalised(mine));
      expect((await stat(config)).mode & 0o777).toBe(0o600);
    });

    it("doctl works with the config: auth token, account get", async () => {
      const { bench, init } = await arrange(install);
      await bench.write(".do-bootstraprc", "doctl: { context: web }\n");
      expect((await init()).status).toBe(0);
      const doctl = async (...args: string[]) =>
        (await execa("doctl", args, { env: bench.env, extendEnv: false, preferLocal: false }))
          .stdout;
      expect(await doctl("auth", "token", "--context", "web")).toBe(bench.token);
      const account = ["account", "get", "--context", "web", "--api-url", bench.sandbox.url];
      expect(await doctl(...account)).toContain("sammy@example.com");
      expect((await bench.run(["check"])).status).toBe(0);
    });

    it("only doctl's server refuses the token: nothing changes", async () => {
      const { bench, init } = await arrange(install);
      await bench.write(".env", `PORT=80\n`, 0o644);
      bench.sandbox.answer("GET /v1/oauth/token/info", { status: 401, body: "{}" });
      const before = { ...(await aged(bench.repo)), ...(await fileTree(bench.home)) };
      const { status, stderr } = await init();
      expect(stderr).toContain("[DOCTL_REFUSED_TOKEN]");
      expect(status).toBe(4);
      expect({ ...(await fileTree(bench.repo)), ...(await fileTree(bench.home)) }).toEqual(before);
    });

    it.each([
      ["does not answer", "disconnect" as const, /it could not reach its server/],
      ["fails", { status: 500, body: "{}" }, /HTTP 500/],
      ["is a captive portal", { status: 200, body: "<html>" }, /could not check the token/],
    ])("doctl's server %s: warns, because our own check succeeded", async (_, reply, text) => {
      const { bench, config, init } = await arrange(install);
      bench.sandbox.answer("GET /v1/oauth/token/info", reply);
      const { status, stderr } = await init();
      expect(stderr).toMatch(text);
      expect(status).toBe(0);
      expect(await readFile(config, "utf8")).toBe(`access-token: "${bench.token}"\n`);
    });
  });
});

describe("location of doctl's config", () => {
  it.each([
    ["HOME", {}, "home/.config/doctl/config.yaml"],
    ["XDG_CONFIG_HOME", { XDG_CONFIG_HOME: "ROOT/xdg" }, "xdg/doctl/config.yaml"],
    ["DIGITALOCEAN_CONFIG", { DIGITALOCEAN_CONFIG: "ROOT/a/b.yaml" }, "a/b.yaml"],
    ["DIGITALOCEAN_CONFIG, relative", { DIGITALOCEAN_CONFIG: "../c.yaml" }, "c.yaml"],
  ])("%s: creates the folder with mode 0700, the file with 0600", async (_, given, path) => {
    for (const isInstalled of [true, false]) {
      const { bench, init } = await arrange((b) =>
        isInstalled ? fakeDoctl(b.bin) : Promise.resolve(),
      );
      const env = Object.fromEntries(
        Object.entries(given).map(([key, value]) => [key, value.replace("ROOT", bench.root)]),
      );
      const { status, stderr } = await init("--doctl-config", env);
      expect(status, stderr).toBe(0);
      bench.mayHold(join("..", path));
      const config = join(bench.root, path);
      expect((await stat(config)).mode & 0o777).toBe(0o600);
      if (path !== "c.yaml") expect((await stat(dirname(config))).mode & 0o777).toBe(0o700);
      expect(await readFile(config, "utf8")).toBe(`access-token: "${bench.token}"\n`);
    }
  });

  it("follows a symlinked config", async () => {
    const { bench, config, init } = await arrange((b) => fakeDoctl(b.bin));
    const target = join(bench.root, "dotfiles", "doctl.yaml");
    bench.mayHold("../dotfiles/doctl.yaml");
    await put(target, "context: default\n", 0o644);
    await mkdir(dirname(config), { recursive: true });
    await symlink(target, config);
    expect((await init()).status).toBe(0);
    expect((await lstat(config)).isSymbolicLink()).toBe(true);
    expect(await readFile(target, "utf8")).toBe(
      `context: default\naccess-token: "${bench.token}"\n`,
    );
    expect((await stat(target)).mode & 0o777).toBe(0o600);
  });
});

it("warns about a config that other users can read, once it has our token", async () => {
  const { bench, config, init } = await arrange((b) => fakeDoctl(b.bin));
  await put(config, `access-token: ${bench.token}\n`, 0o644);
  const { status, stderr } = await init();
  expect(stderr).toMatch(/^! Other users can read doctl's config, .* \[doctl\.readable\]$/m);
  expect(status).toBe(0);
  expect((await bench.run(["check", "--strict"])).status).toBe(3);
  await chmod(config, 0o600);
  expect((await bench.run(["check", "--strict"])).stdout).not.toContain("doctl.readable");
});

describe("a config in a git repo", () => {
  const inRepo = { XDG_CONFIG_HOME: "ROOT/acme-web/conf" };
  it.each<[what: string, env: Record<string, string>, path: string, repo: string, says: string]>([
    [
      "XDG_CONFIG_HOME in the repo",
      inRepo,
      "acme-web/conf/doctl/config.yaml",
      "acme-web",
      "does not ignore",
    ],
    ["tracked in the repo", inRepo, "acme-web/conf/doctl/config.yaml", "acme-web", "tracks"],
    [
      "a dotfiles repo in the home folder",
      {},
      "home/.config/doctl/config.yaml",
      "home",
      "does not ignore",
    ],
    [
      "a dotfiles repo in the home folder that tracks it",
      {},
      "home/.config/doctl/config.yaml",
      "home",
      "tracks",
    ],
    ["linked from dotfiles", {}, "dot/config.yaml", "dot", "does not ignore"],
  ])("%s: writes no token there until git ignores it", async (what, given, path, repo, says) => {
    const { bench, config, init } = await arrange((b) => fakeDoctl(b.bin));
    const env = Object.fromEntries(
      Object.entries(given).map(([key, value]) => [key, value.replace("ROOT", bench.root)]),
    );
    const [at, root] = [join(bench.root, path), join(bench.root, repo)];
    await bench.git("init", "--quiet", root);
    if (what.startsWith("linked")) {
      await mkdir(dirname(config), { recursive: true });
      await symlink(at, config);
    }
    if (says === "tracks") {
      await put(at, "output: text\n");
      await bench.git("-C", root, "add", "--force", at);
    }
    const before = [await aged(bench.repo), await aged(root)];
    const { status, stderr } = await init(env);
    expect(stderr).toMatch(
      new RegExp(`^✗ git ${says} doctl's config, .* \\[doctl\\.in-git\\]$`, "m"),
    );
    expect(status).toBe(3);
    expect([await fileTree(bench.repo), await fileTree(root)]).toEqual(before);

    await bench.git("-C", root, "rm", "--quiet", "--cached", "--ignore-unmatch", at);
    const [, ignore = "", pattern = ""] = /Add to (\S+): (\S+)$/m.exec(stderr) ?? [];
    await writeFile(resolve(bench.repo, ignore.replace("~", bench.home)), `${pattern}\n`);
    bench.mayHold(join("..", path));
    const again = await init(env);
    expect(again.status, again.stderr).toBe(0);
    expect(await readFile(at, "utf8")).toContain(bench.token);
    expect(
      await bench.git("-C", root, "ls-files", "--cached", "--others", "--exclude-standard"),
    ).not.toContain("config.yaml");

    await writeFile(join(root, ".gitignore"), ".env*\n*.json\n");
    expect((await bench.run(["check"], { env })).stdout).toContain("[doctl.in-git]");
    const fresh = randomToken();
    bench.sandbox.accept(fresh);
    const rotated = await bench.run(["rotate", "--token-stdin"], { input: fresh, env });
    expect(rotated.stderr).toContain("[doctl.in-git]");
    expect(await readFile(at, "utf8")).not.toContain(fresh);
  });

  it("writes no token to a config that gets into a repo meanwhile", async () => {
    const { bench, init } = await arrange((b) => fakeDoctl(b.bin));
    const [doctl, real] = [join(bench.bin, "doctl"), join(bench.bin, "doctl.real")];
    await rename(doctl, real);
    const repo = `[ "$1" = auth ] && git init --quiet "$HOME"`;
    await writeFile(doctl, `#!/bin/sh\n${repo}\nexec "${real}" "$@"\n`, { mode: 0o755 });
    const { status, stderr } = await init();
    expect(stderr).toMatch(
      /config\.yaml would hold the token, and git does not ignore it\. \[NOT_IGNORED\]$/m,
    );
    expect(status).toBe(3);
    expect(await readdir(bench.home)).toEqual([".git"]);
    expect(await fileTree(bench.repo).then(Object.keys)).not.toContain(join(bench.repo, ".env"));
  });
});

describe("when doctl is not used", () => {
  it.each([
    ["it is not installed", "", {}, ["doctl.missing"]],
    ["doctl: false", "doctl: false\n", {}, []],
    ["in CI", "", { CI: "true" }, ["doctl.not-in-ci"]],
  ])("%s: no context is written", async (name, config, env, said) => {
    const { bench, init } = await arrange(() => Promise.resolve());
    const doctl = name === "it is not installed" ? undefined : await fakeDoctl(bench.bin);
    if (config) await bench.write(".do-bootstraprc", config);
    const { status, stderr } = await init({ ...env });
    expect(status, stderr).toBe(0);
    expect(stderr.match(/(?<=\[)doctl\.[\w-]+(?=\]$)/gm) ?? []).toEqual(said);
    expect(Object.keys(await fileTree(bench.home)).join()).not.toContain(".config");
    expect((await doctl?.calls())?.filter(({ argv }) => argv[0] !== "--help") ?? []).toEqual([]);
  });

  it.each([
    ["not installed", {}],
    ["in CI", { CI: "true" }],
  ])("--doctl-config writes the context anyway (%s)", async (_, env) => {
    const { bench, config, init } = await arrange(() => Promise.resolve());
    expect((await init("--doctl-config", env)).status).toBe(0);
    expect(await readFile(config, "utf8")).toBe(`access-token: "${bench.token}"\n`);
  });
});

describe("calls of doctl", () => {
  const INIT = [
    "auth",
    "init",
    "--config",
    "CONFIG",
    "--context",
    "default",
    "--http-retry-max",
    "1",
  ];
  it.each([
    ["the token is never in argv", [], [], ["DIGITALOCEAN_ACCESS_TOKEN"]],
    [
      "the token is in argv only with --access-token-flag",
      ["--access-token-flag"],
      ["--access-token", "T"],
      [],
    ],
  ])("%s", async (_, args, more, env) => {
    const bench = await workbench();
    const doctl = await fakeDoctl(bench.bin);
    const noise = { DIGITALOCEAN_CONTEXT: "nope", DIGITALOCEAN_OUTPUT: "json" };
    const input = args.length > 0 ? unguardedToken() : bench.token;
    bench.sandbox.accept(input);
    expect((await bench.run(["--token-stdin", ...args], { input, env: noise })).status).toBe(0);
    await bench.run(["check"], { env: noise });
    const calls = (await doctl.calls()).map(({ argv, env }) => ({ argv: argv.map(named), env }));
    const server = ["--token-validation-server", bench.sandbox.url];
    const help = { argv: ["--help"], env: [] };
    expect(calls).toEqual([help, { argv: [...INIT, ...server, ...more], env }, help, help]);

    function named(arg: string): string {
      if (arg === input) return "T";
      return /^\S+\/home\/\.config\/doctl\/(\.do-bootstrap-[\w-]+)\/\1\.yaml$/.test(arg)
        ? "CONFIG"
        : arg;
    }
  });

  it.each([
    ["megabytes", []],
    ["old-wording", []],
    ["die-by-signal", ["it was killed by a signal"]],
  ] as const)("works with a doctl in mode %s", async (mode, said) => {
    const { bench, config, init } = await arrange((b) =>
      fakeDoctl(b.bin, { mode, writeDelayMs: 0 }),
    );
    const { status, stderr } = await init();
    expect(status, stderr).toBe(0);
    for (const text of said) expect(stderr).toContain(text);
    expect(await readFile(config, "utf8")).toBe(`access-token: "${bench.token}"\n`);
    expect(Object.keys(await fileTree(dirname(config)))).toEqual([config]);
  });

  it("stops waiting for a doctl that hangs", async () => {
    const bench = await workbench();
    const { path: doctl } = await fakeDoctl(bench.bin, { mode: "hang" });
    const never = new AbortController().signal;
    const url = new URL(bench.sandbox.url);
    const result = await authInit(
      {
        files: nodeFiles,
        env: bench.env,
        run: (call) => run({ ...call, timeoutMs: Math.min(call.timeoutMs, 500) }, never),
      },
      {
        doctl,
        folder: bench.tmp,
        hosts: { api: url, oauth: url, redirected: true },
        token: Secret.of(bench.token, { kind: "stdin" }),
        asFlag: false,
      },
    );
    expect(result).toEqual({ kind: "unsure", why: "no answer in 120 s" });
    expect(await fileTree(bench.tmp)).toEqual({});
  });
});

describe("another process writes the config", () => {
  it("waits until an empty config is filled, and keeps its contexts", async () => {
    const { bench, config } = await arrange((b) => fakeDoctl(b.bin));
    await put(config, "");
    const child = bench.start(["--token-stdin"]);
    child.stdin?.end(bench.token);
    setTimeout(() => void writeFile(config, `access-token: ${OTHER}\n`), 1000);
    expect(await new Promise((done) => child.on("close", done))).toBe(0);
    expect(await readFile(config, "utf8")).toBe(
      `access-token: ${OTHER}\nauth-contexts:\n  acme-web: "${bench.token}"\n`,
    );
  });

  it("a config that stays empty is an error, and nothing is written", async () => {
    const { bench, config, init } = await arrange((b) => fakeDoctl(b.bin));
    await put(config, "");
    await utimes(config, new Date(0), new Date(0));
    const { status, stderr } = await init();
    expect(stderr).toContain("[doctl.config-broken]");
    expect(status).toBe(3);
    expect(await fileTree(bench.repo).then(Object.keys)).not.toContain(join(bench.repo, ".env"));
  });

  it("several runs at once: all contexts are stored", async () => {
    const { bench, config } = await arrange((b) => fakeDoctl(b.bin, { validateDelayMs: 200 }));
    const names = ["one", "two", "three"];
    for (const name of names) {
      await bench.write(`../${name}/.do-bootstraprc`, `doctl: { context: ${name} }\n`);
      bench.mayHold(`../${name}/.env`, `../${name}/do-bootstrap.secret.auto.tfvars.json`);
    }
    const runs = names.map((name) =>
      bench.run(["--token-stdin"], { cwd: `../${name}`, input: bench.token }),
    );
    expect((await Promise.all(runs)).map(({ status }) => status)).toEqual([0, 0, 0]);
    const text = await readFile(config, "utf8");
    for (const name of names) expect(text).toContain(`"${name}": "${bench.token}"`);
    expect(Object.keys(await fileTree(dirname(config)))).toEqual([config]);
  });
});

type Row = [
  name: string,
  before: string,
  context: string | undefined,
  args: string[],
  outcome: { status: number; said: string[] },
  after: string | undefined,
];

async function arrange(install: Install) {
  const bench = await workbench();
  await install(bench);
  bench.sandbox.accept(SAME);
  bench.sandbox.accept(OTHER, { team: OTHER_TEAM });
  return {
    bench,
    config: join(bench.home, ".config", "doctl", "config.yaml"),
    init: (...args: (string | Record<string, string>)[]) =>
      bench.run(["--token-stdin", ...args.filter((arg) => typeof arg === "string")], {
        input: bench.token,
        env: Object.assign({}, ...args.filter((arg) => typeof arg === "object")),
      }),
  };
}

async function put(file: string, text: string, mode = 0o600): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text, { mode });
}

function fill(text: string, { token }: Workbench): string {
  return text.replace(/"T"/, `"${token}"`).replace(": T\n", `: ${token}\n`);
}

/** Removes differences in white space that YAML writers make. */
function normalised(text: string): string {
  return text.replace(/^ +/gm, "  ").replace(/\{ ?(.*?) ?\}/g, "{$1}");
}
