import { broken } from "../../concerns/doctl/plan.ts";
import type { Finding } from "../../core/finding.ts";
import { leadsOut } from "../../core/obstacles.ts";
import { hint } from "../../errors/hint.ts";
import type { Facts } from "../init/observe.ts";
import { finding } from "./findings.ts";
import type { TokenPlace } from "./token-places.ts";

/** These contain no text. */
const EMPTY = ["a directory", "a device", "a socket"];

/** Places that cannot be read. They must not be reported as free of tokens. */
export function unreadPlaces(
  { doctl }: Pick<Facts, "doctl">,
  places: readonly TokenPlace[],
): Finding[] {
  const findings = places.flatMap((place) => {
    if (place.kind === "doctl" || place.snapshot.kind !== "unusable") return [];
    const { path, why, link } = place.snapshot;
    if (link !== undefined) return [leadsOut(place.snapshot, link)];
    if (EMPTY.includes(why)) return [];
    return [
      finding("file.unusable", `${path} is ${why}, so it was not checked for the token.`, {
        where: path,
        fix: hint`Fix its permissions or move it, then run the same command again.`,
      }),
    ];
  });
  const config = doctl?.config;
  return config?.state.kind === "broken"
    ? [...findings, broken(config.path, config.state.why)]
    : findings;
}
