import { keyNames, type Pipeline } from "./ci-render.ts";
import { finding } from "./findings.ts";
import type { Finding } from "./types.ts";

/** What the two tokens of an environment have to be allowed. */
export interface TokenNeeds {
  readonly environment: string;
  readonly plan: readonly string[];
  readonly apply: readonly string[];
  /** There are resources that need Spaces keys. */
  readonly spaces: boolean;
}

/**
 * What only a person can do: make the tokens, and give them to GitHub or GitLab. Every command reads
 * its secret from standard input or asks for it.
 *
 * @param main what GitLab's main file lacks: the file to include, and stages.
 */
export function toDo(
  provider: "github" | "gitlab",
  pipeline: Pipeline,
  needs: readonly TokenNeeds[],
  { include, lacksStages = [] }: { include?: string; lacksStages?: readonly string[] },
): Finding[] {
  const say = (message: string, fix: string) => finding("ci.to-do", message, { fix });
  const steps = needs.flatMap(({ environment, plan, apply }) => [
    ...WORDS[provider].environments(environment, pipeline).map(([what, how]) => say(what, how)),
    say(
      `A token that only reads, for ${environment}-plan: ${listed(plan)}.`,
      WORDS[provider].secret("DIGITALOCEAN_TOKEN_PLAN", `${environment}-plan`),
    ),
    say(
      `A token that may change things, for ${environment}-apply: ${listed(apply)}.`,
      WORDS[provider].secret("DIGITALOCEAN_TOKEN_APPLY", `${environment}-apply`),
    ),
    ...["plan", "apply"].flatMap((purpose) =>
      keyNames(pipeline.keys).map((name) =>
        say(
          `${KEY_WORDS[name.startsWith("AWS") ? "AWS" : "SPACES"]}, for ${environment}-${purpose}: ${name}.`,
          WORDS[provider].secret(name, `${environment}-${purpose}`),
        ),
      ),
    ),
  ]);
  const inclusion = `GitLab reads .gitlab-ci.yml alone, which is left to you; it has to include ${include}.`;
  const stages = lacksStages.join(", ");
  return [
    ...(include === undefined
      ? []
      : [say(inclusion, `Write into it: include: [{ local: ${include} }]`)]),
    ...(stages === ""
      ? []
      : [
          say(
            ".gitlab-ci.yml has a list of stages, without those of our jobs.",
            `Add to it: ${stages}`,
          ),
        ]),
    ...steps,
  ];
}

const KEY_WORDS = {
  AWS: "A key of the state's backend, where that is S3",
  SPACES: "A Spaces key",
} as const;

interface Words {
  readonly environments: (name: string, pipeline: Pipeline) => [what: string, how: string][];
  readonly secret: (name: string, environment: string) => string;
}

const WORDS: Readonly<Record<"github" | "gitlab", Words>> = {
  github: {
    environments: (name, { branch }) => [
      [
        `GitHub's environment ${name}-plan.`,
        `gh api --method PUT "repos/{owner}/{repo}/environments/${name}-plan"`,
      ],
      [
        `GitHub's environment ${name}-apply, with required reviewers and ${branch} as its only branch.`,
        "Settings → Environments → New environment",
      ],
    ],
    secret: (name, environment) => `gh secret set ${name} --env ${environment}`,
  },
  gitlab: {
    environments: (name) => [
      [
        `The default branch protected; where the plan allows it, the environment ${name}-apply, too.`,
        "Settings → Repository → Protected branches",
      ],
    ],
    // A protected variable reaches protected branches only: merge requests come from others.
    secret: (name, environment) => {
      // Short options, as a terminal would break the line.
      const flags = environment.endsWith("-apply") ? "-mp" : "-m";
      return `glab variable set ${name} ${flags} -s ${environment} < FILE`;
    },
  },
};

function listed(scopes: readonly string[]): string {
  return scopes.length === 0 ? "account:read" : scopes.join(", ");
}
