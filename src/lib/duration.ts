/** In the largest unit that fits, rounded down, so that the remaining time is never overstated. */
export function duration(seconds: number): string {
  const [unit, size] = UNITS.find(([, size]) => seconds >= size) ?? ["second", 1];
  const count = Math.floor((seconds / size) * 10) / 10;
  return count === 1 ? `1 ${unit}` : `${count} ${unit}s`;
}

const UNITS = [
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
] as const;
