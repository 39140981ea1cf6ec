import { askRepos, guardOf, wouldTake } from "../../concerns/git/repos.ts";
import { TOKEN_LIST } from "../../concerns/token/hosts.ts";
import { inspectOnce, inspectToken } from "../../concerns/token/inspect.ts";
import { judgeToken } from "../../concerns/token/judge.ts";
import { compareScopes, readNeeds } from "../../concerns/token/needed-scopes.ts";
import { revokeToken } from "../../concerns/token/revoke.ts";
import type { Inspection } from "../../concerns/token/verdict.ts";
import type { ApplyHost } from "../../core/change.ts";
import { type Finding, failureOf, findingsIn } from "../../core/finding.ts";
import { type Result, runTask, type Task } from "../../core/flow.ts";
import type { OutsideChange } from "../../core/outside-change.ts";
import { joined, type Plan } from "../../core/plan.ts";
import { AppError } from "../../errors/app-error.ts";
import { type Hint, hint, own, unset } from "../../errors/hint.ts";
import { chooseToken } from "../../exec/token-sources.ts";
import { describeOrigin, type Secret } from "../../secret/secret.ts";
import { cleanUp } from "../init/cleanup.ts";
import {
  type Asked,
  environmentsOf,
  type Many,
  type ObservedMany,
  observeMany,
  together,
} from "../init/environments.ts";
import type { Facts, ObserveOptions, ObservingHost } from "../init/observe.ts";
import type { Prompter } from "../init/prompter.ts";
import { judgeChanges, type RemoteSecret } from "../pipelines/remote-secrets.ts";
import { readStored } from "../pipelines/stored-secrets.ts";
import { finding } from "./findings.ts";
import {
  holdersIn,
  leftBehind,
  leftOutside,
  searchTree,
  treeAfter,
  unreached,
} from "./left-behind.ts";
import { heldByOthers } from "./other-environments.ts";
import {
  isWaitedFor,
  lookAtPipeline,
  type PipelineTokens,
  planPipeline,
  recordVersions,
  stillIn,
  withReceivers,
} from "./pipeline-secrets.ts";
import {
  differentTokens,
  groupsOf,
  type Member,
  oldTokens,
  purposeOf,
  type Rotation,
  readRecord,
  refuseChain,
  rotationKey,
} from "./rotation.ts";
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

export interface RotateRequest extends Asked, Pick<ObserveOptions, "minTtlSeconds" | "progress"> {
  /** The text of standard input, with --token-stdin. */
  readonly stdin: string | undefined;
  /** Accept a token of an unknown team, and one that expires sooner. */
  readonly force: boolean;
  /** Accept a token that can make changes where every branch of a pipeline gets it. */
  readonly acceptTokens: boolean;
  /** A person will be asked before anything is changed. */
  readonly isAsked: boolean;
  /** Ask DigitalOcean to revoke the old token. */
  readonly revoke: boolean;
  readonly dryRun: boolean;
}

type RotateHost = ObservingHost & ApplyHost;

/**
 * Writes a new token to every place that contains the old one, all or none. The fingerprint of the old token is first
 * kept in the user's state folder. If a run is killed, some places have the new token and some the old one, and the
 * next run recognises both. Environments with the same token get one new token. Those with different tokens each get
 * their own.
 *
 * @param ask asks for a new token. Only with a person at a terminal.
 * @throws AppError NO_TOKEN; USAGE for one new token for different old ones; those of runTask.
 */
export async function rotate(
  host: RotateHost,
  request: RotateRequest,
  { ask, approve }: Pick<Prompter<Facts>, "ask"> & Pick<Prompter<Many>, "approve">,
): Promise<Result<Many>> {
  const { minTtlSeconds, progress, dryRun, all: isAll = false } = request;
  const inspections = new Map<string, Promise<Inspection>>();
  let names: Awaited<ReturnType<typeof environmentsOf>> | undefined;
  let begun: Begun | undefined;
  const stored = new Map<RemoteSecret, string | undefined>();
  /** The new tokens of those rotations whose old token was not revoked. */
  const unrevoked = new Set<string>();
  let latest: Many | undefined;
  const task: Task<Many> = {
    async look() {
      names ??= await environmentsOf(host, request);
      const looked = await observeMany(host, names, { minTtlSeconds, progress, inspections });
      latest = looked.all;
      const places = await readPlaces(host, together(looked.all));
      begun ??= await begin(looked.all, places);
      return { facts: looked.all, plan: await planRotations(looked, places, begun) };
    },
    cleanUp: (all) => cleanUp(host, together(all)),
    journal: {
      begin({ facts: [{ config }] }) {
        for (const { environments, olds, token } of begun?.rotations ?? []) {
          const old = olds.map(({ fingerprint }) => fingerprint);
          const text = JSON.stringify({ old, new: token.fingerprint, revoke: request.revoke });
          for (const name of environments) host.state.write(rotationKey(config.base, name), text);
        }
      },
      end() {
        for (const rotation of begun?.rotations ?? []) {
          // The next run names what was not revoked.
          if (!unrevoked.has(rotation.token.fingerprint)) forget(rotation);
        }
      },
      isResumed: () => begun?.rotations.some(({ isResumed }) => isResumed) === true,
    },
    async probe({ facts, plan }) {
      const receivers = (begun?.rotations ?? []).flatMap((rotation) => rotation.receivers);
      const findings = await judgeChanges(receivers);
      return { facts, plan: joined([plan, { findings }]), warnings: [] };
    },
    afterwards: ([facts]) => recordVersions(host, facts, stored),
    guard: ([{ repo }]) => guardOf(host, repo.git?.git),
    inGit: (paths, [{ repo }]) => askRepos(host, repo.git?.git, paths),
    finish: ({ facts: [{ token }] }) =>
      request.revoke ? [] : stillValid(host, token.hosts, begun?.rotations ?? [], stored),
  };
  return runTask(task, host, approve, { dryRun, progress });

  async function begin(all: Many, places: readonly TokenPlace[]): Promise<Begun> {
    const held = places.flatMap(({ holds }) => holds);
    const pipeline = await pipelineOf(all, held);
    const isHeld = (fingerprint: string) => held.some((each) => each.fingerprint === fingerprint);
    const records = all.map(({ config }) => {
      const record = readRecord(host.state.read(rotationKey(config.base, config.environment)));
      // A rotation that was killed after its last write has nothing left to do.
      return { record, isUnfinished: record?.old.some(isHeld) === true };
    });
    const members = all.map(({ config: { environment }, token: { state } }, at): Member => {
      const { record, isUnfinished = false } = records[at] ?? {};
      // A login is rotated with the browser, one at a time.
      const current = state.kind === "found" && !state.token.isRenewed ? state.token : undefined;
      return { environment, current, unfinished: isUnfinished ? record : undefined };
    });
    const groups = groupsOf(members).map((group) => {
      const news = group.flatMap(({ unfinished }) => unfinished?.new ?? []);
      const [waited] = group
        .flatMap(({ current }) => current ?? [])
        .filter((token) => isWaitedFor(pipeline.tokens, token));
      const started = held.find(({ fingerprint }) => news.includes(fingerprint)) ?? waited;
      const isResumed = news.length > 0;
      return { group, isResumed, started: request.stdin === undefined ? started : undefined };
    });
    const isAsked = groups.some(({ started }) => started === undefined);
    if (isAsked && groups.length > 1 && (request.stdin !== undefined || ask === undefined)) {
      throw differentTokens(groups.map(({ group }) => group));
    }
    const begun: Omit<Rotation, "receivers" | "holders">[] = [];
    for (const { group, isResumed, started } of groups) {
      const environments = group.map(({ environment }) => environment);
      const [facts = all[0], ...more] = inEnvironments(all, environments);
      const token = started ?? (await newToken([facts, ...more], isAll ? group : undefined));
      const olds = oldTokens(group, held, token);
      begun.push({ environments, token, olds, isResumed });
    }
    refuseChain(begun);
    const rotations = withReceivers(pipeline.tokens, begun);
    const notRevoked = records.flatMap(({ record, isUnfinished }) =>
      !isUnfinished && record?.revoke ? record.old : [],
    );
    return { rotations, pipeline, notRevoked: [...new Set(notRevoked)] };
  }

  function pipelineOf(all: Many, held: readonly Secret[]): Promise<PipelineTokens> {
    const current = all.flatMap(({ token: { state } }) =>
      state.kind === "found" ? state.token : [],
    );
    const fingerprints = new Set([...held, ...current].map(({ fingerprint }) => fingerprint));
    const roots = all.flatMap(({ terraform }) => terraform.roots);
    return lookAtPipeline(host, { ...together(all), roots }, fingerprints, request.revoke);
  }

  /** Runs for other environments may also have started this rotation. */
  function forget({ environments, token }: Rotation): void {
    const [config] = latest?.map((each) => each.config) ?? [];
    if (config === undefined) return;
    for (const name of [undefined, ...config.environments]) {
      const key = rotationKey(config.base, name);
      const isOfIt = readRecord(host.state.read(key))?.new === token.fingerprint;
      if (isOfIt || environments.includes(name)) host.state.remove(key);
    }
  }

  function revocationIn(facts: Facts, rotation: Rotation, old: Secret): OutsideChange {
    const { token } = rotation;
    const whyNot = () => whyNotRevoked(rotation);
    const change = revocation(host, facts, { old, token, progress, whyNot });
    return {
      ...change,
      async apply() {
        const findings = await change.apply();
        if (findings.length > 0) unrevoked.add(token.fingerprint);
        return findings;
      },
    };
  }

  /** Why the old token must stay valid, as of the last look. */
  function whyNotRevoked(rotation: Rotation): string | undefined {
    const { environments, token } = rotation;
    const isRead = inEnvironments(latest ?? [], environments).every(
      ({ token: { state } }) => state.kind === "found" && state.token.equals(token),
    );
    return isRead ? stillIn(rotation, stored) : "this repo does not use the new token yet";
  }

  /** Excludes places that git does not ignore: no token is written there. */
  async function notTaken({ repo }: Facts, places: readonly TokenPlace[]): Promise<TokenPlace[]> {
    const paths = places.flatMap((place) => ("snapshot" in place ? place.snapshot.path : []));
    const verdicts = await askRepos(host, repo.git?.git, paths);
    return places.filter((place) => {
      const verdict = "snapshot" in place ? verdicts.get(place.snapshot.path) : undefined;
      return verdict === undefined || !wouldTake(verdict);
    });
  }

  /** @param group with --all: the environments that get the token. */
  async function newToken(
    [facts, ...more]: Many,
    group: readonly Member[] | undefined,
  ): Promise<Secret> {
    const team = facts.token.inspection?.team?.name ?? facts.config.team;
    const purpose = group && purposeOf(group, team);
    const asked = more.length === 0 ? facts : await withNeedsOf([facts, ...more]);
    const text = request.stdin ?? (await ask?.(asked, inspections, purpose));
    if (text === undefined) {
      throw new AppError("NO_TOKEN", "rotate needs the new token.", {
        hint: hint`… | ${own("rotate", ...(isAll ? ["--all"] : []), "--token-stdin")}`,
      });
    }
    const { config, machine } = facts;
    const nothing = { prompted: undefined, inCode: undefined, env: {}, environment: undefined };
    const envFile = { path: config.token.envFile, values: new Map<string, string>() };
    const given = chooseToken({ ...nothing, envFile, stdin: text, name: config.token.name });
    if (given.kind === "found") return given.token;
    const [wrong] = judgeToken({
      token: { state: given, inspection: undefined },
      config,
      machine,
    });
    throw wrong === undefined ? new AppError("NO_TOKEN", "No new token given.") : failureOf(wrong);
  }

  /** One token must have the scopes for the code of all of them. */
  async function withNeedsOf(all: Many): Promise<Facts> {
    const [{ config, token, ...facts }] = all;
    const dirs = new Set(all.flatMap((each) => each.config.roots.map(({ dir }) => dir)));
    const code = await readNeeds(host, { dirs: [...dirs], purpose: "apply", config });
    return { ...facts, config, token: { ...token, code } };
  }

  async function planRotations(
    { all, inEnvironment }: ObservedMany,
    places: readonly TokenPlace[],
    { rotations, pipeline, notRevoked }: Begun,
  ): Promise<Plan> {
    const said = ({ config }: Facts, findings: readonly Finding[]) =>
      isAll ? findingsIn(config.environment, findings) : findings;
    const byAnother = { findings: notRevoked.map(leftByAnother) };
    const running = rotations.filter(({ olds, receivers }) => olds.length + receivers.length > 0);
    // Environments outside the running rotations: they have no token, or already have the new one.
    const without = all.filter(
      ({ config }) =>
        !running.some(({ environments }) => environments.includes(config.environment)),
    );
    const noToken = without.flatMap((facts) => {
      const its = rotations.find((each) => each.environments.includes(facts.config.environment));
      const isAlone = running.length === 0;
      const isLogin = facts.config.token.doctl !== undefined;
      const isJudged = !isLogin && (its !== undefined || isAlone);
      return said(facts, isJudged ? judgeOld(facts, its?.token) : leftOut(facts));
    });
    const news = rotations.map(({ token }) => token);
    const olds = running.flatMap((rotation) => rotation.olds);
    const elsewhere = {
      findings: isAll
        ? []
        : heldByOthers(all[0].config, inEnvironment, places, {
            but: [...olds, ...news],
            as: "rotate",
          }),
    };
    if (running.length === 0) {
      const { findings } = pipeline.record;
      return joined([{ findings: [...noToken, ...findings] }, byAnother, elsewhere]);
    }
    const members = running.flatMap((rotation) =>
      inEnvironments(all, rotation.environments).map((facts) => ({ rotation, facts })),
    );
    const unwritten = members.filter(
      ({ facts, rotation }) => rotation.olds.length > 0 && !isWritten(facts),
    );
    if (request.revoke && unwritten.length > 0) {
      const findings = unwritten.flatMap(({ facts }) => said(facts, [notStored(facts)]));
      return joined([{ findings }]);
    }
    const facts = together(all);
    const tokenFor = (old: Secret) => {
      const its = running.find((rotation) => rotation.olds.some((each) => each.equals(old)));
      return its?.token ?? old;
    };
    progress("Searching the repo for the old token");
    const tree = await searchTree(host, facts, olds);
    const found = await placesFound(host, holdersIn(tree), places);
    const others = await notTaken(facts, found);
    const edits = joined([
      ...naming(others, olds).map((place) =>
        // Files that cannot be edited are reported at the end.
        changesOf(changePlace(facts, place, tokenFor)),
      ),
      ...naming(places, olds).map((place) => changePlace(facts, place, tokenFor)),
    ]);
    const words = {
      what: "The old token",
      todo: request.revoke
        ? hint`Replace it with the new token or remove it. Anything that uses the old token will stop working.`
        : hint`Replace it with the new token or remove it before you delete the old token.`,
    };
    const left = [
      ...all.flatMap((each) => leftOutside(each, olds, words)),
      ...leftBehind(treeAfter(tree, edits.changes, olds), places, words),
    ];
    progress("Asking DigitalOcean about both tokens");
    const inspect = inspectOnce(host, facts.token.hosts, inspections);
    const record = await readStored(host, facts.config.base);
    const judged = members.map(async ({ rotation: { token, olds: its }, facts: each }) => {
      const [now, ...before] = await Promise.all([token, ...its].map(inspect));
      return said(each, judgeNew(each, { token, now, before, force: request.force }));
    });
    return joined([
      { findings: (await Promise.all(judged)).flat() },
      { findings: noToken },
      { findings: [unreached(facts, REACH), ...unreadPlaces(facts, places)] },
      byAnother,
      { findings: left },
      elsewhere,
      edits,
      await planPipeline(host, facts, {
        ...{ pipeline, rotations: running, record, inspect, progress, stored },
        ...{ acceptTokens: request.acceptTokens, revoke: request.revoke, bounds: facts.repo },
        isAsked: request.isAsked || dryRun,
        configOf: (name) => configNamed(facts.config, inEnvironment, name),
      }),
      {
        outside: request.revoke
          ? running.flatMap((rotation) =>
              holding(places, rotation.olds).length === 0
                ? []
                : rotation.olds.map((old) => revocationIn(facts, rotation, old)),
            )
          : [],
      },
    ]);
  }
}

const REACH = hint`Put the new token there too before you delete the old one.`;

interface Begun {
  readonly rotations: readonly Rotation[];
  readonly pipeline: PipelineTokens;
  /** Fingerprints of old tokens that another run replaced but was killed before it revoked them. */
  readonly notRevoked: readonly string[];
}

/** @param name of an environment, as in the names of GitHub's environments. */
function configNamed(
  { environments }: Facts["config"],
  inEnvironment: ObservedMany["inEnvironment"],
  name: string,
): ReturnType<ObservedMany["inEnvironment"]> | undefined {
  if (environments.length === 0)
    return name === "digitalocean" ? inEnvironment(undefined) : undefined;
  return environments.includes(name) ? inEnvironment(name) : undefined;
}

function inEnvironments(
  all: readonly Facts[],
  environments: readonly (string | undefined)[],
): readonly Facts[] {
  return all.filter(({ config }) => environments.includes(config.environment));
}

/** There is nothing to replace: the new token is the current one, or there is no token. */
function judgeOld(
  { token: { state, inspection }, config, machine }: Facts,
  token: Secret | undefined,
): Finding[] {
  if (state.kind === "found" && token !== undefined) {
    const message = `This repo already has this token (${token.fingerprint}).`;
    return [
      finding("token.unchanged", message, {
        fix: hint`Create a new token, then run rotate again.`,
      }),
    ];
  }
  return judgeToken({ token: { state, inspection }, config, machine });
}

/** With --all: an environment without a token to rotate, next to others that have one. An error stops the run. */
function leftOut({ token: { state, inspection }, config, machine }: Facts): Finding[] {
  if (config.token.doctl !== undefined) {
    const { environment } = config;
    const which = environment === undefined ? [] : ["--env", environment];
    const message = "This environment uses a doctl browser login. To renew it, log in again.";
    const fix = hint`${own("rotate", ...which)}`;
    return [finding("environment.skipped", message, { fix })];
  }
  const found = judgeToken({ token: { state, inspection }, config, machine });
  if (state.kind === "missing") {
    return [
      finding("environment.no-token", "This environment has no token, so nothing is replaced."),
    ];
  }
  if (state.kind !== "unavailable") return found;
  // A token from a command cannot be replaced here.
  return found.map(({ message, fix }) => finding("environment.skipped", message, fix && { fix }));
}

/** The repo reads its token from a file that gets the new one, and nothing overrides it. */
function isWritten({ token: { state } }: Facts): boolean {
  return state.kind === "found" && state.token.origin.kind === "env-file";
}

/** The repo would still read the old token, so that must stay valid. */
function notStored({ token: { state } }: Facts): Finding {
  const origin = state.kind === "found" ? state.token.origin : undefined;
  const where = origin === undefined ? "an unknown source" : describeOrigin(origin);
  const message = `This repo reads its token from ${where}, which rotate can't change. Nothing was revoked.`;
  const fix =
    origin?.kind === "environment"
      ? hint`If a file also holds the token: ${unset(origin.name)} and run the same command again. Otherwise set the new token there, then delete the old one: ${TOKEN_LIST}`
      : hint`Put the new token there, then delete the old one: ${TOKEN_LIST}`;
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
    machine,
    token: { code },
  } = facts;
  const found = judgeToken({
    token: { state: { kind: "found", token, shadowed: [] }, inspection: now },
    config,
    machine,
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

/** @param isSure the config's team was already compared, or the user does not want the check. */
function judgeTeam(now: Inspection, old: Inspection, isSure: boolean): Finding[] {
  if (now.team !== undefined && old.team !== undefined) {
    if (now.team.uuid === old.team.uuid) return [];
    const message = `The new token belongs to team ${now.team.name}, the old one to ${old.team.name}.`;
    const fix = hint`Switch to the right team in the control panel and create the token there.`;
    return [finding("token.wrong-team", message, { fix })];
  }
  if (isSure) return [];
  const whose = now.team === undefined ? "new" : "old";
  const message = `Can't tell whether both tokens belong to the same team: the ${whose} token has no permission to read its account.`;
  return [
    finding("token.team-unknown", message, {
      fix: hint`If they do: ${own("rotate", "--force")}. Or set account.team in the config`,
    }),
  ];
}

function judgeLife(now: Inspection, old: Inspection): Finding[] {
  const [next, last] = [now.expiresInSeconds, old.expiresInSeconds];
  if (next === undefined || next === null || last === undefined) return [];
  if (last !== null && next >= last) return [];
  const message = "The new token expires sooner than the old one.";
  const fix = hint`Create a token that expires later. To accept it anyway: ${own("rotate", "--force")}`;
  return [finding("token.expires-sooner", message, { fix })];
}

/** The revocation cannot be undone, so it comes after the new token is stored and DigitalOcean accepts it. */
export function revocation(
  host: Pick<RotateHost, "http">,
  { token: { hosts } }: Pick<Facts, "token">,
  {
    old,
    token,
    progress,
    whyNot,
  }: {
    old: Secret;
    /** The new one. */
    token: Secret;
    /** Asked after everything is stored: why the old one must stay valid. */
    whyNot: () => string | undefined;
  } & Pick<RotateRequest, "progress">,
): OutsideChange {
  const why = `revoked at ${hosts.oauth.host}, once the new one is stored and works`;
  return {
    label: `token ${old.fingerprint}`,
    why,
    asked: `revoke the token ${old.fingerprint}`,
    json: () => ({ kind: "revoke", token: old.fingerprint, why }),
    async apply() {
      const reason = whyNot();
      if (reason !== undefined) return [stillAccepted(old, reason, reason)];
      progress("Asking DigitalOcean about the new token");
      const { state } = await inspectToken(host, hosts, token);
      if (state !== "alive")
        return [stillAccepted(old, "DigitalOcean did not confirm the new token")];
      progress("Revoking the old token");
      await revokeToken(host, hosts, old);
      const after = await inspectToken(host, hosts, old);
      if (after.state === "refused") return [];
      if (after.state === "alive") {
        return [stillAccepted(old, "DigitalOcean still accepts it")];
      }
      return [maybeRevoked(old)];
    },
  };
}

/** @param inUse why it must stay valid until the next rotate. */
function stillAccepted(
  { fingerprint }: Pick<Secret, "fingerprint">,
  why: string,
  inUse?: string,
): Finding {
  const message = `The old token (${fingerprint}) was not revoked: ${why}.`;
  return finding("token.not-revoked", message, { fix: deletionAfter(inUse) });
}

function deletionAfter(inUse: string | undefined): Hint {
  return inUse === undefined
    ? hint`Delete it: ${TOKEN_LIST}`
    : hint`First ${own("rotate")}. Then delete it: ${TOKEN_LIST}`;
}

function maybeRevoked({ fingerprint }: Secret): Finding {
  const message = `Can't tell whether the old token (${fingerprint}) was revoked: DigitalOcean did not answer.`;
  const fix = hint`If it is still listed, delete it: ${TOKEN_LIST}`;
  return finding("token.not-revoked", message, { fix });
}

function leftByAnother(fingerprint: string): Finding {
  return stillAccepted({ fingerprint }, "an earlier rotate ended before that");
}

/** Reports the state of the old tokens at DigitalOcean. */
async function stillValid(
  host: RotateHost,
  hosts: Facts["token"]["hosts"],
  rotations: readonly Rotation[],
  stored: Pick<ReadonlySet<RemoteSecret>, "has">,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const rotation of rotations) {
    const why = stillIn(rotation, stored);
    for (const old of rotation.olds) {
      const { state } = await inspectToken(host, hosts, old);
      if (state === "refused") continue;
      const is = state === "alive" ? "is" : "may be";
      const message = `The old token (${old.fingerprint}) ${is} still valid${why === undefined ? "" : `, and ${why}`}.`;
      findings.push(finding("token.still-valid", message, { fix: deletionAfter(why) }));
    }
  }
  return findings;
}
