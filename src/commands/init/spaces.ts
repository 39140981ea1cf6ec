import { type AccessKey, keysApi } from "../../concerns/spaces/access-keys.ts";
import type { WantedKeys } from "../../concerns/spaces/facts.ts";
import { finding } from "../../concerns/spaces/findings.ts";
import { keysHere } from "../../concerns/spaces/in-files.ts";
import { type Begun, forgetKey, NOTHING_LEFT, note } from "../../concerns/spaces/journal.ts";
import { keyPrefix } from "../../concerns/spaces/plan.ts";
import type { MadeKeys, ProvisionHost, ProvisionRequest } from "../../concerns/spaces/provision.ts";
import { usableToken } from "../../concerns/token/storing.ts";
import type { Finding } from "../../core/finding.ts";
import type { OutsideChange } from "../../core/outside-change.ts";
import { NOTHING, type PlanPart } from "../../core/plan.ts";
import { asAppError } from "../../errors/app-error.ts";
import { hint, own } from "../../errors/hint.ts";
import type { Host } from "../../host/host.ts";
import { listed } from "../../lib/few.ts";
import type { Facts } from "./observe.ts";
import type { Prompter } from "./prompter.ts";

export type KeysHost = ProvisionHost & Pick<Host, "files">;

/** Whether a plan without errors makes a Spaces key before its other changes. */
export function makesKeys({ spaces: { wanted, made, keys } }: Facts): boolean {
  return wanted !== undefined && made === undefined && keys.kind === "none";
}

/**
 * Asks a person whether to make a Spaces key, if the state needs one and there is none.
 *
 * @returns undefined after a no, or if there is nothing to ask.
 */
export async function askForKeys(
  ask: Prompter<never>["keys"],
  { config, token, spaces: { keys, wanted, buckets: all }, machine }: Facts,
): Promise<WantedKeys | undefined> {
  const buckets = all.map(({ bucket }) => bucket);
  const isAsked = wanted === undefined && keys.kind === "none" && keys.half === undefined;
  const canMake = buckets.length > 0 && !machine.isCi && usableToken(token) !== undefined;
  if (ask === undefined || !isAsked || !canMake) return undefined;
  const proposed = config.roots.some(({ backend }) => backend?.create);
  const answer = await ask({ buckets, proposed });
  return answer && { create: answer === "bucket" ? buckets : [] };
}

/** @returns what to make for the state; undefined without a usable token. */
export function requestFor({
  config,
  token,
  spaces: { wanted, buckets, unfinished },
}: Facts): ProvisionRequest | undefined {
  const secret = usableToken(token);
  if (secret === undefined) return undefined;
  return {
    ...{ base: config.base, environment: config.environment, envFiles: config.envFiles },
    ...{ token: secret, hosts: token.hosts, buckets, team: token.inspection?.team?.uuid },
    create: wanted?.create ?? [],
    begun: unfinished.flatMap((each) => each.buckets),
    prefix: keyPrefix(config, token.inspection?.email),
    envFile: config.token.envFile,
  };
}

/** The facts once a pair was made: as if it had been found. */
export function withMade(facts: Facts, made: MadeKeys): Facts {
  const keys = { kind: "keys", keys: made.keys, names: "SPACES", overrides: false } as const;
  return { ...facts, spaces: { ...facts.spaces, keys, made } };
}

/** What runs that were stopped have left, compared with the keys at DigitalOcean and on this machine. */
export interface LeftKeys {
  /** Keys to delete. */
  readonly keys: readonly { readonly key: AccessKey; readonly begun: Begun }[];
  /** Runs of which nothing is left but what is deleted here. */
  readonly done: readonly Begun[];
  readonly findings: readonly Finding[];
}

/** A request that had no answer may be carried out until then. */
const SETTLED_MS = 5 * 60_000;

/**
 * Asks DigitalOcean for the keys of runs that were stopped. A key in use stays. A key that such a run was to replace is
 * deleted only if the run's own key is in use.
 *
 * @returns nothing if no run was stopped, or without a usable token.
 * @throws AppError those of KeysApi.
 */
export async function findLeft(
  host: KeysHost,
  { config, token, spaces }: Facts,
): Promise<LeftKeys | undefined> {
  const secret = usableToken(token);
  const { unfinished } = spaces;
  if (unfinished.length === 0 || secret === undefined) return undefined;
  const listed = await keysApi(host, token.hosts, secret).list();
  const here = await keysHere(host, config, spaces);
  const team = token.inspection?.team?.uuid;
  const all = unfinished.map((begun) => judgeRun(begun));
  return {
    keys: all.flatMap(({ keys }) => keys),
    done: all.flatMap(({ done }) => done),
    findings: all.flatMap(({ findings }) => findings),
  };

  function judgeRun(begun: Begun): LeftKeys {
    const nothing = { keys: [], done: [] };
    if (begun.team !== undefined && team !== undefined && begun.team !== team) {
      return { ...nothing, findings: [ofOtherTeam(begun)] };
    }
    if (here.unread.length > 0) return { ...nothing, findings: [unreadable(begun, here.unread)] };
    const named = (names: readonly string[]) => listed.filter(({ name }) => names.includes(name));
    const own = named(begun.keys);
    const used = own.filter(({ id }) => here.holds(id));
    const olds = used.length > 0 ? named(begun.replaces) : [];
    const heldOlds = olds.filter(({ id }) => here.holds(id));
    if (heldOlds.length > 0) return { ...nothing, findings: [stillHeld([...used, ...heldOlds])] };
    const unseen = begun.keys.filter((name) => !own.some((key) => key.name === name));
    const isYoung = host.clock.now() - begun.since < SETTLED_MS;
    const keys = [...own.filter((key) => !used.includes(key)), ...olds];
    const isOpen = unseen.length > 0 && isYoung && used.length === 0;
    return {
      keys: keys.map((key) => ({ key, begun })),
      // Buckets stay noted until there is a key for them.
      done: isOpen ? [] : [begun],
      findings: isOpen ? [notListed(unseen)] : [],
    };
  }
}

/** Deletes what runs that were stopped have left. */
export function planLeft(host: KeysHost, facts: Facts, left: LeftKeys | undefined): PlanPart {
  const token = usableToken(facts.token);
  if (left === undefined || token === undefined) return NOTHING;
  const {
    token: { hosts },
  } = facts;
  const why = "left by a run that was stopped";
  const outside = left.keys.map(
    ({ key: { name, id } }): OutsideChange => ({
      ...{ label: `Spaces key ${name}`, why, asked: `delete the Spaces key ${name}` },
      json: () => ({ kind: "spaces-key-removal", name, why }),
      async apply() {
        try {
          await keysApi(host, hosts, token).remove(id);
          await forgetKey(host, facts.config, name);
          return [];
        } catch (error) {
          const { message, hint: fix = hint`Run ${own()} again.` } = asAppError(error);
          return [
            finding("spaces.not-deleted", `Spaces key ${name} is not deleted. ${message}`, { fix }),
          ];
        }
      },
    }),
  );
  return { outside, findings: left.findings };
}

/** Forgets the runs of which nothing is left. A bucket is forgotten once this machine has a key for it. */
export async function forgetLeft(
  host: ProvisionHost,
  facts: Facts,
  left: LeftKeys | undefined,
): Promise<void> {
  const hasKeys = facts.spaces.keys.kind === "keys";
  for (const begun of left?.done ?? []) {
    const deleted = left?.keys.filter((each) => each.begun === begun).map(({ key }) => key.name);
    const isFailed = (name: string) => deleted?.includes(name) === true;
    // A key that could not be deleted is still noted: planLeft takes its name out.
    await note(host, placeOf(facts, begun), begun.tag, ({ keys, replaces, buckets }) => ({
      ...NOTHING_LEFT,
      keys: keys.filter(isFailed),
      replaces: replaces.filter(isFailed),
      buckets: hasKeys ? [] : buckets,
    }));
  }
}

/**
 * Deletes a key that this run has made and could not store. A key that an env file holds stays: then the run failed
 * after it was stored.
 *
 * @returns what may be left at DigitalOcean, as text.
 */
export async function takenBack(
  host: KeysHost,
  request: ProvisionRequest,
  { tag, name, keys, buckets }: MadeKeys,
): Promise<string[]> {
  // Also after Ctrl-C.
  const here = await keysHere({ files: host.files.steady }, request, { keys: { kind: "none" } });
  if (here.holds(keys.id)) return [];
  const { takeBack } = await import("../../concerns/spaces/provision.ts");
  const left = await takeBack(host, request, { tag, names: [name], buckets });
  return [...left, ...buckets.map((bucket) => `bucket ${bucket}`)];
}

export function stillAtDigitalOcean(left: readonly string[]): Finding[] {
  if (left.length === 0) return [];
  const message = `Still at DigitalOcean: ${listed(left)}. The next run goes on with it.`;
  return [finding("spaces.unfinished", message)];
}

function placeOf({ config: { base } }: Facts, { environment }: Begun) {
  return { base, environment };
}

function ofOtherTeam({ keys, buckets }: Begun): Finding {
  const what = [
    ...keys.map((name) => `Spaces key ${name}`),
    ...buckets.map((name) => `bucket ${name}`),
  ];
  const message = `A run that was stopped may have left these in another team: ${listed(what)}.`;
  const fix = hint`Run ${own()} with a token of that team.`;
  return finding("spaces.not-deleted", message, { fix });
}

function unreadable({ keys }: Begun, files: readonly string[]): Finding {
  const message = `Spaces keys of a run that was stopped are not deleted (${listed(keys)}): ${listed(files)} could not be read, and may hold one.`;
  const fix = hint`Make the file readable, then run ${own()} again.`;
  return finding("spaces.not-deleted", message, { fix });
}

/** The request may still be carried out. */
function notListed(names: readonly string[]): Finding {
  const message = `A run that was stopped asked DigitalOcean to create ${listed(names)}. It is not listed, but may still appear.`;
  const fix = hint`Run ${own()} again in 5 minutes.`;
  return finding("spaces.unfinished", message, { fix });
}

/** A rotation was stopped between two env files. */
function stillHeld(keys: readonly AccessKey[]): Finding {
  const names = listed(keys.map(({ name }) => name));
  const message = `The env files hold different Spaces keys of a rotation that was stopped: ${names}.`;
  const fix = hint`${own("rotate", "--spaces")}`;
  return finding("spaces.not-deleted", message, { fix });
}
