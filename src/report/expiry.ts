/** When a token expires, in words. */
export function expiry(seconds: number | null | undefined): string {
  if (seconds === undefined) return "expiry unknown";
  if (seconds === null) return "no expiry";
  const units = [
    [86_400, "day"],
    [3600, "hour"],
    [60, "minute"],
  ] as const;
  const [size, unit] = units.find(([size]) => seconds >= 2 * size) ?? ([1, "second"] as const);
  return `expires in ${Math.floor(seconds / size)} ${unit}s`;
}
