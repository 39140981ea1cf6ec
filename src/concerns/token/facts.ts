import type { TokenState } from "../../exec/token-sources.ts";
import { describeOrigin } from "../../secret/secret.ts";
import type { ApiHosts } from "./hosts.ts";
import type { CodeNeeds } from "./needed-scopes.ts";
import { type Offers, someOf } from "./offers.ts";
import type { Inspection } from "./verdict.ts";

export interface TokenFacts {
  readonly state: TokenState;
  /** Absent without a usable token. */
  readonly inspection: Inspection | undefined;
  /** Tokens under other names; they are looked for where there is no token. */
  readonly offers: Offers;
  readonly hosts: ApiHosts;
  /** What the code of all roots asks of the token. */
  readonly code: CodeNeeds;
}

/** Where the tokens are that DigitalOcean refuses, in words; undefined: there is none. */
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
