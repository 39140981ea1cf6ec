import { join } from "node:path";
import { type Git, outputOf } from "../../concerns/git/git.ts";
import { textAt } from "../../core/file-text.ts";
import type { Finding } from "../../core/finding.ts";
import { recognise } from "../../core/generated.ts";
import { AppError } from "../../errors/app-error.ts";
import { hint, own, run } from "../../errors/hint.ts";
import type { Host } from "../../host/host.ts";
import type { Facts } from "../init/observe.ts";
import { githubPath } from "./files.ts";
import { finding } from "./findings.ts";

/** The branches that git knows on this machine. The remote is not asked. */
export interface Branches {
  readonly local: ReadonlySet<string>;
  /** The branches of each remote when it was last fetched, by the remote's name. */
  readonly remote: ReadonlyMap<string, ReadonlySet<string>>;
  /** The default branch of each remote, if git has recorded it. */
  readonly heads: ReadonlyMap<string, string>;
  /** The current branch, even before its first commit. */
  readonly current: string | undefined;
}

const FORMAT = "%(refname)%00%(symref)%00%(HEAD)";
const LOCAL = "refs/heads/";
const REMOTE = "refs/remotes/";

/** @throws AppError GIT_FAILED */
export async function branchesOf(git: Git): Promise<Branches> {
  const text = await outputOf(git, ["for-each-ref", `--format=${FORMAT}`, LOCAL, REMOTE]);
  const found = readBranches(text);
  if (found.local.size > 0) return found;
  // A branch without a commit has no ref. Exit status 1: HEAD is not on a branch.
  const head = await outputOf(git, ["symbolic-ref", "--quiet", "HEAD"], { fine: [0, 1] });
  const current = head.startsWith(LOCAL) ? head.slice(LOCAL.length).trimEnd() : undefined;
  return { ...found, current };
}

/** Reads the output of for-each-ref, one ref per line. */
export function readBranches(text: string): Branches {
  const refs = text.split("\n").map((line) => line.split("\0"));
  const heads = new Map<string, string>();
  for (const [name = "", target = ""] of refs) {
    const remote = name.replace(/\/HEAD$/, "");
    if (remote === name || !target.startsWith(`${remote}/`)) continue;
    heads.set(remote.slice(REMOTE.length), target.slice(remote.length + 1));
  }
  const local = new Set<string>();
  const remote = new Map<string, Set<string>>();
  let current: string | undefined;
  for (const [name = "", target, head] of refs) {
    if (name.startsWith(LOCAL)) {
      local.add(name.slice(LOCAL.length));
      if (head === "*") current = name.slice(LOCAL.length);
    } else if (name.startsWith(REMOTE) && target === "") {
      const rest = name.slice(REMOTE.length);
      // A remote's name may contain a slash.
      const known = [...heads.keys()].find((each) => rest.startsWith(`${each}/`));
      const owner = known ?? rest.split("/", 1)[0] ?? "";
      const branch = rest.slice(owner.length + 1);
      if (branch !== "") remote.set(owner, (remote.get(owner) ?? new Set()).add(branch));
    }
  }
  return { local, remote, heads, current };
}

/** Common names of default branches. */
const USUAL = ["main", "master", "trunk", "develop"];

/** The branch for pull requests, as far as git knows it without asking the remote. */
export function defaultBranch(branches: Branches): { name: string; isKnown: boolean } {
  const { local, remote, heads, current } = branches;
  const head = heads.get("origin") ?? onlyOne(heads.values());
  if (head !== undefined) return { name: head, isKnown: true };
  const ofRemote =
    remote.get("origin") ?? new Set([...remote.values()].flatMap((each) => [...each]));
  const isShared = ofRemote.size > 0;
  const all = isShared
    ? ofRemote
    : new Set([...local, ...(current === undefined ? [] : [current])]);
  const usual = USUAL.filter((name) => all.has(name));
  const [name] = usual;
  if (name !== undefined && usual.length === 1) return { name, isKnown: true };
  const isUsual = current !== undefined && usual.includes(current);
  return { name: (isUsual ? current : (name ?? current)) ?? "main", isKnown: false };
}

function onlyOne(names: Iterable<string>): string | undefined {
  const all = new Set(names);
  return all.size === 1 ? [...all][0] : undefined;
}

interface Asked {
  /** The value of --branch. */
  readonly wanted: string | undefined;
  /** The text of the existing pipeline. */
  readonly existing: string;
}

/**
 * The branch that GitHub applies: the value of --branch, or that of the existing pipeline, or the remote's default
 * branch.
 *
 * @throws AppError USAGE for an invalid branch name, or one that cannot be written into a pipeline.
 */
export function chooseBranch(
  branches: Branches,
  { wanted, existing }: Asked,
): { branch: string; findings: readonly Finding[] } {
  const given = wanted === undefined ? branchIn(existing) : checked(wanted);
  const { name, isKnown } = defaultBranch(branches);
  if (given !== undefined) {
    const isWanted = wanted !== undefined;
    const findings = isThere(branches, given) ? [] : [noBranch(branches, given, isWanted)];
    return { branch: given, findings };
  }
  const branch = checked(name);
  if (isKnown) return { branch, findings: [] };
  const remotes = [...branches.remote.keys()];
  const remote = remotes.includes("origin") ? "origin" : remotes[0];
  const message = `git does not know the remote's default branch, so the pipeline uses ${branch}.`;
  const other = hint`for another branch: ${own("ci", "github", "--branch", "NAME")}`;
  const fix =
    remote === undefined
      ? hint`If ${branch} is correct, do nothing; ${other}`
      : hint`${run("git", "remote", "set-head", remote, "--auto")} asks the remote. Then run this again; ${other}`;
  return { branch, findings: [finding("ci.branch-unknown", message, { fix })] };
}

/** The branch that the pipeline of this checkout applies on GitHub. @throws AppError those of chooseBranch */
export async function appliedBranch(
  { files }: Pick<Host, "files">,
  facts: Pick<Facts, "repo" | "config">,
): Promise<string> {
  const { top, git } = facts.repo;
  const existing = textAt(await files.look(join(top, githubPath(facts))))?.text ?? "";
  if (git === undefined) return branchIn(existing) ?? "main";
  return chooseBranch(await branchesOf(git.git), { wanted: undefined, existing }).branch;
}

/** Also true if nothing has been committed, since no branch exists yet. */
function isThere({ local, remote, heads, current }: Branches, name: string): boolean {
  if (local.size === 0 && remote.size === 0) return true;
  const all = [local, ...remote.values(), new Set(heads.values())];
  return name === current || all.some((each) => each.has(name));
}

/** A checkout of a single branch, as in CI, does not know the branch of the existing file. */
function noBranch(branches: Branches, name: string, isWanted: boolean): Finding {
  const message = `Branch ${name} exists neither here nor on a remote, so GitHub would never run the pipeline.`;
  const id = isWanted ? "ci.no-branch" : "ci.branch-unknown";
  const remote = branches.remote.has("origin") ? "origin" : [...branches.remote.keys()][0];
  const get =
    remote === undefined
      ? hint`to create the branch: ${run("git", "branch", name)}`
      : hint`if the remote has it: ${run("git", "fetch", remote, `${name}:refs/remotes/${remote}/${name}`)}`;
  const other = own("ci", "github", "--branch", defaultBranch(branches).name);
  return finding(id, message, { fix: hint`${other}; or, ${get}` });
}

/** git's rules: https://git-scm.com/docs/git-check-ref-format. */
const NO_NAME = /[\p{Cc} ~^:?*[\\]|\.\.|@\{|^[-/.]|\/[/.]|\.lock(\/|$)|[/.]$|^@$|^$/u;
/** A GitHub expression, or bytes that are not text. */
const UNWRITABLE = /\$\{\{|\uFFFD/;

function checked(name: string): string {
  const isName = !NO_NAME.test(name);
  if (isName && !UNWRITABLE.test(name)) return name;
  const message = isName
    ? `Branch name ${name} is not supported in a pipeline.`
    : `${name} is not a valid branch name.`;
  throw new AppError("USAGE", message, { hint: hint`Use another branch, such as --branch main` });
}

/** A YAML pattern for GitHub that matches only this branch. Whatever the name contains stays inside the quotes. */
export function branchPattern(name: string): string {
  const pattern = name.replace(/\+|^!/g, "\\$&");
  const escaped = Array.from(pattern, (each) => {
    if (/[ -~]/.test(each)) return /["\\]/.test(each) ? `\\${each}` : each;
    return `\\U${(each.codePointAt(0) ?? 0).toString(16).padStart(8, "0")}`;
  });
  return `"${escaped.join("")}"`;
}

/** The branch that one of our pipelines was written for. */
function branchIn(text: string): string | undefined {
  if (recognise(text) === "foreign") return undefined;
  const quoted = /^ +branches: \["?([^\r\n]*?)"?\]\r?$/m.exec(text)?.[1] ?? "";
  const pattern = quoted.replace(/\\(?:U([0-9a-f]{8})|(.))/g, (_, code?: string, each = "") =>
    code === undefined ? each : codePoint(Number.parseInt(code, 16)),
  );
  const name = pattern.replace(/\\(.)/g, "$1");
  return NO_NAME.test(name) || UNWRITABLE.test(name) ? undefined : name;
}

function codePoint(code: number): string {
  return code > 0x10ffff ? "\uFFFD" : String.fromCodePoint(code);
}
