import { describe, expect, it } from "vitest";
import { judgeInputs } from "../../../../src/commands/pipelines/inputs.ts";
import { judgeReach, type Reach, unlockedIn } from "../../../../src/commands/pipelines/reach.ts";
import type { Root } from "../../../../src/commands/pipelines/roots.ts";
import { facts, type Given } from "../../../fixtures/facts.ts";
import { said } from "../../../fixtures/hint.ts";

const S3 = (settings = "") => `terraform {\n  backend "s3" {\n${settings}\n  }\n}\n`;
const WHOLE = S3('bucket = "b"\nkey = "k"\nregion = "nyc3"');
const BACKEND = (type: string) => `terraform {\n  backend "${type}" {}\n}\n`;
const variables = (...names: string[]) => names.map((name) => `variable "${name}" {}\n`).join("");

async function rootsOf(given: Given): Promise<Root[]> {
  const { config, terraform } = await facts({ config: "terraform: { dir: infra }", ...given });
  return terraform.roots.map((root) => ({ config, root }));
}

async function judge(given: Given, { lost = [] }: { lost?: readonly string[] } = {}) {
  const reach = { lost: new Set(lost.map((path) => `/repo/${path}`)) };
  return judgeInputs("github", await rootsOf(given), reach, new Map());
}

const root = (files: Readonly<Record<string, string>>, more: Given = {}): Given => ({
  ...more,
  files: Object.fromEntries(Object.entries(files).map(([name, text]) => [`infra/${name}`, text])),
});

describe("missing settings of a backend", () => {
  it.each<[name: string, given: Given, missing: string | undefined]>([
    ["S3 without settings", root({ "a.tf": S3() }), "bucket, key, region"],
    ["S3 without a bucket", root({ "a.tf": S3('key = "k"\nregion = "nyc3"') }), "bucket"],
    ["S3 with all settings", root({ "a.tf": WHOLE }), undefined],
    [
      "S3 in JSON",
      root({ "a.tf.json": '{"terraform":{"backend":{"s3":{"bucket":"b","key":"k"}}}}' }),
      "region",
    ],
    ["http", root({ "a.tf": BACKEND("http") }), "address"],
    ["gcs", root({ "a.tf": BACKEND("gcs") }), "bucket"],
    ["pg, which needs only environment variables", root({ "a.tf": BACKEND("pg") }), undefined],
    ["consul", root({ "a.tf": BACKEND("consul") }), "path"],
    ["azurerm", root({ "a.tf": BACKEND("azurerm") }), "storage_account_name, container_name, key"],
    ["local", root({ "a.tf": BACKEND("local") }), undefined],
    ["an unknown backend", root({ "a.tf": BACKEND("constructor") }), undefined],
    ["no backend", root({ "a.tf": "" }), undefined],
    [
      "HCP Terraform as a backend, which has another finding",
      root({ "a.tf": BACKEND("remote") }),
      undefined,
    ],
    [
      "terraform.backend has all settings",
      root(
        { "a.tf": S3() },
        {
          config:
            "terraform: { dir: infra, backend: { bucket: acme, region: nyc3, key: web.tfstate } }",
        },
      ),
      undefined,
    ],
  ])("%s", async (_, given, missing) => {
    const found = await judge(given);
    expect(found.map(({ id }) => id)).toEqual(missing === undefined ? [] : ["ci.partial-backend"]);
    if (missing !== undefined) expect(found[0]?.message).toContain(` has no ${missing}, so init`);
  });

  it("the fix names the repo's .tfbackend file, relative to the root", async () => {
    const roots = await rootsOf(root({ "a.tf": S3() }));
    const settings = new Map([["/repo/infra", ["/repo/backends/prod.s3.tfbackend"]]]);
    const fixes = (["github", "gitlab"] as const).map((provider) => {
      const [found] = judgeInputs(provider, roots, { lost: new Set() }, settings);
      return said(found?.fix, { cwd: "/repo" });
    });
    expect(fixes[0]).toMatch(/TF_CLI_ARGS_init: -backend-config=\.\.\/backends\/prod\.s3/);
    expect(fixes[1]).toContain("glab variable set TF_CLI_ARGS_init -s digitalocean-plan");
  });
});

describe("variables without a value in the pipeline", () => {
  const V = variables("region", "size");
  it.each<[name: string, given: Given, names: string | undefined, lost?: readonly string[]]>([
    ["no values", root({ "a.tf": V }), "var.region, var.size"],
    ["a default", root({ "a.tf": 'variable "a" {\n  default = null\n}\n' }), undefined],
    ["terraform.tfvars", root({ "a.tf": V, "terraform.tfvars": 'region = "a"\n' }), "var.size"],
    [
      "files that Terraform reads by itself",
      root({ "a.tf": V, "a.auto.tfvars": "region = 1\n", "b.auto.tfvars.json": '{"size": 1}' }),
      undefined,
    ],
    [
      "a file for -var-file",
      root({ "a.tf": V, "prod.tfvars": "region = 1\nsize = 1\n" }),
      "var.region, var.size",
    ],
    [
      "a file that git ignores",
      root({ "a.tf": V, "terraform.tfvars": "region = 1\nsize = 1\n" }),
      "var.region, var.size",
      ["infra/terraform.tfvars"],
    ],
    [
      "a key of a value, and in a comment",
      root({ "a.tf": V, "terraform.tfvars": '# region = 1\nx = {\n  size = "}"\n}\n' }),
      "var.region, var.size",
    ],
    [
      "terraform.variables",
      root(
        { "a.tf": V },
        { config: "terraform: { dir: infra, variables: { region: a, size: b } }" },
      ),
      undefined,
    ],
    [
      "terraform.variables, whose file git ignores",
      root(
        { "a.tf": V },
        { config: "terraform: { dir: infra, variables: { region: a, size: b } }" },
      ),
      "var.region, var.size",
      ["infra/do-bootstrap.auto.tfvars.json"],
    ],
    [
      "the token's variable, which exec passes",
      root({ "a.tf": `${variables("pat")}provider "digitalocean" {\n  token = var.pat\n}\n` }),
      undefined,
    ],
    ["an invalid variable name", root({ "a.tf.json": '{"variable": {"x; true": {}}}' }), undefined],
    [
      "HCP Terraform runs the plan",
      root({ "a.tf": `terraform {\n  cloud {}\n}\n${V}` }),
      undefined,
    ],
  ])("%s", async (_, given, names, lost = []) => {
    const found = await judge(given, { lost });
    expect(found.map(({ id }) => id)).toEqual(names === undefined ? [] : ["ci.no-value"]);
    if (names !== undefined)
      expect(found[0]?.message).toContain(`for ${names}, so plan would fail`);
  });

  it("the fix sets a secret of the jobs and maps it to the variable", async () => {
    const roots = await rootsOf(root({ "a.tf": variables("db_password") }));
    const fixes = (["github", "gitlab"] as const).map((provider) => {
      const [found] = judgeInputs(provider, roots, { lost: new Set() }, new Map());
      return said(found?.fix, { cwd: "/repo" });
    });
    expect(fixes[0]).toContain("gh secret set DB_PASSWORD --env digitalocean-plan");
    expect(fixes[0]).toContain("TF_VAR_db_password: ${{ secrets.DB_PASSWORD }}");
    expect(fixes[1]).toContain("glab variable set TF_VAR_db_password -s digitalocean-apply < FILE");
  });

  it.each<[name: string, github: string, gitlab: string]>([
    ["my-secret", "gh secret set MY_SECRET --env", "rename my-secret"],
    ["github_x", "gh secret set TF_VAR_GITHUB_X --env", "glab variable set TF_VAR_github_x -s"],
  ])("a name that GitHub or GitLab does not allow: %s", async (name, ...expected) => {
    const roots = await rootsOf(root({ "a.tf": variables(name) }));
    for (const [at, provider] of (["github", "gitlab"] as const).entries()) {
      const [found] = judgeInputs(provider, roots, { lost: new Set() }, new Map());
      expect(said(found?.fix, { cwd: "/repo" })).toContain(expected[at]);
    }
  });

  it("are reported for each root", async () => {
    const config = "terraform: [{ dir: a }, { dir: b }, { dir: c }]";
    const files = { "a/x.tf": variables("x"), "b/x.tf": variables("y"), "c/x.tf": "" };
    expect((await judge({ config, files })).map(({ where }) => where)).toEqual([
      "/repo/a",
      "/repo/b",
    ]);
  });
});

describe("files that the pipeline doesn't get from git", () => {
  const OURS = ".github/workflows/do-bootstrap.yml";
  const PROGRAM = "vendor/do-bootstrap.tgz";
  const CONFIG = "do-bootstrap.config.yaml";
  const MODULE = "modules/web";
  const LOCK = "infra/.terraform.lock.hcl";
  const files = { "main.tf": WHOLE, "backend_override.tf": "" };

  async function found(tracked: readonly string[], lost: readonly string[], elsewhere = {}) {
    const roots = await rootsOf(root(files));
    const all = (names: readonly string[]) => new Set(names.map((name) => `/repo/${name}`));
    const reach: Reach = {
      ...{ tracked: all(tracked), lost: all(lost) },
      elsewhere: new Map(Object.entries(elsewhere)),
    };
    const pipeline = [`/repo/${OURS}`];
    const needed = { pipeline, program: [`/repo/${PROGRAM}`], modules: [`/repo/${MODULE}`] };
    const config = { file: `/repo/${CONFIG}` } as Root["config"];
    const findings = judgeReach("github", config, roots, needed, reach);
    return { findings, unlocked: [...unlockedIn(roots, reach)] };
  }

  it.each<[string, tracked: string[], lost: string[], ids: string[]]>([
    ["nothing", [PROGRAM, CONFIG], [], []],
    ["the pipeline", [PROGRAM, CONFIG], [OURS], ["ci.ignored"]],
    ["code", [PROGRAM, CONFIG], ["infra/main.tf"], ["ci.no-code"]],
    ["an override file, which each user has", [PROGRAM, CONFIG], ["infra/backend_override.tf"], []],
    ["a module", [PROGRAM, CONFIG], [MODULE], ["ci.no-code"]],
    ["the program and the config, not tracked yet", [], [], ["ci.to-do", "ci.to-do"]],
    ["the program, ignored by git", [CONFIG], [PROGRAM], ["ci.to-do"]],
  ])("%s", async (_, tracked, lost, ids) => {
    const { findings } = await found(tracked, lost);
    expect(findings.map(({ id }) => id)).toEqual(ids);
  });

  it("an ignored file is added with --force", async () => {
    const { findings } = await found([CONFIG], [PROGRAM]);
    expect(said(findings[0]?.fix, { cwd: "/repo" })).toContain(`git add --force ${PROGRAM}`);
  });

  it("an override file with the backend is needed code", async () => {
    const roots = await rootsOf(root({ "main.tf": "", "backend_override.tf": WHOLE }));
    const lost = new Set(["/repo/infra/backend_override.tf"]);
    const reach = { tracked: new Set<string>(), lost, elsewhere: new Map() };
    const config = { file: undefined } as Root["config"];
    const findings = judgeReach(
      "gitlab",
      config,
      roots,
      { pipeline: [], program: [], modules: [] },
      reach,
    );
    expect(findings.map(({ id }) => id)).toEqual(["ci.no-code"]);
  });

  it("a root in another repo: only its code is reported, not its lock file", async () => {
    const { findings, unlocked } = await found([PROGRAM, CONFIG], [], {
      "/repo/infra": "/repo/infra",
    });
    expect(findings.map(({ message }) => message)).toEqual([
      "/repo/infra is in another git repo, /repo/infra. The pipeline checks out only this repo.",
    ]);
    expect(unlocked).toEqual([]);
  });

  it("a module in a submodule", async () => {
    const { findings } = await found([PROGRAM, CONFIG], [], {
      [`/repo/${MODULE}`]: "/repo/modules",
    });
    expect(findings.map(({ id }) => id)).toEqual(["ci.no-code"]);
    expect(said(findings[0]?.fix)).toContain("Move the module's code into this repo");
  });

  it.each<[string, tracked: string[], lost: string[], unlocked: object[]]>([
    ["has it", [LOCK], [], []],
    ["does not have it", [], [], [[`/repo/${LOCK}`, false]]],
    ["ignores it", [], [LOCK], [[`/repo/${LOCK}`, true]]],
  ])("a lock file: git %s", async (_, tracked, lost, unlocked) => {
    expect((await found(tracked, lost)).unlocked).toEqual(unlocked);
  });
});
