import { outputOf } from "../../../concerns/git/git.ts";
import type { Finding } from "../../../core/finding.ts";
import { hint, own, run } from "../../../errors/hint.ts";
import type { Host } from "../../../host/host.ts";
import { listed } from "../../../lib/few.ts";
import { recordOf } from "../../../lib/json.ts";
import type { Facts } from "../../init/observe.ts";
import { finding } from "../findings.ts";
import { type Gh, notLoggedIn, openGh } from "./gh.ts";
import { type GithubRepo, reposIn } from "./remotes.ts";

/** The repo on GitHub that gets the secrets, and who sets it up. */
export interface Target {
  readonly gh: Gh;
  readonly repo: GithubRepo;
  /** The user of gh. */
  readonly me: { readonly login: string; readonly id: number };
}

type TargetHost = Pick<Host, "run" | "env" | "home" | "which">;

/**
 * Finds the repo on GitHub, and asks whether it may be set up. Nothing is sent before that.
 *
 * @param wanted OWNER/NAME, if a person named it.
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
  const text =
    git === undefined
      ? ""
      : await outputOf(git.git, ["config", "--get-regexp", "^remote\\..*\\.url$"], {
          fine: [0, 1],
        });
  const own_ = host.env["GH_HOST"];
  const repos = reposIn(text, own_ === undefined ? [] : [own_]);
  const isWanted = ({ name }: GithubRepo) => name.toLowerCase() === wanted?.toLowerCase();
  const found = wanted === undefined ? repos : repos.filter(isWanted);
  const [repo, ...others] = found;
  if (repo === undefined) return { findings: [noRepo(repos, wanted)] };
  if (others.length > 0) return { findings: [severalRepos(found)] };
  const gh = openGh(host, file, repo);
  const [about, user] = await Promise.all([
    gh.api("GET", `repos/${repo.name}`),
    gh.api("GET", "user"),
  ]);
  const findings = judgeRepo(repo, about, wanted);
  const { login, id } = recordOf(user.body);
  if (findings.length > 0) return { findings };
  const me = {
    login: typeof login === "string" ? login : "",
    id: typeof id === "number" ? id : 0,
  };
  return { target: { gh, repo, me } };
}

function noRepo(repos: readonly GithubRepo[], wanted: string | undefined): Finding {
  const names = repos.map(({ name }) => name);
  const message =
    wanted === undefined
      ? "No remote of this repo is on GitHub."
      : `No remote of this repo is ${wanted}${names.length > 0 ? `; they are ${listed(names)}` : ""}.`;
  const fix = hint`${run("git", "remote", "add", "origin", "https://github.com/OWNER/NAME.git")}. For GitHub Enterprise, set GH_HOST.`;
  return finding("ci.no-repo", message, { fix });
}

function severalRepos(repos: readonly GithubRepo[]): Finding {
  const names = repos.map(({ name }) => name);
  const message = `The remotes are several repos on GitHub: ${listed(names)}.`;
  const fix = hint`${own("ci", "github", "--apply", "--repo", names[0] ?? "")}`;
  return finding("ci.no-repo", message, { fix });
}

/** What is wrong with the repo, before anything is sent to it. @throws AppError GH_FAILED without a login. */
function judgeRepo(
  { host, name }: GithubRepo,
  { status, body }: { readonly status: number; readonly body: unknown },
  wanted: string | undefined,
): Finding[] {
  const { archived, fork, parent, permissions } = recordOf(body);
  const say = (message: string, fix: ReturnType<typeof hint>) => [
    finding("ci.wrong-repo", message, { fix }),
  ];
  if (status === 401) throw notLoggedIn(host);
  if (status !== 200) {
    const message = `${host} answers ${status} for ${name}: it does not exist, or gh's account can't see it.`;
    return say(message, hint`${run("gh", "auth", "status", "--hostname", host)}`);
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
