import type { Machine } from "../../core/machine.ts";
import { type Hint, hint, unset } from "../../errors/hint.ts";
import { type TokenState, tokenNames } from "../../exec/token-sources.ts";
import { describeOrigin, type Secret } from "../../secret/secret.ts";
import type { ResolvedConfig } from "../config/resolved.ts";

/** A token that was found. */
export type FoundState = TokenState & { readonly kind: "found" };

/** The shell variables that hold the token in use, and what would be used without them. */
export interface Variables {
  readonly names: readonly [string, ...string[]];
  /** `said` is a sentence about it; `called` is its name in the fix. */
  readonly behind: { readonly said: string; readonly called: string } | undefined;
}

/** @returns undefined for a token from another source, or in CI, where the pipeline sets the variables. */
export function variablesOf(
  { token, shadowed }: FoundState,
  { token: { name, doctl, command } }: Pick<ResolvedConfig, "token">,
  { isCi, env }: Pick<Machine, "isCi" | "env">,
): Variables | undefined {
  const { origin } = token;
  if (origin.kind !== "environment" || isCi) return undefined;
  const isToo = (each: string) => each !== origin.name && token.holds(env[each] ?? "");
  return { names: [origin.name, ...tokenNames(name).filter(isToo)], behind: behind() };

  function behind(): Variables["behind"] {
    const other = shadowed.find(({ origin }) => origin.kind === "env-file");
    if (other !== undefined) {
      const said = ` ${describeOrigin(other.origin)} holds another token (${other.fingerprint}).`;
      return { said, called: "the other token" };
    }
    if (doctl !== undefined) return { said: "", called: `the login of doctl context ${doctl}` };
    return command && { said: "", called: "the token of token.command" };
  }
}

/** @returns undefined if nothing else would be used without the variables. */
export function fixByUnset(variables: Variables | undefined): Hint | undefined {
  if (variables?.behind === undefined) return undefined;
  return hint`To use ${variables.behind.called}: ${unset(...variables.names)}`;
}

/** The fix for two different tokens, at least one from the environment, if it is unclear which one is meant. */
export function whichToUnset([{ origin: one }, { origin: other }]: readonly [
  Secret,
  Secret,
]): Hint {
  const names = [one, other].flatMap((each) => (each.kind === "environment" ? each.name : []));
  const [first = "", second] = names;
  return second === undefined
    ? hint`Unset the token in the environment, or remove the other one from its file: ${unset(first)}`
    : hint`Unset the wrong one: ${unset(first)} or ${unset(second)}`;
}
