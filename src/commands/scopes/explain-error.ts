import { findConfig } from "../../concerns/config/find-config.ts";
import { loginSource } from "../../concerns/doctl/login-source.ts";
import { openGit } from "../../concerns/git/git.ts";
import { RootSearch } from "../../concerns/terraform/search/find.ts";
import { readNeeds } from "../../concerns/token/needed-scopes.ts";
import { inspectRepoToken } from "../../concerns/token/repo-token.ts";
import type { TokenState } from "../../exec/token-sources.ts";
import { toolsNotIn } from "../../lib/paths.ts";
import { loadOperations, loadScopeData } from "../../scopes/data.ts";
import { type Explanation, explain, type KnownToken } from "../../scopes/explanation.ts";
import { type Failure, failuresIn } from "../../scopes/failures.ts";
import type { ObservingHost } from "../init/observe.ts";

export interface ExplainRequest {
  readonly environment: string | undefined;
  readonly text: string;
  readonly progress: (what: string) => void;
  /** The ids of our own findings, whose text is explained, too. */
  readonly findings: ReadonlySet<string>;
  /** The token that was used, if known. */
  readonly known?: TokenState | undefined;
}

/** More than this are usually one failure that affects many resources. */
const MAX_FAILURES = 20;

/**
 * Explains an error text, using what is known about this repo and its token.
 *
 * @returns nothing for a text without an error from DigitalOcean.
 * @throws AppError those of openGit and findConfig.
 */
export async function explainText(
  host: ObservingHost,
  { environment, text, progress, findings, known }: ExplainRequest,
): Promise<Explanation[]> {
  const failures = failuresIn(text, findings).slice(0, MAX_FAILURES);
  if (failures.length === 0) return [];
  const git = await openGit(host, host.cwd);
  const { rootsIn } = new RootSearch(host, git, "all");
  const { config } = await findConfig(host, git?.root ?? host.cwd, environment, rootsIn);
  await git?.confirmed;
  const isDenied = has(failures, 403);
  const top = git?.root ?? config.base;
  const repo = toolsNotIn(host.home, top, config.base);
  const login = loginSource(host, { repo, progress });
  const [data, operations, { actions }, token] = await Promise.all([
    loadScopeData(),
    loadOperations(),
    isDenied
      ? readNeeds(host, { dirs: config.roots.map(({ dir }) => dir), purpose: "apply", config })
      : { actions: [] },
    isDenied || has(failures, 401)
      ? inspectRepoToken(host, { config, top, login, known, progress }).then(factsOf)
      : NOT_ASKED,
  ]);
  return failures.map((failure) => explain(failure, { data, operations, actions, token }));
}

const NOT_ASKED: KnownToken = { state: "unknown", granted: undefined };

function has(failures: readonly Failure[], status: number): boolean {
  return failures.some((failure) => failure.kind === "status" && failure.status === status);
}

function factsOf({ state, inspection }: Awaited<ReturnType<typeof inspectRepoToken>>): KnownToken {
  if (state.kind === "missing") return { state: "missing", granted: undefined };
  return { state: inspection?.state ?? "unknown", granted: inspection?.scopes };
}
