import type { Finding } from "./finding.ts";

/**
 * A change outside this machine (docs/design.md rule 12). It cannot be undone, so it comes after all other changes, and
 * only if those are made.
 */
export interface OutsideChange {
  /** The name of what is changed. */
  readonly label: string;
  /** "-" by default. */
  readonly sign?: "+" | "-";
  readonly why: string;
  /** The end of the question to a person: "revoke the token 0123abcd". */
  readonly asked: string;
  /** The JSON in documents. */
  json(): object;
  /**
   * Makes the change, if its preconditions are true.
   *
   * @returns why it was not made; nothing if it was made.
   */
  apply(): Promise<readonly Finding[]>;
}
