import { join } from "node:path";
import { DEFAULT_DIRS, findConfig } from "../../concerns/config/find-config.ts";
import { placesIn } from "../../concerns/config/load.ts";
import type { ResolvedConfig } from "../../concerns/config/resolved.ts";
import { observeForExec } from "../../concerns/doctl/for-exec.ts";
import { loginSource } from "../../concerns/doctl/login-source.ts";
import { openGit } from "../../concerns/git/git.ts";
import { execConfigOf } from "../../concerns/terraform/exec-config.ts";
import { observeRoot } from "../../concerns/terraform/observe.ts";
import { filesOfValues, keysProviderOf } from "../../concerns/terraform/root/keys.ts";
import type { TerraformRoot } from "../../concerns/terraform/root/root.ts";
import { recalledRoots } from "../../concerns/terraform/search/find.ts";
import { findToken, type TrustGiven } from "../../concerns/token/find-token.ts";
import { apiHosts } from "../../concerns/token/hosts.ts";
import { inspectToken } from "../../concerns/token/inspect.ts";
import { judgeToken } from "../../concerns/token/judge.ts";
import { textIn } from "../../core/file-text.ts";
import { failureOf } from "../../core/finding.ts";
import { INSTEAD_OF_ENV_FILE, leadsOut, unreadByLink } from "../../core/obstacles.ts";
import { type Hint, hint } from "../../errors/hint.ts";
import type { CommandLine } from "../../exec/command-line.ts";
import type { ExecConfig } from "../../exec/exec-config.ts";
import type { Facts } from "../../exec/facts.ts";
import { selectionFile } from "../../exec/guards.ts";
import { sourcesIn, tokenState } from "../../exec/prepare.ts";
import { ENV_FILE_LOOK, readEnvFile } from "../../exec/read-env-file.ts";
import { rememberConfig } from "../../exec/remember.ts";
import type { TokenState } from "../../exec/token-sources.ts";
import { versionPlaces } from "../../hcl/releases.ts";
import type { Snapshot } from "../../host/host.ts";
import { duration } from "../../lib/duration.ts";
import { isCi } from "../../lib/is-ci.ts";
import { foldersUp, isTerraformFile, toolsNotIn } from "../../lib/paths.ts";
import type { ObservingHost } from "../init/observe.ts";
import { askForTrust, type Prompter } from "../init/prompter.ts";
import { finding } from "./findings.ts";

interface ExecLook {
  readonly config: ExecConfig;
  readonly resolved: ResolvedConfig;
  /** The git root; outside git the config's folder. */
  readonly top: string;
  /** Paths of everything that `config` depends on. A folder of Terraform code ends with a slash. Empty if unknown. */
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
    recalledRoots(host),
  );
  await git?.confirmed;
  keepRecord();
  const [roots, here, { doctl, inputs }] = await Promise.all([
    Promise.all(resolved.roots.map((root) => observeRoot(host, root))),
    codeHere(host, resolved),
    observeForExec(host, await host.which("doctl", git?.root ?? host.cwd), resolved),
  ]);
  return {
    resolved,
    top: git?.root ?? resolved.base,
    config: { ...withHosts(execConfigOf(resolved, roots), execConfigOf(resolved, here)), doctl },
    inputs: inputsOf(host.cwd, git?.root, resolved, [...roots, ...here], inputs),
  };
}

/** Terraform may be started in the current folder, even if it is no root of the config. */
async function codeHere(host: ObservingHost, { roots }: ResolvedConfig): Promise<TerraformRoot[]> {
  const isRoot = roots.some(({ dir }) => dir === host.cwd);
  if (isRoot || !(await host.files.list(host.cwd)).some(isTerraformFile)) return [];
  return [await observeRoot(host, { ...UNNAMED_ROOT, dir: host.cwd })];
}

const UNNAMED_ROOT = {
  ...{ tool: undefined, credentials: undefined, workspace: undefined, backend: undefined },
  ...{ variable: "do_token", variables: {}, sharedWith: [], init: false },
} as const;

/** Only the hosts that the code names matter. */
function withHosts(config: ExecConfig, here: ExecConfig): ExecConfig {
  return {
    ...config,
    strangeProviders: [...config.strangeProviders, ...here.strangeProviders],
    otherApis: [...config.otherApis, ...here.otherApis],
  };
}

/**
 * Reads everything that a line of `exec` or `env` needs, and keeps a record for the next run. With --verify, asks
 * DigitalOcean whether the token is valid, belongs to the team, and does not expire too soon.
 *
 * @param ask asks a person whether the config's command may run.
 * @throws AppError with the id of a finding; those of lookForExec.
 */
export async function openSession(
  host: ObservingHost,
  { options }: CommandLine,
  progress: (what: string) => void,
  ask: Prompter<never>["trust"],
): Promise<Facts> {
  const { env, cwd, platform, clock } = host;
  const environment = typeof options["env"] === "string" ? options["env"] : undefined;
  const since = clock.now();
  const { config, resolved, top, inputs } = await lookForExec(host, environment);
  if (inputs.length > 0) {
    rememberConfig({ cwd, environment, env, platform }, config, { inputs, since });
  }
  const envFile = await host.files.look(config.envFile, ENV_FILE_LOOK);
  refuseLink(envFile, INSTEAD_OF_ENV_FILE);
  if (envFile.kind === "unusable") {
    const message = `${envFile.path} is ${envFile.why}.`;
    const fix = hint`Inspect it: ${{ listing: { path: envFile.path } }}`;
    throw failureOf(finding("env-file.unusable", message, { fix }));
  }
  const paths = [
    ...config.secretFiles.map(({ path }) => path),
    ...config.workspaces.map(({ dir }) => selectionFile(dir, env)),
  ];
  const toMask = options["mask"] === true ? config.filesToMask : [];
  const looks = [...toMask, ...paths].map(
    async (path) => [path, await host.files.look(path)] as const,
  );
  const snapshots = new Map(await Promise.all(looks));
  const facts: Facts = {
    config,
    env,
    cwd,
    envFile: readEnvFile(textIn(envFile)),
    textAt(path) {
      const snapshot = snapshots.get(path);
      if (snapshot === undefined) return "";
      refuseLink(snapshot);
      return textIn(snapshot);
    },
  };
  // Unsetting the variables does not need their values.
  const isUnset = options["unset"] === true;
  const token = isUnset ? tokenState(facts) : await foundToken();
  const verify = options["verify"] === true && token.kind === "found";
  if (verify) progress("Asking DigitalOcean about the token");
  const inspection = verify ? await inspectToken(host, apiHosts(env), token.token) : undefined;
  const findings = isUnset
    ? []
    : judgeToken({
        token: { state: token, inspection },
        config: resolved,
        machine: { env, isCi: isCi(env) },
      });
  const wrong = findings.find(({ level }) => level === "error");
  if (wrong !== undefined) throw failureOf(wrong);
  return { ...facts, known: token, warning: livesTooShort(token, resolved, clock.now()) };

  async function foundToken(): Promise<TokenState> {
    const repo = toolsNotIn(host.home, top, resolved.base);
    const login = loginSource(host, { repo, progress });
    const find = (trust: TrustGiven | undefined) =>
      findToken(host, sourcesIn(facts), { config: resolved, top, trust, login });
    if (options["trust"] === true) return find("once");
    const state = await find(undefined);
    const trust = await askForTrust(ask, state);
    return trust === undefined ? state : find(trust);
  }
}

/** A running command keeps its token, even if doctl renews the login. */
function livesTooShort(
  state: TokenState,
  { token: { minTtlSeconds } }: ResolvedConfig,
  now: number,
): string | undefined {
  if (state.kind !== "found" || state.expiresAt === undefined) return undefined;
  const seconds = Math.floor((state.expiresAt - now) / 1000);
  if (minTtlSeconds === undefined || seconds >= minTtlSeconds) return undefined;
  return `this login's token expires in ${duration(seconds)}, sooner than token.minTtl (${duration(minTtlSeconds)}). A command that runs longer will fail.`;
}

/** A file behind a link out of the repo is not read, but it must not count as empty either. */
function refuseLink(snapshot: Snapshot, instead?: Hint): void {
  const link = unreadByLink(snapshot);
  if (link !== undefined) throw failureOf(leadsOut(snapshot, link, instead));
}

/**
 * The config that was found, those with a higher priority, what the defaults depend on, and Terraform's own state
 * files.
 */
function inputsOf(
  cwd: string,
  gitRoot: string | undefined,
  { file, base, roots: written }: ResolvedConfig,
  roots: readonly TerraformRoot[],
  others: readonly string[],
): string[] {
  const above = foldersUp(cwd);
  const upTo = (folder: string) => above.slice(0, above.indexOf(folder) + 1);
  const searched = upTo(file === undefined ? (gitRoot ?? cwd) : base);
  // For example, because of a link: the searched folders are not above the current one.
  if (searched.length === 0) return [];
  const dirs = [
    cwd,
    ...DEFAULT_DIRS.map((dir) => join(base, dir)),
    ...written.map(({ dir }) => dir),
  ];
  return [
    ...(gitRoot === undefined ? above : upTo(gitRoot)).map((folder) => join(folder, ".git")),
    ...searched.flatMap((folder) => [...placesIn(folder), join(folder, ".gitignore")]),
    ...new Set(dirs.map((dir) => `${dir}/`)),
    // A provider block in a called module may name a host.
    ...roots.flatMap(({ config: { dir }, module: { calls } }) =>
      calls.map((folder) => `${join(dir, folder)}/`),
    ),
    ...roots.map(({ data }) => join(data, "terraform.tfstate")),
    // If one of these files sets a key's variable, exec does not set its TF_VAR_.
    ...roots.flatMap((root) =>
      keysProviderOf(root) === undefined
        ? []
        : filesOfValues(root).map((name) => join(root.config.dir, name)),
    ),
    ...[...new Set(roots.flatMap(({ searched }) => searched))].flatMap(versionPlaces),
    ...others,
  ];
}
