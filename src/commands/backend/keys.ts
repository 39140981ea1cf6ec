import { keysApi } from "../../concerns/spaces/access-keys.ts";
import { KEY_NAME } from "../../concerns/spaces/plan.ts";
import { TEMPORARY } from "../../concerns/spaces/provision.ts";
import { whyUnusable } from "../../concerns/token/judge.ts";
import { usableToken } from "../../concerns/token/storing.ts";
import { failureOf } from "../../core/finding.ts";
import { AppError } from "../../errors/app-error.ts";
import { hint, own } from "../../errors/hint.ts";
import type { Facts, ObserveOptions, ObservingHost } from "../init/observe.ts";
import { observe } from "../init/observe.ts";

/** A Spaces key that do-bootstrap made. */
export interface ListedKey {
  readonly name: string;
  /** Such as "readwrite acme-tfstate", or "fullaccess". */
  readonly grants: readonly string[];
  /** Seconds; undefined: unknown. */
  readonly ageSeconds: number | undefined;
  /** A run made it to create a bucket, and was stopped before it deleted it. */
  readonly isLeft: boolean;
  /** This machine uses it for this repo. */
  readonly isHere: boolean;
}

/**
 * Lists the keys of this team that do-bootstrap made: those for the config's buckets, or all if the config has none.
 *
 * @returns the oldest first.
 * @throws AppError those of observe and KeysApi; the finding if there is no usable token.
 */
export async function listKeys(
  host: ObservingHost,
  options: ObserveOptions,
): Promise<readonly ListedKey[]> {
  const { facts } = await observe(host, options);
  const { token, spaces } = facts;
  const secret = usableToken(token);
  if (secret === undefined) throw whyNoToken(facts);
  options.progress("Asking DigitalOcean for the Spaces keys");
  const all = await keysApi(host, token.hosts, secret).list();
  const buckets = spaces.buckets.map(({ bucket }) => bucket);
  const here = spaces.keys.kind === "keys" ? spaces.keys.keys.id : undefined;
  const isOurs = (grants: readonly { bucket: string }[]) =>
    buckets.length === 0 || grants.some(({ bucket }) => bucket === "" || buckets.includes(bucket));
  return all
    .filter(({ name, grants }) => KEY_NAME.test(name) && isOurs(grants))
    .sort((a, b) => (a.createdAt ?? 0) - (b.createdAt ?? 0))
    .map(({ name, id, grants, createdAt }) => ({
      name,
      grants: grants.map(({ bucket, permission }) => `${permission} ${bucket}`.trim()),
      ageSeconds:
        createdAt === undefined
          ? undefined
          : Math.max(0, Math.floor((host.clock.now() - createdAt) / 1000)),
      isLeft: name.startsWith(`${TEMPORARY}-`),
      isHere: here?.equals(id) === true,
    }));
}

function whyNoToken(facts: Facts): AppError {
  const [wrong] = whyUnusable(facts);
  if (wrong !== undefined) return failureOf(wrong);
  return new AppError("NO_TOKEN", "No valid token.", { hint: hint`${own("check")}` });
}
