import { chown, lstat, mkdir, readdir, symlink, utimes, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { delimiter, join } from "node:path";
import { execa } from "execa";
import { dir } from "tmp-promise";
import { describe, type ExpectStatic, it, type onTestFinished } from "vitest";
import { type SandboxReply, startSandbox } from "../../src/commands/demo/sandbox.ts";
import { onPath } from "../fixtures/on-path.ts";
import { START_LINE } from "../fixtures/program.ts";
import { fakeDoctl } from "../fixtures/tools.ts";
import {
  type RunOptions,
  randomToken,
  treeHash,
  type Workbench,
  workbench,
} from "../fixtures/workbench.ts";

const SCRIPT = onPath("script") ?? "";
const LONG_AGO = new Date("2025-01-02T03:04:05Z");
const OTHER_TEAM = { uuid: "11111111-2222-4333-8444-555555555555", name: "Other Team" };
/** The sandbox's team. */
const SANDBOX_TEAM = "5df3e3004a17e242b7c20ca6c9fc25b701a47ece";
const HTML = { status: 200, headers: { "content-type": "text/html" }, body: "<html>Log in</html>" };
const json = (status: number, body: string): SandboxReply => ({
  status,
  headers: { "content-type": "application/json" },
  body,
});
const info = "GET /v1/oauth/token/info";
const account = "GET /v2/account";

type Later = typeof onTestFinished;
type Stage = (bench: Workbench, later: Later) => RunOptions | Promise<RunOptions>;

interface Case {
  readonly name: string;
  readonly arrange?: Stage;
  readonly args?: readonly string[];
  readonly status: number;
  /** The error's code or a finding's id. */
  readonly id: string;
  /** What happened, and where. */
  readonly says: RegExp;
  readonly mends: RegExp;
  /** Only for init: check is not run. */
  readonly initOnly?: true;
}

const given: Stage = ({ token }) => ({ input: token });
const config =
  (text: string | ((bench: Workbench) => string), file = ".do-bootstraprc.yaml"): Stage =>
  async (bench) => {
    await bench.write(file, typeof text === "string" ? text : text(bench));
    return { input: bench.token };
  };
const answering =
  (replies: Readonly<Record<string, SandboxReply>>): Stage =>
  (bench) => {
    for (const [route, reply] of Object.entries(replies)) bench.sandbox.answer(route, reply);
    return { input: bench.token };
  };
const STDIN = ["--token-stdin"];

const TOKENS: readonly Case[] = [
  {
    name: "no token, and no terminal to ask on",
    status: 4,
    id: "token.missing",
    says: /No DigitalOcean token: DIGITALOCEAN_TOKEN is not set in the environment or in \S*\.env/,
    mends: /tokens\/new, then run do-bootstrap on a terminal/,
  },
  {
    name: "standard input is empty",
    arrange: () => ({ input: "\n" }),
    args: STDIN,
    status: 4,
    id: "token.malformed",
    says: /value from standard input is not a DigitalOcean token: it is empty/,
    mends: /A token is dop_v1_/,
  },
  {
    name: "a malformed token on standard input",
    arrange: () => ({ input: `dop_v1_${"z9".repeat(32)}` }),
    args: STDIN,
    status: 4,
    id: "token.malformed",
    says: /value from standard input is not a DigitalOcean token: it has characters other than 0-9 and a-f/,
    mends: /64 characters of 0-9a-f/,
  },
  {
    name: "half a token on standard input",
    arrange: () => ({ input: `dop_v1_${"ab".repeat(16)}` }),
    args: STDIN,
    status: 4,
    id: "token.malformed",
    says: /it has 32 characters after the prefix, not 64/,
    mends: /A token is dop_v1_/,
  },
  {
    name: "a malformed token in the environment",
    arrange: () => ({
      env: { DIGITALOCEAN_TOKEN: `dop_v1_${"ab".repeat(16)} ${"cd".repeat(16)}` },
    }),
    status: 4,
    id: "token.malformed",
    says: /DIGITALOCEAN_TOKEN in the environment is not a DigitalOcean token: it has white space inside/,
    mends: /A token is dop_v1_/,
  },
  {
    name: "a malformed token in the env file",
    arrange: async (bench) => {
      await bench.write(".env", "DIGITALOCEAN_TOKEN=changeme-changeme\n");
      return {};
    },
    status: 4,
    id: "token.malformed",
    says: /DIGITALOCEAN_TOKEN in \S*\.env is not a DigitalOcean token: it is a placeholder/,
    mends: /A token is dop_v1_/,
  },
  {
    name: "an OAuth refresh token",
    arrange: () => ({ input: randomToken().replace("dop_", "dor_") }),
    args: STDIN,
    status: 4,
    id: "token.malformed",
    says: /OAuth refresh token \(dor_v1_\), which the API does not accept/,
    mends: /A token is dop_v1_/,
  },
  {
    name: "a token that DigitalOcean rejects (401)",
    arrange: () => ({ input: randomToken() }),
    args: STDIN,
    status: 4,
    id: "token.refused",
    says: /DigitalOcean rejects the token \(401\)/,
    mends: /Create a new one at https.*--token-stdin/,
  },
  {
    name: "account 401, token info 200",
    arrange: answering({ [account]: json(401, "{}") }),
    args: STDIN,
    status: 4,
    id: "token.refused",
    says: /rejects the token \(401\)/,
    mends: /Create a new one/,
  },
  {
    name: "account 500, token info 401",
    arrange: answering({ [account]: { status: 500 }, [info]: json(401, "{}") }),
    args: STDIN,
    status: 4,
    id: "token.refused",
    says: /rejects the token \(401\)/,
    mends: /Create a new one/,
  },
  {
    name: "a token of another team",
    arrange: config(`account: { team: ${OTHER_TEAM.uuid} }`),
    args: STDIN,
    status: 4,
    id: "token.wrong-team",
    says: new RegExp(`to team Sandbox Team \\(.+\\), but account\\.team is ${OTHER_TEAM.uuid}\\.`),
    mends: /Switch to the right team/,
  },
  {
    name: "a token of another team in the environment, another one in .env",
    arrange: async (bench, later) => {
      const other = randomToken();
      await bench.write(".env", `DIGITALOCEAN_TOKEN=${bench.token}\n`, 0o600);
      bench.sandbox.accept(other, { team: OTHER_TEAM });
      await config(`account: { team: ${SANDBOX_TEAM} }`)(bench, later);
      return { env: { DIGITALOCEAN_TOKEN: other } };
    },
    status: 4,
    id: "token.wrong-team",
    says: /DIGITALOCEAN_TOKEN in \S*\.env holds another token \([0-9a-f]{8}\)\./,
    mends: /To use the other token: unset DIGITALOCEAN_TOKEN$/,
  },
  {
    name: "a token of another team in the environment, no .env",
    arrange: async (bench, later) => {
      await config(`account: { team: ${OTHER_TEAM.uuid} }`)(bench, later);
      return { env: { DIGITALOCEAN_ACCESS_TOKEN: bench.token } };
    },
    status: 4,
    id: "token.wrong-team",
    says: /to team Sandbox Team/,
    mends: /Switch to the right team.*, then unset DIGITALOCEAN_ACCESS_TOKEN and run do-bootstrap/,
  },
  {
    name: "a rejected token in the environment, another one in .env",
    arrange: async (bench) => {
      await bench.write(".env", `DIGITALOCEAN_TOKEN=${bench.token}\n`, 0o600);
      const refused = randomToken();
      return { env: { DIGITALOCEAN_TOKEN: refused, DIGITALOCEAN_ACCESS_TOKEN: refused } };
    },
    status: 4,
    id: "token.refused",
    says: /DIGITALOCEAN_TOKEN in \S*\.env holds another token/,
    mends: /To use the other token: unset DIGITALOCEAN_TOKEN DIGITALOCEAN_ACCESS_TOKEN$/,
  },
  {
    name: "account.team, and a token without account:read",
    arrange: async (bench, later) => {
      bench.sandbox.accept(bench.token, { scopes: ["droplet:read"] });
      return config(`account: { team: ${OTHER_TEAM.uuid} }`)(bench, later);
    },
    args: STDIN,
    status: 5,
    id: "token.team-unknown",
    says: new RegExp(`account.team requires ${OTHER_TEAM.uuid}, but the token's team is unknown`),
    mends: /Create a token with account:read/,
  },
  {
    name: "a token that expires before token.minTtl",
    arrange: async (bench, later) => {
      bench.sandbox.accept(bench.token, { expiresInSeconds: 86_400 });
      return config("token: { minTtl: 7d }")(bench, later);
    },
    args: STDIN,
    status: 6,
    id: "token.expires-soon",
    says: /expires in 1 day, sooner than the required 7 days/,
    mends: /Create a new one/,
  },
  {
    name: "two environment variables with different tokens",
    arrange: (bench) => ({
      env: { DIGITALOCEAN_TOKEN: bench.token, DIGITALOCEAN_ACCESS_TOKEN: randomToken() },
    }),
    status: 4,
    id: "token.conflict",
    says: /DIGITALOCEAN_TOKEN in the environment \([0-9a-f]{8}\) and DIGITALOCEAN_ACCESS_TOKEN in the environment \([0-9a-f]{8}\)/,
    mends: /Unset the wrong one: unset /,
  },
  {
    name: "--env prod, and another token in the environment",
    arrange: async (bench, later) => {
      await bench.write(".env.prod", `DIGITALOCEAN_TOKEN=${randomToken()}\n`, 0o600);
      await config("environments: { prod: { token: { envFile: .env.prod } } }")(bench, later);
      return { env: { DIGITALOCEAN_TOKEN: bench.token } };
    },
    args: ["--env", "prod"],
    status: 4,
    id: "token.conflict",
    says: /in the environment \([0-9a-f]{8}\) and DIGITALOCEAN_TOKEN in \S*\.env\.prod \([0-9a-f]{8}\)/,
    mends: /Unset the token in the environment, or remove the other one/,
  },
];

const FILES: readonly Case[] = [
  {
    name: ".env is a FIFO that nobody writes to",
    arrange: async (bench) => {
      await execa("mkfifo", [join(bench.repo, ".env")]);
      return { input: bench.token };
    },
    args: STDIN,
    status: 3,
    id: "env-file.unusable",
    says: /Can't read \S*\.env: it is a FIFO that received no data for 10 s/,
    mends: /Move the file, or set token\.envFile/,
  },
  {
    name: "a tracked .env that holds a token",
    arrange: async (bench) => {
      await bench.write(".env", `DIGITALOCEAN_TOKEN=${bench.token}\n`, 0o600);
      await bench.git("add", ".env");
      return {};
    },
    status: 3,
    id: "env-file.tracked",
    says: /git tracks \S*\.env, and it holds a token/,
    mends: /git rm --cached \.env .*token\.envFile: \.env\.local/,
  },
  {
    name: "a tracked .env that would get the token",
    arrange: async (bench) => {
      await bench.write(".env", "");
      await bench.git("add", ".env");
      return { input: bench.token };
    },
    args: STDIN,
    status: 3,
    id: "env-file.tracked",
    says: /git tracks \S*\.env, and the token would be written to it/,
    mends: /git rm --cached \.env/,
  },
  {
    name: "a tracked secret tfvars file",
    arrange: async (bench) => {
      await bench.write("do-bootstrap.secret.auto.tfvars.json", "{}\n");
      await bench.git("add", ".");
      return { input: bench.token };
    },
    args: STDIN,
    status: 3,
    id: "terraform.secret-tracked",
    says: /git tracks \S*do-bootstrap\.secret\.auto\.tfvars\.json, the file for the token/,
    mends: /git rm --cached do-bootstrap\.secret\.auto\.tfvars\.json/,
  },
  ...(
    [
      ["a directory", (path) => mkdir(path)],
      ["a device", (path) => symlink("/dev/zero", path)],
      [
        "a socket",
        (path, later) =>
          new Promise<void>((resolve) => {
            const server = createServer().listen(path, resolve);
            later(() => void server.close());
          }),
      ],
    ] as const satisfies readonly [string, (path: string, later: Later) => Promise<unknown>][]
  ).map(
    ([kind, make]): Case => ({
      name: `.env is ${kind}`,
      arrange: async (bench, later) => {
        await make(join(bench.repo, ".env"), later);
        return { input: bench.token };
      },
      args: STDIN,
      status: 3,
      id: "env-file.unusable",
      says: new RegExp(`Can't read \\S*\\.env: it is ${kind}`),
      mends: /Move the file, or set token\.envFile/,
    }),
  ),
  {
    name: ".env is not readable",
    arrange: async (bench) => {
      await bench.write(".env", "A=1\n", 0o000);
      return { input: bench.token, ...(await asSomebody(bench)) };
    },
    args: STDIN,
    status: 3,
    id: "env-file.unusable",
    says: /Can't read \S*\.env: it is not readable \(EACCES\)/,
    mends: /Move the file/,
  },
  {
    name: "a read-only folder",
    arrange: async (bench) => {
      const somebody = await asSomebody(bench);
      await execa("chmod", ["0555", bench.repo]);
      return { input: bench.token, ...somebody };
    },
    args: STDIN,
    status: 3,
    id: "file.not-writable",
    says: /cannot be written: \S*acme-web is not writable \(EACCES\)[\s\S]*Same in \d more places: .*\.env\b/,
    mends: /Fix the folder's permissions or owner/,
  },
  {
    name: ".env resolves outside the repo",
    arrange: async (bench) => {
      await symlink(join(bench.home, "secrets.env"), join(bench.repo, ".env"));
      return { input: bench.token };
    },
    args: STDIN,
    status: 3,
    id: "file.outside",
    says: /\.env resolves outside the repo: \S*secrets\.env/,
    mends: /Remove the link \(rm \.env\) and put a real file there/,
  },
];

const CONFIGS: readonly Case[] = [
  {
    name: "a config that is not YAML",
    arrange: config("token: [unclosed\n"),
    status: 2,
    id: "CONFIG_UNREADABLE",
    says: /\.do-bootstraprc\.yaml: .+line \d/,
    mends: /Fix the file/,
  },
  {
    name: "a config that is not JSON",
    arrange: config('{"project": }', "do-bootstrap.config.json"),
    status: 2,
    id: "CONFIG_UNREADABLE",
    says: /do-bootstrap\.config\.json: .*JSON/,
    mends: /Fix the file/,
  },
  {
    name: "an unknown key",
    arrange: config("token: { envfile: .env.local }"),
    status: 2,
    id: "CONFIG_INVALID",
    says: /\.do-bootstraprc\.yaml is not a valid config:\n +token\.envfile: unknown key/,
    mends: /Did you mean token\.envFile\?/,
  },
  {
    name: "an unknown key in package.json",
    arrange: config('{"do-bootstrap": {"projekt": "acme"}}', "package.json"),
    status: 2,
    id: "CONFIG_INVALID",
    says: /package\.json is not a valid config:\n +projekt: unknown key/,
    mends: /Did you mean project\?/,
  },
  {
    name: "a value of the wrong type",
    arrange: config("token: { minTtl: 7 }"),
    status: 2,
    id: "CONFIG_INVALID",
    says: /token\.minTtl: expected a string, found 7/,
    mends: /reference\.md and schema\.json/,
  },
  {
    name: "a path outside the repo",
    arrange: config("token: { envFile: ../.env }"),
    status: 2,
    id: "CONFIG_INVALID",
    says: /token\.envFile: stay inside the folder of the config file \(it is "\.\.\/\.env"\)/,
    mends: /reference\.md/,
  },
  {
    name: "a token in the config",
    arrange: config(({ token }) => `terraform: { variables: { do_token: ${token} } }`),
    status: 2,
    id: "CONFIG_HOLDS_TOKEN",
    says: /\.do-bootstraprc\.yaml: terraform\.variables\.do_token looks like a token/,
    mends:
      /Remove the token from the file\. If it was ever committed, delete it in DigitalOcean's control panel/,
  },
  {
    name: "$import",
    arrange: config("$import: ../other.yaml"),
    status: 2,
    id: "CONFIG_INVALID",
    says: /\.do-bootstraprc\.yaml: \$import is not supported/,
    mends: /Put the keys directly into this file/,
  },
  {
    name: "credentials: tfvars and environments",
    arrange: config("terraform: { credentials: tfvars }\nenvironments: { prod: {} }"),
    status: 2,
    id: "CONFIG_INVALID",
    says: /\.do-bootstraprc\.yaml: terraform\.credentials "tfvars" can't be combined with environments/,
    mends: /Set credentials: env/,
  },
  {
    name: "an unknown environment",
    arrange: config("environments: { prod: {} }"),
    args: ["--env", "prd"],
    status: 2,
    id: "USAGE",
    says: /--env prd: \S*\.do-bootstraprc\.yaml has no such environment/,
    mends: /Did you mean --env prod\?/,
  },
  {
    name: "--env without any config",
    args: ["--env", "prod"],
    status: 2,
    id: "USAGE",
    says: /--env prod: there is no config/,
    mends: /Environments: none/,
  },
];

const USAGE: readonly Case[] = [
  {
    name: "an unknown option",
    args: ["--token-stdn"],
    status: 2,
    id: "USAGE",
    says: /Unknown option --token-stdn/,
    mends: /Did you mean --token-stdin\? See do-bootstrap (check )?--help/,
  },
  {
    name: "an unknown command",
    args: ["chek"],
    status: 2,
    id: "USAGE",
    says: /Unknown command chek/,
    mends: /Did you mean check\?/,
    initOnly: true,
  },
  {
    name: "--dry-run=yes",
    arrange: given,
    args: ["--token-stdin", "--dry-run=yes"],
    status: 2,
    id: "USAGE",
    says: /--dry-run takes no value/,
    mends: /Write --dry-run/,
    initOnly: true,
  },
  {
    name: "--env without a name",
    args: ["--env"],
    status: 2,
    id: "USAGE",
    says: /--env needs a value/,
    mends: /Then: do-bootstrap (check )?--env NAME/,
  },
  {
    name: "--token-stdin with more than a token",
    arrange: () => ({ input: "x".repeat(100_000) }),
    args: STDIN,
    status: 2,
    id: "USAGE",
    says: /Standard input holds more than a token/,
    mends: /do-bootstrap --token-stdin/,
  },
  {
    name: "DIGITALOCEAN_API_URL is plain http to another machine",
    arrange: ({ token }) => ({
      input: token,
      env: { DIGITALOCEAN_API_URL: "http://api.digitalocean.com" },
    }),
    args: STDIN,
    status: 2,
    id: "USAGE",
    says: /DIGITALOCEAN_API_URL in the environment is not a URL that may receive the token/,
    mends: /Use https \(or http on loopback\), or unset DIGITALOCEAN_API_URL/,
  },
  {
    name: "DO_BOOTSTRAP_OAUTH_URL is not a URL",
    arrange: ({ token }) => ({ input: token, env: { DO_BOOTSTRAP_OAUTH_URL: "cloud" } }),
    args: STDIN,
    status: 2,
    id: "USAGE",
    says: /DO_BOOTSTRAP_OAUTH_URL in the environment is not a URL/,
    mends: /unset DO_BOOTSTRAP_OAUTH_URL/,
  },
  {
    name: "XDG_CONFIG_HOME is relative, and doctl is installed",
    arrange: async (bench, later) => ({
      input: bench.token,
      env: { XDG_CONFIG_HOME: "config", ...(await withDoctl(bench, later)) },
    }),
    args: STDIN,
    status: 2,
    id: "USAGE",
    says: /XDG_CONFIG_HOME is a relative path, which doctl does not accept/,
    mends: /Unset XDG_CONFIG_HOME or set it to an absolute path/,
  },
  {
    name: "HOME is not a project folder",
    arrange: ({ token }) => ({ input: token, cwd: "../home" }),
    args: STDIN,
    status: 2,
    id: "USAGE",
    says: /\/home is not a project folder/,
    mends: /mkdir my-app && cd my-app/,
  },
];

const BOTH: readonly (readonly [name: string, reply: SandboxReply, says: RegExp])[] = [
  ["nothing for 10 s", "hang", /\(GET \/v2\/account\): no answer in time/],
  ["HTML", HTML, /it answered 200 with a response that is not JSON/],
  ["an empty body", json(200, ""), /it answered 200 with invalid JSON/],
  [
    "an empty body without a content type",
    { status: 200 },
    /it answered 200 with a response that is not JSON/,
  ],
  ["broken JSON", json(200, '{"account":'), /it answered 200 with invalid JSON/],
  ["JSON in another format", json(200, "[]"), /it answered 200 with an unknown response format/],
  ["403 in HTML", { ...HTML, status: 403 }, /it answered 403 with a response that is not JSON/],
  ["429", { status: 429, headers: { "retry-after": "3600" } }, /rate limit is reached \(429\)/],
  ["500", json(500, '{"id":"server_error"}'), /the server failed \(500\)/],
  ["a closed connection", "disconnect", /the connection was closed/],
];

const NETWORK: readonly Case[] = [
  ...BOTH.map(([name, reply, says]) => ({
    name: `both endpoints answer: ${name}`,
    arrange: answering({ [account]: reply, [info]: reply }),
    says,
  })),
  {
    name: "no server",
    arrange: ({ token }: Workbench) => ({
      input: token,
      env: {
        DIGITALOCEAN_API_URL: "http://127.0.0.1:1",
        DO_BOOTSTRAP_OAUTH_URL: "http://127.0.0.1:1",
      },
    }),
    says: /\(GET \/v2\/account\): the connection was refused/,
  },
].map((each) => ({
  ...each,
  args: STDIN,
  status: 7,
  id: "token.unverified",
  mends: /Fix the network or the proxy \(HTTPS_PROXY\)/,
}));

const DOCTL = [
  {
    name: "the configured context has another valid login",
    arrange: async (bench, later) => {
      const theirs = randomToken();
      bench.sandbox.accept(theirs, { team: OTHER_TEAM });
      await bench.write(".do-bootstraprc.yaml", "doctl: { context: acme }");
      return doctlConfig(`auth-contexts: { acme: ${theirs} }\n`)(bench, later);
    },
    status: 3,
    id: "doctl.other-login",
    says: /doctl context acme holds another login \([0-9a-f]{8}\)/,
    mends: /do-bootstrap --force/,
  },
  ...(
    [
      ["empty and old", "", /doctl's config is empty: \S*config\.yaml/],
      [
        "not YAML",
        "access-token: [\n",
        /doctl's config is not YAML that doctl can read: \S*config/,
      ],
      ["a list", "- a\n", /doctl's config is not YAML that doctl can read/],
    ] as const
  ).map(([name, text, says]) => ({
    name: `doctl's config is ${name}`,
    arrange: doctlConfig(text),
    status: 3,
    id: "doctl.config-broken",
    says,
    mends: /Make sure that no doctl is running, then: mv \S*config\.yaml/,
  })),
  {
    name: "doctl's config is a directory",
    arrange: async (bench, later) => {
      await mkdir(join(bench.home, ".config", "doctl", "config.yaml"), { recursive: true });
      return { input: bench.token, env: await withDoctl(bench, later) };
    },
    status: 3,
    id: "doctl.config-broken",
    says: /doctl's config is a directory: \S*config\.yaml/,
    mends: /mv \S*config\.yaml/,
  },
] satisfies readonly Case[];

// The slow ones first, so that the others run at the same time.
const slow = ({ name }: Case) => /10 s|FIFO/.test(name);
const ALL = [
  ...TOKENS,
  ...FILES,
  ...CONFIGS,
  ...USAGE,
  ...NETWORK,
  ...DOCTL.map((each): Case => ({ ...each, args: STDIN })),
];
const CASES = [...ALL.filter(slow), ...ALL.filter((each) => !slow(each))];

describe.concurrent("bad input is reported, and changes nothing", () => {
  for (const each of CASES) {
    it(`${each.name} (${each.status})`, async ({ expect, onTestFinished }) => {
      const bench = await workbench({ onTestFinished });
      const options = (await each.arrange?.(bench, onTestFinished)) ?? {};
      const args = each.args ?? [];
      const before = await treeHash(bench.root);
      const inJson = [
        ...(isFirstOfItsId(each) ? [[...args, "--json"]] : []),
        ...(each.initOnly ? [] : [["check", ...args, "--json"]]),
      ];
      const [init, documents] = await Promise.all([
        bench.run(args, options),
        Promise.all(inJson.map((line) => bench.run(line, options))),
      ]);

      expect(init.stderr).toMatch(each.says);
      expect(init.stderr).toMatch(new RegExp(`^ +→ .*${each.mends.source}`, "m"));
      expect(init.stderr).toContain(`[${each.id}]`);
      expect(init).toMatchObject({ status: each.status, stdout: "" });
      for (const document of documents) expectDocument(expect, document, each);
      for (const text of [options.input, ...Object.values(options.env ?? {})]) {
        if (text && /[0-9a-z]{16}/.test(text)) {
          expect(JSON.stringify([init, documents])).not.toContain(text.slice(7, 23));
        }
      }
      expect(await treeHash(bench.root)).toBe(before);
    });
  }

  it.skipIf(!SCRIPT)(
    "--token-stdin from a terminal (2) (needs script)",
    async ({ expect, onTestFinished }) => {
      const bench = await workbench({ onTestFinished });
      const before = await treeHash(bench.root);
      const command = `${START_LINE} --token-stdin`;
      const { exitCode, stdout } = await execa(SCRIPT, ["-qec", command, "/dev/null"], {
        cwd: bench.repo,
        env: { ...bench.env, SHELL: "/bin/sh" },
        extendEnv: false,
        reject: false,
      });

      expect(stdout).toMatch(/--token-stdin needs piped input, but standard input is a terminal/);
      expect(stdout.replace(/\s+/g, " ")).toMatch(/→.* op read .*\| do-bootstrap --token-stdin/);
      expect(exitCode).toBe(2);
      expect(await treeHash(bench.root)).toBe(before);
    },
  );

  it("a redirect is an error (7), and its target gets no request", async ({
    expect,
    onTestFinished,
  }) => {
    const bench = await workbench({ onTestFinished });
    const elsewhere = await startSandbox();
    onTestFinished(() => elsewhere.close());
    elsewhere.accept(bench.token);
    for (const route of [account, info]) {
      const location = elsewhere.url + route.slice("GET ".length);
      bench.sandbox.answer(route, { status: 302, headers: { location } });
    }
    const before = await treeHash(bench.root);
    const { status, stderr } = await bench.run(STDIN, { input: bench.token });

    expect(stderr).toMatch(/it redirects \(302\), perhaps a captive portal or proxy/);
    expect(status).toBe(7);
    expect(bench.sandbox.requests).toHaveLength(2);
    expect(elsewhere.requests).toEqual([]);
    expect(await treeHash(bench.root)).toBe(before);
  });
});

describe.concurrent("one failing endpoint is only a warning (docs/contracts/api.md §7)", () => {
  const rows: readonly (readonly [string, string, SandboxReply, RegExp])[] = [
    ["token info: nothing for 10 s", info, "hang", /token\/info\): no answer in time/],
    [
      "token info: HTML",
      info,
      HTML,
      /token\/info\): it answered 200 with a response that is not JSON/,
    ],
    [
      "token info: 404",
      info,
      json(404, '{"id":"not_found"}'),
      /it answered 404 with an unknown response format/,
    ],
    ["token info: 401", info, json(401, "{}"), /it answered 401 with an unknown response format/],
    ["account: 500", account, { status: 500 }, /\(GET \/v2\/account\): the server failed \(500\)/],
  ];
  for (const [name, route, reply, doubt] of rows) {
    it(name, async ({ expect, onTestFinished }) => {
      const bench = await workbench({ onTestFinished });
      bench.sandbox.answer(route, reply);
      const { status, stdout } = await bench.run(["--token-stdin", "--json"], {
        input: bench.token,
      });

      const { token, findings } = JSON.parse(stdout);
      expect(token).toMatchObject({
        state: "alive",
        scopes: route === info ? null : ["read", "write"],
        team: route === info ? { name: "Sandbox Team" } : null,
      });
      expect(findings).toContainEqual(
        expect.objectContaining({
          id: "token.partly-verified",
          level: "warning",
          message: expect.stringMatching(doubt),
        }),
      );
      expect(status).toBe(0);
      expect(await bench.read(".env")).toContain(bench.token);
    });
  }

  it("account: 403 only means that account:read is missing", async ({ expect, onTestFinished }) => {
    const bench = await workbench({ onTestFinished });
    bench.sandbox.accept(bench.token, { scopes: ["droplet:read"] });
    const { status, stdout } = await bench.run(["--token-stdin", "--json"], { input: bench.token });

    const { token, findings } = JSON.parse(stdout);
    expect(token).toMatchObject({ state: "alive", scopes: ["droplet:read"], team: null });
    expect(findings.map(({ level }: { level: string }) => level)).not.toContain("warning");
    expect(status).toBe(0);
  });
});

/** One document of init for each id is enough: those of check have the other texts. */
function isFirstOfItsId({ id, name }: Case): boolean {
  return CASES.find((other) => other.id === id)?.name === name;
}

function expectDocument(
  expect: ExpectStatic,
  { status, stdout, stderr }: Awaited<ReturnType<Workbench["run"]>>,
  { id, status: expected }: Case,
): void {
  const document = JSON.parse(stdout);
  const ids = [
    document.error?.code,
    ...(document.findings ?? []).map((found: { id: string }) => found.id),
  ];
  expect(document).toMatchObject({ schemaVersion: 1, status: expected });
  expect(ids).toContain(id);
  expect({ status, stderr }).toEqual({ status: expected, stderr: "" });
}

/** Permissions don't stop root: another user gets the files and runs the program. */
async function asSomebody({ root }: Workbench): Promise<RunOptions> {
  if (process.getuid?.() !== 0) return {};
  const uid = 65_534;
  for (const name of ["", ...(await readdir(root, { recursive: true }))]) {
    const path = join(root, name);
    if (!(await lstat(path)).isSymbolicLink()) await chown(path, uid, uid);
  }
  return { uid };
}

/** Outside the bench's tree, because the fake writes a log. @returns the PATH with doctl. */
async function withDoctl(bench: Workbench, later: Later): Promise<{ PATH: string }> {
  const { path, cleanup } = await dir({ prefix: "do-bootstrap-test-", unsafeCleanup: true });
  later(() => cleanup());
  await fakeDoctl(path);
  return { PATH: [path, bench.bin].join(delimiter) };
}

function doctlConfig(text: string): Stage {
  return async (bench, later) => {
    const folder = join(bench.home, ".config", "doctl");
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "config.yaml"), text, { mode: 0o600 });
    await utimes(join(folder, "config.yaml"), LONG_AGO, LONG_AGO);
    return { input: bench.token, env: await withDoctl(bench, later) };
  };
}
