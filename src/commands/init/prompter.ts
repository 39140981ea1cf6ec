import type { TrustGiven } from "../../concerns/token/find-token.ts";
import type { Inspection } from "../../concerns/token/verdict.ts";
import type { Approve } from "../../core/flow.ts";
import type { TokenState } from "../../exec/token-sources.ts";
import type { Choice } from "./environments.ts";

/** Asks a person; what nobody can be asked is absent. */
export interface Prompter<F> {
  /**
   * Leads a person to a token.
   *
   * @param inspections answers about tokens, which grow.
   * @param purpose what the token is for, where that is not the environment of the facts alone.
   */
  readonly ask:
    | ((
        facts: F,
        inspections: Map<string, Promise<Inspection>>,
        purpose?: string,
      ) => Promise<string>)
    | undefined;
  /** Asks which environment is meant. @returns undefined: none of them. */
  readonly choose: ((choices: readonly Choice[]) => Promise<string | undefined>) | undefined;
  /** Shows a plan and asks for leave. */
  readonly approve: Approve<F>;
  /** Asks whether the config's command may run. */
  readonly trust: ((asked: TrustQuestion) => Promise<boolean>) | undefined;
}

export interface TrustQuestion {
  /** As a person would type it. */
  readonly command: string;
  /** What a yes allows. */
  readonly given: TrustGiven;
  /** Why the command did not run without a question; a sentence without its full stop. */
  readonly why: string;
}

/** @returns what a person allowed; undefined after a no, and where there is nothing to ask. */
export async function askForTrust(
  ask: Prompter<never>["trust"],
  state: TokenState,
): Promise<TrustGiven | undefined> {
  if (state.kind !== "unavailable") return undefined;
  const given = GIVEN[state.why];
  if (given === undefined) return undefined;
  return (await ask?.({ command: state.command, given, why: state.detail })) ? given : undefined;
}

const GIVEN: { readonly [Why in Unavailable["why"]]?: TrustGiven } = {
  untrusted: "kept",
  unpinned: "once",
};

type Unavailable = TokenState & { kind: "unavailable" };
