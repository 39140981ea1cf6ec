import type { ResolvedConfig } from "../../concerns/config/resolved.ts";
import type { TerraformRoot } from "../../concerns/terraform/root/root.ts";
import type { Inspection } from "../../concerns/token/verdict.ts";
import type { Change } from "../../core/change.ts";
import type { Finding } from "../../core/finding.ts";
import type { Bounds } from "../../core/obstacles.ts";
import type { OutsideChange } from "../../core/outside-change.ts";
import type { PlanPart } from "../../core/plan.ts";
import { asAppError } from "../../errors/app-error.ts";
import { type Hint, hint, own } from "../../errors/hint.ts";
import { few, listed, sentence } from "../../lib/few.ts";
import { onceEach } from "../../lib/grouped.ts";
import type { Secret } from "../../secret/secret.ts";
import type { Facts, ObservingHost } from "../init/observe.ts";
import { appliedBranch } from "../pipelines/branch.ts";
import { finding as ciFinding } from "../pipelines/findings.ts";
import { judgeBranches } from "../pipelines/github/environment.ts";
import { judgePipelineToken, withNeedsOf } from "../pipelines/github/tokens.ts";
import { confirm, judgeConsent } from "../pipelines/hcp/consent.ts";
import {
  judgeRemote,
  lookAtRemote,
  type RemoteSecret,
  versionsNow,
} from "../pipelines/remote-secrets.ts";
import {
  documentOf,
  isDue,
  isSame,
  nameOf,
  placeOf,
  planStored,
  planVersions,
  readStored,
  type StoredSecret,
  type StoredSecrets,
  shownRepo,
  withNew,
  workspaceOf,
} from "../pipelines/stored-secrets.ts";
import { finding } from "./findings.ts";
import type { Rotation } from "./rotation.ts";

/** The tokens that do-bootstrap has stored for pipelines (stored-secrets.ts). */
export interface PipelineTokens {
  readonly record: StoredSecrets;
  readonly tokens: readonly RemoteSecret[];
  readonly findings: readonly Finding[];
}

/**
 * GitHub is asked only if a pipeline may have one of these tokens.
 *
 * @param held the fingerprints of the tokens on this machine.
 * @param revoke a token will be revoked, so everything must be known.
 */
export async function lookAtPipeline(
  host: ObservingHost,
  facts: Pick<Facts, "repo" | "config"> & { readonly roots: readonly TerraformRoot[] },
  held: ReadonlySet<string>,
  revoke: boolean,
): Promise<PipelineTokens> {
  const record = await readStored(host, facts.config.base);
  const all = record.secrets.filter(({ token }) => token !== undefined);
  const isHeld = ({ token, replaces }: StoredSecret) =>
    [token, ...replaces].some((each) => each !== undefined && held.has(each));
  if (!revoke && !all.some(isHeld)) {
    const tokens = all.map(
      (stored): RemoteSecret => ({ stored, state: "unreached", place: undefined }),
    );
    return { record, tokens, findings: record.findings };
  }
  const { secrets: tokens, findings } = await lookAtRemote(host, facts, all);
  return { record, tokens, findings: [...record.findings, ...findings] };
}

/** Whether a stopped run has decided on this token for a pipeline that has not got it yet. */
export function isWaitedFor(tokens: readonly RemoteSecret[], { fingerprint }: Secret): boolean {
  return tokens.some(({ stored, place, state }) => {
    return stored.token === fingerprint && place?.seen.isThere === true && isDue(state);
  });
}

/**
 * The secrets that get a new token: they should hold an old one, or lack the new one. One that may only hold an old one
 * gets it if no other rotation is about the token that it should hold.
 */
export function withReceivers(
  tokens: readonly RemoteSecret[],
  rotations: readonly Omit<Rotation, "receivers" | "holders">[],
): readonly Rotation[] {
  // Nothing holds anything in an environment that is gone.
  const there = tokens.filter(({ place }) => place?.seen.isThere !== false);
  const isIn = (olds: readonly Secret[], fingerprint = "") =>
    olds.some((old) => old.fingerprint === fingerprint);
  const isFor = ({ token, olds }: Pick<Rotation, "token" | "olds">, { stored }: RemoteSecret) =>
    stored.token === token.fingerprint || isIn(olds, stored.token);
  const mayHold = ({ olds }: Pick<Rotation, "olds">, { stored, state }: RemoteSecret) =>
    [stored.token, ...(state === "stored" ? [] : stored.replaces)].some((each) => isIn(olds, each));
  return rotations.map((rotation) => {
    const holders = there.filter((secret) => mayHold(rotation, secret));
    const receivers = there.filter((secret) => {
      const { stored, place, state } = secret;
      if (stored.token === rotation.token.fingerprint) return place !== undefined && isDue(state);
      if (isFor(rotation, secret)) return true;
      return holders.includes(secret) && !rotations.some((other) => isFor(other, secret));
    });
    return { ...rotation, receivers, holders };
  });
}

interface Remote {
  readonly pipeline: PipelineTokens;
  readonly rotations: readonly Rotation[];
  /** The last record, which this run may have written. */
  readonly record: StoredSecrets;
  readonly bounds: Bounds;
  readonly configOf: (environment: string) => ResolvedConfig | undefined;
  readonly inspect: (token: Secret) => Promise<Inspection>;
  readonly progress: (what: string) => void;
  /** Accept a token that can make changes where every branch gets it. */
  readonly acceptTokens: boolean;
  readonly revoke: boolean;
  /** A person will be asked, and sees where the token goes. */
  readonly isAsked: boolean;
  /** Gets each secret that is stored, with its version, if that was said. */
  readonly stored: Map<RemoteSecret, string | undefined>;
}

/** Writes down which secrets get a new token, checks that they may have it, and stores it. */
export async function planPipeline(
  host: ObservingHost,
  facts: Facts,
  remote: Remote,
): Promise<PlanPart> {
  const { pipeline, rotations, record, bounds } = remote;
  const named = rotations.flatMap(({ token, receivers: its }) =>
    its.map((secret) => ({ secret, token })),
  );
  // Anybody can name an environment in the record, and GitHub makes one that is open to all.
  const receivers = named.filter(({ secret }) => configFor(remote, secret) !== undefined);
  const all = await Promise.all(
    named.map((receiver) => judgeReceiver(host, facts, remote, receiver)),
  );
  const wanted = withNew(
    pipeline.record.secrets,
    receivers
      .filter(
        ({ secret, token }) =>
          secret.place !== undefined || secret.stored.token !== token.fingerprint,
      )
      .map(({ secret: { stored, place }, token }) => ({
        ...{ kind: stored.kind, repo: stored.repo, environment: stored.environment },
        ...{ name: stored.name, of: stored.of, token: token.fingerprint },
        was: place && (place.seen.secrets.get(stored.name) ?? null),
      })),
    (old) => pipeline.tokens.some(({ stored, state }) => stored === old && state === "stored"),
  );
  const { findings = [], ...written } = planStored(bounds, record, wanted);
  const reached = receivers.filter(({ secret }) => secret.place !== undefined);
  return {
    findings: onceEach(
      [...pipeline.findings, ...all.flat(), ...findings, ...judgeOthers(remote)],
      ({ id, message }) => `${id} ${message}`,
    ),
    ...written,
    outside: reached.map((receiver) => {
      const { stored } = receiver.secret;
      // It is in the plan, which a person has seen.
      const remember = () => confirm(host, facts.config.base, workspaceOf(stored));
      return storing(receiver, remote, remote.isAsked ? remember : () => undefined);
    }),
  };
}

interface Receiver {
  readonly secret: RemoteSecret;
  /** The new token. */
  readonly token: Secret;
}

/** What is wrong before anything is stored. */
async function judgeReceiver(
  host: ObservingHost,
  facts: Facts,
  remote: Remote,
  { secret, token }: Receiver,
): Promise<readonly Finding[]> {
  const { inspect, acceptTokens, isAsked } = remote;
  const { stored, place } = secret;
  const unconfirmed = judgeConsent(host, facts.config.base, workspaceOf(stored), { isAsked });
  if (place === undefined || unconfirmed.length > 0) return unconfirmed;
  const { purpose } = placeOf(stored);
  if (purpose === "apply") {
    const { environment: name, repo } = stored;
    const branch = await appliedBranch(host, facts);
    const open = judgeBranches({ name, repo, branch }, place.seen);
    if (open.length > 0) return open;
  }
  const config = configFor(remote, secret);
  if (config === undefined) {
    const message = `${nameOf(stored)} is of an environment that the config no longer has.`;
    const fix = hint`Delete the secret there, and its entry in do-bootstrap.pipeline.json.`;
    return [ciFinding("ci.unreached", message, { fix })];
  }
  const of = { name: stored.environment, purpose, config } as const;
  const its = await withNeedsOf(host, facts, of);
  const given = { place: of, token, inspection: await inspect(token) };
  const accept = acceptTokens ? undefined : own("rotate", "--accept-tokens");
  const wrong = judgePipelineToken(its, given, [], accept);
  return wrong === undefined ? [] : [wrong];
}

function configFor({ configOf }: Remote, { stored }: RemoteSecret): ResolvedConfig | undefined {
  return configOf(placeOf(stored).of);
}

function judgeOthers(remote: Remote): Finding[] {
  const {
    pipeline: { tokens },
    rotations,
    revoke,
    isAsked,
  } = remote;
  const received = new Set(rotations.flatMap(({ receivers }) => receivers));
  const olds = rotations.flatMap((rotation) => rotation.olds);
  const changed = tokens.filter(({ state }) => state === "changed");
  // A person sees that it is replaced.
  const lost = changed.filter(
    (each) => received.has(each) && configFor(remote, each) !== undefined && (revoke || !isAsked),
  );
  const unknown = [
    ...[...received].filter(
      (each) => each.place === undefined || configFor(remote, each) === undefined,
    ),
    ...tokens.filter((each) => !received.has(each) && !["stored", "missing"].includes(each.state)),
  ];
  const others = tokens.filter((each) => !received.has(each) && !changed.includes(each));
  return [
    ...judgeRemote(changed, () => false),
    ...(lost.length > 0 ? [notOverwritten(lost)] : []),
    ...(revoke && olds.length > 0 && unknown.length > 0 ? [mayHold(unknown)] : []),
    ...(others.length > 0 && olds.length > 0 ? [notReplaced(others)] : []),
  ];
}

function mayHold(secrets: readonly RemoteSecret[]): Finding {
  const names = secrets.map(({ stored }) => nameOf(stored));
  const message = `The old token may still be in ${few(names)}. Nothing was revoked.`;
  const fix = hint`Without --revoke: ${own("rotate")}. Delete the old token once nothing uses it.`;
  return finding("token.not-stored", message, { fix });
}

function notOverwritten(secrets: readonly RemoteSecret[]): Finding {
  const names = secrets.map(({ stored }) => nameOf(stored));
  const message = `The new token would replace what somebody else has stored: ${few(names)}. Nothing was changed.`;
  const fix = hint`If that is right, at a terminal: ${own("rotate")}`;
  return ciFinding("ci.not-applied", message, { fix });
}

function notReplaced(secrets: readonly RemoteSecret[]): Finding {
  const names = secrets.map(
    ({ stored: { name, environment, token } }) => `${name} in ${environment} (${token})`,
  );
  const message = `The pipeline has other tokens, which are not replaced: ${few(names, 4)}.`;
  const kinds = [...new Set(secrets.map(({ stored }) => stored.kind))];
  const commands = kinds.flatMap(
    (kind, at): Hint => [at === 0 ? "" : " or ", own("ci", kind, "--apply", "--renew")],
  );
  const fix = hint`${commands} asks for new ones`;
  return ciFinding("ci.secrets", message, { fix });
}

/** @param remember keeps a person's yes. */
function storing(
  { secret, token }: Receiver,
  { progress, stored: done }: Remote,
  remember: () => void,
): OutsideChange {
  const { stored, place } = secret;
  const { name, environment } = stored;
  const where = `in ${environment} on ${shownRepo(stored)}`;
  const why = `${where}; token ${token.fingerprint}`;
  return {
    ...{ label: `secret ${name}`, sign: "+", why },
    asked: `store the new token ${where}`,
    json: () => documentOf(stored, why),
    async apply() {
      progress(`Storing the new token in ${environment}`);
      remember();
      try {
        done.set(secret, await place?.store.store(name, token));
        return [];
      } catch (error) {
        const { code, message } = asAppError(error);
        if (code === "INTERRUPTED") throw error;
        const said = `${nameOf(stored)} may still have its old token: ${sentence(message)} Do not delete that token yet.`;
        return [ciFinding("ci.not-applied", said, { fix: hint`${own("rotate")} goes on` })];
      }
    },
  };
}

/** Why the old token of a rotation must stay valid. */
export function stillIn(
  { receivers, holders }: Rotation,
  stored: Pick<ReadonlySet<RemoteSecret>, "has">,
): string | undefined {
  const left = [...new Set([...receivers, ...holders])].filter((each) => !stored.has(each));
  const names = left.map(({ stored: each }) => nameOf(each));
  return left.length === 0 ? undefined : `it may still be in ${listed(names)}`;
}

/** Writes down the versions of what was stored, so that a later change is noticed. */
export async function recordVersions(
  host: Pick<ObservingHost, "files">,
  facts: Pick<Facts, "repo" | "config">,
  done: ReadonlyMap<RemoteSecret, string | undefined>,
): Promise<readonly Change[]> {
  if (done.size === 0) return [];
  const all = [...done];
  // GitHub does not say it.
  const located = all.flatMap(([{ stored, place }, version]) =>
    place && version === undefined ? [{ stored, store: place.store }] : [],
  );
  // Without them, the next run stores the secrets again.
  const listedNow = await versionsNow(located).catch(() => () => undefined);
  const versionOf = (secret: StoredSecret) =>
    all.find(([{ stored }]) => isSame(stored, secret))?.[1] ?? listedNow(secret);
  return planVersions(host, facts, versionOf);
}
