import { dirname, join } from "node:path";
import { findGitFolder, type Git } from "../../concerns/git/git.ts";
import { LOCK_FILE, PUBLIC_TFVARS } from "../../concerns/terraform/root/names.ts";
import { readsByItself } from "../../concerns/terraform/root/values.ts";
import type { Finding } from "../../core/finding.ts";
import { hint, run } from "../../errors/hint.ts";
import { isOverrideFile } from "../../hcl/code-files.ts";
import { isInside } from "../../lib/paths.ts";
import type { Facts, ObservingHost } from "../init/observe.ts";
import { finding } from "./findings.ts";
import type { Root } from "./roots.ts";

/** What a pipeline gets from a repo: the files that git tracks or does not ignore. */
export interface Reach {
  readonly tracked: ReadonlySet<string>;
  /** Ignored and not tracked. */
  readonly lost: ReadonlySet<string>;
  /**
   * The folders of roots and modules that a checkout of this repo does not contain, with the repo that contains each of
   * them, if any.
   */
  readonly elsewhere: ReadonlyMap<string, string | undefined>;
}

/** The files that a pipeline needs; absolute. */
export interface Needed {
  /** The pipeline's own file, and the one that includes it. */
  readonly pipeline: readonly string[];
  /** The files that do-bootstrap is installed from. */
  readonly program: readonly string[];
  /** Folders of the roots' local modules. */
  readonly modules: readonly string[];
}

/** @throws AppError GIT_FAILED */
export async function observeReach(
  host: Pick<ObservingHost, "files">,
  { config, repo: { top } }: Pick<Facts, "config" | "repo">,
  git: Git,
  roots: readonly Root[],
  { pipeline, program, modules }: Needed,
): Promise<Reach> {
  const elsewhere = new Map<string, string | undefined>();
  const folders = new Map([
    ...modules.map((folder) => [folder, folder] as const),
    ...roots.map(({ root }) => [root.config.dir, root.real] as const),
  ]);
  for (const [folder, real] of folders) {
    // A submodule or another nested repo is not checked out.
    const repo = await findGitFolder(host, real);
    if (repo !== top || !isInside(real, top)) elsewhere.set(folder, repo);
  }
  const here = roots.filter(({ root }) => !elsewhere.has(root.config.dir));
  const ofRoots = here.flatMap(({ root }) => {
    const { foreign, own, tfvars, config } = root;
    const read = [LOCK_FILE, PUBLIC_TFVARS, ...tfvars.filter(readsByItself)];
    return [...foreign, ...own.keys(), ...read].map((name) => join(config.dir, name));
  });
  const ofModules = modules.filter((folder) => !elsewhere.has(folder));
  const ofConfig = config.file === undefined ? [] : [config.file];
  const all = [...new Set([...pipeline, ...program, ...ofConfig, ...ofRoots, ...ofModules])];
  const [ignored, tracked] = await Promise.all([git.ignored(all), git.tracked(all)]);
  const lost = all.filter((path) => ignored.has(path) && !tracked.has(path));
  return { tracked: new Set(tracked.keys()), lost: new Set(lost), elsewhere };
}

/** Reports files that a pipeline needs but does not get. */
export function judgeReach(
  provider: "github" | "gitlab",
  { file }: Facts["config"],
  roots: readonly Root[],
  { pipeline, program, modules }: Needed,
  { tracked, lost, elsewhere }: Reach,
): Finding[] {
  const whose = { github: "GitHub", gitlab: "GitLab" }[provider];
  const why = (path: string) => run("git", "check-ignore", "-v", "--no-index", { path });
  const findings = pipeline
    .filter((path) => lost.has(path))
    .map((path) => {
      const message = `git ignores ${path}, so the pipeline would never reach ${whose}.`;
      const fix = hint`Find and fix the ignore pattern: ${why(path)}`;
      return finding("ci.ignored", message, { where: path, fix });
    });
  for (const [dir, repo] of elsewhere) {
    const place = repo === undefined ? "outside this repo" : `in another git repo, ${repo}`;
    const message = `${dir} is ${place}. The pipeline checks out only this repo.`;
    const fix = modules.includes(dir)
      ? hint`Move the module's code into this repo, or set its source to a URL that the pipeline can read.`
      : hint`Create a config and a pipeline in that repo, or remove the folder from this config.`;
    findings.push(finding("ci.no-code", message, { where: dir, fix }));
  }
  const code = new Set([...roots.flatMap(codeOf), ...modules]);
  for (const path of [...code].filter((each) => lost.has(each))) {
    const message = `git ignores ${path}, so the pipeline would run without it.`;
    const fix = hint`Find and fix the ignore pattern: ${why(path)}; or: ${run("git", "add", "--force", { path })}`;
    findings.push(finding("ci.no-code", message, { where: path, fix }));
  }
  const read = [
    ...(file === undefined ? [] : [[file, "reads it"] as const]),
    ...program.map((path) => [path, "installs do-bootstrap from it"] as const),
  ];
  for (const [path, what] of read.filter(([path]) => !tracked.has(path))) {
    const message = `${path} is not in git, but the pipeline ${what}.`;
    const add = lost.has(path) ? ["add", "--force"] : ["add"];
    const fix = hint`${run("git", ...add, { path })}; then commit it.`;
    findings.push(finding("ci.to-do", message, { fix }));
  }
  return findings;
}

/** The code files of a root. Override files are usually personal, except one with the backend. */
function codeOf({ root: { foreign, own, module, config } }: Root): string[] {
  const names = [...foreign, ...own.keys()].filter(
    (name) => !isOverrideFile(name) || name === module.backend?.place.file,
  );
  return names.map((name) => join(config.dir, name));
}

/** The lock files that are not in git, and whether git ignores them. */
export function unlockedIn(roots: readonly Root[], { tracked, lost, elsewhere }: Reach) {
  const all = roots.map(({ root }) => join(root.config.dir, LOCK_FILE));
  const missing = all.filter((path) => !tracked.has(path) && !elsewhere.has(dirname(path)));
  return new Map(missing.map((path) => [path, lost.has(path)]));
}
