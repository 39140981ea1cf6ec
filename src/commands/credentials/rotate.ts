import { askRepos, takerIn, wouldTake } from "../../concerns/git/repos.ts";
import { TOKEN_LIST } from "../../concerns/token/hosts.ts";
import { inspectOnce, inspectToken } from "../../concerns/token/inspect.ts";
import { judgeToken } from "../../concerns/token/judge.ts";
import { compareScopes } from "../../concerns/token/needed-scopes.ts";
import { revokeToken } from "../../concerns/token/revoke.ts";
import type { Inspection } from "../../concerns/token/verdict.ts";
import type { ApplyHost } from "../../core/change.ts";
import { type Finding, failureOf } from "../../core/finding.ts";
import { type Result, runTask, type Task } from "../../core/flow.ts";
import type { OutsideChange } from "../../core/outside-change.ts";
import { joined, type Plan } from "../../core/plan.ts";
import { AppError } from "../../errors/app-error.ts";
import { hint, own, unset } from "../../errors/hint.ts";
import { chooseToken } from "../../exec/token-sources.ts";
import type { StateKey } from "../../host/host.ts";
import { describeOrigin, type Secret } from "../../secret/secret.ts";
import { cleanUp } from "../init/cleanup.ts";
import { type Facts, type ObserveOptions, type ObservingHost, observe } from "../init/observe.ts";
import type { Prompter } from "../init/prompter.ts";
import { finding } from "./findings.ts";
import {
  holdersIn,
  leftBehind,
  leftOutside,
  searchTree,
  treeAfter,
  unreached,
} from "./left-behind.ts";
import {
  changePlace,
  changesOf,
  holding,
  naming,
  placesFound,
  readPlaces,
  type TokenPlace,
} from "./token-places.ts";
import { unreadPlaces } from "./unread-places.ts";

export interface RotateRequest
  extends Pick<ObserveOptions, "environment" | "minTtlSeconds" | "progress"> {
  /** The text of standard input, with --token-stdin. */
  readonly stdin: string | undefined;
  /** Take a token of a team that cannot be read, and one that expires sooner. */
  readonly force: boolean;
  /** Ask DigitalOcean to revoke the old one. */
  readonly revoke: boolean;
  readonly dryRun: boolean;
}

type RotateHost = ObservingHost & ApplyHost;

/**
 * Puts a new token in every place that holds the old one, or in none. Which token is old is written
 * down first, by its fingerprint, in the user's state folder: a run that was killed leaves some
 * places new and some old, and the next one knows them all.
 *
 * @param ask for the new token: with a person at a terminal only.
 * @throws AppError NO_TOKEN, and those of runTask.
 */
export async function rotate(
  host: RotateHost,
  request: RotateRequest,
  { ask, approve }: Pick<Prompter<Facts>, "ask" | "approve">,
): Promise<Result<Facts>> {
  const { environment, minTtlSeconds, progress, dryRun } = request;
  const inspections = new Map<string, Promise<Inspection>>();
  let rotation: Rotation | undefined;
  let latest: Facts | undefined;
  const task: Task<Facts> = {
    async look() {
      const { facts } = await observe(host, { environment, minTtlSeconds, progress, inspections });
      latest = facts;
      const places = await readPlaces(host, facts);
      rotation ??= await beginRotation(facts, places);
      return { facts, plan: await planRotation(facts, places, rotation) };
    },
    cleanUp: (facts) => cleanUp(host, facts),
    journal: {
      begin: () => {
        if (rotation === undefined) return;
        const { key, olds, token } = rotation;
        const old = olds.map(({ fingerprint }) => fingerprint);
        const { revoke } = request;
        host.state.write(key, JSON.stringify({ old, new: token.fingerprint, revoke }));
      },
      end: () => rotation && host.state.remove(rotation.key),
      isResumed: () => rotation?.isResumed === true,
    },
    whoTakes: (paths, { repo }) => takerIn(host, repo.git?.git, paths),
    inGit: (paths, { repo }) => askRepos(host, repo.git?.git, paths),
    finish: ({ facts }) => (request.revoke ? [] : stillValid(host, facts, rotation?.olds ?? [])),
  };
  return runTask(task, host, approve, { dryRun, progress });

  async function beginRotation(facts: Facts, places: readonly TokenPlace[]): Promise<Rotation> {
    const key = keyOf(facts);
    const record = readRecord(host.state.read(key));
    const held = places.flatMap(({ holds }) => holds);
    // One that was killed after its last write has nothing left to finish.
    const isResumed = held.some(({ fingerprint }) => record?.old.includes(fingerprint));
    const unfinished = isResumed ? record : undefined;
    const started = held.find(({ fingerprint }) => fingerprint === unfinished?.new);
    const isGiven = request.stdin === undefined && started !== undefined;
    const token = isGiven ? started : await newToken(facts);
    const olds = oldTokens(facts, places, { token, unfinished });
    const notRevoked = isResumed || record?.revoke !== true ? [] : record.old;
    return { key, token, olds, isResumed, notRevoked };
  }

  /** What the last look found that the repo reads: the new token, or another. */
  function isRead(token: Secret): boolean {
    const state = latest?.token.state;
    return state?.kind === "found" && state.token.equals(token);
  }

  /** A token is not written where git would take it. */
  async function notTaken({ repo }: Facts, places: readonly TokenPlace[]): Promise<TokenPlace[]> {
    const paths = places.flatMap((place) => ("snapshot" in place ? place.snapshot.path : []));
    const verdicts = await askRepos(host, repo.git?.git, paths);
    return places.filter((place) => {
      const verdict = "snapshot" in place ? verdicts.get(place.snapshot.path) : undefined;
      return verdict === undefined || !wouldTake(verdict);
    });
  }

  async function newToken(facts: Facts): Promise<Secret> {
    const text = request.stdin ?? (await ask?.(facts, inspections));
    if (text === undefined) {
      throw new AppError("NO_TOKEN", "rotate needs the new token.", {
        hint: hint`… | ${own("rotate", "--token-stdin")}`,
      });
    }
    const { config } = facts;
    const nothing = { prompted: undefined, inCode: undefined, env: {}, environment: undefined };
    const envFile = { path: config.token.envFile, values: new Map<string, string>() };
    const given = chooseToken({ ...nothing, envFile, stdin: text, name: config.token.name });
    if (given.kind === "found") return given.token;
    const [wrong] = judgeToken({ token: { state: given, inspection: undefined }, config });
    throw wrong === undefined
      ? new AppError("NO_TOKEN", "There is no new token.")
      : failureOf(wrong);
  }

  async function planRotation(
    facts: Facts,
    places: readonly TokenPlace[],
    { olds, token, notRevoked }: Rotation,
  ): Promise<Plan> {
    const byAnother = { findings: notRevoked.map(leftByAnother) };
    if (olds.length === 0) return joined([{ findings: judgeOld(facts, token) }, byAnother]);
    if (request.revoke && !isWritten(facts)) return joined([{ findings: [notStored(facts)] }]);
    const { force } = request;
    progress("Searching the repo for the old token");
    const tree = await searchTree(host, facts, olds);
    const found = await placesFound(host, holdersIn(tree), places);
    const others = await notTaken(facts, found);
    const edits = joined([
      ...naming(others, olds).map((place) =>
        // What cannot be edited is named at the end.
        changesOf(changePlace(facts, place, token)),
      ),
      ...naming(places, olds).map((place) => changePlace(facts, place, token)),
    ]);
    const words = {
      what: "The old token",
      todo: request.revoke
        ? hint`Put the new one there, or take it out: what uses the old one stops working.`
        : hint`Put the new one there, or take it out, before the old one is deleted.`,
    };
    const left = [
      ...leftOutside(facts, olds, words),
      ...leftBehind(treeAfter(tree, edits.changes, olds), places, words),
    ];
    const held = holding(places, olds);
    progress("Asking DigitalOcean about both tokens");
    const inspect = inspectOnce(host, facts.token.hosts, inspections);
    const [now, ...before] = await Promise.all([token, ...olds].map(inspect));
    return joined([
      { findings: judgeNew(facts, { token, now, before, force }) },
      { findings: [unreached(facts, REACH), ...unreadPlaces(facts, places)] },
      byAnother,
      { findings: left },
      edits,
      {
        outside:
          request.revoke && held.length > 0
            ? olds.map((old) => revocation(host, facts, { old, token, progress, isRead }))
            : [],
      },
    ]);
  }
}

const REACH = hint`Put the new token there too, before the old one is deleted.`;

/** What one rotation is about, from its first look on. */
interface Rotation {
  readonly key: StateKey;
  /** The new token. */
  readonly token: Secret;
  readonly olds: readonly Secret[];
  /** A run before this one was killed in the middle of it. */
  readonly isResumed: boolean;
  /** Fingerprints of what another run stored the new one for, and was killed before it revoked. */
  readonly notRevoked: readonly string[];
}

interface Unfinished {
  readonly old: readonly string[];
  readonly new: string;
  readonly revoke: boolean;
}

function keyOf({ config }: Facts): StateKey {
  return { kind: "rotation", folder: config.base, name: config.environment ?? "" };
}

function readRecord(text: string | undefined): Unfinished | undefined {
  if (text === undefined) return undefined;
  try {
    const { old, new: to, revoke } = JSON.parse(text) as Partial<Unfinished>;
    const isRecord = Array.isArray(old) && typeof to === "string";
    return isRecord ? { old, new: to, revoke: revoke === true } : undefined;
  } catch {
    return undefined;
  }
}

/** The one that the repo uses, and those of a rotation that was not finished. */
function oldTokens(
  { token: { state } }: Facts,
  places: readonly TokenPlace[],
  { token, unfinished }: { token: Secret; unfinished: Unfinished | undefined },
): Secret[] {
  const current = state.kind === "found" ? [state.token] : [];
  const known = [...(unfinished?.old ?? []), unfinished?.new];
  const left = places
    .flatMap(({ holds }) => holds)
    .filter(({ fingerprint }) => known.includes(fingerprint));
  const all = [...current, ...left].filter((old) => !old.equals(token));
  return all.filter((old, at) => all.findIndex((each) => each.equals(old)) === at);
}

/** There is nothing to replace: it is the same token, or there is none. */
function judgeOld({ token: { state, inspection }, config }: Facts, token: Secret): Finding[] {
  if (state.kind === "found") {
    const message = `That is the token that this repo has (${token.fingerprint}).`;
    return [
      finding("token.unchanged", message, { fix: hint`Make a new one, and rotate to that.` }),
    ];
  }
  return judgeToken({ token: { state, inspection }, config });
}

/** The repo takes its token from a file that gets the new one, and from nothing that overrides it. */
function isWritten({ token: { state } }: Facts): boolean {
  return state.kind === "found" && state.token.origin.kind === "env-file";
}

/** Where the repo would still read the old token, it is the one that has to live. */
function notStored({ token: { state } }: Facts): Finding {
  const origin = state.kind === "found" ? state.token.origin : undefined;
  const where = origin === undefined ? "an unknown place" : describeOrigin(origin);
  const message = `This repo takes its token from ${where}, where rotate does not write: nothing is revoked.`;
  const fix =
    origin?.kind === "environment"
      ? hint`If a file has it, too: ${unset(origin.name)}, and run the same command again. Else put the new one there, then delete the old one: ${TOKEN_LIST}`
      : hint`Put the new one there, then delete the old one: ${TOKEN_LIST}`;
  return finding("token.not-stored", message, { fix });
}

function judgeNew(
  facts: Facts,
  {
    token,
    now,
    before,
    force,
  }: {
    token: Secret;
    now: Inspection | undefined;
    before: readonly Inspection[];
    force: boolean;
  },
): Finding[] {
  const {
    config,
    token: { code },
  } = facts;
  const found = judgeToken({
    token: { state: { kind: "found", token, shadowed: [] }, inspection: now },
    config,
  });
  if (now?.state !== "alive") return found;
  const lacking = code.actions.length === 0 ? undefined : compareScopes(now, code);
  return [
    ...found,
    ...(lacking?.findings ?? []),
    ...before.flatMap((old) => [
      ...judgeTeam(now, old, config.team !== undefined || force),
      ...(force ? [] : judgeLife(now, old)),
    ]),
  ];
}

/** @param isSure the team that config names was compared already, or nobody wants to know. */
function judgeTeam(now: Inspection, old: Inspection, isSure: boolean): Finding[] {
  if (now.team !== undefined && old.team !== undefined) {
    if (now.team.uuid === old.team.uuid) return [];
    const message = `The new token is of team ${now.team.name}, the old one of ${old.team.name}.`;
    const fix = hint`Switch to the right team in the control panel, and make the token there.`;
    return [finding("token.wrong-team", message, { fix })];
  }
  if (isSure) return [];
  const whose = now.team === undefined ? "new" : "old";
  const message = `Whether both tokens are of one team cannot be said: the ${whose} one's cannot be read.`;
  return [
    finding("token.team-unknown", message, {
      fix: hint`If they are: ${own("rotate", "--force")}; or name the team in the config: account.team`,
    }),
  ];
}

function judgeLife(now: Inspection, old: Inspection): Finding[] {
  const [next, last] = [now.expiresInSeconds, old.expiresInSeconds];
  if (next === undefined || next === null || last === undefined) return [];
  if (last !== null && next >= last) return [];
  const message = "The new token expires sooner than the old one.";
  const fix = hint`Make one that expires later; if this is meant: ${own("rotate", "--force")}`;
  return [finding("token.expires-sooner", message, { fix })];
}

/** What nobody can undo comes when the new token is stored, and DigitalOcean takes it. */
function revocation(
  host: RotateHost,
  { token: { hosts } }: Facts,
  {
    old,
    token,
    progress,
    isRead,
  }: {
    old: Secret;
    token: Secret;
    /** Whether the repo reads this token now. */
    isRead: (token: Secret) => boolean;
  } & Pick<RotateRequest, "progress">,
): OutsideChange {
  const why = `revoked at ${hosts.oauth.host}, once the new one is stored and works`;
  return {
    label: `token ${old.fingerprint}`,
    why,
    asked: `revoke the token ${old.fingerprint}`,
    json: () => ({ kind: "revoke", token: old.fingerprint, why }),
    async apply() {
      if (!isRead(token)) return [unrevoked(old, "this repo does not read the new one")];
      progress("Asking DigitalOcean about the new token");
      const { state } = await inspectToken(host, hosts, token);
      if (state !== "alive") return [unrevoked(old, "DigitalOcean does not confirm the new one")];
      progress("Revoking the old token");
      await revokeToken(host, hosts, old);
      const after = await inspectToken(host, hosts, old);
      if (after.state === "refused") return [];
      if (after.state === "alive") {
        return [unrevoked(old, "it is still valid on DigitalOcean's side")];
      }
      return [maybeRevoked(old)];
    },
  };
}

function unrevoked({ fingerprint }: Pick<Secret, "fingerprint">, why: string): Finding {
  const message = `The old token (${fingerprint}) was not revoked: ${why}.`;
  return finding("token.not-revoked", message, { fix: hint`Delete it: ${TOKEN_LIST}` });
}

function maybeRevoked({ fingerprint }: Secret): Finding {
  const message = `Whether the old token (${fingerprint}) is revoked cannot be said: DigitalOcean does not answer.`;
  const fix = hint`Look whether it is still there, and delete it: ${TOKEN_LIST}`;
  return finding("token.not-revoked", message, { fix });
}

function leftByAnother(fingerprint: string): Finding {
  return unrevoked({ fingerprint }, "an earlier rotate was stopped before that");
}

/** Says what the old tokens still are on DigitalOcean's side. */
async function stillValid(
  host: RotateHost,
  { token: { hosts } }: Facts,
  olds: readonly Secret[],
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const old of olds) {
    const { state } = await inspectToken(host, hosts, old);
    if (state === "refused") continue;
    const fix = hint`Delete it: ${TOKEN_LIST}`;
    const is = state === "alive" ? "is" : "may be";
    const message = `The old token (${old.fingerprint}) ${is} still valid on DigitalOcean's side.`;
    findings.push(finding("token.still-valid", message, { fix }));
  }
  return findings;
}
