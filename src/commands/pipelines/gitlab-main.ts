import { parseAllDocuments } from "yaml";
import { matchesGlob } from "../../lib/glob.ts";
import { recordOf } from "../../lib/json.ts";
import { unlessTooMuch, Work } from "../../lib/work.ts";
import { isTooMuchYaml } from "../../lib/yaml-size.ts";

/** What we need to know about a .gitlab-ci.yml that somebody else wrote. */
export interface GitlabMain {
  /** The files of the repo that it includes: paths, which may contain `*` and `**`. */
  readonly included: readonly string[];
  /** The stages of our jobs that are missing from its list; none if it has no list. */
  readonly lacksStages: readonly string[];
  /** It has rules for whole pipelines, and none of them names merge requests, so those would get no pipeline. */
  readonly refusesMergeRequests: boolean;
}

/** The stages in templates/ci/gitlab.yml. GitLab has both by default. */
const STAGES = ["test", "deploy"];

/** A text that cannot be read includes nothing, as in GitLab. */
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

/** Rules are not evaluated: one without a condition, or that names merge requests, may allow them. */
function mayBeOfMergeRequest(rule: unknown): boolean {
  const { if: condition, when } = recordOf(rule);
  if (when === "never") return false;
  return typeof condition !== "string" || /merge_request/i.test(condition);
}

/** Also false if the patterns need too much work: including a file twice is harmless. */
export function isIncluded({ included }: GitlabMain, path: string): boolean {
  const work = new Work();
  const dialect = { isFull: false, isByFolders: false };
  const isMatch = (pattern: string) => matchesGlob(pattern, path, dialect, work);
  return unlessTooMuch(() => included.some(isMatch)) ?? false;
}

/** The keys of all documents: the first document may only declare the file's inputs. */
function valuesIn(text: string): Readonly<Record<string, unknown>> {
  if (isTooMuchYaml(text)) return {};
  try {
    const documents = parseAllDocuments(text, { logLevel: "silent" });
    const values = [...documents].map((document) => recordOf(document.toJS()));
    return Object.assign({}, ...values);
  } catch {
    // Aliases that expand without limit.
    return {};
  }
}
