import { dirname, join, relative } from "node:path";
import { openGit } from "../../concerns/git/git.ts";
import { askRepos, guardOf } from "../../concerns/git/repos.ts";
import { backendConfigs } from "../../concerns/terraform/backend/config-files.ts";
import { observeRoot } from "../../concerns/terraform/observe.ts";
import type { TerraformRoot } from "../../concerns/terraform/root/root.ts";
import { allNeeded, readNeeds, unreadIn } from "../../concerns/token/needed-scopes.ts";
import type { ApplyHost } from "../../core/change.ts";
import { writeText } from "../../core/changes/write-file.ts";
import { textAt } from "../../core/file-text.ts";
import { type Finding, isBlocked } from "../../core/finding.ts";
import { type Look, type Result, runTask, type Task } from "../../core/flow.ts";
import { recognise } from "../../core/generated.ts";
import { obstacles } from "../../core/obstacles.ts";
import { joined, type Plan, type PlanPart } from "../../core/plan.ts";
import { AppError, asAppError } from "../../errors/app-error.ts";
import { exec, type Hint, hint, own, run } from "../../errors/hint.ts";
import type { Snapshot } from "../../host/host.ts";
import { isInside, isTerraformFile, pathFrom } from "../../lib/paths.ts";
import {
  type Facts,
  type Observed,
  type ObserveOptions,
  type ObservingHost,
  observe,
} from "../init/observe.ts";
import type { Prompter } from "../init/prompter.ts";
import { refuseSameFolder } from "../init/same-folder.ts";
import { branchesOf, chooseBranch } from "./branch.ts";
import {
  baseIn,
  GITLAB_MAIN,
  githubPath,
  gitlabPath,
  isOfProject,
  pipelineName,
  pipelinePaths,
  plainPath,
} from "./files.ts";
import { finding } from "./findings.ts";
import { judgeFormat } from "./format.ts";
import { githubStore } from "./github/environment.ts";
import { type Place, placesOf } from "./github/places.ts";
import { fullName } from "./github/remotes.ts";
import { findTarget, githubRepos } from "./github/repo.ts";
import {
  judgeAfter,
  judgeAgain,
  judgeSetup,
  lacksKey,
  lacksToken,
  newIn,
  type Setup,
  seeAll,
  stepsFor,
  storedAfter,
} from "./github/setup.ts";
import { askForTokens } from "./github/tokens.ts";
import { judgeInputs, lacksSettings } from "./inputs.ts";
import { judgeLockFiles } from "./lock-file.ts";
import { findProgram, type Source } from "./program.ts";
import { judgeReach, observeReach, unlockedIn } from "./reach.ts";
import { versionsNow } from "./remote-secrets.ts";
import {
  CI_TEMPLATES,
  type CiTemplates,
  type Pipeline,
  renderGithub,
  renderGitlab,
} from "./render.ts";
import {
  judgeCount,
  judgeNamed,
  judgeRoots,
  type Root,
  type ToolVersion,
  toolOf,
  toolVersions,
} from "./roots.ts";
import { setupScript } from "./setup-script.ts";
import { planStored, planVersions, readStored, type StoredSecrets } from "./stored-secrets.ts";
import { type IsApplied, setupSteps, type TokenNeeds, toDo } from "./to-do.ts";

type CiProvider = "github" | "gitlab";

export interface PipelineRequest extends Pick<ObserveOptions, "progress"> {
  readonly provider: CiProvider;
  /** The branch to apply; undefined: that of the existing file, or the default branch. */
  readonly branch: string | undefined;
  /** The package to install do-bootstrap from, a file or URL; undefined: the repo's lock file. */
  readonly tarball: string | undefined;
  /** The hash of the package at a URL, in hex. */
  readonly sha512: string | undefined;
  readonly dryRun: boolean;
  /** Replace a file that is not ours. */
  readonly force: boolean;
  /** Set up GitHub, too. */
  readonly apply?: ApplyRequest | undefined;
}

export interface ApplyRequest {
  /** [HOST/]OWNER/NAME: one of several remotes, a fork, or a repo that no remote names. */
  readonly repo: string | undefined;
  /** Replace the secrets that GitHub has. */
  readonly renew: boolean;
  /** Accept one token for plan and apply, or one for plan that can make changes. */
  readonly acceptTokens: boolean;
}

/**
 * Writes the pipeline that plans and applies the config's root modules: the task of `ci`.
 *
 * @throws AppError USAGE outside git and without a root module, and those of runTask.
 */
export async function writePipeline(
  host: ObservingHost & ApplyHost,
  request: PipelineRequest,
  { approve, ask, askToSetUp }: Pick<Prompter<Facts>, "approve" | "ask"> & SetUpQuestion,
): Promise<Result<Facts>> {
  let setup: Setup | undefined;
  let after: Parameters<typeof judgeAfter>[1] | undefined;
  let { apply } = request;
  let isAsked = false;
  const task: Task<Facts> = {
    async look() {
      let found = await look(host, { ...request, apply });
      if (apply === undefined && !isAsked && !isBlocked(found.plan.findings)) {
        isAsked = true;
        if (await wantsSetUp(host, request, found.facts, askToSetUp)) {
          apply = { repo: undefined, renew: false, acceptTokens: false };
          found = await look(host, { ...request, apply });
        }
      }
      const { facts, plan } = found;
      if (apply === undefined || isBlocked(plan.findings)) return { facts, plan };
      const stored = await readStored(host, facts.config.base);
      // The second look is about files: finish asks GitHub again.
      const isSecond = setup !== undefined;
      const ready = setup ?? (await setUp(host, { ...request, ...apply }, found, stored, ask));
      if ("findings" in ready) return { facts, plan: joined([plan, ready]) };
      setup = ready;
      const outside = isSecond ? [] : stepsFor(host, ready);
      const record = planStored(facts.repo, stored, storedAfter(ready));
      return { facts, plan: joined([plan, record, { findings: judgeSetup(ready), outside }]) };
    },
    async probe({ facts, plan }) {
      const findings = setup === undefined ? [] : await judgeAgain(setup);
      return { facts, plan: joined([plan, { findings }]), warnings: [] };
    },
    // An earlier run may have been killed directly after it wrote the pipeline.
    async cleanUp(facts) {
      const folders = pipelinePaths(facts).map((path) => dirname(path));
      for (const folder of [...folders, facts.config.base]) await host.files.sweep(folder);
    },
    guard: ({ repo }) => guardOf(host, repo.git?.git),
    inGit: (paths, { repo }) => askRepos(host, repo.git?.git, paths),
    async afterwards(facts) {
      if (setup === undefined) return [];
      const { target } = setup;
      const news = newIn(setup).map((stored) => {
        return { stored, store: githubStore(target, stored.environment) };
      });
      after = await versionsNow(news).catch(asAppError);
      if (after instanceof AppError) return [];
      return planVersions(host, facts, after);
    },
    finish: () => (setup && after ? judgeAfter(setup, after) : []),
  };
  return runTask(task, host, approve, request);
}

export interface SetUpQuestion {
  /** Asks whether to set up this repo, too. */
  readonly askToSetUp: ((repo: string) => Promise<boolean>) | undefined;
}

/** Asks only where --apply would find gh and one repo, and has not been used before. */
async function wantsSetUp(
  host: ObservingHost,
  { provider, dryRun }: PipelineRequest,
  { config, repo }: Facts,
  askToSetUp: SetUpQuestion["askToSetUp"],
): Promise<boolean> {
  if (askToSetUp === undefined || provider !== "github" || dryRun) return false;
  const [first, ...others] = await githubRepos(host, repo.git?.git);
  if (first === undefined || others.length > 0) return false;
  const { path } = await host.which("gh", repo.toolsNotIn);
  const { secrets } = await readStored(host, config.base);
  return path !== undefined && secrets.length === 0 && askToSetUp(fullName(first));
}

/**
 * The script that sets up GitHub or GitLab. Nothing is written.
 *
 * @returns the findings instead, if an error of the plan has to be fixed first.
 * @throws AppError as writePipeline.
 */
export async function pipelineScript(
  host: ObservingHost,
  request: PipelineRequest,
): Promise<Look<Facts> & { readonly script: string | undefined }> {
  const { facts, plan, pipeline, needs } = await look(host, request);
  if (isBlocked(plan.findings)) return { facts, plan, script: undefined };
  const { provider } = request;
  const { project } = facts.config;
  const steps = setupSteps(provider, pipeline, needs, () => false);
  const template = (name: string) => host.template(`ci/setup-${name}.sh`);
  const templates = {
    script: template(provider),
    ask: template("ask"),
    confirm: template("confirm"),
  };
  const about = { project, branch: pipeline.branch };
  return { facts, plan, script: setupScript(provider, templates, about, steps) };
}

/** Finds the repo on GitHub, asks what it has, and asks a person for the tokens that it lacks. */
async function setUp(
  host: ObservingHost,
  request: PipelineRequest & ApplyRequest,
  { facts, places, branch }: PipelineLook,
  { secrets: stored, findings: wrong }: StoredSecrets,
  ask: Prompter<Facts>["ask"],
): Promise<Setup | { readonly findings: readonly Finding[] }> {
  const { progress, renew, acceptTokens, dryRun, repo } = request;
  if (facts.machine.isCi && !dryRun) {
    const fix = hint`Run this on your machine.`;
    return {
      findings: [finding("ci.no-gh", "CI: GitHub is not set up from a pipeline.", { fix })],
    };
  }
  if (wrong.length > 0) return { findings: wrong };
  progress("Asking GitHub");
  const found = await findTarget(host, facts, repo);
  if ("findings" in found) return found;
  const { target } = found;
  const seen = await seeAll(target, places, stored);
  const makers = new Map<string | undefined, Facts>();
  for (const { place } of seen.filter((each) => lacksKey(each, renew))) {
    const { environment } = place.config;
    if (makers.has(environment)) continue;
    makers.set(environment, (await observe(host, { environment, progress })).facts);
  }
  const factsOf = ({ config }: Place) => makers.get(config.environment);
  const again = againWith(request);
  const course = { hasFailed: false, findings: [] };
  const setup = { target, stored, seen, branch, factsOf, renew, again, progress, course };
  const findings = judgeSetup(setup);
  if (isBlocked(findings)) return { findings };
  const lacking = seen.filter((each) => lacksToken(each, renew)).map(({ place }) => place);
  const tokens = dryRun
    ? []
    : await askForTokens(host, lacking, { facts, ask, progress, acceptTokens, on: "GitHub" });
  return { ...setup, tokens };
}

/** The same command; without --renew it would find nothing to do. */
function againWith({ repo, renew, acceptTokens, force }: PipelineRequest & ApplyRequest): Hint {
  const options = [
    ...(repo === undefined ? [] : ["--repo", repo]),
    ...(renew ? ["--renew"] : []),
    ...(acceptTokens ? ["--accept-tokens"] : []),
    ...(force ? ["--force"] : []),
  ];
  return hint`${own("ci", "github", "--apply", ...options)}`;
}

interface PipelineLook {
  readonly facts: Facts;
  readonly plan: Plan;
  readonly places: readonly Place[];
  readonly branch: string;
  readonly pipeline: Pipeline;
  readonly needs: readonly TokenNeeds[];
}

async function look(host: ObservingHost, request: PipelineRequest): Promise<PipelineLook> {
  if ((await openGit(host, host.cwd)) === undefined) {
    throw new AppError("USAGE", `${host.cwd} is not in a git repo. A pipeline needs one.`, {
      hint: hint`${run("git", "init")}`,
    });
  }
  const { facts, inEnvironment } = await observe(host, {
    environment: undefined,
    withoutToken: true,
    progress: request.progress,
  });
  const { provider } = request;
  const roots = await rootsOf(host, facts, inEnvironment);
  const file = await PIPELINE_FILE[provider](host, facts);
  const versions = toolVersions(roots);
  const needs = await needsOf(host, roots);
  const program = await findProgram(host, facts, request, textAt(file.at)?.text ?? "");
  const { source } = program;
  const { branch, findings: aboutBranch } = await branchFor(facts, request, file);
  const pipeline = pipelineOf(facts, { roots, versions, needs, branch, source });
  const templates = readTemplates(host);
  const text = { github: renderGithub, gitlab: renderGitlab }[provider](pipeline, templates);
  const { files: read } = program;
  const modules = modulesOf(roots, needs);
  const inGit = await judgeInGit(host, facts, roots, { ...request, file, program: read, modules });
  const blocked = await whyBlocked(host, file.at);
  const places = provider === "github" ? placesOf(pipeline, roots) : [];
  const isApplied: IsApplied = (environment, secret) => {
    const place = places.find(({ name }) => name === environment);
    const hasSecret = secret === undefined || place?.keySecrets?.includes(secret) === true;
    return request.apply !== undefined && place !== undefined && hasSecret;
  };
  return {
    ...{ facts, places, branch, pipeline, needs },
    plan: joined([
      {
        findings: [
          ...judgeCount(provider, roots),
          ...judgeNamed(facts),
          ...judgeRoots(roots, versions, inGit.unlocked),
          ...inGit.findings,
          ...program.findings,
          ...aboutBranch,
        ],
      },
      planFile({ ...facts, repo: { ...facts.repo, blocked } }, file.at, text, request),
      { findings: toDo(provider, pipeline, needs, file, isApplied) },
    ]),
  };
}

/** Every root module in every environment. A config without environments counts as one environment without a name. */
export async function rootsOf(
  host: ObservingHost,
  { config, search, repo }: Facts,
  inEnvironment: Observed["inEnvironment"],
): Promise<Root[]> {
  const names = config.environments.length === 0 ? [undefined] : config.environments;
  const configs = names.map(inEnvironment);
  for (const each of configs) await refuseSameFolder(host.files, each);
  // A folder that several environments share is read once.
  const seen = new Map<string, Promise<TerraformRoot>>();
  const roots = await Promise.all(
    configs.flatMap((each) =>
      each.roots.map(async (root): Promise<Root> => {
        const known = seen.get(root.dir) ?? observeRoot(host, root);
        seen.set(root.dir, known);
        return { config: each, root: { ...(await known), config: root } };
      }),
    ),
  );
  const isThere = ({ root: { foreign, own } }: Root) => foreign.length + own.size > 0;
  const there = roots.filter(isThere);
  const named = roots.flatMap((each) => (isThere(each) ? [] : each.root.real));
  refuseNotHere(repo, there.length > 0 ? named : [...named, ...foldersIn(search)]);
  if (there.length > 0) return there;
  const isOff = roots.length === 0 && search === undefined;
  throw new AppError(
    "USAGE",
    isOff
      ? "The config says terraform: false, so a pipeline has nothing to plan or apply."
      : "There is no Terraform code for a pipeline to plan and apply.",
    {
      hint: isOff
        ? hint`Set a root module in the config: terraform: { dir: infra }`
        : whereFrom(search),
    },
  );
}

/** How to add a root module to a repo without one. */
function whereFrom(search: Facts["search"]): Hint {
  const { units = [], stacks = [] } = search?.layout ?? {};
  if (units.length + stacks.length > 0) {
    return hint`Terragrunt and Terraform Stacks need their own pipeline. ${exec(["terragrunt", "plan"])} passes the token.`;
  }
  return search?.choice.kind === "none"
    ? hint`${own("--terraform")} writes a root module.`
    : hint`${own()}`;
}

/** Folders with code that this sparse checkout leaves out, absolute. */
function foldersIn(search: Facts["search"]): readonly string[] {
  return search?.layout.notCheckedOut.map((dir) => join(search.base, dir)) ?? [];
}

/** Refuses a sparse checkout: the pipeline would miss the roots that it leaves out. */
function refuseNotHere({ notHere, top }: Facts["repo"], folders: readonly string[]): void {
  const left = [...new Set(folders)].filter((folder) =>
    [...notHere].some((path) => isTerraformFile(path) && dirname(path) === folder),
  );
  if (left.length === 0) return;
  const names = left.map((folder) => pathFrom(top, folder) || ".");
  const message = `This sparse checkout leaves out Terraform code: ${names.join(", ")}.`;
  throw new AppError("USAGE", message, {
    hint: hint`${run("git", "sparse-checkout", "add", ...names)}, then the same command again.`,
  });
}

/** What the pipeline gets from git, and what would fail in its first run. */
async function judgeInGit(
  host: ObservingHost,
  facts: Facts,
  roots: readonly Root[],
  given: Pick<PipelineRequest, "provider" | "progress"> & {
    readonly file: PipelineFile;
    readonly program: readonly string[];
    readonly modules: readonly string[];
  },
): Promise<{ unlocked: ReadonlyMap<string, boolean>; findings: readonly Finding[] }> {
  const git = facts.repo.git?.git;
  if (git === undefined) return { unlocked: new Map(), findings: [] };
  const { provider, progress, file, program, modules } = given;
  const needed = {
    pipeline: [file.at.path, ...(file.main === undefined ? [] : [file.main])],
    ...{ program, modules },
  };
  const reach = await observeReach(host, facts, git, roots, needed);
  const here = roots.filter(({ root }) => !reach.elsewhere.has(root.config.dir));
  const partial = here.filter(lacksSettings).map(({ root }) => root);
  const settings =
    partial.length === 0
      ? []
      : [...(await backendConfigs(host, git, facts.config, partial))].map(
          ([root, paths]) => [root.config.dir, paths] as const,
        );
  return {
    unlocked: unlockedIn(roots, reach),
    findings: [
      ...judgeReach(provider, facts.config, roots, needed, reach),
      ...(await judgeLockFiles(host, here, reach.tracked)),
      ...judgeInputs(provider, here, reach, new Map(settings)),
      ...(await judgeFormat(host, facts, git, here, progress)),
    ],
  };
}

interface PipelineFile {
  readonly at: Snapshot;
  /** GitLab: the file that includes it. */
  readonly main?: string;
  /** GitLab: the path to include, if the user's main file does not include it yet. */
  readonly include?: string;
  /** GitLab: stages of its jobs that are missing from the main file. */
  readonly lacksStages?: readonly string[];
  /** GitLab: the rules in the main file allow no pipeline for a merge request. */
  readonly refusesMergeRequests?: boolean;
}

type Locate = (host: ObservingHost, facts: Facts) => Promise<PipelineFile>;

const PIPELINE_FILE: Readonly<Record<CiProvider, Locate>> = {
  async github({ files }, facts) {
    return { at: await files.look(join(facts.repo.top, githubPath(facts))) };
  },
  /** GitLab reads only one file. If that file belongs to somebody else, it stays unchanged and must include ours. */
  async gitlab({ files }, facts) {
    const main = await files.look(join(facts.repo.top, GITLAB_MAIN));
    const path = gitlabPath(facts);
    const own = await files.look(join(facts.repo.top, path));
    const text = textAt(main)?.text ?? "";
    const isFree = main.kind === "absent" && facts.config.base === facts.repo.top;
    if (own.kind === "absent" && (isFree || isOfProject(facts, text))) return { at: main };
    const { isIncluded, readGitlabMain } = await import("./gitlab-main.ts");
    const found = readGitlabMain(text);
    const { lacksStages, refusesMergeRequests } = found;
    const isThere = isIncluded(found, path);
    const said = { lacksStages, refusesMergeRequests };
    return { at: own, main: main.path, ...said, ...(isThere ? {} : { include: path }) };
  },
};

function pipelineOf(
  facts: Facts,
  given: {
    readonly roots: readonly Root[];
    readonly versions: ReadonlyMap<Root, ToolVersion>;
    readonly needs: readonly TokenNeeds[];
    readonly branch: string;
    readonly source: Source;
  },
): Pipeline {
  const {
    config,
    repo: { top },
  } = facts;
  const { roots, versions, needs, branch, source } = given;
  const inRepo = (from: string, to: string) => plainPath(relative(from, to) || ".");
  return {
    name: pipelineName(facts),
    branch,
    base: inRepo(top, config.base),
    source,
    hasEnvironments: config.environments.length > 0,
    tokenNames: [...new Set(roots.map(({ config: { token } }) => token.name))],
    keys: {
      state: roots.some(({ root }) => root.config.backend !== undefined) ? "SPACES" : "AWS",
      spaces: needs.some(({ spaces }) => spaces),
    },
    legs: roots.map((each) => ({
      environment: each.config.environment ?? "digitalocean",
      dir: inRepo(config.base, each.root.config.dir),
      tool: toolOf(each),
      version: versions.get(each)?.release ?? "",
      workspace: each.root.config.workspace,
    })),
  };
}

/** GitLab has a variable for its default branch, so none is needed. */
async function branchFor(
  { repo: { git } }: Pick<Facts, "repo">,
  { provider, branch: wanted }: PipelineRequest,
  { at }: PipelineFile,
): Promise<ReturnType<typeof chooseBranch>> {
  if (provider === "gitlab" || git === undefined) return { branch: "", findings: [] };
  const existing = textAt(at)?.text ?? "";
  return chooseBranch(await branchesOf(git.git), { wanted, existing });
}

function readTemplates({ template }: ObservingHost): CiTemplates {
  const entries = CI_TEMPLATES.map((name) => [name, template(`ci/${name}`)] as const);
  return Object.fromEntries(entries) as CiTemplates;
}

async function whyBlocked(
  { files }: ObservingHost,
  { target }: Snapshot,
): Promise<ReadonlyMap<string, string>> {
  const folder = dirname(target);
  const why = await files.whyNotWritable(folder);
  return new Map(why === undefined ? [] : [[folder, why]]);
}

function planFile(
  facts: Pick<Facts, "repo" | "config">,
  at: Snapshot,
  text: string,
  { force, provider }: PipelineRequest,
): PlanPart {
  const existing = textAt(at)?.text ?? "";
  if (existing.replaceAll("\r\n", "\n") === text) return {};
  const what = at.kind === "absent" ? "generated" : recognise(existing);
  const anew = { where: at.path, fix: hint`${own("ci", provider, "--force")} replaces it.` };
  const base = baseIn(existing);
  if (base !== undefined && !isOfProject(facts, existing) && !force) {
    const message = `${at.path} belongs to another project (config in ${base}).`;
    const fix = hint`Give this project another name: set project in its config.`;
    return { findings: [finding("ci.not-ours", message, { where: at.path, fix })] };
  }
  if (what === "edited" && !force) {
    const message = `${at.path} was edited after it was generated, so it is not changed.`;
    return { findings: [finding("ci.edited", message, anew)] };
  }
  if (what === "foreign" && !force) {
    const message = `${at.path} already exists and was not generated by do-bootstrap.`;
    return { findings: [finding("ci.not-ours", message, anew)] };
  }
  const findings = obstacles(facts.repo, at);
  if (findings.length > 0) return { findings };
  const why = at.kind === "absent" ? "plan on pull requests, apply after merge" : "regenerated";
  return { changes: [writeText(at, text, why)] };
}

/** The folders of local modules. Modules that terraform init installed are not in the repo, and are installed again. */
function modulesOf(roots: readonly Root[], code: readonly CodeOfOne[]): readonly string[] {
  const own = new Set(roots.map(({ root }) => root.real));
  const isOne = (folder: string) =>
    !own.has(folder) && !roots.some(({ root }) => isInside(folder, root.data));
  return [...new Set(code.flatMap(({ folders }) => folders).filter(isOne))];
}

interface CodeOfOne extends TokenNeeds {
  /** The folders of its roots and their local modules. */
  readonly folders: readonly string[];
}

/** The scopes for both tokens, by environment. */
async function needsOf(host: ObservingHost, roots: readonly Root[]): Promise<CodeOfOne[]> {
  const configs = [...new Set(roots.map(({ config }) => config))];
  return Promise.all(
    configs.map(async (config) => {
      const dirs = roots
        .filter((each) => each.config === config)
        .map(({ root }) => root.config.dir);
      const plan = await readNeeds(host, { dirs, purpose: "plan", config });
      const apply = await readNeeds(host, { dirs, purpose: "apply", config });
      return {
        environment: config.environment ?? "digitalocean",
        plan: allNeeded(plan.needs),
        apply: allNeeded(apply.needs),
        unread: unreadIn(apply),
        spaces: apply.needs.spaces.length > 0,
        folders: apply.trees.flatMap(({ folders }) => folders),
      };
    }),
  );
}
