import type { StateKey } from "../../host/host.ts";
import type { Secret } from "../../secret/secret.ts";
import type { Inspection } from "../token/verdict.ts";
import type { DoctlConfig, Login } from "./config-file.ts";

/**
 * What a context holds, compared with our token. "overridden": it holds our token and a browser login whose own token
 * will replace ours.
 */
export type Holding = "nothing" | "this" | "overridden" | "dead" | "same-team" | "other";

/**
 * Compares the stored login with our token. A login that we cannot identify counts as another person's. So does a
 * browser login, even if its token is old: doctl renews it (docs/contracts/doctl-2.md 6.1).
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

/** Returns the token and the browser login of a context. */
export function heldIn(
  { contexts, sessions }: Pick<DoctlConfig, "contexts" | "sessions">,
  context: string,
): Login {
  return { token: contexts.get(context), session: sessions.get(context) };
}

/** The context that plain `doctl` uses in this environment. @param selected by doctl's config. */
export function plainContext(
  { selected }: Pick<DoctlConfig, "selected">,
  env: Readonly<Record<string, string | undefined>>,
): string {
  return env["DIGITALOCEAN_CONTEXT"] || selected;
}

/** The reason why we run doctl on a private config. */
export type ErrandKind = "login" | "renewal";

/** The key of the note that we keep until doctl's result is merged. @param target doctl's config, links resolved. */
export function errandKey(target: string, context: string, kind: ErrandKind): StateKey {
  return { kind: "login", folder: target, name: `${kind} ${context}` };
}

/** Chooses the context for the token (docs/design.md rule 5). */
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
