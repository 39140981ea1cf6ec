import { describe, expect, it } from "vitest";
import {
  judgeConflicts,
  judgeRootConflicts,
} from "../../../../src/concerns/effective-token/conflicts.ts";
import { humanFindings } from "../../../../src/report/human.ts";
import type { Page } from "../../../../src/report/paint.ts";
import {
  alive,
  consent,
  DOCTL_CONFIG,
  type Entry,
  type Flags,
  facts,
  found,
  type Given,
  MISSING,
  planned,
  SNAP_CONFIG,
  secretFrom,
} from "../../../fixtures/facts.ts";
import { said } from "../../../fixtures/hint.ts";
import { LEGACY, OTHER, PERSONAL } from "../../samples.ts";

const T = "DIGITALOCEAN_TOKEN";
const A = "DIGITALOCEAN_ACCESS_TOKEN";
const judged = async (given: Given) => judgeConflicts(await facts(given), consent());
const env = (text: string): Given => ({ files: { ".env": text } });
const local = (text: string): Given => ({ files: { ".env.local": text } });
const doctl = (entry: Entry, more: Given = {}): Given => ({
  ...more,
  files: { [DOCTL_CONFIG]: entry },
});
const PROFILES = `access-token: ${PERSONAL}\nauth-contexts:\n  web: ${OTHER}\n  mine: ${PERSONAL}\n`;

const named = (text: string, more: Given = {}): Given =>
  doctl(text, { config: "doctl: { context: acme }", ...more });

describe("other tokens", () => {
  const acme = { config: "token: { name: ACME_TOKEN }" };

  it.each<[string, Given, readonly string[]]>([
    ["no other token", {}, []],
    ["the same token under both names", env(`${T}=${PERSONAL}\n${A}=${PERSONAL}\n`), []],
    [
      "two tokens in the env file",
      env(`${T}=${PERSONAL}\n${A}=${OTHER}\n`),
      ["warning env-file.two-tokens"],
    ],
    ["only the second name", env(`${A}=${OTHER}\n`), []],
    [
      "two tokens, one from before 2022",
      env(`${T}=${PERSONAL}\n${A}=${LEGACY}\n`),
      ["warning env-file.two-tokens"],
    ],
    ["two values, one of them not a token", env(`${T}=${PERSONAL}\n${A}=x\n`), []],
    ["two unused tokens", { ...env(`${T}=${PERSONAL}\n${A}=${OTHER}\n`), token: MISSING }, []],
    [
      "two tokens, and the one in use is refused",
      { ...env(`${T}=${PERSONAL}\n${A}=${OTHER}\n`), token: found("refused", "env-file") },
      [],
    ],
    [
      "two tokens, and the one in use could not be checked",
      { ...env(`${T}=${PERSONAL}\n${A}=${OTHER}\n`), token: found("unknown", "env-file") },
      ["warning env-file.two-tokens"],
    ],
    [
      "a custom name, and other tokens in the environment",
      { ...acme, env: { [T]: OTHER, [A]: OTHER } },
      Array(2).fill("warning token.other-in-environment"),
    ],
    [
      "a custom name, and the same token in the environment",
      { ...acme, env: { [T]: PERSONAL } },
      [],
    ],
    [
      "a custom name, and another token in the env file",
      { ...acme, ...env(`ACME_TOKEN=${PERSONAL}\n${T}=${OTHER}\n`) },
      [],
    ],
    ["the default name, and another token in the environment", { env: { [A]: OTHER } }, []],
    ["another token in .env.local", local(`${T}=${OTHER}\n`), ["warning env-file.stale-local"]],
    ["the same token in .env.local", local(`${T}=${PERSONAL}\n`), []],
    [
      "two other tokens in .env.local",
      local(`${T}=${OTHER}\n${A}=${LEGACY}\n`),
      Array(2).fill("warning env-file.stale-local"),
    ],
    [
      "a custom name in .env.local",
      { ...acme, ...local(`ACME_TOKEN=${OTHER}\n`) },
      ["warning env-file.stale-local"],
    ],
    [
      ".env.local is the env file",
      { config: "token: { envFile: .env.local }", ...local(`${T}=${OTHER}\n`) },
      [],
    ],
  ])("%s", async (_, given, expected) => {
    expect(planned({ findings: await judged(given) })).toEqual(expected);
  });
});

describe("a token with extra characters around it", () => {
  it.each<[string, Given, readonly string[]]>([
    ["white space", { env: { [T]: `${PERSONAL}\n` } }, ["warning token.not-as-it-is"]],
    ["quotes", { env: { [A]: `"${PERSONAL}"` } }, ["warning token.not-as-it-is"]],
    ["no extra characters", { env: { [T]: PERSONAL } }, []],
    ["a value that is not a token", { env: { [T]: " x " } }, []],
    [
      "a custom name",
      { config: "token: { name: ACME_TOKEN }", env: { ACME_TOKEN: ` ${PERSONAL}` } },
      ["warning token.not-as-it-is"],
    ],
    ["a name that is not read", { env: { ACME_TOKEN: ` ${PERSONAL}` } }, []],
    [
      "white space, and no token in use",
      { token: MISSING, env: { [T]: ` ${PERSONAL}` } },
      ["warning token.not-as-it-is"],
    ],
  ])("%s", async (_, given, expected) => {
    expect(planned({ findings: await judged(given) })).toEqual(expected);
  });
});

describe("the context that doctl selects", () => {
  const context = (name: string) => doctl(`context: ${name}\n${PROFILES}`);

  it.each<[string, Given, readonly string[]]>([
    ["default", doctl(PROFILES), []],
    ["another context that exists", context("web"), []],
    ["another context, in capitals", context("Web"), ["warning doctl.context-case"]],
    [
      "another context, in capitals, from the environment",
      doctl(PROFILES, { env: { DIGITALOCEAN_CONTEXT: "Web" } }),
      ["warning doctl.context-case"],
    ],
    ["a missing context", context("gone"), ["warning doctl.context-missing"]],
    [
      "a missing context, from the environment",
      doctl(PROFILES, { env: { DIGITALOCEAN_CONTEXT: "gone" } }),
      ["warning doctl.context-missing"],
    ],
    ["an empty name", context('""'), ["warning doctl.context-missing"]],
    [
      "default, and the token's own context is still empty",
      named("context: default\n"),
      ["info doctl.no-account"],
    ],
    [
      "default, with the token in the environment",
      named("context: default\n", { env: { [A]: PERSONAL } }),
      [],
    ],
    ["default, and doctl is not installed", named("context: default\n", { tools: [] }), []],
    [
      "default, and the token is refused",
      named("context: default\n", { token: found("refused", "env-file") }),
      [],
    ],
    ["default with the same token", named(`access-token: ${PERSONAL}\n`), []],
    [
      "the token's own context, from the environment",
      named("context: default\n", { env: { DIGITALOCEAN_CONTEXT: "acme" } }),
      [],
    ],
    [
      "a context that the plan will write",
      { config: "doctl: { context: new }", ...context("new") },
      [],
    ],
    [
      "default without a token, which may come from the environment",
      doctl("context: default\n"),
      [],
    ],
    [
      "another context, which overrides the environment's token",
      doctl(`context: web\n${PROFILES}`, { env: { [A]: PERSONAL } }),
      ["warning doctl.env-ignored"],
    ],
    [
      "another context with the same token",
      doctl(`context: mine\n${PROFILES}`, { env: { [A]: PERSONAL } }),
      [],
    ],
    [
      "another context, and no token in the environment",
      doctl(`context: web\n${PROFILES}`, { env: { [A]: "x" } }),
      [],
    ],
    [
      "another context, and the environment selects default",
      doctl(`context: web\n${PROFILES}`, {
        env: { [A]: PERSONAL, DIGITALOCEAN_CONTEXT: "default" },
      }),
      [],
    ],
    ["without doctl", { ...context("gone"), tools: [] }, []],
    ["with doctl: false", { config: "doctl: false", ...context("gone") }, []],
    ["in a broken config, which is a separate finding", doctl(""), []],
  ])("%s", async (_, given, expected) => {
    expect(planned({ findings: await judged(given) })).toEqual(expected);
  });
});

describe("settings saved by an old doctl", () => {
  const token = `access-token: ${PERSONAL}\n`;

  it.each<[string, Given, readonly string[]]>([
    ["empty settings", doctl(`${token}api-url: ""\noutput: ""\nconfig: ""\n`), []],
    ["DigitalOcean's API URL", doctl(`${token}api-url: https://api.digitalocean.com\n`), []],
    [
      "another API URL",
      doctl(`${token}api-url: https://api.example.com\n`),
      ["warning doctl.baked-api-url"],
    ],
    [
      "an API URL that only looks like DigitalOcean's",
      doctl(`${token}api-url: https://digitalocean.com.example.com\n`),
      ["warning doctl.baked-api-url"],
    ],
    ["an invalid API URL", doctl(`${token}api-url: x\n`), ["warning doctl.baked-api-url"]],
    ["its own path", doctl(`${token}config: ${DOCTL_CONFIG}\n`), []],
    [
      "its own path, through a link",
      doctl({ text: `${token}config: /data/doctl.yaml\n`, leadsTo: "/data/doctl.yaml" }),
      [],
    ],
    ["another path", doctl(`${token}config: /x.yaml\n`), ["warning doctl.baked-config"]],
    ["output: text", doctl(`${token}output: text\n`), []],
    ["output: json", doctl(`${token}output: json\n`), ["info doctl.baked-output"]],
  ])("%s", async (_, given, expected) => {
    expect(planned({ findings: await judged(given) })).toEqual(expected);
  });

  it.each<[string, Given, string, string]>([
    [
      "removes the line",
      doctl(`${token}output: json\n`),
      `${DOCTL_CONFIG}:2`,
      `sed -i '/^output:/d' ${DOCTL_CONFIG}`,
    ],
    [
      "removes all saved settings in one command",
      doctl(`${token}output: json\napi-url: x\nconfig: /x.yaml\n`),
      `${DOCTL_CONFIG}:3`,
      `sed -i '/^api-url:/d;/^config:/d;/^output:/d' ${DOCTL_CONFIG}`,
    ],
    [
      "unsets a context from the environment",
      doctl("a: 1\n", { env: { DIGITALOCEAN_CONTEXT: "gone" } }),
      "",
      "unset DIGITALOCEAN_CONTEXT",
    ],
    [
      "switches from a context in the file",
      doctl(`a: 1\ncontext: gone\n`),
      `${DOCTL_CONFIG}:2`,
      "env -u DIGITALOCEAN_ACCESS_TOKEN doctl auth switch --context default",
    ],
  ])("%s", async (_, given, where, step) => {
    const [finding] = await judged(given);
    expect(finding?.where ?? "").toBe(where);
    expect(said(finding?.fix)).toBe(step);
  });
});

describe("several settings saved by an old doctl", () => {
  const lines = "output: json\napi-url: https://x.example\nconfig: /x.yaml\n";
  const page: Page = {
    paint: (_, text) => text,
    columns: Number.POSITIVE_INFINITY,
    edge: { environment: undefined, cwd: undefined, platform: "linux", shell: "posix" },
  };
  const given = (text: string) => judged(doctl(`access-token: ${PERSONAL}\n${text}`));

  it("are separate findings with the same fix", async () => {
    const found = await given(lines);
    expect(planned({ findings: found })).toEqual([
      "warning doctl.baked-api-url",
      "warning doctl.baked-config",
      "info doctl.baked-output",
    ]);
    expect(new Set(found.map(({ fix }) => said(fix))).size).toBe(1);
  });

  it("are one paragraph in human output, with all ids and the fix", async () => {
    expect(humanFindings(await given(lines), page).split("\n")).toEqual([
      "! doctl's config has settings saved by an old doctl: api-url: https://x.example (doctl sends its token there); config: /x.yaml (doctl reads this file but writes to the other one); output: json (doctl prints json instead of text). [doctl.baked-api-url, doctl.baked-config, doctl.baked-output]",
      `  → sed -i '/^api-url:/d;/^config:/d;/^output:/d' ${DOCTL_CONFIG}`,
    ]);
  });

  it("have their own sentence if there is only one", async () => {
    expect(humanFindings(await given("output: json\n"), page).split("\n")[0]).toBe(
      "· doctl's config has output: json: doctl prints json instead of text. [doctl.baked-output]",
    );
  });
});

describe("doctl as a snap", () => {
  const snap = { tools: ["/snap/bin/doctl"] };
  const token = `access-token: ${PERSONAL}\n`;

  it.each<[string, Given, readonly string[]]>([
    [
      "another config, which the snap does not read",
      { ...snap, files: { [SNAP_CONFIG]: token } },
      ["warning doctl.snap"],
    ],
    [
      "no other config",
      { ...snap, files: { [SNAP_CONFIG]: token, [DOCTL_CONFIG]: undefined } },
      [],
    ],
    [
      "a path that the snap may be unable to read",
      { ...snap, env: { DIGITALOCEAN_CONFIG: "/x.yaml" } },
      ["warning doctl.snap"],
    ],
    ["a path in the snap's own folder", { ...snap, env: { DIGITALOCEAN_CONFIG: SNAP_CONFIG } }, []],
    ["no snap", { files: { [SNAP_CONFIG]: token } }, []],
  ])("%s", async (_, given, expected) => {
    expect(planned({ findings: await judged(given) })).toEqual(expected);
  });
});

describe("a root's variable", () => {
  const SECRET = "infra/do-bootstrap.secret.auto.tfvars.json";
  const MAIN = 'provider "digitalocean" {\n  token = var.do_token\n}\n';
  const variable = (body = "") => `${MAIN}variable "do_token" {\n  ${body}\n}\n`;
  const root = (files: Given["files"], more: Given = {}): Given => ({
    ...more,
    files: { "infra/main.tf": variable(), ...files },
  });
  const judgedRoot = async (given: Given, ...flags: Flags) => {
    const known = await facts({ config: "terraform: {}", ...given });
    const [first] = known.terraform.roots;
    if (first === undefined) throw new Error("There is no root.");
    return judgeRootConflicts(known, first, known.terraform.sources[0], consent(...flags));
  };
  const ENVIRONMENT = alive("environment");
  const TF_VAR = (value: string) => ({ env: { TF_VAR_do_token: value } });
  const values = (token: string) => JSON.stringify({ do_token: token });

  it.each<[string, Given, Flags, readonly string[]]>([
    ["gets the token", root({}), [], []],
    [
      "has another token in a file",
      root({ "infra/terraform.tfvars": `do_token = "${OTHER}"\n` }, { token: ENVIRONMENT }),
      [],
      ["error terraform.other-token"],
    ],
    [
      "has another token in a file that our file overrides",
      root({ "infra/terraform.tfvars": `do_token = "${OTHER}"\n` }),
      [],
      [],
    ],
    [
      "has another token in a file that is read later",
      root({ "infra/z.auto.tfvars": `do_token = "${OTHER}"\n` }),
      [],
      ["error terraform.other-token"],
    ],
    [
      "has the same token in a file that is read later",
      root({ "infra/z.auto.tfvars": `do_token = "${PERSONAL}"\n` }),
      [],
      [],
    ],
    [
      "has another token in our stale secret file",
      root({ [SECRET]: values(OTHER) }, { token: ENVIRONMENT }),
      [],
      [],
    ],
    [
      "has another token in the environment",
      root({}, { token: ENVIRONMENT, ...TF_VAR(OTHER) }),
      [],
      ["error terraform.other-token"],
    ],
    [
      "has the same token in the environment",
      root({}, { token: ENVIRONMENT, ...TF_VAR(PERSONAL) }),
      [],
      [],
    ],
    [
      "has another token in the environment, and our file is written",
      root({}, TF_VAR(OTHER)),
      [],
      ["warning terraform.tf-var-ignored"],
    ],
    [
      "has another token in the environment, in CI",
      root({}, { isCi: true, ...TF_VAR(OTHER) }),
      [],
      ["error terraform.other-token"],
    ],
    [
      "has another token in the environment, in CI with --save",
      root({}, { isCi: true, ...TF_VAR(OTHER) }),
      ["save"],
      ["warning terraform.tf-var-ignored"],
    ],
    [
      "has the same token in the environment, and our file is written",
      root({}, TF_VAR(PERSONAL)),
      [],
      [],
    ],
    [
      "is empty in a file",
      root({ "infra/terraform.tfvars": 'do_token = ""\n' }, { token: ENVIRONMENT }),
      [],
      ["error terraform.empty-token"],
    ],
    [
      "is empty in the environment",
      root({}, { token: ENVIRONMENT, ...TF_VAR("") }),
      [],
      ["error terraform.empty-token"],
    ],
    [
      "is empty by default",
      root({ "infra/main.tf": variable('default = ""') }, { token: ENVIRONMENT }),
      [],
      ["error terraform.empty-token"],
    ],
    [
      "is not used: the provider has an empty string",
      root(
        { "infra/main.tf": 'provider "digitalocean" {\n  token = ""\n}\n' },
        { token: ENVIRONMENT },
      ),
      [],
      ["error terraform.empty-token"],
    ],
    [
      "is null in a file",
      root({ "infra/terraform.tfvars": "do_token = null\n" }, { token: ENVIRONMENT }),
      [],
      [],
    ],
    [
      "has a value that only Terraform can evaluate",
      root({ "infra/terraform.tfvars": 'do_token = file("x")\n' }, { token: ENVIRONMENT }),
      [],
      [],
    ],
    [
      "has another token, and ours is refused",
      root(
        { "infra/terraform.tfvars": `do_token = "${OTHER}"\n` },
        { token: found("refused", "environment") },
      ),
      [],
      [],
    ],
    [
      "does not exist",
      { files: { "infra/main.tf": 'provider "digitalocean" {}\n' }, ...TF_VAR(OTHER) },
      [],
      [],
    ],
    [
      "is not declared, with HCP Terraform",
      { files: { "infra/main.tf": `${MAIN}terraform {\n  cloud {}\n}\n` }, ...TF_VAR(OTHER) },
      [],
      [],
    ],
    [
      "is set in TF_CLI_ARGS",
      root(
        {},
        { token: ENVIRONMENT, env: { TF_CLI_ARGS: "-var do_token=x", TF_VAR_do_token: OTHER } },
      ),
      [],
      [],
    ],
  ])("%s", async (_, given, flags, expected) => {
    expect(planned({ findings: await judgedRoot(given, ...flags) })).toEqual(expected);
  });

  it.each<[string, Given, string, string]>([
    [
      "a file in HCL",
      root({ "infra/terraform.tfvars": `a = 1\ndo_token = "${OTHER}"\n` }, { token: ENVIRONMENT }),
      "/repo/infra/terraform.tfvars:2",
      "sed -i -E '/^[[:space:]]*(export[[:space:]]+)?do_token[[:space:]]*[=:]/d' infra/terraform.tfvars",
    ],
    [
      "a file in JSON",
      root({ "infra/terraform.tfvars.json": values(OTHER) }, { token: ENVIRONMENT }),
      "/repo/infra/terraform.tfvars.json:1",
      "Remove do_token from /repo/infra/terraform.tfvars.json:1",
    ],
    [
      "the environment",
      root({}, { token: ENVIRONMENT, ...TF_VAR(OTHER) }),
      "",
      "unset TF_VAR_do_token",
    ],
  ])("how to fix it: %s", async (_, given, where, step) => {
    const [finding] = await judgedRoot(given);
    expect(finding?.where ?? "").toBe(where);
    expect(said(finding?.fix, { cwd: "/repo" })).toBe(step);
    expect(JSON.stringify(finding)).toContain(secretFrom("tfvars", OTHER).fingerprint);
    expect(JSON.stringify(finding)).not.toContain(OTHER);
  });

  it("how to fix it: an empty default", async () => {
    const empty = { "infra/main.tf": variable('default = ""') };
    const [finding] = await judgedRoot(root(empty, { token: ENVIRONMENT }));
    expect(finding?.where).toBe("/repo/infra/main.tf:4");
    expect(said(finding?.fix, { cwd: "/repo" })).toMatch(/^Set default = null/);
  });
});
