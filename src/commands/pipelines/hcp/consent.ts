import type { Finding } from "../../../core/finding.ts";
import { hint, own } from "../../../errors/hint.ts";
import type { Host } from "../../../host/host.ts";
import { finding } from "../findings.ts";

/** Who may confirm that a token goes to an organization. */
export interface Consent {
  /** A person will be asked, and sees where it goes. */
  readonly isAsked: boolean;
  /** HOST/ORGANIZATION, as a person has named it for this run. */
  readonly to?: string | undefined;
}

/**
 * The code and the record name the organization, and both are in git. So without a person, a token goes only where one
 * has let it go before, on this machine.
 *
 * @param folder the config's.
 */
export function judgeConsent(
  { state }: Pick<Host, "state">,
  folder: string,
  repos: readonly string[],
  { isAsked, to }: Consent,
): Finding[] {
  const isFine = (repo: string) =>
    to === undefined
      ? isAsked || state.read({ kind: "hcp", folder, name: repo }) !== undefined
      : repo === to;
  return [...new Set(repos)].flatMap((repo) => {
    if (isFine(repo)) return [];
    const message = `The code would send a token to ${repo.replace("/", ", organization ")}. Nobody has confirmed that.`;
    const fix = hint`If that is right: ${own("ci", "hcp", "--apply", "--to", repo)}`;
    return finding("ci.no-workspace", message, { fix });
  });
}

/** Remembers a yes. */
export function confirm(
  { state }: Pick<Host, "state">,
  folder: string,
  repos: readonly string[],
): void {
  for (const name of new Set(repos)) state.write({ kind: "hcp", folder, name }, "confirmed");
}
