import { join, relative } from "node:path";
import { filesOf } from "../../concerns/git/files.ts";
import type { Git } from "../../concerns/git/git.ts";
import { repoCodeFor } from "../../concerns/terraform/root/repo-code.ts";
import { AS_IT_IS, locateTools } from "../../concerns/terraform/root/tool.ts";
import { terraformWords } from "../../concerns/terraform/root/typed.ts";
import type { Finding } from "../../core/finding.ts";
import { toolEnvironment } from "../../core/tool-environment.ts";
import { hint, run } from "../../errors/hint.ts";
import { few } from "../../lib/few.ts";
import { pathFrom } from "../../lib/paths.ts";
import type { Facts, ObservingHost } from "../init/observe.ts";
import { finding } from "./findings.ts";
import { type Root, toolOf } from "./roots.ts";

/** The tool is started for each root. */
const MOST_ROOTS = 32;
const MOST_FILES = 200;
/** Finds the file in a message about code that cannot be read. */
const BROKEN = /\bon (\S.*) line \d+/g;

/**
 * Reports the files for which `fmt -check`, a pipeline's first step, would fail, using the tool on this machine.
 * Reports nothing if the tool is not installed, or if the repo contains code that the tool would run.
 *
 * @throws AppError GIT_FAILED
 */
export async function judgeFormat(
  host: ObservingHost,
  { repo: { top }, terraform: { env } }: Pick<Facts, "repo" | "terraform">,
  git: Git,
  roots: readonly Root[],
  progress: (what: string) => void,
): Promise<Finding[]> {
  const byDir = new Map(roots.map((each) => [each.root.config.dir, each]));
  const dirs = [...byDir.keys()].slice(0, MOST_ROOTS);
  const { located } = await locateTools(
    host,
    [...byDir.values()].map(({ root }) => root),
    top,
  );
  const isShim = (dir: string) => located.get(dir)?.program === undefined;
  const brought = await repoCodeFor(host, dirs, top, isShim);
  const findings: Finding[] = [];
  const seen = new Set<string>();
  for (const dir of dirs) {
    const [tool, each] = [located.get(dir), byDir.get(dir)];
    if (tool === undefined || each === undefined || tool.name !== toolOf(each)) continue;
    if (brought.get(dir)?.length !== 0) continue;
    progress(`Running ${tool.name} fmt -check in ${relative(top, dir) || "."}`);
    const { end, exitCode, stdout, stderr } = await host.run({
      file: tool.path,
      args: ["fmt", "-check", "-list=true", "-recursive", "-no-color"],
      env: toolEnvironment(env, { CHECKPOINT_DISABLE: "1", ...AS_IT_IS }),
      cwd: dir,
      timeoutMs: 20_000,
    });
    // 2: some cannot be read. 3: some are not formatted (docs/contracts/terraform.md 5.12).
    if (end !== "exited" || (exitCode !== 2 && exitCode !== 3)) continue;
    const broken = Array.from(stderr.matchAll(BROKEN), ([, name = ""]) => name);
    const names = [...stdout.split(/\r?\n/).filter(Boolean), ...broken];
    const all = [...new Set(names)].map((name) => join(each.root.real, name));
    const found = (await inGit(git, all)).filter((path) => !seen.has(path));
    for (const path of found) seen.add(path);
    if (found.length === 0) continue;
    const message = `${tool.name} fmt -check fails for ${few(found)}, so the pipeline's first step would fail too.`;
    const fix = hint`${run(...terraformWords(dir, tool.name, ["fmt", "-recursive"]))}`;
    findings.push(finding("ci.format", message, { where: found[0] ?? dir, fix }));
  }
  return findings;
}

/** Keeps only files in git: a runner has no others. */
async function inGit(git: Git, paths: readonly string[]): Promise<string[]> {
  const names = paths.slice(0, MOST_FILES).map((path) => pathFrom(git.root, path));
  const known = new Set(
    await filesOf(
      git,
      names.map((name) => `:(top,literal)${name}`),
    ),
  );
  return names.filter((name) => known.has(name)).map((name) => join(git.root, name));
}
