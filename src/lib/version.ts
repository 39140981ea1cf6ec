/**
 * Whether Terraform's version constraints allow a release from `since` on.
 *
 * @param constraints such as [">= 1.5", "~> 1.9.0"]; one that cannot be read counts as satisfied.
 * @param since such as "1.10" or "1.6.3".
 */
export function allowsFrom(constraints: readonly string[], since: string): boolean {
  const least = numbers(since);
  const [major = 0, minor = 0] = least;
  // Constraints are upper and lower bounds. If any release satisfies them, one of these does.
  const candidates = [
    least,
    ...Array.from({ length: 40 }, (_, i) => [major, minor + i, 0]),
    ...Array.from({ length: 40 }, (_, i) => [major, minor + i, 99]),
    ...termsOf(constraints).flatMap((each) =>
      [...each.matchAll(/[\d.]+/g)].flatMap(([text]) => {
        const [x = 0, y = 0, z = 0] = numbers(text);
        return [
          [x, y, z],
          [x, y, z + 1],
        ];
      }),
    ),
    [major + 1, 0, 0],
  ].filter((version) => compare(version, least) >= 0);
  const terms = termsOf(constraints);
  return candidates.some((version) => terms.every((term) => satisfies(version, term)));
}

/**
 * Whether Terraform's version constraints allow a release. One that cannot be read counts as satisfied.
 *
 * @param version such as "1.11.4".
 */
export function allows(constraints: readonly string[], version: string): boolean {
  return termsOf(constraints).every((term) => satisfies(numbers(version), term));
}

/**
 * Whether a release is older than another.
 *
 * @param version such as "1.11.4".
 * @param since such as "1.10" or "1.6.3".
 */
export function isOlder(version: string, since: string): boolean {
  return compare(numbers(version), numbers(since)) < 0;
}

/** Terms after the first hundred, and very long ones, are ignored: every candidate is compared with every term. */
function termsOf(constraints: readonly string[]): readonly string[] {
  const terms = constraints.slice(0, MOST_TERMS).flatMap((each) => each.split(",", MOST_TERMS));
  return terms.filter(({ length }) => length <= 200).slice(0, MOST_TERMS);
}

const MOST_TERMS = 100;

function satisfies(version: readonly number[], term: string): boolean {
  const { operator = "=", bound = "" } =
    /^\s*(?:(?<operator>=|!=|>=|<=|>|<|~>)\s*)?v?(?<bound>\d+(\.\d+)*)/.exec(term)?.groups ?? {};
  if (bound === "") return true;
  const wanted = numbers(bound);
  const order = compare(version, wanted);
  switch (operator) {
    case "!=":
      return order !== 0;
    case ">":
      return order > 0;
    case ">=":
      return order >= 0;
    case "<":
      return order < 0;
    case "<=":
      return order <= 0;
    case "~>": {
      const kept = bound.split(".").length - 1;
      return order >= 0 && wanted.slice(0, kept).every((part, i) => version[i] === part);
    }
    default:
      return order === 0;
  }
}

function numbers(text: string): number[] {
  const parts = text.split(".").filter(Boolean).map(Number);
  return [parts[0] ?? 0, parts[1] ?? 0, parts[2] ?? 0];
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < 3; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
