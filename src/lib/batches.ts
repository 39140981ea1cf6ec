/** How many files are open at the same time. Systems allow some hundreds. */
const BATCH = 32;

export function batches(names: readonly string[]): string[][] {
  const count = Math.ceil(names.length / BATCH);
  return Array.from({ length: count }, (_, at) => names.slice(at * BATCH, (at + 1) * BATCH));
}
