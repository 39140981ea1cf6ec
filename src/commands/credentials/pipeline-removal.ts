import { TOKEN_LIST } from "../../concerns/token/hosts.ts";
import type { Change } from "../../core/change.ts";
import type { Finding } from "../../core/finding.ts";
import type { OutsideChange } from "../../core/outside-change.ts";
import { joined, type PlanPart } from "../../core/plan.ts";
import { asAppError } from "../../errors/app-error.ts";
import { hint, own } from "../../errors/hint.ts";
import { listed } from "../../lib/few.ts";
import type { Facts, ObservingHost } from "../init/observe.ts";
import { finding } from "../pipelines/findings.ts";
import { bodyOf, environmentPath } from "../pipelines/github/environment.ts";
import { lookAtRemote, nameOf, type RemoteSecret } from "../pipelines/github/remote-secrets.ts";
import {
  noneStored,
  placeOf,
  planStored,
  readStored,
  type StoredSecret,
  shownRepo,
  without,
} from "../pipelines/stored-secrets.ts";

/** The secrets that do-bootstrap has stored for pipelines, and that logout removes. */
export interface PipelineRemoval {
  /** Deletes them, and forgets those that are gone already. */
  plan(facts: Facts): Promise<PlanPart>;
  /** Forgets those that this run has deleted. Nothing else knows their names, so it comes last. */
  forget(facts: Facts): Promise<readonly Change[]>;
}

/**
 * @param isAsked with --remote; otherwise the secrets are only named.
 * @param environments of the config; undefined: all, also those that the config no longer has.
 */
export async function removalOf(
  host: ObservingHost,
  facts: Facts,
  isAsked: boolean,
  environments: readonly (string | undefined)[] | undefined,
): Promise<PipelineRemoval> {
  const record = await readStored(host, facts.config.base);
  const chosen = record.secrets.filter((each) => isOf(each, environments));
  if (!isAsked || chosen.length === 0) {
    const findings = isAsked
      ? [...record.findings, noneStored()]
      : chosen.length > 0
        ? [stay(chosen)]
        : [];
    return { plan: async () => ({ findings }), forget: async () => [] };
  }
  const { secrets, findings } = await lookAtRemote(host, facts, chosen);
  const gone = new Set(secrets.filter(({ state }) => state === "missing"));
  const there = secrets.filter(({ place, state }) => place !== undefined && state !== "missing");
  const outside = there.map((secret) => removal(secret, gone));
  return {
    async plan(now) {
      const left = findings.map(({ message, fix }) => ({
        ...finding("ci.not-applied", message, fix && { fix }),
        // The local places can be changed without it.
        isLeft: true as const,
      }));
      const said = { findings: [...left, ...stillValid(chosen)], outside };
      return joined([said, await forgetting(now)]);
    },
    forget: async (now) => (await forgetting(now)).changes ?? [],
  };

  async function forgetting({ repo, config }: Facts): Promise<PlanPart> {
    const left = without(
      record.secrets,
      [...gone].map(({ stored }) => stored),
    );
    return planStored(repo, await readStored(host, config.base), left);
  }
}

function isOf(
  secret: StoredSecret,
  environments: readonly (string | undefined)[] | undefined,
): boolean {
  const { of: name } = placeOf(secret);
  return environments?.some((each) => (each ?? "digitalocean") === name) !== false;
}

function stay(secrets: readonly StoredSecret[]): Finding {
  const where = [...new Set(secrets.map(shownRepo))];
  const message = `${secrets.length} ${secrets.length === 1 ? "secret" : "secrets"} of the pipeline stay on ${listed(where)}.`;
  const fix = hint`To remove them: ${own("logout", "--all", "--remote")}`;
  return finding("ci.secrets", message, { fix });
}

/** GitHub gives no secret back, so nobody but its owner can revoke it. */
function stillValid(secrets: readonly StoredSecret[]): Finding[] {
  const tokens = [...new Set(secrets.flatMap(({ token }) => token ?? []))];
  const isAnyKey = secrets.some(({ token }) => token === undefined);
  const what = [
    ...(tokens.length === 0
      ? []
      : [`${tokens.length === 1 ? "token" : "tokens"} ${listed(tokens)}`]),
    ...(isAnyKey ? ["its Spaces keys"] : []),
  ];
  const message = `What the pipeline used stays valid until you delete it: ${listed(what)}.`;
  const keys = isAnyKey ? hint`. The keys: ${own("backend", "keys")}` : [];
  return [
    finding("ci.secrets", message, { fix: [...hint`Delete tokens: ${TOKEN_LIST}`, ...keys] }),
  ];
}

function removal(secret: RemoteSecret, gone: Set<RemoteSecret>): OutsideChange {
  const { stored, place } = secret;
  const { name, environment, repo } = stored;
  const where = `in ${environment} on ${shownRepo(stored)}`;
  return {
    ...{ label: `secret ${name}`, why: where, asked: `delete secret ${name} ${where}` },
    json: () => ({ kind: "github-secret-removal", names: [name], repo, environment, why: where }),
    async apply() {
      if (place === undefined) return [];
      try {
        const path = `${environmentPath(place.target, environment)}/secrets/${name}`;
        const answer = await place.target.gh.api("DELETE", path);
        if (answer.status !== 404) bodyOf(answer);
        gone.add(secret);
        return [];
      } catch (error) {
        const { code, message } = asAppError(error);
        if (code === "INTERRUPTED") throw error;
        const said = `${nameOf(stored)} was not deleted: ${message}`;
        const fix = hint`${own("logout", "--all", "--remote")}`;
        return [finding("ci.not-applied", said, { fix })];
      }
    },
  };
}
