import { existsSync } from "node:fs";
import { chmod, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, it } from "vitest";
import type { SandboxReply } from "../../src/commands/demo/sandbox.ts";
import {
  type ArgvWatch,
  formsOf,
  holdersOn,
  leaksIn,
  leaksOn,
  watchArgv,
} from "../fixtures/leak-search.ts";
import { onPath } from "../fixtures/on-path.ts";
import { fakeDoctl } from "../fixtures/tools.ts";
import {
  type RunResult,
  randomToken,
  unguardedToken,
  type Workbench,
  workbench,
} from "../fixtures/workbench.ts";

const GIT = onPath("git") ?? "";
const HOLDERS = [
  "acme-web/.env",
  "acme-web/do-bootstrap.secret.auto.tfvars.json",
  "home/.config/doctl/config.yaml",
];
const info = "GET /v1/oauth/token/info";
const account = "GET /v2/account";
const reply = (type: string, status: number, body: string): SandboxReply => ({
  status,
  headers: { "content-type": type },
  body,
});
const json = (status: number, body: object) =>
  reply("application/json", status, JSON.stringify(body));
const html = (status: number, body: string) => reply("text/html", status, body);
const brokenJson = (body: string) => reply("application/json", 200, body);
const both = (reply: SandboxReply) => ({ [account]: reply, [info]: reply });

/** The old form, which looks like any other hex text. */
const legacyToken = () => randomToken().slice("dop_v1_".length);

type Row = readonly [
  name: string,
  status: number,
  replies: (token: string) => Readonly<Record<string, SandboxReply>>,
  newToken?: () => string,
];

// docs/contracts/api.md §7, and servers that echo what they were sent.
const ROWS: readonly Row[] = [
  ["silence on both", 7, () => both("hang")],
  ["success", 0, () => ({})],
  ["success, a personal token", 0, () => ({}), randomToken],
  ["account 401", 4, () => ({ [account]: json(401, { id: "unauthorized" }) })],
  ["account 403", 0, () => ({ [account]: json(403, { id: "forbidden", message: "No." }) })],
  ["token info 500", 0, () => ({ [info]: json(500, {}) })],
  ["account 500", 0, () => ({ [account]: json(500, {}) })],
  ["account 500, token info 401", 4, () => ({ [account]: json(500, {}), [info]: json(401, {}) })],
  ["429 on both", 7, () => both({ status: 429, headers: { "retry-after": "60" } })],
  ["HTML on both", 7, () => both(html(200, "<html>Log in</html>"))],
  [
    "redirects that contain the token",
    7,
    (token) => both({ status: 302, headers: { location: `http://127.0.0.1:1/?token=${token}` } }),
  ],
  ["broken JSON on both", 7, () => both(brokenJson("{"))],
  ["closed connections", 7, () => both("disconnect")],
  ["HTML that echoes the token", 7, (token) => both(html(200, `<p>Bearer ${token}</p>`))],
  ["500s that echo the token", 7, (token) => both(json(500, { id: token, message: token }))],
  ["broken JSON that echoes the token", 7, (token) => both(brokenJson(token))],
  [
    "account 403, token info 502, and both echo the token",
    0,
    (token) => ({
      [account]: json(403, { id: "forbidden", message: `${token} may not` }),
      [info]: html(502, `<html>bad gateway: Bearer ${token}</html>`),
    }),
  ],
];

describe.concurrent("the token is only where it belongs (rule 1)", () => {
  let watch: ArgvWatch | undefined;
  beforeAll(() => {
    if (existsSync("/proc/self/cmdline")) watch = watchArgv();
  });
  afterAll(() => watch?.stop());

  for (const [name, status, replies, newToken = legacyToken] of ROWS) {
    it.skipIf(!existsSync("/proc/self/cmdline"))(`${name} (needs /proc)`, async (context) => {
      const { expect } = context;
      const bench = await workbench(context);
      const doctl = await fakeDoctl(bench.bin, { validateDelayMs: 300 });
      const token = newToken();
      bench.sandbox.accept(token);
      for (const [route, reply] of Object.entries(replies(token))) {
        bench.sandbox.answer(route, reply);
      }
      const run = (...args: string[]) => bench.run([...args, "--token-stdin"], { input: token });
      const steps: (() => Promise<RunResult>)[][] = [
        [() => run("--dry-run", "--debug"), () => run("check", "--debug")],
        [() => run("--debug")],
        [() => run("--json")],
        [() => run("check", "--json", "--debug")],
      ];
      // If nothing will be written, the steps can run together.
      const turns = status === 0 ? steps : [steps.flat()];
      const results = (
        await inTurn(turns.map((turn) => () => Promise.all(turn.map((start) => start()))))
      ).flat();

      expect(results.slice(-3).map(({ status }) => status)).toEqual([status, status, status]);
      expect(leaksIn(JSON.stringify(results), token)).toEqual([]);
      expect(await leaksOn(bench, token)).toEqual([]);
      expect(await holdersOn(bench, token)).toEqual(status === 0 ? HOLDERS : []);
      for (const path of status === 0 ? HOLDERS : []) {
        expect((await stat(join(bench.root, path))).mode & 0o777).toBe(0o600);
      }

      const argv = [...(watch?.seen ?? [])];
      expect(argv.flatMap((each) => leaksIn(each, token))).toEqual([]);
      const calls = await doctl.calls();
      expect(calls.some(({ argv }) => argv[1] === "init")).toBe(status === 0);
      for (const call of calls) {
        expect(call.env).toEqual(call.argv[1] === "init" ? ["DIGITALOCEAN_ACCESS_TOKEN"] : []);
      }
    });
  }

  it("a token in the environment is not passed on to git and terraform", async (context) => {
    const { expect } = context;
    const bench = await workbench(context);
    const token = legacyToken();
    bench.sandbox.accept(token);
    const log = join(bench.root, "environments.log");
    const version = '{"terraform_version":"1.11.4"}';
    await rm(join(bench.bin, "git"));
    await tool(bench, "git", `{ echo "tool git"; /usr/bin/env; } >>${log}\nexec ${GIT} "$@"`);
    await tool(
      bench,
      "terraform",
      `{ echo "tool terraform"; /usr/bin/env; } >>${log}\necho '${version}'`,
    );
    const env = {
      DIGITALOCEAN_TOKEN: token,
      DIGITALOCEAN_ACCESS_TOKEN: token,
      TF_VAR_do_token: token,
    };
    const results = await inTurn(
      [["--debug"], ["--save", "--json"], ["check", "--debug"], ["--dry-run"]].map(
        (args) => () => bench.run(args, { env }),
      ),
    );

    // This terraform installs nothing, so check may report a problem.
    expect(results.map(({ status }) => status)).toEqual([0, 0, expect.any(Number), 0]);
    expect(leaksIn(JSON.stringify(results), token)).toEqual([]);
    const seen = await bench.read("../environments.log");
    expect(seen).toMatch(/^tool git$[\s\S]*^tool terraform$/m);
    expect(leaksIn(seen, token)).toEqual([]);
    expect(await leaksOn(bench, token)).toEqual([]);
    expect(await holdersOn(bench, token)).toEqual(HOLDERS.slice(0, 2));
  });

  it("replaced tokens are not printed either", async (context) => {
    const { expect } = context;
    const bench = await workbench(context);
    await fakeDoctl(bench.bin);
    const token = legacyToken();
    bench.sandbox.accept(token);
    const old = [legacyToken(), legacyToken(), legacyToken(), legacyToken()] as const;
    await bench.write(".env", `SESSION_KEY=${old[3]}\nDIGITALOCEAN_TOKEN=${old[0]}\n`);
    const [, secretFile = "", doctlConfig = ""] = HOLDERS;
    await bench.write(join("..", secretFile), JSON.stringify({ do_token: old[1], other: old[3] }));
    await bench.write(join("..", doctlConfig), `auth-contexts: { acme-web: ${old[2]} }\n`);
    const results = await inTurn(
      [
        ["--dry-run", "--force"],
        ["--debug", "--force"],
        ["--json", "--dry-run"],
        ["check", "--debug"],
      ].map((args) => () => bench.run([...args, "--token-stdin"], { input: token })),
    );

    expect(results.map(({ status }) => status)).toEqual([0, 0, 0, 0]);
    expect(results[0]?.stdout).toContain("[secret ");
    for (const each of [token, ...old]) {
      expect(leaksIn(JSON.stringify(results), each)).toEqual([]);
    }
    expect(await holdersOn(bench, token)).toEqual(HOLDERS);
    for (const each of old.slice(0, 3)) expect(await holdersOn(bench, each)).toEqual([]);
  });

  const mistakes: readonly (readonly [string, (token: string, bench: Workbench) => unknown])[] = [
    ["as an argument", (token) => [token]],
    ["as an argument of check", (token) => ["check", token]],
    ["as an option's name", (token) => [`--${token}`]],
    ["as an unknown option's value", (token) => [`--token=${token}`]],
    ["as a boolean option's value", (token) => [`--token-stdin=${token}`]],
    ["as an environment's name", (token) => ["--env", token]],
    [
      "in YAML that does not parse",
      (token, bench) => bench.write(".do-bootstraprc.yaml", `token: {\n  value: "${token}\n`),
    ],
    [
      "in JSON that does not parse",
      (token, bench) => bench.write(".do-bootstraprc.json", `{"t": ${token}}`),
    ],
    [
      "as a key of the config",
      (token, bench) => bench.write(".do-bootstraprc.yaml", `terraform: { ${token}: 1 }\n`),
    ],
    [
      "in a config value, with other text",
      (token, bench) => bench.write(".do-bootstraprc.yaml", `project: "token ${token}"\n`),
    ],
    [
      "in a config's duration",
      (token, bench) => bench.write(".do-bootstraprc.yaml", `token: { minTtl: "${token}" }\n`),
    ],
  ];
  for (const [kind, newToken] of [
    ["personal", unguardedToken],
    ["legacy", () => unguardedToken().slice("dop_v1_".length)],
  ] as const) {
    it.for(mistakes)(`a ${kind} token %s by mistake is not printed`, async ([, make], context) => {
      const { expect } = context;
      const bench = await workbench(context);
      const token = newToken();
      const made = await make(token, bench);
      const args = Array.isArray(made) ? made : [];
      const results = await Promise.all(
        [["--debug"], ["--json", "--debug"]].map((more) => bench.run([...args, ...more])),
      );

      expect(results.map(({ status }) => status)).toEqual([2, 2]);
      expect(leaksIn(JSON.stringify(results), token)).toEqual([]);
    });
  }

  describe("the search finds a planted leak", () => {
    const token = unguardedToken();
    it.for([
      ["as plain text", token],
      ["upper-case", token.toUpperCase()],
      ["the last half", token.slice(-32)],
      ["the first half", token.slice(0, -32)],
      ...["", "x", "xy", "Bearer "].map((before) => [
        `base64 after "${before}"`,
        Buffer.from(`${before}${token}\n`).toString("base64url"),
      ]),
      ["hex", Buffer.from(token).toString("hex").toUpperCase()],
      ["URL-encoded", token.replace(/./g, (char) => `%${char.charCodeAt(0).toString(16)}`)],
      ["JSON-escaped", token.replace(/./g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`)],
    ])("%s", ([, text], { expect }) => {
      expect(leaksIn(`before ${text} after`, token)).not.toEqual([]);
    });

    it("does not report other text", ({ expect }) => {
      expect(formsOf(token).size).toBe(14);
      expect(leaksIn(`${randomToken()} ${token.slice(0, 20)}`, token)).toEqual([]);
    });

    const plants: readonly (readonly [
      where: string,
      found: string,
      plant: (bench: Workbench) => Promise<unknown>,
    ])[] = [
      ["a file of the repo", "acme-web/notes.txt: ", (bench) => bench.write("notes.txt", token)],
      ["HOME", "home/.log: ", (bench) => bench.write("../home/.log", token)],
      ["the temporary folder", "tmp/x/y: ", (bench) => bench.write("../tmp/x/y", token)],
      ["a file's name", "the name tmp/", (bench) => bench.write(`../tmp/${token}`, "")],
      ["a link", "acme-web/link: ", (bench) => symlink(token, join(bench.repo, "link"))],
      ["another env file", "acme-web/.env.local: ", (bench) => bench.write(".env.local", token)],
      [
        "a file that was staged and removed",
        "git's objects: ",
        async (bench) => {
          await bench.write("notes.txt", `token ${token}`);
          await bench.git("add", "notes.txt");
          await bench.git("rm", "--quiet", "--force", "notes.txt");
        },
      ],
    ];
    it.for(plants)("in %s", async ([, where, plant], context) => {
      const { expect } = context;
      const bench = await workbench(context);
      await plant(bench);
      expect(await leaksOn(bench, token)).toContainEqual(expect.stringContaining(where));
    });

    it.skipIf(!existsSync("/proc/self/cmdline"))(
      "in a tool's argv, also with --access-token-flag (needs /proc)",
      async (context) => {
        const { expect } = context;
        const bench = await workbench(context);
        const found = () => [...(watch?.seen ?? [])].flatMap((each) => leaksIn(each, token));
        await tool(bench, "careless", `exec sh -c '/usr/bin/sleep 20; :' sh "$SECRET"`);
        const careless = execa(join(bench.bin, "careless"), {
          env: { SECRET: token },
          reject: false,
        });
        await expect.poll(found).not.toEqual([]);
        careless.kill("SIGKILL");

        // Long enough to be seen on a busy machine.
        await fakeDoctl(bench.bin, { validateDelayMs: 1000 });
        const flagged = unguardedToken();
        bench.sandbox.accept(flagged);
        const result = await bench.run(["--token-stdin", "--access-token-flag", "--debug"], {
          input: flagged,
        });
        const argv = [...(watch?.seen ?? [])].filter((each) => leaksIn(each, flagged).length > 0);
        expect(result.status).toBe(0);
        // The fake starts with env, which may be seen before node replaces it.
        const calls = new Set(argv.map((each) => each.replace(/^\/usr\/bin\/env\0/, "")));
        expect([...calls]).toEqual([expect.stringContaining("\0auth\0init\0")]);
        expect(leaksIn(JSON.stringify(result), flagged)).toEqual([]);
      },
    );
  });
});

async function inTurn<T>(steps: readonly (() => Promise<T>)[]): Promise<T[]> {
  const results: T[] = [];
  for (const step of steps) results.push(await step());
  return results;
}

async function tool({ bin }: Workbench, name: string, script: string): Promise<void> {
  await writeFile(join(bin, name), `#!/bin/sh\n${script}\n`);
  await chmod(join(bin, name), 0o755);
}
