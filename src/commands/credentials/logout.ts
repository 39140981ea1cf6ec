import { basename } from "node:path";
import { withNames } from "../../concerns/env-file/edit.ts";
import { exampleNames } from "../../concerns/env-file/plan.ts";
import { BACKEND_TF, PUBLIC_TFVARS, UPLOAD_IGNORE } from "../../concerns/terraform/root/names.ts";
import { TOKEN_LIST } from "../../concerns/token/hosts.ts";
import type { ApplyHost } from "../../core/apply.ts";
import { obstacles, plainWrite } from "../../core/existing.ts";
import { textAt } from "../../core/file-text.ts";
import { recognise } from "../../core/generated.ts";
import { withoutBlock } from "../../core/ignore-block.ts";
import { type Change, joined, NOTHING, type Plan, type PlanPart } from "../../core/types.ts";
import { AppError } from "../../errors/app-error.ts";
import { hint } from "../../errors/hint.ts";
import type { Host, Snapshot } from "../../host/host.ts";
import { isInside } from "../../lib/paths.ts";
import { content } from "../../secret/content.ts";
import type { Secret } from "../../secret/secret.ts";
import { NOTHING_DONE, notConverged, type Person, type Result } from "../init/bootstrap.ts";
import { type Observation, type ObservingHost, observe, type Question } from "../init/observe.ts";
import { sweepLeftOvers } from "../init/sweep.ts";
import { isOfProject, pipelinePaths } from "../pipelines/files.ts";
import { finding } from "./findings.ts";
import { changePlace, type Held, holding, readPlaces, type TokenPlace } from "./token-places.ts";
import { unreadPlaces } from "./unread-places.ts";

export interface LogoutRequest extends Pick<Question, "environment" | "progress"> {
  /** Take away the files that we generated, too. */
  readonly uninstall: boolean;
  readonly dryRun: boolean;
}

/**
 * Takes the repo's token out of every place that holds it, and with `uninstall` what we generated
 * and nobody edited. On DigitalOcean's side nothing changes.
 *
 * @throws AppError DECLINED, NOT_CONVERGED, and those of observe and apply.
 */
export async function logout(
  host: ObservingHost & ApplyHost,
  request: LogoutRequest,
  { approve }: Pick<Person, "approve">,
): Promise<Result> {
  const question: Question = {
    ...request,
    stdin: undefined,
    prompted: undefined,
    trust: undefined,
    minTtlSeconds: undefined,
    fix: false,
    inspections: new Map(),
  };
  const observation = await observe(host, question);
  const places = await readPlaces(host, observation);
  const olds = tokensOf(observation);
  const plan = joined([
    ...removals(observation, holding(places, olds)),
    request.uninstall
      ? uninstall(observation, {
          places,
          olds,
          pipelines: await lookAtPipelines(host, observation),
        })
      : NOTHING,
    request.uninstall ? await guardRemoval(host, observation) : NOTHING,
    { findings: [...olds.map(stillValid), ...unreadPlaces(observation, places)] },
  ]);
  const isBlocked = plan.findings.some(({ level }) => level === "error");
  if (request.dryRun || isBlocked) return { observation, plan, ...NOTHING_DONE };
  await sweepLeftOvers(host, observation);
  if (plan.changes.length === 0) return { observation, plan, ...NOTHING_DONE };
  if (!(await approve({ observation, plan }))) {
    throw new AppError("DECLINED", "Nothing was changed.");
  }
  const { git, hosts } = observation;
  const { apply } = await import("../../core/apply.ts");
  await apply(host, plan.changes, { ...request, asFlag: false, hosts, git: git?.git });
  const second = await observe(host, question);
  const left = joined(removals(second, holding(await readPlaces(host, second), olds)));
  if (left.changes.length > 0) throw notConverged(left);
  return {
    observation: second,
    plan: { findings: plan.findings, changes: [], commands: [] },
    applied: plan.changes,
    doubts: [],
    commands: [],
  };
}

/** The one that is used, and those that it shadows. */
function tokensOf({ token }: Observation): readonly Secret[] {
  if (token.kind === "found") return [token.token, ...token.shadowed];
  return token.kind === "conflict" ? token.tokens : [];
}

/** The file that the token is read from goes last: a run that was killed finds it again. */
function removals(observation: Observation, at: readonly Held[]): PlanPart[] {
  const isSource = ({ place }: Held) =>
    place.kind === "env-file" && place.snapshot.path === observation.config.token.envFile;
  const [sources, others] = [at.filter(isSource), at.filter((held) => !isSource(held))];
  return [...others, ...sources].map(({ place, old }) =>
    changePlace(observation, place, { old, token: undefined, force: false }),
  );
}

function stillValid({ fingerprint }: Secret) {
  return finding(
    "token.still-valid",
    `The token (${fingerprint}) is still valid on DigitalOcean's side.`,
    { fix: hint`To end it everywhere: delete it at ${TOKEN_LIST}` },
  );
}

/** What we generated and nobody edited; and our lines in .gitignore, once they protect nothing. */
function uninstall(
  observation: Observation,
  {
    places,
    olds,
    pipelines,
  }: {
    readonly places: readonly TokenPlace[];
    readonly olds: readonly Secret[];
    readonly pipelines: readonly Snapshot[];
  },
): PlanPart {
  const { gitignore, envExample, envExampleTemplate, envrc, config, top } = observation;
  const isEnvrc = recognise(textOf(envrc)) !== "foreign";
  // What a linked folder leads to is another repo's.
  const roots = observation.roots.filter(({ real }) => isInside(real, top));
  const inRoots = roots.flatMap((root) => {
    const names = [...root.own.keys()].filter((name) => name !== BACKEND_TF);
    const files = names.map((name) => root.at(name));
    const values = root.at(PUBLIC_TFVARS);
    // Values have no header: ours are those that config still gives.
    const isOurs = values.kind === "file" && sameValues(values, root.config.variables);
    return [...files, ...(isOurs ? [values] : [])];
  });
  const generated = [...inRoots, ...pipelines, ...(isEnvrc ? [envrc] : [])];
  const isExample = withNames(envExampleTemplate, exampleNames(config)) === textOf(envExample);
  const changes = [...generated, ...(isExample ? [envExample] : [])].flatMap(
    (snapshot): Change[] =>
      snapshot.kind === "file" && !isEdited(snapshot)
        ? [
            {
              kind: "remove",
              before: snapshot,
              why: "generated, and not edited",
              // Those of a pipeline are ci's; a root module's folder is not.
              ...(pipelines.includes(snapshot) ? { emptyBelow: top } : {}),
            },
          ]
        : [],
  );
  const edited = generated.filter(isEdited).map(({ path }) => basename(path));
  const secrets = places.filter(
    ({ kind, holds }) =>
      kind !== "doctl" && holds.some((held) => !olds.some((old) => old.equals(held))),
  );
  const states = roots.filter((root) => root.hasState);
  const kept = [
    ...edited.map((name) => `${name}, which was edited`),
    ...(config.file === undefined ? [] : [basename(config.file)]),
    // Without it, the next clone would begin with an empty state.
    ...(roots.some(({ own }) => own.has(BACKEND_TF))
      ? [`${BACKEND_TF}, which says where the state is`]
      : []),
  ];
  const protects = [
    ...secrets.flatMap((place) => (place.kind === "doctl" ? [] : [basename(place.snapshot.path)])),
    ...states.map(({ config: { dir } }) => `the state in ${dir}`),
  ];
  const ignores = [
    gitignore,
    observation.uploadIgnore,
    ...roots.map(({ at }) => at(UPLOAD_IGNORE)),
  ];
  const blocks =
    protects.length > 0
      ? []
      : [...new Map(ignores.map((each) => [each.path, each])).values()].map((each) =>
          blockRemoval(observation, each),
        );
  return joined([
    { changes },
    ...blocks,
    ...(kept.length === 0
      ? []
      : [{ findings: [stays(`${kept.join(", ")}: yours to keep or remove.`)] }]),
    ...(protects.length === 0
      ? []
      : [
          {
            findings: [
              stays(`.gitignore keeps our lines, as they protect ${protects.join(", ")}.`),
            ],
          },
        ]),
  ]) as Plan;
}

/** Where hooks of all repos lie, the guard is not this repo's to remove. */
async function guardRemoval(host: ObservingHost, { git }: Observation): Promise<PlanPart> {
  if (git === undefined) return NOTHING;
  const { planHook } = await import("../hook/hook.ts");
  const { changes } = await planHook(host, git.git, { action: "remove", force: false });
  return { changes };
}

/** Those that we wrote for this project, edited or not. */
async function lookAtPipelines(
  { files }: Pick<Host, "files">,
  observation: Observation,
): Promise<Snapshot[]> {
  const found = await Promise.all(pipelinePaths(observation).map((path) => files.look(path)));
  return found.filter(
    (each) => isInside(each.target, observation.top) && isOfProject(observation, textOf(each)),
  );
}

function blockRemoval(observation: Observation, gitignore: Snapshot): PlanPart {
  const current = textAt(gitignore);
  const text = current && withoutBlock(current.text);
  if (current === undefined || text === undefined || text === current.text) return NOTHING;
  const findings = obstacles(observation, gitignore, { force: false });
  if (findings.length > 0 || gitignore.kind !== "file") return { findings };
  const why = "without our lines";
  const change: Change =
    text.trim() === ""
      ? { kind: "remove", before: gitignore, why }
      : {
          ...plainWrite(gitignore, { ...content(text), encoding: current.encoding }, why),
          takesAway: true,
        };
  return { changes: [change] };
}

function textOf(snapshot: Snapshot): string {
  return textAt(snapshot)?.text ?? "";
}

function isEdited(snapshot: Snapshot): boolean {
  return recognise(textOf(snapshot)) === "edited";
}

function sameValues(snapshot: Snapshot, values: Readonly<Record<string, unknown>>): boolean {
  try {
    const text = textOf(snapshot);
    return JSON.stringify(JSON.parse(text)) === JSON.stringify(values);
  } catch {
    return false;
  }
}

function stays(message: string) {
  return finding("file.kept", message);
}
