import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Ajv } from "ajv";
import { execa } from "execa";
import { describe, expect, it, onTestFinished, type TestContext } from "vitest";
import { parse } from "yaml";
import { older } from "../fixtures/generated.ts";
import { needsNpm, onPath } from "../fixtures/on-path.ts";
import { TERRAFORM } from "../fixtures/terraform.ts";
import { randomToken, treeHash, type Workbench, workbench } from "../fixtures/workbench.ts";
import {
  type Job,
  legsOf,
  type MatrixLeg,
  type Step,
  stepsOf,
  type Workflow,
} from "../fixtures/workflow.ts";

const WORKFLOW = ".github/workflows/do-bootstrap.yml";
const BACKEND = 'terraform {\n  backend "s3" {}\n}\n';
const DROPLET = `resource "digitalocean_droplet" "web" {
  name   = "web"
  image  = "ubuntu-24-04-x64"
  region = "nyc3"
  size   = "s-1vcpu-1gb"
}
`;

type Files = Readonly<Record<string, string>>;

async function repoWith(
  context: Pick<TestContext, "onTestFinished">,
  files: Files,
  git = true,
): Promise<Workbench> {
  const bench = await workbench({ git, onTestFinished: context.onTestFinished });
  for (const [path, text] of Object.entries(files)) await bench.write(path, text);
  if (git) await bench.git("add", "--all");
  return bench;
}

/** A project in a subfolder of the repo. */
function inFolder(folder: string, config = "{}"): Files {
  return {
    [`${folder}/do-bootstrap.config.yaml`]: config,
    [`${folder}/main.tf`]: BACKEND + DROPLET,
    [`${folder}/.terraform.lock.hcl`]: "",
  };
}

/** A repo that has do-bootstrap in its lock file, as npm leaves it. */
function locked(integrity = `sha512-${"A".repeat(86)}==`, from = `file:${VENDORED}`): Files {
  const devDependencies = { "do-bootstrap": from };
  const entry = { version: "0.1.0", resolved: from, integrity, dev: true };
  const packages = { "": { devDependencies }, "node_modules/do-bootstrap": entry };
  return {
    "package.json": JSON.stringify({ devDependencies }),
    "package-lock.json": JSON.stringify({ lockfileVersion: 3, requires: true, packages }),
  };
}

const VENDORED = "vendor/do-bootstrap.tgz";
const BARE = { "main.tf": BACKEND + DROPLET, ".terraform.lock.hcl": "" };
const CODE = { ...BARE, ...locked(), [VENDORED]: "a package" };

describe.concurrent("ci", () => {
  it("writes a workflow and lists the next steps; a second run changes nothing", async (context) => {
    const { expect } = context;
    const bench = await repoWith(context, CODE);
    const first = await bench.run(["ci", "github"]);
    expect(first).toMatchObject({ status: 0, stdout: "" });
    expect(first.stderr).toMatch(
      /^\+ \.github\/workflows\/do-bootstrap\.yml {2}plan on pull requests/m,
    );
    expect(first.stderr).toMatch(
      /· To set up on GitHub: environment digitalocean-plan; DIGITALOCEAN_TOKEN_PLAN in digitalocean-plan; [^[]*\[ci\.to-do\]\n {2}→ do-bootstrap ci github --apply does/,
    );
    expect(first.stderr).not.toContain("ci.no-lock-file");
    const before = await treeHash(bench.repo);
    const again = await bench.run(["ci", "github"]);
    expect(again.status).toBe(0);
    expect(again.stderr).toMatch(/^✓ Nothing to do/m);
    expect(await treeHash(bench.repo)).toBe(before);
  });

  it("lists each step in JSON, with its command and the scopes of each token", async (context) => {
    const { expect } = context;
    const bench = await repoWith(context, CODE);
    const { stdout } = await bench.run(["ci", "github", "--json"]);
    const { findings } = JSON.parse(stdout) as { findings: { message: string; fix: string }[] };
    const tokenFor = (purpose: string) =>
      findings.find(({ fix }) => fix?.startsWith(`gh secret set DIGITALOCEAN_TOKEN_${purpose} `));
    expect(tokenFor("PLAN")?.fix).toMatch(/--env digitalocean-plan$/);
    expect(tokenFor("PLAN")?.message).toMatch(/\bdroplet:read\b/);
    expect(tokenFor("PLAN")?.message).not.toMatch(/\bdroplet:create\b/);
    expect(tokenFor("APPLY")?.message).toMatch(/\bdroplet:create\b/);
  });

  it("does not read the token, and sends no request", async (context) => {
    const { expect } = context;
    const command = '["sh", "-c", "touch ran"]';
    const bench = await repoWith(context, {
      ...CODE,
      "do-bootstrap.config.yaml": `token: { command: ${command} }\n`,
    });
    await bench.write(".env", `DIGITALOCEAN_TOKEN=${bench.token}\n`, 0o600);
    const { status, stderr } = await bench.run(["ci", "github"], { env: { CI: "true" } });
    expect(status, stderr).toBe(0);
    expect(bench.sandbox.requests).toEqual([]);
    expect(await readdir(bench.repo)).not.toContain("ran");
  });

  it("--dry-run shows the file and writes nothing; --json matches the schema", async (context) => {
    const { expect } = context;
    const bench = await repoWith(context, CODE);
    const before = await treeHash(bench.repo);
    const shown = await bench.run(["ci", "gitlab", "--dry-run"]);
    expect(shown).toMatchObject({ status: 0, stderr: "" });
    expect(shown.stdout).toMatch(/^ {2}\+ \.do-bootstrap-apply:$/m);
    const { status, stdout } = await bench.run(["ci", "github", "--dry-run", "--json"]);
    expect(status).toBe(0);
    const document = JSON.parse(stdout);
    const ajv = new Ajv({ strict: true, allowUnionTypes: true });
    ajv.validate(JSON.parse(await readFile("report.schema.json", "utf8")), document);
    expect(ajv.errors).toBeNull();
    expect(document).toMatchObject({
      command: "ci",
      pending: [{ kind: "create", path: join(bench.repo, WORKFLOW), holdsSecret: false }],
    });
    expect(await treeHash(bench.repo)).toBe(before);
  });

  it("updates an unedited file to a new template, and says so", async (context) => {
    const { expect } = context;
    const bench = await repoWith(context, CODE);
    await bench.run(["ci", "github"]);
    const current = await bench.read(WORKFLOW);
    await bench.write(WORKFLOW, older(current, "timeout-minutes: 60", "timeout-minutes: 45"));
    const { status, stderr } = await bench.run(["ci", "github"]);
    expect(status).toBe(0);
    expect(stderr).toMatch(/^~ \.github\/workflows\/do-bootstrap\.yml {2}regenerated$/m);
    expect(await bench.read(WORKFLOW)).toBe(current);
  });

  it("keeps an edited file with a finding; --force regenerates it", async (context) => {
    const { expect } = context;
    const bench = await repoWith(context, CODE);
    await bench.run(["ci", "github"]);
    const current = await bench.read(WORKFLOW);
    const edited = current.replace("timeout-minutes: 60", "timeout-minutes: 90");
    await bench.write(WORKFLOW, edited);
    const kept = await bench.run(["ci", "github"]);
    expect(kept.status).toBe(0);
    expect(kept.stderr).toContain("[ci.edited]");
    expect(await bench.read(WORKFLOW)).toBe(edited);
    expect((await bench.run(["ci", "github", "--force"])).status).toBe(0);
    expect(await bench.read(WORKFLOW)).toBe(current);
  });

  it.for(["1.10", '#7/ü"x'])("remembers --branch %s in the file", async (branch, context) => {
    const { expect } = context;
    const bench = await repoWith(context, CODE);
    await bench.run(["ci", "github", "--branch", branch]);
    expect(parse(await bench.read(WORKFLOW)).on.push).toEqual({ branches: [branch] });
    const again = await bench.run(["ci", "github"]);
    expect(again.stderr).toMatch(/^✓ Nothing to do/m);
  });

  it("applies on the default branch of the remote", async (context) => {
    const { expect } = context;
    const bench = await repoWith(context, CODE);
    await bench.git("commit", "--quiet", "--message=x");
    await bench.git("branch", "--move", "trunk");
    const clone = join(bench.root, "clone");
    await bench.git("clone", "--quiet", bench.repo, clone);
    await bench.git("-C", clone, "switch", "--quiet", "--create", "fix");
    const { status, stderr } = await bench.run(["ci", "github"], { cwd: "../clone" });
    expect(status, stderr).toBe(0);
    const { push, pull_request } = parse(await bench.read(`../clone/${WORKFLOW}`)).on;
    expect([push, pull_request]).toEqual([{ branches: ["trunk"] }, { branches: ["trunk"] }]);
    const other = await bench.run(["ci", "github", "--branch", "main"], { cwd: "../clone" });
    expect(other.stderr).toContain("[ci.no-branch]");
    expect(other.status).toBe(3);
  });

  it("uninstall removes an unedited file, and keeps edited and other files", async (context) => {
    const { expect } = context;
    const bench = await repoWith(context, { ...CODE, ".gitlab-ci.yml": "test: {}\n" });
    await bench.run(["ci", "github"]);
    await bench.run(["ci", "gitlab"]);
    const inclusion = ".gitlab/do-bootstrap.yml";
    await bench.write(inclusion, `${await bench.read(inclusion)}# mine\n`);
    const { status, stderr } = await bench.run(["uninstall"]);
    expect(status, stderr).toBe(0);
    expect(stderr).toMatch(/^- \.github\/workflows\/do-bootstrap\.yml/m);
    expect(await readdir(bench.repo)).not.toContain(".github");
    expect(stderr).toContain("do-bootstrap.yml (edited)");
    expect(await bench.read(inclusion)).toContain("# mine");
    expect(await bench.read(".gitlab-ci.yml")).toBe("test: {}\n");
  });

  it("uninstall keeps a folder with other files", async (context) => {
    const { expect } = context;
    const bench = await repoWith(context, { ...CODE, ".github/CODEOWNERS": "* @ada\n" });
    await bench.run(["ci", "github"]);
    expect((await bench.run(["uninstall"])).status).toBe(0);
    expect(await readdir(join(bench.repo, ".github"))).toEqual(["CODEOWNERS"]);
  });

  it("several environments: next steps for each, plan before apply", async (context) => {
    const { expect } = context;
    const names = ["dev", "staging", "prod", "test"];
    const workspaces = names.map((name) => [name, { terraform: { workspace: name } }]);
    const bench = await repoWith(context, {
      ".do-bootstraprc": JSON.stringify({
        terraform: [{ dir: "a" }, { dir: "b" }],
        environments: {
          ...Object.fromEntries(workspaces),
          live: { terraform: { workspace: "default" } },
        },
      }),
      "a/main.tf": BACKEND,
      "b/main.tf": BACKEND,
    });
    const { stdout } = await bench.run(["ci", "github", "--dry-run"]);
    const list = stdout.match(/Create the workspace \w+|(?<!in )\benvironment [\w-]+/g) ?? [];
    expect(list.map((step) => step.split(" ").at(-1))).toEqual([
      ...names,
      ...[...names, "live"].flatMap((name) => [`${name}-plan`, `${name}-apply`]),
    ]);
    expect(stdout).toContain("→ do-bootstrap --env staging\n");
  });

  it("GitLab: keeps the user's own file, which must include ours", async (context) => {
    const { expect } = context;
    const own = "test:\n  script: [make]\n";
    const bench = await repoWith(context, { ...CODE, ".gitlab-ci.yml": own });
    const { status, stderr } = await bench.run(["ci", "gitlab"]);
    expect(status).toBe(0);
    expect(stderr).toMatch(/^\+ \.gitlab\/do-bootstrap\.yml/m);
    expect(stderr).toContain("include: [{ local: .gitlab/do-bootstrap.yml }]");
    expect(await bench.read(".gitlab-ci.yml")).toBe(own);
    await bench.write(".gitlab-ci.yml", `include: [{ local: .gitlab/do-bootstrap.yml }]\n${own}`);
    const again = await bench.run(["ci", "gitlab"]);
    expect(again.stderr).toMatch(/^✓ Nothing to do/m);
    expect(again.stderr).not.toContain("must include");
  });

  it.for<[name: string, text: string, said: string[]]>([
    ["a comment that names the file", "# .gitlab/do-bootstrap.yml\n", ["must include"]],
    ["the file in a script", "a: { script: cat .gitlab/do-bootstrap.yml }\n", ["must include"]],
    ["invalid YAML", "include: [", ["must include"]],
    ["one path", "include: /.gitlab/do-bootstrap.yml\n", []],
    ["a list of paths", "include: [ünï (a).yml, .gitlab/do-bootstrap.yml]\n", []],
    ["one object", "include: { local: /.gitlab/do-bootstrap.yml }\n", []],
    ["a pattern", "include: [{ local: .gitlab/*.yml }]\n", []],
    ["another pattern", "include: { local: ci/**.yml }\n", ["must include"]],
    ["a spec document before it", "spec: {}\n---\ninclude: .gitlab/do-bootstrap.yml\n", []],
    ["GitLab's own tags", "a: !reference [b]\ninclude: .gitlab/do-bootstrap.yml\n", []],
    [
      "its own stages",
      "include: .gitlab/do-bootstrap.yml\nstages: [build, test]\n",
      ["Add to it: deploy"],
    ],
    [
      "rules for pushes only",
      "include: .gitlab/*.yml\nworkflow: { rules: [{ if: $CI_COMMIT_BRANCH }] }\n",
      ["Add to these rules"],
    ],
    ["all of our stages", "include: .gitlab/*.yml\nstages: [test, deploy]\n", []],
  ])("GitLab: the user's own file with %s", async ([, text, said], context) => {
    const { expect } = context;
    const bench = await repoWith(context, { ...CODE, ".gitlab-ci.yml": text });
    const { status, stdout } = await bench.run(["ci", "gitlab", "--dry-run"]);
    expect(status).toBe(0);
    const words = ["must include", "Add to it: deploy", "Add to it: test", "Add to these rules"];
    expect(words.filter((each) => stdout.includes(each))).toEqual(said);
  });

  it("GitLab: two projects in one repo get a file each; uninstall removes its own", async (context) => {
    const { expect } = context;
    const bench = await repoWith(context, {
      ...inFolder("svc/a", "project: a\n"),
      ...inFolder("svc/b", "project: b\n"),
    });
    for (const project of ["a", "b"]) {
      const { status, stderr } = await bench.run(["ci", "gitlab"], { cwd: `svc/${project}` });
      expect(status, stderr).toBe(0);
      expect(stderr).toContain(`include: [{ local: .gitlab/do-bootstrap-${project}.yml }]`);
    }
    expect((await readdir(join(bench.repo, ".gitlab"))).sort()).toEqual([
      "do-bootstrap-a.yml",
      "do-bootstrap-b.yml",
    ]);
    expect(await readdir(bench.repo)).not.toContain(".gitlab-ci.yml");
    expect((await bench.run(["uninstall"], { cwd: "svc/b" })).status).toBe(0);
    expect(await readdir(join(bench.repo, ".gitlab"))).toEqual(["do-bootstrap-a.yml"]);
  });

  it.for(["github", "gitlab"])(
    "%s: keeps the pipeline of another project",
    async (provider, context) => {
      const { expect } = context;
      const bench = await repoWith(context, {
        ...inFolder("svc/shop/terraform"),
        ...inFolder("svc/blog/terraform"),
      });
      const ci = (project: string, ...options: string[]) =>
        bench.run(["ci", provider, "--yes", ...options], { cwd: `svc/${project}/terraform` });
      expect((await ci("shop")).status).toBe(0);
      const before = await treeHash(bench.repo);
      const { status, stderr } = await ci("blog");
      expect(stderr.replace(/\s+/g, " ")).toContain(
        "belongs to another project (config in svc/shop/terraform)",
      );
      expect(stderr).toContain("[ci.not-ours]");
      expect(status).toBe(3);
      expect((await bench.run(["uninstall"], { cwd: "svc/blog/terraform" })).stderr).not.toContain(
        "do-bootstrap-terraform.yml",
      );
      expect(await treeHash(bench.repo)).toBe(before);
    },
  );

  it("follows the config: roots, environments, tool, workspace, backend, subfolder", async (context) => {
    const { expect } = context;
    const bench = await repoWith(context, {
      "apps/web/do-bootstrap.config.yaml": `project: shop
token: { name: DO_PAT }
terraform:
  - { dir: infra, tool: tofu, backend: { bucket: acme-tfstate, region: nyc3 } }
  - { dir: dns, workspace: main, backend: { bucket: acme-tfstate, region: nyc3 } }
environments:
  prod: {}
  staging: { terraform: { workspace: staging } }
`,
      "apps/web/infra/main.tf": DROPLET,
      "apps/web/infra/.opentofu-version": "1.11.2\n",
      "apps/web/dns/main.tf": 'resource "digitalocean_domain" "x" {\n  name = "example.com"\n}\n',
    });
    const { status, stderr } = await bench.run(["ci", "github"], { cwd: "apps/web" });
    expect(status, stderr).toBe(0);
    const text = await bench.read(".github/workflows/do-bootstrap-shop.yml");
    const { jobs, defaults } = parse(text);
    expect(defaults).toEqual({ run: { "working-directory": "apps/web" } });
    const about = ({ environment, dir, tool, workspace }: MatrixLeg) => [
      environment,
      dir,
      tool,
      workspace,
    ];
    expect(jobs.plan.strategy.matrix.include.map(about)).toEqual([
      ["prod", "infra", "tofu", ""],
      ["prod", "dns", "terraform", "main"],
      ["staging", "infra", "tofu", "staging"],
      ["staging", "dns", "terraform", "staging"],
    ]);
    expect(jobs.plan.strategy.matrix.include[0].version).toBe("1.11.2");
    const plan = stepsOf(jobs.plan).find(({ name }) => name === "Plan");
    expect(plan?.env).toMatchObject({
      DO_PAT: "${{ secrets.DIGITALOCEAN_TOKEN_PLAN }}",
      SPACES_ACCESS_KEY_ID: "${{ secrets.SPACES_ACCESS_KEY_ID }}",
      TF_WORKSPACE: "${{ matrix.workspace }}",
    });
    expect(stderr).toContain("DIGITALOCEAN_TOKEN_APPLY in prod-apply");
    expect(stderr).toContain("SPACES_SECRET_ACCESS_KEY in staging-plan");
  });

  it.for<[name: string, files: Files, args: string[], status: number, said: string]>([
    ["no Terraform code", {}, ["github"], 2, "There is no Terraform code"],
    [
      "terraform: false",
      { ".do-bootstraprc": "terraform: false\n" },
      ["github"],
      2,
      "terraform: false",
    ],
    ["an unknown provider", CODE, ["jenkins"], 2, "for GitHub, GitLab or HCP Terraform"],
    ["both providers", CODE, ["github", "gitlab"], 2, "for GitHub, GitLab or HCP Terraform"],
    [
      "an unsupported branch name",
      CODE,
      ["github", "--branch", "a${{x}}"],
      2,
      "is not supported in a pipeline",
    ],
    [
      "--branch for GitLab",
      CODE,
      ["gitlab", "--branch", "x"],
      2,
      "--branch works with GitHub only",
    ],
    [
      "a folder with letters other than a to z",
      { ".do-bootstraprc": "terraform: { dir: ünï }\n", "ünï/main.tf": BACKEND },
      ["github"],
      2,
      "use letters a to z",
    ],
    [
      "a folder that starts with a dash",
      { ".do-bootstraprc": "terraform: { dir: -x }\n", "-x/main.tf": BACKEND },
      ["github"],
      2,
      "must not start with -",
    ],
    [
      "a folder that looks like an expression",
      { ".do-bootstraprc": 'terraform: { dir: "a${{x}}" }\n', "a${{x}}/main.tf": BACKEND },
      ["github"],
      2,
      "is not supported in a pipeline",
    ],
    ["local state", { "main.tf": DROPLET }, ["github"], 3, "[ci.local-state]"],
    [
      "more jobs than GitHub allows",
      {
        ".do-bootstraprc": JSON.stringify({
          terraform: Array.from({ length: 16 }, (_, i) => ({ dir: `r${i}` })),
          environments: Object.fromEntries(
            Array.from({ length: 17 }, (_, i) => [`e${i}`, { terraform: { workspace: `e${i}` } }]),
          ),
        }),
        ...Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`r${i}/main.tf`, BACKEND])),
      },
      ["github"],
      3,
      "[ci.too-many-jobs]",
    ],
    [
      "local state in a backend block",
      { "main.tf": 'terraform {\n  backend "local" {}\n}\n' },
      ["github"],
      3,
      "[ci.local-state]",
    ],
    [
      "an AWS backend next to a backend on Spaces",
      {
        ".do-bootstraprc":
          "project: x\nterraform: [{ dir: a }, { dir: b, backend: { bucket: acme, region: nyc3 } }]\n",
        "a/main.tf": BACKEND,
        "b/main.tf": DROPLET,
      },
      ["github"],
      3,
      "[ci.two-stores]",
    ],
    ["HCP Terraform", { "main.tf": "terraform {\n  cloud {}\n}\n" }, ["github"], 3, "[ci.cloud]"],
    [
      "HCP Terraform, as a backend",
      { "main.tf": 'terraform {\n  backend "remote" {}\n}\n' },
      ["github"],
      3,
      "[ci.cloud]",
    ],
    [
      "code for another Terraform release",
      { "main.tf": 'terraform {\n  required_version = "~> 1.5.0"\n  backend "s3" {}\n}\n' },
      ["github"],
      3,
      "[ci.tool-version]",
    ],
    [
      "a workflow that we did not write",
      { ...CODE, [WORKFLOW]: "on: push\n" },
      ["github"],
      3,
      "[ci.not-ours]",
    ],
    [
      "a workflow that git ignores",
      { ...CODE, ".gitignore": ".github/\n" },
      ["github"],
      3,
      "[ci.ignored]",
    ],
    [
      "an ignored file that GitLab's file has to include",
      { ...CODE, ".gitlab-ci.yml": "a: {}\n", ".gitignore": ".gitlab/*.yml\n" },
      ["gitlab"],
      3,
      "[ci.ignored]",
    ],
    [
      "an ignored GitLab file that has to include ours",
      { ...inFolder("svc"), ".gitignore": ".gitlab-ci.yml\n" },
      ["gitlab"],
      3,
      "[ci.ignored]",
    ],
    ["code that git ignores", { ...CODE, ".gitignore": "*.tf\n" }, ["github"], 3, "[ci.no-code]"],
  ])("%s: says so and writes nothing", async ([, files, args, status, said], context) => {
    const { expect } = context;
    const bench = await repoWith(context, files);
    const before = await treeHash(bench.repo);
    const cwd = Object.hasOwn(files, "svc/main.tf") ? "svc" : ".";
    const result = await bench.run(["ci", ...args], { cwd });
    expect(result.stderr).toContain(said);
    expect(result.status).toBe(status);
    expect(await treeHash(bench.repo)).toBe(before);
  });

  it.for<[name: string, files: Files, args: string[], said: string | undefined, runs: RegExp]>([
    ["a lock file", CODE, [], undefined, /npm ci --ignore-scripts/],
    [
      "a lock file without packages",
      { ...CODE, "package-lock.json": "{}" },
      [],
      "This repo does not say where a pipeline should install do-bootstrap from",
      /exit 1/,
    ],
    [
      "a lock file with a package from a registry",
      {
        ...CODE,
        ...locked(undefined, "https://registry.example/do-bootstrap/-/do-bootstrap-9.tgz"),
      },
      [],
      "by name or from git",
      /exit 1/,
    ],
    [
      "a lock file with a package outside the repo",
      { ...CODE, ...locked(undefined, "file:../do-bootstrap.tgz") },
      [],
      "from outside the repo",
      /exit 1/,
    ],
    [
      "no package.json",
      BARE,
      [],
      "This repo does not say where a pipeline should install do-bootstrap from",
      /exit 1/,
    ],
    [
      "a package in the repo",
      CODE,
      ["--tarball", VENDORED],
      undefined,
      /cp .*\n.*sha512sum --check/,
    ],
    [
      "a package at a URL",
      BARE,
      ["--tarball", "https://example.com/x.tgz", "--hash", "a".repeat(128)],
      undefined,
      /curl .*\n.*sha512sum --check/,
    ],
  ])("installs do-bootstrap with a hash or not at all: %s", async (row, context) => {
    const { expect } = context;
    const [, files, args, said, runs] = row;
    const bench = await repoWith(context, files);
    for (const [provider, path] of [
      ["github", WORKFLOW],
      ["gitlab", ".gitlab-ci.yml"],
    ] as const) {
      const { status, stderr } = await bench.run(["ci", provider, ...args]);
      expect(status, stderr).toBe(0);
      expect(stderr.includes("[ci.no-package]")).toBe(said !== undefined);
      expect(stderr.replace(/\s+/g, " ")).toContain(said ?? "");
      expect(await bench.read(path)).toMatch(runs);
      expect(await bench.read(path)).not.toMatch(/npm (?!ci )/);
      const again = await bench.run(["ci", provider]);
      expect(again.stderr).not.toMatch(/^[~+] /m);
    }
  });

  it("says which of these files to add to git", async (context) => {
    const { expect } = context;
    const bench = await repoWith(context, CODE);
    await bench.git("rm", "--cached", "--quiet", VENDORED);
    const { stdout } = await bench.run(["ci", "github", "--dry-run"]);
    expect(stdout).toContain(`→ git add ${VENDORED}`);
  });

  it.for<[name: string, args: string[], said: string]>([
    ["a missing file", ["--tarball", "none.tgz"], "is not a file"],
    ["a folder", ["--tarball", "vendor"], "is not a file"],
    ["a file outside the repo", ["--tarball", "/etc/passwd"], "is outside the repo"],
    [
      "a file that does not match the hash",
      ["--tarball", VENDORED, "--hash", "a".repeat(128)],
      "does not match --hash",
    ],
    ["a URL without a hash", ["--tarball", "https://example.com/x.tgz"], "needs --hash"],
    ["a short hash", ["--tarball", VENDORED, "--hash", "abc"], "128 characters of 0-9a-f"],
    ["a hash without a package", ["--hash", "a".repeat(128)], "--hash needs --tarball"],
    [
      "plain http",
      ["--tarball", "http://example.com/x.tgz", "--hash", "a".repeat(128)],
      "is not supported in a pipeline",
    ],
    [
      "a command in a URL",
      ["--tarball", "https://example.com/$(id).tgz", "--hash", "a".repeat(128)],
      "is not supported in a pipeline",
    ],
  ])("--tarball: %s is a usage error", async ([, args, said], context) => {
    const { expect } = context;
    const bench = await repoWith(context, CODE);
    const { status, stderr } = await bench.run(["ci", "github", ...args]);
    expect(stderr.replace(/\s+/g, " ")).toContain(said);
    expect(status).toBe(2);
  });

  it("without a version file, says which release the pipeline installs", async (context) => {
    const { expect } = context;
    const bench = await repoWith(context, CODE);
    const said = async () =>
      (await bench.run(["ci", "github", "--dry-run"])).stdout.replace(/\s+/g, " ");
    const words = ".terraform-version is missing, so the pipeline installs terraform";
    expect(await said()).toContain(words);
    await bench.write(".terraform-version", "1.11.4\n");
    expect(await said()).not.toContain(words);
  });

  it("a backend of another type is a warning: the pipeline has no keys for it", async (context) => {
    const { expect } = context;
    const code = BACKEND.replace("s3", "gcs");
    const bench = await repoWith(context, { ...CODE, "main.tf": code });
    const { status, stderr } = await bench.run(["ci", "github"]);
    expect(stderr).toContain("of type gcs");
    expect(stderr).toContain("[ci.other-backend]");
    expect(status).toBe(0);
  });

  it("accepts the user's own backend on Spaces next to terraform.backend", async (context) => {
    const { expect } = context;
    const endpoint = '\n    endpoints = { s3 = "https://fra1.digitaloceanspaces.com" }\n  ';
    const bench = await repoWith(context, {
      ".do-bootstraprc":
        "project: x\nterraform: [{ dir: a }, { dir: b, backend: { bucket: acme, region: nyc3 } }]\n",
      "a/main.tf": BACKEND.replace("{}", `{${endpoint}}`),
      "b/main.tf": DROPLET,
    });
    const { status, stderr } = await bench.run(["ci", "github"]);
    expect(status, stderr).toBe(0);
  });

  /** Newer than the release in the parent folder. */
  const OUR_OWN = expect.stringMatching(/^1\.(?!10)\d+\.\d+$/);
  it.for<[name: string, text: string, release: string, found: boolean]>([
    ["a release", "1.11.4\n", "1.11.4", false],
    ["a v before the release", "v1.11.4", "1.11.4", false],
    ["a comment above the release", "# ours\r\n\r\n1.11.4 # since May\r\n", "1.11.4", false],
    ["only a comment", "# none\n", "1.10.5", false],
    ["two numbers", "1.9\n", OUR_OWN, true],
    ["a range", "latest:^1.9\n", OUR_OWN, true],
  ])(".terraform-version with %s", async ([, text, release, found], context) => {
    const { expect } = context;
    const bench = await repoWith(context, {
      ".do-bootstraprc": "terraform: { dir: infra }\n",
      "infra/main.tf": BACKEND,
      "infra/.terraform-version": text,
      ".terraform-version": "1.10.5\n",
    });
    const { status, stderr } = await bench.run(["ci", "github"]);
    expect(status).toBe(0);
    expect(stderr.includes("[ci.version-file]")).toBe(found);
    const { jobs } = parse(await bench.read(WORKFLOW)) as Workflow;
    expect(legsOf(jobs["plan"] ?? {}).map((leg) => leg["version"])).toEqual([release]);
  });

  it("does not write through a folder that links outside the repo", async (context) => {
    const { expect } = context;
    const bench = await repoWith(context, CODE);
    await symlink(bench.tmp, join(bench.repo, ".github"));
    const { status, stderr } = await bench.run(["ci", "github"]);
    expect(stderr).toContain("[file.outside]");
    expect(status).toBe(3);
    expect(await readdir(bench.tmp)).toEqual([]);
  });

  it("a root or module in a submodule is an error: the checkout lacks it", async (context) => {
    const { expect } = context;
    const bench = await repoWith(context, { ".do-bootstraprc": "terraform: { dir: infra }\n" });
    await bench.git("init", "--quiet", "infra");
    await bench.write("infra/main.tf", BACKEND);
    const { status, stderr } = await bench.run(["ci", "github"]);
    expect(stderr).toMatch(/infra is in another git repo.*\[ci\.no-code\]$/m);
    expect(status).toBe(3);

    await bench.write("main.tf", `${BACKEND}module "a" {\n  source = "./infra"\n}\n`);
    await bench.write(".do-bootstraprc", "terraform: { dir: . }\n");
    const caller = await bench.run(["ci", "github"]);
    expect(caller.stderr).toMatch(
      /infra is in another git repo.*\[ci\.no-code\]\n.*module's code/m,
    );
  });

  it("names what would fail in the first run: settings, values, format", async (context) => {
    const { expect } = context;
    const bench = await repoWith(context, {
      ...CODE,
      "main.tf": `${BACKEND}provider "digitalocean" {}\nvariable "region" {}\n`,
      "mine.tf": "",
      "backends/prod.s3.tfbackend": 'bucket = "acme"\n',
      ".gitignore": "mine.tf\n.terraform.lock.hcl\nother/\n",
      "other/x.tf": "",
    });
    await bench.git("rm", "--cached", "--quiet", ".terraform.lock.hcl", "--ignore-unmatch");
    await bench.git("add", "--force", "mine.tf");
    const fake = `#!/bin/sh
case "$1" in
  version) echo '{ "terraform_version": "1.11.4" }' ;;
  fmt) echo "$@" "$DIGITALOCEAN_TOKEN" >> '${join(bench.tmp, "fmt")}'; printf 'main.tf\nother/x.tf\n'; exit 3 ;;
esac
`;
    await writeFile(join(bench.bin, "terraform"), fake, { mode: 0o755 });
    const { status, stdout } = await bench.run(["ci", "github", "--dry-run"], {
      env: { DIGITALOCEAN_TOKEN: bench.token },
    });
    expect(status).toBe(0);
    const text = stdout.replace(/\s+/g, " ");
    expect(text).toMatch(/has no bucket, key, region, .*-backend-config=backends\/prod\.s3\.tf/);
    expect(text).toContain("no value for var.region, so plan would fail");
    expect(text).toContain(
      "! terraform fmt -check fails for main.tf, so the pipeline's first step would fail too",
    );
    expect(text).toContain("git add --force .terraform.lock.hcl");
    expect(await bench.read("../tmp/fmt")).toBe("fmt -check -list=true -recursive -no-color \n");
  });

  it("refuses outside a git repo", async (context) => {
    const { expect } = context;
    const bench = await repoWith(context, CODE, false);
    const { status, stderr } = await bench.run(["ci", "github"]);
    expect(status).toBe(2);
    expect(stderr).toContain("is not in a git repo");
  });

  it("a lock file without the provider of the code is a warning", async (context) => {
    const { expect } = context;
    const code = 'provider "digitalocean" {}\n';
    const bench = await repoWith(context, { ...CODE, "main.tf": BACKEND + code });
    const { status, stdout } = await bench.run(["ci", "github", "--dry-run"]);
    expect(stdout).toMatch(
      /lock\.hcl does not list the digitalocean provider[^[]*\[ci\.lock-file\]/,
    );
    expect(status).toBe(0);
  });

  it("a lock file that is not in git is a warning", async (context) => {
    const { expect } = context;
    const bench = await repoWith(context, { "main.tf": BACKEND });
    await bench.write(".terraform.lock.hcl", "");
    const { status, stderr } = await bench.run(["ci", "github", "--dry-run"]);
    expect(stderr).toBe("");
    expect(status).toBe(0);
    const strict = await bench.run(["ci", "github", "--strict"]);
    expect(strict.stderr).toContain("[ci.no-lock-file]");
    expect(strict.stderr).toContain("terraform providers lock -platform=linux_amd64");
    expect(strict.status).toBe(3);
  });
});

describe.skipIf(needsNpm)(`GitHub: apply runs only for roots with changes${needsNpm}`, () => {
  it.each<[outputs: object, applied: string[]]>([
    [{}, []],
    [{ root_0: "", root_1: "" }, []],
    [{ root_1: "true" }, ["prod dns"]],
    [{ root_0: "true", root_3: "true", root_9: "true" }, ["prod infra", "staging dns"]],
  ])("%j", async (outputs, applied) => {
    const bench = await repoWith(
      { onTestFinished },
      {
        "do-bootstrap.config.yaml":
          "terraform: [{ dir: infra }, { dir: dns }]\nenvironments: { prod: {}, staging: { terraform: { workspace: s } } }\n",
        "infra/main.tf": BACKEND,
        "dns/main.tf": BACKEND,
      },
    );
    expect((await bench.run(["ci", "github"])).status).toBe(0);
    const { jobs } = parse(await bench.read(WORKFLOW)) as Workflow;
    const [step = {}] = stepsOf(jobs["changed"] ?? {});
    const env = {
      ...environmentOf(step, {}, {}, outputs),
      PATH: `${bench.bin}:/usr/bin:/bin`,
      GITHUB_OUTPUT: join(bench.tmp, "output"),
    };
    await execa("bash", ["-eo", "pipefail", "-c", step.run ?? ""], { env, extendEnv: false });
    const [, roots = ""] = (await bench.read("../tmp/output")).split("roots=");
    expect(
      (JSON.parse(roots) as MatrixLeg[]).map(({ environment, dir }) => `${environment} ${dir}`),
    ).toEqual(applied);
  });
});

/** A runner has bash, node and npm, but no registry. */
async function runner(context: Pick<TestContext, "onTestFinished">, files: Files) {
  const bench = await repoWith(context, { "main.tf": BACKEND, ...files });
  const home = join(bench.root, "runner");
  await mkdir(home);
  const base = {
    ...bench.env,
    HOME: home,
    PATH: [bench.bin, dirname(onPath("npm") ?? ""), "/usr/bin", "/bin"].join(":"),
    CI: "true",
    CHECKPOINT_DISABLE: "1",
    npm_config_offline: "true",
    GITHUB_WORKSPACE: bench.repo,
    CI_PROJECT_DIR: bench.repo,
    GITHUB_OUTPUT: join(home, "output.txt"),
    GITHUB_PATH: join(home, "path.txt"),
  };
  await writeFile(base.GITHUB_OUTPUT, "");
  await writeFile(base.GITHUB_PATH, "");
  const bash = async (script: string, env: Readonly<Record<string, string>>) => {
    const added = (await readFile(base.GITHUB_PATH, "utf8")).split("\n").filter(Boolean).reverse();
    const { exitCode, all } = await execa("bash", ["-eo", "pipefail", "-c", script], {
      cwd: bench.repo,
      env: { ...base, PATH: [...added, base.PATH].join(":"), ...env },
      extendEnv: false,
      reject: false,
      all: true,
    });
    return { status: exitCode, output: all };
  };
  return { bench, base, bash };
}

/** The program, packed as npm packs it, and a lock file with its hash. */
async function packed(bench: Workbench): Promise<void> {
  const path = join(bench.repo, VENDORED);
  await mkdir(dirname(path), { recursive: true });
  const what = ["package.json", "dist", "templates"];
  await execa("tar", ["-czf", path, "--transform", "s,^,package/,", ...what]);
  const integrity = createHash("sha512")
    .update(await readFile(path))
    .digest("base64");
  for (const [name, text] of Object.entries(locked(`sha512-${integrity}`))) {
    await bench.write(name, text);
  }
  await bench.git("add", "--all");
}

describe.skipIf(needsNpm).concurrent(`installing do-bootstrap on a runner${needsNpm}`, () => {
  /** The step that installs it, in either pipeline. */
  async function installer(bench: Workbench, provider: string): Promise<string> {
    if (provider === "github") {
      const { jobs } = parse(await bench.read(WORKFLOW)) as Workflow;
      const step = stepsOf(jobs["apply"] ?? {}).find(({ name }) => name === "Install do-bootstrap");
      return step?.run ?? "";
    }
    const steps: string[] = parse(await bench.read(".gitlab-ci.yml"))[".do-bootstrap-apply"]
      .before_script;
    return `${steps.at(-1)}\ncommand -v do-bootstrap`;
  }

  describe.each(["github", "gitlab"])("%s", (provider) => {
    it.for<
      [name: string, args: string[], spoil: (bench: Workbench) => Promise<unknown>, ok: boolean]
    >([
      ["from the lock file", [], async () => undefined, true],
      ["from a package in the repo", ["--tarball", VENDORED], async () => undefined, true],
      ["a package that does not match the lock file", [], spoilt, false],
      ["a package that does not match the pipeline's hash", ["--tarball", VENDORED], spoilt, false],
      [
        "a lock file that now uses a registry",
        [],
        async (bench) => {
          const lock = await bench.read("package-lock.json");
          const address = "https://registry.example/do-bootstrap/-/do-bootstrap-9.0.0.tgz";
          await bench.write("package-lock.json", lock.replaceAll(`file:${VENDORED}`, address));
        },
        false,
      ],
      [
        "a lock file that now has no hash",
        [],
        async (bench) => {
          const lock = await bench.read("package-lock.json");
          await bench.write("package-lock.json", lock.replace(/"integrity":"[^"]+",/, ""));
        },
        false,
      ],
      [
        "an invalid hash, which npm would not check",
        [],
        async (bench) => {
          const lock = await bench.read("package-lock.json");
          const spoiled = lock.replace(/"integrity":"[^"]+"/, '"integrity":"sha512-?"');
          await bench.write("package-lock.json", spoiled);
          await spoilt(bench);
        },
        false,
      ],
      [
        "a new lock file that npm prefers",
        [],
        async (bench) => {
          const lock = await bench.read("package-lock.json");
          await bench.write("npm-shrinkwrap.json", lock.replace(/"integrity":"[^"]+",/, ""));
        },
        false,
      ],
      [
        "a deleted lock file",
        [],
        async (bench) => rm(join(bench.repo, "package-lock.json")),
        false,
      ],
    ])("%s", async ([, args, spoil, ok], context) => {
      const { expect } = context;
      const { bench, base, bash } = await runner(context, {});
      await packed(bench);
      expect((await bench.run(["ci", provider, ...args])).status).toBe(0);
      await spoil(bench);
      const { status, output } = await bash(await installer(bench, provider), {});
      expect(status === 0, output).toBe(ok);
      const onPath = await readFile(base.GITHUB_PATH, "utf8");
      if (!ok) return expect(onPath).toBe("");
      const version = await bash("do-bootstrap --version", {});
      const isHere =
        provider === "github" ? version.output : output?.match(/\/do-bootstrap$/m)?.[0];
      expect(isHere).toMatch(provider === "github" ? /^\d+\.\d+\.\d+$/ : /do-bootstrap$/);
    });

    it("fails when the repo does not say what to install", async (context) => {
      const { expect } = context;
      const { bench, bash } = await runner(context, {});
      expect((await bench.run(["ci", provider])).status).toBe(0);
      const { status, output } = await bash(await installer(bench, provider), {});
      expect(output).toContain("can't install do-bootstrap");
      expect(status).toBe(1);
    });
  });

  async function spoilt(bench: Workbench): Promise<void> {
    const bytes = await readFile(join(bench.repo, VENDORED));
    await writeFile(join(bench.repo, VENDORED), Buffer.concat([bytes, Buffer.from("more")]));
  }
});

const needsTerraform = needsNpm || (TERRAFORM === undefined ? " (needs terraform)" : "");

describe.skipIf(needsTerraform)(`the pipeline's steps on a runner${needsTerraform}`, () => {
  /** Without a provider, so nothing is downloaded. */
  const STATE = 'terraform {\n  backend "local" {}\n}\n\noutput "answer" {\n  value = 42\n}\n';

  async function prepared(context: TestContext, provider: "github" | "gitlab") {
    const all = await runner(context, {});
    const { bench } = all;
    await packed(bench);
    const { status, stderr } = await bench.run(["ci", provider]);
    context.expect(status, stderr).toBe(0);
    // Instead of the bucket, which this machine does not have.
    await bench.write("main.tf", STATE);
    await symlink(TERRAFORM ?? "", join(bench.bin, "terraform"));
    const apply = randomToken();
    bench.sandbox.accept(apply);
    const secrets = {
      DIGITALOCEAN_TOKEN_PLAN: bench.token,
      DIGITALOCEAN_TOKEN_APPLY: apply,
    };
    return { ...all, secrets };
  }

  it("GitHub: plan finds a change, apply makes it, the next plan finds nothing", async (context) => {
    const { expect } = context;
    const { bench, base, bash, secrets } = await prepared(context, "github");
    const { jobs } = parse(await bench.read(WORKFLOW)) as Workflow;
    let ofPlan = {};
    const run = async (job: Job = {}, leg = legsOf(job)[0] ?? {}) => {
      const outputs: string[] = [];
      for (const step of stepsOf(job)) {
        const env = {
          ...environmentOf(job, leg, secrets),
          ...environmentOf(step, leg, secrets, ofPlan),
        };
        if (step.run === undefined) continue;
        const { status, output = "" } = await bash(step.run, env);
        outputs.push(output);
        if (status !== 0) return { status, failed: step.name, output: outputs.join("\n") };
      }
      return { status: 0, failed: undefined, output: outputs.join("\n") };
    };

    expect(await run(jobs["validate"])).toMatchObject({ status: 0 });
    const planned = await run(jobs["plan"]);
    expect(planned, planned.output).toMatchObject({ status: 0 });
    expect(planned.output).toContain("answer = 42");
    expect(await readFile(base.GITHUB_OUTPUT, "utf8")).toBe("root_0=true\n");
    ofPlan = { root_0: "true" };
    expect(await run(jobs["changed"])).toMatchObject({ status: 0 });
    const [, roots = ""] = (await readFile(base.GITHUB_OUTPUT, "utf8")).split("roots=");
    expect(JSON.parse(roots)).toEqual(legsOf(jobs["plan"] ?? {}));
    await writeFile(base.GITHUB_OUTPUT, "");
    const applied = await run(jobs["apply"], JSON.parse(roots)[0]);
    expect(applied, applied.output).toMatchObject({ status: 0 });
    expect(JSON.parse(await bench.read("terraform.tfstate")).outputs.answer.value).toBe(42);
    expect((await run(jobs["plan"])).status).toBe(0);
    expect(await readFile(base.GITHUB_OUTPUT, "utf8")).toBe("");

    bench.sandbox.revoke(bench.token);
    expect(await run(jobs["plan"])).toMatchObject({ failed: "Does the token have the scopes?" });
    secrets.DIGITALOCEAN_TOKEN_PLAN = "";
    expect(await run(jobs["plan"])).toMatchObject({ status: 125, failed: "Plan" });
  });

  it("GitLab: plan finds a change, apply makes it, the next plan finds nothing", async (context) => {
    const { expect } = context;
    const { bench, bash, secrets } = await prepared(context, "gitlab");
    const file = parse(await bench.read(".gitlab-ci.yml"));
    /** Skips the download: the tool is here already. */
    const run = (job: string, name: string, extra = {}) => {
      const { before_script: before, script } = file[`.do-bootstrap-${job}`];
      const steps: string[] = [...before, ...script].filter((step) => !step.includes("$downloads"));
      const secret = `DIGITALOCEAN_TOKEN_${job.toUpperCase()}` as keyof typeof secrets;
      const env = { ...file[name].variables, [secret]: secrets[secret], ...extra };
      return bash(steps.join("\n"), env);
    };
    const planned = await run("plan", "plan digitalocean .");
    expect(planned.output).toContain("There is something to apply.");
    expect(planned.status, planned.output).toBe(0);
    const applied = await run("apply", "apply digitalocean .");
    expect(applied.status, applied.output).toBe(0);
    const again = await run("plan", "plan digitalocean .");
    expect(again.output).not.toContain("There is something to apply.");
    expect(again.status).toBe(0);

    const both = await run("plan", "plan digitalocean .", secrets);
    expect(both.output).toContain("its environment scope is too wide");
    expect(both.status).toBe(1);
  });
});

/** Fills in the expressions that an `env:` contains. */
function environmentOf(
  { env = {} }: Pick<Step | Job, "env">,
  leg: MatrixLeg,
  secrets: Readonly<Record<string, string>>,
  ofPlan: object = {},
): Record<string, string> {
  const value = (text: string) =>
    text
      .replace("${{ toJSON(needs.plan.outputs) }}", JSON.stringify(ofPlan))
      .replace(
        /\$\{\{ (matrix|secrets)\.(\w+) \}\}/g,
        (_, from: string, name: string) => (from === "matrix" ? leg[name] : secrets[name]) ?? "",
      );
  return Object.fromEntries(Object.entries(env).map(([name, text]) => [name, value(text)]));
}
