import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it, type TestContext } from "vitest";
import { parse } from "yaml";
import { fakeDoctl } from "../fixtures/tools.ts";
import { fileTree } from "../fixtures/tree.ts";
import { randomToken, treeHash, type Workbench, workbench } from "../fixtures/workbench.ts";

const FILE = "do-bootstrap.config.yaml";
const TEAM = "5df3e3004a17e242b7c20ca6c9fc25b701a47ece";

describe.concurrent("init --write-config", () => {
  it("writes a commented config with the user's choices, not ignored by git", async (context) => {
    const { bench, init, expect } = await arrange(context);
    const { status, stderr } = await init();
    expect(status, stderr).toBe(0);
    expect(stderr).toMatch(/^\+ do-bootstrap\.config\.yaml +your choices; commit it$/m);
    const text = await bench.read(FILE);
    expect(parse(text)).toEqual({
      project: "acme-web",
      token: { name: "DIGITALOCEAN_TOKEN", envFile: ".env" },
      account: { team: TEAM },
      terraform: { dir: "." },
    });
    expect(text).toMatch(/^# yaml-language-server: \$schema=\S+schema\.json$/m);
    for (const key of ["minTtl", "doctl", "tool", "credentials", "workspace", "environments"]) {
      expect(text).toMatch(new RegExp(`^ *# ${key}:`, "m"));
    }
    expect(text).not.toContain(bench.token.slice(7, 23));
    expect(await bench.git("status", "--porcelain", "--untracked-files=all")).toContain(FILE);
  });

  it("the next run uses it: check passes, and a second --write-config changes nothing", async (context) => {
    const { bench, init, expect } = await arrange(context);
    expect((await init()).status).toBe(0);
    const before = await treeHash(bench.repo);
    const check = await bench.run(["check", "--strict", "--json"]);
    const { configFile, findings, pending } = JSON.parse(check.stdout);
    expect(check.status, check.stdout).toBe(0);
    expect({ configFile, pending }).toEqual({ configFile: join(bench.repo, FILE), pending: [] });
    expect(findings.map(({ id }: { id: string }) => id)).not.toContain("config.exists");
    const again = await init();
    expect(again.stderr).toMatch(/^· acme-web: nothing to change/m);
    expect(again.status).toBe(0);
    expect(await treeHash(bench.repo)).toBe(before);
  });

  it("every commented line is valid when uncommented", async (context) => {
    const { bench, init, expect } = await arrange(context);
    await init();
    const text = (await bench.read(FILE))
      .replace(
        /^( *)# ((?:minTtl|doctl|tool|workspace|variables|environments| {2}prod| {4}\w+):.*)$/gm,
        "$1$2",
      )
      .replace(/^# ( .*)$/gm, "$1");
    await bench.write(FILE, text);
    expect(parse(text)).toMatchObject({
      token: { minTtl: "7d" },
      doctl: { context: "acme-web" },
      terraform: { tool: "terraform", workspace: "prod", variables: { region: "nyc3" } },
      environments: {
        prod: { token: { envFile: ".env.prod" }, doctl: { context: "acme-web-prod" } },
      },
    });
    const { stderr } = await bench.run(["--dry-run"]);
    expect(stderr).not.toMatch(/\[CONFIG_/);
  });

  it("pins the team: after that a token of another team is rejected", async (context) => {
    const { bench, init, expect } = await arrange(context);
    await init();
    const other = randomToken();
    bench.sandbox.accept(other, {
      team: { uuid: "11111111-2222-4333-8444-555555555555", name: "Other" },
    });
    const { status, stderr } = await bench.run(["--token-stdin"], { input: other });
    expect(stderr).toContain("[token.wrong-team]");
    expect(status).toBe(4);
  });

  it("does not pin an unknown team", async (context) => {
    const { bench, init, expect } = await arrange(context);
    bench.sandbox.accept(bench.token, { scopes: ["droplet:read"] });
    expect((await init()).status).toBe(0);
    const text = await bench.read(FILE);
    expect(parse(text)).not.toHaveProperty("account");
    expect(text).toMatch(/^# account: \{ team: <uuid> \}/m);
    expect((await bench.run(["check"])).status).toBe(0);
  });

  it("names the project's context when default has another login", async (context) => {
    const { bench, init, expect } = await arrange(context);
    const other = randomToken();
    bench.sandbox.accept(other, { team: { uuid: "other", name: "Other" } });
    await bench.write("../home/.config/doctl/config.yaml", `access-token: ${other}\n`, 0o600);
    expect((await init()).status).toBe(0);
    expect(parse(await bench.read(FILE))).toMatchObject({ doctl: { context: "acme-web" } });
    expect((await bench.run(["check"])).status).toBe(0);
  });

  // YAML would not read these words as strings.
  it.for(["2024", "true", "null", "1e3", "0x1f", "no", "12_3", "0o17", "a-b_c"])(
    "project %s stays a string",
    async (name, context) => {
      const { bench, init, expect } = await arrange(context);
      await bench.write("package.json", JSON.stringify({ name }));
      const other = randomToken();
      bench.sandbox.accept(other, { team: { uuid: "other", name: "Other" } });
      await bench.write("../home/.config/doctl/config.yaml", `access-token: ${other}\n`, 0o600);
      const { status, stderr } = await init();
      expect(status, stderr).toBe(0);
      expect(parse(await bench.read(FILE))).toMatchObject({
        project: name,
        doctl: { context: name },
      });
      const check = await bench.run(["check"]);
      expect(check.status, check.stderr + check.stdout).toBe(0);
    },
  );

  it.for(["1e30045", "123456", "5e3", "null", "0x11", ".inf"])(
    "team %s is pinned as a string",
    async (uuid, context) => {
      const { bench, init, expect } = await arrange(context);
      bench.sandbox.accept(bench.token, { team: { uuid, name: "Odd" } });
      const { status, stderr } = await init();
      expect(status, stderr).toBe(0);
      expect(parse(await bench.read(FILE))).toMatchObject({ account: { team: uuid } });
      expect((await bench.run(["check"])).status).toBe(0);
    },
  );

  it("in a folder with its own root: paths are relative to the config", async (context) => {
    const { bench, init, expect } = await arrange(context);
    await bench.write("apps/web/infra/main.tf", "");
    expect((await init([], "apps/web")).status).toBe(0);
    const text = await bench.read(`apps/web/${FILE}`);
    expect(parse(text)).toMatchObject({ token: { envFile: ".env" }, terraform: { dir: "infra" } });
    expect((await bench.run(["check"], { cwd: "apps/web" })).status).toBe(0);
  });

  it.for([
    ["package.json", '{"name":"acme-web","do-bootstrap":{}}'],
    [".do-bootstraprc", "{}\n"],
    [".do-bootstraprc.json", "{}\n"],
    [".do-bootstraprc.yaml", "project: acme-web\n"],
    [".config/do-bootstraprc.yml", "project: acme-web\n"],
    ["do-bootstrap.config.json", "{}\n"],
  ] as const)(
    "%s is already the config: says so, and writes no other",
    async ([file, text], context) => {
      const { bench, init, expect } = await arrange(context);
      await bench.write(file, text);
      const { status, stderr } = await init();
      expect(stderr.replace(/\s+/g, " ")).toContain(
        `A config already exists: ${file}. No other config is written.`,
      );
      expect(stderr).toContain("[config.exists]");
      expect(status, stderr).toBe(0);
      expect(await bench.read(file)).toBe(text);
      expect(Object.keys(await fileTree(bench.repo))).not.toContain(join(bench.repo, FILE));
    },
  );

  it("keeps the user's own edits", async (context) => {
    const { bench, init, expect } = await arrange(context);
    await bench.write(FILE, "# mine\nproject: acme\n");
    expect((await init()).status).toBe(0);
    expect(await bench.read(FILE)).toBe("# mine\nproject: acme\n");
  });

  it("--dry-run shows it as a diff, and writes nothing", async (context) => {
    const { bench, init, expect } = await arrange(context);
    const before = await treeHash(bench.repo);
    const { status, stdout } = await init(["--dry-run"]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^\+ do-bootstrap\.config\.yaml {2}your choices; commit it$/m);
    expect(stdout).toMatch(/^ {2}\+ project: acme-web$/m);
    expect(stdout).toMatch(new RegExp(`^ {2}\\+ {3}team: "?${TEAM}"? `, "m"));
    expect(stdout).not.toContain(bench.token.slice(7, 23));
    expect(await treeHash(bench.repo)).toBe(before);
  });

  it("is removed again after a failure", async (context) => {
    const { bench, init, expect } = await arrange(context);
    bench.sandbox.answer("GET /v1/oauth/token/info", { status: 401, body: "{}" });
    expect((await init()).status).toBe(4);
    await expect(readFile(join(bench.repo, FILE))).rejects.toThrow("ENOENT");
  });

  it("is not written without the option", async (context) => {
    const { bench, expect } = await arrange(context);
    expect((await bench.run(["--token-stdin"], { input: bench.token })).status).toBe(0);
    await expect(readFile(join(bench.repo, FILE))).rejects.toThrow("ENOENT");
  });
});

async function arrange(context: TestContext) {
  const bench: Workbench = await workbench(context);
  await fakeDoctl(bench.bin, { writeDelayMs: 0 });
  return {
    bench,
    expect: context.expect,
    init: (args: readonly string[] = [], cwd = ".") =>
      bench.run(["--token-stdin", "--write-config", ...args], { input: bench.token, cwd }),
  };
}
