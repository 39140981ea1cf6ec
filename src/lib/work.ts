/** Input from a repo needs more work than any legitimate input. */
class TooMuchWork extends Error {}

/** A limit, in steps, for the work on input from a repo, so that it ends after about a second. */
export class Work {
  #left: number;

  /** @param steps about 50 ns each. */
  constructor(steps = 10_000_000) {
    this.#left = steps;
  }

  /** @throws TooMuchWork when all are used. */
  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left < 0) throw new TooMuchWork();
  }
}

/** @returns undefined if it would take too much work. */
export function unlessTooMuch<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof TooMuchWork) return undefined;
    throw error;
  }
}
