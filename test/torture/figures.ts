import { createHash } from "node:crypto";
import { TestRunner } from "vitest";

/** The figures of one scene of the torture suite. The last three must be 0. */
export interface Row {
  /** Runs of do-bootstrap in the scene. */
  readonly runs: number;
  /** Faults injected into them: a signal, a hostile answer, a full disk. */
  readonly faults: number;
  /** Tokens, contexts or files that disappeared. */
  readonly lost: number;
  /** Files that had neither the old nor the new content. */
  readonly halfWritten: number;
  /** Temporary files and locks that the next run did not remove. */
  readonly leftOver: number;
}

declare module "vitest" {
  interface TaskMeta {
    figures?: Record<string, Row>;
  }
}

/** The random seed; the same seed repeats a failure. */
export const SEED = Number(process.env["SEED"] ?? 1);

/** Multiplier of the short form, which is part of `npm test`. */
export const COUNT = Number(process.env["COUNT"] ?? 1);

/** Adds a row to the table at the end of `npm run test:torture`. Call it inside a test. */
export function figures(scene: string, row: Row): void {
  const test = TestRunner.getCurrentTest();
  if (test === undefined) throw new Error("Call figures() inside a test.");
  test.meta.figures = { ...test.meta.figures, [scene]: row };
}

/** @returns a generator of numbers in [0, 1), the same for the same seed. */
export function random(seed: number | string): () => number {
  let turn = 0;
  return () => {
    const hash = createHash("sha256").update(`${seed}:${turn++}`).digest();
    return hash.readUInt32BE() / 2 ** 32;
  };
}
