import type { Inspection } from "../../concerns/token/verdict.ts";
import type { Approve } from "../../core/flow.ts";

/** Asks a person; what nobody can be asked is absent. */
export interface Prompter<F> {
  /**
   * Leads a person to a token.
   *
   * @param inspections answers about tokens, which grow.
   */
  readonly ask:
    | ((facts: F, inspections: Map<string, Promise<Inspection>>) => Promise<string>)
    | undefined;
  /** Shows a plan and asks for leave. */
  readonly approve: Approve<F>;
  /** Asks whether the config's command may run. */
  readonly trust: ((command: string) => Promise<boolean>) | undefined;
}
