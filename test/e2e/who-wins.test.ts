import { symlink } from "node:fs/promises";
import { delimiter, join, resolve } from "node:path";
import { execa } from "execa";
import { describe, expect, it, onTestFinished, type TestContext } from "vitest";
import { Secret } from "../../src/secret/secret.ts";
import { TERRAFORM, TF_MIRROR, terraform } from "../fixtures/terraform.ts";
import { fakeDoctl } from "../fixtures/tools.ts";
import { randomToken, type Workbench, workbench } from "../fixtures/workbench.ts";

// Which token each tool uses. With DOCTL_BIN and TF_MIRROR the real tools run too: the token they
// send to the sandbox must be the same.

const DOCTL_BIN = process.env["DOCTL_BIN"];
const CONFIG = "../home/.config/doctl/config.yaml";
const SNAP_CONFIG = "../home/snap/doctl/current/.config/doctl/config.yaml";
const SECRETS = "do-bootstrap.secret.auto.tfvars.json";

/** T is this repo's token; A and B are other tokens. */
const TOKENS: Readonly<Record<string, string>> = {
  T: randomToken(),
  A: randomToken(),
  B: randomToken(),
};
type Taken = "T" | "A" | "B" | "none" | "unknown";

interface Expected {
  readonly doctl?: Taken;
  readonly terraform?: Taken;
  /** DIGITALOCEAN_TOKEN and DIGITALOCEAN_ACCESS_TOKEN. */
  readonly scripts?: readonly [Taken, Taken];
  readonly exec?: Taken;
  readonly ids?: readonly string[];
}

interface Given {
  readonly env?: Readonly<Record<string, string>>;
  /** undefined: an env file with T. */
  readonly dotenv?: string;
  readonly config?: string;
  /** Next to main.tf; {T} is replaced by a token. */
  readonly files?: Readonly<Record<string, string>>;
  readonly provider?: string;
  readonly snap?: true;
}

const HEAD =
  'terraform {\n required_providers {\n  digitalocean = { source = "digitalocean/digitalocean" }\n }\n}\ndata "digitalocean_account" "me" {}\n';
const OF_ENV = 'provider "digitalocean" {}\n';
const OF_VARIABLE = 'provider "digitalocean" {\n token = var.do_token\n}\n';
const variable = (more: string) =>
  `variable "do_token" {\n type = string\n ephemeral = true\n${more}\n}\n`;
const NULLABLE = OF_VARIABLE + variable(" default = null");
const REQUIRED = OF_VARIABLE + variable("");

const ENV = "DIGITALOCEAN_TOKEN";
const ACCESS = "DIGITALOCEAN_ACCESS_TOKEN";
const CONTEXT = "DIGITALOCEAN_CONTEXT";
const noFile = { dotenv: "" };
const inEnv = { ...noFile, env: { [ENV]: "{T}" } };
const tfvars = (name: string, token: string) => ({ [name]: `do_token = "${token}"\n` });
const json = (name: string, token: string) => ({ [name]: `{"do_token": "${token}"}\n` });
const CUSTOM = { "do-bootstrap.config.yaml": "token: { name: ACME_TOKEN }\n" };
const prod = 'auth-contexts:\n  prod: "{B}"\n';

// One line for each trap of docs/contracts/doctl.md 1 to 5 and docs/contracts/terraform.md 2.
const CASES: readonly (readonly [what: string, given: Given, expected: Expected])[] = [
  ["only exec reads the env file", {}, {}],
  ["doctl does not read DIGITALOCEAN_TOKEN", inEnv, { terraform: "T", scripts: ["T", "none"] }],
  [
    "every tool reads DIGITALOCEAN_ACCESS_TOKEN",
    { ...noFile, env: { [ACCESS]: "{T}" } },
    { doctl: "T", terraform: "T", scripts: ["none", "T"] },
  ],
  [
    "both names, one token",
    { ...noFile, env: { [ENV]: "{T}", [ACCESS]: "{T}" } },
    { doctl: "T", terraform: "T", scripts: ["T", "T"] },
  ],
  [
    "both names, two tokens",
    { env: { [ENV]: "{T}", [ACCESS]: "{A}" } },
    { doctl: "A", terraform: "T", scripts: ["T", "A"], exec: "none", ids: ["token.conflict"] },
  ],
  [
    "an empty DIGITALOCEAN_TOKEN",
    { ...noFile, env: { [ENV]: "", [ACCESS]: "{T}" } },
    { doctl: "T", terraform: "T", scripts: ["none", "T"] },
  ],
  [
    "an empty DIGITALOCEAN_ACCESS_TOKEN",
    { config: "access-token: {A}\n", env: { [ACCESS]: "" } },
    { doctl: "A" },
  ],
  [
    "the environment overrides the env file",
    { dotenv: `${ENV}={A}\n`, env: { [ENV]: "{T}" } },
    { terraform: "T", scripts: ["T", "none"], ids: ["token.shadows-another"] },
  ],
  [
    "white space around the token",
    { ...noFile, env: { [ENV]: "{T} " } },
    { terraform: "unknown", scripts: ["unknown", "none"], ids: ["token.not-as-it-is"] },
  ],
  ["a custom variable name", { dotenv: "ACME_TOKEN={T}\n", files: CUSTOM }, {}],
  [
    "a custom variable name, and another token in the environment",
    { dotenv: "ACME_TOKEN={T}\n", files: CUSTOM, env: { [ENV]: "{A}" } },
    { terraform: "A", scripts: ["A", "none"], ids: ["token.other-in-environment"] },
  ],
  [
    "two tokens in the env file",
    { dotenv: `${ENV}={T}\n${ACCESS}={A}\n` },
    { ids: ["env-file.two-tokens"] },
  ],
  [
    "a stale .env.local",
    { files: { ".env.local": `${ENV}={A}\n` } },
    { ids: ["env-file.stale-local"] },
  ],
  ["an .env.local with the same token", { files: { ".env.local": `${ENV}={T}\n` } }, {}],
  ["no token", noFile, { exec: "none" }],

  ["doctl's default context", { config: "access-token: {T}\n" }, { doctl: "T" }],
  [
    "the environment overrides the default context",
    { ...noFile, config: "access-token: {A}\n", env: { [ACCESS]: "{T}" } },
    { doctl: "T", terraform: "T", scripts: ["none", "T"] },
  ],
  ["a selected context", { config: `access-token: {A}\ncontext: prod\n${prod}` }, { doctl: "B" }],
  [
    "a selected context overrides the environment",
    { ...noFile, config: `context: prod\n${prod}`, env: { [ACCESS]: "{T}" } },
    { doctl: "B", terraform: "T", scripts: ["none", "T"], ids: ["doctl.env-ignored"] },
  ],
  [
    "DIGITALOCEAN_CONTEXT overrides the selected context",
    { config: `access-token: {A}\ncontext: prod\n${prod}`, env: { [CONTEXT]: "default" } },
    { doctl: "A" },
  ],
  [
    "DIGITALOCEAN_CONTEXT overrides the environment's token",
    { ...noFile, config: prod, env: { [CONTEXT]: "prod", [ACCESS]: "{T}" } },
    { doctl: "B", terraform: "T", scripts: ["none", "T"], ids: ["doctl.env-ignored"] },
  ],
  [
    "a selected context without a token",
    { config: "access-token: {A}\ncontext: prod\n" },
    { ids: ["doctl.context-missing"] },
  ],
  [
    "a selected context without a name",
    { config: 'access-token: {A}\ncontext: ""\n' },
    { ids: ["doctl.context-missing"] },
  ],
  ["no selected context (null)", { config: "access-token: {A}\ncontext: ~\n" }, { doctl: "A" }],
  [
    "a key in mixed case is lower-cased",
    { config: 'context: prod\nauth-contexts:\n  Prod: "{B}"\n' },
    { doctl: "B" },
  ],
  [
    "a selected context in mixed case is not lower-cased",
    { config: 'context: Prod\nauth-contexts:\n  Prod: "{B}"\n' },
    { ids: ["doctl.context-case"] },
  ],
  [
    "DIGITALOCEAN_CONTEXT in upper case is not lower-cased",
    { config: prod, env: { [CONTEXT]: "PROD" } },
    { ids: ["doctl.context-case"] },
  ],
  [
    'default: "true", as doctl auth switch writes it',
    { config: 'access-token: {A}\nauth-contexts:\n  default: "true"\n' },
    { doctl: "A" },
  ],
  [
    "a context name with a dot",
    { config: 'context: my.team\nauth-contexts:\n  my.team: "{B}"\n' },
    { doctl: "B" },
  ],
  [
    "the same key twice: doctl uses the last one",
    { config: "access-token: {A}\naccess-token: {B}\n" },
    { doctl: "B" },
  ],
  [
    "DIGITALOCEAN_CONFIG",
    {
      config: "access-token: {A}\n",
      files: { "other.yaml": "access-token: {B}\n" },
      env: { DIGITALOCEAN_CONFIG: "other.yaml" },
    },
    { doctl: "B" },
  ],
  [
    "DIGITALOCEAN_CONFIG names a missing file",
    { config: "access-token: {A}\n", env: { DIGITALOCEAN_CONFIG: "nothing.yaml" } },
    {},
  ],
  [
    "an api-url saved in the config",
    { config: "access-token: {A}\napi-url: https://example.com/\n" },
    { doctl: "A", ids: ["doctl.baked-api-url"] },
  ],
  [
    "DigitalOcean's own api-url",
    { config: "access-token: {A}\napi-url: https://api.digitalocean.com\n" },
    { doctl: "A" },
  ],
  [
    "an output format saved in the config",
    { config: "access-token: {A}\noutput: json\n" },
    { doctl: "A", ids: ["doctl.baked-output"] },
  ],
  [
    "an outdated config path saved in the config",
    { config: "access-token: {A}\nconfig: /stage/config.yaml\n" },
    { doctl: "A", ids: ["doctl.baked-config"] },
  ],
  [
    "doctl from snap uses its own home",
    { config: "access-token: {B}\n", files: { [SNAP_CONFIG]: "access-token: {A}\n" }, snap: true },
    { doctl: "A", ids: ["doctl.snap"] },
  ],
  [
    "doctl from snap can't read the config",
    {
      files: { "other.yaml": "access-token: {A}\n" },
      env: { DIGITALOCEAN_CONFIG: "other.yaml" },
      snap: true,
    },
    { doctl: "unknown", ids: ["doctl.snap"] },
  ],

  [
    "TF_VAR_",
    { ...inEnv, provider: REQUIRED, env: { ...inEnv.env, TF_VAR_do_token: "{T}" } },
    { terraform: "T", scripts: ["T", "none"] },
  ],
  [
    "TF_VAR_ with another token",
    { ...inEnv, provider: NULLABLE, env: { ...inEnv.env, TF_VAR_do_token: "{A}" } },
    { terraform: "A", scripts: ["T", "none"], ids: ["terraform.other-token"] },
  ],
  [
    "an empty TF_VAR_",
    { ...inEnv, provider: NULLABLE, env: { ...inEnv.env, TF_VAR_do_token: "" } },
    { scripts: ["T", "none"], ids: ["terraform.empty-token"] },
  ],
  [
    "an empty TF_VAR_ that our file will override",
    { provider: NULLABLE, env: { TF_VAR_do_token: "" } },
    {},
  ],
  [
    "a variable that is null",
    { ...inEnv, provider: NULLABLE },
    { terraform: "T", scripts: ["T", "none"] },
  ],
  [
    "a variable with an empty default",
    { ...inEnv, provider: OF_VARIABLE + variable(' default = ""') },
    { scripts: ["T", "none"], ids: ["terraform.empty-token"] },
  ],
  [
    "terraform.tfvars overrides TF_VAR_",
    {
      ...inEnv,
      provider: NULLABLE,
      files: tfvars("terraform.tfvars", "{A}"),
      env: { ...inEnv.env, TF_VAR_do_token: "{T}" },
    },
    { terraform: "A", exec: "A", scripts: ["T", "none"], ids: ["terraform.other-token"] },
  ],
  [
    "TF_VAR_ has no effect next to terraform.tfvars",
    {
      ...inEnv,
      provider: NULLABLE,
      files: tfvars("terraform.tfvars", "{T}"),
      env: { ...inEnv.env, TF_VAR_do_token: "{A}" },
    },
    { terraform: "T", scripts: ["T", "none"], ids: ["terraform.tf-var-ignored"] },
  ],
  [
    "terraform.tfvars.json overrides terraform.tfvars",
    {
      ...inEnv,
      provider: NULLABLE,
      files: { ...tfvars("terraform.tfvars", "{A}"), ...json("terraform.tfvars.json", "{T}") },
    },
    { terraform: "T", scripts: ["T", "none"] },
  ],
  [
    "a variable name with JSON escapes",
    {
      ...inEnv,
      provider: NULLABLE,
      files: { "terraform.tfvars.json": '{"do\\u005ftoken": "{A}"}\n' },
    },
    { terraform: "A", exec: "A", scripts: ["T", "none"], ids: ["terraform.other-token"] },
  ],
  [
    "of two auto.tfvars files, Terraform uses the last by name",
    {
      ...inEnv,
      provider: NULLABLE,
      files: { ...json("a.auto.tfvars.json", "{T}"), ...tfvars("b.auto.tfvars", "{A}") },
    },
    { terraform: "A", exec: "A", scripts: ["T", "none"], ids: ["terraform.other-token"] },
  ],
  [
    "an auto.tfvars file that sorts after our file",
    { provider: NULLABLE, files: { ...json(SECRETS, "{T}"), ...tfvars("z.auto.tfvars", "{A}") } },
    { terraform: "A", exec: "A", ids: ["terraform.other-token"] },
  ],
  [
    "our file with another token, which do-bootstrap will update",
    { provider: NULLABLE, files: json(SECRETS, "{A}") },
    { terraform: "A", exec: "none" },
  ],
  [
    "our file with another token, which do-bootstrap won't write",
    { ...inEnv, provider: NULLABLE, files: json(SECRETS, "{A}") },
    { terraform: "A", exec: "none", scripts: ["T", "none"], ids: ["terraform.stale-secret"] },
  ],
  [
    "null in a file overrides TF_VAR_",
    {
      ...inEnv,
      provider: NULLABLE,
      files: { "terraform.tfvars": "do_token = null\n" },
      env: { ...inEnv.env, TF_VAR_do_token: "{A}" },
    },
    { terraform: "T", scripts: ["T", "none"] },
  ],
  [
    "an empty string in a file",
    { ...inEnv, provider: NULLABLE, files: tfvars("terraform.tfvars", "") },
    { exec: "none", scripts: ["T", "none"], ids: ["terraform.empty-token"] },
  ],
  [
    "prod.tfvars is not loaded automatically",
    { ...inEnv, provider: NULLABLE, files: tfvars("prod.tfvars", "{A}") },
    { terraform: "T", scripts: ["T", "none"] },
  ],
  [
    "a token in the code",
    { ...inEnv, provider: 'provider "digitalocean" {\n token = "{A}"\n}\n' },
    { terraform: "A", exec: "A", scripts: ["T", "none"] },
  ],
];

/** The findings that the table is about. */
const TRAPS =
  /^(token\.(conflict|shadows-another|other-in-environment|not-as-it-is)|env-file\.(two-tokens|stale-local)|doctl\.(env-ignored|context-case|context-missing|baked-.*|snap)|terraform\.(other-token|empty-token|tf-var-ignored|stale-secret))$/;

const withTokens = (text: string) => text.replace(/\{([TAB])\}/g, (_, name) => TOKENS[name] ?? "");

describe.concurrent.each<[name: string, needs: string]>([
  ["fake", ""],
  ["real", DOCTL_BIN ? "" : " (needs DOCTL_BIN)"],
])("which token each tool uses, with a %s doctl%s", (name, needs) => {
  it.skipIf(needs !== "").for(CASES)(
    "%s",
    async ([, given, expected], { expect, onTestFinished }) => {
      const { bench, env } = await arrange(given, name, onTestFinished);
      const { stdout } = await bench.run(["check", "--json"], { env });
      const report = JSON.parse(stdout);
      const uses: Json[] = report.uses;

      const plain = uses.filter(({ via }) => via === "plain");
      expect(outline(plain)).toEqual({
        doctl: [expected.doctl ?? "none"],
        terraform: [expected.terraform ?? "none"],
        scripts: expected.scripts ?? ["none", "none"],
      });
      const ids: string[] = report.findings.map(({ id }: Json) => id);
      expect(ids.filter((id) => TRAPS.test(id))).toEqual(expected.ids ?? []);
      const exec = outline(uses.filter(({ via }) => via === "exec"));
      const { exec: behind = "T" } = expected;
      // Either doctl and scripts get this token, or exec stops before it runs anything.
      expect(exec.terraform).toEqual([behind]);
      const doctl = expected.doctl === "unknown" ? "unknown" : "T";
      if (behind === "T") expect([...exec.doctl, ...exec.scripts]).toEqual([doctl, "T", "T"]);

      const [taken = "none"] = outline(plain).doctl;
      if (taken !== "unknown") expect(await doctlSends(bench, env)).toBe(taken);
    },
  );
});

const needsMirror = TERRAFORM && TF_MIRROR ? "" : " (needs TF_MIRROR)";
describe
  .skipIf(needsMirror !== "")
  .concurrent(`which token Terraform uses, with the real provider${needsMirror}`, () => {
    it.for(CASES)(
      "%s",
      async ([, given, { terraform: taken = "none" }], { expect, onTestFinished }) => {
        const { bench, env } = await arrange(given, "fake", onTestFinished);
        await terraform(bench, ["init", "-input=false", "-no-color"], { env });
        await terraform(bench, ["plan", "-input=false", "-no-color"], { env });
        if (taken !== "unknown") expect(sent(bench)).toBe(taken);
      },
    );
  });

it("check prints each tool's token and its source with the line number", async () => {
  const given = { ...inEnv, config: `context: prod\n${prod}`, provider: NULLABLE };
  const { bench, env } = await arrange(given, "fake", onTestFinished);
  const { stdout } = await bench.run(["check"], { env });
  const [t, b] = ["T", "B"].map((letter) =>
    [...FINGERPRINTS].find(([, each]) => each === letter)?.at(0),
  );
  const lines = stdout.split("\n").filter((line) => /^(With| {13})/.test(line));
  expect(lines.slice(-4)).toEqual([
    `Without exec doctl: ${b}, context prod in doctl's config (~/.config/doctl/config.yaml:3)`,
    `             terraform: ${t}, DIGITALOCEAN_TOKEN in the environment`,
    `             scripts: ${t}, DIGITALOCEAN_TOKEN in the environment`,
    `With exec    always ${t}`,
  ]);
});

it("check names the line of a JSON value, not of an earlier key with the same name", async () => {
  const text = '{\n  "a": { "do_token": "{A}" },\n  "do_token": "{T}"\n}\n';
  const given = { ...inEnv, provider: NULLABLE, files: { "terraform.tfvars.json": text } };
  const { bench, env } = await arrange(given, "fake", onTestFinished);
  const { stdout } = await bench.run(["check", "--json"], { env });
  const uses: readonly { tool: string; where: string | null }[] = JSON.parse(stdout).uses;
  const places = uses.filter(({ tool }) => tool === "terraform").map(({ where }) => where);
  expect(places[0]).toBe(`${join(bench.repo, "terraform.tfvars.json")}:3`);
});

interface Json {
  readonly id: string;
  readonly tool: "doctl" | "terraform" | "scripts";
  readonly via: string;
  readonly variable: string | null;
  readonly state: string;
  readonly fingerprint: string | null;
}

async function arrange(
  { env = {}, dotenv = `${ENV}={T}\n`, config, files = {}, provider = OF_ENV, snap }: Given,
  doctl: string,
  onTestFinished: TestContext["onTestFinished"],
) {
  const bench = await workbench({ onTestFinished });
  for (const token of Object.values(TOKENS)) bench.sandbox.accept(token);
  if (doctl === "fake") await fakeDoctl(bench.bin);
  else await symlink(resolve(DOCTL_BIN ?? ""), join(bench.bin, "doctl"));
  const folder = join(bench.root, "snap", "bin");
  if (snap) {
    const start = `#!/bin/sh\nHOME="$HOME/snap/doctl/current" exec ${bench.bin}/doctl "$@"\n`;
    await bench.write("../snap/bin/doctl", start, 0o755);
  }
  const texts = { ".env": dotenv, "main.tf": HEAD + provider, ...files };
  for (const [path, text] of Object.entries(texts))
    await bench.write(path, withTokens(text), 0o600);
  if (config !== undefined) await bench.write(CONFIG, withTokens(config), 0o600);
  const given = Object.entries(env).map(([name, value]) => [name, withTokens(value)]);
  const PATH = snap ? `${folder}${delimiter}${bench.bin}` : bench.bin;
  return { bench, env: { PATH, ...Object.fromEntries(given) } as Record<string, string> };
}

/** Each use as the letter of its token, without the custom variable. */
function outline(uses: readonly Json[]) {
  const of = (tool: string) =>
    uses
      .filter((use) => use.tool === tool && use.variable !== "ACME_TOKEN")
      .map(({ state, fingerprint }) => (state === "token" ? letterOf(fingerprint) : state));
  return { doctl: of("doctl"), terraform: of("terraform"), scripts: of("scripts") };
}

const FINGERPRINTS = new Map(
  Object.entries(TOKENS).map(([letter, token]) => [
    Secret.of(token, { kind: "stdin" }).fingerprint,
    letter,
  ]),
);

/** unknown: not exactly one of TOKENS. */
function letterOf(fingerprint: string | null): string {
  return FINGERPRINTS.get(fingerprint ?? "") ?? "unknown";
}

async function doctlSends(bench: Workbench, env: Record<string, string>): Promise<string> {
  const before = bench.sandbox.requests.length;
  await execa("doctl", ["account", "get", "--http-retry-max", "0"], {
    cwd: bench.repo,
    env: { ...bench.env, ...env },
    extendEnv: false,
    stdin: "ignore",
    reject: false,
    localDir: bench.bin,
  });
  return sent(bench, before);
}

/** The token of the last request, by its letter. */
function sent({ sandbox }: Workbench, since = 0): string {
  const header = sandbox.requests.slice(since).at(-1)?.headers.authorization ?? "";
  const token = header.replace(/^Bearer ?/, "");
  if (token === "") return "none";
  return Object.keys(TOKENS).find((letter) => TOKENS[letter] === token) ?? "unknown";
}
