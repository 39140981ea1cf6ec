import { askRepos, guardOf } from "../../concerns/git/repos.ts";
import { type AccessKey, keysApi } from "../../concerns/spaces/access-keys.ts";
import { finding } from "../../concerns/spaces/findings.ts";
import { keysInFiles, type PairInFile, pairsInFiles } from "../../concerns/spaces/in-files.ts";
import { forget } from "../../concerns/spaces/journal.ts";
import { KEY_NAME, keyPrefix } from "../../concerns/spaces/plan.ts";
import {
  afterFailure,
  type MadeKeys,
  type ProvisionRequest,
  provision,
} from "../../concerns/spaces/provision.ts";
import { judgeToken } from "../../concerns/token/judge.ts";
import { usableToken } from "../../concerns/token/storing.ts";
import type { ApplyHost } from "../../core/change.ts";
import type { Finding } from "../../core/finding.ts";
import { type Approve, type Look, type Result, runTask, type Task } from "../../core/flow.ts";
import type { OutsideChange } from "../../core/outside-change.ts";
import { joined, type Plan, type PlanPart } from "../../core/plan.ts";
import { asAppError } from "../../errors/app-error.ts";
import { hint, own } from "../../errors/hint.ts";
import { onceEach } from "../../lib/grouped.ts";
import { Secret } from "../../secret/secret.ts";
import { changePlace, naming, readPlaces } from "../credentials/token-places.ts";
import { cleanUp } from "../init/cleanup.ts";
import { type Facts, type ObserveOptions, type ObservingHost, observe } from "../init/observe.ts";

type RotateHost = ObservingHost & ApplyHost;

export interface RotateKeysRequest
  extends Pick<ObserveOptions, "environment" | "minTtlSeconds" | "progress"> {
  readonly dryRun: boolean;
}

/** What is replaced: the keys at DigitalOcean, and their pairs in this repo's env files. */
interface Old {
  readonly keys: readonly AccessKey[];
  readonly pairs: readonly PairInFile[];
}

/**
 * Makes a new Spaces key with the grants of the one in the env file, writes it to every place that holds the old one, all
 * or none, and then deletes the old one. A run that was stopped is finished by the next: it replaces whatever the
 * stopped one left.
 *
 * @throws AppError those of observe, KeysApi, provision and runTask.
 */
export async function rotateKeys(
  host: RotateHost,
  request: RotateKeysRequest,
  approve: Approve<Facts>,
): Promise<Result<Facts>> {
  const { progress, dryRun } = request;
  const inspections = new Map();
  let old: Old | undefined;
  let made: { readonly keys: MadeKeys; readonly request: ProvisionRequest } | undefined;
  const task: Task<Facts> = {
    async look() {
      const facts = await observed();
      old ??= await findOld(facts);
      return { facts, plan: await plan(facts) };
    },
    cleanUp: (facts) => cleanUp(host, facts),
    async probe(look: Look<Facts>) {
      const { facts } = look;
      const wanted = requestFor(facts, old);
      if (wanted === undefined) return { ...look, warnings: [] };
      made = { keys: await provision(host, wanted, progress), request: wanted };
      return { facts, plan: await plan(facts), warnings: [] };
    },
    guard: ({ repo }) => guardOf(host, repo.git?.git),
    inGit: (paths, { repo }) => askRepos(host, repo.git?.git, paths),
    finish() {
      if (made === undefined) return [];
      forget(host, made.request, [made.keys.name]);
      return old?.keys.filter(({ name }) => !KEY_NAME.test(name)).map(notOurs) ?? [];
    },
  };
  const result = await runTask(task, host, approve, { dryRun, progress }).catch(
    async (error: unknown) => {
      throw made === undefined ? error : await takenBack(error);
    },
  );
  if (made !== undefined && result.applied.length === 0) await takenBack(undefined);
  return result;

  async function observed(): Promise<Facts> {
    const { facts } = await observe(host, { ...request, inspections });
    return facts;
  }

  async function takenBack(error: unknown): Promise<unknown> {
    return made && afterFailure(host, made.request, [made.keys.name], error);
  }

  /** The key that this environment uses, and those of a rotation that was stopped. */
  async function findOld({ config, token, spaces }: Facts): Promise<Old> {
    const secret = usableToken(token);
    const { keys } = spaces;
    if (secret === undefined || keys.kind !== "keys") return { keys: [], pairs: [] };
    progress("Asking DigitalOcean for the Spaces keys");
    const all = await keysApi(host, token.hosts, secret).list();
    const isOld = ({ id, name }: AccessKey) =>
      id.equals(keys.keys.id) || spaces.unfinished.keys.includes(name);
    const found = all.filter(isOld);
    const pairs = await pairsInFiles(host, config.envFiles);
    return {
      keys: found,
      pairs: pairs.filter(({ id }) => found.some((each) => each.id.equals(id))),
    };
  }

  async function plan(facts: Facts): Promise<Plan> {
    const { keys = [], pairs = [] } = old ?? {};
    const wrong = judge(facts, keys, pairs);
    if (wrong.length > 0) return joined([{ findings: wrong }]);
    const olds = pairs.flatMap(({ id, secret }) => (secret === undefined ? [id] : [id, secret]));
    const places = naming(await readPlaces(host, facts), olds);
    const edits = places.map((place) =>
      changePlace(facts, place, (each) => newFor(each, pairs), "the new Spaces key"),
    );
    // The second look finds nothing to replace.
    if (places.length === 0) return joined([]);
    return joined([...edits, atDigitalOcean(facts, keys)]);
  }

  function newFor(each: Secret, pairs: readonly PairInFile[]): Secret {
    const isId = pairs.some(({ id }) => id.equals(each));
    const { id = NOT_MADE, secret = NOT_MADE } = made?.keys.keys ?? {};
    return isId ? id : secret;
  }

  function atDigitalOcean(facts: Facts, keys: readonly AccessKey[]): PlanPart {
    const grants = grantsOf(keys);
    const { name } = made?.keys ?? {};
    const buckets = grants.map(({ bucket }) => bucket).filter(Boolean);
    const why = `${grants.map(({ bucket, permission }) => `${permission} ${bucket}`.trim()).join(", ")}, as before`;
    const creation: OutsideChange = {
      ...{ label: `Spaces key${name === undefined ? "" : ` ${name}`}`, sign: "+", why },
      asked: "create a Spaces key",
      json: () => ({ kind: "spaces-key", name: name ?? null, buckets, why }),
      apply: async () => [],
    };
    const ours = keys.filter((each) => KEY_NAME.test(each.name));
    return { outside: [creation, ...ours.map((each) => deletion(facts, each))] };
  }

  function deletion({ config, token: { hosts, ...token } }: Facts, key: AccessKey): OutsideChange {
    const { name, id } = key;
    const why = "deleted once all places hold the new one";
    return {
      ...{ label: `Spaces key ${name}`, why, asked: `delete the Spaces key ${name}` },
      json: () => ({ kind: "spaces-key-removal", name, why }),
      async apply() {
        const secret = usableToken(token);
        const held = await keysInFiles(host, config.envFiles);
        if (secret === undefined || held.some((each) => each.equals(id))) {
          return [notDeleted(name, "an env file still holds it")];
        }
        try {
          progress("Deleting the old Spaces key");
          await keysApi(host, hosts, secret).remove(id);
          forget(host, config, [name]);
          return [];
        } catch (error) {
          return [notDeleted(name, asAppError(error).message)];
        }
      },
    };
  }
}

/** Shown in a plan before the new key exists. */
const NOT_MADE = Secret.of("(new)", { kind: "stdin" });

function grantsOf(keys: readonly AccessKey[]) {
  return onceEach(
    keys.flatMap(({ grants }) => grants),
    ({ bucket, permission }) => `${permission} ${bucket}`,
  );
}

function requestFor(
  { config, token, spaces }: Facts,
  old: Old | undefined,
): ProvisionRequest | undefined {
  const secret = usableToken(token);
  if (secret === undefined || old === undefined || old.pairs.length === 0) return undefined;
  const grants = grantsOf(old.keys);
  const isGranted = (bucket: string) =>
    grants.some((grant) => grant.bucket === "" || grant.bucket === bucket);
  return {
    ...{ base: config.base, environment: config.environment },
    ...{ token: secret, hosts: token.hosts, create: [], grants },
    buckets: spaces.buckets.filter(({ bucket }) => isGranted(bucket)),
    replaces: old.keys.map(({ name }) => name).filter((name) => KEY_NAME.test(name)),
    prefix: keyPrefix(config, token.inspection?.email),
    envFile: config.token.envFile,
  };
}

function judge(facts: Facts, keys: readonly AccessKey[], pairs: readonly PairInFile[]): Finding[] {
  const { token, spaces } = facts;
  if (usableToken(token) === undefined) {
    return judgeToken(facts).filter(({ level }) => level === "error");
  }
  if (spaces.keys.kind !== "keys") {
    const message = "This machine has no Spaces key for this repo.";
    const fix = hint`${own("backend", "key")}`;
    return [finding("spaces.no-key", message, { fix })];
  }
  if (keys.length === 0) {
    const message = "DigitalOcean does not list the Spaces key of this repo for this token's team.";
    const fix = hint`Remove it from the env file, then: ${own("backend", "key")}`;
    return [finding("spaces.no-key", message, { fix })];
  }
  if (pairs.length > 0) return [];
  const { origin } = spaces.keys.keys.id;
  if (origin.kind !== "environment") return [];
  const message = `The Spaces key comes from ${origin.name} in the environment, which rotate can't change.`;
  const fix = hint`Put the key into the env file and unset the variable, then run the same command again.`;
  return [finding("spaces.no-key", message, { fix })];
}

function notOurs({ name }: AccessKey): Finding {
  const message = `Spaces key ${name} is replaced here, but not deleted: do-bootstrap did not create it, so others may use it.`;
  const fix = hint`If nothing else uses it, delete it at https://cloud.digitalocean.com/spaces/access_keys`;
  return finding("spaces.not-deleted", message, { fix });
}

function notDeleted(name: string, why: string): Finding {
  const fix = hint`${own()} deletes it once no env file holds it.`;
  return finding("spaces.not-deleted", `Spaces key ${name} is not deleted: ${why}.`, { fix });
}
