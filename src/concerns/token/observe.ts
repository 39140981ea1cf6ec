import type { TokenSources } from "../../exec/token-sources.ts";
import type { Secret } from "../../secret/secret.ts";
import type { TokenFacts } from "./facts.ts";
import { type FindTokenOptions, findToken, type TokenHost } from "./find-token.ts";
import type { Inspection } from "./verdict.ts";

/**
 * Finds the token and asks DigitalOcean about it.
 *
 * @param inspect asks about each token only once.
 * @throws AppError WRITE_FAILED if trust cannot be stored because there is no folder for it.
 */
export async function observeToken(
  host: TokenHost,
  sources: TokenSources,
  question: FindTokenOptions & { readonly inspect: (token: Secret) => Promise<Inspection> },
): Promise<Pick<TokenFacts, "state" | "inspection">> {
  const state = await findToken(host, sources, question);
  const inspection = state.kind === "found" ? await question.inspect(state.token) : undefined;
  return { state, inspection };
}
