import type { TerraformRoot } from "../../concerns/terraform/root/root.ts";
import type { Finding } from "../../core/finding.ts";
import { hint, own } from "../../errors/hint.ts";
import { listed } from "../../lib/few.ts";
import { onceEach } from "../../lib/grouped.ts";
import type { Facts, ObservingHost } from "../init/observe.ts";
import { appliedBranch } from "./branch.ts";
import { finding } from "./findings.ts";
import { judgeBranches } from "./github/environment.ts";
import { judgeRemote, lookAtRemote, type RemoteSecret } from "./remote-secrets.ts";
import { noneStored, placeOf, readStored, shownRepo } from "./stored-secrets.ts";

/**
 * Compares the pipeline's secrets on GitHub with what they should hold, by their dates: GitHub tells no value.
 *
 * @param held the fingerprints of the tokens on this machine.
 */
export async function checkRemote(
  host: ObservingHost,
  facts: Pick<Facts, "repo" | "config"> & { readonly roots: readonly TerraformRoot[] },
  held: ReadonlySet<string>,
): Promise<readonly Finding[]> {
  const { secrets: stored, findings: wrong } = await readStored(host, facts.config.base);
  if (wrong.length > 0) return wrong;
  if (stored.length === 0) {
    return [noneStored({ fix: hint`For GitHub: ${own("ci", "github", "--apply")}` })];
  }
  const { secrets, findings } = await lookAtRemote(host, facts, stored);
  const all = [
    // It was asked for, so no answer is no success.
    ...findings.map(({ message, fix }) => finding("ci.not-checked", message, fix && { fix })),
    ...judgeRemote(secrets, (fingerprint) => held.has(fingerprint)),
    ...openOnes(secrets, await appliedBranch(host, facts)),
  ];
  const right = secrets.filter(({ state }) => state === "stored");
  if (right.length === 0) return all;
  const where = listed([...new Set(right.map(({ stored: each }) => shownRepo(each)))]);
  const isAll = right.length === secrets.length;
  const count = `${isAll ? "All " : ""}${right.length}${isAll ? "" : ` of ${secrets.length}`} secrets`;
  const which = secrets.length === 1 ? "The secret" : count;
  const has = secrets.length === 1 ? "has" : "have";
  const isDated = right.every(({ stored: { kind } }) => kind === "github");
  const by = isDated ? "GitHub's dates" : "dates and versions";
  const message = `${which} of the pipeline on ${where} ${has} been stored as ${has === "has" ? "it" : "they"} should be, as far as ${by} tell.`;
  return [...all, finding("ci.secrets", message)];
}

function openOnes(secrets: readonly RemoteSecret[], branch: string): readonly Finding[] {
  const found = secrets.flatMap(({ stored, place }) => {
    const { environment: name, repo } = stored;
    const isForOne = placeOf(stored).purpose === "apply" && place !== undefined;
    return isForOne ? judgeBranches({ name, repo, branch }, place.seen) : [];
  });
  return onceEach(found, ({ message }) => message);
}
