import type { Finding } from "./finding.ts";

/**
 * A change outside this machine (docs/design.md rule 12). Nothing undoes it: it comes after all the others,
 * and only if they are made.
 */
export interface OutsideChange {
  /** What it is about, by its name. */
  readonly label: string;
  /** "-" where it is not said. */
  readonly sign?: "+" | "-";
  readonly why: string;
  /** What a person is asked, as the end of a sentence: "revoke the token 0123abcd". */
  readonly asked: string;
  /** As documents have it. */
  json(): object;
  /**
   * Makes the change, if what it rests on is true.
   *
   * @returns what came of it where it was not made; nothing where it was.
   */
  apply(): Promise<readonly Finding[]>;
}
