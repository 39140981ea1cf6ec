import { describe, it, type TestContext } from "vitest";
import { ASKS, CONFIRMS, guided, needsScript } from "../fixtures/terminal.ts";
import { randomToken, treeHash, type Workbench, workbench } from "../fixtures/workbench.ts";

const library = (await import(
  new URL("../../dist/index.cjs", import.meta.url).href
)) as typeof import("../../src/index.ts");

const TEAM = { uuid: "5df3e3004a17e242b7c20ca6c9fc25b701a47ece", name: "Sandbox Team" };
const OTHER_TEAM = { uuid: "b", name: "Somebody else" };
const DOCTL = "../home/.config/doctl/config.yaml";
const IGNORED = ".env*\n!.env.example\n.envrc\n*.tfvars\n";
type Env = Readonly<Record<string, string>>;

interface Found {
  readonly status: number;
  readonly applied: readonly { readonly path?: string; readonly why: string }[];
  readonly findings: readonly {
    readonly id: string;
    readonly message: string;
    readonly fix?: string;
  }[];
}

/** The document, and its finding token.missing. */
async function run(bench: Workbench, args: readonly string[], env: Env = {}, input = "") {
  const { stdout } = await bench.run([...args, "--json"], { env, input });
  const report: Found = JSON.parse(stdout);
  return { ...report, missing: report.findings.find(({ id }) => id === "token.missing") };
}

async function benchWith(context: TestContext, files: Env = {}): Promise<Workbench> {
  const bench = await workbench(context);
  await bench.write(".gitignore", IGNORED);
  for (const [path, text] of Object.entries(files)) {
    await bench.write(path, text.replaceAll("*T*", bench.token), 0o600);
  }
  return bench;
}

describe.concurrent("a token under another name", () => {
  it.for<[place: string, files: Env, env: Env]>([
    ["DO_TOKEN in the environment", {}, { DO_TOKEN: "T" }],
    ["DO_PAT in REPO/.env:2", { ".env": "A=1\nDO_PAT=*T*\n" }, {}],
    ["DIGITALOCEAN_TOKEN in REPO/.env.local:1", { ".env.local": "DIGITALOCEAN_TOKEN=*T*\n" }, {}],
    ["THING in REPO/.envrc:1", { ".envrc": "export THING=*T*\n" }, {}],
    ["key in REPO/terraform.tfvars:1", { "terraform.tfvars": 'key = "*T*"\n' }, {}],
    ["doctl context acme", { [DOCTL]: "auth-contexts:\n  acme: *T*\n" }, {}],
  ])("%s: reported, and used only with --adopt", async ([place, files, vars], context) => {
    const { expect } = context;
    const bench = await benchWith(context, files);
    const env = Object.fromEntries(Object.keys(vars).map((name) => [name, bench.token]));
    const words = `Found another token: ${place.replace("REPO", bench.repo)} (`;
    const before = await treeHash(bench.repo);
    for (const args of [["check"], ["--yes"], ["--dry-run"]]) {
      const { status, missing } = await run(bench, args, env);
      expect({ args, status }).toEqual({ args, status: 4 });
      expect(missing?.message).toContain(words);
      expect(missing?.message).toContain(", team Sandbox Team).");
      expect(missing?.fix).toBe("do-bootstrap --adopt");
    }
    const rehearsed = await run(bench, ["--dry-run", "--adopt"], env);
    expect(rehearsed.status).toBe(0);
    expect(await treeHash(bench.repo)).toBe(before);

    const done = await run(bench, ["--adopt", "--yes"], env);
    expect(done).toMatchObject({ status: 0 });
    const written = done.applied.find(({ path }) => path?.endsWith("/.env"));
    expect(written?.why).toContain(
      `the token from ${place.replace("REPO", bench.repo)} (also kept there)`,
    );
    expect(await bench.read(".env")).toContain(`DIGITALOCEAN_TOKEN=${bench.token}\n`);
    for (const [path, text] of Object.entries(files)) {
      expect(await bench.read(path)).toContain(text.replaceAll("*T*", bench.token).trim());
    }
    const after = await treeHash(bench.repo);
    expect(await run(bench, [], env)).toMatchObject({ status: 0, applied: [] });
    expect(await treeHash(bench.repo)).toBe(after);
  });

  it("two other tokens: an error that names both, and nothing is written", async (context) => {
    const { expect } = context;
    const bench = await benchWith(context, { ".env": "DO_TOKEN=*T*\n" });
    const other = randomToken();
    bench.sandbox.accept(other, { team: OTHER_TEAM });
    const before = await treeHash(bench.repo);
    const { status, missing } = await run(bench, ["--adopt"], { ACME_THING: other });
    expect(status).toBe(4);
    expect(missing?.message).toMatch(/Found 2 other tokens: ACME_THING in the env.*; DO_TOKEN in/);
    expect(missing?.fix).toMatch(/lets you choose/);
    expect(await treeHash(bench.repo)).toBe(before);
  });

  it("with account.team, uses the token of that team", async (context) => {
    const { expect } = context;
    const config = `account: { team: ${TEAM.uuid} }\n`;
    const bench = await benchWith(context, { ".env": "DO_TOKEN=*T*\n" });
    await bench.write("do-bootstrap.config.yaml", config);
    const other = randomToken();
    bench.sandbox.accept(other, { team: OTHER_TEAM });
    const { status } = await run(bench, ["--adopt", "--yes"], { ACME_THING: other });
    expect(status).toBe(0);
    expect(await bench.read(".env")).toContain(`DIGITALOCEAN_TOKEN=${bench.token}\n`);
  });

  it("reports a rejected token, and does not use it", async (context) => {
    const { expect } = context;
    const bench = await benchWith(context, { ".env": "DO_TOKEN=*T*\n" });
    bench.sandbox.revoke(bench.token);
    const { status, missing } = await run(bench, ["--adopt"]);
    expect(status).toBe(4);
    expect(missing?.message).toMatch(/DO_TOKEN in \S+:1 \(\w+, rejected by DigitalOcean \(401\): /);
    expect(missing?.fix).toMatch(/^Create one at/);
  });

  it("does not use a token in a file that git tracks", async (context) => {
    const { expect } = context;
    const bench = await benchWith(context, { ".env.shared": "DO_TOKEN=*T*\n" });
    await bench.git("add", "--force", ".env.shared");
    const before = await treeHash(bench.repo);
    const { status, missing } = await run(bench, ["--adopt"]);
    expect(status).toBe(4);
    expect(missing?.message).toMatch(/DO_TOKEN in \S+:1 \(git tracks this file\) \(/);
    expect(missing?.fix).toMatch(/^The token is committed in this repo\. /);
    expect(await treeHash(bench.repo)).toBe(before);
  });

  it("in CI, uses it and does not write it", async (context) => {
    const { expect } = context;
    const bench = await benchWith(context);
    const env = { DO_TOKEN: bench.token, CI: "true" };
    expect(await run(bench, ["--adopt"], env)).toMatchObject({ status: 0 });
    await expect(bench.read(".env")).rejects.toThrow("ENOENT");
  });

  it("does not send another service's 64 hex digits to DigitalOcean", async (context) => {
    const bench = await benchWith(context);
    const { missing } = await run(bench, ["check"], { K3S_TOKEN: "ab".repeat(32) });
    context.expect(missing?.message).toMatch(/\.env\.$/);
    context.expect(bench.sandbox.requests).toEqual([]);
  });

  it("replaces a placeholder in the env file", async (context) => {
    const { expect } = context;
    const bench = await benchWith(context, { ".env": "DIGITALOCEAN_TOKEN=changeme\nDO_PAT=*T*\n" });
    expect(await run(bench, ["--adopt", "--yes"])).toMatchObject({ status: 0 });
    const { token } = bench;
    expect(await bench.read(".env")).toBe(`DIGITALOCEAN_TOKEN=${token}\nDO_PAT=${token}\n`);
  });

  it("replaces a rejected token in the env file, which is not offered again", async (context) => {
    const { expect } = context;
    const refused = randomToken();
    const files = { ".env": `DIGITALOCEAN_TOKEN=${refused}\nDO_PAT=*T*\nOLD=${refused}\n` };
    const bench = await benchWith(context, files);
    const { findings } = await run(bench, ["check"]);
    const { message } = findings.find(({ id }) => id === "token.refused") ?? {};
    expect(message).toMatch(/Found another token: DO_PAT in \S+:2/);
    expect(await run(bench, ["--adopt", "--yes"])).toMatchObject({ status: 0 });
    expect(await bench.read(".env")).toContain(`DIGITALOCEAN_TOKEN=${bench.token}\nDO_PAT=`);
  });

  it("is not searched for when there is a token", async (context) => {
    const { expect } = context;
    const bench = await benchWith(context, { ".env": "DIGITALOCEAN_TOKEN=*T*\n" });
    await run(bench, ["check"], { DO_TOKEN: randomToken() });
    expect(bench.sandbox.requests).toHaveLength(2);
  });

  it("the library asks its prompter, and accepts only a fingerprint as the answer", async (context) => {
    const { expect } = context;
    const bench = await benchWith(context, { ".env": "DO_TOKEN=*T*\n" });
    const asked: unknown[] = [];
    const answer = (chosen: (fingerprint: string) => string | undefined) =>
      library.bootstrap({
        ...{ cwd: bench.repo, env: bench.env },
        prompter: {
          async adopt(question) {
            asked.push(question);
            return chosen(question.tokens[0]?.fingerprint ?? "");
          },
        },
      });
    expect(await answer(() => undefined)).toMatchObject({ status: 4 });
    expect(await answer(() => "12345678")).toMatchObject({ status: 4 });
    expect(await answer((fingerprint) => fingerprint)).toMatchObject({ status: 0 });
    const places = [`DO_TOKEN in ${bench.repo}/.env:1`];
    expect(asked[0]).toMatchObject({ tokens: [{ places, team: TEAM, isOfRepo: false }] });
    expect(JSON.stringify(asked)).not.toContain("dop_v1_");
  });

  it("--token-stdin accepts text around the token", async (context) => {
    const { expect } = context;
    const bench = await benchWith(context);
    const line = `export DO_TOKEN='${bench.token}'\n`;
    expect(await run(bench, ["--token-stdin", "--yes"], {}, line)).toMatchObject({ status: 0 });
    expect(await bench.read(".env")).toBe(`DIGITALOCEAN_TOKEN=${bench.token}\n`);
  });
});

describe.skipIf(needsScript !== "").concurrent(`on a terminal${needsScript}`, () => {
  const arrange = async (bench: Workbench) => {
    await bench.write(".gitignore", IGNORED);
    await bench.write(".env", `DO_TOKEN=${bench.token}\n`, 0o600);
    return undefined;
  };

  it("asks about one token; after a yes the plan names its source", async (context) => {
    const { expect } = context;
    const { bench, terminal } = await guided(context, [], {}, arrange);
    const question = await terminal.until(/Use it\?/);
    expect(question).toMatch(/DO_TOKEN in[\s│]+\S+[\s\S]*Sandbox[\s│]+Team/);
    terminal.type("y");
    const plan = await terminal.until(CONFIRMS);
    expect(plan).toMatch(/DO_TOKEN in/);
    terminal.type("y");
    expect(await terminal.exit, terminal.screen()).toBe(0);
    expect(await bench.read(".env")).toContain(`DIGITALOCEAN_TOKEN=${bench.token}\n`);
  });

  it("offers a choice of several; choosing none asks for a new token", async (context) => {
    const { expect } = context;
    const other = randomToken();
    const { terminal } = await guided(context, [], {}, async (bench) => {
      await arrange(bench);
      bench.sandbox.accept(other, { team: OTHER_TEAM });
      return { env: { ACME_THING: other } };
    });
    const question = await terminal.until(/None of them/);
    expect(question).toMatch(/ACME_THING[\s\S]*Somebody[\s\S]*DO_TOKEN/);
    terminal.type("\x1b[A\r");
    await terminal.waitFor(ASKS);
    terminal.type("\x03");
    expect(await terminal.exit).toBe(130);
  });
});
