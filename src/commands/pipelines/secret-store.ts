import { TOKEN_LIST } from "../../concerns/token/hosts.ts";
import type { Finding } from "../../core/finding.ts";
import { hint } from "../../errors/hint.ts";
import { listed } from "../../lib/few.ts";
import type { Secret } from "../../secret/secret.ts";
import { finding } from "./findings.ts";
import type { StoredSecret } from "./stored-secrets.ts";

/** A place outside this machine that keeps secrets for a pipeline, which nobody can read back. */
export interface SecretStore {
  /** Such as "environment prod-apply on github.com". */
  readonly name: string;
  /** Each throws AppError if the place could not be asked. */
  look(): Promise<SeenStore>;
  /** @returns its new version; undefined: the place does not say it. */
  store(name: string, value: Secret): Promise<string | undefined>;
  /** A secret that is already gone counts as removed. */
  remove(name: string): Promise<void>;
}

/** What a place lists. */
export interface SeenStore {
  readonly isThere: boolean;
  /** The version of each secret, by name: it is another one after each change. */
  readonly secrets: ReadonlyMap<string, string>;
  /** GitHub: the only branches that may use it, or other rules as words. */
  readonly branches?: "all" | readonly string[];
}

/** Refuses to go on if somebody changed a place while a person was asked. */
export async function judgeChange(store: SecretStore, before: SeenStore): Promise<Finding[]> {
  const now = await store.look();
  const [old, new_] = [before, now].map(({ isThere, secrets, branches }) =>
    JSON.stringify([isThere, [...secrets].sort(), branches]),
  );
  if (old === new_) return [];
  const message = `The ${store.name} was changed while you were asked. Nothing was stored.`;
  return [finding("ci.not-applied", message, { fix: hint`Run the same command again.` })];
}

/**
 * Names the tokens that no secret holds any more. A store gives no secret back, so only their owner can revoke them.
 *
 * @param secrets what all secrets hold after this run.
 * @param news those of them that this run has stored.
 */
export function judgeReplaced(
  secrets: readonly StoredSecret[],
  news: readonly StoredSecret[],
): Finding[] {
  const inUse = new Set(secrets.map(({ token }) => token));
  const replaced = new Set(news.flatMap(({ replaces }) => replaces));
  const old = [...replaced].filter((token) => !inUse.has(token));
  if (old.length === 0) return [];
  const [tokens, stay, them] =
    old.length === 1 ? ["token", "stays", "it"] : ["tokens", "stay", "them"];
  const message = `The pipeline no longer uses ${tokens} ${listed(old)}, which ${stay} valid until you delete ${them}.`;
  const fix = hint`If nothing else uses ${them}, delete ${them}: ${TOKEN_LIST}`;
  return [finding("ci.to-do", message, { fix })];
}
