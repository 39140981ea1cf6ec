import type { TokenState } from "../../exec/token-sources.ts";
import { describeOrigin } from "../../secret/secret.ts";
import type { ApiHosts } from "./hosts.ts";
import type { CodeNeeds } from "./needed-scopes.ts";
import { type Offers, someOf } from "./offers.ts";
import type { Inspection } from "./verdict.ts";

export interface TokenFacts {
  readonly state: TokenState;
  /** undefined without a usable token. */
  readonly inspection: Inspection | undefined;
  /** Tokens under other names. Searched for only if there is no token. */
  readonly offers: Offers;
  readonly hosts: ApiHosts;
  /** What the code of all roots needs from the token. */
  readonly code: CodeNeeds;
}

/** The places of tokens that DigitalOcean refuses, as text; undefined: there are none. */
export function refusedPlaces({
  state,
  inspection,
  offers,
}: Pick<TokenFacts, "state" | "inspection" | "offers">): string | undefined {
  if (state.kind === "found") {
    return inspection?.state === "refused" ? describeOrigin(state.token.origin) : undefined;
  }
  const refused = offers.found.filter((offer) => offer.inspection?.state === "refused");
  const places = refused.flatMap((offer) => offer.places.map(({ words }) => words));
  return places.length === 0 ? undefined : someOf(places);
}
