import { basename, join } from "node:path";
import { filesMatchingWithin } from "../../concerns/git/files.ts";
import { type Git, openGit } from "../../concerns/git/git.ts";
import { ignoreRules } from "../../concerns/git/ignore-rules.ts";
import {
  readObjects,
  type StagedEntry,
  stagedEntries,
  submodulesIn,
} from "../../concerns/git/objects.ts";
import type { Finding } from "../../core/finding.ts";
import { asAppError } from "../../errors/app-error.ts";
import { type Hint, hint, own, run } from "../../errors/hint.ts";
import type { Host } from "../../host/host.ts";
import { capped, few } from "../../lib/few.ts";
import { groupedBy, onceEach } from "../../lib/grouped.ts";
import { pathFrom } from "../../lib/paths.ts";
import { Secret } from "../../secret/secret.ts";
import { NEEDLE_PATTERN, PREFIX_PATTERN } from "../../secret/token-search.ts";
import type { Facts } from "../init/observe.ts";
import { finding } from "./findings.ts";
import { placesOfSecret } from "./token-match.ts";

/** Somebody waits for the answer. `check --history` does what takes longer. */
const LIMITS = {
  gitMs: 5_000,
  forMs: 10_000,
  fileBytes: 32 * 1024 * 1024,
  allBytes: 256 * 1024 * 1024,
  submodules: 20,
};
export type GitSearchLimits = typeof LIMITS;
/** How many files are listed one by one. */
const MOST_NAMED = 20;

export type GitSearchHost = Pick<Host, "env" | "run" | "which" | "files" | "steadyClock">;

/** A file with one of this repo's tokens that git tracks or does not ignore. */
export interface ExposedFile {
  /** Absolute. */
  readonly path: string;
  /** The same as the index spells it, if it is there. */
  readonly indexed: string;
  /** The root of the repo that contains it: this one, or a submodule. */
  readonly root: string;
  readonly token: Secret;
  /** committed: the last commit has it. staged: the next commit has it. new: `git add` would add it. */
  readonly state: "committed" | "staged" | "new";
  /** From 1; undefined if the token is only in the index. */
  readonly line: number | undefined;
  /** The file contains nothing but the token. */
  readonly isTokenAlone: boolean;
}

/** The result of a search, and what could not be searched. */
export interface ExposedFiles {
  readonly files: readonly ExposedFile[];
  readonly unread: readonly { readonly path: string; readonly why: string }[];
  /** What git could not read, in its own words. */
  readonly denied: readonly string[];
  /** Why the search stopped early, in words. */
  readonly stopped: string | undefined;
}

/**
 * Searches everything that git tracks or does not ignore (the work tree without ignored files, and the index) for
 * tokens of this repo, including submodules. Earlier commits are not searched.
 *
 * @throws AppError GIT_FAILED
 */
export async function searchGit(
  host: GitSearchHost,
  git: Git,
  tokens: readonly Secret[],
  limits: GitSearchLimits = LIMITS,
): Promise<ExposedFiles> {
  const found: ExposedFile[] = [];
  const unread: { path: string; why: string }[] = [];
  const denied: string[] = [];
  const reasons = new Set<string>();
  const until = host.steadyClock.now() + limits.forMs;
  let bytesLeft = limits.allBytes;
  // A token from before 2022 is only recognisable as digits, literal or in base64.
  const isOdd = tokens.some((token) => !token.hasPrefix);
  const pattern = isOdd ? `${NEEDLE_PATTERN}|[A-Za-z0-9+/_-]{42}` : PREFIX_PATTERN;
  const inOwn = await matching(git);
  await readAll(git, inOwn);
  const submodules = submodulesIn(inOwn.entries);
  for (const name of submodules.slice(0, limits.submodules)) {
    const path = join(git.root, name);
    try {
      const inner = await openGit(host, path, git.root);
      // A submodule that is not checked out has no files here.
      const isHere = inner !== undefined && inner.root === (await host.files.realpath(path));
      if (isHere) await readAll(inner, await matching(inner));
    } catch (error) {
      const { code, message } = asAppError(error);
      if (code !== "GIT_FAILED") throw error;
      unread.push({
        path,
        why: `a submodule that could not be read (${message.replace(/\.$/, "")})`,
      });
    }
  }
  if (submodules.length > limits.submodules) {
    reasons.add(`there are more than ${limits.submodules} submodules`);
  }
  const [stopped] = reasons;
  return { files: found, unread, denied, stopped };

  async function matching(repo: Git) {
    const [inTree, inIndex, entries] = await Promise.all([
      filesMatchingWithin(repo, "work tree", pattern, limits.gitMs),
      filesMatchingWithin(repo, "index", pattern, limits.gitMs),
      stagedEntries(repo),
    ]);
    denied.push(...inTree.denied);
    for (const { gap } of [inTree, inIndex]) if (gap !== undefined) reasons.add(gap);
    return { names: [...new Set([...inTree.names, ...inIndex.names])], inIndex, entries };
  }

  async function readAll(
    repo: Git,
    { names, inIndex, entries }: Awaited<ReturnType<typeof matching>>,
  ): Promise<void> {
    const wanted = new Set(inIndex.names);
    const staged = entries.filter(({ path }) => wanted.has(path));
    const blobs = await readBlobs(repo, staged);
    const byName = groupedBy(staged, ({ path }) => path);
    for (const name of names) {
      const why = whyStop();
      if (why !== undefined) {
        reasons.add(why);
        return;
      }
      const its = (byName.get(name) ?? []).flatMap(({ oid }) => blobs.get(oid) ?? []);
      await readOne(repo, name, its);
    }
  }

  /** The tokens in each blob of the index that contains one. */
  async function readBlobs(
    repo: Git,
    staged: readonly StagedEntry[],
  ): Promise<ReadonlyMap<string, readonly Holder[]>> {
    const byOid = new Map(staged.map(({ oid, path }) => [oid, path]));
    const blobs = new Map<string, readonly Holder[]>();
    if (byOid.size === 0) return blobs;
    try {
      await readObjects(
        repo,
        byOid.keys(),
        ({ oid, size }, bytes) => {
          bytesLeft -= bytes.length;
          if (size > limits.fileBytes) {
            unread.push({ path: join(repo.root, byOid.get(oid) ?? ""), why: "too large in git" });
          } else blobs.set(oid, holdersIn(bytes));
        },
        { maxBytes: limits.fileBytes, timeoutMs: limits.gitMs },
      );
    } catch (error) {
      const { code, message } = asAppError(error);
      if (code !== "GIT_FAILED") throw error;
      reasons.add(message.replace(/\.$/, ""));
    }
    return blobs;
  }

  function holdersIn(bytes: Buffer): readonly Holder[] {
    return tokens.flatMap((token) => {
      const { isThere, lines } = placesOfSecret(bytes, token);
      const isTokenAlone = token.holds(bytes.toString("utf8"));
      return isThere ? [{ token, line: lines[0], isTokenAlone }] : [];
    });
  }

  function whyStop(): string | undefined {
    if (bytesLeft <= 0) return `there are more than ${limits.allBytes / 1024 / 1024} MB to read`;
    return host.steadyClock.now() > until
      ? `it took more than ${limits.forMs / 1000} s`
      : undefined;
  }

  async function readOne(repo: Git, name: string, staged: readonly Holder[]): Promise<void> {
    const path = join(repo.root, name);
    const now = await host.files.look(path, { maxBytes: limits.fileBytes });
    if (now.kind === "unusable" && now.link === undefined) unread.push({ path, why: now.why });
    const bytes = now.kind === "file" ? now.bytes : undefined;
    bytesLeft -= bytes?.length ?? 0;
    const here = bytes === undefined ? [] : holdersIn(bytes);
    if (here.length + staged.length === 0) return;
    const indexed = (await repo.tracked([path])).get(path) ?? path;
    for (const token of tokens) {
      const [inTree, inIndex] = [here, staged].map((all) => all.find((it) => it.token === token));
      const holder = inTree ?? inIndex;
      if (holder === undefined) continue;
      const isCommitted =
        inIndex !== undefined && (await isInHead(repo, pathFrom(repo.root, indexed), token));
      found.push({
        ...{ path, indexed, root: repo.root, token, isTokenAlone: holder.isTokenAlone },
        state: isCommitted ? "committed" : inIndex === undefined ? "new" : "staged",
        line: inTree?.line,
      });
    }
  }

  /** If git cannot return the file from HEAD, it counts as not committed. */
  async function isInHead(repo: Git, name: string, token: Secret): Promise<boolean> {
    const chunks: Buffer[] = [];
    let size = 0;
    const result = await repo.ask(["cat-file", "blob", `HEAD:${name}`], {
      timeoutMs: limits.gitMs,
      onStdout(chunk) {
        chunks.push(chunk);
        size += chunk.length;
        return size > limits.fileBytes ? "stop" : undefined;
      },
    });
    return result.exitCode === 0 && placesOfSecret(Buffer.concat(chunks), token).isThere;
  }
}

type Holder = Pick<ExposedFile, "token" | "line" | "isTokenAlone">;

type Known = Pick<Facts, "config" | "repo" | "token">;

/**
 * Like searchGit, for the tokens in the facts.
 *
 * @returns undefined outside git, or if there is no working token.
 */
export async function searchForOwn(
  host: GitSearchHost,
  all: readonly Known[],
): Promise<ExposedFiles | undefined> {
  const git = all[0]?.repo.git?.git;
  const tokens = all.flatMap(({ token: { state, inspection } }) =>
    state.kind === "found" && inspection?.state !== "refused" ? state.token : [],
  );
  const unique = onceEach(tokens, ({ digest }) => digest);
  if (git === undefined || unique.length === 0) return undefined;
  return searchGit(host, git, unique);
}

/**
 * Reports each file with this repo's token that git tracks or does not ignore, with the step that removes it.
 *
 * @param said findings of the same run, whose files are not reported again.
 */
export function judgeExposed(
  all: readonly Known[],
  { files, ...rest }: ExposedFiles,
  said: readonly Finding[],
): readonly Finding[] {
  const git = all[0]?.repo.git?.git;
  if (git === undefined) return [];
  const known = new Set(said.map(({ where = "" }) => where.replace(/(:[\d,]+)?$/, "")));
  // Files that this plan adds to .gitignore.
  const coming = new Set(
    all.flatMap(({ config }) => ignoreRules(config).flatMap(({ probes }) => probes)),
  );
  const unsaid = files.filter(
    ({ path, state }) => !known.has(path) && !(state === "new" && coming.has(path)),
  );
  const named = unsaid.map((file) => inWorkTree(file, git));
  const others = (more: number) => {
    const message = `This repo's token is in ${more} more files that git tracks or does not ignore.`;
    return left(finding("leak.in-work-tree", message));
  };
  return [...capped(named, MOST_NAMED, others), ...notSearched(git, rest)];
}

/**
 * Warns if the token was read from a file of the repo that git tracks or does not ignore.
 *
 * @param input what standard input contained.
 */
export async function tokenFileInGit(
  host: GitSearchHost & Pick<Host, "inputFile">,
  git: Git | undefined,
  input: string | undefined,
): Promise<readonly Finding[]> {
  const isInput = host.inputFile();
  if (git === undefined || input === undefined || isInput === undefined) return [];
  const token = Secret.of(input, { kind: "stdin" }).tokenInText();
  if (!(token instanceof Secret)) return [];
  const { files } = await searchGit(host, git, [token]);
  return files
    .filter(({ path }) => isInput(path))
    .map((file) => {
      const { path, state } = file;
      const message = `The token came from ${path}, ${STATES[state]}.`;
      return finding("leak.token-file", message, { where: path, fix: wayOut(file, git.root) });
    });
}

/** An error about the repo's content, which does not block our changes. */
function left(found: Finding): Finding {
  return { ...found, isLeft: true };
}

const STATES = {
  committed: "which is committed to git",
  staged: "which is staged for the next commit",
  new: "which git does not ignore",
} as const;

function inWorkTree(file: ExposedFile, { root }: Git): Finding {
  const { path, token, state, line } = file;
  const where = line === undefined ? path : `${path}:${line}`;
  const message = `This repo's token (${token.fingerprint}) is in ${where}, ${STATES[state]}.`;
  return left(finding("leak.in-work-tree", message, { where, fix: wayOut(file, root) }));
}

/** The one step that removes the token from a file. */
function wayOut({ path, indexed, root, state, isTokenAlone }: ExposedFile, top: string): Hint {
  const inRepo = root === top ? [] : ["-C", { path: root }];
  const untrack = run("git", ...inRepo, "rm", "--cached", { path: indexed });
  if (state === "committed") {
    const then = isTokenAlone
      ? hint`Then: ${untrack}`
      : hint`Then remove it from ${basename(path)}.`;
    return hint`Anyone with a clone has the token, so rotate it first: ${own("rotate", "--revoke")}. ${then}`;
  }
  if (!isTokenAlone) return hint`Remove the token from ${basename(path)}.`;
  return state === "staged" ? hint`${untrack}` : hint`Delete the file: ${{ remove: { path } }}`;
}

function notSearched(
  { root }: Git,
  { unread, denied, stopped }: Omit<ExposedFiles, "files">,
): Finding[] {
  const say = (message: string, fix: Hint, where = root) =>
    finding("leak.not-searched", message, { where, fix });
  const lookYourself = hint`Check yourself whether the token is in there.`;
  const named = unread.map(({ path, why }) =>
    say(`Could not search ${path} for the token: it is ${why}.`, lookYourself, path),
  );
  const others = (more: number) =>
    say(`${more} more files were not searched for the token.`, lookYourself);
  return [
    ...capped(named, MOST_NAMED, others),
    ...(denied.length === 0
      ? []
      : [
          say(
            `git has no permission to read ${few(denied)}, so it was not searched for the token.`,
            hint`Fix the permissions or run do-bootstrap as a user who can read it.`,
          ),
        ]),
    ...(stopped === undefined
      ? []
      : [
          say(
            `The search of git for the token stopped early: ${stopped}.`,
            hint`${own("check", "--history")} searches everything.`,
          ),
        ]),
  ];
}
