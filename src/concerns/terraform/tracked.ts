import { join } from "node:path";
import type { Finding } from "../../core/finding.ts";
import { hint, run, type Word } from "../../errors/hint.ts";
import { pathFrom } from "../../lib/paths.ts";
import { PROTECTED_IN_ROOTS, SECRET_TFVARS } from "../config/protected-paths.ts";
import { pathInIndex, type RepoFacts } from "../git/facts.ts";
import { finding } from "./findings.ts";
import type { TerraformFacts } from "./root/facts.ts";
import type { TerraformRoot } from "./root/root.ts";
import { terraformWords, toolOf } from "./root/typed.ts";

/** The facts that the findings depend on. */
interface Known {
  readonly repo: RepoFacts;
  readonly terraform: TerraformFacts;
}

/** Files of this root that must not be tracked, besides those that every root may have. */
export function statePaths({ states, data, config }: TerraformRoot): readonly string[] {
  return [data, ...states.map((name) => join(config.dir, name))];
}

/** Folders that Terraform creates. */
const FOLDER = /\.(terraform|tfstate\.d)$/;

/** Private files that git already tracks: adding them to .gitignore does not untrack them. */
export function judgeTracked(known: Known, root: TerraformRoot): Finding[] {
  const { git } = known.repo;
  const { dir } = root.config;
  const usual = PROTECTED_IN_ROOTS.map(({ name }) => join(dir, name));
  const all = [...new Set([...usual, ...statePaths(root)])];
  const tracked = all.filter((path) => git?.tracked.has(path));
  const secret = join(dir, SECRET_TFVARS);
  const states = tracked.filter((path) => path !== secret);
  return [
    ...(tracked.includes(secret) ? [secretTracked(known, secret)] : []),
    ...(states.length === 0 ? [] : [stateTracked(known, root, states)]),
  ];
}

function secretTracked(known: Known, path: string): Finding {
  const message = `git tracks ${path}, the file for the token.`;
  const fix = hint`${untrack(known, [path])}, then commit. If a token was ever committed, revoke it.`;
  return finding("terraform.secret-tracked", message, { where: path, fix });
}

function stateTracked(known: Known, root: TerraformRoot, paths: readonly string[]): Finding {
  const [where = ""] = paths;
  const verb = paths.length === 1 ? "It" : "They";
  const message = `git tracks ${paths.join(", ")}. Adding ${paths.length === 1 ? "it" : "them"} to .gitignore does not untrack ${paths.length === 1 ? "it" : "them"}. ${verb} may hold secrets in plain text.`;
  const then = hint`${untrack(known, paths)}, then commit. Replace every secret in ${paths.length === 1 ? "it" : "them"}: git history keeps a copy.`;
  const { config, module } = root;
  const isOnlyThere =
    config.backend === undefined &&
    module.cloud === undefined &&
    (module.backend === undefined || module.backend.type === "local");
  const move = terraformWords(config.dir, toolOf(known.terraform.tools, root), [
    "init",
    "-migrate-state",
  ]);
  const fix =
    isOnlyThere && root.hasLocalState
      ? hint`First move the state to a backend: set terraform.backend in the config, then run ${run(...move)}. Otherwise colleagues lose the file when they pull. After that: ${then}`
      : then;
  return finding("terraform.state-tracked", message, { where, fix });
}

/** In a nested repo, the command uses that repo's paths. */
function untrack({ repo: { git } }: Known, paths: readonly string[]) {
  const inner = paths.map((path) => git?.nested.get(path));
  const [first] = inner;
  const hasFolder = paths.some((path) => FOLDER.test(path));
  const words: readonly Word[] = hasFolder ? ["rm", "-r", "--cached"] : ["rm", "--cached"];
  if (first === undefined)
    return run("git", ...words, ...paths.map((path) => ({ path: pathInIndex(git, path) })));
  const names = paths.flatMap((path) => {
    const indexed = pathInIndex(git, path);
    return indexed === path ? (git?.nested.get(path)?.name ?? []) : pathFrom(first.root, indexed);
  });
  return run("git", "-C", { path: first.root }, ...words, "--", ...names);
}
