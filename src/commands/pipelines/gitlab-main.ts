import { parseAllDocuments } from "yaml";
import { matchesGlob } from "../../lib/glob.ts";
import { recordOf } from "../../lib/json.ts";
import { unlessTooMuch, Work } from "../../lib/work.ts";
import { isTooMuchYaml } from "../../lib/yaml-size.ts";

/** What is asked of a .gitlab-ci.yml that somebody else wrote. */
export interface GitlabMain {
  /** The files of the repo that it includes: paths, of which `*` and `**` stand for others. */
  readonly included: readonly string[];
  /** Of the stages that our jobs are in, those that its own list lacks; none where it has no list. */
  readonly lacksStages: readonly string[];
  /** It has rules for whole pipelines, and none of them names merge requests: those would have none. */
  readonly refusesMergeRequests: boolean;
}

/** As they stand in templates/ci/gitlab.yml; GitLab has both where a pipeline lists none. */
const STAGES = ["test", "deploy"];

/** A text that cannot be read includes nothing, as GitLab says, too. */
export function readGitlabMain(text: string): GitlabMain {
  const { include, stages, workflow } = valuesIn(text);
  const { rules } = recordOf(workflow);
  const included = [include].flat().flatMap((each) => {
    const path = typeof each === "string" ? each : recordOf(each)["local"];
    return typeof path === "string" ? path.replace(/^\//, "") : [];
  });
  const lacksStages = Array.isArray(stages) ? STAGES.filter((each) => !stages.includes(each)) : [];
  const refusesMergeRequests = Array.isArray(rules) && !rules.some(mayBeOfMergeRequest);
  return { included, lacksStages, refusesMergeRequests };
}

/** What a rule says is not worked out: one without a condition, or that names merge requests, may let them in. */
function mayBeOfMergeRequest(rule: unknown): boolean {
  const { if: condition, when } = recordOf(rule);
  if (when === "never") return false;
  return typeof condition !== "string" || /merge_request/i.test(condition);
}

/** Also false where the patterns would take too much work: to include a file twice does no harm. */
export function isIncluded({ included }: GitlabMain, path: string): boolean {
  const work = new Work();
  const dialect = { isFull: false, isByFolders: false };
  const isMatch = (pattern: string) => matchesGlob(pattern, path, dialect, work);
  return unlessTooMuch(() => included.some(isMatch)) ?? false;
}

/** The documents' keys together: the first may say what the file's inputs are. */
function valuesIn(text: string): Readonly<Record<string, unknown>> {
  if (isTooMuchYaml(text)) return {};
  try {
    const documents = parseAllDocuments(text, { logLevel: "silent" });
    const values = [...documents].map((document) => recordOf(document.toJS()));
    return Object.assign({}, ...values);
  } catch {
    // Aliases that unfold without an end.
    return {};
  }
}
