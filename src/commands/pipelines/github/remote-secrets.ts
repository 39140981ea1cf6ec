import type { Finding } from "../../../core/finding.ts";
import { AppError, asAppError } from "../../../errors/app-error.ts";
import { hint, own } from "../../../errors/hint.ts";
import { listed } from "../../../lib/few.ts";
import { groupedBy, onceEach } from "../../../lib/grouped.ts";
import type { Facts } from "../../init/observe.ts";
import { finding } from "../findings.ts";
import {
  isSame,
  nameOf,
  type SecretState,
  type StoredSecret,
  shownRepo,
  stateOf,
} from "../stored-secrets.ts";
import { judgeChange, type SeenEnvironment, seeEnvironment } from "./environment.ts";
import { keyOf } from "./remotes.ts";
import { findTarget, githubRepos, type Target, type TargetHost } from "./repo.ts";

/** A secret that do-bootstrap has stored, and what GitHub lists of it. */
export interface RemoteSecret {
  readonly stored: StoredSecret;
  /** "unreached": GitHub could not be asked. */
  readonly state: SecretState | "unreached";
  /** Where it is; undefined: GitHub could not be asked. */
  readonly place: { readonly target: Target; readonly seen: SeenEnvironment } | undefined;
}

/**
 * Asks GitHub about the secrets that do-bootstrap has stored there. The file that names them is in git, so anybody may
 * have changed it: only a repo that a remote names is asked.
 *
 * @returns also the reason for each repo that could not be asked.
 */
export async function lookAtRemote(
  host: TargetHost,
  facts: Pick<Facts, "repo">,
  stored: readonly StoredSecret[],
): Promise<{ readonly secrets: readonly RemoteSecret[]; readonly findings: readonly Finding[] }> {
  const remotes = (await githubRepos(host, facts.repo.git?.git)).map(keyOf);
  const byRepo = [...groupedBy(stored, ({ repo }) => repo)];
  const all = await Promise.all(
    byRepo.map(async ([repo, its]) => {
      try {
        const target = await reach(repo);
        return { secrets: await ask(target, its), findings: [] };
      } catch (error) {
        const { code, message, hint: fix } = asAppError(error);
        if (code === "INTERRUPTED") throw error;
        const secrets = its.map(
          (each): RemoteSecret => ({ stored: each, state: "unreached", place: undefined }),
        );
        const names = listed([...new Set(its.map(({ environment }) => environment))]);
        const said = `The secrets of ${names} on ${shownRepo({ repo })} were not looked at. ${message}`;
        return { secrets, findings: [finding("ci.unreached", said, fix && { fix })] };
      }
    }),
  );
  return {
    secrets: all.flatMap(({ secrets }) => secrets),
    findings: all.flatMap(({ findings }) => findings),
  };

  async function reach(repo: string): Promise<Target> {
    if (!remotes.includes(repo)) {
      throw new AppError("GH_FAILED", "No remote of this clone is that repo.", {
        hint: hint`If the pipeline runs elsewhere now: ${own("ci", "github", "--apply")}`,
      });
    }
    const found = await findTarget(host, facts, repo);
    if ("target" in found) return found.target;
    const [wrong] = found.findings;
    throw new AppError("GH_FAILED", wrong?.message ?? "", wrong?.fix && { hint: wrong.fix });
  }
}

async function ask(
  target: Target,
  stored: readonly StoredSecret[],
): Promise<readonly RemoteSecret[]> {
  const byEnvironment = [...groupedBy(stored, ({ environment }) => environment)];
  const all = byEnvironment.map(async ([environment, its]) => {
    const seen = await seeEnvironment(target, environment);
    return its.map((each): RemoteSecret => {
      const state = stateOf(each, seen.secrets.get(each.name));
      return { stored: each, state, place: { target, seen } };
    });
  });
  return (await Promise.all(all)).flat();
}

/** Asks GitHub again after a person was asked: what these secrets hold is only known if nothing has changed. */
export async function judgeChanges(secrets: readonly RemoteSecret[]): Promise<readonly Finding[]> {
  const reached = secrets.flatMap(({ stored, place }) => (place ? [{ stored, ...place }] : []));
  const places = onceEach(reached, ({ stored: { repo, environment } }) => `${repo} ${environment}`);
  const all = places.map(async ({ stored: { environment }, target, seen }) =>
    judgeChange(environment, seen, await seeEnvironment(target, environment)),
  );
  return (await Promise.all(all)).flat();
}

/** A secret, and the repo that has it. */
export interface Located {
  readonly stored: Pick<StoredSecret, "repo" | "environment" | "name">;
  readonly target: Target;
}

/** Asks GitHub again. @returns the version of a secret; undefined: it is not listed. @throws AppError GH_FAILED */
export async function versionsNow(
  secrets: readonly Located[],
): Promise<(secret: Located["stored"]) => string | undefined> {
  const groups = groupedBy(
    secrets,
    ({ stored: { repo, environment } }) => `${repo} ${environment}`,
  );
  const all = [...groups.values()].map(async (its) => {
    const [{ target, stored }] = its as [Located];
    const seen = await seeEnvironment(target, stored.environment);
    return its.map((each) => [each.stored, seen.secrets.get(each.stored.name)] as const);
  });
  const versions = (await Promise.all(all)).flat();
  return (secret) => versions.find(([each]) => isSame(each, secret))?.[1];
}

/** @param isHere whether this machine has the token with that fingerprint. */
export function judgeRemote(
  secrets: readonly RemoteSecret[],
  isHere: (fingerprint: string) => boolean,
): readonly Finding[] {
  return secrets.flatMap((each) => judgeSecret(each, isHere));
}

function judgeSecret(
  { stored, state, place }: RemoteSecret,
  isHere: (fingerprint: string) => boolean,
): Finding[] {
  const name = nameOf(stored);
  const { token } = stored;
  const store =
    token !== undefined && isHere(token)
      ? hint`${own("rotate")} stores it`
      : hint`${own("ci", "github", "--apply")} asks for a token and stores it`;
  if (state === "missing") {
    return [finding("ci.secret-missing", `There is no ${name}.`, { fix: store })];
  }
  const set = `It was set at ${place?.seen.secrets.get(stored.name)}`;
  if (state === "older") {
    const wanted = token === undefined ? "a new Spaces key" : `token ${token}`;
    const message = `${name} is older than what it should hold. ${set}, and should hold ${wanted}.`;
    return [finding("ci.secret-older", message, { fix: store })];
  }
  if (state !== "changed") return [];
  const message = `${name} was changed by somebody else. ${set}; do-bootstrap stored it at ${stored.is}.`;
  const fix = hint`Get the newest do-bootstrap.pipeline.json from git. If nobody committed one: ${own("ci", "github", "--apply", "--renew")}`;
  return [finding("ci.secret-changed", message, { fix })];
}
