import { join, sep } from "node:path";
import { recognise } from "../../core/generated.ts";
import { AppError } from "../../errors/app-error.ts";
import { hint } from "../../errors/hint.ts";
import { pathFrom } from "../../lib/paths.ts";
import type { Facts } from "../init/observe.ts";

/** The only file that GitLab reads. */
export const GITLAB_MAIN = ".gitlab-ci.yml";

type Project = Pick<Facts, "config" | "repo">;

/** Two projects in one repo each have their own pipeline. The jobs of both may be in one GitLab pipeline. */
export function pipelineName({ config, repo: { top } }: Project): string {
  return config.base === top ? "do-bootstrap" : `do-bootstrap-${config.project}`;
}

export function githubPath(project: Project): string {
  return `.github/workflows/${pipelineName(project)}.yml`;
}

/** The file that GitLab's main file includes. */
export function gitlabPath(project: Project): string {
  return `.gitlab/${pipelineName(project)}.yml`;
}

/** Every file, absolute, that a pipeline of this project may have been written to. */
export function pipelinePaths(project: Project): string[] {
  const paths = [githubPath(project), GITLAB_MAIN, gitlabPath(project)];
  return paths.map((path) => join(project.repo.top, path));
}

/** The folder of the config from which a pipeline was written; undefined: we did not write it. */
export function baseIn(text: string): string | undefined {
  if (recognise(text) === "foreign") return undefined;
  return /^ {4}(?:working-directory:|- cd) "(.+)"\r?$/m.exec(text)?.[1] ?? ".";
}

/** True for a pipeline that we wrote from this project's config, edited or not. */
export function isOfProject({ config, repo: { top } }: Project, text: string): boolean {
  return baseIn(text) === (pathFrom(top, config.base) || ".");
}

export function isPlainPath(path: string): boolean {
  return /^[\w./][\w./ -]*$/.test(path);
}

/** A path that means the same in YAML, in a pipeline expression and in a shell. */
export function plainPath(path: string): string {
  const text = path.split(sep).join("/");
  if (isPlainPath(text)) return text;
  throw new AppError("USAGE", `Path ${path} is not supported in a pipeline.`, {
    hint: hint`Rename the folders: use letters a to z, digits, . _ - and spaces. Names must not start with - or a space.`,
  });
}
