import type { TokenState } from "../../exec/token-sources.ts";
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
