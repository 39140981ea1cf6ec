import { deleteKeys, keysApi } from "../../concerns/spaces/access-keys.ts";
import type { WantedKeys } from "../../concerns/spaces/facts.ts";
import { finding } from "../../concerns/spaces/findings.ts";
import { keysInFiles } from "../../concerns/spaces/in-files.ts";
import { forget } from "../../concerns/spaces/journal.ts";
import { keyPrefix } from "../../concerns/spaces/plan.ts";
import type { MadeKeys, ProvisionHost, ProvisionRequest } from "../../concerns/spaces/provision.ts";
import { usableToken } from "../../concerns/token/storing.ts";
import type { Finding } from "../../core/finding.ts";
import type { OutsideChange } from "../../core/outside-change.ts";
import type { PlanPart } from "../../core/plan.ts";
import { asAppError } from "../../errors/app-error.ts";
import { hint, own } from "../../errors/hint.ts";
import { listed } from "../../lib/few.ts";
import type { Secret } from "../../secret/secret.ts";
import type { Facts } from "./observe.ts";
import type { Prompter } from "./prompter.ts";

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
  spaces: { wanted, buckets },
}: Facts): ProvisionRequest | undefined {
  const secret = usableToken(token);
  if (secret === undefined) return undefined;
  return {
    ...{ base: config.base, environment: config.environment },
    ...{ token: secret, hosts: token.hosts, buckets },
    create: wanted?.create ?? [],
    prefix: keyPrefix(config, token.inspection?.email),
    envFile: config.token.envFile,
  };
}

/** The facts once a pair was made: as if it had been found. */
export function withMade(facts: Facts, made: MadeKeys): Facts {
  const keys = { kind: "keys", keys: made.keys, names: "SPACES", overrides: false } as const;
  return { ...facts, spaces: { ...facts.spaces, keys, made } };
}

/** Deletes the keys that killed runs have left. */
export function planLeftKeys(host: ProvisionHost, facts: Facts): PlanPart {
  const { keys } = facts.spaces.unfinished;
  const token = usableToken(facts.token);
  if (keys.length === 0 || token === undefined) return {};
  return { outside: keys.map((name) => removalOf(host, facts, { name, token })) };
}

function removalOf(
  host: ProvisionHost,
  { config, token: { hosts }, spaces: { unfinished } }: Facts,
  { name, token }: { name: string; token: Secret },
): OutsideChange {
  const why = "left by a run that was stopped, unless an env file holds it";
  return {
    label: `Spaces key ${name}`,
    why,
    asked: `delete the Spaces key ${name}`,
    json: () => ({ kind: "spaces-key-removal", name, why }),
    async apply() {
      try {
        const api = keysApi(host, hosts, token);
        const held = await keysInFiles(host, config.envFiles);
        const isHeld = (id: Secret) => held.some((each) => each.equals(id));
        const inUse = (await api.list())
          .filter(({ name, id }) => unfinished.keys.includes(name) && isHeld(id))
          .map(({ name }) => name);
        if (inUse.includes(name) && inUse.length > 1) return [stillHeld(inUse)];
        await deleteKeys(api, [name], isHeld);
        forget(host, config, [name]);
        return [];
      } catch (error) {
        const { message } = asAppError(error);
        const fix = hint`Run ${own()} again.`;
        return [
          finding("spaces.not-deleted", `Spaces key ${name} is not deleted. ${message}`, { fix }),
        ];
      }
    },
  };
}

/** A rotation was stopped between two env files. */
function stillHeld(names: readonly string[]): Finding {
  const message = `The env files hold different Spaces keys of a rotation that was stopped: ${listed(names)}.`;
  const fix = hint`${own("rotate", "--spaces")}`;
  return finding("spaces.not-deleted", message, { fix });
}
