import { type Git, outputOf } from "../../../concerns/git/git.ts";
import type { Finding } from "../../../core/finding.ts";
import { AppError } from "../../../errors/app-error.ts";
import { hint, own, run } from "../../../errors/hint.ts";
import type { Host } from "../../../host/host.ts";
import { listed } from "../../../lib/few.ts";
import { recordOf } from "../../../lib/json.ts";
import type { Facts } from "../../init/observe.ts";
import { finding } from "../findings.ts";
import { type Gh, notLoggedIn, openGh } from "./gh.ts";
import { fullName, type GithubRepo, keyOf, repoNamed, reposIn } from "./remotes.ts";

/** The repo on GitHub that gets the secrets, and who sets it up. */
export interface Target {
  readonly gh: Gh;
  readonly repo: GithubRepo;
  /** The user of gh. */
  readonly me: { readonly login: string; readonly id: number };
  /** All repos on GitHub that a git remote names, by keyOf. */
  readonly remotes: readonly string[];
}

export type TargetHost = Pick<Host, "run" | "env" | "home" | "which">;

/**
 * Finds the repo on GitHub, and asks whether it may be set up. Nothing is sent before that.
 *
 * @param wanted [HOST/]OWNER/NAME, if a person named it.
 * @throws AppError GH_FAILED, GIT_FAILED.
 */
export async function findTarget(
  host: TargetHost,
  { repo: { git, toolsNotIn } }: Pick<Facts, "repo">,
  wanted: string | undefined,
): Promise<{ readonly target: Target } | { readonly findings: readonly Finding[] }> {
  const { path: file } = await host.which("gh", toolsNotIn);
  if (file === undefined) {
    const fix = hint`Install it (https://cli.github.com), or set GitHub up by hand: ${own("ci", "github", "--dry-run")} lists the steps.`;
    return { findings: [finding("ci.no-gh", "gh is not on PATH.", { fix })] };
  }
  const repos = await githubRepos(host, git?.git);
  const chosen = choose(repos, wanted, host.env["GH_HOST"] ?? "github.com");
  if ("findings" in chosen) return chosen;
  const { repo } = chosen;
  const gh = openGh(host, file, repo);
  const [about, user] = await Promise.all([
    gh.api("GET", `repos/${repo.name}`),
    gh.api("GET", "user"),
  ]);
  const findings = judgeRepo(repo, about, wanted);
  if (findings.length > 0) return { findings };
  const { login, id } = recordOf(user.body);
  if (user.status !== 200 || typeof login !== "string" || typeof id !== "number") {
    const message = `${repo.host} did not say who gh's user is (status ${user.status}), so nobody could be the reviewer.`;
    throw new AppError("GH_FAILED", message, {
      hint: hint`Log in as a person: ${run("gh", "auth", "login", "--hostname", repo.host)}`,
    });
  }
  return { target: { gh, repo, me: { login, id }, remotes: repos.map(keyOf) } };
}

/** The repos on GitHub that git's remotes name. */
export async function githubRepos(
  { env }: Pick<Host, "env">,
  git: Git | undefined,
): Promise<readonly GithubRepo[]> {
  if (git === undefined) return [];
  const ownHost = env["GH_HOST"];
  return reposIn(await outputOf(git, ["remote", "-v"]), ownHost === undefined ? [] : [ownHost]);
}

/** @param wanted [HOST/]OWNER/NAME; a person who names a repo may name one that no remote has. */
function choose(
  repos: readonly GithubRepo[],
  wanted: string | undefined,
  host: string,
): { readonly repo: GithubRepo } | { readonly findings: readonly Finding[] } {
  if (wanted !== undefined) {
    const [, , isFull] = wanted.split("/");
    const inRemotes = repos.filter(
      (each) =>
        (isFull === undefined ? each.name : fullName(each)).toLowerCase() === wanted.toLowerCase(),
    );
    const named = inRemotes.length === 1 ? inRemotes[0] : repoNamed(wanted, host);
    return named === undefined
      ? { findings: [noRepo(`${wanted} is not OWNER/NAME.`)] }
      : { repo: named };
  }
  const [repo, ...others] = repos;
  if (repo === undefined) return { findings: [noRepo("No remote of this repo is on GitHub.")] };
  return others.length > 0 ? { findings: [severalRepos(repos)] } : { repo };
}

function noRepo(message: string): Finding {
  const fix = hint`Name it: ${own("ci", "github", "--apply", "--repo", "OWNER/NAME")}. For GitHub Enterprise, set GH_HOST.`;
  return finding("ci.no-repo", message, { fix });
}

function severalRepos(repos: readonly GithubRepo[]): Finding {
  const names = repos.map(fullName);
  const message = `The git remotes point to several repos on GitHub: ${listed(names)}.`;
  const fix = hint`Name the one that you want: ${own("ci", "github", "--apply", "--repo", names[0] ?? "")}`;
  return finding("ci.no-repo", message, { fix });
}

/** What is wrong with the repo, before anything is sent to it. @throws AppError GH_FAILED without a login. */
function judgeRepo(
  { host, name }: GithubRepo,
  { status, body }: { readonly status: number; readonly body: unknown },
  wanted: string | undefined,
): Finding[] {
  const { archived, fork, full_name: now, parent, permissions } = recordOf(body);
  const say = (message: string, fix: ReturnType<typeof hint>) => [
    finding("ci.wrong-repo", message, { fix }),
  ];
  if (status === 401) throw notLoggedIn(host);
  if (status !== 200) {
    const message = `${host} answers ${status} for ${name}: it does not exist, or gh's account can't see it.`;
    return say(message, hint`${run("gh", "auth", "status", "--hostname", host)}`);
  }
  if (typeof now === "string" && now.toLowerCase() !== name.toLowerCase()) {
    const message = `${name} is now ${now}: the repo was renamed or transferred.`;
    return say(
      message,
      hint`If it is still yours: ${own("ci", "github", "--apply", "--repo", now)}`,
    );
  }
  if (archived === true)
    return say(`${name} is archived, so nothing can be set up.`, hint`Unarchive it on GitHub.`);
  if (recordOf(permissions)["admin"] !== true) {
    const message = `gh's account is no admin of ${name}, so it can't create environments and secrets.`;
    return say(message, hint`Ask an admin of the repo to run ${own("ci", "github", "--apply")}`);
  }
  if (fork === true && wanted === undefined) {
    const { full_name: from } = recordOf(parent);
    const message = `${name} is a fork${typeof from === "string" ? ` of ${from}` : ""}.`;
    return say(
      message,
      hint`If the pipeline should run there: ${own("ci", "github", "--apply", "--repo", name)}`,
    );
  }
  return [];
}
