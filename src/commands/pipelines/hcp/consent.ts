import type { Finding } from "../../../core/finding.ts";
import { hint, own } from "../../../errors/hint.ts";
import type { Host, StateKey } from "../../../host/host.ts";
import { onceEach } from "../../../lib/grouped.ts";
import { finding } from "../findings.ts";
import type { Destination } from "./destination.ts";

/** Who may confirm that a workspace gets a token, or loses it. */
export interface Consent {
  /** A person will be asked, and sees where it is. */
  readonly isAsked: boolean;
  /** HOST/ORGANIZATION, as a person has named it for this run. */
  readonly to?: string | undefined;
  /** What is there is replaced, so the command of the fix does that, too. */
  readonly renew?: boolean;
}

/** A workspace of HOST/ORGANIZATION. */
type Place = Pick<Destination, "repo" | "workspace">;

/**
 * The code and the record name the workspace, and both are in git. So without a person, only a workspace is changed that
 * one has confirmed before, on this machine.
 *
 * @param folder the config's.
 */
export function judgeConsent(
  { state }: Pick<Host, "state">,
  folder: string,
  places: readonly Place[],
  { isAsked, to, renew = false }: Consent,
): Finding[] {
  const unconfirmed = places.filter(
    (place) => !isAsked && place.repo !== to && state.read(keyOf(folder, place)) === undefined,
  );
  const findings = unconfirmed.map(({ repo, workspace }) => {
    const message = `A token would go to ${repo.replace("/", ", organization ")}, workspace ${workspace}, or be deleted there. Nobody has confirmed that on this machine.`;
    const fix = hint`If that is right: ${own("ci", "hcp", "--apply", ...(renew ? ["--renew"] : []), "--to", repo)}. If the code is for several workspaces, choose this one with TF_WORKSPACE`;
    return finding("ci.no-workspace", message, { fix });
  });
  return onceEach(findings, ({ message }) => message);
}

/** Remembers a yes. */
export function confirm(
  { state }: Pick<Host, "state">,
  folder: string,
  places: readonly Place[],
): void {
  for (const place of places) state.write(keyOf(folder, place), "confirmed");
}

function keyOf(folder: string, { repo, workspace }: Place): StateKey {
  return { kind: "hcp", folder, name: `${repo}/${workspace}` };
}
