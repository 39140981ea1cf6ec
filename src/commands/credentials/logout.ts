import { basename, dirname, relative } from "node:path";
import {
  isForSecrets,
  isStateOrPlan,
  isTemporary,
  SECRET_TFVARS,
} from "../../concerns/config/protected-paths.ts";
import { RemoveContext } from "../../concerns/doctl/changes.ts";
import type { Login } from "../../concerns/doctl/config-file.ts";
import { heldIn } from "../../concerns/doctl/context.ts";
import { withNames } from "../../concerns/env-file/edit.ts";
import { exampleNames } from "../../concerns/env-file/plan.ts";
import { hiddenByOurs } from "../../concerns/git/hidden.ts";
import { askRepos, guardOf } from "../../concerns/git/repos.ts";
import { KEYS_PAGE } from "../../concerns/spaces/keys.ts";
import { judgeUnfinished } from "../../concerns/spaces/plan.ts";
import { BACKEND_TF, PUBLIC_TFVARS, UPLOAD_IGNORE } from "../../concerns/terraform/root/names.ts";
import { TOKEN_LIST } from "../../concerns/token/hosts.ts";
import type { Inspection } from "../../concerns/token/verdict.ts";
import type { ApplyHost } from "../../core/change.ts";
import { RemoveFile } from "../../core/changes/remove-file.ts";
import { WriteFile } from "../../core/changes/write-file.ts";
import { textAt } from "../../core/file-text.ts";
import type { Finding } from "../../core/finding.ts";
import { type Result, runTask, type Task } from "../../core/flow.ts";
import { recognise } from "../../core/generated.ts";
import { withoutBlock } from "../../core/ignore-block.ts";
import { type Bounds, obstacles } from "../../core/obstacles.ts";
import { joined, NOTHING, type PlanPart } from "../../core/plan.ts";
import { AppError } from "../../errors/app-error.ts";
import { hint, own, run } from "../../errors/hint.ts";
import type { Host, Snapshot } from "../../host/host.ts";
import { few, listed } from "../../lib/few.ts";
import { onceEach } from "../../lib/grouped.ts";
import { jsonIn } from "../../lib/json.ts";
import { isInside } from "../../lib/paths.ts";
import { type Content, editedText } from "../../secret/content.ts";
import { Secret } from "../../secret/secret.ts";
import { cleanUp } from "../init/cleanup.ts";
import {
  type Asked,
  environmentsOf,
  type Many,
  observeMany,
  together,
} from "../init/environments.ts";
import type { Facts, ObserveOptions, ObservingHost } from "../init/observe.ts";
import type { Prompter } from "../init/prompter.ts";
import { isOfProject, pipelinePaths } from "../pipelines/files.ts";
import { finding } from "./findings.ts";
import {
  holdersIn,
  leftBehind,
  leftOutside,
  type SearchedTree,
  searchTree,
  treeAfter,
  unreached,
} from "./left-behind.ts";
import { heldByOthers } from "./other-environments.ts";
import { type PipelineRemoval, removalOf } from "./pipeline-removal.ts";
import {
  changePlace,
  changesOf,
  type Held,
  naming,
  placesFound,
  readPlaces,
  type TokenPlace,
} from "./token-places.ts";
import { unreadPlaces } from "./unread-places.ts";

export interface LogoutRequest extends Asked, Pick<ObserveOptions, "progress"> {
  /** Also remove the files that we generated. */
  readonly uninstall: boolean;
  /** Also remove the secrets that do-bootstrap has stored for pipelines. */
  readonly remote: boolean;
  /** A person will be asked before anything is changed. */
  readonly isAsked: boolean;
  readonly dryRun: boolean;
}

/**
 * Removes the repo's token from every place that contains it. With `uninstall`, also removes what we generated and
 * nobody edited. With --all, removes the token of every environment. With `remote`, removes what was stored for pipelines.
 * Nothing changes at DigitalOcean.
 *
 * @throws AppError those of environmentsOf and runTask.
 */
export async function logout(
  host: ObservingHost & ApplyHost,
  request: LogoutRequest,
  { approve }: Pick<Prompter<Many>, "approve">,
): Promise<Result<Many>> {
  const { progress, uninstall, remote, dryRun, all: isAll = false } = request;
  const inspections = new Map<string, Promise<Inspection>>();
  let names: Awaited<ReturnType<typeof environmentsOf>> | undefined;
  // Kept for the second look, which no longer finds the tokens but reports the same about them.
  let olds: readonly Secret[] | undefined;
  // Ignored files with a secret. git must still ignore them after everything is written.
  let hidden: readonly string[] | undefined;
  let pipeline: PipelineRemoval | undefined;
  const task: Task<Many> = {
    async look() {
      names ??= await environmentsOf(host, request);
      const as = uninstall ? "uninstall" : "logout";
      const { all, inEnvironment } = await observeMany(host, names, {
        ...{ progress, inspections },
        keepLogin: true,
      });
      const facts = together(all);
      const logins = all.map(({ config }) => config.token.doctl);
      const places = await readPlaces(host, facts, logins);
      olds ??= onceEach([...tokensOf(all), ...writtenIn(places)], ({ digest }) => digest);
      const isAsked = uninstall || olds.length > 0;
      if (isAsked) progress("Searching the repo for the token");
      const tree = await searchTree(host, facts, isAsked ? olds : undefined);
      const others = await placesFound(host, holdersIn(tree), places);
      const edits = joined([
        // Files that cannot be edited are reported at the end.
        ...naming(others, olds).map((held) => changesOf(withoutOlds(facts, held))),
        ...removals(all, facts, naming(places, olds)),
        ...sessionsAlone(all),
      ]);
      if (remote) progress("Asking where the pipeline's secrets are");
      const again = hint`${own(as, ...(isAll ? ["--all"] : []), "--remote")}`;
      const environments = isAll ? undefined : names;
      const roots = all.flatMap(({ terraform }) => terraform.roots);
      pipeline ??= await removalOf(
        host,
        { ...facts, roots },
        { isWanted: remote, isAsked: request.isAsked || dryRun, environments, again },
      );
      const left = treeAfter(tree, edits.changes, olds);
      const gone = olds;
      const plan = joined([
        edits,
        await pipeline.plan(facts),
        ...(uninstall ? await uninstallation(host, { facts, places, olds, left }) : []),
        {
          findings: [
            ...(
              await Promise.all(
                gone.map(async (old) => {
                  const { state = "unknown" } = (await inspections.get(old.fingerprint)) ?? {};
                  return stillValid(old, state);
                }),
              )
            ).flat(),
            ...(uninstall ? judgeUnfinished(facts) : []),
            ...unreadPlaces(facts, places),
            ...(olds.length === 0
              ? [notSearched(places)]
              : [
                  unreached(facts, LEFT.todo),
                  ...all.flatMap((each) => leftOutside(each, gone, LEFT)),
                  ...leftBehind(left, places, LEFT),
                ]),
            ...(isAll ? [] : heldByOthers(all[0].config, inEnvironment, places, { but: olds, as })),
          ],
        },
      ]);
      hidden ??= uninstall ? await ignoredOf(host, facts, suspects(left)) : [];
      return { facts: all, plan };
    },
    async cleanUp(all) {
      await cleanUp(host, together(all));
      for (const { config, doctl } of all) {
        const [path, context] = [doctl?.config?.path, config.token.doctl];
        if (path === undefined || context === undefined) continue;
        const { dropPrivateConfigs } = await import("../../concerns/doctl/private-config.ts");
        await dropPrivateConfigs(host, { path, context, progress });
      }
    },
    guard: ([{ repo }]) => guardOf(host, repo.git?.git),
    isStillTrue: ([facts]) => assertHidden(host, facts, hidden ?? []),
    afterwards: async (all) => (await pipeline?.forget(together(all))) ?? [],
    inGit: (paths, [{ repo }]) => askRepos(host, repo.git?.git, paths),
  };
  return runTask(task, host, approve, { dryRun, progress });
}

/** doctl may hold a token that this repo stored there in another shell, or an account of the user's own. */
function notSearched(places: readonly TokenPlace[]): Finding {
  const contexts = places.flatMap((place) => (place.kind === "doctl" ? place.context : []));
  const message = "No valid token found, so no file was searched.";
  const [context] = contexts;
  if (context === undefined) return finding("token.unreached", message);
  const held = `doctl still holds a token in ${few(contexts)}.`;
  return finding("token.unreached", `${message} ${held}`, {
    fix: hint`If it is this repo's: ${run("doctl", "auth", "remove", "--context", context)}`,
  });
}

const LEFT = { what: "The token", todo: hint`Remove it there.` };

/**
 * Files that are not empty, and those that could not be searched. Leftovers of killed runs don't count: they are
 * removed, and hide themselves from git.
 */
function fullOnes({ files, unread, passedOver }: SearchedTree): readonly string[] {
  const all = [...files.keys(), ...unread.map(({ path }) => path), ...passedOver];
  return all.filter((path) => !isTemporary(path));
}

/** The files among them that contain a secret, by their purpose or by the search. */
function suspects(tree: SearchedTree): readonly string[] {
  const held = new Set(holdersIn(tree));
  const isOne = (path: string) =>
    held.has(path) || !tree.files.has(path) || isMeantForSecrets(path);
  return fullOnes(tree).filter(isOne);
}

async function ignoredOf(
  host: ObservingHost,
  { repo: { git } }: Facts,
  paths: readonly string[],
): Promise<readonly string[]> {
  const verdicts = await askRepos(host, git?.git, paths);
  return paths.filter((path) => verdicts.get(path)?.isIgnored);
}

/** Called after the ignore lines were removed. @throws AppError NOT_IGNORED */
async function assertHidden(
  host: ObservingHost,
  facts: Facts,
  hidden: readonly string[],
): Promise<void> {
  const now = new Set(await ignoredOf(host, facts, hidden));
  const path = hidden.find((each) => !now.has(each));
  if (path === undefined) return;
  throw new AppError(
    "NOT_IGNORED",
    `${path} may hold a secret, and git would no longer ignore it.`,
    {
      hint: hint`Nothing was changed. Move it out of the repo, then run the same command again.`,
    },
  );
}

/** What was found about a repo's tokens. */
interface Found {
  readonly facts: Facts;
  readonly places: readonly TokenPlace[];
  /** The tokens to remove. */
  readonly olds: readonly Secret[];
  /** The repo's files that contain a secret after the removal. */
  readonly left: SearchedTree;
}

async function uninstallation(host: ObservingHost, found: Found): Promise<PlanPart[]> {
  const pipelines = await lookAtPipelines(host, found.facts);
  const hidden = await hiddenByUs(host, found);
  const stays = { findings: staysAtDigitalOcean(found.facts) };
  return [planUninstall(found, pipelines, hidden), stays, await guardRemoval(host, found.facts)];
}

/** Nothing outside this machine is removed. */
function staysAtDigitalOcean({ spaces: { buckets, keys } }: Facts): Finding[] {
  if (buckets.length === 0) return [];
  const what = buckets.map(({ bucket, region }) => `bucket ${bucket} in ${region}`);
  const all = keys.kind === "keys" ? [...what, "its Spaces key"] : what;
  const message = `Not removed, because it is at DigitalOcean: ${listed(all)}.`;
  const fix = hint`${own("backend", "keys")} lists the keys. Delete what nobody uses in the control panel: ${KEYS_PAGE}`;
  return [finding("spaces.left", message, { fix })];
}

/**
 * The files that our lines in .gitignore hide from git, whatever they contain: those lines are only for files with
 * secrets. Outside git: the files that the lines are meant for.
 */
function hiddenByUs(host: ObservingHost, { facts: { repo }, left }: Found) {
  if (repo.git !== undefined) {
    return hiddenByOurs(host, repo.git.git, repo.gitignore, fullOnes(left));
  }
  return fullOnes(left).filter(isMeantForSecrets);
}

function isMeantForSecrets(path: string): boolean {
  return isForSecrets(basename(path)) || isStateOrPlan(path);
}

/** The tokens in use, and those that they override. */
function tokensOf(all: Many): readonly Secret[] {
  return all.flatMap((facts) => {
    const { state: token } = facts.token;
    const login = loginOf(facts)?.token ?? [];
    if (token.kind === "found") return [token.token, ...token.shadowed, login].flat();
    if (token.kind === "beside-login") return [token.token, login].flat();
    return [token.kind === "conflict" ? token.tokens : [], login].flat(2);
  });
}

/** The tokens in the files of values that we write, also if their source is gone. */
function writtenIn(places: readonly TokenPlace[]): readonly Secret[] {
  return places.flatMap((place) => {
    const isOurs = place.kind === "tfvars" && basename(place.snapshot.path) === SECRET_TFVARS;
    return isOurs ? place.holds.filter((held) => held.asToken() instanceof Secret) : [];
  });
}

/** The content of the context that the config names, even if another token overrides it. */
function loginOf({ config, doctl }: Facts): Login | undefined {
  const state = doctl?.config?.state;
  const context = config.token.doctl;
  return state?.kind === "known" && context !== undefined
    ? heldIn(state.config, context)
    : undefined;
}

/** Removes a login without an access token, since doctl could still get a new token with it. */
function sessionsAlone(all: Many): PlanPart[] {
  return all.flatMap((facts) => {
    const { path } = facts.doctl?.config ?? {};
    const { token, session } = loginOf(facts) ?? {};
    const context = facts.config.token.doctl;
    if (path === undefined || context === undefined) return [];
    if (token !== undefined || session === undefined) return [];
    const login = { path, context, why: "remove the login" };
    return { changes: [new RemoveContext(login, undefined)] };
  });
}

/** A file that a token is read from is changed last, so that a run after a kill finds the token again. */
function removals(all: Many, facts: Facts, at: readonly Held[]): PlanPart[] {
  const isSource = ({ place }: Held) =>
    place.kind === "env-file" &&
    all.some(({ config }) => place.snapshot.path === config.token.envFile);
  const [sources, others] = [at.filter(isSource), at.filter((held) => !isSource(held))];
  return [...others, ...sources].map((held) => withoutOlds(facts, held));
}

function withoutOlds(facts: Facts, held: Held): PlanPart {
  return changePlace(facts, held, undefined);
}

function stillValid(token: Secret, state: Inspection["state"]): Finding[] {
  const { fingerprint, isOfSession } = token;
  // A browser login does not appear in any list of tokens (docs/contracts/doctl-2.md 6.3).
  if (isOfSession) {
    const name = token.isRenewed ? token.shortName : `the token of a browser login, ${fingerprint}`;
    const message = `doctl is still authorized at DigitalOcean (${name}). The token works until it expires.`;
    const fix = hint`To end this access: revoke doctl under Authorized Applications in the control panel`;
    return [finding("token.still-valid", message, { fix })];
  }
  if (state === "refused") return [];
  const fix = hint`To revoke it: delete it at ${TOKEN_LIST}`;
  const message = `The token (${fingerprint}) ${state === "alive" ? "is" : "may be"} still valid.`;
  return [finding("token.still-valid", message, { fix })];
}

/** Removes what we generated and nobody edited, and our lines in .gitignore if they no longer protect anything. */
function planUninstall(
  { facts, places, olds, left }: Found,
  pipelines: readonly Snapshot[],
  hidden: readonly string[],
): PlanPart {
  const { config, repo, envFile, terraform } = facts;
  const { top } = repo;
  const { envrc, example } = envFile;
  const isEnvrc = recognise(textOf(envrc)) !== "foreign";
  // The target of a linked folder belongs to another repo.
  const roots = terraform.roots.filter(({ real }) => isInside(real, top));
  const inRoots = roots.flatMap((root) => {
    const names = [...root.own.keys()].filter((name) => name !== BACKEND_TF);
    const files = names.map((name) => root.at(name));
    const values = root.at(PUBLIC_TFVARS);
    // The file of values has no header. It is ours if the values are those of the config.
    const isOurs = values.kind === "file" && sameValues(values, root.config.variables);
    return [...files, ...(isOurs ? [values] : [])];
  });
  // A valid header does not prove that the rest of the file is ours.
  const theirs = roots.flatMap((root) =>
    [...root.own].flatMap(([name, { edited }]) => (edited ? [root.at(name)] : [])),
  );
  const isEdited = (each: Snapshot) =>
    theirs.includes(each) || recognise(textOf(each)) === "edited";
  const generated = [...inRoots, ...pipelines, ...(isEnvrc ? [envrc] : [])];
  const exampleText = withNames(envFile.templates.example, exampleNames(config));
  // On Windows, git checks files out with other line ends.
  const isExample = exampleText === textOf(example).replaceAll("\r\n", "\n");
  const gone = [...generated, ...(isExample ? [example] : [])].flatMap((snapshot) =>
    snapshot.kind === "file" && !isEdited(snapshot) ? snapshot : [],
  );
  const changes = gone.map((snapshot) => {
    // An empty pipeline folder is removed: ci created it. A root module's folder is not.
    const emptyBelow = pipelines.includes(snapshot) ? top : undefined;
    return new RemoveFile(snapshot, "generated and not edited", emptyBelow);
  });
  const edited = generated.filter(isEdited).map(({ path }) => basename(path));
  const isGone = (path: string) => gone.some((each) => each.target === path);
  const secrets = places.filter(
    (place) =>
      place.kind !== "doctl" &&
      !isGone(place.snapshot.target) &&
      place.holds.some((held) => !olds.some((old) => old.equals(held))),
  );
  const states = roots.filter((root) => root.states.length > 0);
  const isNamed = (path: string) =>
    secrets.some((place) => place.kind !== "doctl" && place.snapshot.target === path) ||
    (isStateOrPlan(path) && states.some(({ real }) => real === dirname(path)));
  const kept = [
    ...edited.map((name) => `${name} (edited)`),
    ...(config.file === undefined ? [] : [basename(config.file)]),
    // Without it, the next clone would start with an empty state.
    ...(roots.some(({ own }) => own.has(BACKEND_TF))
      ? [`${BACKEND_TF} (says where the state is)`]
      : []),
  ];
  // If another line hides it, or git tracks it, our lines don't protect it.
  const isHidden = (path: string) => repo.git === undefined || hidden.includes(path);
  const protects = [
    ...secrets.flatMap((place) =>
      place.kind !== "doctl" && isHidden(place.snapshot.target)
        ? [relative(top, place.snapshot.path)]
        : [],
    ),
    ...states.map(({ config: { dir } }) => `the state in ${dir}`),
    ...hidden.filter((path) => !isNamed(path) && !isGone(path)).map((path) => relative(top, path)),
    ...(left.stopped === undefined ? [] : ["files that were not searched"]),
  ];
  const ignores = [
    repo.gitignore,
    terraform.uploadIgnore,
    ...roots.map(({ at }) => at(UPLOAD_IGNORE)),
  ];
  const blocks =
    protects.length > 0
      ? []
      : [...new Map(ignores.map((each) => [each.path, each])).values()].map((each) =>
          blockRemoval(repo, each),
        );
  return joined([
    { changes },
    ...blocks,
    ...(kept.length === 0
      ? []
      : [
          { findings: [stays(`${kept.join(", ")}: left in place. Keep or delete them yourself.`)] },
        ]),
    ...(protects.length === 0
      ? []
      : [
          {
            findings: [
              stays(
                `The do-bootstrap block stays in .gitignore because it protects ${few(protects, MOST_NAMED)}.`,
              ),
            ],
          },
        ]),
  ]);
}

/** If the hooks are shared by all repos, this repo must not remove the guard. */
async function guardRemoval(host: ObservingHost, { repo: { git } }: Facts): Promise<PlanPart> {
  if (git === undefined) return NOTHING;
  const { planHook } = await import("../hook/hook.ts");
  const { changes } = await planHook(host, git.git, { action: "remove", force: false });
  return { changes };
}

/** The pipelines that we wrote for this project, edited or not. */
async function lookAtPipelines({ files }: Pick<Host, "files">, facts: Facts): Promise<Snapshot[]> {
  const found = await Promise.all(pipelinePaths(facts).map((path) => files.look(path)));
  return found.filter(
    (each) => isInside(each.target, facts.repo.top) && isOfProject(facts, textOf(each)),
  );
}

function blockRemoval(bounds: Bounds, gitignore: Snapshot): PlanPart {
  const current = textAt(gitignore);
  const text = current && withoutBlock(current.text);
  if (current === undefined || text === undefined || text === current.text) return NOTHING;
  const findings = obstacles(bounds, gitignore);
  if (findings.length > 0 || gitignore.kind !== "file") return { findings };
  const why = "remove the do-bootstrap lines";
  const edit = (now: Content) => editedText(now, withoutBlock);
  const change =
    text.trim() === ""
      ? new RemoveFile(gitignore, why)
      : new WriteFile({ before: gitignore, edit, why, takesAway: true });
  return { changes: [change] };
}

function textOf(snapshot: Snapshot): string {
  return textAt(snapshot)?.text ?? "";
}

function sameValues(snapshot: Snapshot, values: Readonly<Record<string, unknown>>): boolean {
  return JSON.stringify(jsonIn(textOf(snapshot))) === JSON.stringify(values);
}

/** How many files are listed one by one. */
const MOST_NAMED = 8;

function stays(message: string) {
  return finding("file.kept", message);
}
