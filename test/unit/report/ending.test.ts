import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { planAll } from "../../../src/commands/init/plan.ts";
import type { Change } from "../../../src/core/change.ts";
import { type Finding, findingsOf, statusOf } from "../../../src/core/finding.ts";
import { type InGit, NOTHING_DONE } from "../../../src/core/flow.ts";
import type { CommandResult } from "../../../src/core/run-commands.ts";
import { EXIT } from "../../../src/errors/exit-status.ts";
import { humanReport } from "../../../src/report/human.ts";
import type { Page } from "../../../src/report/paint.ts";
import type { Report } from "../../../src/report/report.ts";
import { isUnchanged, unchanged } from "../../../src/report/unchanged.ts";
import { alive, consent, facts, type Given, inspection } from "../../fixtures/facts.ts";
import { OTHER, PERSONAL } from "../samples.ts";

const PAGE: Page = {
  paint: (_, text) => text,
  columns: 200,
  edge: { environment: undefined, cwd: "/repo", platform: "linux", shell: "posix" },
};
const MAIL = { email: "sammy@example.com", scopes: ["read", "write"], expiresInSeconds: null };
const token = { ...alive("env-file"), inspection: inspection("alive", MAIL) };
const PROVIDER = `terraform {
  required_version = ">= 1.10"
  required_providers {
    digitalocean = {
      source = "digitalocean/digitalocean"
    }
  }
}
provider "digitalocean" {}
`;
const WITH_VARIABLE = PROVIDER.replace(
  "{}",
  '{\n  token = var.do_token\n}\nvariable "do_token" {\n  ephemeral = true\n}',
);
const READY = { "a.tf": PROVIDER, ".terraform/providers/x": "", ".terraform.lock.hcl": "" };
const at = (dir: string, files: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(files).map(([name, text]) => [`${dir}/${name}`, text]));
const BACKEND = "terraform: { dir: ., backend: { bucket: acme, region: nyc3, key: a } }";
const KEYS = {
  SPACES_ACCESS_KEY_ID: "DO00ABCDEFGHIJKLMNOP",
  SPACES_SECRET_ACCESS_KEY: "s".repeat(43),
};
const KEYS_FILE = `DIGITALOCEAN_TOKEN=${PERSONAL}\n${Object.entries(KEYS)
  .map(([name, value]) => `${name}=${value}\n`)
  .join("")}`;
const ON_SPACES = `terraform {
  backend "s3" {
    endpoints = { s3 = "https://nyc3.digitaloceanspaces.com" }
    bucket    = "acme"
    key       = "a"
    region    = "us-east-1"
  }
}
`;
const BUCKET = 'resource "digitalocean_spaces_bucket" "a" {\n  name = "a"\n}\n';
const inShell = { ...alive("environment"), inspection: token.inspection };
const STATE = '{ "version": 4, "resources": [{}] }';
const finding = findingsOf({ "a.b": ["error", EXIT.findings] });

async function reportOf(given: Given, { run = "check", ...more }: More): Promise<Report> {
  const { env = {} } = given;
  const [command, dryRun] = run === "--dry-run" ? (["init", true] as const) : [run, false];
  const all = await facts({ token, ...given });
  const found = planAll(all, consent());
  const { done = [], inits = [], outside = [], error, notReady = false } = more;
  // check and --dry-run have the plan left to do; other runs have done it.
  const plan = dryRun || command === "check" || notReady ? found : { ...found, ...NOTHING_LEFT };
  const findings = error === undefined ? plan.findings : [...plan.findings, error];
  const applied = done.map(changeOf);
  const inGit = new Map(done.map((name) => [inRepo(name), STANDING[name[0] ?? ""]]));
  return {
    ...{ ...NOTHING_DONE, command, dryRun, env, cwd: "/repo", home: "/home/sammy", facts: all },
    ...{ plan: { ...plan, findings }, applied, outside, inGit: inGit as Report["inGit"] },
    commands: inits.map((name) => initOf(all.terraform.roots, name)),
  };
}

/** What a run did, and further findings. */
interface More {
  /** Default: check. */
  readonly run?: Report["command"] | "--dry-run";
  /** Files: "+ new", "~ changed", "- removed", "! ignored by git". */
  readonly done?: readonly string[];
  /** Folders that terraform init ran in: "infra", or "infra fails". */
  readonly inits?: readonly string[];
  readonly outside?: Report["outside"];
  readonly error?: Finding;
  /** The plan is still left to do. */
  readonly notReady?: true;
  readonly strict?: boolean;
}

const NOTHING_LEFT = { changes: [], commands: [], outside: [] };
const STANDING: Readonly<Record<string, InGit>> = {
  "+": { isIgnored: false, isTracked: false },
  "~": { isIgnored: false, isTracked: true },
  "-": { isIgnored: false, isTracked: true },
  "!": { isIgnored: true, isTracked: false },
};
const inRepo = (name: string) => `/repo/${name.slice(2)}`;

function changeOf(name: string): Change {
  const path = inRepo(name);
  const sign = name.startsWith("!") ? "+" : (name[0] as Change["sign"]);
  const what = { sign, label: path, file: path, why: "", isForClones: !name.startsWith("!") };
  const diff = () => undefined;
  return { ...what, stage: "open", diff, json: () => ({}), apply: async () => {} };
}

function initOf(roots: Report["facts"]["terraform"]["roots"], text: string): CommandResult {
  const [name, how] = text.split(" ");
  const cwd = roots.find(({ config: { dir } }) => dir === join("/repo", name ?? ""))?.config.dir;
  const tool = { name: "terraform", path: "/usr/bin/terraform" };
  const command = {
    tool,
    args: ["init"],
    cwd: cwd ?? "",
    why: "",
    without: [],
    secrets: [],
    with: new Map(),
  };
  const failure = how === undefined ? undefined : { why: "exit status 1", output: ["Error: no"] };
  return { command, failure, took: 100 };
}

/** The last lines of the human output. */
async function ends(given: Given, { strict = false, ...more }: More) {
  const report = await reportOf(given, more);
  const { findings } = report.plan;
  const status = statusOf(findings, strict);
  const edge = { ...PAGE.edge, environment: report.facts.config.environment };
  const page = { ...PAGE, edge };
  const isOne = isUnchanged(report);
  const text = isOne
    ? unchanged(report, page)
    : humanReport(report, page, { status, shown: undefined });
  return text.trimEnd().split("\n\n").at(-1)?.split("\n");
}

const ROOT = "terraform: { dir: . }";
const MANY =
  "terraform: [{ dir: a, init: false }, { dir: b, init: false }, { dir: c, init: false }]";
const FIRST = ["! .env", "+ .gitignore", "+ do-bootstrap.tf"];
const STALE = { ...READY, ".env.local": `DIGITALOCEAN_TOKEN=${OTHER}\n` };

describe("the last lines", () => {
  it.each<[what: string, given: Given, more: More, lines: readonly string[]]>([
    ["check: no Terraform", { config: "terraform: false" }, {}, ["✓ Nothing to do."]],
    ["check: everything is ready", { config: ROOT, files: READY }, {}, ["✓ Nothing to do."]],
    [
      "check: no init yet",
      { config: "terraform: { dir: ., init: false }", files: { "a.tf": PROVIDER } },
      {},
      ["· Nothing to change.", "  Next: do-bootstrap exec -- terraform init"],
    ],
    [
      "check: a failed terraform init left no lock file",
      {
        config: "terraform: { dir: ., init: false }",
        files: { "a.tf": PROVIDER, ".terraform/providers/x": "" },
      },
      {},
      ["· Nothing to change.", "  Next: do-bootstrap exec -- terraform init"],
    ],
    [
      "check: a module is missing",
      {
        config: "terraform: { dir: ., init: false }",
        files: { ...READY, "m.tf": 'module "m" {\n  source = "acme/web/digitalocean"\n}\n' },
      },
      {},
      ["· Nothing to change.", "  Next: do-bootstrap exec -- terraform init"],
    ],
    [
      "check: code with a syntax error",
      { config: ROOT, files: { ...READY, "b.tf": 'resource "a" {' } },
      {},
      [
        "· Nothing to change, but 1 warning to look at.",
        "  Next: Fix the Terraform code in this folder, which cannot be read, then run do-bootstrap",
      ],
    ],
    [
      "check: a variable that no file declares",
      { config: ROOT, files: { ...READY, "b.tf": 'output "x" {\n  value = var.x\n}\n' } },
      {},
      [
        "· Nothing to change, but 1 warning to look at.",
        "  Next: Declare the variables that the warnings above name, then run do-bootstrap",
      ],
    ],
    [
      "check: Terraform is missing",
      { config: ROOT, files: READY, tools: ["doctl"] },
      {},
      [
        "· Nothing to change.",
        "  Next: Install Terraform: https://developer.hashicorp.com/terraform/install",
      ],
    ],
    [
      "check: OpenTofu is missing",
      { config: "terraform: { dir: ., tool: tofu }", files: READY, tools: ["doctl"] },
      {},
      [
        "· Nothing to change.",
        "  Next: Install OpenTofu: https://opentofu.org/docs/intro/install/",
      ],
    ],
    [
      "check: doctl is missing",
      { config: ROOT, files: READY, tools: ["terraform 1.11.4"] },
      {},
      ["✓ Nothing to do."],
    ],
    [
      "check: keys for the state are missing",
      { config: BACKEND, files: READY },
      {},
      [
        "! No Spaces keys found for bucket acme: SPACES_ACCESS_KEY_ID and SPACES_SECRET_ACCESS_KEY are neither in the environment nor in .env. [backend.no-keys]",
        "  → do-bootstrap backend key creates a key that opens nothing else. By hand: create a key pair (Read/Write/Delete, bucket acme in nyc3) at https://cloud.digitalocean.com/spaces/access_keys and put",
        "    both keys into .env. (They are not the API token.)",
      ],
    ],
    [
      "check: doctl without exec has no token",
      {
        config: `doctl: { context: acme }\nterraform: false`,
        files: { "/home/sammy/.config/doctl/config.yaml": `auth-contexts:\n  acme: ${PERSONAL}\n` },
      },
      {},
      ["✓ Nothing to do."],
    ],
    [
      "check: a warning",
      { config: ROOT, files: STALE },
      {},
      ["✓ Nothing to do, but 1 warning to look at."],
    ],
    [
      "check --strict: a warning",
      { config: ROOT, files: STALE },
      { strict: true },
      ["Nothing to do, but 1 warning to look at (--strict: exit status 3)."],
    ],
    [
      "check: roots that are not ready",
      {
        config: MANY,
        files: {
          ...at("a", READY),
          ...at("b", { "a.tf": PROVIDER }),
          ...at("c", { "a.tf": PROVIDER }),
        },
      },
      {},
      [
        "· Nothing to change.",
        "  Left to do:",
        "    1. do-bootstrap exec -- terraform -chdir=b init",
        "    2. do-bootstrap exec -- terraform -chdir=c init",
      ],
    ],
    [
      "init: nothing to do",
      { config: ROOT, files: READY },
      { run: "init" },
      ["✓ repo: all is well (token 9e4a4330, no expiry)."],
    ],
    [
      "init: nothing to change, terraform init left to do",
      { config: "terraform: { dir: ., init: false }", files: { "a.tf": PROVIDER } },
      { run: "init" },
      [
        "· repo: nothing to change (token 9e4a4330, no expiry).",
        "  Next: do-bootstrap exec -- terraform init",
      ],
    ],
    [
      "init: a first run",
      { config: ROOT, files: READY },
      { run: "init", done: FIRST, inits: ["."] },
      [
        "✓ 3 changes made and checked.",
        "  Works now: doctl (as sammy@example.com); terraform (with exec)",
        "  Next: do-bootstrap exec -- terraform plan",
        "  Commit: .gitignore do-bootstrap.tf .env.example .terraform.lock.hcl do-bootstrap.config.yaml",
      ],
    ],
    [
      "init: a root in a folder",
      { config: "terraform: { dir: infra }", files: at("infra", READY) },
      { run: "init", done: ["+ infra/do-bootstrap.tf"], inits: ["infra"] },
      [
        "✓ 1 change made and checked.",
        "  Works now: doctl (as sammy@example.com); terraform in infra (with exec)",
        "  Next: do-bootstrap exec -- terraform -chdir=infra plan",
        "  Commit: infra/do-bootstrap.tf .gitignore .env.example infra/.terraform.lock.hcl do-bootstrap.config.yaml",
      ],
    ],
    [
      "init: with OpenTofu",
      { config: "terraform: { dir: ., tool: tofu }", files: READY, tools: ["tofu 1.11.0"] },
      { run: "init", done: FIRST },
      [
        "✓ 3 changes made and checked.",
        "  Works now: tofu (with exec)",
        "  Next: do-bootstrap exec -- tofu plan",
        "  Commit: .gitignore do-bootstrap.tf .env.example .terraform.lock.hcl do-bootstrap.config.yaml",
      ],
    ],
    [
      "init: the token is in the environment",
      {
        config: ROOT,
        files: READY,
        env: { DIGITALOCEAN_TOKEN: PERSONAL },
        token: { ...alive("environment"), inspection: token.inspection },
      },
      { run: "init", done: ["+ .gitignore"] },
      [
        "✓ 1 change made and checked.",
        "  Works now: doctl (as sammy@example.com); terraform",
        "  Next: terraform plan",
        "  Commit: .gitignore .env.example .terraform.lock.hcl do-bootstrap.config.yaml",
      ],
    ],
    [
      "init: a command provides the token, no file contains it",
      {
        config: ROOT,
        files: { ...READY, "a.tf": WITH_VARIABLE },
        token: { ...alive("command"), inspection: token.inspection },
      },
      { run: "init", done: ["+ .gitignore"] },
      [
        "! 1 change made, but 1 error to fix.",
        "  Works now: doctl (as sammy@example.com); terraform (with exec)",
        "  Next: do-bootstrap exec -- terraform plan",
        "  Commit: .gitignore .env.example .terraform.lock.hcl do-bootstrap.config.yaml",
      ],
    ],
    [
      "init: a tfvars file contains the token",
      {
        config: ROOT,
        files: {
          ...READY,
          "a.tf": WITH_VARIABLE,
          "do-bootstrap.secret.auto.tfvars.json": `{ "do_token": "${PERSONAL}" }`,
        },
      },
      { run: "init", done: ["+ .gitignore"] },
      [
        "✓ 1 change made and checked.",
        "  Works now: doctl (as sammy@example.com); terraform",
        "  Next: terraform plan",
        "  Commit: .gitignore .env.example .terraform.lock.hcl do-bootstrap.config.yaml",
      ],
    ],
    [
      "init: an environment",
      {
        config: `environments: { prod: { terraform: { dir: . }, token: { envFile: .env } } }`,
        environment: "prod",
        files: READY,
      },
      { run: "init", done: ["! .env"] },
      [
        "✓ 1 change made and checked.",
        "  Works now: doctl (as sammy@example.com); terraform (with exec)",
        "  Next: do-bootstrap exec --env prod -- terraform plan",
      ],
    ],
    [
      "init: outside git",
      { config: ROOT, files: READY, git: false },
      { run: "init", done: FIRST },
      [
        "✓ 3 changes made and checked.",
        "  Works now: doctl (as sammy@example.com); terraform (with exec)",
        "  Next: do-bootstrap exec -- terraform plan",
      ],
    ],
    [
      "init: terraform init failed",
      { config: ROOT, files: { "a.tf": PROVIDER } },
      { run: "init", done: FIRST, inits: [". fails"] },
      [
        "! 3 changes made, but terraform init failed.",
        "  Works now: doctl (as sammy@example.com)",
        "  Next: Fix the error above, then run do-bootstrap",
        "  Commit: .gitignore do-bootstrap.tf .env.example do-bootstrap.config.yaml",
      ],
    ],
    [
      "init: Terraform is missing, .terraform exists",
      { config: ROOT, files: READY, tools: ["doctl"] },
      { run: "init", done: ["+ .gitignore"] },
      [
        "✓ 1 change made and checked.",
        "  Works now: doctl (as sammy@example.com)",
        "  Next: Install Terraform: https://developer.hashicorp.com/terraform/install",
        "  Commit: .gitignore .env.example .terraform.lock.hcl do-bootstrap.config.yaml",
      ],
    ],
    [
      "init: Terraform is missing",
      { config: ROOT, files: { "a.tf": PROVIDER }, tools: ["doctl"] },
      { run: "init", done: FIRST },
      [
        "✓ 3 changes made and checked.",
        "  Works now: doctl (as sammy@example.com)",
        "  Left to do:",
        "    1. Install Terraform: https://developer.hashicorp.com/terraform/install",
        "    2. do-bootstrap exec -- terraform init",
        "  Commit: .gitignore do-bootstrap.tf .env.example do-bootstrap.config.yaml",
      ],
    ],
    [
      "init: doctl is missing",
      { config: ROOT, files: READY, tools: ["terraform 1.11.4"] },
      { run: "init", done: FIRST },
      [
        "✓ 3 changes made and checked.",
        "  Works now: terraform (with exec)",
        "  Next: do-bootstrap exec -- terraform plan",
        "  Commit: .gitignore do-bootstrap.tf .env.example .terraform.lock.hcl do-bootstrap.config.yaml",
      ],
    ],
    [
      "init: keys for the state are missing",
      { config: BACKEND, files: READY },
      { run: "init", done: ["+ backend.tf"] },
      [
        "✓ 1 change made and checked, but 1 warning to look at.",
        "  Works now: doctl (as sammy@example.com)",
        "  Next: do-bootstrap backend key",
        "  Commit: backend.tf .gitignore .env.example .terraform.lock.hcl do-bootstrap.config.yaml",
      ],
    ],
    [
      "init: keys are missing for a Spaces backend that is only in the code",
      { config: ROOT, files: { ...READY, "b.tf": ON_SPACES } },
      { run: "init", done: ["+ .gitignore"] },
      [
        "✓ 1 change made and checked, but 1 warning to look at.",
        "  Works now: doctl (as sammy@example.com)",
        "  Next: do-bootstrap backend key",
        "  Commit: .gitignore .env.example .terraform.lock.hcl do-bootstrap.config.yaml",
      ],
    ],
    [
      "init: Spaces keys for that backend, which exec passes",
      {
        config: ROOT,
        files: { ...READY, "b.tf": ON_SPACES },
        ...{ env: { ...KEYS, DIGITALOCEAN_TOKEN: PERSONAL }, token: inShell },
      },
      { run: "init", done: ["+ .gitignore"] },
      [
        "✓ 1 change made and checked.",
        "  Works now: doctl (as sammy@example.com); terraform (with exec)",
        "  Next: do-bootstrap exec -- terraform plan",
        "  Commit: .gitignore .env.example .terraform.lock.hcl do-bootstrap.config.yaml",
      ],
    ],
    [
      "init: AWS keys for that backend, in the shell",
      {
        config: ROOT,
        files: { ...READY, "b.tf": ON_SPACES },
        env: { AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b", DIGITALOCEAN_TOKEN: PERSONAL },
        token: inShell,
      },
      { run: "init", done: ["+ .gitignore"] },
      [
        "✓ 1 change made and checked.",
        "  Works now: doctl (as sammy@example.com); terraform",
        "  Next: terraform plan",
        "  Commit: .gitignore .env.example .terraform.lock.hcl do-bootstrap.config.yaml",
      ],
    ],
    // The code creates resources, so the token has more scopes than needed.
    [
      "init: keys for buckets are missing",
      { config: ROOT, files: { ...READY, "b.tf": BUCKET } },
      { run: "init", done: ["+ .gitignore"] },
      [
        "✓ 1 change made and checked, but 2 warnings to look at.",
        "  Works now: doctl (as sammy@example.com)",
        "  Next: Put SPACES_ACCESS_KEY_ID and SPACES_SECRET_ACCESS_KEY into the env file, then run do-bootstrap",
        "  Commit: .gitignore .env.example .terraform.lock.hcl do-bootstrap.config.yaml",
      ],
    ],
    [
      "init: keys not passed to a provider on another host",
      {
        config: ROOT,
        files: {
          ...READY,
          "a.tf": PROVIDER.replace("{}", '{\n  spaces_endpoint = "https://x.example"\n}'),
          ".env": KEYS_FILE,
        },
      },
      { run: "init", done: ["+ .gitignore"] },
      [
        "✓ 1 change made and checked, but 1 warning to look at.",
        "  Works now: doctl (as sammy@example.com)",
        "  Next: Remove the spaces_endpoint that the warning above names, then run do-bootstrap",
        "  Commit: .gitignore .env.example .terraform.lock.hcl do-bootstrap.config.yaml",
      ],
    ],
    [
      "init: keys for buckets in the env file, the token in the shell",
      {
        config: ROOT,
        files: { ...READY, "b.tf": BUCKET, ".env": KEYS_FILE },
        ...{ env: { DIGITALOCEAN_TOKEN: PERSONAL }, token: inShell },
      },
      { run: "init", done: ["+ .gitignore"] },
      [
        "✓ 1 change made and checked, but 1 warning to look at.",
        "  Works now: doctl (as sammy@example.com); terraform (with exec)",
        "  Next: do-bootstrap exec -- terraform plan",
        "  Commit: .gitignore .env.example .terraform.lock.hcl do-bootstrap.config.yaml",
      ],
    ],
    [
      "init: keys for buckets and the token in the shell",
      {
        config: ROOT,
        files: { ...READY, "b.tf": BUCKET },
        ...{ env: { ...KEYS, DIGITALOCEAN_TOKEN: PERSONAL }, token: inShell },
      },
      { run: "init", done: ["+ .gitignore"] },
      [
        "✓ 1 change made and checked, but 1 warning to look at.",
        "  Works now: doctl (as sammy@example.com); terraform",
        "  Next: terraform plan",
        "  Commit: .gitignore .env.example .terraform.lock.hcl do-bootstrap.config.yaml",
      ],
    ],
    [
      "init: a state to move",
      { config: BACKEND, files: { ...READY, "terraform.tfstate": STATE, ".env": KEYS_FILE } },
      { run: "init", done: ["+ backend.tf"] },
      [
        "✓ 1 change made and checked, but 1 warning to look at.",
        "  Works now: doctl (as sammy@example.com)",
        "  Next: do-bootstrap exec -- terraform init -migrate-state",
        "  Commit: backend.tf .gitignore .env.example .terraform.lock.hcl do-bootstrap.config.yaml",
      ],
    ],
    [
      "init: only terraform init was left",
      { config: ROOT, files: READY },
      { run: "init", inits: ["."] },
      [
        "✓ 1 command run and checked.",
        "  Works now: doctl (as sammy@example.com); terraform (with exec)",
        "  Next: do-bootstrap exec -- terraform plan",
        "  Commit: .gitignore .env.example .terraform.lock.hcl do-bootstrap.config.yaml",
      ],
    ],
    [
      "init: only terraform init was left, and it failed",
      { config: ROOT, files: { "a.tf": PROVIDER } },
      { run: "init", inits: [". fails"] },
      [
        "! terraform init failed.",
        "  Works now: doctl (as sammy@example.com)",
        "  Next: Fix the error above, then run do-bootstrap",
      ],
    ],
    [
      "init: an error",
      { config: ROOT, files: READY },
      { run: "init", error: finding("a.b", "It is wrong.", { where: "/repo" }) },
      ["Nothing was changed."],
    ],
    [
      "init: one root of three is skipped",
      { config: MANY, files: { ...at("a", READY), ...at("b", READY), ...at("c", READY) } },
      {
        run: "init",
        done: ["+ a/do-bootstrap.tf"],
        error: { ...finding("a.b", "It is wrong.", { where: "/repo/b" }), skippedRoot: "/repo/b" },
      },
      [
        "✓ 1 change made.",
        "  Works now: doctl (as sammy@example.com); terraform in a, c (with exec)",
        "  Next: Fix the error in b, then run do-bootstrap",
        "  Commit: a/do-bootstrap.tf .gitignore .env.example a/.terraform.lock.hcl b/.terraform.lock.hcl c/.terraform.lock.hcl do-bootstrap.config.yaml",
        "✗ 1 of 3 roots was skipped: b.",
      ],
    ],
    [
      "init --dry-run: changes",
      { config: ROOT, files: { "a.tf": 'provider "digitalocean" {}\n' } },
      { run: "--dry-run" },
      ["1 change to make, 1 command to run; nothing was written (--dry-run)."],
    ],
    [
      "init --dry-run: none",
      { config: ROOT, files: READY },
      { run: "--dry-run" },
      ["✓ Nothing to do."],
    ],
    [
      "ci: a pipeline",
      { config: ROOT, files: READY },
      { run: "ci", done: ["+ .github/workflows/do-bootstrap.yml"] },
      [
        "✓ 1 change made and checked.",
        "  Commit: .github/workflows/do-bootstrap.yml .gitignore .env.example .terraform.lock.hcl do-bootstrap.config.yaml",
      ],
    ],
    [
      "rotate",
      { config: ROOT, files: READY },
      { run: "rotate", done: ["! .env"] },
      ["✓ 1 change made and checked."],
    ],
    [
      "rotate: a place still holds the old token",
      { config: ROOT, files: READY },
      {
        run: "rotate",
        done: ["! .env"],
        error: { ...finding("a.b", "It is still there."), level: "warning" },
      },
      ["✓ 1 change made, but 1 warning to look at."],
    ],
    [
      "logout: nothing to commit",
      { config: ROOT, files: READY },
      { run: "logout", done: ["! .env"] },
      ["✓ 1 change made and checked."],
    ],
    [
      "uninstall: removals to commit",
      { config: ROOT, files: READY },
      { run: "uninstall", done: ["! .env", "- do-bootstrap.tf", "~ .gitignore"] },
      ["✓ 3 changes made and checked.", "  Commit: do-bootstrap.tf .gitignore"],
    ],
  ])("%s", async (_, given, more, lines) => {
    expect(await ends(given, more)).toEqual(lines);
  });
});
