/** A repo on GitHub. */
export interface GithubRepo {
  /** Such as "github.com". */
  readonly host: string;
  /** OWNER/NAME. */
  readonly name: string;
}

/** Such as "github.com/acme/web". */
export function fullName({ host, name }: GithubRepo): string {
  return `${host}/${name}`;
}

/** The same for all spellings of a repo's name, since GitHub ignores case. */
export function keyOf(repo: GithubRepo): string {
  return fullName(repo).toLowerCase();
}

/**
 * The repos on GitHub that git's remotes fetch from or push to, each once, that of `origin` first.
 *
 * @param text the output of `git remote -v`, in which git has applied `insteadOf`.
 * @param hosts the hosts that are GitHub, in addition to github.com.
 */
export function reposIn(text: string, hosts: readonly string[]): readonly GithubRepo[] {
  const all = text.split("\n").flatMap((line) => {
    const [, remote = "", url = ""] = /^(\S+)\t(.+) \((?:fetch|push)\)/.exec(line) ?? [];
    const repo = repoOf(url, ["github.com", ...hosts]);
    return repo === undefined ? [] : [{ remote, repo }];
  });
  all.sort((a, b) => Number(b.remote === "origin") - Number(a.remote === "origin"));
  const found = new Map(all.map(({ repo }) => [fullName(repo).toLowerCase(), repo]));
  return [...found.values()];
}

/** https, ssh, and git's short form; GitHub takes ssh on port 443, too. */
const FORMS = [
  /^(?:https?|ssh|git):\/\/(?:[^@/]*@)?([^:/]+)(?::\d+)?\/([^/]+\/[^/]+?)(?:\.git)?\/?$/i,
  /^(?:[^@/]+@)?([^:/]+):\/?([^/]+\/[^/]+?)(?:\.git)?\/?$/,
];

/** @param wanted [HOST/]OWNER/NAME. @returns undefined: it is not a repo's name. */
export function repoNamed(wanted: string, host: string): GithubRepo | undefined {
  const parts = wanted.split("/");
  const name = parts.slice(-2).join("/");
  const [its = host] = parts.slice(0, -2);
  return parts.length <= 3 && isName(name) && /^[\w.-]+$/.test(its)
    ? { host: its, name }
    : undefined;
}

function repoOf(url: string, hosts: readonly string[]): GithubRepo | undefined {
  const [, written = "", name = ""] = FORMS.map((form) => form.exec(url)).find(Boolean) ?? [];
  const host = written.toLowerCase().replace(/^ssh\.github\.com$/, "github.com");
  return isName(name) && hosts.some((each) => each.toLowerCase() === host)
    ? { host, name }
    : undefined;
}

function isName(name: string): boolean {
  return /^(?!\.{1,2}\/)[\w.-]+\/(?!\.{1,2}$)[\w.-]+$/.test(name);
}
