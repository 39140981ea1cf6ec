/** Names for a sentence: the first few, and how many more there are. */
export function few(names: readonly string[], most = 3): string {
  const more = names.length - most;
  return `${names.slice(0, most).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

/** All names for a sentence. */
export function listed(names: readonly string[], last: "and" | "or" = "and"): string {
  return names.length < 2
    ? names.join("")
    : `${names.slice(0, -1).join(", ")} ${last} ${names.at(-1)}`;
}

/** A text of somebody else, as the first of two sentences. */
export function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** The first items, and one for the rest. */
export function capped<T>(items: readonly T[], most: number, rest: (more: number) => T): T[] {
  const more = items.length - most;
  return [...items.slice(0, most), ...(more > 0 ? [rest(more)] : [])];
}
