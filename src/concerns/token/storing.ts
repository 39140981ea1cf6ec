import type { Observation } from "../../commands/init/observe.ts";
import type { Consent } from "../../core/types.ts";
import type { Secret } from "../../secret/secret.ts";

/** The token that a plan may work with: found, and not refused. */
export function usableToken({ token, inspection }: Observation): Secret | undefined {
  return token.kind === "found" && inspection?.state === "alive" ? token.token : undefined;
}

/**
 * Whether the token may be written into the repo's ignored files (DESIGN §6): it is in the env file
 * already, came by standard input outside CI, or --save asks for it; a command gives it anew each time.
 */
export function mayStore(token: Secret, { ci }: Observation, { save }: Consent): boolean {
  return save || (!ci && !["environment", "command"].includes(token.origin.kind));
}
