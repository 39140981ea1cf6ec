import type { Finding } from "../../../core/finding.ts";
import { AppError } from "../../../errors/app-error.ts";
import { type Hint, hint } from "../../../errors/hint.ts";
import { listed, sentence } from "../../../lib/few.ts";
import { recordOf } from "../../../lib/json.ts";
import { finding } from "../findings.ts";
import type { SecretStore, SeenStore } from "../secret-store.ts";
import type { GhAnswer } from "./gh.ts";
import type { Target } from "./repo.ts";

/** What GitHub has of an environment. */
export interface SeenEnvironment extends SeenStore {
  readonly branches: "all" | readonly string[];
  readonly hasReviewers: boolean;
}

/** Asks GitHub what it has. Values of secrets are never readable. @throws AppError GH_FAILED */
export async function seeEnvironment(target: Target, name: string): Promise<SeenEnvironment> {
  const { gh } = target;
  const base = environmentPath(target, name);
  const answer = await gh.api("GET", base);
  if (answer.status === 404) {
    return { isThere: false, secrets: new Map(), branches: [], hasReviewers: false };
  }
  const { deployment_branch_policy: policy, protection_rules: rules } = recordOf(bodyOf(answer));
  const isReview = (rule: unknown) => recordOf(rule)["type"] === "required_reviewers";
  const secrets = await listAt(`${base}/secrets`, "secrets");
  return {
    isThere: true,
    secrets: new Map(secrets.map((each) => [textIn(each, "name"), textIn(each, "updated_at")])),
    branches: await branchesIn(recordOf(policy)),
    hasReviewers: Array.isArray(rules) && rules.some(isReview),
  };

  async function branchesIn({
    protected_branches: isProtected,
    custom_branch_policies: isCustom,
  }: Record<string, unknown>): Promise<SeenEnvironment["branches"]> {
    if (isCustom === true) {
      const all = await listAt(`${base}/deployment-branch-policies`, "branch_policies");
      return all.map((each) =>
        textIn(each, "type") === "tag" ? `tag ${textIn(each, "name")}` : textIn(each, "name"),
      );
    }
    // Without a rule for branches, these are all branches.
    return isProtected === true ? ["all protected branches"] : "all";
  }

  /** An environment has 100 secrets at most. */
  async function listAt(path: string, list: string): Promise<readonly unknown[]> {
    const all = recordOf(bodyOf(await gh.api("GET", `${path}?per_page=100`)))[list];
    return Array.isArray(all) ? all : [];
  }
}

/** An environment as a place for secrets. */
export function githubStore(target: Target, environment: string): SecretStore {
  return {
    name: `environment ${environment} on ${target.repo.host}`,
    look: () => seeEnvironment(target, environment),
    async store(name, value) {
      await target.gh.setSecret(name, environment, value);
      return undefined;
    },
    async remove(name) {
      const path = `${environmentPath(target, environment)}/secrets/${name}`;
      const answer = await target.gh.api("DELETE", path);
      if (answer.status !== 404) bodyOf(answer);
    },
  };
}

export function environmentPath({ repo }: Pick<Target, "repo">, name: string): string {
  return `repos/${repo.name}/environments/${name}`;
}

function textIn(each: unknown, key: string): string {
  const text = recordOf(each)[key];
  return typeof text === "string" ? text : "unknown";
}

/** Of an answer that says it was done. @throws AppError GH_FAILED for any other. */
export function bodyOf({ status, body }: GhAnswer, fix?: Hint): unknown {
  if (status >= 200 && status < 300) return body;
  const { message } = recordOf(body);
  const said = typeof message === "string" ? `: ${message}` : "";
  const isRefusal = [403, 404, 422].includes(status);
  const more = fix === undefined || !isRefusal ? {} : { hint: fix };
  throw new AppError("GH_FAILED", sentence(`GitHub answers ${status}${said}`), more);
}

/**
 * Whether another branch than the one that is applied may use an environment for apply. Anybody who may push a branch can
 * make GitHub create an environment that is open to all.
 */
export function judgeBranches(
  { name, repo, branch }: { name: string; repo: string; branch: string },
  { isThere, branches = [] }: SeenStore,
): Finding[] {
  if (!isThere || (branches !== "all" && branches.every((each) => each === branch))) return [];
  const which = branches === "all" ? "every branch" : listed(branches);
  const message = `Environment ${name} of ${repo} exists, and ${which} may use it. The token that can make changes is only for ${branch}.`;
  const fix = hint`${settingsOf(name)}: Deployment branches and tags, Selected, ${branch} as the only one; or delete the environment`;
  return [finding("ci.open-environment", message, { fix })];
}

/** Where a person finds an environment on GitHub. */
export function settingsOf(name: string): string {
  return `Settings → Environments → ${name}`;
}
