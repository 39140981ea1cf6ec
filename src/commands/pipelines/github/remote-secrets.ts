import type { Finding } from "../../../core/finding.ts";
import { AppError, asAppError } from "../../../errors/app-error.ts";
import { hint, own } from "../../../errors/hint.ts";
import { listed } from "../../../lib/few.ts";
import { groupedBy } from "../../../lib/grouped.ts";
import type { Facts } from "../../init/observe.ts";
import { finding } from "../findings.ts";
import { dateOf, isOlder, type StoredSecret, shownRepo } from "../stored-secrets.ts";
import { type SeenEnvironment, seeEnvironment } from "./environment.ts";
import { keyOf } from "./remotes.ts";
import { findTarget, githubRepos, type Target, type TargetHost } from "./repo.ts";

/** A secret that do-bootstrap has stored, and what GitHub lists of it. */
export interface RemoteSecret {
  readonly stored: StoredSecret;
  /**
   * - "stored": as it should be
   * - "missing": GitHub has no such secret
   * - "older": GitHub's was set before it was decided what it should hold
   * - "changed": somebody set it later, so what it holds is unknown
   * - "unreached": GitHub could not be asked
   */
  readonly state: "stored" | "missing" | "older" | "changed" | "unreached";
  /** Where it is; undefined: GitHub could not be asked. */
  readonly place: { readonly target: Target; readonly seen: SeenEnvironment } | undefined;
}

/** Such as "DIGITALOCEAN_TOKEN_APPLY in prod-apply on github.com, acme/web". */
export function nameOf(stored: Omit<StoredSecret, "replaces">): string {
  return `${stored.name} in ${stored.environment} on ${shownRepo(stored)}`;
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

/** A person may take this long from the plan to the yes. In ms. */
const PATIENCE = 3_600_000;

/** @param updated when GitHub's secret was last set, in ms since the epoch; undefined: there is none. */
function stateOf(
  stored: StoredSecret,
  updated: number | undefined,
): Exclude<RemoteSecret["state"], "unreached"> {
  if (updated === undefined) return "missing";
  if (isOlder(stored, updated)) return "older";
  return updated - (stored.since ?? 0) > PATIENCE ? "changed" : "stored";
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
  const { token, since } = stored;
  const store =
    token !== undefined && isHere(token)
      ? hint`${own("rotate")} stores it`
      : hint`${own("ci", "github", "--apply")} asks for a token and stores it`;
  if (state === "missing") {
    return [finding("ci.secret-missing", `There is no ${name}.`, { fix: store })];
  }
  const updated = place?.seen.secrets.get(stored.name);
  const set = updated === undefined ? "" : `It was set at ${dateOf(updated)}`;
  if (state === "older") {
    const wanted = token === undefined ? "a new Spaces key" : `token ${token}`;
    const from = since === undefined ? "" : ` since ${dateOf(since)}`;
    const message = `${name} is older than what it should hold. ${set}, and should hold ${wanted}${from}.`;
    return [finding("ci.secret-older", message, { fix: store })];
  }
  if (state !== "changed") return [];
  const message = `${name} was changed by somebody else. ${set}; do-bootstrap stored it before${since === undefined ? "" : ` (${dateOf(since)})`}.`;
  const fix = hint`Get the newest do-bootstrap.pipeline.json from git. If nobody committed one: ${own("ci", "github", "--apply", "--renew")}`;
  return [finding("ci.secret-changed", message, { fix })];
}
