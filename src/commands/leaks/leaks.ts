import { relative } from "node:path";
import { TOKEN_LIST } from "../../concerns/token/hosts.ts";
import { inspectOnce } from "../../concerns/token/inspect.ts";
import type { Inspection } from "../../concerns/token/verdict.ts";
import type { Finding } from "../../core/finding.ts";
import { AppError } from "../../errors/app-error.ts";
import { type Hint, hint, own, run } from "../../errors/hint.ts";
import type { Host } from "../../host/host.ts";
import type { Secret } from "../../secret/secret.ts";
import type { Facts } from "../init/observe.ts";
import { finding } from "./findings.ts";
import { type FileLeak, leaksInFiles } from "./in-files.ts";
import { type HistoryLeak, leaksInHistory } from "./in-history.ts";
import { leaksInPackages } from "./in-packages.ts";
import type { TokenKind } from "./token-match.ts";

/** A scanner's find of more tokens than that is a list of something else. */
const MOST_ASKED = 20;

/**
 * Looks for DigitalOcean tokens where they must not be: in all that git keeps or would take, in states
 * and plans, and in what Docker and npm would take along.
 *
 * @throws AppError USAGE outside git, GIT_FAILED.
 */
export async function findLeaks(
  host: Pick<Host, "files" | "http" | "npmFiles">,
  facts: Facts,
  progress: (what: string) => void,
): Promise<readonly Finding[]> {
  const git = facts.repo.git?.git;
  if (git === undefined) {
    throw new AppError("USAGE", `${facts.repo.top} is not in git, so there is no history.`, {
      hint: hint`Run it in a clone of the repo; or leave out --history.`,
    });
  }
  progress("Searching the history for tokens");
  const own = facts.token.state.kind === "found" ? facts.token.state.token : undefined;
  const meant = new Set(facts.config.envFiles);
  const [{ leaks: history, isWhole }, { leaks: files, unread, notEntered }] = await Promise.all([
    leaksInHistory(git, own),
    leaksInFiles(host, git, { own, meant }),
  ]);
  const states = await statesOf(host, facts, [...history, ...files]);
  const isDead = ({ token }: { token: Secret }) => states.get(token.fingerprint) === "refused";
  const isThere = (leak: HistoryLeak) =>
    files.some((file) => file.git === "taken" && isSame(leak, file, git.root));
  const living = history.filter((leak) => !isDead(leak));
  return [
    ...living
      .filter((leak) => leak.commits.length > 0 || !isThere(leak))
      .map((leak) => ofHistory(leak, isThere(leak), states)),
    ...files.flatMap((leak) => {
      const isSaid = living.some((each) => each.commits.length > 0 && isSame(each, leak, git.root));
      return isDead(leak) || isSaid ? [] : ofFile(leak, states);
    }),
    ...(await leaksInPackages(host, git, { leaks: files, notEntered }, own)),
    ...unread.map(({ path, why }) =>
      finding("leak.not-searched", `${path} was not searched for tokens: it is ${why}.`, {
        where: path,
      }),
    ),
    ...(isWhole ? [] : [unnamed(git.root)]),
    ...ofTheDead([...history, ...files].filter(isDead)),
  ];
}

type States = ReadonlyMap<string, Inspection["state"]>;

/**
 * Whether each token is alive, by its fingerprint. A refresh token cannot be asked about; what only looks like an
 * old token may be another service's, and goes nowhere.
 */
async function statesOf(
  host: Pick<Host, "http">,
  { token: { hosts, inspection, state: token } }: Facts,
  leaks: readonly { kind: TokenKind; token: Secret }[],
): Promise<States> {
  const known = new Map<string, Promise<Inspection>>();
  if (token.kind === "found" && inspection !== undefined) {
    known.set(token.token.fingerprint, Promise.resolve(inspection));
  }
  const inspect = inspectOnce(host, hosts, known);
  const tokens = new Map(
    leaks.flatMap(({ kind, token }) =>
      kind === "refresh" || kind === "old" ? [] : [[token.fingerprint, token]],
    ),
  );
  const asked = [...tokens.values()].slice(0, MOST_ASKED);
  return new Map(
    await Promise.all(
      asked.map(async (token) => [token.fingerprint, (await inspect(token)).state] as const),
    ),
  );
}

function isSame({ type, token, path }: HistoryLeak, file: FileLeak, root: string): boolean {
  const name = relative(root, file.path).replaceAll("\\", "/");
  return type === "blob" && path === name && token.equals(file.token);
}

const WHAT: Readonly<Record<TokenKind, string>> = {
  personal: "A personal access token",
  oauth: "An OAuth token",
  refresh: "An OAuth refresh token",
  old: "What looks like an old token",
  own: "This repo's token",
};

function ofHistory(leak: HistoryLeak, isThere: boolean, states: States): Finding {
  const { kind, token, path, line, commits, when, from, type, oid } = leak;
  const [first] = commits;
  const isName = type === "tree" || type === "ref";
  const at = path === undefined || isName ? path : lineIn(path, line);
  const named = from === undefined ? "no branch, tag or stash leads to it" : from;
  const about = [dateOf(when), named].filter(Boolean).join(", ");
  const commit = first === undefined ? "" : `commit ${first.slice(0, 10)} (${about})`;
  const many = commits.length - 1;
  const later = many > 0 ? ` and of ${many} later ${many === 1 ? "one" : "ones"}` : "";
  const places = {
    blob:
      at === undefined
        ? `blob ${oid.slice(0, 10)}, to which no commit leads`
        : first === undefined
          ? `${at} of the index`
          : `${at} of ${commit}${later}${isThere ? ", and of the work tree" : ""}`,
    tree:
      first === undefined
        ? `a file's name in tree ${oid.slice(0, 10)}, to which no commit leads`
        : `the name of ${at} of ${commit}${later}`,
    commit: `the message of ${commit}`,
    tag: `the message of tag ${from ?? `${oid.slice(0, 10)}, which has no name any more`}`,
    ref: `the name of ${from}`,
  };
  return finding("leak.in-history", `${titleOf(kind, token, states)} stands in ${places[type]}.`, {
    // As git itself names a file of a commit; a name of 64 digits would be taken for an old token.
    where: at === undefined ? oid.slice(0, 40) : `${(first ?? "").slice(0, 40)}:${at}`,
    fix: hint`${revoke(kind)} ${then()}`,
  });

  function then(): Hint {
    if (first !== undefined)
      return hint`Then rewrite the history, if you must (${run("git", "filter-repo")}): who has a clone has the token.`;
    if (type === "tag" && from !== undefined)
      return hint`Then delete the tag, here (${run("git", "tag", "-d")}) and where it was pushed (${run("git", "push", "--delete")}).`;
    if (type === "ref")
      return hint`Then name it otherwise, here and where it was pushed: ${run("git", "branch", "-m")}, or ${run("git", "tag", "-d")} and a new tag.`;
    return hint`Then take it out: ${run("git", "rm", "--cached")}, or ${run("git", "gc", "--prune=now")} for what nothing leads to.`;
  }
}

/** A commit may bear any number; not all are days. */
function dateOf(seconds: number | undefined): string {
  const date = new Date((seconds ?? Number.NaN) * 1000);
  const isDay = date.getTime() >= 0 && date.getUTCFullYear() <= 9999;
  return isDay ? date.toISOString().slice(0, 10) : "";
}

function unnamed(root: string): Finding {
  return finding(
    "leak.not-searched",
    "git cannot read all of this history, so commits may be missing above.",
    {
      where: root,
      fix: hint`${run("git", "fsck")} says what is broken or missing; a full clone has it all.`,
    },
  );
}

function ofFile(leak: FileLeak, states: States): Finding[] {
  const { kind, token, path, line, git, isState } = leak;
  if (git === "meant") return [];
  const where = lineIn(path, line);
  const title = titleOf(kind, token, states);
  if (isState) {
    return [
      finding("leak.in-state", `${title} stands in ${where}, a state or a plan.`, {
        where,
        fix: hint`${revoke(kind)} Who can read the state can read it: declare the variable \`ephemeral\`, or use \`terraform.credentials: env\`.`,
      }),
    ];
  }
  if (git === "kept") {
    return [
      finding("leak.in-ignored-file", `${title} stands in ${where}, which git ignores.`, {
        where,
        fix: hint`Keep it in the env file alone, and remove this one if it is not needed.`,
      }),
    ];
  }
  return [
    finding("leak.in-work-tree", `${title} stands in ${where}, which git would take.`, {
      where,
      fix: hint`Take it out before you commit. If anybody has seen it: revoke it first.`,
    }),
  ];
}

/** One for each of them: they open nothing any more. */
function ofTheDead(leaks: readonly (HistoryLeak | FileLeak)[]): Finding[] {
  const fingerprints = new Set(leaks.map(({ token }) => token.fingerprint));
  return [...fingerprints].flatMap((fingerprint) => {
    const places = leaks.filter(({ token }) => token.fingerprint === fingerprint);
    const [first] = places;
    if (first === undefined) return [];
    const more = places.length === 1 ? "" : ` and ${places.length - 1} more places`;
    const at = "oid" in first ? (first.path ?? first.oid.slice(0, 10)) : first.path;
    const message = `${WHAT[first.kind]} (${fingerprint}) stands in ${at}${more}, and is dead: DigitalOcean refuses it.`;
    return [finding("leak.dead", message)];
  });
}

function titleOf(kind: TokenKind, { fingerprint }: Secret, states: States): string {
  const isAlive = states.get(fingerprint) === "alive";
  return `${WHAT[kind]} (${fingerprint}${isAlive ? ", alive" : ""})`;
}

function revoke(kind: TokenKind): Hint {
  return kind === "own"
    ? hint`Revoke it first: ${own("rotate", "--revoke")}.`
    : hint`Revoke it first: ${TOKEN_LIST}`;
}

function lineIn(path: string, line: number | undefined): string {
  return line === undefined ? path : `${path}:${line}`;
}
