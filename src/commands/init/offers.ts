import type { ResolvedConfig } from "../../concerns/config/resolved.ts";
import { doctlContexts } from "../../concerns/doctl/observe.ts";
import type { Git } from "../../concerns/git/git.ts";
import { askRepos, type Verdict, wouldTake } from "../../concerns/git/repos.ts";
import { findElsewhere } from "../../concerns/token/elsewhere.ts";
import { MOST_ASKED, type OfferedPlace, type Offers } from "../../concerns/token/offers.ts";
import type { Inspection } from "../../concerns/token/verdict.ts";
import type { Host, Snapshot, ToolSearch } from "../../host/host.ts";
import type { Secret } from "../../secret/secret.ts";

/**
 * Tokens under other names that could be used if no token is found, each checked with DigitalOcean.
 *
 * @param question.inspect asks DigitalOcean about a token.
 * @throws AppError GIT_FAILED
 */
export async function findOffers(
  host: Parameters<typeof findElsewhere>[0] &
    Parameters<typeof doctlContexts>[0] &
    Pick<Host, "which">,
  question: {
    readonly git: Git | undefined;
    readonly config: ResolvedConfig;
    /** The git root; outside git the config's folder. */
    readonly top: string;
    readonly envFile: Snapshot;
    readonly doctl: Promise<ToolSearch>;
    readonly inspect: (token: Secret) => Promise<Inspection>;
    readonly progress: (what: string) => void;
  },
): Promise<Offers> {
  const { git, config, top, envFile, doctl, inspect, progress } = question;
  const contexts =
    config.doctl === false
      ? new Map<string, Secret>()
      : await doctlContexts(host, await doctl, progress);
  const around = { config, top, envFile, contexts };
  const { found, unsearched } = await findElsewhere(host, around);
  const paths = found.flatMap(({ places }) => places.flatMap(({ path }) => path ?? []));
  const [verdicts, inspections] = await Promise.all([
    askRepos(host, git, [...new Set(paths)]),
    Promise.all(found.slice(0, MOST_ASKED).map(({ token }) => inspect(token))),
  ]);
  const offers = found.map(({ token, places }, at) => ({
    token,
    inspection: inspections[at],
    places: places.map((place) => ({ ...place, git: inGit(verdicts.get(place.path ?? "")) })),
  }));
  return { found: offers, unsearched };
}

function inGit(verdict: Verdict | undefined): OfferedPlace["git"] {
  if (verdict === undefined || !wouldTake(verdict)) return undefined;
  return verdict.isTracked ? "tracked" : "open";
}
