import type { Finding } from "../../core/finding.ts";
import { type Hint, hint, own, run } from "../../errors/hint.ts";
import { finding } from "./findings.ts";
import { keyNames, type Pipeline } from "./render.ts";

/** The scopes for the two tokens of an environment. */
export interface TokenNeeds {
  readonly environment: string;
  readonly plan: readonly string[];
  readonly apply: readonly string[];
  /** The code whose scopes could not be worked out, in words. */
  readonly unread: readonly string[];
  /** Some resources need Spaces keys. */
  readonly spaces: boolean;
}

/**
 * The steps that only a person can do: create the tokens, and store them in GitHub or GitLab. Every command reads its
 * secret from standard input or asks for it.
 *
 * @param main what is missing in GitLab's main file: the include, stages, and pipelines for merge requests.
 */
export function toDo(
  provider: "github" | "gitlab",
  pipeline: Pipeline,
  needs: readonly TokenNeeds[],
  {
    include,
    lacksStages = [],
    refusesMergeRequests = false,
  }: {
    include?: string;
    lacksStages?: readonly string[];
    refusesMergeRequests?: boolean;
  },
  isApplied: IsApplied = () => false,
): Finding[] {
  const say = (message: string, fix: Hint) => finding("ci.to-do", message, { fix });
  const words = WORDS[provider];
  // What is left then is not for --apply.
  const isAny = needs.some(({ environment }) => isApplied(`${environment}-plan`));
  const steps = [
    ...needs.flatMap(({ environment }) => [
      ...workspaces(pipeline, environment).map(([what, how]) => say(what, how)),
      ...(isApplied(`${environment}-apply`) ? [] : words.protect(`${environment}-apply`)).map(
        ([what, how]) => say(what, how),
      ),
    ]),
    ...setupSteps(provider, pipeline, needs, isApplied).map((step) => {
      const { name, environment, what } = step;
      const item = name === undefined ? `environment ${environment}` : `${name} in ${environment}`;
      const paragraph = { title: words.title, item, fix: isAny ? words.script : words.all };
      const fix =
        name === undefined ? words.create(environment, pipeline) : words.secret(name, environment);
      return finding("ci.to-do", what, { fix, paragraph });
    }),
  ];
  const inclusion = `GitLab reads only .gitlab-ci.yml, which do-bootstrap did not change. It must include ${include}.`;
  const stages = lacksStages.join(", ");
  return [
    ...(include === undefined
      ? []
      : [say(inclusion, hint`Add to .gitlab-ci.yml: include: [{ local: ${include} }]`)]),
    ...(stages === ""
      ? []
      : [
          say(
            "The stages list in .gitlab-ci.yml is missing stages that the generated jobs use.",
            hint`Add to it: ${stages}`,
          ),
        ]),
    ...(refusesMergeRequests
      ? [
          say(
            "workflow: rules in .gitlab-ci.yml have no rule for merge requests, so they get no plan.",
            hint`Add to these rules: if: $CI_PIPELINE_SOURCE == "merge_request_event"`,
          ),
        ]
      : []),
    ...(isAny ? [] : WORDS[provider].once.map(([what, how]) => say(what, how))),
    ...steps,
  ];
}

/** What has to be set up on GitHub or GitLab, and what a script can do. */
export interface SetupStep {
  readonly environment: string;
  readonly purpose: "plan" | "apply";
  /** The name of a secret; undefined: the environment itself. */
  readonly name: string | undefined;
  /** The sentence for a person. */
  readonly what: string;
}

/** In the order in which they are set up and tested. */
export function setupSteps(
  provider: "github" | "gitlab",
  pipeline: Pipeline,
  needs: readonly TokenNeeds[],
  isApplied: IsApplied,
): readonly SetupStep[] {
  return needs.flatMap((each) =>
    PURPOSES.flatMap((purpose): SetupStep[] => {
      const environment = `${each.environment}-${purpose}`;
      const at = { environment, purpose };
      const keys = keyNames(pipeline.keys)
        .filter((name) => !isApplied(environment, name))
        .map((name) => {
          const kind = KEY_WORDS[name.startsWith("AWS") ? "AWS" : "SPACES"];
          return { ...at, name, what: `${kind}, for ${environment}: ${name}.` };
        });
      if (isApplied(environment)) return keys;
      const itself =
        provider === "github"
          ? [{ ...at, name: undefined, what: ENVIRONMENT_WORDS[purpose](environment, pipeline) }]
          : [];
      const token = `DIGITALOCEAN_TOKEN_${purpose.toUpperCase()}`;
      const what = `${TOKEN_WORDS[purpose]}, for ${environment}: ${listed(each[purpose])}.${more(each)}`;
      return [...itself, { ...at, name: token, what }, ...keys];
    }),
  );
}

const ENVIRONMENT_WORDS = {
  plan: (name: string) => `Create the GitHub environment ${name}.`,
  apply: (name: string, { branch }: Pipeline) =>
    `Create the GitHub environment ${name}, with required reviewers and ${branch} as its only branch.`,
};

const KEY_WORDS = {
  AWS: "A key for the S3 backend",
  SPACES: "A Spaces key",
} as const;

/** Whether an environment on GitHub, and a secret in it, are set up by this run. */
export type IsApplied = (environment: string, secret?: string) => boolean;

const PURPOSES = ["plan", "apply"] as const;

const TOKEN_WORDS = {
  plan: "A read-only token",
  apply: "A token that can make changes",
} as const;

type Step = readonly [what: string, how: Hint];

/** With TF_WORKSPACE, a plan creates a missing workspace (docs/contracts/terraform.md 7.3). */
function workspaces({ legs, hasEnvironments }: Pipeline, environment: string): Step[] {
  const here = legs.filter((leg) => leg.environment === environment);
  const all = new Set(here.flatMap(({ workspace }) => workspace ?? []));
  // The default workspace always exists.
  const names = [...all].filter((name) => name !== "default");
  const what = "otherwise the first plan creates it, which locks the state.";
  const how = hint`${hasEnvironments ? own("--env", environment) : own()}`;
  return names.map((name) => [`Create the workspace ${name} of ${environment}: ${what}`, how]);
}

interface Words {
  /** Steps that are needed once, whatever the environments. */
  readonly once: readonly Step[];
  /** What only a person can do for an environment, in the settings. */
  readonly protect: (environment: string) => readonly Step[];
  /** What a script can do, for a person: its title, and the commands that do all of it. */
  readonly title: string;
  readonly all: Hint;
  /** The same, if --apply has done the rest. */
  readonly script: Hint;
  readonly create: (environment: string, pipeline: Pipeline) => Hint;
  readonly secret: (name: string, environment: string) => Hint;
}

const SCOPES = hint`Scopes of the tokens: ${own("scopes", "--for", "plan")} and ${own("scopes", "--for", "apply")}`;

const WORDS: Readonly<Record<"github" | "gitlab", Words>> = {
  github: {
    once: [
      [
        "Required reviewers need a public repo or GitHub Enterprise. Without them, every push to the branch is applied immediately.",
        hint`Settings → Rules → Rulesets: for that branch, require a pull request with an approval`,
      ],
    ],
    protect: () => [],
    title: "To set up on GitHub",
    all: hint`${own("ci", "github", "--apply")} does it with your own gh. On another machine: ${own("ci", "github", "--script")} > setup.sh. ${SCOPES}`,
    script: hint`A script that asks for each: ${own("ci", "github", "--script")} > setup.sh`,
    create: (environment, { branch }) =>
      environment.endsWith("-plan")
        ? hint`${run("gh", "api", "--method", "PUT", `repos/{owner}/{repo}/environments/${environment}`)}`
        : hint`Settings → Environments → New environment: Required reviewers; Deployment branches and tags, Selected, ${branch}`,
    secret: (name, environment) => hint`${run("gh", "secret", "set", name, "--env", environment)}`,
  },
  gitlab: {
    once: [
      [
        "Anyone who starts a pipeline or a manual job can set variables. CI_DEBUG_TRACE would print all secrets.",
        hint`Settings → CI/CD → Variables → Minimum role to use pipeline variables: No one allowed`,
      ],
      [
        "A merge request from a fork runs the fork's .gitlab-ci.yml. If a member starts that pipeline here, it gets the read-only token.",
        hint`Read that file before you click Run pipeline in a merge request from a fork.`,
      ],
    ],
    protect: (environment) => [
      [
        `Protect the default branch. Every protected branch and tag gets the variables of ${environment}, so anyone who may push one can read them.`,
        hint`Settings → Repository → Protected branches and Protected tags: allow only people who are allowed to apply`,
      ],
      [
        `Protect the environment ${environment} if your GitLab plan supports it.`,
        hint`Settings → CI/CD → Protected environments: ${environment}, Allowed to deploy`,
      ],
    ],
    title: "To set up on GitLab",
    all: hint`A script that asks for each and stores it with glab: ${own("ci", "gitlab", "--script")} > setup.sh. ${SCOPES}`,
    script: [],
    create: () => [],
    // A protected variable is only available on protected branches, and merge requests come from others.
    secret: (name, environment) => {
      const isProtected = environment.endsWith("-apply");
      const words = `Masked${isProtected ? ", Protected" : ", not Protected"}, environment scope ${environment}`;
      const command = run(
        "glab",
        "variable",
        "set",
        name,
        glabFlags(isProtected),
        "-s",
        environment,
      );
      return hint`${command} < FILE (Settings → CI/CD → Variables: ${words})`;
    },
  },
};

/** Masked, protected. Short options, so that a line fits on a terminal. */
export function glabFlags(isProtected: boolean): string {
  return isProtected ? "-mp" : "-m";
}

function more({ unread }: TokenNeeds): string {
  return unread.length === 0 ? "" : ` It may need more scopes. Not checked: ${unread.join("; ")}.`;
}

function listed(scopes: readonly string[]): string {
  return scopes.length === 0 ? "account:read" : scopes.join(", ");
}
