import { dirname, join } from "node:path";
import type { ExecDoctl } from "../../exec/doctl.ts";
import type { TokenState } from "../../exec/token-sources.ts";
import type { Host, ToolSearch } from "../../host/host.ts";
import { isInside } from "../../lib/paths.ts";
import type { Secret } from "../../secret/secret.ts";
import type { ResolvedConfig } from "../config/resolved.ts";
import type { Git } from "../git/git.ts";
import { askRepos, type Verdict, wouldTake } from "../git/repos.ts";
import type { Inspection } from "../token/verdict.ts";
import type { DoctlConfig } from "./config-file.ts";
import { computedPath, findDoctlConfig, isSnap, knownDoctlConfig } from "./config-path.ts";
import { chooseContext, compare, type Holding, heldIn, plainContext } from "./context.ts";
import { contextsFor, execDoctlOf, holdersIn } from "./for-exec.ts";
import { isDue, type LoginHost, readLogin } from "./login-source.ts";
import { type DoctlConfigState, readConfig } from "./read-config.ts";

export interface DoctlFacts {
  readonly tool: string | undefined;
  /** undefined: the location of doctl's config is unknown. */
  readonly config:
    | {
        readonly path: string;
        readonly state: DoctlConfigState;
        /** Why a missing config cannot be created. */
        readonly blocked?: string | undefined;
      }
    | undefined;
  readonly target: DoctlTarget | undefined;
  /** The inspection of the token that plain doctl uses, if it is not our token and not in our context. */
  readonly plain?: Inspection | undefined;
  /** Set if doctl is confined by snap. */
  readonly snap: SnapDoctl | undefined;
  /** Set if doctl's config is in a git repo that tracks it or does not ignore it. */
  readonly taken: Verdict | undefined;
  /** The same facts that `exec` gets from a record. */
  readonly forExec: ExecDoctl | undefined;
}

/** doctl as a snap. It can read only below its own folder (docs/contracts/doctl.md 3.14). */
export interface SnapDoctl {
  /** DIGITALOCEAN_CONFIG names a file that the snap cannot read. */
  readonly isBlind: boolean;
  /** The config of an unconfined doctl, which the snap does not read. */
  readonly unread: string | undefined;
}

/** The context for our token, and what it holds. */
export interface DoctlTarget {
  readonly context: string;
  readonly holding: Holding;
  readonly holds: Secret | undefined;
  /** The context holds a browser login, which doctl renews. */
  readonly isRenewed: boolean;
}

/**
 * Inspects doctl: the executable, its config, and the context for our token.
 *
 * @param inspect asks DigitalOcean about a token.
 */
export async function observeDoctl(
  host: LoginHost,
  {
    git,
    config,
    token,
    tool,
    repo,
    asksOthers,
    inspect,
    progress,
  }: {
    /** The repo that we work in. */
    git: Git | undefined;
    /** Tools inside this folder are not run. */
    repo: string;
    /** Whether doctl may renew other logins, to find out whose they are. */
    asksOthers: boolean;
    config: ResolvedConfig;
    token: TokenState;
    tool: Promise<ToolSearch>;
    inspect: (secret: Secret) => Promise<Inspection>;
    progress: (what: string) => void;
  },
): Promise<DoctlFacts> {
  const search = await tool;
  const { path: doctl } = search;
  const path = await findDoctlConfig(host, search);
  const snap = await observeSnap(host, doctl, path);
  const nothing = execDoctlOf(host, search, {});
  if (path === undefined) {
    const none = { config: undefined, target: undefined, taken: undefined };
    return { ...none, tool: doctl, snap, forExec: nothing };
  }
  const state = await readConfig(host, path, progress);
  const isKnown = state.kind === "known" && knownDoctlConfig(host, search) !== undefined;
  const forExec = isKnown
    ? execDoctlOf(host, search, contextsFor(holdersIn(state.config), config))
    : nothing;
  const verdicts = await askRepos(host, git, [state.snapshot.target]);
  const taken = [...verdicts.values()].find(wouldTake);
  const { kind, target } = state.snapshot;
  const blocked = kind === "absent" ? await host.files.whyNotWritable(dirname(target)) : undefined;
  const found = { tool: doctl, config: { path, state, blocked }, snap, taken, forExec };
  if (state.kind === "broken" || token.kind !== "found") return { ...found, target: undefined };

  const known = state.config;
  const ours = { token: token.token, inspection: await inspect(token.token) };
  const configured = config.doctl === false ? undefined : config.doctl.context;
  // Without a valid token, nothing will be stored, so their tokens need no inspection.
  const isAsked = ours.inspection.state === "alive";
  const candidates = configured === undefined ? ["default", config.project] : [configured];
  const { now, ended } = await renewed(isAsked && asksOthers ? candidates : []);
  const holdingOf = async (context: string): Promise<Holding> => {
    if (ended.has(context)) return "dead";
    const held = heldIn(now, context);
    const { token: theirs } = held;
    const ask = isAsked && theirs !== undefined && !theirs.equals(token.token);
    return compare(ours, held, ask ? await inspect(theirs) : undefined);
  };
  const inDefault = configured === undefined ? await holdingOf("default") : "nothing";
  const context = chooseContext(configured, config.project, now, inDefault);
  const holding =
    context === "default" && configured === undefined ? inDefault : await holdingOf(context);
  const { token: holds, session } = heldIn(now, context);
  const plain = isAsked ? await plainAccount() : undefined;
  return { ...found, target: { context, holding, holds, isRenewed: session !== undefined }, plain };

  async function plainAccount(): Promise<Inspection | undefined> {
    const selected = plainContext(now, host.env);
    const theirs = now.contexts.get(selected);
    // DIGITALOCEAN_ACCESS_TOKEN overrides the token of the default context.
    const isGiven = selected === "default" && host.env["DIGITALOCEAN_ACCESS_TOKEN"];
    if (doctl === undefined || selected === context || isGiven) return undefined;
    return theirs === undefined || theirs.equals(ours.token) ? undefined : inspect(theirs);
  }

  /** Renews logins that are due: an expired token cannot tell whose login it is (docs/contracts/doctl-2.md 6.1). */
  async function renewed(
    contexts: readonly string[],
  ): Promise<{ now: DoctlConfig; ended: ReadonlySet<string> }> {
    const due = contexts.filter((context) => {
      const held = heldIn(known, context);
      return !held.token?.equals(ours.token) && isDue(held, host.clock.now());
    });
    const ended = new Set<string>();
    for (const context of due) {
      const question = { search, repo, context, isRenewed: true, progress };
      const answer = await readLogin(host, question);
      if ("why" in answer && answer.why === "ended") ended.add(context);
    }
    const again = due.length > 0 && path ? await readConfig(host, path, progress) : undefined;
    return { now: again?.kind === "known" ? again.config : known, ended };
  }
}

/** The tokens in doctl's config by context; empty if the config cannot be read. */
export async function doctlContexts(
  host: Parameters<typeof findDoctlConfig>[0] & Pick<Host, "files" | "steadyClock">,
  search: ToolSearch,
  progress: (what: string) => void,
): Promise<ReadonlyMap<string, Secret>> {
  const path = await findDoctlConfig(host, search);
  const state = path === undefined ? undefined : await readConfig(host, path, progress);
  return state?.kind === "known" ? state.config.contexts : new Map();
}

async function observeSnap(
  host: Pick<Host, "env" | "home" | "platform" | "files">,
  doctl: string | undefined,
  config: string | undefined,
): Promise<SnapDoctl | undefined> {
  if (doctl === undefined || !isSnap(doctl)) return undefined;
  const { env, home, files } = host;
  const isItsOwn =
    config !== undefined && home !== undefined && isInside(config, join(home, "snap"));
  if (env["DIGITALOCEAN_CONFIG"]) return { isBlind: !isItsOwn, unread: undefined };
  const usual = computedPath(host);
  const isElsewhere = usual !== undefined && usual !== config;
  const isThere = isElsewhere && (await files.look(usual)).kind === "file";
  return { isBlind: false, unread: isThere ? usual : undefined };
}
