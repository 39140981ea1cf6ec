import type { StateKey } from "../../host/host.ts";
import type { Secret } from "../../secret/secret.ts";
import type { Inspection } from "../token/verdict.ts";
import type { DoctlConfig, Login } from "./config-file.ts";

/**
 * What a context holds, compared with the token at hand. "overridden": this token, beside a browser login, whose
 * token doctl will put in its place.
 */
export type Holding = "nothing" | "this" | "overridden" | "dead" | "same-team" | "other";

/**
 * How what is stored stands to our token. What cannot be told counts as somebody's login, and so does a browser login,
 * however old its token is: doctl renews it (docs/contracts/doctl-2.md 6.1).
 */
export function compare(
  ours: { token: Secret; inspection: Inspection },
  { token: stored, session }: Login,
  inspected: Inspection | undefined,
): Holding {
  if (stored === undefined) return session === undefined ? "nothing" : "other";
  if (stored.equals(ours.token)) {
    return session !== undefined && !ours.token.isOfSession ? "overridden" : "this";
  }
  if (inspected?.state === "refused") return session === undefined ? "dead" : "other";
  const team = ours.inspection.team?.uuid;
  const sameTeam = team !== undefined && inspected?.team?.uuid === team;
  return inspected?.state === "alive" && sameTeam ? "same-team" : "other";
}

/** What a context holds. */
export function heldIn(
  { contexts, sessions }: Pick<DoctlConfig, "contexts" | "sessions">,
  context: string,
): Login {
  return { token: contexts.get(context), session: sessions.get(context) };
}

/** What a doctl does for us on a private config. */
export type ErrandKind = "login" | "renewal";

/** What is noted of it, until what it brings is merged. @param target doctl's config, links resolved. */
export function errandKey(target: string, context: string, kind: ErrandKind): StateKey {
  return { kind: "login", folder: target, name: `${kind} ${context}` };
}

/** The context that the token belongs in (docs/design.md rule 5). */
export function chooseContext(
  configured: string | undefined,
  project: string,
  { contexts, sessions }: DoctlConfig,
  inDefault: Holding,
): string {
  if (configured !== undefined) return configured;
  if (contexts.size + sessions.size === 0) return "default";
  const isOurs = ["this", "overridden", "same-team"].includes(inDefault);
  return isOurs ? "default" : project;
}
