import type { Secret } from "../../secret/secret.ts";
import type { Inspection } from "../token/verdict.ts";
import type { DoctlConfig } from "./config-file.ts";

/** What a context holds, compared with the token at hand. */
export type Holding = "nothing" | "this" | "dead" | "same-team" | "other";

/** How a stored token stands to ours. What cannot be told counts as somebody's login. */
export function compare(
  ours: { token: Secret; inspection: Inspection },
  stored: Secret | undefined,
  inspected: Inspection | undefined,
): Holding {
  if (stored === undefined) return "nothing";
  if (stored.equals(ours.token)) return "this";
  if (inspected?.state === "refused") return "dead";
  const team = ours.inspection.team?.uuid;
  const sameTeam = team !== undefined && inspected?.team?.uuid === team;
  return inspected?.state === "alive" && sameTeam ? "same-team" : "other";
}

/** The context that the token belongs in (docs/design.md rule 5). */
export function chooseContext(
  configured: string | undefined,
  project: string,
  { contexts }: DoctlConfig,
  inDefault: Holding,
): string {
  if (configured !== undefined) return configured;
  if (contexts.size === 0) return "default";
  return inDefault === "this" || inDefault === "same-team" ? "default" : project;
}
