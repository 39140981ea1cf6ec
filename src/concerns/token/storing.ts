import type { Consent } from "../../core/consent.ts";
import type { Machine } from "../../core/machine.ts";
import type { Secret } from "../../secret/secret.ts";
import type { TokenFacts } from "./facts.ts";

/** The token that a plan may work with: found, and not refused. */
export function usableToken({
  state,
  inspection,
}: Pick<TokenFacts, "state" | "inspection">): Secret | undefined {
  return state.kind === "found" && inspection?.state === "alive" ? state.token : undefined;
}

/**
 * Whether the token may be written into the repo's ignored files (docs/design.md §6): it is in the
 * env file already, came by standard input outside CI, or --save asks for it; a command and a login of
 * doctl's give it anew each time.
 */
export function mayStore(
  token: Secret,
  { isCi }: Pick<Machine, "isCi">,
  { save }: Pick<Consent, "save">,
): boolean {
  return save || (!isCi && !["environment", "command", "doctl"].includes(token.origin.kind));
}
