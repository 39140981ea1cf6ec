import type { TerraformRoot } from "../../concerns/terraform/root/root.ts";
import type { Finding } from "../../core/finding.ts";
import { AppError, asAppError } from "../../errors/app-error.ts";
import { hint, own } from "../../errors/hint.ts";
import { listed } from "../../lib/few.ts";
import { groupedBy, onceEach } from "../../lib/grouped.ts";
import type { Facts } from "../init/observe.ts";
import { finding } from "./findings.ts";
import { githubStore } from "./github/environment.ts";
import { keyOf } from "./github/remotes.ts";
import { findTarget, githubRepos, type TargetHost } from "./github/repo.ts";
import { type HcpHost, openHcp } from "./hcp/workspace.ts";
import { judgeChange, type SecretStore, type SeenStore } from "./secret-store.ts";
import {
  isSame,
  nameOf,
  type SecretState,
  type StoredSecret,
  shownRepo,
  stateOf,
} from "./stored-secrets.ts";

/** A secret that do-bootstrap has stored, and what its place lists of it. */
export interface RemoteSecret {
  readonly stored: StoredSecret;
  /** "unreached": its place could not be asked. */
  readonly state: SecretState | "unreached";
  /** Where it is; undefined: that could not be asked. */
  readonly place: { readonly store: SecretStore; readonly seen: SeenStore } | undefined;
}

/**
 * Asks GitHub and HCP Terraform about the secrets that do-bootstrap has stored there. The file that names them is in git,
 * so anybody may have changed it: only a repo that a remote names is asked, and a variable that the code names.
 *
 * @returns also the reason for each place that could not be asked.
 */
export async function lookAtRemote(
  host: TargetHost & HcpHost,
  facts: Pick<Facts, "repo"> & { readonly roots: readonly TerraformRoot[] },
  stored: readonly StoredSecret[],
): Promise<{ readonly secrets: readonly RemoteSecret[]; readonly findings: readonly Finding[] }> {
  const openers = {
    github: ({ repo }: StoredSecret) => openGithub(host, facts, repo),
    async hcp({ repo, environment: workspace, name }: StoredSecret) {
      const store = await openHcp(host, facts, { repo, workspace, name });
      return () => store;
    },
  };
  const byPlace = groupedBy(stored, ({ kind, repo, environment, name }) =>
    kind === "github" ? repo : [repo, environment, name].join(" "),
  );
  const all = await Promise.all(
    [...byPlace.values()].map(async (its) => {
      const [first] = its as [StoredSecret];
      try {
        return { secrets: await ask(await openers[first.kind](first), its), findings: [] };
      } catch (error) {
        const { code, message, hint: fix } = asAppError(error);
        if (code === "INTERRUPTED") throw error;
        const secrets = its.map(
          (each): RemoteSecret => ({ stored: each, state: "unreached", place: undefined }),
        );
        const names = listed([...new Set(its.map(({ environment }) => environment))]);
        const said = `The secrets of ${names} on ${shownRepo(first)} were not looked at. ${message}`;
        return { secrets, findings: [finding("ci.unreached", said, fix && { fix })] };
      }
    }),
  );
  return {
    secrets: all.flatMap(({ secrets }) => secrets),
    findings: all.flatMap(({ findings }) => findings),
  };
}

/** Opens an environment on GitHub, or a workspace of HCP Terraform, by its name. @throws AppError */
type OpenStore = (name: string) => SecretStore;

async function openGithub(
  host: TargetHost,
  facts: Pick<Facts, "repo">,
  repo: string,
): Promise<OpenStore> {
  const remotes = (await githubRepos(host, facts.repo.git?.git)).map(keyOf);
  if (!remotes.includes(repo)) {
    throw new AppError("GH_FAILED", "No remote of this clone is that repo.", {
      hint: hint`If the pipeline runs elsewhere now: ${own("ci", "github", "--apply")}`,
    });
  }
  const found = await findTarget(host, facts, repo);
  if ("target" in found) return (environment) => githubStore(found.target, environment);
  const [wrong] = found.findings;
  throw new AppError("GH_FAILED", wrong?.message ?? "", wrong?.fix && { hint: wrong.fix });
}

async function ask(
  open: OpenStore,
  stored: readonly StoredSecret[],
): Promise<readonly RemoteSecret[]> {
  const byEnvironment = [...groupedBy(stored, ({ environment }) => environment)];
  const all = byEnvironment.map(async ([environment, its]) => {
    const store = open(environment);
    const seen = await store.look();
    return its.map((each): RemoteSecret => {
      const state = stateOf(each, seen.secrets.get(each.name));
      return { stored: each, state, place: { store, seen } };
    });
  });
  return (await Promise.all(all)).flat();
}

/** Asks again after a person was asked: what these secrets hold is only known if nothing has changed. */
export async function judgeChanges(secrets: readonly RemoteSecret[]): Promise<readonly Finding[]> {
  const places = onceEach(
    secrets.flatMap(({ place }) => place ?? []),
    ({ store }) => store.name,
  );
  const all = places.map(({ store, seen }) => judgeChange(store, seen));
  return (await Promise.all(all)).flat();
}

/** A secret, and the place that has it. */
export interface Located {
  readonly stored: Pick<StoredSecret, "repo" | "environment" | "name">;
  readonly store: SecretStore;
}

/** Asks again. @returns the version of a secret; undefined: it is not listed. @throws AppError */
export async function versionsNow(
  secrets: readonly Located[],
): Promise<(secret: Located["stored"]) => string | undefined> {
  const groups = groupedBy(secrets, ({ store }) => store.name);
  const all = [...groups.values()].map(async (its) => {
    const [{ store }] = its as [Located];
    const { secrets: listed } = await store.look();
    return its.map((each) => [each.stored, listed.get(each.stored.name)] as const);
  });
  const versions = (await Promise.all(all)).flat();
  return (secret) => versions.find(([each]) => isSame(each, secret))?.[1];
}

const VERSION = { github: "It was set at", hcp: "Its version is" } as const;

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
      : hint`${own("ci", stored.kind, "--apply")} asks for a token and stores it`;
  if (state === "missing") {
    return [finding("ci.secret-missing", `There is no ${name}.`, { fix: store })];
  }
  const set = `${VERSION[stored.kind]} ${place?.seen.secrets.get(stored.name)}`;
  if (state === "older") {
    const wanted = token === undefined ? "a new Spaces key" : `token ${token}`;
    const message = `${name} is older than what it should hold. ${set}, and should hold ${wanted}.`;
    return [finding("ci.secret-older", message, { fix: store })];
  }
  if (state === "unsure") {
    const message = `${name} may not hold what it should. It was set, but the run that decided that ended before it looked. ${set}.`;
    return [finding("ci.secret-older", message, { fix: store })];
  }
  if (state !== "changed") return [];
  const message = `${name} was changed by somebody else. ${set}; do-bootstrap left it as of ${stored.is}.`;
  const fix = hint`Get the newest do-bootstrap.pipeline.json from git. If nobody committed one: ${own("ci", stored.kind, "--apply", "--renew")}`;
  return [finding("ci.secret-changed", message, { fix })];
}
