import { describe, expect, it } from "vitest";
import { planAll } from "../../../../src/commands/init/plan.ts";
import { isBlocked } from "../../../../src/core/finding.ts";
import {
  afterwards,
  alive,
  consent,
  DOCTL_CONFIG,
  type Flags,
  facts,
  found,
  type Given,
  MISSING,
  planned,
  textsAfter,
} from "../../../fixtures/facts.ts";
import { said } from "../../../fixtures/hint.ts";
import { OTHER, PERSONAL } from "../../samples.ts";

const plan = async (given: Given, ...flags: Flags) =>
  planAll(await facts(given), consent(...flags));

const SECRET = "infra/do-bootstrap.secret.auto.tfvars.json";
const NEW: Given = {
  token: alive("prompt"),
  config: "terraform: {}",
  notIgnored: [".env", ".env.local", SECRET],
  files: {
    ".env": undefined,
    ".env.example": undefined,
    ".gitignore": undefined,
    [DOCTL_CONFIG]: undefined,
  },
};
const ROOT = [
  "+ infra/versions.tf",
  "+ infra/provider.tf",
  "+ infra/variables.tf",
  `+ ${SECRET} secret 0600`,
];

describe("a plan", () => {
  it.each<[string, Given, Flags, readonly string[]]>([
    ["of a finished repo", {}, [], []],
    [
      "when a sparse checkout omits the config",
      { notHere: [".config/do-bootstraprc.yaml"] },
      [],
      ["error file.not-checked-out"],
    ],
    ["when a sparse checkout omits a package.json", { notHere: ["package.json"] }, [], []],
    [
      "of a new repo, in this order",
      NEW,
      [],
      [
        "+ .gitignore",
        "+ .env secret 0600",
        "+ .env.example",
        ...ROOT,
        "+ doctl context default login",
        "terraform init",
      ],
    ],
    [
      "of a new repo, with the requested files",
      NEW,
      ["writeConfig", "envrc"],
      [
        "+ .gitignore",
        "+ .env secret 0600",
        "+ .env.example",
        ...ROOT,
        "+ doctl context default login",
        "+ .envrc",
        "terraform init",
      ],
    ],
    [
      "without a token: only what needs none",
      { ...NEW, token: MISSING },
      [],
      [
        "error token.missing",
        "+ .gitignore",
        "+ .env.example",
        ...ROOT.slice(0, 3),
        "terraform init",
      ],
    ],
    ["of a refused token", { token: found("refused", "env-file") }, [], ["error token.refused"]],
    [
      "in CI: no secret is written",
      { ...NEW, isCi: true, tools: [] },
      [],
      [
        "info doctl.missing",
        "info terraform.missing",
        "+ .gitignore",
        "+ .env.example",
        ...ROOT.slice(0, 3),
      ],
    ],
    [
      "with --fix",
      {
        config: "terraform: { credentials: env, init: false }",
        token: alive("code"),
        files: { "infra/main.tf": `provider "digitalocean" {\n  token = "${PERSONAL}"\n}\n` },
      },
      ["fix"],
      ["~ infra/main.tf removal", "+ infra/do-bootstrap.tf"],
    ],
    [
      "of two concerns that edit one file",
      {
        config: "token: { envFile: .gitignore }",
        token: alive("prompt"),
        notIgnored: [".env.local"],
      },
      [],
      ["info git.rules-ignored", "~ .gitignore secret 0600"],
    ],
  ])("%s", async (_, given, flags, expected) => {
    expect(planned(await plan(given, ...flags))).toEqual(expected);
  });

  it.each<[string, Given, Flags]>([
    ["a new repo", { ...NEW, tools: ["terraform"] }, []],
    ["with --envrc", { ...NEW, tools: ["terraform"] }, ["envrc"]],
    ["two roots", { ...NEW, tools: [], config: "terraform: [{ dir: a }, { dir: b }]" }, []],
  ])("a second run has nothing to write: %s", async (_, given, flags) => {
    const made = await plan(given, ...flags);
    const again = await plan({ ...afterwards(given, made), notIgnored: [] }, ...flags);
    expect(again.changes).toEqual([]);
  });
});

describe("roots that cannot be prepared", () => {
  const HARD = `provider "digitalocean" {\n  token = "${OTHER}"\n}\n`;
  const roots = (...entries: readonly string[]): Given => ({
    config: "terraform: [{ dir: a, init: false }, { dir: b, init: false }]",
    token: MISSING,
    files: Object.fromEntries(entries.map((name) => [`${name}/main.tf`, HARD])),
  });
  const NEW_B = ["+ b/versions.tf", "+ b/provider.tf", "+ b/variables.tf"];
  const missing = "error token.missing";
  const hard = "error terraform.hard-coded-token";

  it.each<[string, Given, readonly string[], readonly (string | undefined)[]]>([
    [
      "none of two roots",
      roots(),
      [missing, ...NEW_B.map((each) => each.replace("b/", "a/")), ...NEW_B],
      [undefined],
    ],
    ["one of two is skipped", roots("a"), [missing, hard, ...NEW_B], [undefined, "/repo/a"]],
    [
      "all roots: each error stops the run",
      roots("a", "b"),
      [missing, hard, hard, "+ a/do-bootstrap.tf", "+ b/do-bootstrap.tf"],
      [undefined, undefined, undefined],
    ],
    [
      "the only root",
      { ...roots("a"), config: "terraform: { dir: a, init: false }" },
      [missing, hard, "+ a/do-bootstrap.tf"],
      [undefined, undefined],
    ],
    [
      "a root whose config contradicts itself stops the run",
      {
        ...roots(),
        config:
          "terraform: [{ dir: a, init: false, credentials: tfvars }, { dir: b, init: false }]",
        files: { "a/main.tf": "terraform {\n  cloud {}\n}\n" },
      },
      [
        missing,
        "error terraform.cloud-tfvars",
        "info cloud.variables",
        "+ a/do-bootstrap.tf",
        ...NEW_B,
        "+ .terraformignore",
        "+ a/.terraformignore",
      ],
      [undefined, undefined],
    ],
  ])("%s", async (_, given, expected, skipped) => {
    const made = await plan(given);
    expect(planned(made)).toEqual(expected);
    const errors = made.findings.filter(({ level }) => level === "error");
    expect(errors.map(({ skippedRoot }) => skippedRoot)).toEqual(skipped);
  });

  it("a skipped root does not stop the run", async () => {
    const given = { ...roots("a"), token: alive("env-file") };
    expect(isBlocked((await plan(given)).findings)).toBe(false);
    expect(
      isBlocked((await plan({ ...given, ...roots("a", "b"), token: alive("env-file") })).findings),
    ).toBe(true);
  });
});

describe("the scopes of the token", () => {
  const code = { "infra/main.tf": 'resource "digitalocean_tag" "a" {\n  name = "a"\n}\n' };
  const given = (scopes: readonly string[] | undefined, files: Given["files"] = code): Given => ({
    config: "terraform: { init: false, credentials: env }",
    token: alive("env-file", { scopes }),
    files,
  });
  const ALL = ["account:read", "tag:create", "tag:read", "tag:delete"];

  it.each<[string, Given, readonly string[]]>([
    ["enough", given(ALL), []],
    ["without account:read", given(ALL.slice(1)), []],
    ["too few", given(ALL.slice(0, 3)), ["error token.lacks-scopes"]],
    ["too many", given([...ALL, "droplet:read"]), ["warning token.more-than-needed"]],
    [
      "too few and too many",
      given(["droplet:read"]),
      ["error token.lacks-scopes", "warning token.more-than-needed"],
    ],
    ["full access", given(["read", "write"]), ["warning token.more-than-needed"]],
    ["unknown", given(undefined), []],
    ["too many for code that needs none yet", given(["read", "write"], {}), []],
  ])("%s", async (_, each, expected) => {
    const findings = (await plan(each)).findings;
    expect(planned({ findings }).filter((line) => line.includes(" token."))).toEqual(expected);
  });
});

describe("the tools", () => {
  const config = (tool = "") => `terraform: { init: false, credentials: env${tool} }`;
  const about = async (given: Given) =>
    (await plan({ config: config(), ...given })).findings.filter(({ id }) =>
      /^t\w+\.(missing|in-repo)/.test(id),
    );

  it.each<[string, Given, readonly string[]]>([
    ["are installed", {}, []],
    ["are missing", { tools: ["doctl"] }, ["info terraform.missing"]],
    ["are missing, but there are no roots", { config: "", tools: ["doctl"] }, []],
    [
      "are in the repo",
      { toolsInRepo: ["/repo/bin/doctl", "/repo/bin/git"] },
      ["warning tool.in-repo", "warning tool.in-repo"],
    ],
    [
      "are only in the repo",
      { tools: ["doctl"], toolsInRepo: ["/repo/bin/terraform"] },
      ["warning tool.in-repo", "info terraform.missing"],
    ],
  ])("%s", async (_, given, expected) => {
    expect(planned({ findings: await about(given) })).toEqual(expected);
  });

  it.each<[string, string, RegExp]>([
    ["any tool", config(), /developer\.hashicorp\.com/],
    ["terraform", config(", tool: terraform"), /developer\.hashicorp\.com/],
    ["tofu", config(", tool: tofu"), /opentofu\.org/],
  ])("%s is missing: the fix links to its page", async (_, yaml, page) => {
    const [finding] = await about({ config: yaml, tools: [] });
    expect(said(finding?.fix)).toMatch(page);
  });
});

it("a finding about the machine is reported once for several roots", async () => {
  const config = "terraform: [{ dir: a, init: false }, { dir: b, init: false }]";
  const { findings } = await plan({ config, tools: ["doctl", "terraform 1.9.8"] });
  expect(planned({ findings })).toEqual(["warning terraform.too-old"]);
});

it("a file that two concerns edit has both edits", async () => {
  const config = "token: { envFile: .gitignore }";
  const given = { config, token: alive("prompt"), notIgnored: [".env.local"] };
  const text = textsAfter(await plan(given))[".gitignore"];
  expect(text).toMatch(/^node_modules\/$/m);
  expect(text).toMatch(/^\.env\.local$/m);
  expect(text).toContain(`DIGITALOCEAN_TOKEN=${PERSONAL}`);
});
