import { posix } from "node:path";
import { fill, generate } from "../../core/generated.ts";
import { branchPattern } from "./branch.ts";
import type { Source } from "./program.ts";

/** The data for a pipeline. Paths are relative, with slashes. */
export interface Pipeline {
  /** The name of the workflow, and the prefix of concurrency groups. */
  readonly name: string;
  /** The branch to apply. GitLab needs none. */
  readonly branch: string;
  /** The config's folder in the repo; "." for the repo's root. */
  readonly base: string;
  /** Where do-bootstrap comes from. */
  readonly source: Source;
  /** The config has environments, so commands need --env. */
  readonly hasEnvironments: boolean;
  /** The variables that the token is read from. */
  readonly tokenNames: readonly string[];
  readonly keys: Keys;
  readonly legs: readonly Leg[];
}

/** One root module in one environment. */
export interface Leg {
  /** The name of GitHub's or GitLab's two environments, without "-plan" and "-apply". */
  readonly environment: string;
  /** Relative to `base`. */
  readonly dir: string;
  readonly tool: "terraform" | "tofu";
  /** The version of the tool. */
  readonly version: string;
  readonly workspace: string | undefined;
}

export interface Keys {
  /** The kind of keys for the state: of a Spaces backend from the config, or of the code's own backend. */
  readonly state: "SPACES" | "AWS";
  /** The code has resources that need Spaces keys. */
  readonly spaces: boolean;
}

/** The templates in templates/ci, by file name. */
export type CiTemplates = Readonly<Record<(typeof CI_TEMPLATES)[number], string>>;

export const CI_TEMPLATES = [
  "github.yml",
  "github-terraform.yml",
  "github-tofu.yml",
  "gitlab.yml",
  "gitlab-validate.yml",
  "gitlab-root.yml",
  "install-lockfile.sh",
  "install-tarball.sh",
  "install-none.sh",
] as const;

const KEYS = ["ACCESS_KEY_ID", "SECRET_ACCESS_KEY"] as const;
/** Spaces does not support the checksums of newer clients (docs/contracts/terraform.md 6). */
const CHECKSUMS = ["AWS_REQUEST_CHECKSUM_CALCULATION", "AWS_RESPONSE_CHECKSUM_VALIDATION"] as const;

/** The names of the secrets for keys. Those for tokens are always the same. */
export function keyNames({ state, spaces }: Keys): string[] {
  const owners = spaces && state !== "SPACES" ? [state, "SPACES"] : [state];
  return owners.flatMap((owner) => KEYS.map((key) => `${owner}_${key}`));
}

/** The workflow for GitHub Actions. */
export function renderGithub(pipeline: Pipeline, templates: CiTemplates): string {
  const { name, branch, base, tokenNames, keys, legs } = pipeline;
  const secret = (variable: string, secretName = variable) =>
    `          ${variable}: \${{ secrets.${secretName} }}`;
  const tokens = (secretName: string) =>
    tokenNames.map((variable) => secret(variable, secretName)).join("\n");
  const forInit = [
    ...KEYS.map((key) => secret(`AWS_${key}`, `${keys.state}_${key}`)),
    ...(keys.state === "SPACES" ? CHECKSUMS : []).map((each) => `          ${each}: when_required`),
  ];
  const hasWorkspaces = legs.some(({ workspace }) => workspace !== undefined);
  const roots = legs.map(({ environment, workspace, ...folder }, i) => ({
    environment,
    ...folder,
    ...(hasWorkspaces ? { workspace: workspace ?? "" } : {}),
    output: outputOf(i),
  }));
  return generate(templates["github.yml"], {
    name,
    branch: /^\w[\w./-]*$/.test(branch) ? branch : "the branch below",
    pattern: branchPattern(branch),
    install: installSteps(pipeline, templates, "github"),
    defaults: base === "." ? "" : `defaults:\n  run:\n    working-directory: ${quoted(base)}`,
    folders: foldersOf(legs).map(matrixLine).join("\n"),
    roots: roots.map(matrixLine).join("\n"),
    list: jsonLines(roots),
    outputs: legs
      .map((_, i) => `      ${outputOf(i)}: \${{ steps.plan.outputs.${outputOf(i)} }}`)
      .join("\n"),
    setup: setupSteps(legs, templates),
    env: environmentOption(pipeline),
    plan_token: tokens("DIGITALOCEAN_TOKEN_PLAN"),
    apply_token: tokens("DIGITALOCEAN_TOKEN_APPLY"),
    init_keys: forInit.join("\n"),
    keys: keyNames(keys)
      .map((each) => secret(each))
      .join("\n"),
    workspace: hasWorkspaces ? "          TF_WORKSPACE: ${{ matrix.workspace }}" : "",
  });
}

/** Variables of a GitLab project or group override those of a job, so our variables have a unique prefix. */
const OURS = "DO_BOOTSTRAP_";

/** The jobs for GitLab CI. They only need GitLab's default stages. */
export function renderGitlab(pipeline: Pipeline, templates: CiTemplates): string {
  const { name, base, tokenNames, keys, legs } = pipeline;
  const forInit = [
    ...KEYS.map((key) => `AWS_${key}="$SPACES_${key}"`),
    ...CHECKSUMS.map((each) => `${each}=when_required`),
  ];
  const hasWorkspaces = legs.some(({ workspace }) => workspace !== undefined);
  // Several projects may be included in one GitLab pipeline, so names contain the path in the repo.
  const inRepo = ({ dir }: Pick<Leg, "dir">) => posix.join(base, dir);
  const validate = (leg: Pick<Leg, "dir">) => quoted(`validate ${inRepo(leg)}`);
  const folders = foldersOf(legs).map((folder) =>
    fill(templates["gitlab-validate.yml"], {
      name,
      validate: validate(folder),
      variables: variablesOf(folder),
    }),
  );
  const roots = legs.map(({ environment, workspace, ...folder }) =>
    fill(templates["gitlab-root.yml"], {
      name,
      plan: quoted(`plan ${environment} ${inRepo(folder)}`),
      apply: quoted(`apply ${environment} ${inRepo(folder)}`),
      validate: validate(folder),
      environment,
      variables: variablesOf({
        environment,
        ...folder,
        ...(hasWorkspaces ? { workspace: workspace ?? "" } : {}),
      }),
    }),
  );
  return generate(templates["gitlab.yml"], {
    name,
    install: installSteps(pipeline, templates, "gitlab"),
    folder: base === "." ? "" : `- cd ${quoted(base)}`,
    env: environmentOption(pipeline, OURS),
    token: tokenNames.map((variable) => `${variable}="$token"`).join(" "),
    init_keys: keys.state === "SPACES" ? `${forInit.join(" ")} ` : "",
    workspace: hasWorkspaces ? `TF_WORKSPACE="$${OURS}WORKSPACE" ` : "",
    jobs: [...folders, ...roots].join("\n").trimEnd(),
  });
}

type Folder = Pick<Leg, "dir" | "tool" | "version">;

/** Each folder once, even if several environments use it. */
function foldersOf(legs: readonly Leg[]): Folder[] {
  const all = legs.map(({ dir, tool, version }): [string, Folder] => [dir, { dir, tool, version }]);
  return [...new Map(all).values()];
}

/** With a single tool, the usual case, no condition is needed. */
function setupSteps(legs: readonly Leg[], templates: CiTemplates): string {
  const tools = [...new Set(legs.map(({ tool }) => tool))];
  return tools
    .map((tool) =>
      fill(templates[`github-${tool}.yml`], {
        condition: tools.length === 1 ? "" : `if: matrix.tool == '${tool}'`,
      }),
    )
    .join("")
    .trimEnd();
}

/** How each provider's shell names the repo's folder, and puts a folder first on PATH for later steps. */
const SHELLS = {
  github: { repo: "$GITHUB_WORKSPACE", onPath: 'echo "$bin" >> "$GITHUB_PATH"', indent: 10 },
  gitlab: { repo: "$CI_PROJECT_DIR", onPath: 'export PATH="$bin:$PATH"', indent: 6 },
} as const;

/** The shell lines that put do-bootstrap, and nothing else, first on PATH. They fail if it is missing. */
function installSteps(
  { source }: Pipeline,
  templates: CiTemplates,
  provider: keyof typeof SHELLS,
): string {
  const { repo, onPath, indent } = SHELLS[provider];
  const script = fill(templates[`install-${source.kind}.sh`], {
    ...source,
    provider,
    at: source.kind !== "lockfile" || source.folder === "." ? repo : `${repo}/${source.folder}`,
    get: source.kind === "tarball" ? getPackage(source.from, repo) : "",
  });
  const link = [
    'test -x "$program"',
    'bin="$(mktemp -d)"',
    'ln -s "$program" "$bin/do-bootstrap"',
    onPath,
  ];
  const lines = [...script.trimEnd().split("\n"), ...(source.kind === "none" ? [] : link)];
  return lines.map((line) => `${" ".repeat(indent)}${line}`).join("\n");
}

function getPackage(from: string, repo: string): string {
  return from.startsWith("https://")
    ? `curl --fail --silent --show-error --location --proto '=https' --output "$place/package.tgz" "$package"`
    : `cp "${repo}/$package" "$place/package.tgz"`;
}

function environmentOption({ hasEnvironments }: Pipeline, prefix = ""): string {
  return hasEnvironments ? ` --env "$${prefix}ENVIRONMENT"` : "";
}

function outputOf(leg: number): string {
  return `root_${leg}`;
}

function matrixLine(values: object): string {
  const pairs = Object.entries(values).map(([name, value]) => `${name}: ${quoted(value)}`);
  return `          - { ${pairs.join(", ")} }`;
}

/** A list in a YAML text block. Nothing in it can end the block or start an expression. */
function jsonLines(list: readonly object[]): string {
  const indent = " ".repeat(12);
  const lines = list.map((each) => `${indent}  ${JSON.stringify(each)}`).join(",\n");
  return `${indent}[\n${lines}\n${indent}]`;
}

function variablesOf(values: object): string {
  const pairs = Object.entries(values).map(
    ([name, value]) => `${OURS}${name.toUpperCase()}: ${quoted(value)}`,
  );
  return `{ ${pairs.join(", ")} }`;
}

/** Quotes for YAML and for a shell. Names with special characters were already refused. */
function quoted(text: string): string {
  return JSON.stringify(text);
}
