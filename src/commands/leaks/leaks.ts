import { relative } from "node:path";
import { missingFrom, submodulesOf } from "../../concerns/git/objects.ts";
import { TOKEN_LIST } from "../../concerns/token/hosts.ts";
import { inspectOnce } from "../../concerns/token/inspect.ts";
import type { Inspection } from "../../concerns/token/verdict.ts";
import type { Finding } from "../../core/finding.ts";
import { AppError } from "../../errors/app-error.ts";
import { type Hint, hint, own, run } from "../../errors/hint.ts";
import type { Host } from "../../host/host.ts";
import { capped, few } from "../../lib/few.ts";
import { groupedBy } from "../../lib/grouped.ts";
import type { Secret } from "../../secret/secret.ts";
import type { Facts } from "../init/observe.ts";
import { finding } from "./findings.ts";
import { type FileLeak, type Gap, leaksInFiles } from "./in-files.ts";
import { type HistoryLeak, leaksInHistory, type ObjectGap } from "./in-history.ts";
import { leaksInPackages } from "./in-packages.ts";
import type { TokenKind } from "./token-match.ts";

/**
 * How many tokens are checked with DigitalOcean, in order of their first place. The rest is reported as not checked.
 */
const MOST_ASKED = 100;
const ASKED_AT_ONCE = 10;
/** A longer list would not be read, and might fill the memory. */
const MOST_LISTED = 10_000;
/** For all saved plans together, in bytes. */
const MOST_UNPACKED = 1024 * 1024 * 1024;

/**
 * Looks for DigitalOcean tokens where they must not be: in everything that git stores or does not ignore, in states and
 * plans, and in what Docker and npm would include. What could not be searched is a finding, too.
 *
 * @throws AppError USAGE outside git, GIT_FAILED.
 */
export async function findLeaks(
  host: Pick<Host, "env" | "files" | "http" | "npmFiles" | "records" | "clock">,
  facts: Facts,
  progress: (what: string) => void,
): Promise<readonly Finding[]> {
  const git = facts.repo.git?.git;
  if (git === undefined) {
    throw new AppError(
      "USAGE",
      `${facts.repo.top} is not a git repo, so there is no history to search.`,
      {
        hint: hint`Run this in a clone of the repo, or omit --history.`,
      },
    );
  }
  progress("Searching the history for tokens");
  const own = facts.token.state.kind === "found" ? facts.token.state.token : undefined;
  const search = {
    own,
    meant: new Set(facts.config.envFiles),
    unpacking: { left: MOST_UNPACKED },
  };
  const [inHistory, inFiles, missing, submodules] = await Promise.all([
    leaksInHistory(host, git, search),
    leaksInFiles(host, git, search),
    missingFrom(git),
    submodulesOf(git),
  ]);
  const { leaks: history } = inHistory;
  const { leaks: files, notEntered } = inFiles;
  const all = [...history, ...files];
  const states = await statesOf(host, facts, all);
  const isDead = ({ token }: { token: Secret }) => states.get(token.fingerprint) === "refused";
  const keyOf = (token: Secret, path: string) => `${token.fingerprint} ${path}`;
  const taken = new Set(
    files
      .filter((file) => file.git === "taken")
      .map(({ token, path }) => keyOf(token, nameIn(git.root, path))),
  );
  const isThere = ({ type, token, path }: HistoryLeak) =>
    type === "blob" && path !== undefined && taken.has(keyOf(token, path));
  const living = history.filter((leak) => !isDead(leak));
  const said = new Set(
    living.flatMap(({ type, token, path, commits }) =>
      type === "blob" && path !== undefined && commits.length > 0 ? keyOf(token, path) : [],
    ),
  );
  const packages = await leaksInPackages(host, git, { leaks: files, notEntered }, search);
  return [
    ...listed([
      ...living
        .filter((leak) => leak.commits.length > 0 || !isThere(leak))
        .map((leak) => ofHistory(leak, isThere(leak), states)),
      ...files.flatMap((leak) => {
        const isSaid = said.has(keyOf(leak.token, nameIn(git.root, leak.path)));
        return isDead(leak) || isSaid ? [] : ofFile(leak, states);
      }),
      ...packages.findings,
    ]),
    ...unverified(all, states),
    ...notSearched(git.root, {
      objects: inHistory.gaps,
      files: [...inFiles.gaps, ...packages.gaps],
      isWhole: inHistory.isWhole,
      isTooMuch: inHistory.isTooMuch,
      denied: inFiles.denied,
      missing,
      submodules,
    }),
    ...ofTheDead(all.filter(isDead)),
  ];
}

function listed(findings: readonly Finding[]): readonly Finding[] {
  return capped(findings, MOST_LISTED, (more) => {
    const message = `${more} more places hold tokens. Only the first ${MOST_LISTED} are listed.`;
    return finding("leak.not-searched", message);
  });
}

type States = ReadonlyMap<string, Inspection["state"]>;

/**
 * The state of each token, by fingerprint; absent: not asked. A refresh token cannot be checked. Something that only
 * looks like an old token may belong to another service, so it is sent nowhere. If DigitalOcean does not answer, no
 * more tokens are checked.
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
  const states = new Map<string, Inspection["state"]>();
  const left = [...tokensOf(leaks).values()].slice(0, MOST_ASKED);
  while (left.length > 0) {
    const some = left.splice(0, ASKED_AT_ONCE);
    const answers = await Promise.all(
      some.map(async (each) => [each.fingerprint, (await inspect(each)).state] as const),
    );
    for (const [fingerprint, state] of answers) states.set(fingerprint, state);
    if (answers.every(([, state]) => state === "unknown")) break;
  }
  return states;
}

/** The tokens that can be checked, by fingerprint. */
function tokensOf(
  leaks: readonly { kind: TokenKind; token: Secret }[],
): ReadonlyMap<string, Secret> {
  return new Map(
    leaks.flatMap(({ kind, token }) =>
      kind === "refresh" || kind === "old" ? [] : [[token.fingerprint, token]],
    ),
  );
}

function unverified(
  leaks: readonly { kind: TokenKind; token: Secret }[],
  states: States,
): Finding[] {
  const all = [...tokensOf(leaks).keys()];
  const notAsked = all.filter((fingerprint) => !states.has(fingerprint)).length;
  const unknown = all.filter((fingerprint) => states.get(fingerprint) === "unknown").length;
  const why = [
    ...(unknown > 0 ? [`DigitalOcean did not answer for ${unknown}`] : []),
    ...(notAsked > 0 ? [`${notAsked} were not checked`] : []),
  ];
  if (why.length === 0) return [];
  const message = `Could not check whether ${notAsked + unknown} of ${all.length} tokens are valid: ${why.join(", and ")}.`;
  const fix = hint`Treat them as valid. Revoke the others first, then run the same command again.`;
  return [finding("leak.unverified", message, { fix })];
}

function nameIn(root: string, path: string): string {
  return relative(root, path).replaceAll("\\", "/");
}

/** One finding for each thing that was not searched. */
function notSearched(
  root: string,
  {
    objects,
    files,
    isWhole,
    isTooMuch,
    denied,
    missing,
    submodules,
  }: {
    readonly objects: readonly ObjectGap[];
    readonly files: readonly Gap[];
    readonly isWhole: boolean;
    readonly isTooMuch: boolean;
    readonly denied: readonly string[];
    readonly missing: Awaited<ReturnType<typeof missingFrom>>;
    readonly submodules: readonly string[];
  },
): readonly Finding[] {
  const say = (message: string, more: { where?: string; fix?: Hint } = {}) =>
    finding("leak.not-searched", message, { where: root, ...more });
  const found = [
    ...files.map(({ path, why }) =>
      say(`Could not search all of ${path} for tokens: ${why}.`, { where: path }),
    ),
    ...objects.map(({ oid, why }) =>
      say(`Could not search all of git object ${oid.slice(0, 10)} for tokens: ${why}.`, {
        fix: hint`${run("git", "log", "--all", `--find-object=${oid}`)} shows where it is used.`,
      }),
    ),
  ];
  return [
    ...capped(found, MOST_LISTED, (more) =>
      say(`${more} more files or objects were not fully searched for tokens.`),
    ),
    ...(denied.length === 0
      ? []
      : [
          say(`git has no permission to read ${few(denied)}, so it was not searched for tokens.`, {
            fix: hint`Fix the permissions or run do-bootstrap as a user who can read it.`,
          }),
        ]),
    ...(isWhole
      ? []
      : [
          say("git can't read all of this history, so this report may miss commits.", {
            fix: hint`${run("git", "fsck")} shows what is broken or missing. A full clone has everything.`,
          }),
        ]),
    ...(isTooMuch
      ? [say("The history is too large to search completely: some tokens may not be listed.")]
      : []),
    ...(missing === undefined
      ? []
      : [
          say(`This clone is missing ${missing}, which were not searched for tokens.`, {
            fix:
              missing === "older commits"
                ? hint`${run("git", "fetch", "--unshallow")}`
                : hint`Run this in a full clone.`,
          }),
        ]),
    ...(submodules.length === 0
      ? []
      : [
          say(`The history of submodules was not searched for tokens: ${few(submodules)}.`, {
            fix: hint`Run ${own("check", "--history")} in each of them.`,
          }),
        ]),
  ];
}

const WHAT: Readonly<Record<TokenKind, string>> = {
  personal: "A personal access token",
  oauth: "An OAuth token",
  refresh: "An OAuth refresh token",
  old: "A possible old-style token",
  own: "This repo's token",
};

function ofHistory(leak: HistoryLeak, isThere: boolean, states: States): Finding {
  const { kind, token, path, line, commits, when, from, type, oid } = leak;
  const [first] = commits;
  const isName = type === "tree" || type === "ref";
  const at = path === undefined || isName ? path : lineIn(path, line);
  const named = from === undefined ? "on no branch, tag or stash" : from;
  const about = [dateOf(when), named].filter(Boolean).join(", ");
  const commit = first === undefined ? "" : `commit ${first.slice(0, 10)} (${about})`;
  const many = commits.length - 1;
  const later = many > 0 ? ` and ${many} later ${many === 1 ? "commit" : "commits"}` : "";
  const places = {
    blob:
      at === undefined
        ? `blob ${oid.slice(0, 10)}, in no commit`
        : first === undefined
          ? `${at} in git's index`
          : `${at} in ${commit}${later}${isThere ? ", and in the work tree" : ""}`,
    tree:
      first === undefined
        ? `a file's name in tree ${oid.slice(0, 10)}, in no commit`
        : `the name of ${at} in ${commit}${later}`,
    commit: `the message of ${commit}`,
    tag: `the message of tag ${from ?? `${oid.slice(0, 10)} (unnamed)`}`,
    ref: `the name of ${from}`,
  };
  return finding("leak.in-history", `${titleOf(kind, token, states)} is in ${places[type]}.`, {
    // git's own notation for a file in a commit. Shortened, since 64 digits would look like an old token.
    where: at === undefined ? oid.slice(0, 40) : `${(first ?? "").slice(0, 40)}:${at}`,
    fix: hint`${revoke(kind, states.get(token.fingerprint))} ${then()}`,
  });

  function then(): Hint {
    if (first !== undefined)
      return hint`Then rewrite the history, if necessary (${run("git", "filter-repo")}): existing clones still contain the token.`;
    if (type === "tag" && from !== undefined)
      return hint`Then delete the tag, here (${run("git", "tag", "-d")}) and on the remote (${run("git", "push", "--delete")}).`;
    if (type === "ref")
      return hint`Then rename it, here and on the remote: ${run("git", "branch", "-m")}, or ${run("git", "tag", "-d")} and a new tag.`;
    return hint`Then remove it: ${run("git", "rm", "--cached")}, or ${run("git", "gc", "--prune=now")} if it is unreachable.`;
  }
}

/** A commit may contain any number as its time, and not every number is a valid date. */
function dateOf(seconds: number | undefined): string {
  const date = new Date((seconds ?? Number.NaN) * 1000);
  const isDay = date.getTime() >= 0 && date.getUTCFullYear() <= 9999;
  return isDay ? date.toISOString().slice(0, 10) : "";
}

function ofFile(leak: FileLeak, states: States): Finding[] {
  const { kind, token, path, line, git, isState } = leak;
  if (git === "meant") return [];
  const where = lineIn(path, line);
  const title = titleOf(kind, token, states);
  if (isState) {
    return [
      finding("leak.in-state", `${title} is in ${where}, a Terraform state or plan.`, {
        where,
        fix: hint`${revoke(kind, states.get(token.fingerprint))} Anyone who can read the state can read the token: declare the variable \`ephemeral\`, or use \`terraform.credentials: env\`.`,
      }),
    ];
  }
  if (git === "kept") {
    return [
      finding("leak.in-ignored-file", `${title} is in ${where}, which git ignores.`, {
        where,
        fix: hint`Keep the token only in the env file. If this file is not needed, delete it.`,
      }),
    ];
  }
  return [
    finding("leak.in-work-tree", `${title} is in ${where}, which git does not ignore.`, {
      where,
      fix: hint`Remove the token before you commit. If anyone has seen it, revoke it first.`,
    }),
  ];
}

/** One finding for each of these tokens, which are no longer valid. */
function ofTheDead(leaks: readonly (HistoryLeak | FileLeak)[]): Finding[] {
  const byToken = groupedBy(leaks, ({ token }) => token.fingerprint);
  return [...byToken].flatMap(([fingerprint, places]) => {
    const [first] = places;
    if (first === undefined) return [];
    const more = places.length === 1 ? "" : ` and ${places.length - 1} more places`;
    const at = "oid" in first ? (first.path ?? first.oid.slice(0, 10)) : first.path;
    const message = `${WHAT[first.kind]} (${fingerprint}) was found in ${at}${more}. It is no longer valid.`;
    return [finding("leak.dead", message)];
  });
}

function titleOf(kind: TokenKind, { fingerprint }: Secret, states: States): string {
  const state = states.get(fingerprint);
  const isAlive = state === "alive" ? ", still valid" : "";
  // Something that only looks like an old token is not checked.
  const isAsked = kind !== "old" && kind !== "refresh";
  const isUnknown =
    isAsked && (state === undefined || state === "unknown") ? ", validity unknown" : "";
  return `${WHAT[kind]} (${fingerprint}${isAlive}${isUnknown})`;
}

function revoke(kind: TokenKind, state: Inspection["state"] | undefined): Hint {
  const first =
    state === "alive" ? "Revoke it first" : "Revoke it first, unless it is already revoked";
  return kind === "own"
    ? hint`${first}: ${own("rotate", "--revoke")}.`
    : hint`${first}: ${TOKEN_LIST}.`;
}

function lineIn(path: string, line: number | undefined): string {
  return line === undefined ? path : `${path}:${line}`;
}
