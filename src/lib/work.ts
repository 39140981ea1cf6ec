/** What a repo brings would take more work than anything of a person's does. */
class TooMuchWork extends Error {}

/** How much work may be done for what a repo brings, in steps: so that all of it ends, in about a second. */
export class Work {
  #left: number;

  /** @param steps of some 50 ns each. */
  constructor(steps = 10_000_000) {
    this.#left = steps;
  }

  /** @throws TooMuchWork when all are used up. */
  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left < 0) throw new TooMuchWork();
  }
}

/** @returns undefined where it would take too much work. */
export function unlessTooMuch<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof TooMuchWork) return undefined;
    throw error;
  }
}
