import { createHash } from "node:crypto";
import { TestRunner } from "vitest";

/** What one scene of the torture suite saw. The last three have to be 0. */
export interface Row {
  /** Runs of do-bootstrap that were tortured. */
  readonly runs: number;
  /** Of them, those that something was done to: a kill that landed, a hostile answer, a full disk. */
  readonly faults: number;
  /** Tokens, contexts or files that were there before, and not afterwards. */
  readonly lost: number;
  /** Files that were neither the old nor the new one. */
  readonly halfWritten: number;
  /** Temporary files and locks that the next run did not take away. */
  readonly leftOver: number;
}

declare module "vitest" {
  interface TaskMeta {
    figures?: Record<string, Row>;
  }
}

/** Where chance begins; a failure shows again with the same one. */
export const SEED = Number(process.env["SEED"] ?? 1);

/** How many times as much as in the short form, which is part of `npm test`. */
export const COUNT = Number(process.env["COUNT"] ?? 1);

/** Puts a row into the table that ends `npm run test:torture`. Called inside a test. */
export function figures(scene: string, row: Row): void {
  const test = TestRunner.getCurrentTest();
  if (test === undefined) throw new Error("figures() belongs into a test");
  test.meta.figures = { ...test.meta.figures, [scene]: row };
}

/** @returns what gives numbers from 0 to below 1, the same ones for the same seed. */
export function random(seed: number | string): () => number {
  let turn = 0;
  return () => {
    const hash = createHash("sha256").update(`${seed}:${turn++}`).digest();
    return hash.readUInt32BE() / 2 ** 32;
  };
}
