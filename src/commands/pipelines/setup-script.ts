import { fill } from "../../core/generated.ts";
import type { Pipeline } from "./render.ts";
import { glabFlags, type SetupStep } from "./to-do.ts";

interface SetupTemplates {
  /** setup-github.sh or setup-gitlab.sh. */
  readonly script: string;
  /** setup-ask.sh and setup-confirm.sh, which are parts of both. */
  readonly ask: string;
  readonly confirm: string;
}

/**
 * A POSIX shell script that sets up GitHub or GitLab, for a machine with gh or glab. It contains no secret: it asks for
 * each.
 *
 * @param project its name.
 */
export function setupScript(
  provider: "github" | "gitlab",
  { script, ask, confirm }: SetupTemplates,
  { project, branch }: Pick<Pipeline, "branch"> & { readonly project: string },
  steps: readonly SetupStep[],
): string {
  const lines = steps.map(({ environment, purpose, name, what }) => {
    const isProtected = purpose === "apply";
    if (name === undefined) {
      return isProtected
        ? `environment_of ${environment} ${quoted(branch)}`
        : `environment ${environment}`;
    }
    const flags = provider === "gitlab" ? [glabFlags(isProtected)] : [];
    return ["secret", name, environment, quoted(what), ...flags].join(" ");
  });
  return fill(script, {
    ask: ask.trimEnd(),
    confirm: confirm.trimEnd(),
    project,
    steps: lines.join("\n"),
  });
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
