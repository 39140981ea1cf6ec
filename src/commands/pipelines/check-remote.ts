import type { Finding } from "../../core/finding.ts";
import { hint, own } from "../../errors/hint.ts";
import { listed } from "../../lib/few.ts";
import { onceEach } from "../../lib/grouped.ts";
import type { Facts, ObservingHost } from "../init/observe.ts";
import { appliedBranch } from "./branch.ts";
import { finding } from "./findings.ts";
import { judgeBranches } from "./github/environment.ts";
import { judgeRemote, lookAtRemote, type RemoteSecret } from "./github/remote-secrets.ts";
import { noneStored, placeOf, readStored, shownRepo } from "./stored-secrets.ts";

/**
 * Compares the pipeline's secrets on GitHub with what they should hold, by their dates: GitHub tells no value.
 *
 * @param held the fingerprints of the tokens on this machine.
 */
export async function checkRemote(
  host: ObservingHost,
  facts: Pick<Facts, "repo" | "config">,
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
  const count =
    right.length === secrets.length
      ? `All ${right.length}`
      : `${right.length} of ${secrets.length}`;
  const message = `${count} secrets of the pipeline on ${where} have been stored as they should be, as far as GitHub's dates tell.`;
  return [...all, finding("ci.secrets", message)];
}

function openOnes(secrets: readonly RemoteSecret[], branch: string): readonly Finding[] {
  const found = secrets.flatMap(({ stored: { environment: name, repo }, place }) =>
    placeOf({ environment: name }).purpose === "apply" && place !== undefined
      ? judgeBranches({ name, repo, branch }, place.seen)
      : [],
  );
  return onceEach(found, ({ message }) => message);
}
