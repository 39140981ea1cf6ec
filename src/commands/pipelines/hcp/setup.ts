import { askRepos, guardOf } from "../../../concerns/git/repos.ts";
import type { ApplyHost } from "../../../core/change.ts";
import { type Finding, isBlocked } from "../../../core/finding.ts";
import { type Result, runTask, type Task } from "../../../core/flow.ts";
import type { OutsideChange } from "../../../core/outside-change.ts";
import { joined } from "../../../core/plan.ts";
import { AppError, asAppError } from "../../../errors/app-error.ts";
import { hint, own } from "../../../errors/hint.ts";
import { KEY_NAMES } from "../../../exec/spaces-keys.ts";
import { listed } from "../../../lib/few.ts";
import { groupedBy } from "../../../lib/grouped.ts";
import { type Facts, type ObservingHost, observe } from "../../init/observe.ts";
import type { Prompter } from "../../init/prompter.ts";
import { finding } from "../findings.ts";
import { askForTokens, type PipelineToken, withNeedsOf } from "../github/tokens.ts";
import { type PipelineRequest, rootsOf } from "../pipeline.ts";
import type { Root } from "../roots.ts";
import { judgeChange, judgeReplaced, type SeenStore } from "../secret-store.ts";
import {
  documentOf,
  forgotten,
  isDue,
  isSame,
  nameOf,
  planStored,
  planVersions,
  readStored,
  type StoredSecret,
  stateOf,
  withNew,
} from "../stored-secrets.ts";
import { type Consent, confirm, judgeConsent } from "./consent.ts";
import { destinationOf, isFor, variableOf } from "./destination.ts";
import { openHcp, type Workspace } from "./workspace.ts";

export interface HcpRequest extends Pick<PipelineRequest, "progress" | "dryRun">, Consent {
  /** Replace the variables that HCP Terraform has. */
  readonly renew: boolean;
}

/**
 * Stores tokens in the workspaces of HCP Terraform that the code names. The code decides where a token goes, so a person
 * confirms the host and the organization, or names them.
 *
 * @throws AppError USAGE without a cloud block, and those of runTask.
 */
export async function setUpHcp(
  host: ObservingHost & ApplyHost,
  request: HcpRequest,
  { approve, ask }: Pick<Prompter<Facts>, "approve" | "ask">,
): Promise<Result<Facts>> {
  const { progress } = request;
  const again = hint`${own("ci", "hcp", "--apply", ...(request.renew ? ["--renew"] : []))}`;
  const failed: Finding[] = [];
  let ready: Ready | undefined;
  /** What this run has stored, with the version of each. */
  const stored: { readonly entry: HcpPlace["entry"]; readonly version: string | undefined }[] = [];
  const task: Task<Facts> = {
    async look() {
      const { facts, inEnvironment } = await observe(host, {
        ...{ environment: undefined, withoutToken: true, progress },
      });
      const record = await readStored(host, facts.config.base);
      if (ready !== undefined) {
        const wanted = planStored(facts.repo, record, recordAfter(ready));
        return { facts, plan: joined([wanted, { findings: ready.findings }]) };
      }
      const roots = await rootsOf(host, facts, inEnvironment);
      if (record.findings.length > 0)
        return { facts, plan: joined([{ findings: record.findings }]) };
      const given = { facts, roots, stored: record.secrets };
      const found = await prepare(host, given, request, ask);
      if (!("places" in found)) return { facts, plan: joined([found]) };
      ready = found;
      const outside = found.places.map((place) => storing(place, facts.config.base));
      const wanted = planStored(facts.repo, record, recordAfter(found));
      return { facts, plan: joined([wanted, { findings: found.findings, outside }]) };
    },
    async probe({ facts, plan }) {
      const all = (ready?.places ?? []).map(({ store, seen }) => judgeChange(store, seen));
      const findings = (await Promise.all(all)).flat();
      return { facts, plan: joined([plan, { findings }]), warnings: [] };
    },
    cleanUp: ({ config }) => host.files.sweep(config.base),
    guard: ({ repo }) => guardOf(host, repo.git?.git),
    inGit: (paths, { repo }) => askRepos(host, repo.git?.git, paths),
    afterwards: (facts) =>
      planVersions(
        host,
        facts,
        (secret) => stored.find(({ entry }) => isSame(entry, secret))?.version,
      ),
    finish: () =>
      failed.length > 0 || stored.length === 0 || ready === undefined ? failed : replacedBy(ready),
  };
  return runTask(task, host, approve, request);

  function storing({ store, entry, token }: HcpPlace, folder: string): OutsideChange {
    const { name, environment, repo } = entry;
    const where = `in workspace ${environment} on ${repo.replace("/", ", ")}`;
    const why = `${where}; sensitive${token === undefined ? "" : `; token ${token.token.fingerprint}`}`;
    return {
      ...{ label: `variable ${name}`, sign: "+", why, asked: `store the token ${where}` },
      json: () => documentOf(entry, why),
      async apply() {
        progress(`Setting ${name} ${where}`);
        // It was shown, and a person or a script said yes.
        confirm(host, folder, [{ repo, workspace: environment }]);
        try {
          if (token === undefined) throw new AppError("NO_TOKEN", "No token was given.");
          stored.push({ entry, version: await store.store(name, token.token) });
          return [];
        } catch (error) {
          const { code, message } = asAppError(error);
          if (code === "INTERRUPTED") throw error;
          const said = `${nameOf(entry)} was not stored: ${message}`;
          failed.push(finding("ci.not-applied", said, { fix: again }));
          return [];
        }
      },
    };
  }
}

/** A variable of a workspace. */
interface HcpPlace {
  readonly store: Workspace;
  readonly seen: SeenStore;
  readonly entry: Pick<StoredSecret, "kind" | "repo" | "environment" | "name" | "of">;
  /** What it gets; undefined: it stays, or this is a dry run. */
  readonly token: PipelineToken | undefined;
}

interface Ready {
  readonly places: readonly HcpPlace[];
  readonly stored: readonly StoredSecret[];
  readonly findings: readonly Finding[];
}

/** Looks at the workspaces, and asks a person for the tokens that they lack. */
async function prepare(
  host: ObservingHost,
  { facts, roots, stored }: { facts: Facts; roots: readonly Root[]; stored: Ready["stored"] },
  { progress, renew, dryRun, isAsked, to }: HcpRequest,
  ask: Prompter<Facts>["ask"],
): Promise<Ready | { readonly findings: readonly Finding[] }> {
  const found = roots.flatMap((root) => {
    const destination = destinationOf(root.root, host.env);
    return destination === undefined ? [] : [{ root, destination }];
  });
  if (found.length === 0) {
    throw new AppError("USAGE", "No code here has a cloud block or a backend of type remote.", {
      hint: hint`For a pipeline elsewhere: ${own("ci", "github")}`,
    });
  }
  const unclear = found.flatMap(({ destination: each }) =>
    "why" in each ? [finding("ci.no-workspace", each.why, { fix: each.fix })] : [],
  );
  const all = found.flatMap(({ root, destination: each }) =>
    "why" in each ? [] : [{ root, each }],
  );
  const places = [
    ...groupedBy(all, ({ each }) => [each.repo, each.workspace, each.name].join(" ")),
  ];
  const wanted = all.map(({ each }) => each);
  const named = dryRun ? [] : wanted.filter(({ repo }) => repo === to);
  // Without a question, --to is the yes. It counts even if another workspace is not confirmed yet.
  if (!isAsked) confirm(host, facts.config.base, named);
  const findings = [
    ...unclear,
    ...places.flatMap(([, its]) => twoFor(its)),
    ...judgeConsent(host, facts.config.base, wanted, { isAsked: isAsked || dryRun, to, renew }),
    ...(facts.machine.isCi && !dryRun ? [inCi()] : []),
  ];
  if (isBlocked(findings)) return { findings };
  progress("Asking HCP Terraform");
  const looked = await Promise.all(
    places.map(async ([, its]) => {
      const [{ root, each }] = its as [(typeof its)[number]];
      const store = await openHcp(host, { roots: its.map((one) => one.root.root) }, each);
      const of = root.config.environment ?? "digitalocean";
      const entry = {
        kind: "hcp",
        repo: each.repo,
        environment: each.workspace,
        name: each.name,
        of,
      } as const;
      const seen = await store.look();
      const known = stored.find((other) => isSame(other, entry));
      const version = seen.secrets.get(each.name);
      const state = known && stateOf(known, version);
      const lacks = state === undefined ? version === undefined : isDue(state);
      const isTheirs = (state === undefined && !lacks) || state === "changed";
      const set = await store.setWith(each.name);
      // A token that the runs get already is not doubled.
      const isGiven = set !== undefined && (set.wins || version === undefined) && !renew;
      const isWanted = (lacks || renew) && !isGiven;
      return { store, seen, entry, root, set, isWanted, isTheirs: isTheirs && !isWanted };
    }),
  );
  const said = looked.flatMap(({ set, entry, seen, isWanted }) => {
    const isUsed = set?.wins || (!isWanted && !seen.secrets.has(entry.name));
    return set !== undefined && isUsed ? [givenBySet(entry, set)] : [];
  });
  const theirs = looked.flatMap(({ entry, isTheirs }) => (isTheirs ? [setByOthers(entry)] : []));
  const lacking = looked.filter(({ isWanted }) => isWanted);
  // Nothing will be asked.
  if (lacking.length === 0) confirm(host, facts.config.base, named);
  const asked = lacking.map(({ entry, root: { config } }) => ({
    ...{ name: entry.environment, purpose: "apply" as const, config },
    variable: variableFor(config.environment),
    role: "a token that plans and applies",
  }));
  const wrong = isBlocked(said) || dryRun;
  const tokens = wrong
    ? []
    : await askForTokens(host, asked, {
        facts,
        ask,
        progress,
        acceptTokens: false,
        on: "HCP Terraform",
      });
  const keys = await Promise.all(
    looked.map(async ({ entry, root }) => {
      const of = { name: entry.environment, purpose: "apply", config: root.config } as const;
      const { token } = await withNeedsOf(host, facts, of);
      return token.code.needs.spaces.length > 0 ? [spacesKeys(entry)] : [];
    }),
  );
  // A block for several workspaces names all of its own, and TF_WORKSPACE may choose another one in the next run.
  const isNamed = ({ kind, repo, environment: workspace, name }: StoredSecret) =>
    kind !== "hcp" ||
    roots.some(
      ({ root }) => isFor(root, host.env, { repo, workspace }) && variableOf(root).name === name,
    );
  const gone = stored.filter((each) => !isNamed(each));
  return {
    stored: stored.filter(isNamed),
    findings: [...forgotten("code", gone), ...said, ...theirs, ...keys.flat()],
    places: lacking.map(({ store, seen, entry }, at) => {
      return { store, seen, entry, token: tokens.find(({ place }) => place === asked[at]) };
    }),
  };
}

/** Such as DIGITALOCEAN_TOKEN_HCP_PROD. */
function variableFor(environment: string | undefined): string {
  const suffix = environment?.toUpperCase().replace(/\W/g, "_");
  return ["DIGITALOCEAN_TOKEN_HCP", ...(suffix === undefined ? [] : [suffix])].join("_");
}

function inCi(): Finding {
  const message = "CI: HCP Terraform is not set up from a pipeline.";
  return finding("ci.no-workspace", message, { fix: hint`Run this on your machine.` });
}

/** A workspace has one token, so it is for one environment, and for one variable of that name. */
function twoFor(
  all: readonly { readonly root: Root; readonly each: { workspace: string; category: string } }[],
): Finding[] {
  const [first, ...rest] = all;
  const other = rest.find(
    ({ root, each }) =>
      root.config.environment !== first?.root.config.environment ||
      each.category !== first?.each.category,
  );
  if (first === undefined || other === undefined) return [];
  const names = [first, other].map(
    ({ root: { config, root } }) => `${config.environment ?? "the config"} (${root.config.dir})`,
  );
  const message = `${listed(names)} both name workspace ${first.each.workspace}, which can have one token only.`;
  const fix = hint`Give each its own workspace in the config: environments.NAME.terraform.workspace`;
  return [finding("ci.no-workspace", message, { fix })];
}

function givenBySet(
  entry: HcpPlace["entry"],
  { set, wins }: { readonly set: string; readonly wins: boolean },
): Finding {
  const { name, environment } = entry;
  const what = wins ? "overrides the workspace's own variable" : "gives it to this workspace";
  const message = `${name} of ${environment}: the variable set ${set} ${what}, and do-bootstrap changes no variable sets.`;
  const fix = hint`Replace the token in ${set}; or remove it there and run ${own("ci", "hcp", "--apply")}`;
  return finding(wins ? "ci.variable-set" : "ci.secrets", message, { fix });
}

function setByOthers(entry: HcpPlace["entry"]): Finding {
  const { name, environment } = entry;
  const message = `${environment} has a ${name} that do-bootstrap did not store, so it is unknown what it holds, and rotate may not reach it.`;
  const fix = hint`To replace it: ${own("ci", "hcp", "--apply", "--renew")}`;
  return finding("ci.secret-changed", message, { fix });
}

function spacesKeys({ environment, repo }: HcpPlace["entry"]): Finding {
  const message = `The code uses Spaces keys. Set ${listed(KEY_NAMES)} in workspace ${environment} on ${repo.replace("/", ", ")}, as sensitive environment variables.`;
  const fix = hint`${own("backend", "keys")} lists your keys. Create one for these runs in the control panel`;
  return finding("ci.to-do", message, { fix });
}

function replacedBy(ready: Ready): Finding[] {
  const all = recordAfter(ready);
  const news = all.filter((each) => ready.places.some(({ entry }) => isSame(entry, each)));
  return judgeReplaced(all, news);
}

/** What the secrets of all places should hold after this run. */
function recordAfter({ places, stored }: Ready): readonly StoredSecret[] {
  const news = places.map(({ entry, seen, token }) => ({
    ...{ ...entry, was: seen.secrets.get(entry.name) ?? null },
    token: token?.token.fingerprint,
  }));
  const isStored = (old: StoredSecret) =>
    places.some(
      ({ entry, seen }) =>
        isSame(old, entry) && stateOf(old, seen.secrets.get(old.name)) === "stored",
    );
  return withNew(stored, news, isStored);
}
