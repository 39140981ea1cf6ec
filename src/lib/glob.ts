/** How a program reads its patterns. */
export interface GlobDialect {
  /** `?` is any one character but a slash, and a backslash takes the meaning from what follows. */
  readonly isFull: boolean;
  /** In the middle of a pattern `**` is any number of whole folders; else it is any text. */
  readonly isByFolders: boolean;
}

/** One step of a pattern. folders: any number of whole folders; deep: any text; star: any but a slash. */
type Step = "folders" | "deep" | "star" | "any" | { readonly char: string };

/**
 * Whether a path matches a pattern with `*` and `**`. The time grows with pattern times path, whatever a
 * pattern that somebody else wrote looks like: no way is tried twice.
 *
 * @param path with slashes.
 */
export function matchesGlob(pattern: string, path: string, dialect: GlobDialect): boolean {
  const steps = stepsOf(pattern, dialect);
  // A state is a step that comes next; a negative one stands inside a folder of `folders`.
  let states = reachable(steps, [0]);
  for (const char of path) {
    const next = new Set<number>();
    for (const state of states) {
      const isInside = state < 0;
      const at = isInside ? -state - 1 : state;
      const step = steps[at];
      if (step === undefined) continue;
      if (step === "folders") {
        next.add(-at - 1);
        if (char === "/") next.add(at + 1);
      } else if (step === "deep" || (step === "star" && char !== "/")) next.add(at);
      else if (step === "any" ? char !== "/" : typeof step === "object" && step.char === char) {
        next.add(at + 1);
      }
    }
    states = reachable(steps, next);
    if (states.size === 0) return false;
  }
  return states.has(steps.length);
}

/** With the states that need no character: what stands for any number of them may stand for none. */
function reachable(steps: readonly Step[], from: Iterable<number>): Set<number> {
  const states = new Set(from);
  for (const state of states) {
    const step = state < 0 ? undefined : steps[state];
    if (step === "folders" || step === "deep" || step === "star") states.add(state + 1);
  }
  return states;
}

function stepsOf(pattern: string, { isFull, isByFolders }: GlobDialect): readonly Step[] {
  const parts = pattern.match(isByFolders ? /\*\*\/?|\\.|./gsu : /\*\*+|\\.|./gsu) ?? [];
  const steps = parts.flatMap((part, i): Step | Step[] => {
    if (part.startsWith("**")) return isByFolders && i < parts.length - 1 ? "folders" : "deep";
    if (part === "*") return "star";
    if (isFull && part === "?") return "any";
    const text = isFull && part.length > 1 ? part.slice(1) : part;
    return Array.from(text, (char) => ({ char }));
  });
  // Any number of any number is any number.
  return steps.filter((step, i) => step === "any" || step !== steps[i - 1]);
}
