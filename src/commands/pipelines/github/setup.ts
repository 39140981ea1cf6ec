import { NOTHING_LEFT, note } from "../../../concerns/spaces/journal.ts";
import { judgeKeyScopes, judgeUnfinished, keyPrefix } from "../../../concerns/spaces/plan.ts";
import {
  type MadeKeys,
  type ProvisionRequest,
  provision,
  takeBack,
  withLeft,
} from "../../../concerns/spaces/provision.ts";
import { whyUnusable } from "../../../concerns/token/judge.ts";
import { usableToken } from "../../../concerns/token/storing.ts";
import type { Finding } from "../../../core/finding.ts";
import type { OutsideChange } from "../../../core/outside-change.ts";
import { AppError, asAppError } from "../../../errors/app-error.ts";
import { type Hint, hint, own } from "../../../errors/hint.ts";
import { listed } from "../../../lib/few.ts";
import type { Facts } from "../../init/observe.ts";
import type { KeysHost } from "../../init/spaces.ts";
import { finding } from "../findings.ts";
import { judgeChange, judgeReplaced } from "../secret-store.ts";
import {
  forgotten,
  isDue,
  isNotSet,
  isSame,
  nameOf,
  type StoredSecret,
  stateOf,
  withNew,
} from "../stored-secrets.ts";
import {
  bodyOf,
  environmentPath,
  githubStore,
  judgeBranches,
  type SeenEnvironment,
  seeEnvironment,
  settingsOf,
} from "./environment.ts";
import type { Place } from "./places.ts";
import { fullName, keyOf } from "./remotes.ts";
import type { Target } from "./repo.ts";
import type { PipelineToken } from "./tokens.ts";

/** A place, and what GitHub has of it. */
export interface Seen extends SeenEnvironment {
  readonly place: Place;
  /** The names of the secrets that GitHub lacks, or that should hold something newer (stored-secrets.ts). */
  readonly due: ReadonlySet<string>;
}

/** @throws AppError GH_FAILED */
export function seeAll(
  target: Target,
  places: readonly Place[],
  stored: readonly StoredSecret[],
): Promise<readonly Seen[]> {
  return Promise.all(
    places.map(async (place) => {
      const seen = await seeEnvironment(target, place.name);
      const due = [place.tokenSecret, ...(place.keySecrets ?? [])].filter((name) => {
        const listed = seen.secrets.get(name);
        const entry = stored.find((each) => isSame(each, inPlace(target, place, name)));
        // A secret that somebody else has stored is left alone.
        return entry === undefined ? listed === undefined : isDue(stateOf(entry, listed));
      });
      return { ...seen, place, due: new Set(due) };
    }),
  );
}

function inPlace({ repo }: Pick<Target, "repo">, place: Place, name: string) {
  return { kind: "github", repo: keyOf(repo), environment: place.name, name } as const;
}

/** Asks GitHub again after a person was asked. @throws AppError GH_FAILED */
export async function judgeAgain({ target, seen }: Setup): Promise<readonly Finding[]> {
  const all = seen.map(({ place, ...before }) =>
    judgeChange(githubStore(target, place.name), before),
  );
  return (await Promise.all(all)).flat();
}

/** Whether GitHub lacks the token of a place. With `renew`, all are replaced. */
export function lacksToken(seen: Seen, renew: boolean): boolean {
  return renew || seen.due.has(seen.place.tokenSecret);
}

/** Whether GitHub lacks the Spaces key of a place, and do-bootstrap can create it. */
export function lacksKey(seen: Seen, renew: boolean): boolean {
  const { keySecrets } = seen.place;
  return keySecrets !== undefined && (renew || keySecrets.some((name) => seen.due.has(name)));
}

export interface Setup {
  readonly target: Target;
  /** What the secrets of all repos should hold. */
  readonly stored: readonly StoredSecret[];
  readonly seen: readonly Seen[];
  /** The branch that is applied. */
  readonly branch: string;
  /** Those that were asked for; empty in a dry run. */
  readonly tokens: readonly PipelineToken[];
  /** The facts of a place's environment, with the token that creates Spaces keys. */
  readonly factsOf: (place: Place) => Facts | undefined;
  readonly renew: boolean;
  /** The command for the next run. */
  readonly again: Hint;
  readonly progress: (what: string) => void;
  /** Changed while the steps are carried out. */
  readonly course: {
    /** After the first failure, the rest is left. */
    hasFailed: boolean;
    readonly findings: Finding[];
  };
}

/** What is wrong before anything is done, and before a person is asked for tokens. */
export function judgeSetup(setup: Omit<Setup, "tokens">): readonly Finding[] {
  const { target, stored, seen, renew, factsOf } = setup;
  const lacking = seen.filter((each) => lacksKey(each, renew));
  const makers = [...new Set(lacking.flatMap(({ place }) => factsOf(place) ?? []))];
  return [
    ...forgotten(
      "git remote",
      stored.filter((each) => !isNamed(target, each)),
    ),
    ...seen.flatMap((each) => judgeEnvironment(setup, each)),
    ...makers.flatMap(judgeKeyMaker),
    // The journal is that of all environments.
    ...makers.slice(0, 1).flatMap(judgeUnfinished),
  ];
}

/** The steps on GitHub, in order. */
export function stepsFor(host: KeysHost, setup: Setup): readonly OutsideChange[] {
  return setup.seen.flatMap((each) => stepsOf(host, setup, each));
}

/** An environment that exists is not changed: its rules are its owner's. */
function judgeEnvironment(
  { target, branch }: Pick<Setup, "target" | "branch">,
  { place, ...seen }: Seen,
): Finding[] {
  if (place.purpose === "plan" || !seen.isThere) return [];
  const open = judgeBranches({ name: place.name, repo: target.repo.name, branch }, seen);
  if (open.length > 0 || seen.hasReviewers) return open;
  const message = `Environment ${place.name} has no required reviewers, so every push to ${branch} is applied.`;
  const fix = hint`${settingsOf(place.name)}: Required reviewers (in a private repo, these need GitHub Enterprise)`;
  return [finding("ci.no-reviewers", message, { fix })];
}

/** The repo's own token creates the Spaces keys. */
function judgeKeyMaker(facts: Facts): Finding[] {
  if (usableToken(facts.token) !== undefined) return judgeKeyScopes(facts.token);
  return whyUnusable(facts).map((each) => ({
    ...each,
    message: `For the pipeline's Spaces keys: ${each.message}`,
  }));
}

interface Step extends Pick<OutsideChange, "label" | "why" | "asked"> {
  /** The JSON of its own, in documents. */
  readonly json: {
    readonly kind: string;
    readonly names?: readonly string[];
    readonly branch?: string;
  };
  act(): Promise<void>;
}

function stepsOf(host: KeysHost, setup: Setup, seen: Seen): OutsideChange[] {
  const { target, branch, tokens, renew, again, course } = setup;
  const { place, isThere, branches, secrets } = seen;
  const { gh, repo, me } = target;
  const where = `on ${repo.host}, ${repo.name}`;
  const path = environmentPath(target, place.name);
  const steps = [
    ...(isThere ? [] : [environment()]),
    ...(place.purpose === "apply" && branches.length === 0 ? [onlyBranch()] : []),
    ...(lacksToken(seen, renew) ? [token()] : []),
    ...(lacksKey(seen, renew) ? [key(place.keySecrets ?? [])] : []),
  ];
  return steps.map(({ json, act, ...change }) => ({
    ...{ ...change, sign: "+" },
    json: () => ({
      ...json,
      ...{ repo: fullName(repo), environment: place.name, why: change.why },
    }),
    async apply() {
      if (course.hasFailed) return [notDone(change.label, "an earlier step failed", again)];
      setup.progress(`Setting up ${place.name} on GitHub`);
      try {
        await act();
        return [];
      } catch (error) {
        course.hasFailed = true;
        const { code, message, hint: fix = again } = asAppError(error);
        if (code === "INTERRUPTED") throw error;
        return [notDone(change.label, message.replace(/\.$/, ""), fix)];
      }
    },
  }));

  function environment(): Step {
    const reviewed =
      place.purpose === "apply" ? `; reviewed by ${me.login}, if GitHub allows it here` : "";
    return {
      label: `environment ${place.name}`,
      why: `${where}${reviewed}`,
      asked: `create environment ${place.name} ${where}`,
      json: { kind: "github-environment" },
      act: create,
    };
  }

  async function create(): Promise<void> {
    if (place.purpose === "plan") return void bodyOf(await gh.api("PUT", path, {}), NEEDS_A_PLAN);
    // Closed to all branches until the next step opens it for one.
    const policy = { protected_branches: false, custom_branch_policies: true };
    const limited = { deployment_branch_policy: policy };
    const reviewers = [{ type: "User", id: me.id }];
    const answer = await gh.api("PUT", path, { ...limited, reviewers });
    // A private repo has reviewers only with GitHub Enterprise.
    const isRefused = answer.status === 422;
    bodyOf(isRefused ? await gh.api("PUT", path, limited) : answer, NEEDS_A_PLAN);
    if (isRefused) course.findings.push(noReviewers(place, branch));
  }

  function onlyBranch(): Step {
    return {
      label: `branch ${branch}`,
      why: `the only one that gets the secrets of ${place.name}`,
      asked: `allow branch ${branch} to use ${place.name}`,
      json: { kind: "github-branch", branch },
      async act() {
        bodyOf(await gh.api("POST", `${path}/deployment-branch-policies`, { name: branch }));
      },
    };
  }

  function token(): Step {
    const given = tokens.find((each) => each.place === place)?.token;
    const replaces = secrets.has(place.tokenSecret) ? ", replaces another" : "";
    return {
      label: `secret ${place.tokenSecret}`,
      why: `in ${place.name}${replaces}${given === undefined ? "" : `; token ${given.fingerprint}`}`,
      asked: `store the token of ${place.name}`,
      json: { kind: "github-secret", names: [place.tokenSecret] },
      async act() {
        if (given === undefined) throw new AppError("NO_TOKEN", "No token was given.");
        await gh.setSecret(place.tokenSecret, place.name, given);
      },
    };
  }

  function key(names: readonly string[]): Step {
    const can = place.purpose === "plan" ? "reads" : "reads and writes";
    const replaces = hadKey() ? ", replace others" : "";
    return {
      label: `secrets ${listed(names)}`,
      why: `in ${place.name}${replaces}; a new Spaces key that ${can} only ${listed(place.buckets.map(({ bucket }) => bucket))}`,
      asked: `create a Spaces key and store it in ${place.name}`,
      json: { kind: "github-secret", names },
      act: storeKey,
    };
  }

  /** GitHub has at least one half of a key, which may be valid. */
  function hadKey(): boolean {
    return place.keySecrets?.some((name) => secrets.has(name)) === true;
  }

  async function storeKey(): Promise<void> {
    const facts = setup.factsOf(place);
    const secret = facts && usableToken(facts.token);
    if (facts === undefined || secret === undefined || place.keySecrets === undefined) {
      throw new AppError("NO_TOKEN", "There is no token that can create a Spaces key.");
    }
    const { config, token } = facts;
    const request: ProvisionRequest = {
      ...{ base: config.base, environment: config.environment, envFiles: config.envFiles },
      ...{ token: secret, hosts: token.hosts, team: token.inspection?.team?.uuid },
      ...{ buckets: place.buckets, create: [], begun: [], envFile: config.token.envFile },
      grants: place.buckets.map(({ bucket }) => ({
        bucket,
        permission: PERMISSION[place.purpose],
      })),
      prefix: keyPrefix(config, `ci-${place.purpose}`),
    };
    const made = await provision(host, request, setup.progress);
    if (hadKey()) course.findings.push(oldKey(place));
    await handOver(request, made, place.keySecrets);
  }

  /**
   * The secret of an old pair is deleted first, and that of the new pair is stored last. So halves of two keys never look
   * like a pair, and a key that GitHub may hold completely is never deleted.
   */
  async function handOver(
    request: ProvisionRequest,
    { tag, name, keys }: MadeKeys,
    [ofId, ofSecret]: readonly [string, string],
  ): Promise<void> {
    try {
      if (secrets.has(ofSecret)) {
        bodyOf(await gh.api("DELETE", `${path}/secrets/${ofSecret}`));
      }
      await gh.setSecret(ofId, place.name, keys.id);
    } catch (error) {
      throw withLeft(error, await takeBack(host, request, { tag, names: [name], buckets: [] }));
    }
    await note(host, request, tag, () => NOTHING_LEFT);
    try {
      await gh.setSecret(ofSecret, place.name, keys.secret);
    } catch (error) {
      course.findings.push(unusedKey(name));
      throw error;
    }
  }
}

const PERMISSION = { plan: "read", apply: "readwrite" } as const;

const NEEDS_A_PLAN = hint`In a private repo, environments need GitHub Pro, Team or Enterprise.`;

function notDone(label: string, why: string, fix: Hint): Finding {
  return finding("ci.not-applied", `${label}: ${why}.`, { fix });
}

function noReviewers({ name }: Place, branch: string): Finding {
  const message = `GitHub allows no required reviewers for ${name} here: they need a public repo or GitHub Enterprise. Every push to ${branch} is applied.`;
  const fix = hint`Settings → Rules → Rulesets: for ${branch}, require a pull request with an approval`;
  return finding("ci.no-reviewers", message, { fix });
}

function unusedKey(name: string): Finding {
  const message = `Spaces key ${name} is not deleted: storing it failed, but GitHub may have it. If it does not, delete the key.`;
  return finding("ci.to-do", message, { fix: hint`${own("backend", "keys")}` });
}

function oldKey({ name }: Place): Finding {
  const message = `The Spaces key that ${name} had stays valid, because jobs may still use it. Delete it when they have ended.`;
  return finding("ci.to-do", message, { fix: hint`${own("backend", "keys")}` });
}

/** What the secrets of all repos should hold after this run. */
export function storedAfter({
  target,
  stored,
  seen,
  tokens,
  renew,
}: Setup): readonly StoredSecret[] {
  const news = seen.flatMap((each) => {
    const { place, secrets } = each;
    const names = [
      ...(lacksToken(each, renew) ? [place.tokenSecret] : []),
      ...(lacksKey(each, renew) ? (place.keySecrets ?? []) : []),
    ];
    const its = tokens.find((given) => given.place === place)?.token.fingerprint;
    return names.map((name) => ({
      ...{ ...inPlace(target, place, name), was: secrets.get(name) ?? null },
      token: name === place.tokenSecret ? its : undefined,
    }));
  });
  const isStored = (old: StoredSecret) =>
    seen.some(
      ({ place, secrets }) =>
        isSame(old, inPlace(target, place, old.name)) &&
        stateOf(old, secrets.get(old.name)) === "stored",
    );
  const kept = stored.filter((each) => isNamed(target, each));
  return withNew(kept, news, isStored);
}

/** A repo that the clone has left, or that was renamed, gets nothing any more. */
function isNamed({ repo, remotes }: Target, secret: StoredSecret): boolean {
  return secret.kind !== "github" || [keyOf(repo), ...remotes].includes(secret.repo);
}

/** The secrets of this run. */
export function newIn(setup: Setup): readonly StoredSecret[] {
  return storedAfter(setup).filter((each) => !setup.stored.includes(each));
}

/**
 * What GitHub lists as it was before was not stored.
 *
 * @param after what GitHub lists now; the error, if it could not be asked.
 */
export function judgeAfter(setup: Setup, after: VersionOf | AppError): Finding[] {
  const { again, course } = setup;
  if (course.hasFailed) return course.findings;
  const news = newIn(setup);
  const findings = [...course.findings, ...judgeReplaced(storedAfter(setup), news)];
  if (after instanceof AppError) {
    const why = after.message.replace(/\.$/, "");
    return [...findings, notDone("GitHub could not be asked what it stored", why, again)];
  }
  const missing = news.filter((each) => isNotSet(stateOf(each, after(each))));
  if (missing.length === 0) return findings;
  const names = missing.map(nameOf);
  return [...findings, notDone("Stored, but not listed by GitHub", listed(names), again)];
}

type VersionOf = (secret: StoredSecret) => string | undefined;
