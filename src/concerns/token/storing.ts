import type { Consent } from "../../core/consent.ts";
import type { Machine } from "../../core/machine.ts";
import type { Secret } from "../../secret/secret.ts";
import type { TokenFacts } from "./facts.ts";

/** The token that a plan may use: found, and accepted by DigitalOcean. */
export function usableToken({
  state,
  inspection,
}: Pick<TokenFacts, "state" | "inspection">): Secret | undefined {
  return state.kind === "found" && inspection?.state === "alive" ? state.token : undefined;
}

/**
 * Whether the token may be written to the repo's ignored files (docs/design.md §6): it is already in the env file, came
 * from standard input outside CI, or --save asks for it. A command or a doctl login provides it again each time.
 */
export function mayStore(
  token: Secret,
  { isCi }: Pick<Machine, "isCi">,
  { save }: Pick<Consent, "save">,
): boolean {
  return save || (!isCi && !["environment", "command", "doctl"].includes(token.origin.kind));
}
