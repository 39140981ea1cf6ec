import { join } from "node:path";
import { placesIn } from "../config/load.ts";
import type { ResolvedConfig } from "../config/resolved.ts";
import { textIn } from "../content.ts";
import { readEnvFile } from "../env-file/read.ts";
import type { CommandLine } from "../exec/command-line.ts";
import type { ExecConfig } from "../exec/exec-config.ts";
import { selectionFile } from "../exec/guards.ts";
import { type Facts, sourcesIn, tokenState } from "../exec/prepare.ts";
import { rememberConfig } from "../exec/record.ts";
import { openGit } from "../git/git.ts";
import { foldersUp } from "../paths.ts";
import { observeRoot } from "../terraform/observe-root.ts";
import { apiHosts } from "../token/hosts.ts";
import { inspectToken } from "../token/inspect.ts";
import { execConfigOf } from "./exec-config.ts";
import { DEFAULT_DIRS, findConfig } from "./find-config.ts";
import { findToken } from "./find-token.ts";
import { failureOf, finding } from "./findings.ts";
import type { ObservingHost } from "./observe.ts";
import { judgeToken } from "./token.ts";

interface ExecLook {
  readonly config: ExecConfig;
  readonly resolved: ResolvedConfig;
  /** The git root; outside git the config's folder. */
  readonly top: string;
  /** Paths of all that `config` follows from; a folder of Terraform code ends with a slash. Empty
   * where that cannot be said. */
  readonly inputs: readonly string[];
}

/**
 * Finds what `exec` and `env` need to know, from the same config as every other command.
 *
 * @throws AppError those of openGit and findConfig.
 */
async function lookForExec(
  host: ObservingHost,
  environment: string | undefined,
): Promise<ExecLook> {
  const git = await openGit(host, host.cwd);
  const { config: resolved, keepRecord } = await findConfig(
    host,
    git?.root ?? host.cwd,
    environment,
  );
  await git?.confirmed;
  keepRecord();
  const roots = await Promise.all(resolved.roots.map((root) => observeRoot(host, root)));
  return {
    resolved,
    top: git?.root ?? resolved.base,
    config: execConfigOf(resolved, roots),
    inputs: inputsOf(host.cwd, git?.root, resolved),
  };
}

/**
 * Looks at all that a line of `exec` or `env` needs, and leaves a record for the next one. With
 * --verify DigitalOcean is asked whether the token is alive, of the team and lives long enough.
 *
 * @throws AppError with the id of a finding; those of lookForExec.
 */
export async function openSession(
  host: ObservingHost,
  { options }: CommandLine,
  progress: (what: string) => void,
): Promise<Facts> {
  const { env, cwd, platform, clock } = host;
  const environment = typeof options["env"] === "string" ? options["env"] : undefined;
  const since = clock.now();
  const { config, resolved, top, inputs } = await lookForExec(host, environment);
  if (inputs.length > 0) {
    rememberConfig({ cwd, environment, env, platform }, config, { inputs, since });
  }
  const envFile = await host.files.look(config.envFile);
  if (envFile.kind === "unusable") {
    const message = `${envFile.path} is ${envFile.why}.`;
    throw failureOf(
      finding("env-file.unusable", message, { fix: `Look at it: ls -l ${envFile.path}` }),
    );
  }
  const paths = [
    ...config.secretFiles.map(({ path }) => path),
    ...config.workspaces.map(({ dir }) => selectionFile(dir, env)),
  ];
  const texts = paths.map(async (path) => [path, textIn(await host.files.look(path))] as const);
  const textOf = new Map(await Promise.all(texts));
  const facts: Facts = {
    config,
    env,
    cwd,
    envFile: readEnvFile(textIn(envFile)),
    textAt: (path) => textOf.get(path) ?? "",
  };
  // What takes the variables away again does not say what they were.
  const isUnset = options["unset"] === true;
  const trust = options["trust"] === true ? "once" : undefined;
  const token = isUnset
    ? tokenState(facts)
    : await findToken(host, sourcesIn(facts), { config: resolved, top, trust });
  const verify = options["verify"] === true && token.kind === "found";
  if (verify) progress("Asking DigitalOcean about the token");
  const inspection = verify ? await inspectToken(host, apiHosts(env), token.token) : undefined;
  const findings = isUnset ? [] : judgeToken({ token, inspection, config: resolved });
  const wrong = findings.find(({ level }) => level === "error");
  if (wrong !== undefined) throw failureOf(wrong);
  return { ...facts, known: token };
}

/** The file that was found, those that would be found first, and what the defaults follow from. */
function inputsOf(
  cwd: string,
  gitRoot: string | undefined,
  { file, base, roots }: ResolvedConfig,
): string[] {
  const above = foldersUp(cwd);
  const upTo = (folder: string) => above.slice(0, above.indexOf(folder) + 1);
  const searched = upTo(file === undefined ? (gitRoot ?? cwd) : base);
  // Through a link, say: the folders that were searched are not those above us.
  if (searched.length === 0) return [];
  const dirs = [...DEFAULT_DIRS.map((dir) => join(base, dir)), ...roots.map(({ dir }) => dir)];
  return [
    ...(gitRoot === undefined ? above : upTo(gitRoot)).map((folder) => join(folder, ".git")),
    ...searched.flatMap((folder) => [...placesIn(folder), join(folder, ".gitignore")]),
    ...new Set(dirs.map((dir) => `${dir}/`)),
  ];
}
