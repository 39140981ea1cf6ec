import { askRepos, guardOf } from "../../concerns/git/repos.ts";
import { type AccessKey, keysApi } from "../../concerns/spaces/access-keys.ts";
import { finding } from "../../concerns/spaces/findings.ts";
import { type KeysHere, keysHere } from "../../concerns/spaces/in-files.ts";
import { forgetKey, note } from "../../concerns/spaces/journal.ts";
import { KEYS_PAGE } from "../../concerns/spaces/keys.ts";
import { inCi, isOwnKey, judgeKeyScopes, keyPrefix } from "../../concerns/spaces/plan.ts";
import {
  type MadeKeys,
  type ProvisionRequest,
  provision,
  TEMPORARY,
  withLeft,
} from "../../concerns/spaces/provision.ts";
import { whyUnusable } from "../../concerns/token/judge.ts";
import { usableToken } from "../../concerns/token/storing.ts";
import type { ApplyHost } from "../../core/change.ts";
import type { Finding } from "../../core/finding.ts";
import { type Approve, type Look, type Result, runTask, type Task } from "../../core/flow.ts";
import type { OutsideChange } from "../../core/outside-change.ts";
import { joined, type Plan, type PlanPart } from "../../core/plan.ts";
import { asAppError } from "../../errors/app-error.ts";
import { hint, own, unset } from "../../errors/hint.ts";
import type { SpacesKeys } from "../../exec/spaces-keys.ts";
import { listed } from "../../lib/few.ts";
import { Secret } from "../../secret/secret.ts";
import { changePlace, naming, readPlaces } from "../credentials/token-places.ts";
import { cleanUp } from "../init/cleanup.ts";
import { type Facts, type ObserveOptions, type ObservingHost, observe } from "../init/observe.ts";
import { requestFor, stillAtDigitalOcean, takenBack } from "../init/spaces.ts";

type RotateHost = ObservingHost & ApplyHost;

export interface RotateKeysRequest
  extends Pick<ObserveOptions, "environment" | "minTtlSeconds" | "progress"> {
  readonly dryRun: boolean;
}

/** What a rotation replaces. */
interface Old {
  /** The key that this environment uses; undefined: DigitalOcean does not list it. */
  readonly current: AccessKey | undefined;
  /** It, and those that rotations which were stopped have put into other env files. */
  readonly keys: readonly AccessKey[];
  /** Their parts, as values in files. */
  readonly ids: readonly Secret[];
  readonly secrets: readonly Secret[];
  readonly here: KeysHere;
}

/**
 * Makes a new Spaces key with the grants of the one in the env file, writes it to every place that holds the old one, all
 * or none, and then deletes the old one. A run that was stopped is finished by the next: it replaces whatever the
 * stopped one has put into a file.
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
      const { facts } = await observe(host, { ...request, inspections });
      old ??= await findOld(host, facts, progress);
      return { facts, plan: await plan(facts) };
    },
    cleanUp: (facts) => cleanUp(host, facts),
    async probe({ facts, plan: approved }: Look<Facts>) {
      const wanted = old && rotationOf(facts, old);
      if (wanted === undefined) return { facts, plan: approved, warnings: [] };
      made = { keys: await provision(host, wanted, progress), request: wanted };
      return { facts, plan: await plan(facts), warnings: [] };
    },
    guard: ({ repo }) => guardOf(host, repo.git?.git),
    inGit: (paths, { repo }) => askRepos(host, repo.git?.git, paths),
    async finish({ facts }) {
      if (made === undefined || old === undefined) return [];
      // What is not deleted is named by its finding, and stays noted for the next run.
      await note(host, made.request, made.keys.tag, () => ({ keys: [], buckets: [] }));
      const prefix = prefixOf(facts);
      return old.keys.filter(({ name }) => !isOurs(name, prefix)).map(notOurs);
    },
  };
  const result = await runTask(task, host, approve, { dryRun, progress }).catch(
    async (error: unknown) => {
      if (made === undefined) throw error;
      throw withLeft(error, await takenBack(host, made.request, made.keys));
    },
  );
  if (made === undefined || result.applied.length > 0) return result;
  const stays = stillAtDigitalOcean(await takenBack(host, made.request, made.keys));
  return { ...result, plan: joined([result.plan, { findings: stays }]) };

  async function plan(facts: Facts): Promise<Plan> {
    if (old === undefined) return joined([]);
    const { ids, secrets } = old;
    const places = naming(await readPlaces(host, facts), [...ids, ...secrets]);
    // The second look, after all places were written.
    if (made !== undefined && places.length === 0) return joined([]);
    const wrong = judge(facts, old, places.length);
    if (wrong.length > 0) return joined([{ findings: wrong }]);
    const { id, secret } = made?.keys.keys ?? NOT_MADE;
    const newFor = (each: Secret) => (ids.some((other) => other.equals(each)) ? id : secret);
    const edits = places.map((place) => changePlace(facts, place, newFor, "the new Spaces key"));
    return joined([...edits, atDigitalOcean(facts, old)]);
  }

  function atDigitalOcean(facts: Facts, { current, keys }: Old): PlanPart {
    const { name } = made?.keys ?? {};
    const grants = current?.grants ?? [];
    const why = `${grants.map(({ bucket, permission }) => `${permission} ${bucket}`.trim()).join(", ")}, as before`;
    const creation: OutsideChange = {
      ...{ label: `Spaces key${name === undefined ? "" : ` ${name}`}`, sign: "+", why },
      asked: "create a Spaces key",
      json: () => ({
        ...{ kind: "spaces-key", name: name ?? null, why },
        buckets: grants.map(({ bucket }) => bucket).filter(Boolean),
      }),
      apply: async () => [],
    };
    const prefix = prefixOf(facts);
    const ours = keys.filter((key) => isOurs(key.name, prefix));
    return { outside: [creation, ...ours.map((key) => deletion(facts, key))] };
  }

  function deletion(facts: Facts, { name, id }: AccessKey): OutsideChange {
    const { config, token } = facts;
    const { hosts } = token;
    const why = "deleted once all places here hold the new one; other copies of it stop working";
    return {
      ...{ label: `Spaces key ${name}`, why, asked: `delete the Spaces key ${name}` },
      json: () => ({ kind: "spaces-key-removal", name, why }),
      async apply() {
        const secret = usableToken(token);
        const here = await keysHere(host, config, { keys: { kind: "none" } });
        if (secret === undefined || here.holds(id)) {
          return [notDeleted(name, "an env file still holds it")];
        }
        try {
          progress("Deleting the old Spaces key");
          await keysApi(host, hosts, secret).remove(id);
        } catch (error) {
          return [notDeleted(name, asAppError(error).message.replace(/\.$/, ""))];
        }
        await forgetKey(host, config, name);
        return [];
      },
    };
  }
}

/** The parts of a new key in a plan, before it exists. */
const NOT_MADE: Pick<SpacesKeys, "id" | "secret"> = {
  id: Secret.of("(new id)", { kind: "stdin" }),
  secret: Secret.of("(new secret)", { kind: "stdin" }),
};

async function findOld(
  host: RotateHost,
  { config, token, spaces }: Facts,
  progress: (what: string) => void,
): Promise<Old | undefined> {
  const secret = usableToken(token);
  const { keys, unfinished } = spaces;
  if (secret === undefined || keys.kind !== "keys") {
    const here = { pairs: [], unread: [], holds: () => false };
    return { current: undefined, keys: [], ids: [], secrets: [], here };
  }
  progress("Asking DigitalOcean for the Spaces keys");
  const all = await keysApi(host, token.hosts, secret).list();
  const current = all.find(({ id }) => id.equals(keys.keys.id));
  const here = await keysHere(host, config, spaces);
  const names = unfinished.flatMap((each) => [...each.keys, ...each.replaces]);
  // Those that are in no file are deleted by the next run of init.
  const others = all.filter(
    ({ name, id }) => id !== current?.id && names.includes(name) && here.holds(id),
  );
  const found = [...(current === undefined ? [] : [current]), ...others];
  const pairs = here.pairs.filter(({ id }) => found.some((each) => each.id.equals(id)));
  return {
    ...{ current, keys: found, here },
    ids: pairs.map(({ id }) => id),
    secrets: pairs.flatMap(({ secret }) => secret ?? []),
  };
}

function prefixOf({ config, token }: Facts): string {
  return keyPrefix(config, token.inspection?.email);
}

/** A key of this project, environment and account. A colleague's copy of a key has another name. */
function isOurs(name: string, prefix: string): boolean {
  return isOwnKey(name, prefix) || name.startsWith(`${TEMPORARY}-`);
}

function rotationOf(facts: Facts, { current, keys, ids }: Old): ProvisionRequest | undefined {
  const request = requestFor(facts);
  if (request === undefined || current === undefined || ids.length === 0) return undefined;
  const { grants } = current;
  const isGranted = (bucket: string) =>
    grants.some((grant) => grant.bucket === "" || grant.bucket === bucket);
  return {
    ...{ ...request, create: [], grants },
    buckets: facts.spaces.buckets.filter(({ bucket }) => isGranted(bucket)),
    replaces: keys.map(({ name }) => name).filter((name) => isOurs(name, request.prefix)),
  };
}

/** @param places how many files hold a part of the old key. */
function judge(facts: Facts, { current, here, ids, secrets }: Old, places: number): Finding[] {
  const { token, spaces, machine, config } = facts;
  if (usableToken(token) === undefined) {
    return whyUnusable(facts);
  }
  if (machine.isCi) return [inCi()];
  if (spaces.keys.kind !== "keys") {
    const message = "This machine has no Spaces key for this repo.";
    return [finding("spaces.no-key", message, { fix: hint`${own("backend", "key")}` })];
  }
  const { id, secret } = spaces.keys.keys;
  const named = [id, secret].flatMap(({ origin }) =>
    origin.kind === "environment" ? origin.name : [],
  );
  if (named.length > 0) {
    const message = `${listed(named)} in the environment would still have the old Spaces key after a rotation.`;
    const fix = hint`Put the pair into ${config.token.envFile}, then ${unset(...named)}`;
    return [finding("spaces.no-key", message, { fix })];
  }
  if (here.unread.length > 0) {
    const message = `${listed(here.unread)} could not be read, and may hold the Spaces key.`;
    const fix = hint`Make the file readable, then run the same command again.`;
    return [finding("spaces.no-key", message, { fix })];
  }
  if (current === undefined) {
    const message = "DigitalOcean does not list the Spaces key of this repo for this token's team.";
    const fix = hint`Remove it from the env file, then: ${own("backend", "key")}`;
    return [finding("spaces.no-key", message, { fix })];
  }
  const isWhole =
    ids.some((each) => each.equals(id)) && secrets.some((each) => each.equals(secret));
  if (!isWhole || places === 0) {
    const message = "The Spaces key is not in an env file that do-bootstrap can write.";
    const fix = hint`Put both parts of the pair into ${config.token.envFile}, then run the same command again.`;
    return [finding("spaces.no-key", message, { fix })];
  }
  return judgeKeyScopes(token);
}

function notOurs({ name }: AccessKey): Finding {
  const message = `Spaces key ${name} is replaced here, but not deleted: it was not created for this project, environment and account, so others may use it.`;
  const fix = hint`If nothing else uses it, delete it at ${KEYS_PAGE}`;
  return finding("spaces.not-deleted", message, { fix });
}

function notDeleted(name: string, why: string): Finding {
  const fix = hint`${own()} tries again. By hand: ${KEYS_PAGE}`;
  return finding("spaces.not-deleted", `Spaces key ${name} is not deleted: ${why}.`, { fix });
}
