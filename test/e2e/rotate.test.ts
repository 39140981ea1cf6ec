import { readdir, readFile, rename, stat, symlink, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, type TestContext } from "vitest";
import { generate } from "../../src/core/generated.ts";
import { START_LINE } from "../fixtures/program.ts";
import { ASKS, CONFIRMS, guided, needsScript, start, words } from "../fixtures/terminal.ts";
import { fakeDoctl } from "../fixtures/tools.ts";
import { fileTree } from "../fixtures/tree.ts";
import { type RunResult, randomToken, type Workbench, workbench } from "../fixtures/workbench.ts";

const DOCTL = "home/.config/doctl/config.yaml";
const SECRET = "do-bootstrap.secret.auto.tfvars.json";

interface Scene {
  readonly bench: Workbench;
  readonly old: string;
  readonly fresh: string;
  /** Which token each place of the setup contains: "old", "new", "none" or "both". */
  readonly where: () => Promise<Readonly<Record<string, string>>>;
  readonly rotate: (...args: string[]) => Promise<RunResult>;
}

/** A finished repo with the old token in its env file, its secret values, and two doctl contexts. */
async function scene(facts: Parameters<Workbench["sandbox"]["accept"]>[1] = {}): Promise<Scene> {
  const bench = await workbench();
  const [old, fresh] = [bench.token, randomToken()];
  bench.sandbox.accept(fresh, facts);
  finished ??= finish();
  for (const [path, text, mode] of await finished) {
    await bench.write(path, text.replaceAll("{T}", old), mode);
  }
  const config = join(bench.root, DOCTL);
  const other = randomToken();
  const contexts = `# kept\nauth-contexts:\n  mine: ${old}\n  other: ${other}\ncontext: mine\n`;
  await writeFile(config, `${await readFile(config, "utf8")}${contexts}`);
  const paths = { ".env": "acme-web/.env", tfvars: `acme-web/${SECRET}`, doctl: DOCTL };
  return {
    bench,
    old,
    fresh,
    async where() {
      const entries = Object.entries(paths).map(async ([name, path]) => {
        const text = await readFile(join(bench.root, path), "utf8").catch(() => "");
        const [hasOld, hasNew] = [text.includes(old), text.includes(fresh)];
        return [name, hasOld && hasNew ? "both" : hasOld ? "old" : hasNew ? "new" : "none"];
      });
      return Object.fromEntries(await Promise.all(entries));
    },
    rotate: (...args) => bench.run(["rotate", "--token-stdin", ...args], { input: fresh }),
  };
}

type Files = readonly (readonly [path: string, text: string, mode: number])[];
let finished: Promise<Files> | undefined;

/** The files that a run writes; every scene starts with them. {T} is replaced by the token. */
async function finish(): Promise<Files> {
  const bench = await workbench();
  const run = await bench.run(["--token-stdin", "--doctl-config"], { input: bench.token });
  expect(run.status, run.stderr).toBe(0);
  const names = (await readdir(bench.repo)).filter((name) => name !== ".git");
  const paths = [...names, join("..", DOCTL)].map(async (path) => {
    const text = (await bench.read(path)).replaceAll(bench.token, "{T}");
    return [path, text, (await stat(join(bench.repo, path))).mode & 0o777] as const;
  });
  return Promise.all(paths);
}

const PROD = "environments: { prod: { token: { envFile: .env.prod } } }\n";
const OLD = { ".env": "old", tfvars: "old", doctl: "old" };
const NEW = { ".env": "new", tfvars: "new", doctl: "new" };
const NONE = { ".env": "none", tfvars: "none", doctl: "none" };
const DAY = 86_400;

describe("rotate", () => {
  it("replaces the old token in every place, and changes nothing else", async () => {
    const { bench, where, rotate, old, fresh } = await scene();
    await bench.write(
      ".env",
      `# mine\nexport DIGITALOCEAN_TOKEN='${old}' # here\nOTHER=1\n`,
      0o600,
    );
    const config = await readFile(join(bench.root, DOCTL), "utf8");
    const { status, stdout, stderr } = await rotate();
    expect(status, stderr).toBe(0);
    expect(await where()).toEqual(NEW);
    expect(await bench.read(".env")).toBe(
      `# mine\nexport DIGITALOCEAN_TOKEN='${fresh}' # here\nOTHER=1\n`,
    );
    const unquoted = (text: string) => text.replaceAll('"', "");
    expect(unquoted(await readFile(join(bench.root, DOCTL), "utf8"))).toBe(
      unquoted(config).replaceAll(old, fresh),
    );
    for (const token of [old, fresh]) expect(stdout + stderr).not.toContain(token);
    expect(stderr).toContain("[token.still-valid]");
    expect(stderr).toContain("other CI secrets, other machines and clones");
    expect((await bench.run(["check"])).status).toBe(0);
  });

  it.each<[string, (token: string) => string]>([
    ["white space", (token) => `DIGITALOCEAN_TOKEN=" ${token} "\n`],
    ["a tab and other quotes", (token) => `DIGITALOCEAN_TOKEN='\t"${token}"'\n`],
    ["a line end", (token) => `DIGITALOCEAN_TOKEN="${token}\n"\n`],
  ])("replaces and removes a token with %s around it", async (_, written) => {
    const { bench, where, rotate, old } = await scene();
    await bench.write(".env", written(old), 0o600);
    expect((await rotate()).status).toBe(0);
    expect(await where()).toEqual(NEW);
    expect((await bench.run(["check"])).status).toBe(0);

    await bench.write(".env", written(old), 0o600);
    bench.sandbox.accept(old);
    await bench.run(["logout", "--yes"]);
    expect(await where()).toEqual(NONE);
  });

  it.each<[string, (scene: Scene) => Promise<Readonly<Record<string, string>>>]>([
    ["DIGITALOCEAN_TOKEN", async ({ old }) => ({ DIGITALOCEAN_TOKEN: old })],
    ["DIGITALOCEAN_ACCESS_TOKEN", async ({ old }) => ({ DIGITALOCEAN_ACCESS_TOKEN: old })],
  ])(
    "--revoke refuses a token that is only in %s, because nothing stores the new one",
    async (_, given) => {
      const made = await scene();
      const bench = await workbench();
      const env = { ...(await given(made)), DIGITALOCEAN_API_URL: made.bench.sandbox.url };
      const oauth = { DO_BOOTSTRAP_OAUTH_URL: made.bench.sandbox.url };
      const options = { input: made.fresh, env: { ...env, ...oauth } };
      for (const more of [["--dry-run"], []]) {
        const args = ["rotate", "--token-stdin", "--revoke", ...more];
        const { status, stdout, stderr } = await bench.run(args, options);
        expect(stdout + stderr).toContain("[token.not-stored]");
        expect(status).toBe(3);
      }
      const routes = made.bench.sandbox.requests.map(({ method, path }) => `${method} ${path}`);
      expect(routes).not.toContain("POST /v1/oauth/revoke");
    },
  );

  it.each<[string, (scene: Scene) => Promise<Readonly<Record<string, string>>>]>([
    ["DIGITALOCEAN_TOKEN in the environment", async ({ old }) => ({ DIGITALOCEAN_TOKEN: old })],
    [
      "DIGITALOCEAN_ACCESS_TOKEN in the environment",
      async ({ old }) => ({ DIGITALOCEAN_ACCESS_TOKEN: old }),
    ],
    [
      "token.command, with copies in other files",
      async ({ bench, old }) => {
        await bench.write("get.sh", `#!/bin/sh\nprintf %s ${old}\n`, 0o755);
        await bench.write(".do-bootstraprc", "token: { command: [./get.sh] }\n");
        await bench.write(".env", "", 0o600);
        await bench.run(["--trust", "--yes"]);
        return {};
      },
    ],
  ])("--revoke revokes nothing when the token comes from %s", async (_, given) => {
    const made = await scene();
    const env = await given(made);
    const args = ["rotate", "--token-stdin", "--revoke", "--force"];
    const { status, stderr } = await made.bench.run(args, { input: made.fresh, env });
    expect(stderr).toContain("[token.not-stored]");
    expect(status).toBe(3);
    expect((await made.where())["tfvars"]).toBe("old");
    const posts = made.bench.sandbox.requests.filter(({ method }) => method === "POST");
    expect(posts).toEqual([]);
  });

  it("--dry-run shows the changes and writes nothing", async () => {
    const { bench, where, rotate, old, fresh } = await scene();
    const before = await fileTree(bench.root);
    const { status, stdout } = await rotate("--dry-run");
    expect(status).toBe(0);
    expect(stdout).toContain("4 changes to make");
    expect(stdout.match(/\[secret [0-9a-f]{8}\]/g)?.length).toBeGreaterThan(7);
    for (const token of [old, fresh]) expect(stdout).not.toContain(token);
    expect(await where()).toEqual(OLD);
    expect(await fileTree(bench.root)).toEqual(before);
  });

  it.each<
    [what: string, facts: Parameters<typeof scene>[0], args: string[], status: number, id: string]
  >([
    ["that is revoked", undefined, ["revoked"], 4, "token.refused"],
    ["of another team", { team: { uuid: "x", name: "Other" } }, [], 4, "token.wrong-team"],
    [
      "of another team, with --force",
      { team: { uuid: "x", name: "Other" } },
      ["--force"],
      4,
      "token.wrong-team",
    ],
    ["whose team can't be read", { scopes: ["droplet:read"] }, [], 5, "token.team-unknown"],
    [
      "that expires, when the old one doesn't",
      { expiresInSeconds: DAY },
      [],
      6,
      "token.expires-sooner",
    ],
    [
      "that expires within --min-ttl",
      { expiresInSeconds: DAY },
      ["--min-ttl", "7d", "--force"],
      6,
      "token.expires-soon",
    ],
  ])("a new token %s changes nothing", async (_, facts, args, status, id) => {
    const { bench, where, rotate, fresh } = await scene(facts);
    if (args[0] === "revoked") bench.sandbox.revoke(fresh);
    const result = await rotate(...args.filter((arg) => arg !== "revoked"));
    expect(result.stderr).toContain(`[${id}]`);
    expect(result.status).toBe(status);
    expect(await where()).toEqual(OLD);
  });

  it.each<[what: string, facts: Parameters<typeof scene>[0]]>([
    ["whose team can't be read", { scopes: ["droplet:read"] }],
    ["that expires sooner", { expiresInSeconds: DAY }],
  ])("--force accepts a new token %s", async (_, facts) => {
    const { where, rotate } = await scene(facts);
    const { status, stderr } = await rotate("--force");
    expect(status, stderr).toBe(0);
    expect(await where()).toEqual(NEW);
  });

  it("a new token without a scope that the code needs changes nothing", async () => {
    const { bench, where, rotate } = await scene({ scopes: ["account:read"] });
    await bench.write("main.tf", 'resource "digitalocean_tag" "a" {\n  name = "a"\n}\n');
    const { status, stderr } = await rotate();
    expect(status).toBe(5);
    expect(stderr).toContain("tag:create");
    expect(await where()).toEqual(OLD);
  });

  it("a revoked old token needs the team in the config", async () => {
    const { bench, old, where, rotate } = await scene();
    bench.sandbox.revoke(old);
    expect((await rotate()).status).toBe(5);
    expect(await where()).toEqual(OLD);
    const team = "5df3e3004a17e242b7c20ca6c9fc25b701a47ece";
    await bench.write(".do-bootstraprc", `account: { team: ${team} }\n`);
    const { status, stderr } = await rotate();
    expect(status, stderr).toBe(0);
    expect(stderr).not.toContain("still valid");
    expect(await where()).toEqual(NEW);
  });

  it.each([
    ["the same token", 0, "[token.unchanged]"],
    ["no token", 4, "rotate needs the new token"],
    ["no old one", 4, "[token.missing]"],
  ])("%s", async (what, status, says) => {
    const { bench, old, rotate } = await scene();
    if (what === "no old one") await bench.write(".env", "", 0o600);
    const result =
      what === "no token"
        ? await bench.run(["rotate"])
        : what === "the same token"
          ? await bench.run(["rotate", "--token-stdin"], { input: old })
          : await rotate();
    expect(result.stderr).toContain(says);
    expect(result.status).toBe(status);
  });

  it("--revoke --dry-run shows the revocation in the plan, and revokes nothing", async () => {
    const { bench, rotate } = await scene();
    const { stdout } = await rotate("--revoke", "--dry-run");
    expect(stdout).toMatch(/^- token [0-9a-f]{8} +revoked at 127\.0\.0\.1:\d+, once/m);
    expect(stdout).toContain("5 changes to make");
    const { pending } = JSON.parse((await rotate("--revoke", "--dry-run", "--json")).stdout);
    const token = /^- token (\w+)/m.exec(stdout)?.[1];
    expect(pending.at(-1)).toMatchObject({ kind: "revoke", token });
    const routes = bench.sandbox.requests.map(({ method, path }) => `${method} ${path}`);
    expect(routes).not.toContain("POST /v1/oauth/revoke");
  });

  it("--revoke revokes the old token at DigitalOcean", async () => {
    const { bench, old, rotate } = await scene();
    const { status, stderr } = await rotate("--revoke");
    expect(status).toBe(0);
    expect(stderr).not.toContain("still valid");
    const routes = bench.sandbox.requests.map(({ method, path }) => `${method} ${path}`);
    expect(routes).toContain("POST /v1/oauth/revoke");
    const account = await fetch(`${bench.sandbox.url}/v2/account`, {
      headers: { authorization: `Bearer ${old}` },
    });
    expect(account.status).toBe(401);
  });

  it("reports a failed revocation, with the page to delete the token", async () => {
    const { bench, rotate } = await scene();
    bench.sandbox.answer("POST /v1/oauth/revoke", { status: 404, body: "{}" });
    const { status, stderr } = await rotate("--revoke");
    expect(status).toBe(0);
    expect(stderr).toContain("[token.not-revoked]");
    expect(stderr).toContain("https://cloud.digitalocean.com/account/api/tokens");
  });

  it("changes nothing while git tracks one of the files", async () => {
    const { bench, where, rotate } = await scene();
    bench.mayHold(SECRET);
    await bench.git("add", "--force", SECRET);
    const { status, stderr } = await rotate();
    expect(status).toBe(3);
    expect(stderr).toContain("[NOT_IGNORED]");
    expect(await where()).toEqual(OLD);
    await bench.git("rm", "--cached", "--quiet", SECRET);
    expect((await rotate()).status).toBe(0);
    expect(await where()).toEqual(NEW);
  });

  it("replaces a token with JSON escapes, and nothing else in the file", async () => {
    const { bench, fresh, rotate, old } = await scene();
    const values = (token: string) => `{ "a": [1.0, "\\u0041"],\r\n"do\\u005ftoken" : "${token}"}`;
    await bench.write("more.auto.tfvars.json", values(old.replaceAll("_", "\\u005f")), 0o600);
    await bench.write(".gitignore", "*.tfvars*\n.env\n");
    const { status, stdout, stderr } = await rotate();
    expect(status, stderr).toBe(0);
    expect(await bench.read("more.auto.tfvars.json")).toBe(values(fresh));
    expect(stdout + stderr).not.toContain(old.slice(7, 23));
  });

  it("--env changes only that environment's token", async () => {
    const { bench, fresh, rotate, old } = await scene();
    const prod = randomToken();
    bench.sandbox.accept(prod);
    await bench.write(".do-bootstraprc", PROD);
    await bench.write(".env.prod", `DIGITALOCEAN_TOKEN=${prod}\n`, 0o600);
    await bench.write(".gitignore", ".env*\n*.secret.auto.tfvars.json\n");
    const { status, stderr } = await rotate("--env", "prod");
    expect(status, stderr).toBe(0);
    expect(await bench.read(".env.prod")).toBe(`DIGITALOCEAN_TOKEN=${fresh}\n`);
    expect(await bench.read(".env")).toContain(old);
  });

  it.each<[what: string, args: string[], hint: string]>([
    ["no token", [], "→ … | do-bootstrap rotate --env prod --token-stdin\n"],
    [
      "a token that expires sooner",
      ["--token-stdin"],
      "To accept it anyway: do-bootstrap rotate --env prod --force\n",
    ],
  ])("%s: the hint names the same environment", async (_, args, hint) => {
    const bench = await workbench();
    const fresh = randomToken();
    bench.sandbox.accept(fresh, { expiresInSeconds: DAY });
    await bench.write(".do-bootstraprc", PROD);
    await bench.write(".env.prod", `DIGITALOCEAN_TOKEN=${bench.token}\n`, 0o600);
    const { stderr } = await bench.run(["rotate", "--env", "prod", ...args], { input: fresh });
    expect(stderr).toContain(hint);
  });
});

describe("init while rotate runs", () => {
  it("does not write the old token again", async () => {
    const bench = await workbench();
    const fresh = randomToken();
    bench.sandbox.accept(fresh);
    await bench.write(".env", `DIGITALOCEAN_TOKEN=${bench.token}\n`, 0o600);
    await bench.write(".gitignore", ".env\n");
    await fakeDoctl(bench.bin);
    const [doctl, real] = [join(bench.bin, "doctl"), join(bench.bin, "doctl.real")];
    await rename(doctl, real);
    await writeFile(join(bench.root, "fresh"), fresh);
    bench.mayHold("../fresh");
    const { DIGITALOCEAN_API_URL: api, DO_BOOTSTRAP_OAUTH_URL: oauth } = bench.env;
    // rotate runs after init has made its plan, and ends before init writes.
    const rotates = `cd "${bench.repo}"; unset DIGITALOCEAN_ACCESS_TOKEN
export DIGITALOCEAN_API_URL=${api} DO_BOOTSTRAP_OAUTH_URL=${oauth}
${START_LINE} rotate --token-stdin <"${join(bench.root, "fresh")}" >"${join(bench.root, "said")}" 2>&1`;
    const script = `#!/bin/sh\n[ "$1" = auth ] && (${rotates}\n)\nexec "${real}" "$@"\n`;
    await writeFile(doctl, script, { mode: 0o755 });
    const { status, stderr } = await bench.run([]);
    expect(await readFile(join(bench.root, "said"), "utf8")).toContain("1 change");
    expect(stderr).toMatch(/DIGITALOCEAN_TOKEN in .*\.env was changed .* \[CHANGED_MEANWHILE\]$/m);
    expect(status).toBe(1);
    for (const [path, text] of Object.entries(await fileTree(bench.root))) {
      expect(text.includes(bench.token), path).toBe(false);
    }
    const again = await bench.run([]);
    expect(again.status, again.stderr).toBe(0);
    expect(await readFile(join(bench.root, DOCTL), "utf8")).toContain(fresh);
  });
});

describe.skipIf(needsScript !== "")(`rotate on a terminal${needsScript}`, () => {
  it("asks for the new token, shows the changes and asks for confirmation", async (context) => {
    const fresh = randomToken();
    const { bench, terminal } = await guided(context, ["rotate"], {}, async (bench) => {
      bench.sandbox.accept(fresh);
      await bench.run(["--token-stdin"], { input: bench.token });
      return undefined;
    });
    context.expect(await terminal.until(ASKS)).not.toContain("DigitalOcean rejects");
    terminal.type(`${fresh}\r`);
    const plan = await terminal.until(CONFIRMS);
    context.expect(plan).toContain("the new token");
    terminal.type("y");
    context.expect(await terminal.exit, terminal.screen()).toBe(0);
    context.expect(await bench.read(".env")).toBe(`DIGITALOCEAN_TOKEN=${fresh}\n`);
    for (const token of [fresh, bench.token]) {
      context.expect(terminal.raw()).not.toContain(token.slice(7, 23));
    }
  });
});

describe("logout", () => {
  it("removes the token from every place, and changes nothing else", async () => {
    const { bench, where, old } = await scene();
    await bench.write(".env", `A=1\nDIGITALOCEAN_TOKEN=${old}\n# kept\nB="x y"\n`, 0o600);
    const { status, stdout, stderr } = await bench.run(["logout"]);
    expect(status, stderr).toBe(0);
    expect(await where()).toEqual(NONE);
    expect(await bench.read(".env")).toBe('A=1\n# kept\nB="x y"\n');
    const config = await readFile(join(bench.root, DOCTL), "utf8");
    expect(config).toContain("other: dop_v1_");
    expect(config).toContain('context: "default"');
    expect(config).toContain("# kept");
    expect(stdout + stderr).not.toContain(old);
    expect(stderr).toContain("is still valid. [token.still-valid]");
    expect(await readdir(bench.repo)).toContain("provider.tf");
  });

  it.each<[what: string, lose: (bench: Workbench) => Promise<void>]>([
    ["the env file is gone", (bench) => unlink(join(bench.repo, ".env"))],
    [
      "the env file has another token",
      (bench) => bench.write(".env", `A=1\nDIGITALOCEAN_TOKEN=${randomToken()}\n`),
    ],
    ["the env file is empty", (bench) => bench.write(".env", "")],
  ])("removes a token that we wrote if %s", async (_, lose) => {
    const { bench, where } = await scene();
    await lose(bench);
    const { status, stderr } = await bench.run(["logout"]);
    expect(status, stderr).toBe(0);
    expect(await where()).toEqual(NONE);
    expect(stderr).toContain("may be still valid. [token.still-valid]");
  });

  it("names doctl's contexts if no token of this repo is known", async () => {
    const { bench } = await scene();
    for (const file of [".env", SECRET]) await unlink(join(bench.repo, file));
    const { stderr } = await bench.run(["logout"]);
    expect(stderr.replace(/\s+/g, " ")).toMatch(
      /no file was searched\. doctl still holds a token in [^.]*default[^.]*\. \[token\.unreached\] → If it is this repo's: doctl auth remove --context /,
    );
  });

  it("does not call a token valid that DigitalOcean refuses", async () => {
    const { bench, old } = await scene();
    bench.sandbox.revoke(old);
    const { stderr } = await bench.run(["logout"]);
    expect(stderr).not.toContain("still valid");
  });

  it("--dry-run shows the changes and writes nothing", async () => {
    const { bench, old } = await scene();
    const before = await fileTree(bench.root);
    const { status, stdout } = await bench.run(["logout", "--dry-run"]);
    expect(status).toBe(0);
    expect(stdout).toContain("changes to make");
    expect(stdout).not.toContain(old);
    expect(await fileTree(bench.root)).toEqual(before);
  });

  it("a second logout has nothing to do", async () => {
    const { bench } = await scene();
    await bench.run(["logout"]);
    const { status, stderr } = await bench.run(["logout"]);
    expect(status).toBe(0);
    expect(stderr).toContain("Nothing to do");
  });

  it("removes the token from the target of a symlink", async () => {
    const { bench, old } = await scene();
    await bench.write("values/kept", `do_token = "${old}"\n`, 0o600);
    await symlink("values/kept", join(bench.repo, "more.auto.tfvars"));
    await bench.write(".gitignore", "*.tfvars*\n.env\nvalues/\n");
    const { status, stderr } = await bench.run(["logout"]);
    expect(status, stderr).toBe(0);
    expect(await bench.read("values/kept")).not.toContain(old);
  });

  it("keeps the other values of a secret file", async () => {
    const { bench, old } = await scene();
    await bench.write(SECRET, `{ "a": "kept", "do_token": "${old}" }`, 0o600);
    await bench.write("more.auto.tfvars", `# c\ndo_token = "${old}"\nregion = "nyc3"\n`, 0o600);
    await bench.write(".gitignore", "*.tfvars*\n.env\n");
    const { status, stderr } = await bench.run(["logout"]);
    expect(status, stderr).toBe(0);
    expect(JSON.parse(await bench.read(SECRET))).toEqual({ a: "kept" });
    expect(await bench.read(SECRET)).toBe('{ "a": "kept" }');
    expect(await bench.read("more.auto.tfvars")).toBe('# c\nregion = "nyc3"\n');
  });
});

describe("uninstall", () => {
  it("also removes generated files that were not edited", async () => {
    const { bench } = await scene();
    await bench.write("main.tf", "# mine\n");
    await bench.run(["hook", "install"]);
    const { status, stderr } = await bench.run(["uninstall"]);
    expect(status, stderr).toBe(0);
    expect(await readdir(join(bench.repo, ".git/hooks"))).not.toContain("pre-commit");
    expect((await readdir(bench.repo)).sort()).toEqual([".env", ".git", "main.tf"]);
    expect(await bench.read(".env")).toBe("");
  });

  it("keeps a file with a valid header but content that we don't generate", async () => {
    const { bench } = await scene();
    const forged = generate('# template: 1\nresource "null_resource" "mine" {}\n', {});
    await bench.write("provider.tf", forged);
    expect((await bench.run(["uninstall"])).stderr).toContain("provider.tf (edited)");
    expect(await bench.read("provider.tf")).toBe(forged);
  });

  it("keeps an edited file, and says so", async () => {
    const { bench } = await scene();
    await bench.write("provider.tf", `${await bench.read("provider.tf")}# mine\n`);
    const { stderr } = await bench.run(["uninstall"]);
    expect(stderr).toContain("provider.tf (edited)");
    expect(await bench.read("provider.tf")).toContain("# mine");
  });

  it.each([
    ["another secret in the env file", ".env.local", "SPACES_SECRET_ACCESS_KEY=x\n"],
    ["a Terraform state", "terraform.tfstate", "{}"],
  ])("keeps our lines in .gitignore when they protect %s", async (_, name, text) => {
    const { bench } = await scene();
    await bench.write(name, text);
    const { stderr } = await bench.run(["uninstall"]);
    expect(stderr).toContain("The do-bootstrap block stays in .gitignore");
    expect(await bench.git("status", "--porcelain", "--ignored", name)).toMatch(/^!!/);
  });
});

describe.skipIf(needsScript !== "")(`rotate --revoke on a terminal${needsScript}`, () => {
  const ASKED = /Make these 4 changes, and revoke the token [0-9a-f]{8}\?/;

  async function asked(context: TestContext) {
    const made = await scene();
    const terminal = start(context, made.bench, ["rotate", "--revoke"]);
    await terminal.until(ASKS);
    terminal.type(`${made.fresh}\r`);
    await terminal.until(ASKED);
    const posts = () => made.bench.sandbox.requests.filter(({ method }) => method === "POST");
    return { ...made, terminal, posts };
  }

  it("answering no changes and revokes nothing", async (context) => {
    const { terminal, where, posts } = await asked(context);
    terminal.type("n");
    await terminal.exit;
    expect(await where()).toEqual(OLD);
    expect(posts()).toEqual([]);
  });

  it("revokes nothing when DigitalOcean doesn't confirm the stored token", async (context) => {
    const { bench, fresh, terminal, where, posts } = await asked(context);
    bench.sandbox.revoke(fresh);
    terminal.type("y");
    await terminal.exit;
    expect(await where()).toEqual(NEW);
    expect(words(terminal.screen())).toContain(
      "was not revoked: DigitalOcean did not confirm the new token.",
    );
    expect(posts()).toEqual([]);
  });

  it("the next run reports a revocation that a killed run didn't make", async (context) => {
    const { bench, fresh, terminal } = await asked(context);
    bench.sandbox.answer("POST /v1/oauth/revoke", "hang");
    terminal.type("y");
    await terminal.until(/Revoking the old token/);
    terminal.signal("SIGKILL");
    await terminal.exit;
    const told = "was not revoked: an earlier rotate ended before that.";
    const same = ["rotate", "--revoke", "--token-stdin", "--dry-run"];
    const again = await bench.run(same, { input: fresh });
    expect(words(again.stdout + again.stderr)).toContain(told);
    const third = randomToken();
    bench.sandbox.accept(third);
    const { stderr } = await bench.run(["rotate", "--token-stdin"], { input: third });
    expect(words(stderr)).toContain(told);
  });
});
