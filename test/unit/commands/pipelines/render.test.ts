import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import {
  CI_TEMPLATES,
  type CiTemplates,
  type Leg,
  type Pipeline,
  renderGithub,
  renderGitlab,
} from "../../../../src/commands/pipelines/render.ts";
import { recognise } from "../../../../src/core/generated.ts";
import { BY_NAME } from "../../../fixtures/by-name.ts";
import { type Job, legsOf, stepsOf, unpinned, type Workflow } from "../../../fixtures/workflow.ts";

const templates = Object.fromEntries(
  CI_TEMPLATES.map((name) => [name, readFileSync(`templates/ci/${name}`, "utf8")]),
) as CiTemplates;

const LEG: Leg = {
  environment: "digitalocean",
  dir: ".",
  tool: "terraform",
  version: "1.11.4",
  workspace: undefined,
};
const ONE: Pipeline = {
  name: "do-bootstrap",
  branch: "main",
  base: ".",
  source: { kind: "lockfile", folder: "." },
  hasEnvironments: false,
  tokenNames: ["DIGITALOCEAN_TOKEN"],
  keys: { state: "SPACES", spaces: false },
  legs: [LEG],
};
const SHA512 = "0123456789abcdef".repeat(8);
const ADDRESS = "https://example.com/v1.2.3/do-bootstrap-1.2.3.tgz";
const VENDORED = {
  kind: "tarball",
  from: "vendor/do-bootstrap-1.2.3.tgz",
  sha512: SHA512,
} as const;
const PIPELINES: [name: string, pipeline: Pipeline][] = [
  ["one root", ONE],
  ["a project in a folder", { ...ONE, name: "do-bootstrap-web", base: "apps/my web" }],
  ["a branch of another name", { ...ONE, branch: "release/1.x" }],
  ["a branch that is a number to YAML", { ...ONE, branch: "1.10" }],
  ["a branch with unusual characters", { ...ONE, branch: "a\"]'#${x}\u2028on" }],
  ["a branch that is a YAML keyword", { ...ONE, branch: "true" }],
  ["the repo's own token variable", { ...ONE, tokenNames: ["DO_PAT", "DIGITALOCEAN_TOKEN"] }],
  ["a backend in the code", { ...ONE, keys: { state: "AWS", spaces: true } }],
  [
    "a lock file in a parent folder",
    {
      ...ONE,
      base: "apps/my web/infra",
      source: { kind: "lockfile", folder: "apps/my web" },
    },
  ],
  ["a package in the repo", { ...ONE, source: VENDORED }],
  ["a package at an address", { ...ONE, source: { ...VENDORED, from: ADDRESS } }],
  ["no package", { ...ONE, source: { kind: "none" } }],
  [
    "two roots in two environments, with workspaces",
    {
      ...ONE,
      hasEnvironments: true,
      legs: ["prod", "staging"].flatMap((environment) => [
        { ...LEG, environment, dir: "infra", workspace: environment },
        { ...LEG, environment, dir: "dns" },
      ]),
    },
  ],
  [
    "Terraform and OpenTofu",
    { ...ONE, legs: [LEG, { ...LEG, dir: "tofu", tool: "tofu", version: "1.11.0" }] },
  ],
];

/** Every install is pinned by a hash in the repo or in the pipeline. */
function expectInstalls(text: string, { source }: Pipeline, times: number): void {
  const count = (pattern: RegExp) => text.match(pattern)?.length ?? 0;
  expect(text).not.toMatch(BY_NAME);
  expect(text).not.toMatch(/\b(?:npx|pip3?|docker|apt-get|go install|brew|wget)\b|\| *(?:ba)?sh\b/);
  const isLocked = source.kind === "lockfile";
  expect(count(/npm ci --ignore-scripts --include=dev /g)).toBe(isLocked ? times : 0);
  expect(count(/\bnpm \w/g)).toBe(isLocked ? times : 0);
  const isTarball = source.kind === "tarball";
  expect(count(new RegExp(`sha512="${SHA512}"`, "g"))).toBe(isTarball ? times : 0);
  const unpacks = /\| sha512sum --check --strict\n +tar -xzf/g;
  expect(count(unpacks)).toBe(isTarball ? times : 0);
  expect(count(/^ +exit 1$/gm)).toBeGreaterThanOrEqual(source.kind === "none" ? times : 0);
  expect(count(/ln -s "\$program" "\$bin\/do-bootstrap"/g)).toBe(
    source.kind === "none" ? 0 : times,
  );
}

describe.each(PIPELINES)("GitHub: %s", (_, pipeline) => {
  const text = renderGithub(pipeline, templates);
  const workflow = parse(text) as Workflow;
  const { validate = {}, plan = {}, changed = {}, apply = {} } = workflow.jobs;
  const jobs: Job[] = [validate, plan, apply];
  const legs = legsOf(plan);
  const secretsOf = (job: Job) => new Set(JSON.stringify(job).match(/(?<=secrets\.)\w+/g));

  it("has our header and no open placeholder", () => {
    expect(recognise(text)).toBe("generated");
    expect(text.replace(/\$\{\{ [\w.()]+ \}\}/g, "")).not.toMatch(/\{\{|\}\}|undefined/);
    expect(Object.keys(workflow.jobs)).toEqual(["validate", "plan", "changed", "apply"]);
  });

  it("pins actions, do-bootstrap and the tool", () => {
    expect(unpinned(text)).toEqual([]);
    expectInstalls(text, pipeline, 2);
    for (const job of jobs) {
      for (const leg of legsOf(job)) {
        expect(leg["version"]).toMatch(/^\d+\.\d+\.\d+$/);
      }
      const setup = stepsOf(job).filter(({ uses }) =>
        /setup-(terraform|opentofu)@/.test(uses ?? ""),
      );
      expect(setup.length).toBe(new Set(pipeline.legs.map(({ tool }) => tool)).size);
      for (const { with: given } of setup) {
        expect(Object.values(given ?? {})).toEqual(["${{ matrix.version }}", false]);
      }
    }
  });

  it("runs on pull_request and on pushes to the one branch", () => {
    const branches = [pipeline.branch];
    expect(workflow.on).toEqual({ pull_request: { branches }, push: { branches } });
  });

  it("can only read the code, has a timeout and keeps no git credentials", () => {
    expect(workflow.permissions).toEqual({});
    for (const job of jobs) {
      expect(job.permissions).toEqual({ contents: "read" });
      expect(job["timeout-minutes"]).toBeGreaterThan(0);
      const [checkout] = stepsOf(job);
      expect(checkout?.with).toEqual({ "persist-credentials": false });
    }
  });

  it("gives forks no secret, pull requests the plan token, the branch the apply token", () => {
    expect(secretsOf(validate)).toEqual(new Set());
    expect(plan.if).toContain("github.event.pull_request.head.repo.full_name == github.repository");
    expect(secretsOf(plan)).toContain("DIGITALOCEAN_TOKEN_PLAN");
    expect(secretsOf(plan)).not.toContain("DIGITALOCEAN_TOKEN_APPLY");
    expect([changed.if, changed.needs]).toEqual([
      "github.event_name == 'push'",
      ["validate", "plan"],
    ]);
    expect([changed.permissions, secretsOf(changed)]).toEqual([{}, new Set()]);
    expect([apply.if, apply.needs]).toEqual(["needs.changed.outputs.roots != '[]'", ["changed"]]);
    expect(secretsOf(apply)).toContain("DIGITALOCEAN_TOKEN_APPLY");
    expect(secretsOf(apply)).not.toContain("DIGITALOCEAN_TOKEN_PLAN");
    expect([plan.environment, apply.environment]).toEqual([
      "${{ matrix.environment }}-plan",
      "${{ matrix.environment }}-apply",
    ]);
  });

  it("gives secrets only to the steps that need them, under the repo's names", () => {
    expect(jobs.flatMap(({ env = {} }) => Object.values(env)).join()).not.toContain("secrets");
    for (const job of [plan, apply]) {
      const using = stepsOf(job).filter(({ env }) => JSON.stringify(env ?? {}).includes("_TOKEN_"));
      expect(using.map(({ run }) => run?.match(/do-bootstrap (scopes|exec)/)?.[1])).toEqual([
        "scopes",
        "exec",
      ]);
      for (const { env = {} } of using)
        expect(Object.keys(env)).toEqual(expect.arrayContaining([...pipeline.tokenNames]));
    }
  });

  it("has no expressions in scripts and stores no artifacts", () => {
    const scripts = [...jobs, changed].flatMap((job) =>
      stepsOf(job).flatMap(({ run }) => run ?? []),
    );
    expect(scripts.filter((script) => script.includes("${{"))).toEqual([]);
    expect(text).not.toMatch(/upload-artifact|-out[= ]|actions\/cache/);
  });

  it("checks scopes before plan and apply, and runs one apply of a root at a time", () => {
    const commands = (job: Job) =>
      stepsOf(job).flatMap(
        ({ run }) =>
          /do-bootstrap scopes|\b(fmt|init|validate|plan|apply) -/.exec(run ?? "")?.[0] ?? [],
      );
    expect(commands(validate)).toEqual(["fmt -", "init -", "validate -"]);
    expect(commands(plan)).toEqual(["do-bootstrap scopes", "init -", "plan -"]);
    expect(commands(apply)).toEqual(["do-bootstrap scopes", "init -", "apply -"]);
    expect(apply.concurrency).toEqual({
      group: `${pipeline.name}-apply-\${{ matrix.environment }}-\${{ matrix.dir }}`,
      "cancel-in-progress": false,
    });
    expect(text.match(/ init .*-lockfile=readonly/g)).toHaveLength(3);
  });

  it("has a job for every root in every environment", () => {
    expect(legs).toEqual(
      pipeline.legs.map(({ environment, dir, tool, version }) =>
        expect.objectContaining({ environment, dir, tool, version }),
      ),
    );
    const [step] = stepsOf(changed);
    expect(JSON.parse(step?.env?.["ROOTS"] ?? "")).toEqual(legs);
    expect(apply.strategy?.matrix?.include).toBe("${{ fromJSON(needs.changed.outputs.roots) }}");
    const named = / --env "\$ENVIRONMENT"/g;
    expect(text.match(named)?.length ?? 0).toBe(pipeline.hasEnvironments ? 4 : 0);
  });
});

type GitlabJob = Readonly<Record<string, unknown>> & {
  readonly before_script: readonly string[];
  readonly script: readonly string[];
};

describe.each(PIPELINES)("GitLab: %s", (_, pipeline) => {
  const text = renderGitlab(pipeline, templates);
  const jobs = parse(text) as Record<string, GitlabJob>;
  const base = (name: string) => jobs[`.${pipeline.name}-${name}`] as GitlabJob;
  const made = (name: string) =>
    Object.values(jobs).filter((job) => job["extends"] === `.${pipeline.name}-${name}`);

  it("has our header and no open placeholder", () => {
    expect(recognise(text)).toBe("generated");
    expect(text).not.toMatch(/\{\{|\}\}|undefined/);
  });

  it("pins the image, do-bootstrap and the tool, whose hash it checks", () => {
    expect(jobs[`.${pipeline.name}`]).toHaveProperty(
      "image",
      expect.stringMatching(/:\d+\.\d+\.\d+-\w+@sha256:[0-9a-f]{64}$/),
    );
    expect(text.match(/image:/g)).toHaveLength(1);
    expectInstalls(text, pipeline, 2);
    expect(text).toContain("sha256sum --check --strict");
  });

  it("gives own merge requests the plan token, the default branch the apply token", () => {
    const branch = '$CI_PIPELINE_SOURCE == "push" && $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH';
    expect(base("plan")["rules"]).toEqual([
      {
        if: expect.stringContaining(
          "$CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_MERGE_REQUEST_PROJECT_ID",
        ),
      },
      { if: branch },
    ]);
    expect(base("apply")["rules"]).toEqual([
      { if: `${branch} && $CI_COMMIT_REF_PROTECTED == "true"`, when: "manual" },
    ]);
    const [validate, plan, apply] = ["validate", "plan", "apply"].map((name) =>
      base(name).script.join("\n"),
    );
    expect(validate).not.toMatch(/TOKEN|KEY/);
    expect(plan).not.toContain("TOKEN_APPLY");
    expect(apply).not.toContain("TOKEN_PLAN");
  });

  it("runs only for pushes and merge requests, not for schedules or triggers", () => {
    for (const name of ["validate", "plan", "apply"]) {
      const rules = base(name)["rules"] as { if: string }[];
      for (const rule of rules) {
        expect(rule.if).toMatch(/^\$CI_PIPELINE_SOURCE == "(push|merge_request_event)"/);
      }
    }
  });

  it("removes the token from the environment first and passes it to two commands", () => {
    for (const [name, secret] of [
      ["plan", "DIGITALOCEAN_TOKEN_PLAN"],
      ["apply", "DIGITALOCEAN_TOKEN_APPLY"],
    ] as const) {
      const { before_script: before, script } = base(name);
      expect(before[0]).toBe(`unset token; token="$${secret}"; unset ${secret}`);
      const steps = [...before.slice(1), ...script].filter((step) => step.includes("$token"));
      const named = pipeline.tokenNames.map((each) => `${each}="$token"`).join(" ");
      expect(steps.map((step) => step.includes(`${named} `))).toEqual([true, true]);
      expect(steps.join()).toMatch(/do-bootstrap scopes .*,[\s\S]*do-bootstrap exec /);
      expect(text).not.toContain("export DIGITALOCEAN");
    }
    expect([
      ...base("plan").before_script,
      ...(jobs[`.${pipeline.name}`]?.before_script ?? []),
    ]).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^if \[ -n "\$DIGITALOCEAN_TOKEN_APPLY" \]; then[\s\S]*exit 1/),
      ]),
    );
  });

  it("uses no cache, artifact or checkout of another job", () => {
    expect(jobs[`.${pipeline.name}`]).toMatchObject({
      ...{ cache: [], dependencies: [], inherit: { default: ["tags"] } },
      variables: { GIT_STRATEGY: "clone" },
    });
    expect(text).not.toMatch(/artifacts:|trigger:|include:|workflow:|dotenv|needs:project/);
  });

  it("has a job for every root in every environment, one apply at a time for each", () => {
    const { legs } = pipeline;
    expect(made("validate").length).toBe(new Set(legs.map(({ dir }) => dir)).size);
    expect(made("plan").map(({ environment }) => environment)).toEqual(
      legs.map(({ environment }) => ({ name: `${environment}-plan`, action: "access" })),
    );
    expect(new Set(made("apply").map((job) => job["resource_group"])).size).toBe(legs.length);
    for (const job of made("apply")) {
      expect((job["needs"] as string[]).every((name) => name in jobs)).toBe(true);
    }
  });

  it("stores no plan", () => {
    expect(text).not.toMatch(/artifacts:|cache: [^[]|-out[= ]/);
  });

  it("prefixes its variables, so project or group variables don't override them", () => {
    for (const job of [...made("validate"), ...made("plan"), ...made("apply")]) {
      const names = Object.keys(job["variables"] as object);
      expect(names.filter((name) => !name.startsWith("DO_BOOTSTRAP_"))).toEqual([]);
    }
    expect(text).not.toMatch(/\$\{?(DIR|TOOL|VERSION|ENVIRONMENT|WORKSPACE)\b/);
  });
});

it("GitLab: two projects in one pipeline share no job", () => {
  const [one, two] = ["web", "api"].map((project) =>
    Object.keys(
      parse(
        renderGitlab(
          { ...ONE, name: `do-bootstrap-${project}`, base: `svc/${project}` },
          templates,
        ),
      ),
    ),
  );
  expect(one?.length).toBe(7);
  expect(one?.filter((job) => two?.includes(job))).toEqual([]);
});

it("the templates pin the same releases of actions as our own workflows", () => {
  const usesIn = (text: string) =>
    [...text.matchAll(/uses: (actions\/[\w-]+)@(\S+ # \S+)/g)].map(([, name, at]) => [name, at]);
  const ours = new Map(
    usesIn(readFileSync(".github/workflows/ci.yml", "utf8")) as [string, string][],
  );
  const theirs = usesIn(templates["github.yml"]);
  expect(theirs.length).toBeGreaterThan(4);
  for (const [name = "", at] of theirs) expect(ours.get(name), name).toBe(at);
});
