import type { TokenState } from "../../exec/token-sources.ts";
import type { TokenOrigin } from "../../secret/secret.ts";
import type { ApiHosts } from "./hosts.ts";
import type { CodeNeeds } from "./needed-scopes.ts";
import type { Inspection } from "./verdict.ts";

export interface TokenFacts {
  readonly state: TokenState;
  /** Absent without a usable token. */
  readonly inspection: Inspection | undefined;
  readonly hosts: ApiHosts;
  /** What the code of all roots asks of the token. */
  readonly code: CodeNeeds;
}

/** Where the token is that DigitalOcean refuses; undefined: there is none. */
export function refusedOrigin({
  state,
  inspection,
}: Pick<TokenFacts, "state" | "inspection">): TokenOrigin | undefined {
  const isRefused = state.kind === "found" && inspection?.state === "refused";
  return isRefused ? state.token.origin : undefined;
}
