import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, expectTypeOf, it } from "vitest";
import type { BootstrapOptions, EnvironmentChoice, ReportDocument } from "../../src/index.ts";
import type { SchemaReport } from "../../src/report/json-schema.ts";
import { treeHash, type Workbench, workbench } from "../fixtures/workbench.ts";

const BUILT = new URL("../../dist/index.cjs", import.meta.url).href;
const library = (await import(BUILT)) as typeof import("../../src/index.ts");
const { bootstrap, check, DoBootstrapError, environment, explain, scopes } = library;

const TWO =
  "environments: { dev: { token: { envFile: .env.dev } }, prod: { token: { envFile: .env.prod } } }\n";

/** The part of a user's machine that the library gets; its progress is searched for tokens. */
function on({ repo, env, guard }: Workbench, more: Readonly<Record<string, string>> = {}) {
  const progress = (what: string) => guard.said([], { stdout: "", stderr: what });
  return { cwd: repo, env: { ...env, ...more }, progress };
}

/** The document, after a search for tokens. */
async function of<D>({ guard }: Workbench, document: Promise<D>): Promise<D> {
  guard.said([], { stdout: JSON.stringify(await document), stderr: "" });
  return document;
}

describe.concurrent("the library", () => {
  it("prepares a repo like the command", async (context) => {
    const { expect } = context;
    const bench = await workbench(context);
    const report = await of(bench, bootstrap({ ...on(bench), token: bench.token }));
    expect(report).toMatchObject({ status: 0, command: "init", project: "acme-web", pending: [] });
    expect(report.applied.length).toBeGreaterThan(3);
    expect(await bench.read(".env")).toBe(`DIGITALOCEAN_TOKEN=${bench.token}\n`);

    const { stdout } = await bench.run(["check", "--json"]);
    expect(await of(bench, check(on(bench)))).toEqual(JSON.parse(stdout));
  });

  it("writes nothing in a dry run, and asks nothing", async (context) => {
    const { expect } = context;
    const bench = await workbench(context);
    const before = await treeHash(bench.repo);
    const options = { ...on(bench), token: bench.token, dryRun: true };
    const report = await of(bench, bootstrap(options));
    expect(report).toMatchObject({ status: 0, applied: [] });
    expect(report.pending.length).toBeGreaterThan(3);

    const without = await bootstrap(on(bench));
    expect(without).toMatchObject({ status: 4, token: null });
    expect(without.findings.map(({ id }) => id)).toContain("token.missing");
    expect(await treeHash(bench.repo)).toBe(before);
  });

  it("checks every environment with `all`", async (context) => {
    const { expect } = context;
    const bench = await workbench(context);
    await bench.write(".do-bootstraprc", TWO);
    await bench.write(".env.dev", `DIGITALOCEAN_TOKEN=${bench.token}\n`, 0o600);
    const report = await of(bench, check({ ...on(bench), all: true }));
    expect(report.environments?.map((each) => [each.environment, each.status])).toEqual([
      ["dev", 3],
      ["prod", 4],
    ]);
    const fixes = report.findings.filter(({ id }) => id === "token.missing").map(({ fix }) => fix);
    expect(fixes).toEqual([expect.stringContaining("do-bootstrap --env prod --token-stdin")]);
    await expect(check({ ...on(bench), all: true, environment: "dev" })).rejects.toMatchObject({
      code: "USAGE",
    });
  });

  it("asks the prompter for the environment before it asks for a token", async (context) => {
    const { expect } = context;
    const bench = await workbench(context);
    await bench.write(".do-bootstraprc", TWO);
    bench.mayHold(".env.prod");
    const asked: unknown[] = [];
    const prompter = {
      async environment(choices: readonly EnvironmentChoice[]) {
        asked.push(choices);
        return "prod";
      },
      token: async () => bench.token,
    };
    const report = await of(bench, bootstrap({ ...on(bench), prompter }));
    expect(report).toMatchObject({ status: 0, environment: "prod" });
    expect(asked).toEqual([
      [
        { environment: "dev", about: "no token yet" },
        { environment: "prod", about: "no token yet" },
        { environment: undefined, about: "the token is stored in .env" },
      ],
    ]);
    expect(await bench.read(".env.prod")).toBe(`DIGITALOCEAN_TOKEN=${bench.token}\n`);
    const [missing] = report.findings.filter(({ id }) => id === "doctl.missing");
    expect(missing?.fix).toContain("do-bootstrap --env prod --doctl-config");
  });

  it("asks the prompter for a token and for approval", async (context) => {
    const { expect } = context;
    const bench = await workbench(context);
    await bench.write("main.tf", 'resource "digitalocean_domain" "a" {\n  name = "a.example"\n}\n');
    const asked: unknown[] = [];
    const prompter = {
      async token(question: object) {
        asked.push(question);
        return bench.token;
      },
      async approve(pending: ReportDocument["pending"]) {
        asked.push(pending.map(({ kind }) => kind));
        return asked.length > 3;
      },
    };
    const options: BootstrapOptions = { ...on(bench), prompter };
    const before = await treeHash(bench.repo);
    await expect(bootstrap(options)).rejects.toMatchObject({ code: "DECLINED", status: 1 });
    expect(await treeHash(bench.repo)).toBe(before);
    expect(await bootstrap(options)).toMatchObject({ status: 0 });
    expect(asked[0]).toMatchObject({ project: "acme-web", refused: undefined });
    expect(asked[0]).toHaveProperty("scopes", expect.arrayContaining(["domain:create"]));
    expect(asked[1]).toEqual(expect.arrayContaining(["create"]));
  });

  it("asks whether the config's command may run", async (context) => {
    const { expect } = context;
    const bench = await workbench(context);
    await bench.write(
      "do-bootstrap.config.yaml",
      "token: { command: [sh, -c, 'echo none >&2'] }\n",
    );
    const asked: object[] = [];
    const said: string[] = [];
    const answer = (may: boolean) =>
      bootstrap({
        ...on(bench, { PATH: `${bench.bin}:/bin` }),
        commandSays: (text) => said.push(text),
        prompter: {
          async trust(question) {
            asked.push(question);
            return may;
          },
        },
      });
    expect(await answer(false)).toMatchObject({ status: 4 });
    expect(said).toEqual([]);
    expect(await answer(true)).toMatchObject({ status: 4 });
    expect(said.join("")).toBe("none\n");
    expect(asked[0]).toMatchObject({ command: "sh -c 'echo none >&2'" });
  });

  it("throws an error with a code and a hint when there is no report", async (context) => {
    const { expect } = context;
    const bench = await workbench(context);
    const error = await environment({ ...on(bench) }).catch((each: unknown) => each);
    expect(error).toBeInstanceOf(DoBootstrapError);
    expect(error).toMatchObject({ code: "token.missing", status: 4, hint: expect.any(String) });
    await bench.write("do-bootstrap.config.yaml", "projct: a\n");
    await expect(check(on(bench))).rejects.toMatchObject({ code: "CONFIG_INVALID", status: 2 });
    const nowhere = { ...on(bench), cwd: join(bench.repo, "nowhere") };
    await expect(check(nowhere)).rejects.toMatchObject({ code: "USAGE", status: 2 });
  });

  it("returns the variables for a child process", async (context) => {
    const { expect } = context;
    const bench = await workbench(context);
    await bench.write(".env", `DIGITALOCEAN_TOKEN=${bench.token}\nA=1\n`, 0o600);
    const both = { DIGITALOCEAN_TOKEN: bench.token, DIGITALOCEAN_ACCESS_TOKEN: bench.token };
    expect(await environment(on(bench))).toEqual({ variables: both, notice: null });
    expect((await environment({ ...on(bench), all: true })).variables).toEqual({ ...both, A: "1" });
    bench.sandbox.revoke(bench.token);
    const asked = environment({ ...on(bench), verify: true });
    await expect(asked).rejects.toMatchObject({ code: "token.refused" });
  });

  it("explains errors, and finds the needed scopes", async (context) => {
    const { expect } = context;
    const bench = await workbench(context);
    await bench.write("a.tf", 'resource "digitalocean_domain" "a" {\n  name = "a.example"\n}\n');
    const { explanations } = await explain(
      "GET https://api.digitalocean.com/v2/account: 401 (request 1) Unable to authenticate you",
      on(bench),
    );
    expect(explanations).toMatchObject([{ kind: "status", status: 401 }]);
    await expect(explain("all is well", on(bench))).rejects.toMatchObject({
      code: "NOTHING_TO_EXPLAIN",
    });
    const found = await of(bench, scopes({ ...on(bench), purpose: "plan" }));
    expect(found).toMatchObject({ purpose: "plan", dirs: [bench.repo] });
    expect(found.scopes).toContain("domain:read");
    expect(found.scopes).not.toContain("domain:create");
  });

  it("stops when the signal is aborted", async (context) => {
    const { expect } = context;
    const bench = await workbench(context);
    const before = await treeHash(bench.root);
    const controller = new AbortController();
    const progress = () => controller.abort();
    const options = { ...on(bench), token: bench.token, progress, signal: controller.signal };
    await expect(bootstrap(options)).rejects.toMatchObject({ code: "INTERRUPTED", status: 130 });
    expect(await treeHash(bench.root)).toBe(before);
  });

  it("prepares two repos at once, without mixing them", async (context) => {
    const { expect } = context;
    const pair = await Promise.all([workbench(context), workbench(context)]);
    const passwords = ["correct horse one", "correct horse two"];
    const reports = await Promise.all(
      pair.map(async (bench, at) => {
        await bench.write(
          "do-bootstrap.config.yaml",
          `project: ${passwords[1 - at]?.at(-1)}-${at}\n`,
        );
        const env = { DATABASE_PASSWORD: passwords[at] ?? "" };
        return of(bench, bootstrap({ ...on(bench, env), token: bench.token }));
      }),
    );
    expect(reports.map(({ status, project }) => [status, project])).toEqual([
      [0, "o-0"],
      [0, "e-1"],
    ]);
    for (const [at, bench] of pair.entries()) {
      const other = pair[1 - at];
      expect(await bench.read(".env")).toContain(bench.token);
      expect(await bench.read(".env")).not.toContain(other?.token);
      expect(JSON.stringify(reports[at])).not.toContain(other?.root);
    }
  });

  it("redacts the secrets of its own environment, and not those of another call", async (context) => {
    const { expect } = context;
    const bench = await workbench(context);
    const secret = "staple-battery-7";
    const named = (env: Record<string, string>) =>
      check({ ...on(bench, env), cwd: join(bench.repo, secret) }).catch(({ message }) => message);
    const [told, untold] = await Promise.all([named({ DB_PASSWORD: secret }), named({})]);
    expect(told).toMatch(/\[redacted\] is not a folder/);
    expect(untold).toContain(secret);
  });
});

/** Variables that Node itself reads, for any program. */
const OF_NODE = ["WATCH_REPORT_DEPENDENCIES", "NODE_V8_COVERAGE", "FORCE_COLOR"];

it("prints nothing, and reads only the environment that it was given", async (context) => {
  const bench = await workbench(context);
  const script = `
    const read = new Set();
    const all = process.env;
    process.env = new Proxy(all, {
      get: (_, name) => (read.add(String(name)), all[name]),
      has: (_, name) => (read.add(String(name)), name in all),
      ownKeys: () => (read.add("all of them"), Reflect.ownKeys(all)),
    });
    const { bootstrap, check, environment, explain, scopes } = await import(${JSON.stringify(BUILT)});
    const { options, token } = JSON.parse(all.GIVEN);
    await bootstrap({ ...options, token });
    await check({ ...options, history: true });
    await scopes(options);
    await explain("GET https://api.digitalocean.com/v2/account: 401 x", options);
    await environment({ ...options, verify: true });
    await check({ ...options, cwd: "nowhere" }).catch(() => undefined);
    process.exitCode = 7;
    require("node:fs").writeFileSync(all.READ, JSON.stringify([...read]));`;
  await bench.write("main.tf", 'resource "digitalocean_domain" "a" {\n  name = "a.example"\n}\n');
  const read = join(bench.root, "read.json");
  const given = { options: on(bench), token: bench.token };
  const args = [
    "--input-type=module",
    "--eval",
    `import { createRequire } from "node:module"; const require = createRequire("/");${script}`,
  ];
  const env = { GIVEN: JSON.stringify(given), READ: read, PATH: "/nowhere", HOME: "/nowhere" };
  const result = await execa(process.execPath, args, {
    ...{ cwd: bench.tmp, env, extendEnv: false, reject: false },
  });
  expect(result).toMatchObject({ exitCode: 7, stdout: "", stderr: "" });
  const names: string[] = JSON.parse(await bench.read("../read.json"));
  expect(names.filter((name) => !OF_NODE.includes(name))).toEqual([]);
  expect(await readdir(bench.repo)).toContain(".env");
});

it("its types match report.schema.json", () => {
  type ReadOnly<T> = T extends object ? { readonly [K in keyof T]: ReadOnly<T[K]> } : T;
  expectTypeOf<ReadOnly<SchemaReport>>().toExtend<ReportDocument>();
  expectTypeOf<keyof ReportDocument>().toEqualTypeOf<keyof SchemaReport>();
});
