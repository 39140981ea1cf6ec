import type { TerraformRoot } from "../../concerns/terraform/root/root.ts";
import { TOKEN_LIST } from "../../concerns/token/hosts.ts";
import type { Change } from "../../core/change.ts";
import type { Finding } from "../../core/finding.ts";
import type { OutsideChange } from "../../core/outside-change.ts";
import { joined, type PlanPart } from "../../core/plan.ts";
import { asAppError } from "../../errors/app-error.ts";
import { type Hint, hint, own } from "../../errors/hint.ts";
import { listed } from "../../lib/few.ts";
import type { Facts, ObservingHost } from "../init/observe.ts";
import { finding } from "../pipelines/findings.ts";
import { judgeConsent } from "../pipelines/hcp/consent.ts";
import { lookAtRemote, type RemoteSecret } from "../pipelines/remote-secrets.ts";
import {
  documentOf,
  nameOf,
  noneStored,
  placeOf,
  planStored,
  readStored,
  type StoredSecret,
  shownRepo,
  without,
  workspaceOf,
} from "../pipelines/stored-secrets.ts";

/** The secrets that do-bootstrap has stored for pipelines, and that logout removes. */
export interface PipelineRemoval {
  /** Deletes them, and forgets those that are gone already. */
  plan(facts: Facts): Promise<PlanPart>;
  /** Forgets those that this run has deleted. Nothing else knows their names, so it comes last. */
  forget(facts: Facts): Promise<readonly Change[]>;
}

export interface RemovalRequest {
  /** With --remote; otherwise the secrets are only named. */
  readonly isWanted: boolean;
  /** A person will be asked, and sees what is deleted. */
  readonly isAsked: boolean;
  /** Those of the config that are logged out; undefined: all, also those that the config no longer has. */
  readonly environments: readonly (string | undefined)[] | undefined;
  /** The same command line, with --remote. */
  readonly again: Hint;
}

export async function removalOf(
  host: ObservingHost,
  facts: Pick<Facts, "config" | "repo"> & { readonly roots: readonly TerraformRoot[] },
  { isWanted, isAsked, environments, again }: RemovalRequest,
): Promise<PipelineRemoval> {
  const record = await readStored(host, facts.config.base);
  const chosen = record.secrets.filter((each) => isOf(each, environments));
  const others = record.secrets.filter((each) => !chosen.includes(each));
  if (!isWanted || chosen.length === 0) {
    const none = record.findings.length > 0 ? record.findings : [noneOf(others)];
    const findings = isWanted ? none : stay(chosen, again);
    return { plan: async () => ({ findings }), forget: async () => [] };
  }
  const unconfirmed = (each: StoredSecret) =>
    judgeConsent(host, facts.config.base, workspaceOf(each), { isAsked });
  const { secrets, findings: unreached } = await lookAtRemote(host, facts, chosen);
  const findings = [...unreached, ...chosen.flatMap(unconfirmed)];
  const gone = new Set(secrets.filter(({ state }) => state === "missing"));
  const there = secrets.filter(
    ({ place, state, stored }) =>
      place !== undefined && state !== "missing" && unconfirmed(stored).length === 0,
  );
  const outside = there.map((secret) => removal(secret, gone, again));
  return {
    async plan(now) {
      const left = findings.map(({ message, fix }) => ({
        ...finding("ci.not-applied", message, fix && { fix }),
        // The local places can be changed without it.
        isLeft: true as const,
      }));
      const stays = stay(others, ALL, " of other environments");
      const said = { findings: [...left, ...stillValid(secrets), ...stays], outside };
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

const ALL = hint`${own("logout", "--all", "--remote")}`;

function noneOf(others: readonly StoredSecret[]): Finding {
  if (others.length === 0) return noneStored();
  const names = [...new Set(others.map(({ environment }) => environment))];
  const message = `do-bootstrap has stored no secret for a pipeline of this environment. It has stored some in ${listed(names)}.`;
  return finding("ci.secrets", message, { fix: hint`To remove all of them: ${ALL}` });
}

function stay(secrets: readonly StoredSecret[], remove: Hint, which = ""): Finding[] {
  if (secrets.length === 0) return [];
  const where = [...new Set(secrets.map(shownRepo))];
  const message = `${secrets.length} ${secrets.length === 1 ? "secret" : "secrets"} of the pipeline${which} ${secrets.length === 1 ? "stays" : "stay"} on ${listed(where)}.`;
  return [
    finding("ci.secrets", message, {
      fix: hint`To remove ${secrets.length === 1 ? "it" : "them"}: ${remove}`,
    }),
  ];
}

/** GitHub gives no secret back, so nobody but its owner can revoke it. */
function stillValid(secrets: readonly RemoteSecret[]): Finding[] {
  const held = secrets.flatMap(({ stored: { token, replaces }, state }) => [
    token ?? [],
    state === "stored" ? [] : replaces,
  ]);
  const tokens = [...new Set(held.flat())];
  const isAnyKey = secrets.some(({ stored }) => stored.token === undefined);
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

function removal(secret: RemoteSecret, gone: Set<RemoteSecret>, again: Hint): OutsideChange {
  const { stored, place } = secret;
  const { name, environment } = stored;
  const where = `in ${environment} on ${shownRepo(stored)}`;
  return {
    ...{ label: `secret ${name}`, why: where, asked: `delete secret ${name} ${where}` },
    json: () => documentOf(stored, where, "-removal"),
    async apply() {
      if (place === undefined) return [];
      try {
        await place.store.remove(name);
        gone.add(secret);
        return [];
      } catch (error) {
        const { code, message } = asAppError(error);
        if (code === "INTERRUPTED") throw error;
        const said = `${nameOf(stored)} was not deleted: ${message}`;
        return [finding("ci.not-applied", said, { fix: again })];
      }
    },
  };
}
